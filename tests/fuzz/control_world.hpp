// The control server with all that stands behind it but processes and files: a supervisor whose tasks run,
// end and fail as their command says, in memory. For fuzzing whole sessions.
//
// A task whose command is "true" or "false" ends at once with code 0 or 1, one named "missing" cannot be
// spawned, any other runs until it is signalled. No configuration file is there, so what would write one is
// refused.
#pragma once

#include <deque>
#include <map>
#include <memory>

#include "control/server.hpp"
#include "core/engine.hpp"
#include "reload/reloader.hpp"

namespace vigil::fuzz {

/// Tasks without processes.
class Processes final : public core::ProcessPort, public core::SignsPort {
  public:
    void spawn(const core::effect::Spawn& effect) override;
    void signal(const core::effect::Signal& effect) override;
    void run_stop_command(const core::effect::RunStopCommand& effect) override;
    void kill_tree(const core::effect::KillTree& effect) override;
    void freeze(const core::effect::Freeze&) override {}
    void release(const core::effect::Release&) override {}
    [[nodiscard]] std::optional<core::TimePoint> read(core::Supervisor& supervisor,
                                                      core::TimePoint now) override;

    void end(core::TaskId task, core::ExitStatus status);
    [[nodiscard]] bool has_news() const noexcept { return !news_.empty(); }
    [[nodiscard]] bool runs(core::TaskId task) const noexcept;

  private:
    std::deque<std::pair<core::TaskId, core::Event>> news_;
    std::map<core::TaskId, core::Generation> running_;
    pid_t last_pid_ = 1000;
};

class ControlWorld final : core::AnnouncePort, core::RecordPort {
  public:
    ControlWorld();
    ~ControlWorld() override;
    ControlWorld(const ControlWorld&) = delete;
    ControlWorld& operator=(const ControlWorld&) = delete;

    /// The client's end of a new connection, whose other end has room for little; one that is closed already
    /// once everything is stopped.
    [[nodiscard]] UniqueFd connect();
    /// Runs the loop until what is ready at this moment is done.
    void turn_loop();
    void finish_asides();
    /// Every task that runs ends with code 1.
    void crash_all();
    /// The server goes over to another one, as to the program of an upgrade.
    void upgrade();
    /// Stops everything, as SIGTERM does; the server then waits for its clients only.
    void shut_down();

    /// True when no client is left.
    [[nodiscard]] bool drained() const noexcept { return server_->drained(); }
    /// For how many outcomes of tasks somebody waits.
    [[nodiscard]] std::size_t waits() const noexcept { return waits_->size(); }

  private:
    void announce(const core::effect::Announce& effect) override;
    void finished(const core::effect::Finished&) override;
    void write(core::TaskId, const core::TaskRecord&, const core::SpecPtr&) override {}
    void erase(core::TaskId) override {}
    void turn();
    void make_server();

    std::shared_ptr<spdlog::logger> log_;
    daemon::Loop loop_;
    core::Supervisor supervisor_{{.max_starting = 4, .max_dead_fraction = {}, .seed = 1}};
    std::unique_ptr<core::Waits> waits_;
    daemon::Facts facts_;
    daemon::Reloader reloader_;
    protocol::DropCounters dropped_;
    Processes processes_;
    core::Engine engine_;
    std::unique_ptr<daemon::ControlServer> server_;
    bool turning_ = false;
    bool turn_again_ = false;
    bool finished_ = false;
};

}  // namespace vigil::fuzz
