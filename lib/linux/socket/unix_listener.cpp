#include "linux/socket/unix_listener.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <utility>

#include "linux/process/process_table.hpp"
#include "linux/socket/socket_address.hpp"

namespace vigil::os {
namespace {

/// Leaves room for "/proc/self/fd/2147483647/.vigil-".
constexpr std::size_t kMostName = 64;

UniqueFd socket_of(int type) {
    return UniqueFd(::socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

/// What connect(2) to the path says: 0 or EAGAIN (its queue is full) from a live socket, ECONNREFUSED from a
/// dead one.
int try_connect(const std::string& path, int type) {
    const UniqueFd probe = socket_of(type);
    if (!probe) return errno;
    const auto address = socket_address(path);
    if (!address) return ENAMETOOLONG;
    return ::connect(probe.get(), plain(*address), sizeof *address) == 0 ? 0 : errno;
}

/// Makes way for a socket at `path`. Safe against another daemon because the caller holds the instance lock.
Result<void> clear_stale(const std::string& path, int type) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) {
        if (errno == ENOENT) return {};
        return Failure{errno_error("looking at " + path)};
    }
    if (!S_ISSOCK(status.st_mode))
        return Failure{Error{path + " exists and is not a socket; it was left alone: move it away", EEXIST}};
    const int answer = try_connect(path, type);
    if (answer == 0 || answer == EAGAIN)
        return Failure{Error{path + " is in use: another program answers there", EADDRINUSE}};
    if (answer != ECONNREFUSED && answer != ENOENT && answer != EPROTOTYPE)
        return Failure{Error{"asking whether anyone answers at " + path, answer}};
    // EPROTOTYPE: a socket of another kind (a datagram socket, say), bound by someone else.
    if (answer == EPROTOTYPE)
        return Failure{Error{path + " is a socket of another kind; it was left alone: move it away", EEXIST}};
    if (::unlink(path.c_str()) != 0 && errno != ENOENT)
        return Failure{errno_error("removing the stale socket " + path)};
    return {};
}

/// The name under which a socket is made, in the directory of its path: a client that finds the path is to
/// find a socket that listens. Short whatever the path, as it goes through the descriptor of the directory.
/// The same each time, so that what a kill has left behind goes with the next try; nobody else is here
/// (InstanceLock).
class NewSocket {
  public:
    explicit NewSocket(const std::string& path)
        : directory_(::open(path.substr(0, path.rfind('/') + 1).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)),
          path_("/proc/self/fd/" + std::to_string(directory_.get()) + "/.vigil-" +
                path.substr(path.rfind('/') + 1, kMostName)) {
        remove();
    }
    NewSocket(const NewSocket&) = delete;
    NewSocket& operator=(const NewSocket&) = delete;
    ~NewSocket() { remove(); }

    [[nodiscard]] bool directory() const noexcept { return bool(directory_); }
    [[nodiscard]] const std::string& path() const noexcept { return path_; }

  private:
    void remove() const noexcept {
        const int code = errno;
        if (directory_) ::unlink(path_.c_str());
        errno = code;
    }
    UniqueFd directory_;
    std::string path_;
};

/// A daemon that is killed in the middle of a spawn leaves its descriptors to the child until that execs; so
/// long its successor waits for the lock at most.
constexpr std::chrono::seconds kChildOfTheDead{1};

/// The pid that the owner of a lock has written into it; 0 where there is none.
pid_t read_owner(int file) {
    char text[16] = {};
    return ::pread(file, text, sizeof text - 1, 0) > 1 ? std::atoi(text) : 0;
}

bool is_running(pid_t pid) {
    const auto entry = read_process(pid);
    return entry && !entry->ended();
}

}  // namespace

Result<InstanceLock> InstanceLock::take(const std::string& path) {
    UniqueFd file(
        ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0600));
    if (!file) return Failure{errno_error("opening the lock " + path)};
    const auto until = std::chrono::steady_clock::now() + kChildOfTheDead;
    while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) return Failure{errno_error("locking " + path)};
        const pid_t owner = read_owner(file.get());
        if (owner <= 0 || is_running(owner) || std::chrono::steady_clock::now() >= until)
            return Failure{Error{path + " is held by " +
                                     (owner > 0 ? "pid " + std::to_string(owner) : "another process") +
                                     ": only one daemon may use this directory",
                                 EWOULDBLOCK}};
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    // To tell the owner by: the lock itself is what counts, so a full disk does not matter.
    char owner[16];
    const int length = std::snprintf(owner, sizeof owner, "%d\n", ::getpid());
    if (::ftruncate(file.get(), 0) == 0) [[maybe_unused]]
        const ssize_t ignored = ::pwrite(file.get(), owner, static_cast<std::size_t>(length), 0);
    return InstanceLock(std::move(file));
}

