#include "logs/log_times.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

namespace vigil::logs {
namespace {

constexpr std::size_t kNumberBytes = 8;
constexpr std::size_t kRecordBytes = 3 * kNumberBytes;

void put(std::string& out, std::uint64_t number) {
    for (unsigned byte = 0; byte < kNumberBytes; ++byte)
        out.push_back(static_cast<char>(static_cast<std::uint8_t>(number >> (8 * byte))));
}

std::uint64_t take(std::string_view& bytes) {
    std::uint64_t number = 0;
    for (unsigned byte = 0; byte < kNumberBytes; ++byte)
        number |= std::uint64_t{static_cast<std::uint8_t>(bytes[byte])} << (8 * byte);
    bytes.remove_prefix(kNumberBytes);
    return number;
}

TimeMark take_mark(std::string_view& bytes) {
    TimeMark mark;
    mark.at = static_cast<std::int64_t>(take(bytes));
    mark.number = take(bytes);
    mark.offset = take(bytes);
    return mark;
}

UniqueFd open_index(const std::string& times_path) {
    return UniqueFd(::open(times_path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
}

}  // namespace

Result<std::vector<TimeMark>> read_times(const std::string& times_path) {
    const UniqueFd fd = open_index(times_path);
    if (!fd) {
        if (errno == ENOENT) return std::vector<TimeMark>{};
        return Failure{errno_error("opening " + times_path)};
    }
    std::vector<TimeMark> marks;
    std::array<char, kRecordBytes * 2048> block;
    std::size_t held = 0;  // bytes of a record that the last read cut through
    while (true) {
        const ssize_t got = ::read(fd.get(), block.data() + held, block.size() - held);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return Failure{errno_error("reading " + times_path)};
        if (got == 0) return marks;
        std::string_view bytes(block.data(), held + static_cast<std::size_t>(got));
        while (bytes.size() >= kRecordBytes) marks.push_back(take_mark(bytes));
        held = bytes.size();
        std::copy(bytes.begin(), bytes.end(), block.begin());
    }
}

Result<std::optional<TimeMark>> last_time(const std::string& times_path) {
    const UniqueFd fd = open_index(times_path);
    if (!fd) {
        if (errno == ENOENT) return std::optional<TimeMark>{};
        return Failure{errno_error("opening " + times_path)};
    }
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0) return Failure{errno_error("reading " + times_path)};
    const off_t records = status.st_size / static_cast<off_t>(kRecordBytes);
    if (records == 0) return std::optional<TimeMark>{};
    std::array<char, kRecordBytes> record;
    const ssize_t got =
        ::pread(fd.get(), record.data(), record.size(), (records - 1) * static_cast<off_t>(kRecordBytes));
    if (got < 0) return Failure{errno_error("reading " + times_path)};
    // It was made shorter just now.
    if (got != static_cast<ssize_t>(kRecordBytes)) return std::optional<TimeMark>{};
    std::string_view bytes(record.data(), record.size());
    return std::optional(take_mark(bytes));
}

std::optional<TimeMark> mark_before(const std::vector<TimeMark>& marks, std::int64_t since) {
    // From the end: a clock that was set back has made earlier marks later, and the present time is the one
    // the caller counts from.
    const auto found = std::find_if(marks.rbegin(), marks.rend(),
                                    [since](const TimeMark& mark) { return mark.at <= since; });
    if (found == marks.rend()) return std::nullopt;
    return *found;
}

std::string encode(const TimeMark& mark) {
    std::string record;
    record.reserve(kRecordBytes);
    put(record, static_cast<std::uint64_t>(mark.at));
    put(record, mark.number);
    put(record, mark.offset);
    return record;
}

}  // namespace vigil::logs
