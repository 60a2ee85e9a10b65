#include "control/session.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace vigil::daemon {
namespace {

/// Long answers are produced up to here and no further until the reader took some.
constexpr std::size_t kOutputChunk = 64 * 1024;
/// Read in one turn of the loop from one client, so that one cannot starve the others.
constexpr std::size_t kReadChunk = 64 * 1024;
/// Taken in one go from one client: a thousand small requests fit into what is read at once.
constexpr int kMostTaken = 8;
/// Written in one turn of the loop to one client, for the same reason.
constexpr std::size_t kWriteBudget = 512 * 1024;
/// No further request is taken from a client, and no further piece of an answer made for him, when he has had
/// as long: what a request costs depends on what it asks.
constexpr auto kSlice = std::chrono::milliseconds(1);

class Slice {
  public:
    [[nodiscard]] bool over() const noexcept { return std::chrono::steady_clock::now() >= end_; }

  private:
    core::TimePoint end_ = std::chrono::steady_clock::now() + kSlice;
};

}  // namespace

Session::Session(Loop& loop, SessionId id, UniqueFd fd, os::Peer peer, Port port)
    : id_(id),
      fd_(std::move(fd)),
      peer_(std::move(peer)),
      port_(std::move(port)),
      last_active_(std::chrono::steady_clock::now()),
      watch_(
          loop, fd_.get(), [this](int events) { ready(events); }, Lane{peer_.uid}) {
    update_interest();
}

void Session::abandon() noexcept {
    if (promised_ > 0) --promised_;
}

void Session::send(std::string message) {
    if (over_) return;
    or_drop([&] {
        queue(std::move(message));
        write();
    });
}

void Session::queue(std::string message) {
    const std::size_t size = message.size();
    queue_.emplace_back(std::move(message));
    queued_bytes_ += size;
}

void Session::send(std::unique_ptr<LongAnswer> answer) {
    if (over_) return;
    or_drop([&] {
        queue_.emplace_back(std::move(answer));
        ++long_answers_;
        write();
    });
}

bool Session::send_event(std::string_view message) {
    if (over_) return true;
    if (event_bytes_ + message.size() > kMaxUnreadEvents) {
        drop();
        return false;
    }
    event_bytes_ += message.size();
    or_drop([&] {
        // Written when this client has his turn: a thousand changes at once are a thousand appends for each
        // who listens, and not as many system calls in the turn that they are made in.
        auto* const last = queue_.empty() ? nullptr : std::get_if<std::string>(&queue_.back());
        if (last != nullptr && last->size() < kOutputChunk) {
            last->append(message);
            queued_bytes_ += message.size();
        } else {
            queue(std::string(message));
        }
        update_interest();
    });
    return true;
}

std::size_t Session::unread() const noexcept {
    return out_.size() - written_ + queued_bytes_;
}

void Session::finish() {
    if (over_) return;
    finishing_ = true;
    or_drop([&] { write(); });
}

void Session::drop() {
    if (over_) return;
    over_ = true;
    watch_.interest(0);
    port_.over(*this);
}

void Session::drop_without_memory() {
    if (over_) return;
    out_of_memory_ = true;
    drop();
}

void Session::hold(bool held) {
    if (over_ || held_ == held) return;
    held_ = held;
    if (held) return update_interest();
    // Writes what was restored, and takes what was received meanwhile.
    or_drop([&] { write(); });
}

std::optional<CarriedSession> Session::carry(std::size_t most) {
    if (over_) return std::nullopt;
    std::size_t size = out_.size() - written_;
    for (Message& message : queue_) {
        if (auto* const answer = std::get_if<std::unique_ptr<LongAnswer>>(&message)) {
            std::string text;
            while (size + text.size() <= most && (*answer)->next(text)) {
            }
            queued_bytes_ += text.size();
            --long_answers_;
            message = std::move(text);
        }
        size += std::get<std::string>(message).size();
        if (size > most) break;
    }
    if (size > most) {
        drop();
        return std::nullopt;
    }
    CarriedSession carried{.fd = fd_.get(),
                           .received = std::string(lines_.pending()),
                           .unsent = out_.substr(written_),
                           .subscribed = subscribed,
                           .event_patterns = subscription.patterns(),
                           .finishing = finishing_};
    for (const Message& message : queue_) carried.unsent += std::get<std::string>(message);
    return carried;
}

void Session::restore(const CarriedSession& carried) {
    hold(true);
    subscribed = carried.subscribed;
    subscription = Subscription(carried.event_patterns);
    finishing_ = carried.finishing;
    lines_.feed(carried.received);
    if (!carried.unsent.empty()) queue(carried.unsent);
}

