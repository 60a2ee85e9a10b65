#include "recovery/lost_runs.hpp"

#include <dirent.h>
#include <unistd.h>

#include <chrono>
#include <ctime>
#include <map>
#include <memory>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "core/cause.hpp"
#include "linux/cgroup/cgroup.hpp"
#include "linux/file/random_name.hpp"
#include "linux/process/process.hpp"
#include "linux/spawn/identity.hpp"
#include "recovery/run_ending.hpp"
#include "recovery/stored_spec.hpp"

namespace vigil::daemon {
namespace {

constexpr auto kEndLimit = std::chrono::seconds(2);

std::unordered_set<std::string_view> names_of(const Leftovers& left) {
    std::unordered_set<std::string_view> names;
    for (const state::Found& found : left.found) names.insert(found.record.task.name);
    return names;
}

/// A notify socket that neither a record nor the keeper says anything of.
bool has_unexplained_socket(const Leftovers& left, const LostRunSearch& search) {
    std::unordered_set<std::string> explained;
    for (const state::Found& found : left.found) explained.insert(found.record.run.notify_path);
    for (std::string& path : search.kept.notify_paths()) explained.insert(std::move(path));
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(search.notify_directory.c_str()),
                                                        ::closedir);
    while (const dirent* entry = directory ? ::readdir(directory.get()) : nullptr)
        if (entry->d_name[0] != '.' && !explained.contains(search.notify_directory + "/" + entry->d_name))
            return true;
    return false;
}

/// The last component where that stands in a directory of tasks' cgroups.
std::string_view task_cgroup(std::string_view cgroup) {
    constexpr std::string_view kTasks = "/tasks";
    const std::size_t slash = cgroup.rfind('/');
    if (slash == std::string_view::npos || !cgroup.substr(0, slash).ends_with(kTasks)) return {};
    return cgroup.substr(slash + 1);
}

core::TimePoint started_at(const os::ProcessEntry& entry) {
    timespec now{};
    ::clock_gettime(CLOCK_BOOTTIME, &now);
    const auto since_boot = std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
    const auto ticks = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
    const auto start = std::chrono::milliseconds(entry.start_time * 1000 / ticks);
    return std::chrono::steady_clock::now() - std::chrono::duration_cast<core::Duration>(since_boot - start);
}

class Search {
  public:
    Search(Leftovers& left, const LostRunSearch& search, RecordBook& book, spdlog::logger& log)
        : left_(left), search_(search), book_(book), log_(log), ending_(search.features) {
        for (const core::SpecPtr& spec : search.config.tasks) configured_.emplace(spec->name, spec);
        for (const auto& [id, spec] : left.specs) {
            std::uint64_t& newest = stored_[spec.name];
            newest = std::max(newest, id);
        }
    }

    void run() {
        own_cgroup_ = os::own_cgroup_path();
        std::map<std::string, os::MarkedRun> youngest;
        const auto known = names_of(left_);
        for (os::MarkedRun& run : os::group_by_run(os::find_marked(search_.runtime_dir))) {
            const os::RunMarks& marks = run.processes.front().marks;
            if (known.contains(marks.task) || !config::task_name_fault(marks.task).empty()) continue;
            if (!is_ours(run)) continue;
            const auto [place, first] = youngest.try_emplace(marks.task);
            if (run.leader() == nullptr || (!first && !is_younger(run, place->second))) {
                end(run);
                if (first) youngest.erase(place);
                continue;
            }
            if (!first) end(place->second);
            place->second = std::move(run);
        }
        const auto survivors = ending_.finish(kEndLimit);
        if (ending_.count() != 0)
            log_.warn("ended what was left of {} runs that no record tells of{}", ending_.count(),
                      survivors.empty() ? "" : "; some of it is still there");
        std::size_t entered = 0;
        for (const auto& [name, run] : youngest) entered += enter(*run.leader()) ? 1U : 0U;
        if (entered != 0) log_.warn("found {} tasks again by what marks their processes", entered);
    }

  private:
    static bool is_younger(const os::MarkedRun& one, const os::MarkedRun& other) {
        const auto age = [](const os::MarkedRun& run) {
            const os::MarkedProcess& leader = *run.leader();
            return std::pair(leader.marks.generation, leader.entry.start_time);
        };
        return age(one) > age(other);
    }

    /// The spec that the last run of this name was started with, else the one that is configured.
    [[nodiscard]] core::SpecPtr spec_of(const std::string& task) const {
        if (const auto stored = stored_.find(task); stored != stored_.end())
            if (auto spec = read_stored_spec(left_.specs.at(stored->second), log_)) return spec;
        const auto configured = configured_.find(task);
        return configured == configured_.end() ? nullptr : configured->second;
    }

