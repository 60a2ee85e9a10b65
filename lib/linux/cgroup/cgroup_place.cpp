#include "linux/cgroup/cgroup_place.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "linux/file/small_file.hpp"

namespace vigil::os {
namespace {

std::string_view take(std::string_view& rest, char separator) {
    const std::size_t end = rest.find(separator);
    const std::string_view part = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    return part;
}

/// Blank, tab, newline and backslash are written as \ooo in mountinfo.
std::string unescape(std::string_view text) {
    const auto octal = [](char digit) { return digit >= '0' && digit <= '7'; };
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool escaped = text[i] == '\\' && i + 3 < text.size() && octal(text[i + 1]) &&
                             octal(text[i + 2]) && octal(text[i + 3]);
        if (!escaped) {
            plain += text[i];
            continue;
        }
        plain += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
        i += 3;
    }
    return plain;
}

bool has_option(std::string_view options, std::string_view wanted) {
    while (!options.empty())
        if (take(options, ',') == wanted) return true;
    return false;
}

/// The path of our cgroup in the v2 hierarchy, as its namespace shows it.
std::optional<std::string_view> own_path(std::string_view own_cgroup) {
    while (!own_cgroup.empty()) {
        const std::string_view line = take(own_cgroup, '\n');
        if (!line.starts_with("0::/")) continue;
        const std::string_view path = line.substr(3);
        // Outside of the root of our namespace, or removed under us.
        if (path.starts_with("/..") || path.ends_with(" (deleted)")) return std::nullopt;
        return path;
    }
    return std::nullopt;
}

bool attribute_is_set(const std::string& directory, const char* name) {
    char value[8];
    return ::getxattr(directory.c_str(), name, value, sizeof value) == 1 && value[0] == '1';
}

}  // namespace

std::optional<CgroupPlace> find_own_cgroup(std::string_view mountinfo, std::string_view own_cgroup) {
    const auto path = own_path(own_cgroup);
    if (!path) return std::nullopt;
    while (!mountinfo.empty()) {
        std::string_view line = take(mountinfo, '\n');
        for (int field = 0; field < 3; ++field) take(line, ' ');  // mount id, parent id, device
        const std::string root = unescape(take(line, ' '));
        const std::string mount_point = unescape(take(line, ' '));
        const std::string_view options = take(line, ' ');
        while (!line.empty() && take(line, ' ') != "-") {
        }
        if (take(line, ' ') != "cgroup2") continue;
        take(line, ' ');  // source
        CgroupPlace place;
        place.read_only = has_option(options, "ro") || has_option(line, "ro");
        place.namespace_root = *path == "/";
        // The mount may show a part of the hierarchy only.
        std::string_view below = *path;
        if (root != "/") {
            const bool inside =
                below.starts_with(root) && (below.size() == root.size() || below[root.size()] == '/');
            if (!inside) continue;
            below.remove_prefix(root.size());
        }
        place.directory = mount_point;
        if (below != "/") place.directory += below;
        return place;
    }
    return std::nullopt;
}

std::optional<CgroupPlace> find_own_cgroup() {
    const auto mountinfo = read_small_file(AT_FDCWD, "/proc/self/mountinfo");
    const auto own = read_small_file(AT_FDCWD, "/proc/self/cgroup");
    if (!mountinfo || !own) return std::nullopt;
    return find_own_cgroup(*mountinfo, *own);
}

std::string why_not_delegated(const CgroupPlace& place) {
    const std::string& directory = place.directory;
    if (place.read_only) return directory + " is mounted read-only";
    if (::access((directory + "/cgroup.events").c_str(), F_OK) != 0)
        return "vigild is in the root cgroup, which is the host's";
    const auto type = read_small_file(AT_FDCWD, (directory + "/cgroup.type").c_str());
    if (type && !type->starts_with("domain")) return directory + " is a threaded cgroup";
    if (::faccessat(AT_FDCWD, directory.c_str(), W_OK, AT_EACCESS) != 0)
        return directory + " is not writable for vigild";
    if (::geteuid() == 0) {
        const bool under_systemd = ::access("/run/systemd/system", F_OK) == 0;
        if (!under_systemd || place.namespace_root || attribute_is_set(directory, "user.delegate") ||
            attribute_is_set(directory, "trusted.delegate"))
            return {};
        return directory + " is systemd's and not delegated to vigild (Delegate=yes in its unit)";
    }
    struct stat status {};
    for (const std::string& file : {directory, directory + "/cgroup.procs"})
        if (::stat(file.c_str(), &status) != 0 || status.st_uid != ::geteuid())
            return file + " does not belong to vigild's user";
    return {};
}

}  // namespace vigil::os