void Session::ready(int events) {
    if (!over_) or_drop([&] { look(events); });
}

void Session::look(int events) {
    last_active_ = std::chrono::steady_clock::now();
    if ((events & UV_WRITABLE) != 0) write();
    if (over_) return;
    if ((events & UV_READABLE) != 0 && may_take() && !more_lines_) {
        read();
    } else if ((events & (UV_DISCONNECT | UV_PRIORITIZED)) != 0) {
        if (hung_up()) return drop();
        half_closed_ = true;
        update_interest();
    }
}

void Session::read() {
    std::array<char, kReadChunk> bytes;
    const ssize_t count = ::recv(fd_.get(), bytes.data(), bytes.size(), 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count < 0 || (count == 0 && hung_up())) return drop();
    if (count == 0) {
        // `echo ... | socat` closes its side at once and still reads: what it asked is answered first.
        half_closed_ = true;
        return finish();
    }
    lines_.feed({bytes.data(), static_cast<std::size_t>(count)});
    take_lines();
}

bool Session::hung_up() const {
    pollfd entry{.fd = fd_.get(), .events = 0, .revents = 0};
    return ::poll(&entry, 1, 0) == 1 && (entry.revents & (POLLHUP | POLLERR)) != 0;
}

void Session::take_lines() {
    // A request answered at once writes, and writing takes further lines: one level of it is enough.
    if (taking_) return;
    taking_ = true;
    more_lines_ = false;
    const Slice slice;
    for (int taken = 0; !over_ && may_take(); ++taken) {
        const bool enough = taken == kMostTaken || (taken != 0 && slice.over());
        more_lines_ = enough && lines_.buffered() != 0;
        if (more_lines_) break;
        const auto line = lines_.next();
        if (!line) break;
        port_.request(*this, *line);
    }
    taking_ = false;
    if (over_) return;
    if (!more_lines_ && lines_.too_long() && !finishing_ && may_take()) {
        port_.line_too_long(*this);
        finish();
    }
    if (!over_) update_interest();
}

template <typename Over>
bool Session::refill(Over over) {
    if (written_ < out_.size()) return true;
    out_.clear();
    written_ = 0;
    while (!queue_.empty() && out_.size() < kOutputChunk && (out_.empty() || !over())) {
        Message& front = queue_.front();
        if (auto* text = std::get_if<std::string>(&front)) {
            queued_bytes_ -= text->size();
            out_.append(*text);
        } else if (std::get<std::unique_ptr<LongAnswer>>(front)->next(out_)) {
            continue;
        } else {
            --long_answers_;
        }
        queue_.pop_front();
    }
    if (queue_.empty() && out_.empty()) {
        event_bytes_ = 0;
        out_.shrink_to_fit();
    }
    return !out_.empty();
}

void Session::write() {
    std::size_t budget = kWriteBudget;
    const Slice slice;
    const auto over = [&] { return slice.over(); };
    while (budget != 0 && refill(over)) {
        const ssize_t count = ::send(fd_.get(), out_.data() + written_, out_.size() - written_, MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && errno == EAGAIN) {
            if (unread_since_ == core::kNever) unread_since_ = std::chrono::steady_clock::now();
            break;
        }
        if (count < 0) {
            drop();
            return;
        }
        written_ += static_cast<std::size_t>(count);
        unread_since_ = core::kNever;
        budget -= std::min(budget, static_cast<std::size_t>(count));
        if (written_ == out_.size() && !queue_.empty() && slice.over()) break;
    }
    if (finishing_ && queue_.empty() && out_.empty() && promised_ == 0) {
        drop();
        return;
    }
    if (may_take() && lines_.buffered() != 0) take_lines();
    if (!over_) update_interest();
}

void Session::update_interest() {
    const int reading = may_take() && !more_lines_ ? UV_READABLE : 0;
    // What was received already is gone on with when others had their turn, and answers have room.
    const int writing = queue_.empty() && out_.empty() && !more_lines_ ? 0 : UV_WRITABLE;
    // Even a session that neither reads nor writes at the moment has to learn that its client went away.
    // EPOLLRDHUP stays raised after a half-close and would spin; EPOLLHUP comes unasked, and libuv hands it
    // to any interest.
    watch_.interest(reading | writing | (half_closed_ ? UV_PRIORITIZED : UV_DISCONNECT));
}

}  // namespace vigil::daemon
