// Layer output. Where a log is cut, and which of its older files go. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "logs/log_name.hpp"

namespace vigil::output {

/// The first `count` of the parts, which are in the order of their numbers, are to be removed: what exceeds
/// `keep` files, and then `max_total` bytes together. The newest goes as well where it alone is too big.
[[nodiscard]] std::size_t count_to_remove(const std::vector<logs::Part>& parts, unsigned keep,
                                          std::optional<std::uint64_t> max_total) noexcept;

/// Where lines end in what waits in a pipe, as bytes up to and with a newline.
struct LineEnds {
    std::optional<std::size_t> last_within;  ///< the last that still fits
    std::optional<std::size_t> first_after;  ///< the first that does not
};

/// How much of what waits goes into the present file, and whether a new one is begun after it.
struct Cut {
    std::size_t bytes = 0;
    bool then_new_file = false;

    friend bool operator==(const Cut&, const Cut&) = default;
};

/// `room` bytes are left up to the limit, and `beyond` more may be used to bring a line to its end; a line
/// that is longer than that is cut. `at_line_start`: the file ends with a newline, so nothing is lost by
/// beginning the next one now.
[[nodiscard]] Cut choose_cut(const LineEnds& ends, std::size_t waiting, std::size_t room, std::size_t beyond,
                             bool at_line_start) noexcept;

}  // namespace vigil::output
