// Layer linux. One daemon at a time, and its control socket.
#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>

#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace vigil::os {

/// An flock(2) on a file of its own: taken before the socket is looked at, so that only one daemon ever
/// removes a stale one. Held until the object goes; the file stays (removing it would let two daemons lock
/// two inodes). Close-on-exec: a child can never keep it, but has it until its exec, also beyond the death of
/// the daemon that made it.
class InstanceLock {
  public:
    /// EWOULDBLOCK: another process holds it; the error names its pid where the file tells it. Where that one
    /// is dead, and only a child of it before its exec still has the lock, that is waited for, for a second
    /// at most.
    [[nodiscard]] static Result<InstanceLock> take(const std::string& path);

    /// Of a process that has become this one by execve(2): the lock is of the open file, and was held all the
    /// time.
    [[nodiscard]] static InstanceLock adopt(UniqueFd fd) noexcept { return InstanceLock(std::move(fd)); }
    /// Stays this object's.
    [[nodiscard]] int fd() const noexcept { return fd_.get(); }

  private:
    explicit InstanceLock(UniqueFd fd) noexcept : fd_(std::move(fd)) {}
    UniqueFd fd_;
};

struct ListenerOptions {
    std::string path;  ///< absolute; at most 107 bytes, see unix(7)
    mode_t mode = 0660;
    std::optional<gid_t> group = std::nullopt;  ///< nothing: the daemon's own
    /// Connections that may wait to be accepted; the kernel caps it (net.core.somaxconn).
    int backlog = 1024;
    int type = SOCK_STREAM;  ///< or SOCK_SEQPACKET
};

/// A listening socket on a path, non-blocking and close-on-exec. The path is removed at the end if it
/// still is this socket.
class UnixListener {
  public:
    /// Needs the lock as a witness. A socket that nobody listens on is replaced; EADDRINUSE for one that
    /// answers; EEXIST where a file, directory or symbolic link is in the way: never removed. The socket is
    /// never more open than `mode`, not for an instant, and listens from the instant it has its path.
    [[nodiscard]] static Result<UnixListener> open(const InstanceLock& lock, ListenerOptions options);

    /// Goes on with the socket that a predecessor had bound there and somebody has held since. As open(),
    /// where `held` is empty or the path leads elsewhere by now.
    [[nodiscard]] static Result<UnixListener> adopt(const InstanceLock& lock, ListenerOptions options,
                                                    UniqueFd held);

    UnixListener(UnixListener&& other) noexcept;
    UnixListener& operator=(UnixListener&& other) noexcept;
    UnixListener(const UnixListener&) = delete;
    UnixListener& operator=(const UnixListener&) = delete;
    ~UnixListener();

    [[nodiscard]] const std::string& path() const noexcept { return options_.path; }
    /// -1 after take_fd().
    [[nodiscard]] int fd() const noexcept { return fd_.get(); }
    /// Gives the descriptor to a caller that closes it (uv_pipe_open); the path stays this object's to
    /// remove.
    [[nodiscard]] UniqueFd take_fd() noexcept { return std::move(fd_); }
    /// The same for a descriptor that outlives this process in another one: the path stays.
    [[nodiscard]] UniqueFd leave() noexcept {
        bound_.reset();
        return std::move(fd_);
    }
    /// Whether the path still leads to this socket; false after someone removed or replaced it.
    [[nodiscard]] bool in_place() const noexcept;
    /// Binds anew after the path was lost; fd() is the new socket. A caller that took the old descriptor
    /// closes it.
    [[nodiscard]] Result<void> recreate();

  private:
    struct Identity {
        dev_t device = 0;
        ino_t inode = 0;
    };
    explicit UnixListener(ListenerOptions options) : options_(std::move(options)) {}
    [[nodiscard]] Result<void> bind_and_listen();
    [[nodiscard]] Result<void> set_rights(const std::string& path) const;
    void remove_path() noexcept;

    ListenerOptions options_;
    UniqueFd fd_;
    std::optional<Identity> bound_;
};

}  // namespace vigil::os
