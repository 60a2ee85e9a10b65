#include "output/desk.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <utility>

#include "base/bounded_wait.hpp"
#include "linux/socket/descriptor_passing.hpp"

namespace vigil::output {
namespace {

using std::chrono::steady_clock;

/// How long a pipe may wait for the threads to take those before it. They are never held up for so long
/// unless the machine is.
constexpr auto kHandOverLimit = std::chrono::milliseconds(1000);

/// Of a label; the task's name follows.
struct LabelHead {
    std::uint64_t number = 0;
    std::uint64_t generation = 0;
    std::uint64_t stream = 0;
};
constexpr std::size_t kMostName = 256;

}  // namespace

Result<std::shared_ptr<Desk>> Desk::create(CollectorOptions options) {
    const std::shared_ptr<Desk> desk(new Desk(std::move(options)));
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
        return Failure{errno_error("making the socket of the output threads")};
    desk->socket_.reset(ends[0]);
    desk->socket_theirs_.reset(ends[1]);
    desk->wake_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    desk->news_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!desk->wake_ || !desk->news_) return Failure{errno_error("making the events of the output threads")};
    return desk;
}

/// A byte for each pipe: a receiver whose table is full gets fewer descriptors, and is to know how many are
/// missing.
Result<void> Desk::send(std::span<const int> pipes) {
    const std::string bytes(pipes.size(), 'p');
    for (const auto limit = steady_clock::now() + kHandOverLimit;;) {
        const auto sent = os::send_packet(socket_.get(), bytes, pipes);
        if (sent) return {};
        const int why = sent.error();
        const bool passes = why == EAGAIN || why == ETOOMANYREFS || why == ENOBUFS;
        if (!passes || steady_clock::now() > limit)
            return Failure{Error{"handing a pipe to the output threads", why}};
        // While they are held they have not heard that there is something to take.
        ::eventfd_write(wake_.get(), 1);
        pollfd writable{socket_.get(), POLLOUT, 0};
        ::poll(why == EAGAIN ? &writable : nullptr, why == EAGAIN ? 1 : 0, 5);
    }
}

Result<void> Desk::attach(Source source) {
    // Closed here, in the table that it is of, whatever comes of it.
    UniqueFd pipe = std::move(source.pipe);
    const std::scoped_lock giving(give_mutex_);
    if (const int one = pipe.get(); !held_)
        if (auto sent = send({&one, 1}); !sent) return sent;
    Order order{Order::Kind::attach, source.task, source.generation, {}, {}};
    {
        const std::scoped_lock lock(mutex_);
        Entry& entry = cells_[source.task];
        if (entry.cell == nullptr || entry.forgotten) entry = {std::make_shared<TallyCell>(), false};
        order.cell = entry.cell;
    }
    order.source = std::move(source);
    if (!held_) {
        give(std::move(order));
        return {};
    }
    gathered_pipes_.push_back(std::move(pipe));
    gathered_.push_back(std::move(order));
    if (gathered_.size() == os::kMostPassed) give_gathered();
    return {};
}

void Desk::hold(bool held) {
    const std::scoped_lock giving(give_mutex_);
    give_gathered();
    if (std::exchange(held_, held) && !held) ::eventfd_write(wake_.get(), 1);
}

void Desk::give(Order order) {
    {
        const std::scoped_lock lock(mutex_);
        orders_.push_back(std::move(order));
    }
    if (!held_) ::eventfd_write(wake_.get(), 1);
}

void Desk::give_gathered() {
    if (gathered_.empty()) return;
    std::array<int, os::kMostPassed> pipes{};
    std::transform(gathered_pipes_.begin(), gathered_pipes_.end(), pipes.begin(),
                   [](const UniqueFd& pipe) { return pipe.get(); });
    const auto sent = send({pipes.data(), gathered_pipes_.size()});
    for (Order& order : gathered_) {
        if (sent)
            give(std::move(order));
        else
            post(Message{true, order.source.spec->name + ": its output is lost: " + sent.error().text()});
    }
    if (!sent) ::eventfd_write(news_.get(), 1);
    gathered_.clear();
    gathered_pipes_.clear();
}

void Desk::order(Order::Kind kind, core::TaskId task, core::Generation generation) {
    const std::scoped_lock giving(give_mutex_);
    give_gathered();
    if (kind == Order::Kind::rest || kind == Order::Kind::stop) held_ = false;
    Order order{kind, task, generation, {}, {}};
    if (kind == Order::Kind::forget) {
        const std::scoped_lock lock(mutex_);
        const auto found = cells_.find(task);
        if (found == cells_.end()) return;
        found->second.forgotten = true;
        order.cell = found->second.cell;
    }
    give(std::move(order));
}

