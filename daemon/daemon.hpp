// Layer daemon. The composition root: makes every part, connects them, and runs the loop until everything is
// stopped. The life of a turn: something happens -> Engine::turn reads all that is queued, judges, acts ->
// the timer is set to the supervisor's next deadline.
#pragma once

#include <memory>
#include <optional>

#include "config/config.hpp"
#include "control/server.hpp"
#include "core/engine.hpp"
#include "core/waits.hpp"
#include "linux/cgroup/cgroup.hpp"
#include "linux/self/features.hpp"
#include "linux/self/limits.hpp"
#include "linux/self/standard_streams.hpp"
#include "logger.hpp"
#include "loop/loop.hpp"
#include "place.hpp"
#include "recovery/heirs.hpp"
#include "recovery/keeper_care.hpp"
#include "recovery/record_book.hpp"
#include "reload/reloader.hpp"
#include "service/own_service.hpp"
#include "supervision/announcer.hpp"
#include "supervision/task_output.hpp"
#include "supervision/task_processes.hpp"
#include "upgrade/handover.hpp"
#include "upgrade/upgrader.hpp"

namespace vigil::daemon {

/// What main() has put in order before anything else was opened or started.
struct Process {
    std::shared_ptr<os::LowDescriptors> low_descriptors;
    os::Features features;
    os::OpenFileLimit open_files;
    os::Environment environment;
    std::unique_ptr<Loop> loop;
    Invocation invocation;
    /// Of the vigild that this process was until now; nothing: it begins.
    std::optional<Handover> handover;
};

class Daemon {
  public:
    [[nodiscard]] static Result<std::unique_ptr<Daemon>> create(Process process, Place place,
                                                                ReadConfig config,
                                                                std::shared_ptr<spdlog::logger> log);
    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;

    /// Starts what is to be started and returns when everything is stopped; the exit code.
    int run();

  private:
    /// What can fail to be made.
    struct Parts {
        std::unique_ptr<Loop> loop;
        std::unique_ptr<RecordBook> book;
        Heirs heirs;
        std::shared_ptr<os::CgroupHome> cgroups;  ///< null: none
        std::unique_ptr<TaskOutput> output;
        std::unique_ptr<os::Spawner> spawner;
        UniqueFd child_signals;
    };
    Daemon(Process process, Place place, ReadConfig config, Parts parts, std::shared_ptr<spdlog::logger> log);

    void begin_tasks();
    /// Half a turn is no state to go on from: without memory within, the process ends, and its successor goes
    /// on from the records.
    void turn() noexcept;
    void stop_signal(const char* name);
    void shut_down(bool now);
    void reopen();
    [[nodiscard]] protocol::TaskFacts look_at(const core::TaskReport& report, bool details);
    [[nodiscard]] protocol::DaemonLoad load();
    void finished(const core::effect::Finished& effect);
    void close_book();
    void leave_when_drained();
    void go_on();
    [[nodiscard]] Handover hand_over();
    [[nodiscard]] std::string begin_upgrade();
    [[nodiscard]] Upgrader::Port upgrade_port();
    void tell_status();

    std::shared_ptr<spdlog::logger> log_;
    std::vector<core::SpecPtr> first_tasks_;  ///< until run()
    os::InstanceLock lock_;
    std::string program_;  ///< that runs
    bool watch_keeper_;
    rlimit open_files_;                 ///< as we were started with
    std::optional<Handover> handover_;  ///< until run()
    Facts facts_;
    protocol::DropCounters dropped_;
    core::Supervisor supervisor_;
    core::Waits waits_;

    std::unique_ptr<Loop> loop_;  // before everything that has a handle in it
    std::unique_ptr<Keeping> keeping_;
    Kept kept_;
    std::unique_ptr<RecordBook> book_;
    Heirs heirs_;
    std::shared_ptr<os::CgroupHome> cgroups_;
    OwnService service_;
    std::unique_ptr<TaskOutput> output_;  // after the processes are gone what they printed is still moved
    TaskProcesses processes_;
    Reloader reloader_;
    Announcer announcer_;
    core::Engine engine_;
    ControlServer control_;
    KeeperCare care_;
    Upgrader upgrader_;
    Timer deadline_;
    Timer leave_;
    Timer release_output_;
    Timer status_;
    std::vector<std::unique_ptr<SignalWatch>> signals_;

    bool turning_ = false;
    bool turn_again_ = false;
    bool status_due_ = false;
    std::optional<int> exit_code_;
    core::TimePoint leave_by_ = core::kNever;
};

}  // namespace vigil::daemon
