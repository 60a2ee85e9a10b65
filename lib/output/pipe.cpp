#include "output/pipe.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace vigil::output {

Result<Pipe> make_pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return Failure{errno_error("making a pipe")};
    Pipe made{UniqueFd(ends[0]), UniqueFd(ends[1]), 0};
    // Refused beyond what the user may have in pipes (pipe(7)); smaller steps do as well, only slower.
    for (std::size_t size = kBigPipe; size > capacity_of(ends[1]); size /= 2)
        if (::fcntl(ends[1], F_SETPIPE_SZ, static_cast<int>(size)) > 0) break;
    made.capacity = capacity_of(ends[1]);
    return made;
}

std::size_t bytes_waiting(int pipe) noexcept {
    int waiting = 0;
    return ::ioctl(pipe, FIONREAD, &waiting) == 0 && waiting > 0 ? static_cast<std::size_t>(waiting) : 0;
}

std::size_t capacity_of(int pipe) noexcept {
    const int size = ::fcntl(pipe, F_GETPIPE_SZ);
    return size > 0 ? static_cast<std::size_t>(size) : 0;
}

bool writers_are_gone(int pipe) noexcept {
    pollfd ask{pipe, POLLIN, 0};
    return ::poll(&ask, 1, 0) == 1 && (ask.revents & POLLHUP) != 0;
}

}  // namespace vigil::output