void Desk::show_pipes(std::uint64_t after) {
    const std::scoped_lock giving(give_mutex_);
    give_gathered();
    Order order{Order::Kind::show, {}, {}, {}, {}};
    order.after = after;
    give(std::move(order));
}

Tally Desk::tally(core::TaskId task) const {
    std::shared_ptr<TallyCell> cell;
    {
        const std::scoped_lock lock(mutex_);
        const auto found = cells_.find(task);
        if (found == cells_.end()) return {};
        cell = found->second.cell;
    }
    return cell->read();
}

void Desk::take_news(News& out) {
    eventfd_t count = 0;
    ::eventfd_read(news_.get(), &count);
    {
        const std::scoped_lock lock(mutex_);
        if (waiting_.showing) out.showing = waiting_.showing;
        std::move(waiting_.last_words.begin(), waiting_.last_words.end(), std::back_inserter(out.last_words));
        std::move(waiting_.messages.begin(), waiting_.messages.end(), std::back_inserter(out.messages));
        waiting_ = {};
    }
    // After the reports, so that what was shown before one of them comes with it and not later.
    receive_shown(out);
}

void Desk::receive_shown(News& out) {
    std::array<char, sizeof(LabelHead) + kMostName> room;
    for (std::size_t i = 0; i < kShownAtOnce; ++i) {
        auto packet = os::receive_packet(socket_.get(), room);
        if (!packet || packet->size < sizeof(LabelHead)) return;
        LabelHead head;
        std::memcpy(&head, room.data(), sizeof head);
        ShownPipe shown{.number = head.number,
                        .task = std::string(room.data() + sizeof head, packet->size - sizeof head),
                        .generation = core::Generation{head.generation},
                        .stream = core::OutputStream{static_cast<std::uint8_t>(head.stream)},
                        .pipe = std::move(packet->descriptors[0])};
        if (shown.pipe)
            out.shown.push_back(std::move(shown));
        else
            out.messages.push_back({true, shown.task + ": no descriptor is left to show its pipe"});
    }
}

std::string Desk::label_of(const ShownPipe& pipe) {
    const LabelHead head{pipe.number, static_cast<std::uint64_t>(pipe.generation),
                         static_cast<std::uint64_t>(pipe.stream)};
    std::string label(sizeof head, '\0');
    std::memcpy(label.data(), &head, sizeof head);
    return label.append(pipe.task, 0, kMostName);
}

bool Desk::rest(std::chrono::milliseconds limit) {
    order(Order::Kind::rest);
    std::unique_lock lock(mutex_);
    return wait_at_most(end_, lock, limit, [this] { return rested_; });
}

void Desk::go_on() {
    order(Order::Kind::go_on);
    const std::scoped_lock lock(mutex_);
    rested_ = false;
}

bool Desk::wait_for_end(std::chrono::milliseconds limit) {
    std::unique_lock lock(mutex_);
    return wait_at_most(end_, lock, limit, [this] { return ended_; });
}

void Desk::close() {
    socket_.reset();
    socket_theirs_.reset();
    wake_.reset();
    news_.reset();
}

std::deque<Order> Desk::take_orders() {
    const std::scoped_lock lock(mutex_);
    return std::exchange(orders_, {});
}

void Desk::post(LastWords words) {
    const std::scoped_lock lock(mutex_);
    waiting_.last_words.push_back(std::move(words));
}

void Desk::post(Message message) {
    const std::scoped_lock lock(mutex_);
    waiting_.messages.push_back(std::move(message));
}

void Desk::post(Showing showing) {
    const std::scoped_lock lock(mutex_);
    waiting_.showing = showing;
}

void Desk::drop_tally(core::TaskId task, const std::shared_ptr<TallyCell>& cell) {
    const std::scoped_lock lock(mutex_);
    const auto found = cells_.find(task);
    if (found != cells_.end() && found->second.cell == cell) cells_.erase(found);
}

void Desk::rested() {
    const std::scoped_lock lock(mutex_);
    rested_ = true;
    end_.notify_all();
}

void Desk::ended() {
    const std::scoped_lock lock(mutex_);
    ended_ = true;
    end_.notify_all();
}

}  // namespace vigil::output
