#include "linux/durable_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/unique_fd.hpp"

namespace vigil::os {
namespace {

UniqueFd open_directory_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    return UniqueFd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
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

/// The file under its first name, gone with the object unless it was moved to its own.
class NewFile {
  public:
    NewFile(int directory, std::string name) : directory_(directory), name_(std::move(name)) {}
    NewFile(const NewFile&) = delete;
    NewFile& operator=(const NewFile&) = delete;
    ~NewFile() {
        if (!moved_) ::unlinkat(directory_, name_.c_str(), 0);
    }

    [[nodiscard]] bool write(std::string_view text, mode_t mode) const {
        const UniqueFd file(
            ::openat(directory_, name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
        return file && write_all(file.get(), text) && ::fchmod(file.get(), mode) == 0 &&
               ::fsync(file.get()) == 0;
    }

    [[nodiscard]] bool move_to(const std::string& path, IfExists if_exists) {
        const unsigned flags = if_exists == IfExists::refuse ? RENAME_NOREPLACE : 0;
        moved_ = ::renameat2(directory_, name_.c_str(), AT_FDCWD, path.c_str(), flags) == 0;
        return moved_;
    }

  private:
    int directory_;
    std::string name_;
    bool moved_ = false;
};

}  // namespace

Result<void> write_durably(const std::string& path, std::string_view text, mode_t mode, IfExists if_exists) {
    const UniqueFd directory = open_directory_of(path);
    if (!directory) return Failure{errno_error("opening the directory of " + path)};
    // One name a process: what a kill has left behind is written over by the next try, and a name that begins
    // with a dot matches no pattern of files.
    const std::string name = ".vigil-new-" + std::to_string(::getpid());
    ::unlinkat(directory.get(), name.c_str(), 0);
    NewFile file(directory.get(), name);
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
