// Layer daemon. One client of the control socket: lines in, messages out. Bounded in every direction: it
// reads no further while too much is in flight, produces long answers only as the reader drains them, and
// gives up a reader that lets events pile up.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/unique_fd.hpp"
#include "control/carried.hpp"
#include "control/pending_orders.hpp"
#include "control/subscription.hpp"
#include "linux/self/spare_memory.hpp"
#include "linux/socket/peer.hpp"
#include "loop/loop.hpp"
#include "protocol/line_framing.hpp"

namespace vigil::daemon {

inline constexpr std::size_t kMaxRequestsInFlight = 64;
/// Beyond as many bytes that wait to be read no request is taken either.
inline constexpr std::size_t kMaxUnreadAnswers = std::size_t{256} << 10;
/// What a long answer that has not begun counts for there: it knows which tasks it is about.
inline constexpr std::size_t kWeightOfLongAnswer = std::size_t{32} << 10;
inline constexpr std::size_t kMaxUnreadEvents = std::size_t{1} << 20;

/// An answer that is written piece by piece, so that a long one is never held whole.
class LongAnswer {
  public:
    virtual ~LongAnswer() = default;
    /// Appends the next piece, some tens of KiB at most. False: that was the last one.
    virtual bool next(std::string& out) = 0;
};

class Session {
  public:
    /// What a session needs of its server. All may be called from within the session's own calls.
    struct Port {
        std::function<void(Session&, std::string_view line)> request;
        /// A line beyond the limit began; the session ends by itself once the answer to that is written.
        std::function<void(Session&)> line_too_long;
        std::function<void(Session&)>
            over;  ///< called once; the session is destroyed later, not in this call
    };

    Session(Loop& loop, SessionId id, UniqueFd fd, os::Peer peer, Port port);

    [[nodiscard]] SessionId id() const noexcept { return id_; }
    [[nodiscard]] const os::Peer& peer() const noexcept { return peer_; }

    /// A request was taken that will be answered later by answer() or abandon().
    void promise() noexcept { ++promised_; }
    /// The promised answer will not come from elsewhere after all, or no answer is wanted.
    void abandon() noexcept;
    /// Answers that are still to come.
    [[nodiscard]] std::size_t promised() const noexcept { return promised_; }

    /// Queues one message, ended by a newline.
    void send(std::string message);
    void send(std::unique_ptr<LongAnswer> answer);
    /// Queues an event; a reader that has let kMaxUnreadEvents pile up is dropped, and false returned.
    bool send_event(std::string_view message);

    /// Reads no more; ends when everything queued is written.
    void finish();

    Subscription subscription;  ///< see subscribed
    bool subscribed = false;
    bool denial_told = false;  ///< the log knows that it asks for what it may not have

    /// While held no request is taken; what comes waits in the socket.
    void hold(bool held);
    /// As it goes over to another program; nothing of it changes. Long answers are written out first, and one
    /// that has more than `most` bytes to read is dropped, and nothing given.
    [[nodiscard]] std::optional<CarriedSession> carry(std::size_t most);
    /// Goes on as what a predecessor has carried over. No request is taken before hold(false).
    void restore(const CarriedSession& carried);

    /// Nothing asked and nothing awaited: it may be closed when room is needed for another client.
    [[nodiscard]] bool idle() const noexcept {
        return !subscribed && promised_ == 0 && queue_.empty() && out_.empty();
    }
    /// Bytes that were produced and not yet taken by the client; of a long answer, the piece being written.
    [[nodiscard]] std::size_t unread() const noexcept;
    [[nodiscard]] core::TimePoint last_active() const noexcept { return last_active_; }
    /// Since when there is something to read and the client has taken nothing of it; kNever: it has.
    [[nodiscard]] core::TimePoint unread_since() const noexcept { return unread_since_; }
    /// Drops the connection at once.
    void drop();
    /// The same, because there was no memory for what it asked or was to be told.
    void drop_without_memory();
    [[nodiscard]] bool out_of_memory() const noexcept { return out_of_memory_; }

    /// Does what is this client's business alone: without memory for it he is dropped, and that is all. Every
    /// entry into a session goes through here.
    template <typename Business>
    void or_drop(Business business) {
        try {
            const os::spare_memory::Untouched untouched;
            business();
        } catch (const std::bad_alloc&) {
            drop_without_memory();
        }
    }

  private:
    using Message = std::variant<std::string, std::unique_ptr<LongAnswer>>;

    void ready(int events);
    void look(int events);
    void read();
    void take_lines();
    void write();
    /// Makes more of what is queued, until `over` says that there is no time for it.
    template <typename Over>
    bool refill(Over over);
    void queue(std::string message);
    void update_interest();
    [[nodiscard]] bool hung_up() const;
    [[nodiscard]] bool may_take() const noexcept {
        return !finishing_ && !held_ && promised_ + queue_.size() < kMaxRequestsInFlight &&
               unread() + long_answers_ * kWeightOfLongAnswer < kMaxUnreadAnswers;
    }

    SessionId id_;
    UniqueFd fd_;
    os::Peer peer_;
    Port port_;
    protocol::LineReader lines_;
    std::deque<Message> queue_;
    std::size_t queued_bytes_ = 0;  ///< of its texts
    std::size_t long_answers_ = 0;  ///< in it
    std::string out_;               ///< being written, from written_ on
    std::size_t written_ = 0;
    std::size_t event_bytes_ = 0;  ///< of events that were queued while something was unread
    std::size_t promised_ = 0;
    bool finishing_ = false;
    bool held_ = false;
    bool half_closed_ = false;  ///< the client sends no more, but may still read
    bool over_ = false;
    bool out_of_memory_ = false;
    bool taking_ = false;
    bool more_lines_ = false;  ///< has received more requests than are taken at once
    core::TimePoint last_active_;
    core::TimePoint unread_since_ = core::kNever;
    Watch watch_;  // goes before fd_ is closed
};

}  // namespace vigil::daemon
