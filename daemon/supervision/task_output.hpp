// Layer daemon. What tasks print, as the daemon's loop sees it: hands the pipes of each run to the collector,
// keeps the last lines of each task's last run, and says in the log what the collector's threads found.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/unique_fd.hpp"
#include "core/spec.hpp"
#include "core/state.hpp"
#include "logger.hpp"
#include "loop/loop.hpp"
#include "output/collector.hpp"
#include "protocol/task_logs.hpp"
#include "protocol/task_status.hpp"

namespace vigil::daemon {

class TaskOutput {
  public:
    struct Settings {
        std::string log_dir;  ///< absolute; empty: there is none, and only tasks with a path have a log
        gid_t group = static_cast<gid_t>(-1);          ///< of the logs; -1: the daemon's
        std::shared_ptr<output::TransferNotes> notes;  ///< see output::CollectorOptions
        /// All that a finished run has printed is in its log.
        std::function<void(const std::string& task, core::Generation run)> drained;
    };
    /// Starts the collector's threads.
    [[nodiscard]] static Result<std::unique_ptr<TaskOutput>> create(Loop& loop, Settings settings,
                                                                    std::shared_ptr<spdlog::logger> log);
    TaskOutput(const TaskOutput&) = delete;
    TaskOutput& operator=(const TaskOutput&) = delete;

    /// The read ends of a run's stdout and stderr, as the spawner gave them; either may be empty. False:
    /// there is none, and nothing to finish.
    [[nodiscard]] bool attach(core::TaskId task, core::Generation generation, const core::SpecPtr& spec,
                              pid_t pid, UniqueFd (&pipes)[2]);
    /// See output::Collector::hold().
    void hold(bool held) { collector_->hold(held); }
    /// Nothing of a run that was attached lives any more.
    void finish(core::TaskId task, core::Generation generation, const core::SpecPtr& spec);
    /// The task is gone for good.
    void forget(core::TaskId task);
    /// Asks for the pipes that were attached after number `after`; what comes of it goes to the viewer, and
    /// that before Settings::drained is called for a run whose pipe came. See output::Collector.
    void show_pipes(std::uint64_t after) { collector_->show_pipes(after); }
    using Viewer = std::function<void(std::vector<output::ShownPipe>& pipes,
                                      const std::optional<output::Showing>& showing)>;
    void set_viewer(Viewer viewer) { viewer_ = std::move(viewer); }
    /// Before an exec: what moves output rests, or goes on if nothing came of it.
    void rest(bool rest);
    /// Opens every log anew.
    void reopen() { collector_->reopen(); }

    /// Nothing for a task without a log.
    [[nodiscard]] std::optional<protocol::OutputFacts> facts(core::TaskId task,
                                                             const core::TaskSpec& spec) const;
    /// What the run of `generation` printed last; null where that is not known (yet).
    [[nodiscard]] const std::vector<std::string>* last_lines(core::TaskId task,
                                                             core::Generation generation) const;
    /// The files that a task's output would go to; none for a task without a log.
    [[nodiscard]] std::vector<std::string> paths(const core::TaskSpec& spec) const;
    /// Where to look for what a task printed: one place, or two for streams that are apart.
    [[nodiscard]] std::vector<protocol::LogPlace> places(core::TaskId task, const core::TaskSpec& spec) const;

  private:
    TaskOutput(Loop& loop, Settings settings, std::unique_ptr<output::Collector> collector,
               std::shared_ptr<spdlog::logger> log);
    void take_news();

    struct LastRun {
        core::Generation generation{};
        std::vector<std::string> lines;
    };

    Settings settings_;
    std::shared_ptr<spdlog::logger> log_;
    std::unique_ptr<output::Collector> collector_;
    output::News news_;
    Viewer viewer_;
    std::unordered_map<core::TaskId, LastRun> last_runs_;
    std::map<std::pair<core::TaskId, core::Generation>, core::SpecPtr> finishing_;
    Watch watch_;
};

}  // namespace vigil::daemon
