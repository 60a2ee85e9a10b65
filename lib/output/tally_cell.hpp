// Layer output. The running tally of one task, shared by all that moves its output.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>

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
    mutable std::mutex mutex_;
    std::uint64_t written_ = 0;
    Losses dropped_;
    std::string faults_[2];
};

}  // namespace vigil::output
