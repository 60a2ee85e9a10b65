// Stands between a supervisor and a world and holds the supervisor to its promises, at every effect and after
// every step. It knows what was ordered and what is alive, and nothing of how the supervisor decides.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "property/world.hpp"

namespace vigil::core::simulation {

/// The daemon ends here and now.
struct Crash {};

class Witness final : public ProcessPort, public AnnouncePort, public RecordPort {
  public:
    Witness(Supervisor& supervisor, World& world, const SupervisorRules& rules)
        : supervisor_(supervisor), world_(world), rules_(rules), max_starting_(rules.max_starting) {}

    // Effects: judged, then passed on to the world.
    void spawn(const effect::Spawn& effect) override;
    void signal(const effect::Signal& effect) override;
    void run_stop_command(const effect::RunStopCommand& effect) override;
    void kill_tree(const effect::KillTree& effect) override;
    void freeze(const effect::Freeze& effect) override;
    void release(const effect::Release& effect) override;
    void announce(const effect::Announce& effect) override;
    void finished(const effect::Finished& effect) override;
    void write(TaskId task, const TaskRecord& record, const SpecPtr& spec) override {
        records_.insert_or_assign(task, Written{record, spec});
    }
    void erase(TaskId task) override { records_.erase(task); }

    /// Throws Crash in the place of the effect that comes after this many others.
    void crash_after(std::size_t effects) { crash_after_ = effects; }
    /// A new supervisor goes on from what is written.
    void recover(TimePoint now);

    /// Gives the order and judges what it may not do.
    void order(TaskId task, Event order, TimePoint now);
    /// Hands in an event of a run that is not the present one: nothing may change. Effects must have been
    /// taken.
    void forge(TaskId task, Event event, TimePoint now);
    void shut_down(bool kill, TimePoint now);

    /// To be called after every turn with the time that has certainly passed for the tasks since the last
    /// one.
    void look(TimePoint now, Duration passed);

    /// The first promise that was broken; empty while all are kept.
    [[nodiscard]] const std::string& broken() const { return broken_; }
    [[nodiscard]] bool is_finished() const { return finished_ > 0; }

  private:
    /// What is known of the task at a place; replaced when the place gets a new task.
    struct Known {
        std::optional<StateName> state;  ///< as last announced; nothing: removed
        Generation generation{};
        unsigned attempts = 0;
        bool may_start = true;  ///< false from a stop, kill or remove until a start or restart
        Generation
            ordered_up_to{};  ///< runs that were asked for before that stop; their Spawn may be on its way
        bool end_is_ordered = false;  ///< the present run's end was ordered
        SpecPtr spec;                 ///< as changed last; null: as it was added
        Generation respecced_at{};    ///< runs up to this one were asked for before the change
    };
    /// A run that was asked to end.
    struct Ending {
        Duration waited{};
        Duration allowed{};
        bool killed = false;
        bool fresh = true;  ///< the time up to the next look is not counted
    };

    struct Written {
        TaskRecord record;
        SpecPtr spec;
    };
    using News = std::vector<std::pair<TaskId, Event>>;
    void adopt(const Written& written, std::map<World::Key, Process>& found, TaskId before, TimePoint now,
               News& news);
    void may_crash();
    void change_spec(TaskId task, const event::NewSpec& order, const TaskReport& before);
    void require(bool kept, const char* promise, TaskId task);
    void look_at(TaskId id, TimePoint now, std::size_t& starting, std::vector<std::size_t>& counts);

    Supervisor& supervisor_;
    World& world_;
    SupervisorRules rules_;
    std::size_t max_starting_;
    std::map<TaskId, Known> known_;
    std::map<World::Key, Ending> endings_;
    std::map<TaskId, Written> records_;
    std::map<TaskId, Known> adopted_;  ///< what is known of tasks that are not announced yet
    std::optional<std::size_t> crash_after_;
    std::string broken_;
    unsigned finished_ = 0;
    bool shutting_down_ = false;
};

}  // namespace vigil::core::simulation
