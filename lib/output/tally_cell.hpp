// Layer output. The running tally of one task, shared by all that moves its output.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "base/small_mutex.hpp"
#include "output/collector.hpp"
#include "output/losses.hpp"

namespace vigil::output {

/// Thread-safe.
class TallyCell {
  public:
    void wrote(std::uint64_t bytes);
    void dropped(const Losses& losses);
    /// Each stream may have a log of its own, and each log a fault of its own; empty: it is over.
    void set_fault(core::OutputStream stream, const std::string& fault);
    [[nodiscard]] Tally read() const;

  private:
    mutable SmallMutex mutex_;
    std::uint64_t written_ = 0;
    Losses dropped_;
    std::unique_ptr<std::array<std::string, 2>> faults_;  ///< null: there never was one
};

}  // namespace vigil::output
