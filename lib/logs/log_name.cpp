#include "logs/log_name.hpp"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <map>
#include <memory>

namespace vigil::logs {
namespace {

constexpr std::size_t kDigits = 6;
constexpr std::string_view kCompressed = ".zst";

struct CloseDirectory {
    void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};

/// A directory to open and a name to look for in it.
struct Split {
    std::string directory;  ///< ends with a slash, or is empty: the present one
    std::string name;
};

Split split(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) return {.directory = {}, .name = path};
    return {.directory = path.substr(0, slash + 1), .name = path.substr(slash + 1)};
}

std::optional<Part> part_at(std::string path, const PartName& name) {
    struct stat status {};
    // A link or a device under a part's name was not made by the writer.
    if (::lstat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
    return Part{
        .number = name.number,
        .compressed = name.compressed,
        .path = std::move(path),
        .inode = status.st_ino,
        .size = static_cast<std::uint64_t>(status.st_size),
        .changed_at = std::int64_t{status.st_mtim.tv_sec} * 1000 + status.st_mtim.tv_nsec / 1'000'000};
}

}  // namespace

std::string part_path(std::string_view log_path, std::uint64_t number) {
    const std::string digits = std::to_string(number);
    std::string path(log_path);
    path.push_back('.');
    if (digits.size() < kDigits) path.append(kDigits - digits.size(), '0');
    return path.append(digits);
}

std::string compressed_path(std::string_view part_path) {
    return std::string(part_path).append(kCompressed);
}

std::string times_path(std::string_view log_path) {
    return std::string(log_path).append(".times");
}

std::optional<PartName> parse_part_name(std::string_view log_name, std::string_view file_name) {
    if (!file_name.starts_with(log_name)) return std::nullopt;
    file_name.remove_prefix(log_name.size());
    if (!file_name.starts_with('.')) return std::nullopt;
    file_name.remove_prefix(1);
    PartName name;
    if (file_name.ends_with(kCompressed)) {
        name.compressed = true;
        file_name.remove_suffix(kCompressed.size());
    }
    // One number has one name, so that no two files claim the same place.
    if (file_name.size() < kDigits || (file_name.size() > kDigits && file_name.front() == '0'))
        return std::nullopt;
    const char* end = file_name.data() + file_name.size();
    const auto [stopped, error] = std::from_chars(file_name.data(), end, name.number);
    if (error != std::errc{} || stopped != end || name.number == 0) return std::nullopt;
    return name;
}

Result<std::vector<Part>> list_parts(const std::string& log_path) {
    const Split log = split(log_path);
    const std::string directory = log.directory.empty() ? "." : log.directory;
    const std::unique_ptr<DIR, CloseDirectory> open(::opendir(directory.c_str()));
    if (!open) {
        if (errno == ENOENT) return std::vector<Part>{};
        return Failure{errno_error("opening the directory " + directory)};
    }
    std::map<std::uint64_t, bool> plain;  // by number: whether the file was seen uncompressed
    while (true) {
        errno = 0;
        const dirent* entry = ::readdir(open.get());
        if (entry == nullptr) break;
        const auto name = parse_part_name(log.name, entry->d_name);
        if (name) plain[name->number] |= !name->compressed;
    }
    if (errno != 0) return Failure{errno_error("reading the directory " + directory)};

    std::vector<Part> parts;
    for (const auto& [number, seen_plain] : plain) {
        const std::string path = part_path(log_path, number);
        std::optional<Part> part;
        if (seen_plain) part = part_at(path, {.number = number, .compressed = false});
        // Its compression may have ended since the directory was read.
        if (!part) part = part_at(compressed_path(path), {.number = number, .compressed = true});
        if (part) parts.push_back(std::move(*part));
    }
    return parts;
}

}  // namespace vigil::logs
