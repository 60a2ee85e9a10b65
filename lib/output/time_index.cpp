#include "output/time_index.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "logs/log_name.hpp"
#include "output/log_file.hpp"

namespace vigil::output {
namespace {

constexpr auto kLeastTime = std::chrono::seconds(1);
constexpr auto kLongTime = std::chrono::seconds(10);
constexpr std::uint64_t kLeastBytes = 4096;
constexpr std::uint64_t kRecordBytes = 24;

}  // namespace

void MarkPace::begin(core::TimePoint now, std::uint64_t offset) noexcept {
    last_ = now;
    offset_ = offset;
}

bool MarkPace::due(core::TimePoint now, std::uint64_t offset) const noexcept {
    if (now - last_ < kLeastTime) return false;
    return offset >= offset_ + kLeastBytes || now - last_ >= kLongTime;
}

void append_mark(const std::string& log_path, gid_t group, const logs::TimeMark& mark) {
    LogFile file(logs::times_path(log_path), group);
    if (!file.open()) return;
    file.cut_back_to(file.size() - file.size() % kRecordBytes);
    const std::uint64_t before = file.size();
    if (file.write(logs::encode(mark)).error != 0) file.cut_back_to(before);
}

void rewrite_marks(const std::string& log_path, gid_t group, const std::vector<logs::TimeMark>& marks,
                   const std::vector<std::uint64_t>& numbers) {
    std::string text;
    for (const logs::TimeMark& mark : marks)
        if (std::binary_search(numbers.begin(), numbers.end(), mark.number)) text += logs::encode(mark);
    const std::string path = logs::times_path(log_path);
    const std::string next = path + ".tmp";
    ::unlink(next.c_str());  // of a daemon that was killed here
    LogFile file(next, group);
    if (!file.open()) return;
    const bool whole = file.write(text).error == 0;
    file.close();
    if (!whole || std::rename(next.c_str(), path.c_str()) != 0) ::unlink(next.c_str());
}

}  // namespace vigil::output
