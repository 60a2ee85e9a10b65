#include "output/put_aside.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "logs/log_name.hpp"
#include "logs/log_times.hpp"
#include "output/retention.hpp"
#include "output/time_index.hpp"

namespace vigil::output {
namespace {

std::vector<logs::TimeMark> marks_of(const std::string& log_path) {
    auto marks = logs::read_times(logs::times_path(log_path));
    return marks ? std::move(marks).value() : std::vector<logs::TimeMark>{};
}

std::vector<logs::Part> parts_of(const std::string& log_path) {
    auto parts = logs::list_parts(log_path);
    return parts ? std::move(parts).value() : std::vector<logs::Part>{};
}

/// A number stays taken while a compressed file has it.
bool taken_compressed(const std::string& part) {
    return ::access(logs::compressed_path(part).c_str(), F_OK) == 0;
}

}  // namespace

std::uint64_t number_of_present(const std::string& log_path, std::uint64_t size) {
    std::uint64_t number = 1;
    if (const auto parts = parts_of(log_path); !parts.empty()) number = parts.back().number + 1;
    for (const logs::TimeMark& mark : marks_of(log_path)) {
        // A mark that lies beyond the end speaks of a file that is no longer there.
        const std::uint64_t least = mark.offset > size ? mark.number + 1 : mark.number;
        number = std::max(number, least);
    }
    return number;
}

Result<std::uint64_t> put_aside(const std::string& log_path, std::uint64_t number) {
    for (;; ++number) {
        const std::string part = logs::part_path(log_path, number);
        if (taken_compressed(part)) continue;
        if (::renameat2(AT_FDCWD, log_path.c_str(), AT_FDCWD, part.c_str(), RENAME_NOREPLACE) == 0)
            return number;
        if (errno == EEXIST) continue;
        // Some file systems do not know the flag; only this daemon makes files of these names.
        if (errno == EINVAL && ::access(part.c_str(), F_OK) != 0 &&
            std::rename(log_path.c_str(), part.c_str()) == 0)
            return number;
        return Failure{errno_error("renaming " + log_path)};
    }
}

void tidy_parts(const std::string& log_path, const core::OutputRule& rule, gid_t group, std::uint64_t present,
                std::int64_t now) {
    const std::vector<logs::Part> parts = parts_of(log_path);
    const std::size_t removed = count_to_remove(parts, rule.keep, rule.max_total);
    std::vector<std::uint64_t> numbers;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (i >= removed) {
            numbers.push_back(parts[i].number);
            continue;
        }
        ::unlink(parts[i].path.c_str());
        if (!parts[i].compressed) ::unlink(logs::compressed_path(parts[i].path).c_str());
    }
    numbers.push_back(present);
    auto marks = marks_of(log_path);
    marks.push_back({now, present, 0});
    rewrite_marks(log_path, group, marks, numbers);
}

}  // namespace vigil::output
