// Any bytes as the files of a log: one put aside, the present one, one that claims to be compressed, and the
// time index. Read from the beginning, by lines and by times: reading ends, and gives what the plain files
// hold.
//
// The first four bytes say which files there are, how many lines are asked for, and where the rest is cut.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.hpp"
#include "logs/log_follower.hpp"
#include "logs/log_name.hpp"
#include "logs/log_start.hpp"
#include "logs/log_times.hpp"

namespace {

using namespace vigil;
using namespace vigil::logs;

void check(bool holds) {
    if (!holds) std::abort();
}

/// In memory where that is possible.
class Directory {
  public:
    Directory() {
        if (::mkdtemp(path_.data()) != nullptr) return;
        path_ = "/tmp/vigil-fuzz-XXXXXX";
        check(::mkdtemp(path_.data()) != nullptr);
    }
    ~Directory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;
    [[nodiscard]] std::string log() const { return path_ + "/api.log"; }

  private:
    std::string path_ = "/dev/shm/vigil-fuzz-XXXXXX";
};

void put(const std::string& path, std::optional<std::string_view> bytes) {
    if (!bytes) {
        ::unlink(path.c_str());
        return;
    }
    const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    check(::write(fd.get(), bytes->data(), bytes->size()) == static_cast<ssize_t>(bytes->size()));
}

struct Reading {
    std::string text;  ///< of all lines, with a newline each but for a cut one
    std::size_t lines = 0;
    bool faults = false;  ///< something could not be read, or became shorter
    /// Files were missed. An index that is damaged may say so of files that never were; the line that goes on
    /// after it then counts twice.
    bool gap = false;
};

Reading read(const std::string& log, const Range& range) {
    Reading reading;
    LogFollower follower(log, range.begin, range.end);
    const auto take = [&](const LogItem& item) {
        if (item.kind != LogItem::Kind::line) {
            (item.kind == LogItem::Kind::gap ? reading.gap : reading.faults) = true;
            return;
        }
        reading.text += item.text;
        if (!item.cut) reading.text += '\n';
        ++reading.lines;
    };
    for (int polls = 0;; ++polls) {
        check(polls < 1000);
        const LogFollower::Batch batch = follower.poll({});
        std::for_each(batch.items.begin(), batch.items.end(), take);
        if (!batch.more) break;
    }
    if (const auto rest = follower.finish()) take(*rest);
    return reading;
}

void check_times(const std::string& path, std::size_t size) {
    const auto marks = read_times(path);
    const auto last = last_time(path);
    check(marks.ok() && last.ok() && marks->size() == size / 24 && last->has_value() == !marks->empty());
    if (marks->empty()) return;
    check(**last == marks->back());
    const auto found = mark_before(*marks, marks->front().at);
    check(found.has_value() && found->at <= marks->front().at);
}

void check_name(std::string_view name) {
    const auto part = parse_part_name("api.log", name);
    if (!part) return;
    const std::string plain = part_path("api.log", part->number);
    check(name == (part->compressed ? compressed_path(plain) : plain));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const Directory directory;
    const std::string log = directory.log();
    if (size < 4) return 0;
    const std::string_view bytes(reinterpret_cast<const char*>(data + 4), size - 4);
    const bool has_part = (data[0] & 1U) != 0;
    const bool has_compressed = (data[0] & 2U) != 0;
    const bool has_present = (data[0] & 4U) != 0;
    const std::size_t first = bytes.size() * data[2] / 256;
    const std::size_t second = first + (bytes.size() - first) * data[3] / 256;
    const std::string_view aside = bytes.substr(0, first);
    const std::string_view present = bytes.substr(first, second - first);
    const std::string_view index = bytes.substr(second);

    put(part_path(log, 1), has_part ? std::optional(aside) : std::nullopt);
    put(compressed_path(part_path(log, 2)), has_compressed ? std::optional(index) : std::nullopt);
    put(log, has_present ? std::optional(present) : std::nullopt);
    put(times_path(log), index);
    check_times(times_path(log), index.size());
    check_name(bytes);
    check_name("api.log." + std::string(bytes));

    const std::string all = std::string(has_part ? aside : "") + std::string(has_present ? present : "");
    const auto range = from_oldest(log);
    check(range.ok());
    const Reading oldest = read(log, *range);
    if (!has_compressed) check(!oldest.faults && oldest.text == all);

    const std::size_t wanted = data[1] / 8;
    const auto last = from_last_lines(log, wanted);
    check(last.ok());
    const Reading lines = read(log, *last);
    if (!has_compressed) {
        check(!lines.faults && all.ends_with(lines.text));
        check(oldest.gap || lines.lines == std::min(wanted, oldest.lines));
        check(lines.text.size() == all.size() || all[all.size() - lines.text.size() - 1] == '\n' ||
              wanted == 0);
    }

    const auto timed = from_time(log, 0);
    if (!timed) return 0;
    const Reading since = read(log, *timed);
    if (!has_compressed) check(!since.faults);
    if (!has_compressed && !since.gap) check(all.ends_with(since.text));
    return 0;
}
