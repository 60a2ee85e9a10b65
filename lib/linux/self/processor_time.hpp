// Layer linux. What a thread has had of the processors.
#pragma once

#include <chrono>

namespace vigil::os {

/// Of the calling thread, since it began (CLOCK_THREAD_CPUTIME_ID). A system call.
[[nodiscard]] std::chrono::nanoseconds processor_time_of_thread() noexcept;

}  // namespace vigil::os
