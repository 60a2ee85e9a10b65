#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <memory>
#include <thread>
#include <unordered_set>

#include "linux/cgroup/cgroup.hpp"
#include "linux/cgroup/cgroup_files.hpp"
#include "linux/cgroup/cgroup_place.hpp"
#include "linux/file/small_file.hpp"

namespace vigil::os {
namespace {

constexpr const char* kTasks = "tasks";
constexpr const char* kLeaf = "vigild";
constexpr std::chrono::milliseconds kPredecessorLimit{5'000};
constexpr std::chrono::milliseconds kLeafLimit{500};

Error unusable(const std::string& path, const std::string& why, int code) {
    return {"using " + path + " for the cgroups of tasks: " + why, code};
}

bool is_same_or_below(std::string_view path, std::string_view above) {
    return path.starts_with(above) && (path.size() == above.size() || path[above.size()] == '/');
}

/// Makes the directories that are missing; they are cgroups as soon as they are in cgroup2. `made`: the last
/// one was not there.
Result<void> make_path(const std::string& path, bool& made) {
    for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
        const std::string part = path.substr(0, end);
        made = ::mkdir(part.c_str(), 0755) == 0;
        const int code = errno;
        if (!made && ::access(part.c_str(), F_OK) != 0)
            return Failure{unusable(path, "making " + part, code)};
        if (end == std::string::npos) return {};
    }
}

Result<UniqueFd> open_in_cgroup2(const std::string& path) {
    UniqueFd directory(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!directory) return Failure{unusable(path, "opening it", errno)};
    struct statfs system {};
    if (::fstatfs(directory.get(), &system) != 0) return Failure{unusable(path, "looking at it", errno)};
    if (system.f_type != CGROUP2_SUPER_MAGIC)
        return Failure{unusable(path,
                                "it is not in a cgroup2 file system; see `findmnt -t cgroup2` for where one "
                                "is, or use \"auto\" or \"off\"",
                                EINVAL)};
    return directory;
}

/// The first directory of `path` that exists.
std::string existing_part(std::string path) {
    while (path.size() > 1 && ::access(path.c_str(), F_OK) != 0) {
        const std::size_t slash = path.rfind('/');
        path = slash == 0 ? "/" : path.substr(0, slash);
    }
    return path;
}

/// After a re-exec this process is in the leaf that it made itself, and systemd puts what it runs after the
/// end of a delegated unit into "<unit>/.control"; then the base is above.
std::optional<CgroupPlace> own_base() {
    auto own = find_own_cgroup();
    if (!own || !(own->directory.ends_with("/vigild") || own->directory.ends_with("/.control"))) return own;
    const std::string above = own->directory.substr(0, own->directory.rfind('/'));
    if (::access((above + "/tasks/cgroup.events").c_str(), F_OK) == 0) own->directory = above;
    return own;
}

}  // namespace

Result<CgroupHome::Opened> CgroupHome::open(const CgroupWish& wish, const Features& features,
                                            const std::vector<std::string>& to_adopt) {
    Opened opened;
    if (wish.kind == CgroupWish::Kind::off) {
        opened.reason = "turned off";
        return opened;
    }
    const auto own = own_base();
    const bool automatic = wish.kind == CgroupWish::Kind::automatic;
    if (automatic) {
        opened.reason =
            own ? why_not_delegated(*own) : "no cgroup2 is mounted that shows vigild's own cgroup";
        if (!opened.reason.empty()) return opened;
    }
    std::string base = automatic ? own->directory : wish.path;
    while (base.size() > 1 && base.ends_with('/')) base.pop_back();
    bool made = false;
    if (!automatic) {
        if (!base.starts_with('/')) return Failure{unusable(base, "the path is not absolute", EINVAL)};
        // Nothing is made in any other file system.
        if (auto there = open_in_cgroup2(existing_part(base)); !there)
            return Failure{unusable(base, there.error().doing, there.error().code)};
        if (auto path = make_path(base, made); !path) return Failure{path.error()};
    }
    auto directory = open_in_cgroup2(base);
    if (!directory) return Failure{directory.error()};
    std::shared_ptr<CgroupHome> home(new CgroupHome(base, std::move(directory).value(), features));
    home->base_made_ = made;
    if (auto tasks = home->make_tasks(); !tasks) {
        if (!automatic) return Failure{tasks.error()};
        opened.reason = tasks.error().text();
        return opened;
    }
    home->end_predecessors(opened, to_adopt);
    if (own && is_same_or_below(base, own->directory) && !(own->namespace_root && base != own->directory))
        home->enter_leaf(own->directory);
    opened.home = std::move(home);
    return opened;
}

Result<void> CgroupHome::make_tasks() {
    if (::mkdirat(directory_.get(), kTasks, 0755) == 0 || errno == EEXIST) {
        // What matters is whether cgroups can be made in it.
        if (::faccessat(directory_.get(), "tasks/cgroup.procs", W_OK, AT_EACCESS) == 0 &&
            ::faccessat(directory_.get(), kTasks, W_OK, AT_EACCESS) == 0)
            return lock_tasks();
    }
    const int code = errno;
    return Failure{unusable(base_, "making " + base_ + "/tasks; it has to belong to vigild's user", code)};
}

/// Two daemons may share a base (in a container both find its cgroup): the second must not take the first
/// one's tasks for left-overs.
Result<void> CgroupHome::lock_tasks() {
    UniqueFd tasks(::openat(directory_.get(), kTasks, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!tasks) return Failure{unusable(base_, "opening " + base_ + "/tasks", errno)};
    if (::flock(tasks.get(), LOCK_EX | LOCK_NB) != 0) {
        const int code = errno;
        return Failure{unusable(
            base_,
            code == EWOULDBLOCK ? "another vigild holds " + base_ + "/tasks; give each a directory of its own"
                                : "locking " + base_ + "/tasks",
            code)};
    }
    // Its last holder may have removed it between the opening and the lock.
    struct stat locked {};
    struct stat named {};
    if (::fstat(tasks.get(), &locked) != 0 || ::fstatat(directory_.get(), kTasks, &named, 0) != 0 ||
        locked.st_ino != named.st_ino)
        return Failure{unusable(base_, "another vigild just left " + base_ + "/tasks; try again", EAGAIN)};
    lock_ = std::move(tasks);
    return {};
}

void CgroupHome::end_predecessors(Opened& opened, const std::vector<std::string>& to_adopt) {
    const std::unordered_set<std::string_view> kept(to_adopt.begin(), to_adopt.end());
    const int fd = ::openat(directory_.get(), kTasks, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    std::vector<std::string> names;
    {
        const std::unique_ptr<DIR, int (*)(DIR*)> list(::fdopendir(fd), ::closedir);
        while (const dirent* entry = list ? ::readdir(list.get()) : nullptr)
            if (entry->d_type == DT_DIR && entry->d_name[0] != '.' && !kept.contains(entry->d_name))
                names.push_back(std::string(kTasks) + "/" + entry->d_name);
    }
    // All are told before any is waited for.
    for (const std::string& name : names) {
        (void)cgroup_files::freeze(directory_.get(), name, false);
        if (cgroup_files::populated(directory_.get(), name))
            (void)cgroup_files::kill(directory_.get(), name, features_.cgroup_kill);
    }
    const auto until = std::chrono::steady_clock::now() + kPredecessorLimit;
    for (const std::string& name : names) {
        const auto rest =
            std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
        const bool empty = cgroup_files::end_all(directory_.get(), name, features_.cgroup_kill,
                                                 std::max(rest, std::chrono::milliseconds(0)));
        const auto removed =
            empty ? cgroup_files::remove(directory_.get(), name)
                  : Result<void>(Failure{Error{"waiting for the end of its processes", ETIMEDOUT}});
        if (removed) {
            ++opened.ended;
        } else {
            opened.left.push_back(base_ + "/" + name + ": " + removed.error().text());
        }
    }
}

/// Failing changes nothing: cgroups for tasks can be made all the same as long as no controller is on.
void CgroupHome::enter_leaf(const std::string& own) {
    UniqueFd origin(::open(own.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!origin) return;
    leaf_made_ = ::mkdirat(directory_.get(), kLeaf, 0755) == 0;
    if (!leaf_made_ && errno != EEXIST) return;
    if (write_small_file(directory_.get(), "vigild/cgroup.procs", "0") == 0) {
        origin_ = std::move(origin);
    } else if (leaf_made_) {
        leaf_made_ = ::unlinkat(directory_.get(), kLeaf, AT_REMOVEDIR) != 0;
    }
}

/// The last threads that were joined may still be on their way out, and do not come along when the process
/// leaves.
void CgroupHome::remove_leaf() const noexcept {
    const auto until = std::chrono::steady_clock::now() + kLeafLimit;
    while (::unlinkat(directory_.get(), kLeaf, AT_REMOVEDIR) != 0 && errno == EBUSY &&
           std::chrono::steady_clock::now() < until)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

void CgroupHome::close() noexcept {
    if (!directory_) return;
    // Without the lock nothing in it is ours. It is kept, since what cannot be removed now may be later.
    if (lock_) {
        (void)::unlinkat(directory_.get(), kTasks, AT_REMOVEDIR);
        if (origin_) (void)write_small_file(origin_.get(), "cgroup.procs", "0");
        origin_.reset();
        remove_leaf();
    }
    if (base_made_) (void)::rmdir(base_.c_str());
}

}  // namespace vigil::os
