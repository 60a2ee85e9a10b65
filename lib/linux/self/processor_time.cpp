#include "linux/self/processor_time.hpp"

#include <ctime>

namespace vigil::os {

std::chrono::nanoseconds processor_time_of_thread() noexcept {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace vigil::os
