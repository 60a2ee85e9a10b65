// Layer linux. cgroups (v2) as containers of processes: nothing can leave its task's, whatever it forks, and
// all of it is killed by one write. No controller is turned on.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "core/state.hpp"
#include "linux/self/features.hpp"

namespace vigil::os {

/// Where cgroups of tasks are wanted.
struct CgroupWish {
    enum class Kind : std::uint8_t {
        automatic,  ///< below our own, if it was delegated to us
        off,
        path,
    };
    Kind kind = Kind::automatic;
    std::string path;  ///< absolute, for Kind::path
};

/// The directory in which tasks get their cgroups: <base>/tasks/<task>.<generation>. Thread-safe, but for
/// open() and close().
class CgroupHome {
  public:
    struct Opened {
        std::shared_ptr<CgroupHome> home;  ///< null: tasks get no cgroups
        std::string reason;                ///< why not, for the log; empty where there is a home
        std::size_t ended = 0;             ///< cgroups that a predecessor had left, ended and removed
        std::vector<std::string> left;     ///< those that could not be, with the reason
    };
    /// Finds the place, makes `tasks` in it and ends what a predecessor left there, at most 5 s long; all but
    /// the cgroups of these names ("web.3"), which are to be adopted. Where
    /// the base is our own cgroup or below, this process moves into <base>/vigild: processes are to be in the
    /// leaves. `tasks` is locked (flock(2)) for the home's life: what lies in it is a predecessor's only if
    /// nobody holds it. With Kind::path a place that cannot be used is an error; with Kind::automatic a
    /// reason.
    [[nodiscard]] static Result<Opened> open(const CgroupWish& wish, const Features& features,
                                             const std::vector<std::string>& to_adopt = {});
    CgroupHome(const CgroupHome&) = delete;
    CgroupHome& operator=(const CgroupHome&) = delete;
    ~CgroupHome() { close(); }

    /// Moves this process back and removes what was made, as far as nobody is in it; for who is about to
    /// leave this process's own leaf it waits, for half a second at most. Repeatable.
    void close() noexcept;

    [[nodiscard]] const std::string& base() const noexcept { return base_; }

  private:
    friend class TaskCgroup;
    CgroupHome(std::string base, UniqueFd directory, const Features& features)
        : base_(std::move(base)), directory_(std::move(directory)), features_(features) {}

    [[nodiscard]] Result<void> make_tasks();
    [[nodiscard]] Result<void> lock_tasks();
    void end_predecessors(Opened& opened, const std::vector<std::string>& to_adopt);
    void enter_leaf(const std::string& own);
    void remove_leaf() const noexcept;

    std::string base_;
    UniqueFd directory_;  ///< O_PATH
    UniqueFd lock_;       ///< on `tasks`
    Features features_;
    UniqueFd origin_;  ///< where this process was before it moved to the leaf; none: it did not
    bool leaf_made_ = false;
    bool base_made_ = false;
};

/// The cgroup of one run. Holds no descriptor while the run lives. Empty: there is none. Const calls are
/// thread-safe.
class TaskCgroup {
  public:
    /// Makes it. One that is there from before is thawed, killed and used afresh; may block a few seconds for
    /// that, so not in a loop.
    [[nodiscard]] static Result<TaskCgroup> create(std::shared_ptr<CgroupHome> home, std::string_view task,
                                                   core::Generation generation);
    /// That of a run which a predecessor started; empty where it is not there.
    [[nodiscard]] static TaskCgroup adopt(std::shared_ptr<CgroupHome> home, std::string_view task,
                                          core::Generation generation);
    /// "web.3": what it is called in its home.
    [[nodiscard]] static std::string name_of(std::string_view task, core::Generation generation);
    TaskCgroup() = default;
    TaskCgroup(TaskCgroup&& other) noexcept;
    TaskCgroup& operator=(TaskCgroup&& other) noexcept;
    TaskCgroup(const TaskCgroup&) = delete;
    TaskCgroup& operator=(const TaskCgroup&) = delete;
    /// Removes it; whoever is in it still is killed, and the directory left to the successor then.
    ~TaskCgroup();

    [[nodiscard]] explicit operator bool() const noexcept { return home_ != nullptr; }
    /// Absolute, for messages.
    [[nodiscard]] std::string path() const;
    /// For CLONE_INTO_CGROUP.
    [[nodiscard]] Result<UniqueFd> open() const;

    /// Whether a living process is in it; zombies do not count.
    [[nodiscard]] bool populated() const;
    [[nodiscard]] std::vector<pid_t> members() const;
    /// Whether `pid` is one of them. O(members); false for the empty one.
    [[nodiscard]] bool holds(pid_t pid) const;
    /// SIGKILL to all, whoever they have become. They are gone a moment later.
    [[nodiscard]] Result<void> kill() const;
    [[nodiscard]] Result<void> freeze(bool frozen) const;
    /// CPU time of all that was ever in it.
    [[nodiscard]] std::optional<std::chrono::microseconds> cpu_time() const;
    /// Bytes, page cache included; nothing without the memory controller.
    [[nodiscard]] std::optional<std::uint64_t> memory() const;
    /// How many processes in it the kernel has killed for want of memory; nothing without the memory
    /// controller.
    [[nodiscard]] std::optional<std::uint64_t> oom_kills() const;
    /// Success leaves this empty. EBUSY: somebody is in it.
    [[nodiscard]] Result<void> remove();

  private:
    TaskCgroup(std::shared_ptr<CgroupHome> home, std::string name) noexcept
        : home_(std::move(home)), name_(std::move(name)) {}
    [[nodiscard]] int directory() const noexcept { return home_->directory_.get(); }
    [[nodiscard]] std::optional<std::string> read(const char* file) const;

    std::shared_ptr<CgroupHome> home_;
    std::string name_;  ///< relative to the home's directory
};

}  // namespace vigil::os
