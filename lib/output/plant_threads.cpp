// The workers: one log after the other.
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>

#include "base/thread.hpp"
#include "linux/self/spare_memory.hpp"
#include "output/plant.hpp"

namespace vigil::output {

using std::chrono::milliseconds;

Result<void> Plant::start_worker() {
    auto mover = Mover::create(desk_->options().partial_line_after, pipe_budget_, desk_->options().notes);
    if (!mover) return Failure{std::move(mover).error()};
    const std::scoped_lock lock(mutex_);
    workers_.push_back(std::make_unique<Worker>());
    Worker& self = *workers_.back();
    // Started by a thread with the table of the threads, it shares that. Signals are blocked already.
    auto thread = start_thread(
        [plant = shared_from_this(), &self, mover = std::move(*mover)]() mutable {
            plant->work(self, *mover);
            mover.reset();
            const std::scoped_lock ending(plant->mutex_);
            self.gone = true;
            plant->rest_.notify_all();
        },
        "starting a thread for output");
    if (!thread) {
        workers_.pop_back();
        return Failure{thread.error()};
    }
    self.thread = std::move(thread).value();
    ++idle_;
    return {};
}

void Plant::work(Worker& self, Mover& mover) {
    const os::spare_memory::Used used;
    std::unique_lock lock(mutex_);
    for (;;) {
        (void)os::spare_memory::hold();
        work_.wait(lock, [this] { return quit_ || (!resting_ && !queue_.empty()); });
        if (quit_) return;
        const LogPtr log = std::move(queue_.front());
        queue_.pop_front();
        const auto found = seats_.find(log.get());
        if (found == seats_.end()) continue;
        Seat& seat = found->second;
        seat.queued = false;
        seat.running = true;
        self.log = log.get();
        --idle_;
        log->touch();
        const std::vector<StreamPtr> streams = seat.streams;
        const core::SpecPtr spec = seat.spec;
        lock.unlock();
        take_turn(mover, *log, spec, streams);
        lock.lock();
        end_turn(seat, lock);
        self.log = nullptr;
        ++idle_;
        rest_.notify_all();
    }
}

void Plant::take_turn(Mover& mover, Log& log, const core::SpecPtr& spec,
                      const std::vector<StreamPtr>& streams) {
    log.begin_turn(spec);
    // What failed is tried again, and losses are reported, though nothing may come any more.
    if (log.has_trouble()) static_cast<void>(log.writable());
    for (const StreamPtr& stream : streams) serve(mover, log, *stream);
    if (log.is_open()) log.begin_new_file_by_age();
}

void Plant::serve(Mover& mover, Log& log, Stream& stream) {
    // Before it is looked into: what comes later makes it ready again.
    const bool finishing = stream.finishing;
    const bool ready = stream.ready.exchange(false);
    if (!ready && !finishing && stream.partial_due > core::TimePoint::clock::now()) return;
    const Moved moved = mover.move(log, stream);
    if (moved == Moved::more) {
        stream.ready = true;
        return;
    }
    if (moved == Moved::ended) stream.partial_due = core::kNever;
    if (!finishing) {
        const std::scoped_lock lock(log.take);
        if (moved == Moved::ended)
            close_pipe(stream);
        else
            watch_again(stream);
        return;
    }
    std::vector<std::string> last_words;
    if (stream.began) last_words = log.last_words(*stream.began);
    {
        const std::scoped_lock lock(log.take);
        close_pipe(stream);
        if (std::exchange(stream.done, true)) return;
    }
    tell_end(stream, std::move(last_words));
}

/// Called and left with the lock.
void Plant::end_turn(Seat& seat, std::unique_lock<std::mutex>& lock) {
    Log& log = *seat.log;
    if (seat.streams.empty() && log.is_open()) {
        // Closing may wait for the disk as well.
        lock.unlock();
        log.close();
        lock.lock();
    }
    seat.running = false;
    seat.relieved = false;
    TimePoint due = log.due();
    bool again = std::exchange(seat.again, false);
    for (const StreamPtr& stream : seat.streams) {
        again = again || stream->ready;
        due = std::min(due, stream->partial_due);
    }
    if (again) return enqueue(seat);
    if (seat.streams.empty() && (seat.abandoned || !log.failed())) return leave(seat);
    set_due(seat, due);
}

/// Under Log::take.
void Plant::watch_again(Stream& stream) const {
    if (!stream.pipe || stream.formatted()) return;
    epoll_event event{};
    event.events = EPOLLIN | EPOLLONESHOT;
    event.data.u64 = stream.serial;
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, stream.pipe.get(), &event);
}

/// Under Log::take.
void Plant::close_pipe(Stream& stream) {
    if (!stream.pipe) return;
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, stream.pipe.get(), nullptr);
    UniqueFd gone;
    {
        const std::scoped_lock lock(mutex_);
        gone = std::move(stream.pipe);
    }
    // Not under the mutex: it waits for a writer that is held up in the pipe.
    gone.reset();
    if (std::exchange(stream.grown, false)) pipe_budget_.give_back();
}

void Plant::tell_end(Stream& stream, std::vector<std::string> last_words) {
    const std::scoped_lock lock(mutex_);
    streams_.erase(stream.serial);
    Run& run = *stream.run;
    if (const auto found = seats_.find(stream.log.get()); found != seats_.end())
        std::erase_if(found->second.streams, [&](const StreamPtr& one) { return one.get() == &stream; });
    run.last_words[static_cast<std::size_t>(stream.kind)] = std::move(last_words);
    if (--run.open_streams == 0) run_over(run);
}

/// Under mutex_. The run may be gone after it.
void Plant::run_over(const Run& run) {
    desk_->post({run.task, run.generation, join_last_lines(run.last_words[0], run.last_words[1])});
    ::eventfd_write(news_.get(), 1);
    const std::shared_ptr<TallyCell> cell = run.cell;
    const core::TaskId task = run.task;
    runs_.erase({run.task, run.generation});
    if (cell == nullptr) return;
    const auto logs = tasks_.find(task);
    const bool known = logs != tasks_.end() && logs->second.cell == cell;
    // Forgotten before its last run was over.
    if (!known && !has_run(task, cell)) desk_->drop_tally(task, cell);
}

}  // namespace vigil::output
