#include "output/log_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace vigil::output {
namespace {

constexpr mode_t kFileMode = 0640;
constexpr mode_t kDirectoryMode = 0750;

std::string reason_of(int code) {
    if (code == ELOOP) return "is a symbolic link";
    if (code == EISDIR) return "is a directory";
    return std::string(errno_text(code));
}

Result<void, std::string> check(const struct stat& found) {
    if (S_ISDIR(found.st_mode)) return Failure{reason_of(EISDIR)};
    if (S_ISLNK(found.st_mode)) return Failure{reason_of(ELOOP)};
    if (!S_ISREG(found.st_mode)) return Failure<std::string>{"is not a regular file"};
    if (found.st_nlink > 1) return Failure<std::string>{"has more than one name (hard links)"};
    return {};
}

}  // namespace

int LogFile::open_once(bool& made) const noexcept {
    // Read as well, for the last words and for the marks of losses. O_APPEND is what splice(2) refuses.
    constexpr int kFlags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
    const int fd = ::open(path_.c_str(), kFlags);
    made = false;
    if (fd >= 0 || errno != ENOENT) return fd;
    made = true;
    return ::open(path_.c_str(), kFlags | O_CREAT | O_EXCL, kFileMode);
}

Result<void, std::string> LogFile::open() {
    // Looked at before it is opened: with some devices opening is an act already.
    struct stat found {};
    if (::lstat(path_.c_str(), &found) == 0)
        if (auto fit = check(found); !fit) return fit;
    bool made = false;
    UniqueFd fd(open_once(made));
    if (!fd && errno == ENOENT) {
        if (auto there = make_directories(); !there) return there;
        fd.reset(open_once(made));
    }
    if (!fd) return Failure{reason_of(errno)};
    if (::fstat(fd.get(), &found) != 0) return Failure{reason_of(errno)};
    if (auto fit = check(found); !fit) return fit;
    if (made) {
        // The umask is the daemon's; a group that may not be given leaves the file with ours.
        ::fchmod(fd.get(), kFileMode);
        if (group_ != static_cast<gid_t>(-1)) {
            [[maybe_unused]] const int given = ::fchown(fd.get(), static_cast<uid_t>(-1), group_);
        }
    }
    fd_ = std::move(fd);
    device_ = found.st_dev;
    inode_ = found.st_ino;
    size_ = static_cast<std::uint64_t>(found.st_size);
    return {};
}

Result<void, std::string> LogFile::make_directories() const {
    for (std::size_t slash = path_.find('/', 1); slash != std::string::npos;
         slash = path_.find('/', slash + 1)) {
        const std::string directory = path_.substr(0, slash);
        if (::mkdir(directory.c_str(), kDirectoryMode) == 0) {
            ::chmod(directory.c_str(), kDirectoryMode);
            if (group_ != static_cast<gid_t>(-1)) {
                [[maybe_unused]] const int given = ::chown(directory.c_str(), static_cast<uid_t>(-1), group_);
            }
        } else if (errno != EEXIST) {
            return Failure{"making " + directory + ": " + std::string(errno_text(errno))};
        }
    }
    return {};
}

LogFile::Place LogFile::look(bool by_name) {
    struct stat found {};
    if (::fstat(fd_.get(), &found) != 0 || found.st_nlink == 0) return Place::gone;
    const auto size = static_cast<std::uint64_t>(found.st_size);
    if (by_name) {
        struct stat named {};
        if (::lstat(path_.c_str(), &named) != 0 || named.st_dev != device_ || named.st_ino != inode_)
            return Place::gone;
    }
    const bool shorter = size < size_;
    // What others appended is not written over either.
    size_ = size;
    return shorter ? Place::shortened : Place::same;
}

template <typename PutSome>
Written LogFile::put(std::size_t size, PutSome put_some) {
    Written done;
    while (done.bytes < size) {
        const ssize_t count = put_some(done.bytes);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) {
            done.error = count < 0 ? errno : EIO;
            break;
        }
        done.bytes += static_cast<std::size_t>(count);
        size_ += static_cast<std::uint64_t>(count);
    }
    return done;
}

Written LogFile::write(std::string_view text) {
    return put(text.size(), [&](std::size_t done) {
        return ::pwrite(fd_.get(), text.data() + done, text.size() - done, static_cast<off_t>(size_));
    });
}

Written LogFile::splice_from(int pipe, std::size_t size) {
    return put(size, [&](std::size_t done) {
        auto offset = static_cast<loff_t>(size_);
        return ::splice(pipe, nullptr, fd_.get(), &offset, size - done, SPLICE_F_MOVE);
    });
}

void LogFile::cut_back_to(std::uint64_t size) noexcept {
    if (size < size_ && ::ftruncate(fd_.get(), static_cast<off_t>(size)) == 0) size_ = size;
}

bool LogFile::at_line_start() const {
    return size_ == 0 || read_at(fd_.get(), size_ - 1, 1) == "\n";
}

std::string LogFile::tail(std::uint64_t from, std::size_t most) const {
    if (size_ <= from) return {};
    const std::size_t count = std::min<std::uint64_t>(most, size_ - from);
    return read_at(fd_.get(), size_ - count, count);
}

std::int64_t LogFile::born_at() const {
    struct statx found {};
    if (::statx(fd_.get(), "", AT_EMPTY_PATH, STATX_BTIME, &found) != 0 ||
        (found.stx_mask & STATX_BTIME) == 0)
        return 0;
    return found.stx_btime.tv_sec * 1000 + found.stx_btime.tv_nsec / 1'000'000;
}

std::string read_at(int fd, std::uint64_t offset, std::size_t size) {
    std::string out(size, '\0');
    std::size_t filled = 0;
    while (filled < size) {
        const ssize_t count =
            ::pread(fd, out.data() + filled, size - filled, static_cast<off_t>(offset + filled));
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break;
        filled += static_cast<std::size_t>(count);
    }
    out.resize(filled);
    return out;
}

}  // namespace vigil::output
