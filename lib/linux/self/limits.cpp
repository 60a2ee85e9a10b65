#include "linux/self/limits.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "base/unique_fd.hpp"

namespace vigil::os {

Result<OpenFileLimit> raise_open_file_limit() {
    OpenFileLimit limit;
    if (::getrlimit(RLIMIT_NOFILE, &limit.at_start) != 0)
        return Failure{errno_error("reading the limit on open files")};
    limit.now = limit.at_start;
    limit.now.rlim_cur = limit.now.rlim_max;
    if (::setrlimit(RLIMIT_NOFILE, &limit.now) != 0) limit.now = limit.at_start;
    return limit;
}

void reserve_descriptors(std::size_t count) noexcept {
    rlimit limit{};
    if (count == 0 || ::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == 0) return;
    const auto last = std::min<rlim_t>(count, limit.rlim_cur) - 1;
    // The table grows to hold the number that is asked for, and never shrinks.
    const UniqueFd end(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, static_cast<int>(last)));
}

}  // namespace vigil::os
