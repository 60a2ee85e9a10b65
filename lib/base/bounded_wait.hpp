// Layer base. Waiting for another thread, but not for ever.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace vigil {

/// Waits until `holds()`, at most `limit` by the steady clock: setting the wall clock makes it neither longer
/// nor shorter. What `holds()` says at the end. `lock` is held on entry, on return and while `holds` is
/// asked.
template <typename Predicate>
[[nodiscard]] bool wait_at_most(std::condition_variable& wake, std::unique_lock<std::mutex>& lock,
                                std::chrono::nanoseconds limit, Predicate holds) {
#ifdef __SANITIZE_THREAD__
    // gcc 12's ThreadSanitizer does not know pthread_cond_clockwait, and takes the lock for held all the
    // while.
    return wake.wait_until(lock, std::chrono::system_clock::now() + limit, holds);
#else
    return wake.wait_for(lock, limit, holds);
#endif
}

}  // namespace vigil
