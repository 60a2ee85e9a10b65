#include "linux/process/rest.hpp"

#include <algorithm>

namespace vigil::os {
namespace {

constexpr int kRest = 5;
constexpr std::chrono::nanoseconds kByWorkAtLeast = std::chrono::milliseconds(500);

}  // namespace

std::chrono::nanoseconds rest_after(std::chrono::nanoseconds passed,
                                    std::chrono::nanoseconds worked) noexcept {
    return std::min(kRest * passed, std::max(kRest * worked, kByWorkAtLeast));
}

}  // namespace vigil::os
