// What the callers of a collector want of its threads: runs that begin, runs that are over, tasks that are
// gone.
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>

#include "base/bounded_wait.hpp"
#include "linux/socket/descriptor_passing.hpp"
#include "output/plant.hpp"

namespace vigil::output {
namespace {

constexpr std::chrono::milliseconds kRestLimit{500};

}  // namespace

void Plant::handle_orders() {
    eventfd_t count = 0;
    ::eventfd_read(wake_.get(), &count);
    for (Order& order : desk_->take_orders()) {
        switch (order.kind) {
            case Order::Kind::attach: attach(order); break;
            case Order::Kind::finish: finish(order); break;
            case Order::Kind::forget: forget(order); break;
            case Order::Kind::reopen: {
                const std::scoped_lock lock(mutex_);
                for (auto& [log, seat] : seats_) {
                    seat.log->want_reopen();
                    enqueue(seat);
                }
                break;
            }
            case Order::Kind::show: show(order.after); break;
            case Order::Kind::rest: rest(); break;
            case Order::Kind::go_on: {
                const std::scoped_lock lock(mutex_);
                resting_ = false;
                work_.notify_all();
                relief_work_.notify_all();
                break;
            }
            case Order::Kind::stop: stopping_ = true; break;
        }
    }
}

/// One that hangs in a disk is not waited for: what it is writing stays in the task's pipe.
void Plant::rest() {
    std::unique_lock lock(mutex_);
    resting_ = true;
    (void)wait_at_most(rest_, lock, kRestLimit, [this] {
        return !relieving_ && std::none_of(workers_.begin(), workers_.end(),
                                           [](const auto& worker) { return worker->log != nullptr; });
    });
    desk_->rested();
}

/// A packet has a byte for each pipe that was sent with it.
UniqueFd Plant::receive_pipe() {
    if (received_.empty()) {
        std::array<char, os::kMostPassed> bytes;
        auto packet = os::receive_packet(orders_.get(), bytes);
        for (std::size_t i = 0; packet && i < packet->size; ++i)
            received_.push_back(std::move(packet->descriptors[i]));
    }
    if (received_.empty()) return {};
    UniqueFd pipe = std::move(received_.front());
    received_.pop_front();
    return pipe;
}

void Plant::attach(Order& order) {
    Source& source = order.source;
    UniqueFd pipe = receive_pipe();
    if (!pipe)
        return say(true, source.spec->name + ": " + source.path +
                             ": no descriptor is left for its pipe; its output is lost");
    // Our own description of the pipe: the writers do not share it.
    ::fcntl(pipe.get(), F_SETFL, ::fcntl(pipe.get(), F_GETFL) | O_NONBLOCK);
    const std::scoped_lock lock(mutex_);
    TaskLogs& logs = tasks_[source.task];
    if (logs.cell != order.cell) logs = {order.cell, {}};
    auto& run = runs_[{source.task, source.generation}];
    if (!run) run = std::make_shared<Run>(Run{source.task, source.generation, order.cell, {}, 0, false, {}});
    ++run->open_streams;

    auto stream = std::make_shared<Stream>();
    stream->serial = ++last_serial_;
    stream->run = run;
    stream->log = log_for(source, logs);
    stream->spec = std::move(source.spec);
    stream->kind = source.stream;
    stream->pid = source.pid;
    struct stat found {};
    if (::fstat(pipe.get(), &found) == 0) stream->inode = found.st_ino;
    if (const auto& notes = desk_->options().notes) stream->left_note = notes->left(stream->inode);
    stream->pipe = std::move(pipe);
    stream->log->set_cell(order.cell);
    Seat& seat = seats_[stream->log.get()];
    seat.log = stream->log;
    seat.spec = stream->spec;
    seat.abandoned = false;
    seat.streams.push_back(stream);
    run->streams.push_back(stream);
    streams_[stream->serial] = stream;
    watch(*stream);
}

/// Raw: again and again while there is something, but not while a worker is at it. Formatted: only when more
/// came, since an unfinished line stays in the pipe.
void Plant::watch(const Stream& stream) {
    epoll_event event{};
    event.events = stream.formatted() ? EPOLLIN | EPOLLET : EPOLLIN | EPOLLONESHOT;
    event.data.u64 = stream.serial;
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, stream.pipe.get(), &event) != 0)
        say(true, stream.spec->name +
                      ": its output is read only at its end: " + errno_error("watching a pipe").text());
}

