// Layer linux. The tasks' ends of the heartbeat wire: a datagram socket with credentials, or a pipe of lines.
// Bytes and senders only; what they say is for the protocol layer.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/function_ref.hpp"
#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "core/spec.hpp"

namespace vigil::os {

/// A longer message is dropped.
inline constexpr std::size_t kMaxNotifyMessage = 4096;

/// A bound datagram socket, whose path is removed with it. The kernel knows the path; it is held nowhere
/// else.
class NotifySocket {
  public:
    /// Binds a socket of mode 0666 under an unguessable name in `directory`, which only the daemon may write
    /// to. It is non-blocking, close-on-exec and asks for credentials. Thread-safe.
    [[nodiscard]] static Result<NotifySocket> create(const std::string& directory);

    /// The socket of a run that a predecessor started, which somebody has held since. Where `held` is empty,
    /// a new one at the same path: a sender that is connected to the lost one has to connect anew.
    [[nodiscard]] static Result<NotifySocket> adopt(UniqueFd held, const std::string& path);
    /// The path that a socket was bound to; empty for what is no such socket.
    [[nodiscard]] static std::string path_of(int fd);

    NotifySocket() = default;
    NotifySocket(NotifySocket&&) noexcept = default;
    NotifySocket& operator=(NotifySocket&& other) noexcept;
    NotifySocket(const NotifySocket&) = delete;
    NotifySocket& operator=(const NotifySocket&) = delete;
    /// Removes the path and closes. Call WatchSet::remove first.
    ~NotifySocket();

    [[nodiscard]] int fd() const noexcept { return fd_.get(); }
    [[nodiscard]] std::string path() const { return path_of(fd_.get()); }
    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(fd_); }

  private:
    explicit NotifySocket(UniqueFd fd) noexcept : fd_(std::move(fd)) {}
    [[nodiscard]] static Result<NotifySocket> bind_at(const std::string& path);
    void remove() noexcept;

    UniqueFd fd_;
};

struct NotifyMessage {
    std::string_view text;  ///< 0..kMaxNotifyMessage raw bytes, valid during the call only
    pid_t pid = 0;          ///< of the sender; 0 where it has none in our pid namespace
    uid_t uid = 0;
    std::size_t descriptors =
        0;  ///< how many came with it; closed right after the call, which is what BARRIER=1 waits for
};

/// What one look at a socket brought.
struct NotifyCount {
    std::size_t handed_out = 0;
    std::size_t too_long = 0;  ///< dropped for their length
    std::size_t dropped = 0;   ///< dropped since control data was cut off, or for want of credentials
    bool more = false;         ///< the bound was reached; there may be more
};

/// Reads any notify socket; one for all of them, since it holds the buffers (about 100 KiB). Not thread-safe.
class NotifyReceiver {
  public:
    NotifyReceiver();
    ~NotifyReceiver();
    NotifyReceiver(const NotifyReceiver&) = delete;
    NotifyReceiver& operator=(const NotifyReceiver&) = delete;

    /// Hands out what is queued, at most `max` datagrams. Nothing that arrives can fail: an empty datagram is
    /// a message, a bad one is counted. `handle` must neither throw nor call receive().
    NotifyCount receive(int fd, std::size_t max, FunctionRef<void(const NotifyMessage&)> handle);

  private:
    struct Buffers;
    std::unique_ptr<Buffers> buffers_;
};

/// Who counts as the task (design of HeartbeatAccess): the run it is checked against.
struct RunIdentity {
    pid_t main_pid = 0;  ///< as notified or spawned
    pid_t leader = 0;    ///< leader of the run's session and process group
    uid_t uid = 0;       ///< the task's configured user
};

/// Whether a message from `pid`, `uid` counts. The main process is recognised without a system call; else
/// getpgid(2) and getsid(2) decide under `group`. A sender that is gone already counts if its uid is the
/// task's: a short-lived systemd-notify has often ended before its message is read.
[[nodiscard]] bool sender_belongs(pid_t pid, uid_t uid, const RunIdentity& run,
                                  core::HeartbeatAccess access) noexcept;

/// Whether `pid` is a process of the session or process group that `leader` leads, at this moment.
[[nodiscard]] bool in_session_of(pid_t leader, pid_t pid) noexcept;

/// What one read of a VIGIL_HEARTBEAT_FD pipe brought.
struct PipeRead {
    std::size_t size = 0;  ///< less than there was room for: nothing was left
    bool ended = false;    ///< every writer is gone: take it from the WatchSet, or it spins
};
/// One read of the read end, which must be non-blocking. What the bytes say is for the protocol layer.
[[nodiscard]] PipeRead read_heartbeat_pipe(int fd, std::span<char> bytes) noexcept;

}  // namespace vigil::os
