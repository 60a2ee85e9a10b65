#include "logs/log_start.hpp"

#include <algorithm>
#include <limits>
#include <optional>

#include "logs/log_snapshot.hpp"
#include "logs/log_times.hpp"

namespace vigil::logs {
namespace {

constexpr std::uint64_t kEnd = std::numeric_limits<std::uint64_t>::max();

Result<Snapshot> readable_snapshot(const std::string& log_path) {
    auto snapshot = take_snapshot(log_path);
    if (snapshot && snapshot->present_fault) return Failure{*snapshot->present_fault};
    return snapshot;
}

Place end_of(const Snapshot& snapshot) {
    return {.number = snapshot.present_number,
            .offset = snapshot.present ? snapshot.present->extent().size : 0};
}

/// The next older file at each call. One that became compressed since the snapshot is opened as that.
class Backwards {
  public:
    explicit Backwards(Snapshot& snapshot) : snapshot_(snapshot), left_(snapshot.parts.size()) {}

    struct File {
        LogFile* file;
        std::uint64_t number;
    };
    /// Nothing after the oldest; an error for a part that cannot be read.
    Result<std::optional<File>> next() {
        if (snapshot_.present && !present_given_) {
            present_given_ = true;
            return std::optional<File>({&*snapshot_.present, snapshot_.present_number});
        }
        if (left_ == 0) return std::optional<File>{};
        const Part& part = snapshot_.parts[--left_];
        auto opened = LogFile::open(part.path, part.compressed);
        if (!opened && !part.compressed) opened = LogFile::open(compressed_path(part.path), true);
        if (!opened) return Failure{opened.error()};
        part_ = std::move(opened).value();
        return std::optional<File>({&*part_, part.number});
    }

  private:
    Snapshot& snapshot_;
    std::size_t left_;
    bool present_given_ = false;
    std::optional<LogFile> part_;
};

/// The beginning of the line that byte `place` belongs to, as far as it is in the same file.
Place line_of(Snapshot& snapshot, Place place) {
    if (place.offset == 0) return place;
    Backwards files(snapshot);
    while (true) {
        auto next = files.next();
        if (!next || !*next || (*next)->number < place.number) return place;
        if ((*next)->number != place.number) continue;
        auto newlines = (*next)->file->last_newlines(1, place.offset);
        if (!newlines) return place;
        return {.number = place.number, .offset = newlines->at.empty() ? 0 : newlines->at.front() + 1};
    }
}

}  // namespace

Result<Range> from_oldest(const std::string& log_path) {
    auto snapshot = readable_snapshot(log_path);
    if (!snapshot) return Failure{snapshot.error()};
    return Range{.begin = {}, .end = end_of(*snapshot)};
}

Result<Range> from_last_lines(const std::string& log_path, std::size_t count) {
    auto snapshot = readable_snapshot(log_path);
    if (!snapshot) return Failure{snapshot.error()};
    Range range{.begin = end_of(*snapshot), .end = end_of(*snapshot)};
    if (count == 0) return range;
    std::size_t missing = std::min(count, kMostLines);
    bool last_byte_seen = false;
    Backwards files(*snapshot);
    while (true) {
        auto next = files.next();
        if (!next) return range;
        if (!*next) break;
        const std::uint64_t number = (*next)->number;
        const std::uint64_t end = number == range.end.number ? range.end.offset : kEnd;
        auto newlines = (*next)->file->last_newlines(missing + 1, end);
        if (!newlines) return range;
        range.begin = {.number = number, .offset = 0};
        if (newlines->length == 0) continue;
        auto& at = newlines->at;
        // The newline that ends the log begins no line after it.
        if (!last_byte_seen && !at.empty() && at.front() + 1 == newlines->length) at.erase(at.begin());
        last_byte_seen = true;
        if (at.size() >= missing) {
            range.begin.offset = at[missing - 1] + 1;
            return range;
        }
        missing -= at.size();
    }
    range.begin = {};
    return range;
}

Result<Range> from_time(const std::string& log_path, std::int64_t since) {
    auto snapshot = readable_snapshot(log_path);
    if (!snapshot) return Failure{snapshot.error()};
    auto marks = read_times(times_path(log_path));
    if (!marks) return Failure{marks.error()};
    Range range{.begin = {}, .end = end_of(*snapshot)};
    if (const auto mark = mark_before(*marks, since)) range.begin = {mark->number, mark->offset};
    // A mark may be long before `since` in a log that has been silent; but then its file is unchanged too.
    for (const Part& part : snapshot->parts)
        if (part.number >= range.begin.number && part.changed_at < since)
            range.begin = {.number = part.number + 1, .offset = 0};
    if (snapshot->present && snapshot->present_number >= range.begin.number &&
        snapshot->present->extent().changed_at < since)
        range.begin = range.end;
    else
        range.begin = line_of(*snapshot, range.begin);
    return range;
}

}  // namespace vigil::logs
