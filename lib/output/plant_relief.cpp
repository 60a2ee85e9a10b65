// What keeps a hung disk from hanging tasks: more workers while there may be, and where those are all held up
// too, the relief, which empties pipes and counts what is lost.
#include <algorithm>

#include "base/thread.hpp"
#include "output/drain.hpp"
#include "output/pipe.hpp"
#include "output/plant.hpp"

namespace vigil::output {
namespace {

/// A worker that did not get on for so long does not count on to take the next log.
constexpr auto kSlow = std::chrono::milliseconds(50);

/// Whether a task's write would find a free page. Writes that do not fit into the rest of a page begin
/// another, so a pipe may be full from a little more than half of its bytes on.
bool has_room(const Stream& stream) noexcept {
    return bytes_waiting(stream.pipe.get()) < capacity_of(stream.pipe.get()) / 2;
}

}  // namespace

/// Under mutex_.
void Plant::look_for_held_up(TimePoint now) {
    const auto limit = desk_->options().stall_limit;
    bool all_slow = idle_ == 0;
    for (const auto& worker : workers_) {
        if (worker->log == nullptr) continue;
        const auto since = now - worker->log->progress();
        all_slow = all_slow && since > kSlow;
        if (since <= limit) continue;
        if (const auto seat = seats_.find(worker->log); seat != seats_.end()) send_relief(seat->second);
    }
    if (!all_slow || queue_.empty()) return;
    if (workers_.size() < std::max(desk_->options().max_threads, desk_->options().threads)) {
        start_one_more_ = true;
        return;
    }
    for (const LogPtr& log : queue_)
        if (const auto seat = seats_.find(log.get()); seat != seats_.end())
            if (now - seat->second.queued_at > limit) send_relief(seat->second);
}

/// Under mutex_.
void Plant::send_relief(Seat& seat) {
    if (std::exchange(seat.in_relief, true)) return;
    if (!relief_ && !start_relief()) {
        seat.in_relief = false;  // the next look tries again
        return;
    }
    relief_queue_.push_back(seat.log);
    relief_work_.notify_one();
}

/// Under mutex_.
bool Plant::start_relief() {
    auto relief = std::make_unique<Worker>();
    auto thread =
        start_thread([plant = shared_from_this(), self = relief.get()] { plant->relieve_all(*self); },
                     "starting a thread for output that is held up");
    if (!thread) return false;
    relief->thread = std::move(thread).value();
    relief_ = std::move(relief);
    return true;
}

void Plant::relieve_all(Worker& self) {
    std::string buffer;
    std::unique_lock lock(mutex_);
    for (;;) {
        relief_work_.wait(lock, [this] { return quit_ || (!resting_ && !relief_queue_.empty()); });
        if (quit_) break;
        const LogPtr log = std::move(relief_queue_.front());
        relief_queue_.pop_front();
        const auto found = seats_.find(log.get());
        if (found == seats_.end()) continue;
        Seat& seat = found->second;
        seat.in_relief = false;
        const auto now = TimePoint::clock::now();
        const auto limit = desk_->options().stall_limit;
        const bool held_up =
            seat.running ? now - log->progress() > limit : seat.queued && now - seat.queued_at > limit;
        if (!held_up) continue;
        seat.relieved = true;
        const std::vector<StreamPtr> streams = seat.streams;
        relieving_ = true;
        lock.unlock();
        relieve(*log, streams, buffer);
        lock.lock();
        relieving_ = false;
        rest_.notify_all();
        // Its losses are to be reported, even if its streams have ended here.
        if (const auto still = seats_.find(log.get()); still != seats_.end() && still->second.running)
            still->second.again = true;
    }
    self.gone = true;
    rest_.notify_all();
}

void Plant::relieve(Log& log, const std::vector<StreamPtr>& streams, std::string& buffer) {
    for (const StreamPtr& stream : streams) {
        // Taken: the worker is held up with the pipe itself, not with the disk.
        std::unique_lock take(log.take, std::try_to_lock);
        if (!take) return;
        if (!stream->pipe) continue;
        const bool finishing = stream->finishing;
        // While the pipe has room the task does not wait, and nothing needs to be lost yet.
        if (!finishing && has_room(*stream)) continue;
        drain_claimed(*stream, buffer);
        if (!finishing && has_room(*stream)) continue;
        if (!std::exchange(log.held, true)) log.hold_up();
        if (finishing) limit_what_is_left(*stream);
        const Drained drained = drain(*stream, kBigPipe, buffer);
        log.losses += drained.lost;
        stream->run->cell->dropped(drained.lost);
        // An end is left to the worker, unless the run waits for it.
        if (drained.how != Moved::ended) watch_again(*stream);
        if (!finishing || drained.how == Moved::more) continue;
        close_pipe(*stream);
        const bool told = std::exchange(stream->done, true);
        take.unlock();
        if (!told) tell_end(*stream, {});
    }
}

}  // namespace vigil::output
