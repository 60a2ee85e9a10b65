// A supervisor on a stage: the test says what happens and when, and looks at what was asked of the world.
// Nothing is forked and nothing sleeps.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/supervisor.hpp"

namespace vigil::core::testing {

using namespace std::chrono_literals;

/// Ready at exec, no heartbeat, no jitter: what a test then changes is what it is about.
[[nodiscard]] TaskSpec plain(std::string name = "worker");
/// Ready by READY=1 within 60 s.
[[nodiscard]] TaskSpec notifying(std::string name = "worker");
/// Ready by its first beat within 3 s, then one within each 2 s.
[[nodiscard]] TaskSpec beating(std::string name = "worker");

[[nodiscard]] Cause by_operator();

class Stage {
  public:
    explicit Stage(SupervisorRules rules = {}) : supervisor(rules) {}

    /// Adds a task; the first one added is the one that the verbs below mean.
    TaskId given(TaskSpec spec);
    /// Adds a task and brings it to the state of that name by the shortest way.
    TaskId given_in(StateName state);
    void given_healthy(TaskSpec spec = plain());

    // What the owner does.
    /// Time passes and the owner is prompt: it wakes at each deadline on the way.
    void advance(Duration time);
    /// The owner sleeps through everything, then wakes, reads what `unread` hands in, and judges.
    void oversleep(
        Duration time, const std::function<void()>& unread = [] {});
    void turn();

    // What operators do.
    void start() { order(event::Start{by_operator()}); }
    void stop() { order(event::Stop{by_operator()}); }
    void restart() { order(event::Restart{by_operator()}); }
    void kill() { order(event::Kill{by_operator(), false}); }
    void kill_now() { order(event::Kill{by_operator(), true}); }
    void remove() { order(event::Remove{by_operator()}); }
    void pause() { order(event::Pause{by_operator()}); }
    void resume() { order(event::Resume{by_operator()}); }
    void order(Event event) { supervisor.handle(id, std::move(event), now); }

    // What the process of the present run does.
    void comes_up();
    void cannot_start(int error);
    void exits(int code, bool tree_empty = true);
    void dies(int signal, bool tree_empty = true);
    void tree_empties();
    void beats();
    void says_ready();
    void notifies(event::Notified message);
    /// Comes up, says that it is ready and beats; whatever of this its spec wants to see.
    void gets_healthy();
    /// Every process does what it is asked, until nothing is asked any more.
    void everyone_obeys();

    // What can be seen.
    [[nodiscard]] TaskReport report() const { return *supervisor.report(id, now); }
    [[nodiscard]] bool gone() const { return !supervisor.report(id, now).has_value(); }
    /// "healthy", "failed"; "gone" after a removal.
    [[nodiscard]] std::string state() const;
    /// "exit-code", "operator"
    [[nodiscard]] std::string cause() const { return std::string(cause_name(*report().cause)); }
    [[nodiscard]] Generation generation() const { return report().generation; }
    /// Effects since the stage was set or forget() was called, oldest first.
    [[nodiscard]] const std::vector<Effect>& effects();
    void forget();
    template <typename E>
    [[nodiscard]] std::vector<E> all() {
        std::vector<E> found;
        for (const Effect& effect : effects())
            if (const E* one = std::get_if<E>(&effect)) found.push_back(*one);
        return found;
    }
    [[nodiscard]] std::size_t spawned() { return all<effect::Spawn>().size(); }
    [[nodiscard]] std::size_t kills() { return all<effect::KillTree>().size(); }
    /// "15", "15 to main", "15 to tree" or "15 to the rest", one after the other: "15 6 to tree"
    [[nodiscard]] std::string signals();
    /// Kinds of effects in order: "announce:failed release spawn"
    [[nodiscard]] std::string story();

    Supervisor supervisor;
    TimePoint now{std::chrono::hours(1)};
    TaskId id{};

  private:
    [[nodiscard]] bool obey(const Effect& effect);

    std::vector<Effect> effects_;
    bool added_ = false;
    pid_t next_pid_ = 1000;
};

}  // namespace vigil::core::testing
