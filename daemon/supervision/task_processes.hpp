// Layer daemon. The processes of all tasks: carries out what the supervisor asks of them, and reads what they
// do and say. Holds no rule: what follows from an exit or a message is the supervisor's business.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/engine.hpp"
#include "core/found_run.hpp"
#include "core/reading_round.hpp"
#include "linux/process/oom.hpp"
#include "linux/process/orphans.hpp"
#include "linux/process/tree_usage.hpp"
#include "linux/self/features.hpp"
#include "linux/socket/watch_set.hpp"
#include "linux/spawn/spawner.hpp"
#include "logger.hpp"
#include "loop/loop.hpp"
#include "recovery/keeping.hpp"
#include "recovery/record_book.hpp"
#include "supervision/message_reader.hpp"
#include "supervision/run_table.hpp"
#include "supervision/task_output.hpp"

namespace vigil::daemon {

class TaskProcesses final : public core::ProcessPort, public core::SignsPort {
  public:
    struct Parts {
        std::unique_ptr<os::Spawner> spawner;
        TaskOutput* output;      ///< outlives it
        RecordBook* book;        ///< outlives it
        const Keeping* keeping;  ///< outlives it
        /// A run came whose descriptors another keeper than the present one was given.
        std::function<void(const RunId&)> missed;
        std::shared_ptr<os::CgroupHome> cgroups;  ///< null: tasks get none
        os::Features features;
        bool goes_on = false;    ///< what is adopted are children of this process
        UniqueFd child_signals;  ///< os::child_signals(), in the loop's task_watches(), edge-triggered
        std::shared_ptr<spdlog::logger> log;
    };
    /// `turn` runs a turn of the engine; it is called from the loop, never from within a port's call.
    /// Its descriptors are in the loop's task_watches(), where the spawner is already.
    TaskProcesses(Loop& loop, Parts parts, protocol::DropCounters& dropped, std::function<void()> turn);
    /// Ends what is left: runs, after an abort of the start; orphans that no run could be found for.
    ~TaskProcesses() override;

    void spawn(const core::effect::Spawn& effect) override;
    void signal(const core::effect::Signal& effect) override;
    void run_stop_command(const core::effect::RunStopCommand& effect) override;
    void kill_tree(const core::effect::KillTree& effect) override;
    void freeze(const core::effect::Freeze& effect) override;
    void release(const core::effect::Release& effect) override;
    [[nodiscard]] std::optional<core::TimePoint> read(core::Supervisor& supervisor,
                                                      core::TimePoint now) override;

    /// Takes over the run of a record that has one, as far as there is anything left of it. Its task is in
    /// the supervisor already; what follows from the answer is to be told to it.
    [[nodiscard]] core::FoundRun adopt(core::TaskId task, const core::SpecPtr& spec,
                                       const state::Found& found, Kept& kept);
    /// Takes over a stop.command that runs for the run which was adopted before: a child of ours.
    void adopt_stop_command(core::TaskId task, core::Generation generation, pid_t pid);
    /// What an older run of the task has printed and nobody has read yet.
    void adopt_output(core::TaskId task, core::Generation generation, const core::SpecPtr& spec, Kept& kept);

    // For a daemon that goes on as another program.
    /// While held no spawn is begun; those that are asked for meanwhile are begun afterwards.
    void hold_spawns(bool held);
    /// Whether no spawn is on its way but those that are held.
    [[nodiscard]] bool settled() const;
    struct StopCommand {
        core::TaskId task{};
        core::Generation generation{};
        pid_t pid = 0;
    };
    [[nodiscard]] std::vector<StopCommand> stop_commands() const;

    /// All runs that there are processes of.
    [[nodiscard]] std::vector<RunId> runs() const;
    /// Gives the keeper once more what it is to hold of a run but for its output; nothing of one that is
    /// gone.
    [[nodiscard]] Keeping::Put keep_again(const RunId& run);

    /// An operator's own signal, to the main process and without SIGCONT. ESRCH where there is none.
    [[nodiscard]] Result<void> signal_main(core::TaskId task, int signal);

    /// Fills in what of the tasks waits.
    void count_waiting(protocol::QueueDepths& queues) const;

