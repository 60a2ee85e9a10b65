#include "base/unique_fd.hpp"

#include <unistd.h>

#include <cerrno>

namespace vigil {

void UniqueFd::reset(int fd) noexcept {
    const int old = std::exchange(fd_, fd < 0 ? -1 : fd);
    if (old < 0 || old == fd) return;
    // On Linux the descriptor is gone even when close() says EINTR: never repeat it.
    const int saved = errno;
    ::close(old);
    errno = saved;
}

}  // namespace vigil
