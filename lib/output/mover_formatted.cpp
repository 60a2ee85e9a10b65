// Lines with a time. They stay in the task's pipe until they are in the log: looked at through tee(2), and
// discarded only then, so that a daemon that is killed in between leaves them to the next one.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "output/drain.hpp"
#include "output/line_format.hpp"
#include "output/mover.hpp"

namespace vigil::output {
namespace {

constexpr std::size_t kTurnBytes = std::size_t{512} << 10U;
/// Short lines grow to many times their length.
constexpr std::size_t kMostOutput = std::size_t{256} << 10U;

Unended what_of_unended(const Stream& stream, bool nothing_follows, std::size_t seen) {
    if (nothing_follows && seen < kDrainBytes) return Unended::whole;
    return core::TimePoint::clock::now() >= stream.partial_due ? Unended::partly : Unended::wait;
}

}  // namespace

Moved Mover::move_formatted(Log& log, Stream& stream) {
    for (std::size_t moved = 0; moved < kTurnBytes;) {
        if (!log.writable()) return drop(log, stream);
        if (stream.left_note != nullptr) resume(log, stream);
        if (!stream.began) stream.began = log.here();
        const Lines lines = take_lines(log, stream);
        if (lines.held) continue;
        if (lines.consumed > 0) write_lines(log, stream, lines.consumed);
        moved += lines.consumed;
        if (lines.new_file && log.is_open()) log.begin_new_file();
        if (lines.consumed > 0) stream.partial_due = core::kNever;
        if (lines.how != Moved::more) return lines.how;
        if (lines.consumed > 0 || lines.new_file) continue;
        // Only the beginning of a line waits.
        if (stream.partial_due == core::kNever)
            stream.partial_due = core::TimePoint::clock::now() + partial_line_after_;
        return Moved::dry;
    }
    return Moved::more;
}

Mover::Lines Mover::take_lines(Log& log, Stream& stream) {
    const std::uint64_t room = log.room();
    const std::uint64_t size = log.size();
    output_.clear();
    const std::scoped_lock lock(log.take);
    if (log.held) return {0, false, true, Moved::more};
    if (!stream.pipe || stream.left == 0) return {0, false, false, Moved::ended};
    const bool nothing_follows = stream.finishing || writers_are_gone(stream.pipe.get());
    const ssize_t count = ::tee(stream.pipe.get(), scratch_.write.get(),
                                std::min(kDrainBytes, scratch_.capacity), SPLICE_F_NONBLOCK);
    if (count <= 0) return {0, false, false, count == 0 ? Moved::ended : Moved::dry};
    input_.resize(static_cast<std::size_t>(count));
    std::size_t seen = 0;
    while (seen < input_.size()) {
        const ssize_t got = ::read(scratch_.read.get(), input_.data() + seen, input_.size() - seen);
        if (got <= 0) break;
        seen += static_cast<std::size_t>(got);
    }
    const std::string_view input(input_.data(), seen);
    const Unended unended = what_of_unended(stream, nothing_follows, seen);
    const Speaker speaker{stream.spec->name, stream.pid,
                          stream.kind == core::OutputStream::out ? "out" : "err"};
    const std::string time = time_text(wall_now());
    Lines lines;
    while (const auto piece = next_piece(input.substr(lines.consumed), unended)) {
        const std::size_t before = output_.size();
        append_line(output_, stream.spec->launch->output.format, speaker, time, *piece);
        if (output_.size() > room && size + before > 0) {
            output_.resize(before);
            lines.new_file = true;
            break;
        }
        lines.consumed += piece->consumed;
        if (output_.size() >= kMostOutput) break;
    }
    if (lines.consumed > 0) claim(log, stream, lines.consumed);
    if (stream.left) *stream.left -= std::min(*stream.left, lines.consumed);
    return lines;
}

void Mover::write_lines(Log& log, Stream& stream, std::size_t consumed) {
    const std::uint64_t before = log.size();
    const Written written = log.write(output_);
    std::size_t done = consumed;
    Losses lost;
    if (written.error != 0) {
        // Whole lines only: the torn one is taken back, and counts as lost with those after it.
        const std::string_view put(output_.data(), written.bytes);
        const auto whole = std::count(put.begin(), put.end(), '\n');
        const std::size_t end = put.rfind('\n');
        log.cut_back_to(before + (end == std::string_view::npos ? 0 : end + 1));
        log.fail(std::string(errno_text(written.error)), written.error);
        const std::string_view input(input_.data(), consumed);
        done = 0;
        for (auto i = whole; i > 0; --i)
            if (const auto piece = next_piece(input.substr(done), Unended::whole)) done += piece->consumed;
        lost.add(input.substr(done));
        stream.run->cell->dropped(lost);
    }
    if (done > 0) stream.run->cell->wrote(done);
    const std::scoped_lock lock(log.take);
    log.losses += lost;
    discard_claimed(stream);
}

/// Under Log::take.
void Mover::claim(const Log& log, Stream& stream, std::size_t bytes) const {
    stream.claimed = static_cast<std::uint32_t>(bytes);
    stream.note = note_;
    if (note_ != nullptr) note_->begin(stream.inode, log.file(), log.size(), bytes);
}

/// What a daemon before this one was writing when it was killed is all in the pipe yet, and the log has a
/// part of it.
void Mover::resume(Log& log, Stream& stream) const {
    TransferNote* const left = std::exchange(stream.left_note, nullptr);
    const std::uint64_t size = log.size();
    const bool same = log.file() == std::pair<dev_t, ino_t>(left->device, left->inode) && size > left->before;
    // Lines that were formatted cannot be told apart from those to come: all are written again.
    if (same && stream.formatted()) log.cut_back_to(left->before);
    const std::scoped_lock lock(log.take);
    if (same && !stream.formatted())
        stream.claimed =
            static_cast<std::uint32_t>(std::min<std::uint64_t>(size - left->before, left->bytes));
    // Before anything leaves the pipe, as everywhere: a kill in between writes twice rather than not at all.
    left->end();
    discard_claimed(stream);
}

/// Under Log::take.
void Mover::discard_claimed(Stream& stream) const {
    end_note(stream);
    while (stream.claimed > 0 && stream.pipe) {
        const ssize_t count = ::splice(stream.pipe.get(), nullptr, null_.get(), nullptr, stream.claimed,
                                       SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break;
        stream.claimed -= static_cast<std::uint32_t>(count);
    }
    stream.claimed = 0;
}

}  // namespace vigil::output
