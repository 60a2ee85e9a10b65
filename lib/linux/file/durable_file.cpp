#include "linux/file/durable_file.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <utility>
#include <vector>

#include "base/unique_fd.hpp"

namespace vigil::os {
namespace {

std::string directory_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

UniqueFd open_directory_of(const std::string& path) {
    return UniqueFd(::open(directory_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

bool write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(fd, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return false;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

// A name that begins with a dot matches no pattern of files.
constexpr std::string_view kFirstName = ".vigil-new-";

/// Each write has its own, whoever else writes in that directory.
std::string first_name() {
    static std::atomic<unsigned> count{0};
    return std::string(kFirstName) + std::to_string(::getpid()) + "-" + std::to_string(count++);
}

bool is_first_name(std::string_view name) {
    return name.starts_with(kFirstName) &&
           name.find_first_not_of("0123456789-", kFirstName.size()) == std::string_view::npos;
}

/// Takes the lock that says that somebody writes, without waiting; false: it is held, or the file has lost
/// its name.
bool lock_by_name(int directory, const std::string& name, int file) {
    struct stat by_name {};
    struct stat opened {};
    return ::flock(file, LOCK_EX | LOCK_NB) == 0 && ::fstat(file, &opened) == 0 &&
           ::fstatat(directory, name.c_str(), &by_name, AT_SYMLINK_NOFOLLOW) == 0 &&
           by_name.st_dev == opened.st_dev && by_name.st_ino == opened.st_ino;
}

/// The file under its first name, gone with the object unless it was moved to its own.
class NewFile {
  public:
    NewFile(int directory, std::string name) : directory_(directory), name_(std::move(name)) {}
    NewFile(const NewFile&) = delete;
    NewFile& operator=(const NewFile&) = delete;
    ~NewFile() {
        if (file_ && !moved_) ::unlinkat(directory_, name_.c_str(), 0);
    }

    [[nodiscard]] bool write(std::string_view text, mode_t mode) {
        return create() && write_all(file_.get(), text) && ::fchmod(file_.get(), mode) == 0 &&
               ::fsync(file_.get()) == 0;
    }

    [[nodiscard]] bool move_to(const std::string& path, IfExists if_exists) {
        const unsigned flags = if_exists == IfExists::refuse ? RENAME_NOREPLACE : 0;
        moved_ = ::renameat2(directory_, name_.c_str(), AT_FDCWD, path.c_str(), flags) == 0;
        return moved_;
    }

  private:
    /// Whoever takes away what was left behind may come between the opening and the lock: then once more.
    bool create() {
        constexpr int kTries = 16;
        for (int tries = 0; tries < kTries; ++tries) {
            file_.reset(::openat(directory_, name_.c_str(),
                                 O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
            if (!file_) return false;
            if (lock_by_name(directory_, name_, file_.get())) return true;
            ::unlinkat(directory_, name_.c_str(), 0);
        }
        file_.reset();
        errno = EAGAIN;
        return false;
    }

    int directory_;
    std::string name_;
    UniqueFd file_;  ///< locked as long as it is written
    bool moved_ = false;
};

/// Ours, and nobody writes it any more.
bool is_left_behind(int directory, const std::string& name) {
    const UniqueFd file(
        ::openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    struct stat status {};
    return file && ::fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode) &&
           status.st_uid == ::geteuid() && lock_by_name(directory, name, file.get());
}

}  // namespace

void remove_unfinished(const std::string& directory) {
    const std::unique_ptr<DIR, int (*)(DIR*)> entries(::opendir(directory.c_str()), ::closedir);
    std::vector<std::string> names;
    while (const dirent* entry = entries ? ::readdir(entries.get()) : nullptr)
        if (is_first_name(entry->d_name)) names.emplace_back(entry->d_name);
    for (const std::string& name : names)
        if (is_left_behind(::dirfd(entries.get()), name)) ::unlinkat(::dirfd(entries.get()), name.c_str(), 0);
}

Result<void> write_durably(const std::string& path, std::string_view text, mode_t mode, IfExists if_exists) {
    const UniqueFd directory = open_directory_of(path);
    if (!directory) return Failure{errno_error("opening the directory of " + path)};
    remove_unfinished(directory_of(path));
    std::string name = first_name();
    // Of a process with our number that was killed as many writes after its start.
    ::unlinkat(directory.get(), name.c_str(), 0);
    NewFile file(directory.get(), std::move(name));
    if (!file.write(text, mode)) return Failure{errno_error("writing " + path)};
    if (!file.move_to(path, if_exists)) return Failure{errno_error("putting " + path + " in its place")};
    if (::fsync(directory.get()) != 0) {
        Error error = errno_error("bringing " + path + " to the disk");
        // What is said not to be there must not turn up later. Of a file that was replaced, the old text is
        // gone.
        if (if_exists == IfExists::refuse) ::unlink(path.c_str());
        return Failure{std::move(error)};
    }
    return {};
}

Result<void> remove_durably(const std::string& path) {
    const UniqueFd directory = open_directory_of(path);
    if (!directory) return Failure{errno_error("opening the directory of " + path)};
    if (::unlink(path.c_str()) != 0) return Failure{errno_error("removing " + path)};
    if (::fsync(directory.get()) != 0)
        return Failure{errno_error("bringing the removal of " + path + " to the disk")};
    return {};
}

}  // namespace vigil::os