    [[nodiscard]] bool is_ours(const os::MarkedRun& run) const {
        const os::MarkedProcess* leader = run.leader();
        const os::MarkedProcess& one = leader != nullptr ? *leader : run.processes.front();
        Credentials credentials{.own_cgroup = own_cgroup_,
                                .kept_notify = search_.kept.notify_path(one.marks.task, one.marks.generation),
                                .expected = {},
                                .own_uid = ::geteuid()};
        if (const core::SpecPtr spec = spec_of(one.marks.task))
            if (const auto identity = os::look_up_identity(*spec->launch))
                credentials.expected = identity->uid;
        const std::string why = misfit(one, credentials);
        if (!why.empty())
            log_.warn("process {} ({}) says that it is a run of {}, but {}: it is left alone", one.entry.pid,
                      escape_for_display(one.entry.command), one.marks.task, why);
        return why.empty();
    }

    void end(const os::MarkedRun& run) {
        const os::RunMarks& marks = run.processes.front().marks;
        log_.warn("{}: what is left of generation {} is ended", marks.task,
                  static_cast<std::uint64_t>(marks.generation));
        ending_.add(marks.invocation);
    }

    /// False: it has ended meanwhile.
    bool enter(const os::MarkedProcess& leader) {
        const auto pidfd = os::open_pidfd(leader.entry.pid);
        const auto now = os::read_process(leader.entry.pid);
        if (!pidfd || !now || now->start_time != leader.entry.start_time) return false;
        state::Record record;
        record.task.name = leader.marks.task;
        record.task.state = core::StateName::healthy;
        record.task.cause = {core::cause::Adopted{}};
        record.task.generation = leader.marks.generation;
        record.task.runs = static_cast<std::uint64_t>(leader.marks.generation);
        record.task.paused = now->state == 'T';
        record.task.started_at = started_at(leader.entry);
        record.task.main_pid = leader.entry.pid;
        record.run.invocation = os::from_hex(leader.marks.invocation).value();
        record.run.start_time = leader.entry.start_time;
        record.run.pidfd_inode = search_.features.pidfd_inode ? os::unique_inode(pidfd->get()) : 0;
        record.run.uid = leader.uid;
        record.run.cgroup = !task_cgroup(leader.cgroup).empty() && leader.cgroup != own_cgroup_;
        record.run.notify_path = leader.marks.notify_path;
        if (const auto stored = stored_.find(record.task.name); stored != stored_.end())
            record.spec = stored->second;
        left_.found.push_back(book_.enter(record, leader.entry.pid));
        return true;
    }

    Leftovers& left_;
    const LostRunSearch& search_;
    RecordBook& book_;
    spdlog::logger& log_;
    std::string own_cgroup_;
    std::unordered_map<std::string_view, core::SpecPtr> configured_;
    std::unordered_map<std::string_view, std::uint64_t> stored_;  ///< the newest id of each name
    RunEnding ending_;
};

}  // namespace

bool may_have_lost_runs(const Leftovers& left, const LostRunSearch& search) {
    if (left.incomplete || (left.found.empty() && search.unclean)) return true;
    const auto known = names_of(left);
    for (const std::string& task : search.kept.tasks())
        if (!known.contains(task)) return true;
    return has_unexplained_socket(left, search);
}

void find_lost_runs(Leftovers& left, const LostRunSearch& search, RecordBook& book, spdlog::logger& log) {
    if (may_have_lost_runs(left, search)) Search(left, search, book, log).run();
}

std::string misfit(const os::MarkedProcess& process, const Credentials& credentials) {
    const os::RunMarks& marks = process.marks;
    const std::string_view cgroup =
        process.cgroup == credentials.own_cgroup ? std::string_view() : task_cgroup(process.cgroup);
    if (!cgroup.empty() && cgroup != os::TaskCgroup::name_of(marks.task, marks.generation))
        return "it is in the cgroup " + escape_for_display(process.cgroup);
    if (!credentials.kept_notify.empty()) {
        // A name that cannot be guessed, in a directory that cannot be listed.
        if (marks.notify_path == credentials.kept_notify) return {};
        return "its notify socket is not that run's";
    }
    if (process.uid == 0 || process.uid == credentials.own_uid || process.uid == credentials.expected)
        return {};
    return "it is run by uid " + std::to_string(process.uid);
}

}  // namespace vigil::daemon