    /// What the processes of a task use now; nothing while it has none. O(its processes).
    [[nodiscard]] std::optional<os::TreeUsage> usage(core::TaskId task);

  private:
    /// Looks at what is left of a run whose main process has ended come this often, beside those on SIGCHLD.
    static constexpr auto kLingerInterval = std::chrono::milliseconds(50);

    Run* find(core::TaskId task, core::Generation generation) { return runs_.find(task, generation); }
    void submit(const Run& run);
    void take_spawned(core::Supervisor& supervisor, core::TimePoint now);
    void arrive(os::SpawnOutcome outcome, core::Supervisor& supervisor, core::TimePoint now);
    void stop_command_arrived(Run& run, os::SpawnOutcome outcome, core::Supervisor& supervisor,
                              core::TimePoint now);
    void look_at_stop_command(Run& run, core::Supervisor& supervisor, core::TimePoint now);
    void cancel_stop_command(Run& run);
    void kill(Run& run, bool first);
    void dispatch(const os::Ready& ready, core::Supervisor& supervisor, core::TimePoint now);
    void read_messages(Run& run, core::Supervisor& supervisor, core::TimePoint now);
    void read_pipe(Run& run, core::Supervisor& supervisor, core::TimePoint now);
    void mute(Run& run, core::TimePoint now);
    void unmute(core::TimePoint now);
    void look_at_end(Run& run, core::Supervisor& supervisor, core::TimePoint now);
    [[nodiscard]] std::optional<os::ChildEnd> end_of_main(Run& run, core::TimePoint now);
    void look_at_lingering(core::Supervisor& supervisor, core::TimePoint now);
    void change_main(Run& run, pid_t pid, UniqueFd pidfd);
    /// By what the next daemon is to know its process again.
    [[nodiscard]] RecordBook::Marks marks_of(const Run& run) const;
    void adopt_main(Run& run, pid_t main_pid);
    void look_for_strays();
    void take_watch(Run& run);
    void watch(Run& run, int fd, os::WatchKind kind);
    void linger(Run& run);
    void look_at_lingering_by(core::TimePoint when);
    void child_ended();
    void sweep_orphans();
    void say_survivors(Run& run);
    void end_orphans();

    std::shared_ptr<spdlog::logger> log_;
    os::Features features_;
    const bool goes_on_;
    Loop& loop_;
    os::WatchSet& watches_;  ///< of the loop
    TaskOutput& output_;
    RecordBook& book_;
    const Keeping& keeping_;
    std::function<void(const RunId&)> missed_;
    std::shared_ptr<os::CgroupHome> cgroups_;
    std::unique_ptr<os::Spawner> spawner_;
    std::function<void()> turn_;
    /// While a SIGCHLD in it is not taken it tells of no other.
    const UniqueFd child_signals_;
    MessageReader messages_;
    os::OomWatch oom_;

    os::Orphans orphans_;  // runs refer to both
    os::Strays strays_;
    // Runs hold descriptors that watches_ knows: they are taken from it before they go.
    RunTable runs_;
    std::unordered_map<pid_t, core::TaskId> main_pids_;  ///< leaders, named main processes, stop commands
    std::vector<std::pair<core::TaskId, core::Generation>> lingering_;
    std::vector<std::pair<core::TaskId, core::Generation>> muted_;
    std::vector<std::pair<core::TaskId, core::Generation>> dropped_spawns_;
    std::vector<std::pair<core::TaskId, core::Generation>> dropped_stop_commands_;
    std::vector<os::SpawnOutcome> spawned_;
    std::vector<std::pair<core::TaskId, core::Generation>> held_spawns_;
    bool hold_spawns_ = false;
    core::ReadingRound round_;
    core::TimePoint unmute_at_ = core::kNever;
    core::TimePoint linger_at_ = core::kNever;  ///< when lingering_ is looked at next
    core::TimePoint linger_looked_{};           ///< and when it was last
    core::TimePoint everywhere_swept_{};        ///< when children of all threads were swept last

    Timer linger_timer_;
    Timer unmute_timer_;
    Timer sweep_timer_;
    Timer stray_timer_;
};

}  // namespace vigil::daemon
