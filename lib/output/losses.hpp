// Layer output. What was taken from a task and could not be written. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vigil::output {

/// A line is lost with its newline.
struct Losses {
    std::uint64_t bytes = 0;
    std::uint64_t lines = 0;

    void add(std::string_view lost) noexcept;
    Losses& operator+=(const Losses& more) noexcept;
    /// What is left of these after `part` of them was reported.
    Losses& operator-=(const Losses& part) noexcept;
    [[nodiscard]] bool any() const noexcept { return bytes != 0; }
    friend bool operator==(const Losses&, const Losses&) = default;
};

/// "[vigil: 123 lines (45678 bytes) of output were dropped here: No space left on device]", without a
/// newline.
[[nodiscard]] std::string loss_marker(const Losses& losses, std::string_view reason);

}  // namespace vigil::output
