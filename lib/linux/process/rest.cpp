#include "linux/process/rest.hpp"

#include <algorithm>
#include <ctime>

namespace vigil::os {
namespace {

constexpr int kRest = 5;
constexpr std::chrono::nanoseconds kByWorkAtLeast = std::chrono::milliseconds(500);

}  // namespace

std::chrono::nanoseconds rest_after(std::chrono::nanoseconds passed,
                                    std::chrono::nanoseconds worked) noexcept {
    return std::min(kRest * passed, std::max(kRest * worked, kByWorkAtLeast));
}

std::chrono::nanoseconds work_of_thread() noexcept {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace vigil::os
