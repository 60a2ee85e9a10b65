// Layer daemon. The composition root: makes every part, connects them, and runs the loop until everything is
// stopped. The life of a turn: something happens -> Engine::turn reads all that is queued, judges, acts ->
// the timer is set to the supervisor's next deadline.
#pragma once

#include <spdlog/logger.h>

#include <memory>
#include <optional>

#include "config/config.hpp"
#include "control/server.hpp"
#include "core/engine.hpp"
#include "core/waits.hpp"
#include "linux/features.hpp"
#include "linux/limits.hpp"
#include "linux/standard_streams.hpp"
#include "linux/unix_listener.hpp"
#include "loop/loop.hpp"
#include "paths.hpp"
#include "service/own_service.hpp"
#include "supervision/announcer.hpp"
#include "supervision/task_processes.hpp"

namespace vigil::daemon {

/// What main() has put in order before anything else was opened or started.
struct Process {
    std::shared_ptr<os::LowDescriptors> low_descriptors;
    os::Features features;
    os::OpenFileLimit open_files;
    os::Environment environment;
};

/// What is taken before the first task starts: one daemon per runtime directory.
struct Place {
    Directories directories;
    std::string notify_directory;
    os::InstanceLock lock;
    os::UnixListener listener;
    Access access;
};

/// Takes the runtime directory and its control socket. The error says who has it, or what is in the way.
[[nodiscard]] Result<Place> take_place(const config::DaemonSettings& settings);

class Daemon {
  public:
    [[nodiscard]] static Result<std::unique_ptr<Daemon>> create(Process process, Place place,
                                                                config::Config config,
                                                                std::shared_ptr<spdlog::logger> log);
    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;

    /// Starts what is to be started and returns when everything is stopped; the exit code.
    int run();

  private:
    Daemon(Process process, Place place, config::Config config, os::WatchSet watches,
           std::unique_ptr<os::Spawner> spawner, std::shared_ptr<spdlog::logger> log);

    void turn();
    void stop_signal(const char* name);
    void shut_down(bool now);
    void finished(int exit_code);
    void leave_when_drained();
    void tell_status();

    std::shared_ptr<spdlog::logger> log_;
    config::Config config_;
    os::InstanceLock lock_;
    Facts facts_;
    protocol::DropCounters dropped_;
    core::Supervisor supervisor_;
    core::Waits waits_;

    Loop loop_;  // before everything that has a handle in it
    OwnService service_;
    TaskProcesses processes_;
    Announcer announcer_;
    core::Engine engine_;
    ControlServer control_;
    Timer deadline_;
    Timer leave_;
    Timer status_;
    std::vector<std::unique_ptr<SignalWatch>> signals_;

    bool turning_ = false;
    bool turn_again_ = false;
    bool status_due_ = false;
    std::optional<int> exit_code_;
    core::TimePoint leave_by_ = core::kNever;
};

}  // namespace vigil::daemon
