#include "output/mover.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "output/drain.hpp"
#include "output/retention.hpp"

namespace vigil::output {
namespace {

/// What one stream moves before others get their turn.
constexpr std::size_t kTurnBytes = kBigPipe;
/// A pipe that was found nearly full so often in a row belongs to a fast writer.
constexpr std::uint8_t kFullMoves = 4;

/// What is moved at once stays in the task's pipe until it is written. Of a big pipe it is a part only, so
/// that the task goes on printing meanwhile.
std::size_t most_at_once(const Stream& stream) noexcept {
    return std::max(kDrainBytes, stream.capacity / 4);
}

}  // namespace

PipeBudget::PipeBudget() : left_(1024) {
    std::ifstream limit("/proc/sys/fs/pipe-user-pages-soft");
    long pages = 0;
    // Half of it: the pipes of tasks that are started later are taken from the same. 0: no limit.
    if (limit >> pages && pages > 0)
        left_ = static_cast<int>(pages / 2 * ::sysconf(_SC_PAGESIZE) / static_cast<long>(kBigPipe));
}

bool PipeBudget::take() noexcept {
    if (left_.fetch_sub(1) > 0) return true;
    give_back();
    return false;
}

Result<std::unique_ptr<Mover>> Mover::create(core::Duration partial_line_after, PipeBudget& budget,
                                             std::shared_ptr<TransferNotes> notes) {
    auto transfer = make_pipe();
    if (!transfer) return Failure{std::move(transfer).error()};
    auto scratch = make_pipe();
    if (!scratch) return Failure{std::move(scratch).error()};
    UniqueFd null(::open("/dev/null", O_WRONLY | O_CLOEXEC));
    if (!null) return Failure{errno_error("opening /dev/null")};
    return std::unique_ptr<Mover>(new Mover(partial_line_after, budget, std::move(notes),
                                            std::move(*transfer), std::move(*scratch), std::move(null)));
}

Mover::~Mover() {
    if (note_ != nullptr) notes_->give_back(note_);
}

Moved Mover::move(Log& log, Stream& stream) {
    {
        const std::scoped_lock lock(log.take);
        if (!stream.pipe) return Moved::ended;
        // The log of a task that prints nothing is not even made.
        const bool end = writers_are_gone(stream.pipe.get());
        if (!log.is_open() && bytes_waiting(stream.pipe.get()) == 0) return end ? Moved::ended : Moved::dry;
        if (stream.finishing) limit_what_is_left(stream);
        if (stream.capacity == 0) stream.capacity = capacity_of(stream.pipe.get());
    }
    return stream.formatted() ? move_formatted(log, stream) : move_raw(log, stream);
}

Moved Mover::drop(Log& log, Stream& stream) {
    const std::scoped_lock lock(log.take);
    if (!stream.pipe) return Moved::ended;
    if (TransferNote* const left = std::exchange(stream.left_note, nullptr)) left->end();
    const Drained drained = drain(stream, kTurnBytes, input_);
    log.losses += drained.lost;
    stream.run->cell->dropped(drained.lost);
    return drained.how;
}

Moved Mover::move_raw(Log& log, Stream& stream) {
    for (std::size_t moved = 0; moved < kTurnBytes;) {
        if (!log.writable()) return drop(log, stream);
        if (stream.left_note != nullptr) resume(log, stream);
        if (!stream.began) stream.began = log.here();
        const Taken taken = take_raw(log, stream);
        if (taken.held) continue;
        if (taken.bytes > 0) {
            write_raw(log, stream, taken.bytes);
            moved += taken.bytes;
        }
        if (taken.then_new_file && log.is_open()) log.begin_new_file();
        if (taken.how != Moved::more) return taken.how;
        grow(log, stream, taken.bytes);
    }
    return Moved::more;
}

Mover::Taken Mover::take_raw(Log& log, Stream& stream) {
    const std::uint64_t room = log.room();
    std::size_t most = std::min(transfer_.capacity, most_at_once(stream));
    const bool crossing = room < most;
    const bool at_line_start = crossing && log.size() > 0 && log.at_line_start();
    const std::scoped_lock lock(log.take);
    if (log.held) return {0, false, true, Moved::more};
    if (!stream.pipe) return {0, false, false, Moved::ended};
    most = std::min(most, stream.left.value_or(most));
    if (most == 0) return {0, false, false, Moved::ended};
    Taken taken;
    if (crossing) {
        const auto [bytes, then_new_file] = look_ahead(log, stream, room, at_line_start);
        // Nothing was seen: the call below tells an empty pipe from its end, and may find what came since.
        const bool seen = bytes > 0 || then_new_file;
        most = std::min(most, seen ? bytes : std::max<std::size_t>(1, static_cast<std::size_t>(room)));
        taken.then_new_file = then_new_file && most == bytes;
        if (most == 0) return taken;
    }
    const ssize_t count = ::tee(stream.pipe.get(), transfer_.write.get(), most, SPLICE_F_NONBLOCK);
    if (count > 0) {
        taken.bytes = static_cast<std::size_t>(count);
        taken.then_new_file = taken.then_new_file && taken.bytes == most;
        claim(log, stream, taken.bytes);
        if (stream.left) *stream.left -= taken.bytes;
        return taken;
    }
    if (count < 0 && errno == EINTR) return taken;
    return {0, false, false, count == 0 ? Moved::ended : Moved::dry};
}

std::pair<std::size_t, bool> Mover::look_ahead(Log& log, Stream& stream, std::uint64_t room,
                                               bool at_line_start) {
    const ssize_t count =
        ::tee(stream.pipe.get(), scratch_.write.get(), scratch_.capacity, SPLICE_F_NONBLOCK);
    if (count <= 0) return {0, false};
    const auto waiting = static_cast<std::size_t>(count);
    input_.resize(kDrainBytes);
    LineEnds ends;
    for (std::size_t seen = 0; seen < waiting;) {
        const ssize_t got = ::read(scratch_.read.get(), input_.data(), input_.size());
        if (got <= 0) break;
        const std::string_view text(input_.data(), static_cast<std::size_t>(got));
        if (seen < room) {
            const std::size_t end = text.substr(0, static_cast<std::size_t>(room) - seen).rfind('\n');
            if (end != std::string_view::npos) ends.last_within = seen + end + 1;
        }
        if (!ends.first_after && seen + text.size() > room) {
            const std::size_t from = seen < room ? static_cast<std::size_t>(room) - seen : 0;
            const std::size_t end = text.find('\n', from);
            if (end != std::string_view::npos) ends.first_after = seen + end + 1;
        }
        seen += text.size();
    }
    const Cut cut = choose_cut(ends, waiting, static_cast<std::size_t>(room),
                               static_cast<std::size_t>(log.beyond()), at_line_start);
    return {cut.bytes, cut.then_new_file};
}

void Mover::write_raw(Log& log, Stream& stream, std::size_t bytes) {
    const Written written = log.splice_from(transfer_.read.get(), bytes);
    if (written.bytes > 0) stream.run->cell->wrote(written.bytes);
    Losses lost;
    if (written.bytes < bytes) {
        log.fail(std::string(errno_text(written.error)), written.error);
        lost = empty_transfer(bytes - written.bytes);
        stream.run->cell->dropped(lost);
    }
    const std::scoped_lock lock(log.take);
    log.losses += lost;
    discard_claimed(stream);
}

/// What could not be written is lost, and the next transfer needs an empty pipe.
Losses Mover::empty_transfer(std::size_t left) {
    Losses lost;
    input_.resize(kDrainBytes);
    while (left > 0) {
        const ssize_t count = ::read(transfer_.read.get(), input_.data(), std::min(left, input_.size()));
        if (count <= 0) break;
        lost.add({input_.data(), static_cast<std::size_t>(count)});
        left -= static_cast<std::size_t>(count);
    }
    return lost;
}

void Mover::grow(Log& log, Stream& stream, std::size_t moved) {
    if (stream.capacity >= kBigPipe || stream.full_moves > kFullMoves) return;
    stream.full_moves =
        moved * 4 >= stream.capacity * 3 ? static_cast<std::uint8_t>(stream.full_moves + 1) : std::uint8_t{0};
    if (stream.full_moves < kFullMoves || !budget_.take()) return;
    const std::scoped_lock lock(log.take);
    if (stream.pipe && ::fcntl(stream.pipe.get(), F_SETPIPE_SZ, static_cast<int>(kBigPipe)) > 0) {
        stream.capacity = kBigPipe;
        stream.grown = true;
    } else {
        budget_.give_back();
        stream.full_moves = kFullMoves + 1;  // refused: not asked again
    }
}

}  // namespace vigil::output