Result<UnixListener> UnixListener::open(const InstanceLock&, ListenerOptions options) {
    const std::string& path = options.path;
    if (path.empty() || path.front() != '/' || path.find('\0') != std::string::npos)
        return Failure{Error{"the socket path \"" + path + "\" is not an absolute path", EINVAL}};
    if (path.size() > kMostSocketPath)
        return Failure{Error{"the socket path " + path + " has " + std::to_string(path.size()) +
                                 " bytes; a Unix socket allows " + std::to_string(kMostSocketPath),
                             ENAMETOOLONG}};
    UnixListener listener(std::move(options));
    if (auto bound = listener.bind_and_listen(); !bound) return Failure{bound.error()};
    return listener;
}

Result<UnixListener> UnixListener::adopt(const InstanceLock& lock, ListenerOptions options, UniqueFd held) {
    struct stat status {};
    const bool there = held && ::lstat(options.path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode);
    // Nobody else listens in this directory while we have its lock: whoever answers at the path is the one we
    // hold.
    const int answer = there ? try_connect(options.path, options.type) : ENOENT;
    if (!there || (answer != 0 && answer != EAGAIN)) {
        held.reset();
        return open(lock, std::move(options));
    }
    UnixListener listener(std::move(options));
    listener.bound_ = Identity{status.st_dev, status.st_ino};
    listener.fd_ = std::move(held);
    if (auto set = listener.set_rights(listener.options_.path); !set) return Failure{set.error()};
    return listener;
}

/// The group first: until it is right the socket is the owner's only.
Result<void> UnixListener::set_rights(const std::string& path) const {
    if (options_.group && ::lchown(path.c_str(), static_cast<uid_t>(-1), *options_.group) != 0)
        return Failure{errno_error("giving the socket " + options_.path + " to group " +
                                   std::to_string(*options_.group))};
    if (::chmod(path.c_str(), options_.mode) != 0)
        return Failure{errno_error("setting the mode of " + options_.path)};
    return {};
}

Result<void> UnixListener::bind_and_listen() {
    const std::string& path = options_.path;
    if (auto cleared = clear_stale(path, options_.type); !cleared) return cleared;
    const NewSocket made(path);
    UniqueFd fd = socket_of(options_.type);
    if (!made.directory() || !fd) return Failure{errno_error("making the socket " + path)};
    // The mode of the descriptor becomes that of the path at bind, less the umask: at no instant is it wider
    // than asked.
    const auto address = socket_address(made.path());
    if (!address) return Failure{Error{"binding the socket " + path, ENAMETOOLONG}};
    if (::fchmod(fd.get(), options_.mode & 0600) != 0 ||
        ::bind(fd.get(), plain(*address), sizeof *address) != 0)
        return Failure{errno_error("binding the socket " + path)};
    struct stat status {};
    if (::lstat(made.path().c_str(), &status) != 0)
        return Failure{errno_error("looking at the socket " + path)};
    if (auto set = set_rights(made.path()); !set) return set;
    if (::listen(fd.get(), options_.backlog) != 0) return Failure{errno_error("listening on " + path)};
    if (::rename(made.path().c_str(), path.c_str()) != 0)
        return Failure{errno_error("putting the socket in its place, " + path)};
    bound_ = Identity{status.st_dev, status.st_ino};
    fd_ = std::move(fd);
    return {};
}

bool UnixListener::in_place() const noexcept {
    struct stat status {};
    return bound_ && ::lstat(options_.path.c_str(), &status) == 0 && status.st_dev == bound_->device &&
           status.st_ino == bound_->inode;
}

Result<void> UnixListener::recreate() {
    remove_path();
    fd_.reset();
    return bind_and_listen();
}

void UnixListener::remove_path() noexcept {
    if (in_place()) ::unlink(options_.path.c_str());
    bound_.reset();
}

UnixListener::UnixListener(UnixListener&& other) noexcept
    : options_(std::move(other.options_)),
      fd_(std::move(other.fd_)),
      bound_(std::exchange(other.bound_, {})) {}

UnixListener& UnixListener::operator=(UnixListener&& other) noexcept {
    if (this == &other) return *this;
    remove_path();
    options_ = std::move(other.options_);
    fd_ = std::move(other.fd_);
    bound_ = std::exchange(other.bound_, {});
    return *this;
}

UnixListener::~UnixListener() {
    remove_path();
}

}  // namespace vigil::os
