#include "output/plant.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/bounded_wait.hpp"
#include "linux/self/spare_memory.hpp"

namespace vigil::output {
namespace {

using std::chrono::milliseconds;

/// How often is looked for what is held up, while anything is under way.
constexpr auto kLookEvery = milliseconds(50);
constexpr auto kMoveLimitAtEnd = milliseconds(2000);
constexpr auto kEndLimit = milliseconds(500);

/// ThreadSanitizer takes descriptors of the same number for the same, whatever the table.
bool own_table() {
#ifdef __SANITIZE_THREAD__
    return false;
#else
    return ::unshare(CLONE_FILES) == 0;
#endif
}

void close_all_but(std::array<int, 3> kept) {
    std::sort(kept.begin(), kept.end());
    unsigned from = 3;
    for (const int fd : kept) {
        const auto number = static_cast<unsigned>(fd);
        if (number > from) ::close_range(from, number - 1, 0);
        from = std::max(from, number + 1);
    }
    ::close_range(from, ~0U, 0);
}

}  // namespace

Plant::Plant(std::shared_ptr<Desk> desk) : desk_(std::move(desk)) {
    const CollectorOptions& options = desk_->options();
    surroundings_.group = options.group;
    surroundings_.retry_every = options.retry_every;
    surroundings_.say = [this](bool fault, const std::string& text) { say(fault, text); };
    surroundings_.claim = [this](Log& log) { return claim(log); };
}

void Plant::run(const std::shared_ptr<Desk>& desk, std::promise<Result<void>> begun) {
    // What an order has changed halfway, or a line that was moved in part, is not given up for want of
    // memory.
    const os::spare_memory::Used used;
    (void)os::spare_memory::hold();
    {
        const auto plant = std::make_shared<Plant>(desk);
        if (auto ready = plant->set_up(); !ready) {
            plant->wind_up();
            begun.set_value(Failure{ready.error()});
        } else {
            begun.set_value(Result<void>{});
            plant->dispatch();
            plant->wind_up();
        }
    }
    desk->ended();
}

Result<void> Plant::set_up() {
    const bool own = own_table();
    const Desk::Ends ends = desk_->ends();
    const auto copy = [](int fd) { return UniqueFd(::fcntl(fd, F_DUPFD_CLOEXEC, 3)); };
    orders_ = copy(ends.orders);
    wake_ = copy(ends.wake);
    news_ = copy(ends.news);
    if (!orders_ || !wake_ || !news_) return Failure{errno_error("starting the output threads")};
    if (own) close_all_but({orders_.get(), wake_.get(), news_.get()});
    epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
    if (!epoll_) return Failure{errno_error("starting the output threads")};
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = 0;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event) != 0)
        return Failure{errno_error("starting the output threads")};
    for (unsigned i = 0; i < std::max(1U, desk_->options().threads); ++i)
        if (auto started = start_worker(); !started) return started;
    return {};
}

void Plant::say(bool fault, std::string text) {
    desk_->post(Message{fault, std::move(text)});
    ::eventfd_write(news_.get(), 1);
}

void Plant::dispatch() {
    std::array<epoll_event, 128> events;
    while (!stopping_) {
        (void)os::spare_memory::hold();
        const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), tick());
        // Orders first: they were given before what a task printed later.
        const auto is_order = [](const epoll_event& event) { return event.data.u64 == 0; };
        const auto end = events.begin() + std::max(count, 0);
        if (std::any_of(events.begin(), end, is_order)) handle_orders();
        {
            const std::scoped_lock lock(mutex_);
            for (auto event = events.begin(); event != end; ++event)
                if (!is_order(*event)) handle_ready(event->data.u64);
        }
        // Not under the mutex: it makes pipes. What is refused is tried again at the next look.
        if (std::exchange(start_one_more_, false)) {
            [[maybe_unused]] const auto started = start_worker();
        }
    }
}

void Plant::handle_ready(std::uint64_t serial) {
    const auto found = streams_.find(serial);
    if (found == streams_.end()) return;
    found->second->ready = true;
    const auto seat = seats_.find(found->second->log.get());
    if (seat != seats_.end()) enqueue(seat->second);
}

void Plant::enqueue(Seat& seat) {
    if (seat.running) {
        seat.again = true;
    } else if (!seat.queued) {
        seat.queued = true;
        seat.queued_at = TimePoint::clock::now();
        queue_.push_back(seat.log);
        work_.notify_one();
    }
    if (seat.relieved) send_relief(seat);
}

void Plant::set_due(Seat& seat, TimePoint due) {
    if (seat.due != core::kNever) due_.erase({seat.due, seat.log.get()});
    seat.due = due;
    if (due != core::kNever) due_.insert({due, seat.log.get()});
}

/// A log that nobody needs at present.
void Plant::leave(Seat& seat) {
    set_due(seat, core::kNever);
    const Log* log = seat.log.get();
    seats_.erase(log);
}

/// Does what is due, and tells how long nothing will be (milliseconds, -1: without bound).
int Plant::tick() {
    const std::scoped_lock lock(mutex_);
    const TimePoint now = TimePoint::clock::now();
    while (!due_.empty() && due_.begin()->first <= now) {
        Seat& seat = seats_.at(due_.begin()->second);
        set_due(seat, core::kNever);
        enqueue(seat);
    }
    look_for_held_up(now);
    // Whatever a worker finds to be due is known when its turn ends, so before the next look.
    if (!queue_.empty() || idle_ < workers_.size())
        return static_cast<int>(
            std::clamp(desk_->options().stall_limit / 4, milliseconds(1), kLookEvery).count());
    if (due_.empty()) return -1;
    const auto wait = std::chrono::ceil<milliseconds>(due_.begin()->first - now);
    return static_cast<int>(std::min(wait, milliseconds(std::chrono::hours(1))).count());
}

void Plant::wind_up() {
    std::unique_lock lock(mutex_);
    // Those that were told of work while they rested have gone back to sleep.
    resting_ = false;
    work_.notify_all();
    for (auto& [log, seat] : seats_) {
        for (const StreamPtr& stream : seat.streams) stream->ready = true;
        enqueue(seat);
    }
    const auto all_gone = [this] {
        return std::all_of(workers_.begin(), workers_.end(), [](const auto& worker) { return worker->gone; });
    };
    const auto at_rest = [&] {
        return queue_.empty() && std::none_of(workers_.begin(), workers_.end(),
                                              [](const auto& worker) { return worker->log != nullptr; });
    };
    (void)wait_at_most(rest_, lock, kMoveLimitAtEnd, at_rest);
    quit_ = true;
    work_.notify_all();
    relief_work_.notify_all();
    (void)wait_at_most(rest_, lock, kEndLimit, [&] { return all_gone() && (!relief_ || relief_->gone); });
    if (relief_) workers_.push_back(std::move(relief_));
    for (const auto& worker : workers_) {
        const bool gone = worker->gone;
        lock.unlock();
        // One that hangs in a disk keeps this plant for itself.
        if (gone)
            worker->thread.join();
        else
            worker->thread.detach();
        lock.lock();
    }
}

}  // namespace vigil::output
