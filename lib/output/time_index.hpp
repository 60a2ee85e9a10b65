// Layer output. Writing the time index of a log; see logs/log_times.hpp. It is a help for readers: what goes
// wrong here is left so.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/time.hpp"
#include "logs/log_times.hpp"

namespace vigil::output {

/// When the next mark is to be written.
class MarkPace {
  public:
    /// The file was opened, or begun.
    void begin(core::TimePoint now, std::uint64_t offset) noexcept;
    /// For a write at `offset`.
    [[nodiscard]] bool due(core::TimePoint now, std::uint64_t offset) const noexcept;

  private:
    core::TimePoint last_{};
    std::uint64_t offset_ = 0;
};

/// Appends one mark; a torn one before it is cut off. Only a regular file is written to.
void append_mark(const std::string& log_path, gid_t group, const logs::TimeMark& mark);

/// Writes the index anew: of `marks` those whose number is in `numbers`, which is sorted.
void rewrite_marks(const std::string& log_path, gid_t group, const std::vector<logs::TimeMark>& marks,
                   const std::vector<std::uint64_t>& numbers);

}  // namespace vigil::output
