#include "linux/cgroup/cgroup.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>

#include <cerrno>
#include <charconv>
#include <utility>

#include "linux/cgroup/cgroup_files.hpp"
#include "linux/file/small_file.hpp"

namespace vigil::os {
namespace {

constexpr std::chrono::seconds kReuseWait{3};

}  // namespace

Result<TaskCgroup> TaskCgroup::create(std::shared_ptr<CgroupHome> home, std::string_view task,
                                      core::Generation generation) {
    std::string name = "tasks/" + name_of(task, generation);
    const int directory = home->directory_.get();
    const std::string path = home->base_ + "/" + name;
    if (::mkdirat(directory, name.c_str(), 0755) != 0) {
        if (errno != EEXIST) return Failure{errno_error("making the cgroup " + path)};
        // A process born in a frozen cgroup would never get to its exec, one that is in it already would
        // pass for the new run's.
        if (!cgroup_files::end_all(directory, name, home->features_.cgroup_kill, kReuseWait))
            return Failure{
                Error{"ending the processes that are in the cgroup " + path + " from before", ETIMEDOUT}};
        if (auto removed = cgroup_files::remove(directory, name); !removed) return Failure{removed.error()};
        if (::mkdirat(directory, name.c_str(), 0755) != 0)
            return Failure{errno_error("making the cgroup " + path)};
    }
    return TaskCgroup(std::move(home), std::move(name));
}

TaskCgroup TaskCgroup::adopt(std::shared_ptr<CgroupHome> home, std::string_view task,
                             core::Generation generation) {
    std::string name = "tasks/" + name_of(task, generation);
    if (::faccessat(home->directory_.get(), name.c_str(), F_OK, 0) != 0) return {};
    return {std::move(home), std::move(name)};
}

std::string TaskCgroup::name_of(std::string_view task, core::Generation generation) {
    return std::string(task) + "." + std::to_string(static_cast<std::uint64_t>(generation));
}

TaskCgroup::TaskCgroup(TaskCgroup&& other) noexcept
    : home_(std::exchange(other.home_, nullptr)), name_(std::exchange(other.name_, {})) {}

TaskCgroup& TaskCgroup::operator=(TaskCgroup&& other) noexcept {
    TaskCgroup taken(std::move(other));
    std::swap(home_, taken.home_);
    std::swap(name_, taken.name_);
    return *this;
}

TaskCgroup::~TaskCgroup() {
    if (!home_ || remove()) return;
    (void)kill();
    (void)remove();
}

std::string TaskCgroup::path() const {
    return home_ ? home_->base_ + "/" + name_ : std::string();
}

Result<UniqueFd> TaskCgroup::open() const {
    UniqueFd fd(::openat(directory(), name_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!fd) return Failure{errno_error("opening the cgroup " + path())};
    return fd;
}

bool TaskCgroup::populated() const {
    return cgroup_files::populated(directory(), name_);
}

std::vector<pid_t> TaskCgroup::members() const {
    return cgroup_files::members(directory(), name_);
}

bool TaskCgroup::holds(pid_t pid) const {
    if (home_ == nullptr) return false;
    const std::vector<pid_t> all = members();
    return std::find(all.begin(), all.end(), pid) != all.end();
}

Result<void> TaskCgroup::kill() const {
    return cgroup_files::kill(directory(), name_, home_->features_.cgroup_kill);
}

Result<void> TaskCgroup::freeze(bool frozen) const {
    return cgroup_files::freeze(directory(), name_, frozen);
}

std::optional<std::string> TaskCgroup::read(const char* file) const {
    return read_small_file(directory(), (name_ + "/" + file).c_str());
}

std::optional<std::chrono::microseconds> TaskCgroup::cpu_time() const {
    const auto text = read("cpu.stat");
    const auto usage = text ? find_counter(*text, "usage_usec") : std::nullopt;
    if (!usage) return std::nullopt;
    return std::chrono::microseconds(*usage);
}

std::optional<std::uint64_t> TaskCgroup::memory() const {
    const auto text = read("memory.current");
    std::uint64_t bytes = 0;
    if (!text || std::from_chars(text->data(), text->data() + text->size(), bytes).ec != std::errc{})
        return std::nullopt;
    return bytes;
}

std::optional<std::uint64_t> TaskCgroup::oom_kills() const {
    const auto text = read("memory.events");
    return text ? find_counter(*text, "oom_kill") : std::nullopt;
}

Result<void> TaskCgroup::remove() {
    if (!home_) return {};
    auto removed = cgroup_files::remove(directory(), name_);
    if (removed) {
        home_.reset();
        name_.clear();
    }
    return removed;
}

}  // namespace vigil::os
