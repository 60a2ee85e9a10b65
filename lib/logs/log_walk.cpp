#include "logs/log_walk.hpp"

#include <algorithm>
#include <cerrno>

namespace vigil::logs {

LogWalk::LogWalk(std::string log_path, Place begin, std::optional<Place> end)
    : log_path_(std::move(log_path)), end_(end), number_(begin.number), offset_(begin.offset) {}

bool LogWalk::ended() const noexcept {
    if (!end_ || number_ < end_->number) return false;
    return number_ > end_->number || (file_ ? file_->offset() : offset_) >= end_->offset;
}

LogWalk::Step LogWalk::next(std::span<char> block) {
    // A bound for a log whose files change faster than they can be opened; the next call goes on.
    for (int tries = 0; tries < 32; ++tries) {
        if (ended()) return {};
        const std::uint64_t number = number_;
        auto step = file_ ? read(block) : open_next();
        if (step) return std::move(*step);
        if (number_ != number) tries = 0;
    }
    return {};
}

std::optional<LogWalk::Step> LogWalk::open_next() {
    auto snapshot = take_snapshot(log_path_);
    if (!snapshot && snapshot.error().code == EAGAIN) return std::nullopt;
    if (!snapshot) return Step{.kind = Step::Kind::unreadable, .error = snapshot.error()};
    const auto part = std::find_if(snapshot->parts.begin(), snapshot->parts.end(),
                                   [this](const Part& p) { return p.number >= number_; });
    return part != snapshot->parts.end() ? open_part(*part) : open_present(*snapshot);
}

std::optional<LogWalk::Step> LogWalk::step_over_gap(std::uint64_t number) {
    const std::uint64_t expected = number_;
    if (number == expected) return std::nullopt;
    number_ = number;
    offset_ = 0;
    // Whoever begins with the oldest misses nothing.
    if (expected == 0 || number < expected) return std::nullopt;
    return Step{.kind = Step::Kind::gap, .files = number - expected};
}

std::optional<LogWalk::Step> LogWalk::open_part(const Part& part) {
    if (auto gap = step_over_gap(part.number)) return gap;
    auto file = LogFile::open(part.path, part.compressed);
    // Compressed or removed since: the next look tells.
    if (!file && file.error().code == ENOENT) return std::nullopt;
    auto skipped = file ? file->skip_to(offset_) : Result<void>(Failure{file.error()});
    if (!skipped) {
        leave();
        return Step{.kind = Step::Kind::unreadable, .error = skipped.error()};
    }
    file_ = std::move(file).value();
    is_present_ = false;
    return std::nullopt;
}

std::optional<LogWalk::Step> LogWalk::open_present(Snapshot& snapshot) {
    if (snapshot.present_fault) return Step{.kind = Step::Kind::unreadable, .error = *snapshot.present_fault};
    if (!snapshot.present) return Step{};
    // Where the files before it are gone, the number found may be too low; what was read is known better.
    if (auto gap = step_over_gap(std::max(number_, snapshot.present_number))) return gap;
    file_ = std::move(snapshot.present);
    is_present_ = true;
    put_aside_ = false;
    // Not skip_to(): a file that is shorter than the place to begin at was truncated.
    if (file_->extent().size < offset_) {
        offset_ = 0;
        return Step{.kind = Step::Kind::truncated};
    }
    (void)file_->skip_to(offset_);
    return std::nullopt;
}

std::optional<LogWalk::Step> LogWalk::read(std::span<char> block) {
    std::size_t most = block.size();
    if (end_ && number_ == end_->number)
        most = static_cast<std::size_t>(std::min<std::uint64_t>(most, end_->offset - file_->offset()));
    auto got = file_->read(block.first(most));
    if (!got) {
        // The present file is the one to read while it has its name, whatever is wrong with it.
        if (!is_present_ || put_aside_) leave();
        return Step{.kind = Step::Kind::unreadable, .error = got.error()};
    }
    if (*got != 0) return Step{.kind = Step::Kind::bytes, .bytes = {block.data(), *got}};
    if (is_present_) return at_end_of_present();
    leave();
    return std::nullopt;
}

std::optional<LogWalk::Step> LogWalk::at_end_of_present() {
    if (put_aside_) {
        settle_number();
        leave();
        return std::nullopt;
    }
    if (file_->extent().size < file_->offset()) {
        file_->rewind();
        return Step{.kind = Step::Kind::truncated};
    }
    const auto named = identity_at(log_path_);
    // While nothing has taken the name the writer may still be at the old file.
    if (!named || *named == file_->identity()) return Step{};
    // What was written between the last read and the change of names is read first.
    put_aside_ = true;
    return std::nullopt;
}

/// The number was foretold; where the file can be seen under its new name, that tells.
void LogWalk::settle_number() {
    auto parts = list_parts(log_path_);
    if (!parts) return;
    for (const Part& part : *parts)
        if (!part.compressed && part.inode == file_->identity().inode) number_ = part.number;
}

void LogWalk::leave() noexcept {
    file_.reset();
    ++number_;
    offset_ = 0;
    is_present_ = false;
    put_aside_ = false;
}

}  // namespace vigil::logs
