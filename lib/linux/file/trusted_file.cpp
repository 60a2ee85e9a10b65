#include "linux/file/trusted_file.hpp"

#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <optional>
#include <string_view>

#include "base/unique_fd.hpp"

namespace vigil::os {
namespace {

std::string_view kind_name(mode_t mode) noexcept {
    if (S_ISDIR(mode)) return "a directory";
    if (S_ISFIFO(mode)) return "a FIFO";
    if (S_ISSOCK(mode)) return "a socket";
    if (S_ISCHR(mode) || S_ISBLK(mode)) return "a device";
    return "no regular file";
}

std::string mode_text(mode_t mode) {
    std::array<char, 8> text;
    std::snprintf(text.data(), text.size(), "%04o", static_cast<unsigned>(mode & 07777U));
    return text.data();
}

/// Why others could have changed what is at `path`; nothing if they could not.
std::optional<Error> distrust(const std::string& path, const struct stat& status) {
    const bool sticky_directory = S_ISDIR(status.st_mode) && (status.st_mode & S_ISVTX) != 0;
    if (status.st_uid != 0)
        return Error{path + " belongs to uid " + std::to_string(status.st_uid) +
                         " and not to root, so root does not act on it; give it to root (chown root)",
                     0};
    // An access control list shows here too: its mask takes the place of the group's rights.
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0 && !sticky_directory)
        return Error{path + " is writable for others than root (mode " + mode_text(status.st_mode) +
                         "), so root does not act on it; take that away (chmod go-w)",
                     0};
    return std::nullopt;
}

/// The path at which the open file really lies, which no later change of a link can bend.
Result<std::string> real_path(int fd, const std::string& path) {
    const std::string link = "/proc/self/fd/" + std::to_string(fd);
    std::array<char, PATH_MAX> buffer;
    const ssize_t length = ::readlink(link.c_str(), buffer.data(), buffer.size());
    if (length < 0 || static_cast<std::size_t>(length) == buffer.size())
        return Failure{errno_error("finding the real path of " + path)};
    return std::string(buffer.data(), static_cast<std::size_t>(length));
}

std::optional<Error> distrust_parents(const std::string& real) {
    for (std::size_t slash = real.rfind('/'); slash != std::string::npos;
         slash = real.rfind('/', slash - 1)) {
        const std::string directory = slash == 0 ? "/" : real.substr(0, slash);
        struct stat status {};
        if (::lstat(directory.c_str(), &status) != 0) return errno_error("looking at " + directory);
        if (auto error = distrust(directory, status)) return error;
        if (slash == 0) break;
    }
    return std::nullopt;
}

Result<std::string> read_all(int fd, const std::string& path, std::size_t expected, std::size_t max_bytes) {
    std::string text;
    text.reserve(expected + 1);
    std::array<char, 65536> buffer;
    while (true) {
        const ssize_t count = ::read(fd, buffer.data(), buffer.size());
        if (count == 0) return text;
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return Failure{errno_error("reading " + path)};
        text.append(buffer.data(), static_cast<std::size_t>(count));
        // The file may have grown since its size was asked for.
        if (text.size() > max_bytes)
            return Failure{Error{path + " has more than " + std::to_string(max_bytes) + " bytes", 0}};
    }
}

/// glob(3) calls this for each directory that it cannot read; nonzero ends the search.
int on_unreadable_directory(const char*, int code) {
    return code == ENOENT || code == ENOTDIR ? 0 : 1;
}

class Matches {
  public:
    Matches() = default;
    Matches(const Matches&) = delete;
    Matches& operator=(const Matches&) = delete;
    ~Matches() { ::globfree(&found_); }
    glob_t* get() noexcept { return &found_; }
    [[nodiscard]] std::vector<std::string> paths() const {
        return {found_.gl_pathv, found_.gl_pathv + found_.gl_pathc};
    }

  private:
    glob_t found_{};
};

}  // namespace

Result<std::string> read_trusted_file(const std::string& path, std::size_t max_bytes) {
    // Not blocking, so that a FIFO without a writer is opened and found out instead of being waited for.
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    // A socket cannot be opened at all.
    if (!file) return Failure{errno_error("opening " + path)};
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) return Failure{errno_error("looking at " + path)};
    if (!S_ISREG(status.st_mode))
        return Failure{
            Error{path + " is " + std::string(kind_name(status.st_mode)) + " and not a regular file", 0}};
    if (::geteuid() == 0) {
        if (auto error = distrust(path, status)) return Failure{std::move(*error)};
        auto real = real_path(file.get(), path);
        if (!real) return Failure{std::move(real).error()};
        if (auto error = distrust_parents(*real)) return Failure{std::move(*error)};
    }
    const auto size = static_cast<std::size_t>(status.st_size);
    if (size > max_bytes)
        return Failure{Error{
            path + " has " + std::to_string(size) + " bytes; the limit is " + std::to_string(max_bytes), 0}};
    return read_all(file.get(), path, size, max_bytes);
}

Result<std::vector<std::string>> expand_paths(const std::string& directory, const std::string& pattern) {
    std::string whole;
    if (!pattern.starts_with('/')) {
        // The directory is a path: what is special to glob stands for itself in it.
        for (const char c : directory) {
            if (std::string_view("*?[\\").find(c) != std::string_view::npos) whole.push_back('\\');
            whole.push_back(c);
        }
        if (!whole.ends_with('/')) whole.push_back('/');
    }
    whole += pattern;
    Matches matches;
    const int outcome = ::glob(whole.c_str(), GLOB_NOSORT, on_unreadable_directory, matches.get());
    if (outcome == 0) return matches.paths();
    if (outcome != GLOB_NOMATCH) {
        const int code = outcome == GLOB_NOSPACE ? ENOMEM : errno;
        return Failure{Error{"looking for files that match " + whole, code}};
    }
    if (pattern.find_first_of("*?[\\") != std::string::npos) return std::vector<std::string>{};
    if (pattern.starts_with('/')) return std::vector<std::string>{pattern};
    return std::vector<std::string>{directory.ends_with('/') ? directory + pattern
                                                             : directory + "/" + pattern};
}

}  // namespace vigil::os
