#include "linux/file/runtime_directory.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "base/unique_fd.hpp"

namespace vigil::os {
namespace {

constexpr mode_t kMode = 0711;

Result<void> make_own_directory(const std::string& path) {
    if (::mkdir(path.c_str(), kMode) != 0 && errno != EEXIST)
        return Failure{errno_error("making the directory " + path)};
    const UniqueFd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!directory)
        return Failure{errno_error(errno == ENOTDIR || errno == ELOOP
                                       ? path + " must be a directory and not a symbolic link"
                                       : "opening the directory " + path)};
    struct stat status {};
    if (::fstat(directory.get(), &status) != 0) return Failure{errno_error("looking at " + path)};
    if (status.st_uid != ::geteuid())
        return Failure{Error{path + " belongs to uid " + std::to_string(status.st_uid) + ", not to uid " +
                                 std::to_string(::geteuid()) + " that wants to use it",
                             EPERM}};
    if ((status.st_mode & 0022) != 0)
        return Failure{Error{path + " may be written to by others: nothing in it could be trusted", EPERM}};
    // Also undoes what the umask took from mkdir.
    if (::fchmod(directory.get(), kMode) != 0) return Failure{errno_error("setting the mode of " + path)};
    return {};
}

}  // namespace

Result<void> make_parents(const std::string& path, mode_t mode) {
    for (std::size_t end = path.find('/', 1); end != std::string::npos; end = path.find('/', end + 1)) {
        const std::string part = path.substr(0, end);
        if (::mkdir(part.c_str(), mode) != 0 && errno != EEXIST && errno != EROFS && errno != EACCES)
            return Failure{errno_error("making the directory " + part)};
    }
    return {};
}

Result<RuntimeDirectory> prepare_runtime_directory(const std::string& path) {
    if (path.empty() || path.front() != '/')
        return Failure{Error{"the runtime directory \"" + path + "\" is not an absolute path", EINVAL}};
    RuntimeDirectory made{path, path + "/notify"};
    if (auto parents = make_parents(made.path, 0755); !parents) return Failure{parents.error()};
    if (auto own = make_own_directory(made.path); !own) return Failure{own.error()};
    if (auto own = make_own_directory(made.notify); !own) return Failure{own.error()};
    return made;
}

Result<std::size_t> remove_stale_notify_sockets(const std::string& notify,
                                                const std::unordered_set<std::string>& keep) {
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(notify.c_str()), ::closedir);
    if (!directory) return Failure{errno_error("reading " + notify)};
    std::size_t removed = 0;
    while (const dirent* entry = ::readdir(directory.get())) {
        struct stat status {};
        const int at = ::dirfd(directory.get());
        if (::fstatat(at, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISSOCK(status.st_mode))
            continue;
        if (keep.contains(notify + "/" + entry->d_name)) continue;
        if (::unlinkat(at, entry->d_name, 0) == 0) ++removed;
    }
    return removed;
}

}  // namespace vigil::os
