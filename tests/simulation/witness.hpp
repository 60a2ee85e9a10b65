// Stands between a supervisor and a world and holds the supervisor to its promises, at every effect and after
// every turn. It knows what was ordered, what is alive and how time went, and nothing of how the supervisor
// decides.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "simulation/clients.hpp"
#include "simulation/promises.hpp"
#include "simulation/world.hpp"

namespace vigil::core::simulation {

/// The daemon ends here and now.
struct Crash {};

/// How long a run may take from the first request to end until SIGKILL, where each step may come a little
/// late.
[[nodiscard]] Duration time_to_sigkill(const TaskSpec& spec);

class Witness final : public ProcessPort, public AnnouncePort, public RecordPort {
  public:
    struct Parts {
        Promises& promises;
        Supervisor& supervisor;
        World& world;
        Book& book;
        Clients& clients;
    };
    Witness(Parts parts, const SupervisorRules& rules) : parts_(parts), rules_(rules) {}

    // Effects: judged, then passed on to the world.
    void spawn(const effect::Spawn& effect) override;
    void signal(const effect::Signal& effect) override;
    void run_stop_command(const effect::RunStopCommand& effect) override;
    void kill_tree(const effect::KillTree& effect) override;
    void freeze(const effect::Freeze& effect) override;
    void release(const effect::Release& effect) override;
    void announce(const effect::Announce& effect) override;
    void finished(const effect::Finished& effect) override;
    void write(TaskId task, const TaskRecord& record, const SpecPtr& spec) override;
    void erase(TaskId task) override;

    /// Throws Crash in the place of the effect or the record that comes after this many others.
    void crash_after(std::size_t acts) { crash_after_ = acts; }
    void never_crash() { crash_after_.reset(); }
    /// A new supervisor goes on from what is written.
    void recover(TimePoint now);
    /// The daemon goes on as another program. To be called between two turns, with no spawn on its way but
    /// those that are held.
    void go_on_in_place(TimePoint now);

    void add(SpecPtr spec, TimePoint now);
    /// Gives the order and judges what it may not do.
    void order(TaskId task, Event order, TimePoint now);
    /// Hands in an event of a run that is not the present one: nothing may change. Effects must have been
    /// taken.
    void forge(TaskId task, Event event, TimePoint now);
    void shut_down(bool kill, TimePoint now);
    void set_max_starting(unsigned max_starting);

    /// To be called before and after every turn.
    void expect(TimePoint now);
    void look(TimePoint now);

    [[nodiscard]] bool is_finished() const { return finished_ > 0; }
    [[nodiscard]] bool shutting_down() const { return shutting_down_; }
    /// What was ordered of a task last; nothing: there is no such task.
    [[nodiscard]] std::optional<Desired> wanted(TaskId task) const;
    /// Everything is where it is wanted.
    [[nodiscard]] bool all_reached(TimePoint now) const;

  private:
    /// A task as the last look found it. Times are the owner's.
    struct Seen {
        StateName state{};
        Generation generation{};
        pid_t pid = 0;
        bool paused = false;
        bool waiting = false;
        bool killed = false;
        std::optional<std::size_t> step;
        unsigned attempts = 0;
        TimePoint due = kNever;
        TimePoint stable_due = kNever;
        Desired wanted{};
    };
    /// What is known of the task at a place; replaced when the place gets a new task.
    struct Known {
        std::optional<StateName> state;  ///< as last announced; nothing: removed
        Generation generation{};
        unsigned attempts = 0;
        Desired wanted = Desired::stopped;
        bool may_start = true;  ///< false from a stop, kill or remove until a start or restart
        /// Runs that were asked for before that stop; their Spawn may be on its way.
        Generation ordered_up_to{};
        bool end_is_ordered = false;  ///< the present run's end was ordered
        SpecPtr spec;                 ///< as changed last; null: as it was added
        Generation respecced_at{};    ///< runs up to this one were asked for before the change
        bool touched = false;         ///< an order came since the last look
        std::optional<Seen> seen;
    };
    /// A run that was asked to end.
    struct Ending {
        Duration waited{};
        Duration allowed{};
        bool killed = false;
        bool fresh = true;  ///< the time up to the next look is not counted
    };
    using News = std::vector<std::pair<TaskId, Event>>;
    using Found = std::map<World::Key, Process>;

    void may_crash();
    void require(bool kept, const char* promise, TaskId task) {
        parts_.promises.require(kept, promise, task);
    }
    void tell(TaskId task, const std::string& what);

    // Orders: witness_orders.cpp.
    [[nodiscard]] Known& latest(TaskId task);
    void want(TaskId task, const Event& order, const TaskReport& before);
    void change_spec(TaskId task, const event::NewSpec& order, const TaskReport& before);

    // After a turn: witness_looks.cpp.
    void look_at(TaskId id, TimePoint now, std::size_t& starting, bool& waits,
                 std::vector<std::size_t>& counts);
    void look_at_ending(const World::Key& key, Process& process);

    // Time: witness_times.cpp.
    [[nodiscard]] TimePoint supervised(TimePoint now) const { return now - away_; }
    /// When what was seen comes due by now: every deadline moves by as much as the owner was away.
    [[nodiscard]] TimePoint moved(TimePoint due) const {
        return due == kNever ? due : due + (away_ - away_seen_);
    }
    void judge_failure(const effect::Announce& effect, const Known& task);
    void judge_silence(const effect::Announce& effect, const cause::HeartbeatTimeout& silence);
    void judge_times(TaskId id, const Known& task, const TaskReport& report, const TaskRecord& record,
                     TimePoint now);
    void judge_early(TaskId id, const Seen& seen, const TaskReport& report, const TaskRecord& record,
                     TimePoint now);
    void judge_beats(TaskId id, const TaskReport& report, TimePoint now);
    [[nodiscard]] bool was_stable(const Seen& seen) const;

    // Crashes and upgrades: witness_recovery.cpp.
    void take_over(Adoption how, TimePoint now);
    void adopt(const Book::Entry& entry, const Known& before, Found& found, TimePoint now, Adoption how,
               News& news);
    [[nodiscard]] Desired wanted_after(const Book::Entry& entry, const Known& before);
    void take_run(TaskId task, const Book::Entry& entry, Found& found, Adoption how, News& news);
    void check_record(const Book::Entry& entry);

    Parts parts_;
    SupervisorRules rules_;
    std::map<TaskId, Known> known_;
    /// Added, but not announced yet: of the task that was in its place before there may be more to come.
    std::map<TaskId, Known> added_;
    std::map<World::Key, Ending> endings_;
    std::map<TaskId, Generation> last_generations_;
    std::map<TaskId, TaskId> new_ids_;  ///< that the present daemon has given to what it took over
    std::optional<std::size_t> crash_after_;
    std::size_t last_starting_ = 0;
    unsigned finished_ = 0;
    bool shutting_down_ = false;

    Duration away_{};       ///< the owner's time minus supervised time, as the owner's sleep explains it
    Duration away_seen_{};  ///< the same at the last look
    TimePoint called_{};    ///< when the supervisor was called last
    TimePoint looked_{};
    Duration passed_{};  ///< that has certainly passed for the tasks between the last look and this turn
};

}  // namespace vigil::core::simulation
