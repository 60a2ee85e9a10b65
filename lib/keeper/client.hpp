// Layer keeper. What the daemon says to its keeper.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "keeper/message.hpp"
#include "linux/socket/descriptor_passing.hpp"

namespace vigil::keeper {

using Limit = std::chrono::milliseconds;
inline constexpr Limit kAnswerLimit{2000};

struct Entry {
    std::string key;
    std::vector<UniqueFd> descriptors;  ///< close-on-exec
};

struct Listing {
    std::vector<Entry> entries;  ///< by key
    /// Entries that are not here, since our own table of descriptors is full. The keeper still has them.
    std::size_t cut_short = 0;
    Status status;  ///< as of the end of the list
};

/// One connection. Errors carry an errno; the keeper is gone with EPIPE and ECONNRESET, and was not there
/// with ECONNREFUSED or ENOENT: start another one, and put everything anew.
class Client {
  public:
    /// Waits for the keeper's welcome. EPROTO: it speaks another protocol (only end_at() is left). EPIPE also
    /// for a user whom it does not answer.
    [[nodiscard]] static Result<std::unique_ptr<Client>> connect(const std::string& path,
                                                                 Limit limit = kAnswerLimit);

    // These two may be called by any thread at any time, never wait, and are not answered: one sendmsg(2),
    // after which the descriptors are in the queue of the socket, whatever becomes of this process. Whether
    // the keeper had room for them tells Status::refused. EAGAIN: it does not keep up; ETOOMANYREFS: too many
    // descriptors of this user are on their way. Both pass.

    /// 1 to kMostDescriptors descriptors, which stay the caller's, under a key of 1 to kMostKey bytes (else
    /// EINVAL). An entry of the same key is replaced, unless the keeper has no room for the new one.
    [[nodiscard]] Result<void> put(std::string_view key, std::span<const int> descriptors) const;
    [[nodiscard]] Result<void> drop(std::string_view key) const;

    /// False once the keeper has closed its end.
    [[nodiscard]] bool connected() const noexcept;

    // These wait for the answer, one thread after the other. After ETIMEDOUT, or an answer that makes no
    // sense (EPROTO), the connection is over: every further call gives EPIPE.

    /// Everything that was put by anybody before the call.
    [[nodiscard]] Result<Listing> list(Limit limit);
    [[nodiscard]] Result<Status> status(Limit limit = kAnswerLimit);
    /// The keeper closes everything and ends. Success once it has, or had before; its socket's path is
    /// removed then, unless it is another keeper's by now.
    [[nodiscard]] Result<void> end(Limit limit = kAnswerLimit);

    /// Becomes readable when the connection is over, and while an answer waits for whoever asked.
    [[nodiscard]] int fd() const noexcept { return socket_.get(); }

  private:
    using Clock = std::chrono::steady_clock;
    /// False: no more is to come.
    using Handler = std::function<bool(const Answer&, os::ReceivedPacket&)>;

    Client(UniqueFd socket, std::string path) noexcept : socket_(std::move(socket)), path_(std::move(path)) {}
    friend Result<void> end_at(const std::string& path, Limit limit);
    [[nodiscard]] static Result<std::unique_ptr<Client>> open(const std::string& path, Limit limit);
    /// Removes a socket at which nobody listens.
    [[nodiscard]] static Result<void> remove_stale(const std::string& path, Limit limit);
    [[nodiscard]] Result<void> say(const Request& request, std::span<const int> descriptors,
                                   const char* doing) const;
    [[nodiscard]] Result<void> ask(const Request& request, const char* doing, Limit limit,
                                   const Handler& handle);
    [[nodiscard]] Result<void> take_answers(const char* doing, Clock::time_point until,
                                            const Handler& handle);
    [[nodiscard]] Error failed(const char* doing, int code) const;

    const UniqueFd socket_;  ///< shut down when it is over, closed only with the object: others may use it
    const std::string path_;
    std::mutex asking_;
};

/// Ends the keeper at `path`, of whatever protocol, and removes the path. Success as well where none listens.
[[nodiscard]] Result<void> end_at(const std::string& path, Limit limit = kAnswerLimit);

}  // namespace vigil::keeper
