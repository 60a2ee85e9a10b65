#include "state/private_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

namespace vigil::state {
namespace {

/// Why it is not what a daemon of this user has made here; empty: it may be.
std::string fault_of(const struct stat& status) {
    if (!S_ISREG(status.st_mode)) return "no regular file";
    if (status.st_uid != ::geteuid()) return "a file of uid " + std::to_string(status.st_uid);
    if ((status.st_mode & 022U) != 0) return "a file that others may write";
    return {};
}

}  // namespace

Result<PrivateFile> open_private(const std::string& path) {
    PrivateFile file;
    file.fd.reset(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK));
    if (!file.fd) {
        switch (errno) {
            case ENOENT: return file;
            case ELOOP: file.fault = "a symbolic link"; return file;
            case EISDIR: file.fault = "a directory"; return file;
            case ENXIO: file.fault = "no regular file"; return file;
            default: break;
        }
        const int code = errno;
        // EACCES is of the file (another user's) or of its directory.
        struct stat status {};
        if (code == EACCES && ::lstat(path.c_str(), &status) == 0) {
            file.fault = "a file that may not be opened";
            return file;
        }
        return Failure{Error{"opening " + path, code}};
    }
    struct stat status {};
    if (::fstat(file.fd.get(), &status) != 0) return Failure{errno_error("looking at " + path)};
    file.fault = fault_of(status);
    if (!file.fault.empty()) {
        file.fd.reset();
        return file;
    }
    // Who could read it has read it; from now on they cannot.
    if ((status.st_mode & 0777U) != 0600 && ::fchmod(file.fd.get(), 0600) != 0)
        return Failure{errno_error("setting the mode of " + path)};
    file.size = static_cast<std::uint64_t>(status.st_size);
    return file;
}

Result<UniqueFd> make_private(const std::string& path) {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return Failure{errno_error("removing " + path)};
    UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd) return Failure{errno_error("making " + path)};
    return fd;
}

Result<SetAside> set_aside(const std::string& path, std::string reason) {
    std::string bad = path + ".bad";
    if (::rename(path.c_str(), bad.c_str()) != 0)
        return Failure{errno_error("moving " + path + " (" + reason + ") out of the way, to " + bad)};
    return SetAside{.path = std::move(bad), .reason = std::move(reason)};
}

Result<std::size_t> read_from_start(int fd, std::span<std::uint8_t> bytes) {
    std::size_t done = 0;
    while (done < bytes.size()) {
        const ssize_t got = ::pread(fd, bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return Failure{errno_error("reading it")};
        if (got == 0) break;
        done += static_cast<std::size_t>(got);
    }
    return done;
}

}  // namespace vigil::state
