// Layer daemon. A reload in two phases: the files are read and compared with what runs in another thread, and
// nothing is changed before all of it is known to be good; then everything is applied in one turn of the
// loop.
//
// One at a time: whoever asks while another reload is being read, or while a task is being written to the
// configuration, is refused (busy); a SIGHUP meanwhile is done afterwards. What follows from an applied
// reload (stops, restarts) does not hold up the next one.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "config/reload_plan.hpp"
#include "control/facts.hpp"
#include "core/effect.hpp"
#include "core/supervisor.hpp"
#include "core/waits.hpp"
#include "logger.hpp"
#include "loop/loop.hpp"
#include "place.hpp"
#include "reload/config_trace.hpp"
#include "reload/last_good.hpp"

namespace vigil::daemon {

/// A configuration that was read, and how its files looked.
struct ReadConfig {
    config::Config config;
    ConfigTrace trace;
    /// Why the last good configuration stands in for the files; empty: it does not.
    std::string fault{};
};

/// daemon.max_starting, or what stands for it.
[[nodiscard]] unsigned starting_limit(const config::DaemonSettings& settings);

class Reloader {
  public:
    struct Parts {
        Loop& loop;
        core::Supervisor& supervisor;
        Facts& facts;
        std::shared_ptr<spdlog::logger> log;
        std::function<void()> turn;
    };
    /// `running` is the configuration that the supervisor is given.
    Reloader(Parts parts, const Directories& directories, const ReadConfig& running);

    enum class Verdict : std::uint8_t { good, invalid, busy };
    struct Judgement {
        Verdict verdict = Verdict::good;
        std::string why{};                    ///< of busy
        std::vector<std::string> problems{};  ///< of invalid
        config::ReloadPlan plan{};            ///< of good
    };

    /// How the one who asked follows it. Everything is called in the loop; what is empty is not called.
    struct Follower {
        /// Once, first; for a good one that is to be applied, just before it is.
        std::function<void(const Judgement&)> judged;
        /// In place of Supervisor::handle; with the outcome that the order is to reach, if there is one.
        std::function<void(core::TaskId, const core::Event&, std::optional<core::Goal>)> order;
        std::function<void(core::TaskId)> added;
        /// Everything is ordered; the turn that carries it out comes next.
        std::function<void()> applied;
    };
    void propose(bool dry_run, Follower follower);
    /// SIGHUP: what comes of it is in the log.
    void reload();

    /// Tells which tasks there are.
    void changed(const core::effect::Announce& change);
    [[nodiscard]] bool config_changed() { return behind_ || !fault_.empty() || trace_.differs(); }
    /// Why the files could not be used at the start; empty from the first reload on that takes them over.
    [[nodiscard]] const std::string& config_fault() const noexcept { return fault_; }
    /// What runs is older than what was read at the start.
    void fell_behind() noexcept { behind_ = true; }
    /// Writes down the configuration that runs.
    void keep_last_good();

    // A change of the files by the daemon itself.
    /// False: a reload or another change is on its way.
    [[nodiscard]] bool begin_change();
    void end_change();
    [[nodiscard]] bool includes(const std::string& path) const { return trace_.includes(path); }
    /// Whether the task is there because a file said so, be it in the files still or not.
    [[nodiscard]] bool is_from_file(const std::string& task) const;
    /// The same for a task of a daemon before this one, which the next reload is to remove if no file has it.
    void was_from_file(const std::string& task) { origins_[task].from_file = true; }
    /// The file in which the running configuration has the task; empty: in none.
    [[nodiscard]] std::string file_of(const std::string& task) const;
    void task_written(const std::string& task, const std::string& path);
    void task_unwritten(const std::string& task, const std::string& path);

  private:
    struct Work;

    [[nodiscard]] std::vector<config::PresentTask> present() const;
    void compare(const std::shared_ptr<Work>& work);
    void conclude(const std::shared_ptr<Work>& work);
    [[nodiscard]] std::string leaving_task(const config::Config& wanted) const;
    void apply(Work& work);
    void order(const Follower& follower, core::TaskId task, const core::Event& event,
               std::optional<core::Goal> goal);
    void change(const Follower& follower, const config::TaskChange& change);
    void take_over(Work& work);
    void take_names(const config::Config& config);
    void note_file(const std::string& task, const std::string& file);

    Parts parts_;
    std::string log_dir_;
    config::DaemonSettings settings_;
    ConfigTrace trace_;
    std::string fault_;
    LastGood last_good_;
    /// Of a task that the running configuration has, or that is there because a file said so.
    struct Origin {
        const std::string* file = nullptr;  ///< in which the running configuration has it; in files_
        bool from_file = false;             ///< it is there because a file says so
    };
    std::unordered_map<std::string, Origin> origins_;
    std::unordered_set<std::string> files_;  ///< those of them that have tasks
    std::uint64_t revision_ = 0;             ///< counts tasks that came and went
    bool behind_ = false;
    bool busy_ = false;
    bool again_ = false;  ///< SIGHUP came meanwhile
};

}  // namespace vigil::daemon