/// Sent again from this place when there is room: the callers ask when they have seen to these.
void Plant::show(std::uint64_t after) {
    Showing showing{.up_to = after, .all = true};
    {
        const std::scoped_lock lock(mutex_);
        std::size_t count = 0;
        for (auto at = streams_.upper_bound(after); at != streams_.end(); ++at) {
            if (at->second->pipe && (++count > kShownAtOnce || !show_one(*at->second))) {
                showing.all = false;
                break;
            }
            showing.up_to = at->first;
        }
    }
    desk_->post(showing);
    ::eventfd_write(news_.get(), 1);
}

/// Under mutex_. False: not now.
bool Plant::show_one(const Stream& stream) const {
    const int pipe = stream.pipe.get();
    const std::string label = Desk::label_of({.number = stream.serial,
                                              .task = stream.spec->name,
                                              .generation = stream.run->generation,
                                              .stream = stream.kind,
                                              .pipe = {}});
    const auto sent = os::send_packet(orders_.get(), label, {&pipe, 1});
    return sent || (sent.error() != EAGAIN && sent.error() != ETOOMANYREFS && sent.error() != ENOBUFS);
}

Plant::LogPtr Plant::log_for(const Source& source, TaskLogs& logs) {
    LogPtr& mine = logs.logs[static_cast<std::size_t>(source.stream)];
    const std::string path = std::filesystem::path(source.path).lexically_normal().string();
    if (mine && mine->path() == path) return mine;
    // The same task may be back under its name (removed and added) while an old run of it still ends.
    if (const auto found = by_path_.find(path); found != by_path_.end())
        if (LogPtr there = found->second.lock(); there && there->owner() == source.spec->name)
            return mine = std::move(there);
    mine = std::make_shared<Log>(path, source.stream, source.spec, surroundings_);
    by_path_.try_emplace(path, mine);
    return mine;
}

std::string Plant::claim(Log& log) {
    const std::scoped_lock lock(mutex_);
    auto& holder = by_path_[log.path()];
    if (const LogPtr other = holder.lock(); other && other.get() != &log) return other->owner();
    const auto seat = seats_.find(&log);
    if (seat != seats_.end()) holder = seat->second.log;
    return {};
}

void Plant::finish(const Order& order) {
    const std::scoped_lock lock(mutex_);
    const auto found = runs_.find({order.task, order.generation});
    if (found == runs_.end()) return run_over(Run{order.task, order.generation, nullptr, {}, 0, true, {}});
    Run& run = *found->second;
    if (std::exchange(run.finishing, true)) return;
    if (run.open_streams == 0) return run_over(run);
    for (const auto& weak : run.streams)
        if (const StreamPtr stream = weak.lock()) {
            stream->finishing = true;
            const auto seat = seats_.find(stream->log.get());
            if (seat != seats_.end()) enqueue(seat->second);
        }
}

void Plant::forget(const Order& order) {
    const std::scoped_lock lock(mutex_);
    const auto found = tasks_.find(order.task);
    if (found != tasks_.end() && found->second.cell == order.cell) {
        for (const LogPtr& log : found->second.logs)
            if (const auto seat = seats_.find(log.get()); seat != seats_.end()) {
                seat->second.abandoned = true;
                enqueue(seat->second);
            }
        tasks_.erase(found);
    }
    if (by_path_.size() > 2 * tasks_.size() + 64)
        std::erase_if(by_path_, [](const auto& entry) { return entry.second.expired(); });
    if (!has_run(order.task, order.cell)) desk_->drop_tally(order.task, order.cell);
}

bool Plant::has_run(core::TaskId task, const std::shared_ptr<TallyCell>& cell) const {
    for (auto run = runs_.lower_bound({task, core::Generation{}}); run != runs_.end(); ++run) {
        if (run->first.first != task) break;
        if (run->second->cell == cell) return true;
    }
    return false;
}

}  // namespace vigil::output
