#include "logs/log_follower.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace vigil::logs {

LogFollower::LogFollower(std::string log_path, Place begin, std::optional<Place> end)
    : walk_(std::move(log_path), begin, end) {}

LogFollower::Batch LogFollower::poll(TimePoint now) {
    using Kind = LogWalk::Step::Kind;
    Batch batch;
    std::array<char, std::size_t{64} * 1024> block;
    std::size_t taken = 0;
    while (taken < kPollBytes) {
        LogWalk::Step step = walk_.next(block);
        if (step.kind == Kind::bytes) {
            last_fault_.clear();
            taken += step.bytes.size();
            take(step.bytes, now, batch.items);
            continue;
        }
        if (step.kind != Kind::nothing) batch.more = give_note(std::move(step), batch.items);
        if (!batch.more && !unfinished_.empty() && now - unfinished_since_ >= kUnfinishedAfter)
            give_unfinished(batch.items);
        return batch;
    }
    batch.more = true;
    return batch;
}

std::optional<LogItem> LogFollower::finish() {
    if (unfinished_.empty()) return std::nullopt;
    return LogItem{.text = std::exchange(unfinished_, {}), .cut = true};
}

void LogFollower::take(std::string_view bytes, TimePoint now, std::vector<LogItem>& out) {
    while (!bytes.empty()) {
        const std::size_t room = kMostLineBytes - unfinished_.size();
        const std::size_t newline = bytes.find('\n');
        const bool whole = newline != std::string_view::npos && newline <= room;
        const std::size_t length = whole ? newline : std::min(bytes.size(), room);
        if (unfinished_.empty()) unfinished_since_ = now;
        unfinished_.append(bytes.substr(0, length));
        bytes.remove_prefix(length);
        if (whole) {
            bytes.remove_prefix(1);
            out.push_back({.text = std::exchange(unfinished_, {})});
        } else if (!bytes.empty()) {
            give_unfinished(out);
        }
    }
}

void LogFollower::give_unfinished(std::vector<LogItem>& out) {
    if (auto item = finish()) out.push_back(std::move(*item));
}

bool LogFollower::give_note(LogWalk::Step step, std::vector<LogItem>& out) {
    using Kind = LogWalk::Step::Kind;
    // What comes after does not continue the line before.
    give_unfinished(out);
    switch (step.kind) {
        case Kind::bytes:
        case Kind::nothing: return false;
        case Kind::gap: out.push_back({.kind = LogItem::Kind::gap, .files = step.files}); return true;
        case Kind::truncated: out.push_back({.kind = LogItem::Kind::truncated}); return true;
        case Kind::unreadable: break;
    }
    // After a part the next file may be read; what fails twice in the same way is no part.
    std::string text = step.error.text();
    if (text == last_fault_) return false;
    last_fault_ = std::move(text);
    out.push_back({.kind = LogItem::Kind::unreadable, .error = std::move(step.error)});
    return true;
}

}  // namespace vigil::logs
