#include "reload/config_trace.hpp"

#include <fnmatch.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "base/glob.hpp"
#include "linux/file/trusted_file.hpp"

namespace vigil::daemon {
namespace {

std::string whole(const std::string& directory, const std::string& pattern) {
    if (pattern.starts_with('/')) return pattern;
    return directory.ends_with('/') ? directory + pattern : directory + "/" + pattern;
}

std::string normal(const std::string& path) {
    return std::filesystem::path(path).lexically_normal().string();
}

/// In order, each in one spelling.
std::vector<std::string> in_order(std::vector<std::string> paths) {
    for (std::string& path : paths) path = normal(path);
    std::sort(paths.begin(), paths.end());
    return paths;
}

}  // namespace

/// All zero for what cannot be looked at.
ConfigTrace::Look ConfigTrace::Look::at(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return {};
    return {status.st_dev, status.st_ino, status.st_size, status.st_mtim};
}

void ConfigTrace::note_file(const std::string& path) {
    files_.push_back({path, Look::at(path)});
}

void ConfigTrace::note_pattern(const std::string& directory, const std::string& pattern,
                               std::vector<std::string> paths) {
    // A path without wildcards is a file like any other.
    if (!is_glob(pattern)) return;
    const std::string all = whole(directory, pattern);
    std::string place = all.substr(0, all.rfind('/'));
    const bool one_place = !is_glob(place.substr(std::min(place.size(), directory.size())));
    if (!one_place) place.clear();
    const Look look = place.empty() ? Look{} : Look::at(place);
    patterns_.push_back({directory, pattern, std::move(place), look, in_order(std::move(paths))});
}

void ConfigTrace::note_written(const std::string& path) {
    note_file(path);
    for (Pattern& pattern : patterns_) {
        if (::fnmatch(normal(whole(pattern.directory, pattern.pattern)).c_str(), path.c_str(),
                      FNM_PATHNAME | FNM_PERIOD) != 0)
            continue;
        pattern.paths.insert(std::lower_bound(pattern.paths.begin(), pattern.paths.end(), path), path);
    }
}

void ConfigTrace::note_removed(const std::string& path) {
    std::erase_if(files_, [&](const File& file) { return file.path == path; });
    for (Pattern& pattern : patterns_) std::erase(pattern.paths, path);
}

bool ConfigTrace::same(Pattern& pattern) {
    const Look look = pattern.place.empty() ? Look{} : Look::at(pattern.place);
    if (!pattern.place.empty() && look == pattern.look) return true;
    auto paths = os::expand_paths(pattern.directory, pattern.pattern);
    if (!paths) return false;
    if (in_order(std::move(*paths)) != pattern.paths) return false;
    pattern.look = look;
    return true;
}

bool ConfigTrace::differs() {
    return !std::all_of(files_.begin(), files_.end(), [](const File& file) {
        return Look::at(file.path) == file.look;
    }) || !std::all_of(patterns_.begin(), patterns_.end(), [](Pattern& pattern) { return same(pattern); });
}

bool ConfigTrace::includes(const std::string& path) const {
    return std::any_of(patterns_.begin(), patterns_.end(), [&](const Pattern& pattern) {
        return ::fnmatch(normal(whole(pattern.directory, pattern.pattern)).c_str(), path.c_str(),
                         FNM_PATHNAME | FNM_PERIOD) == 0;
    });
}

}  // namespace vigil::daemon
