// When an order is answered, and with what.
#include "core/waits.hpp"

#include <doctest/doctest.h>

#include "unit/core/stage.hpp"

namespace vigil::core::testing {
namespace {

/// A stage on which orders wait for their outcome.
class Desk : public Stage {
  public:
    using Stage::Stage;

    /// Gives the order and waits for its goal under the next ticket (1, 2, ...).
    void ask(Goal goal, Event event) {
        const Generation before = report().generation;
        order(std::move(event));
        wait(goal, before);
    }
    void wait(Goal goal) { wait(goal, report().generation); }
    void wait(Goal goal, Generation before) {
        observe();
        if (gone()) return;
        if (auto settled = waits.add(Ticket{++tickets}, goal, report(), before)) note(*settled);
    }
    /// "1:reached 2:missed(stopped: ...)"
    std::string answers() {
        observe();
        return std::exchange(answers_, {});
    }

    Waits waits;
    std::uint64_t tickets = 0;

  private:
    void observe() {
        const auto changes = all<effect::Announce>();
        for (; observed_ < changes.size(); ++observed_)
            for (const Settled& settled : waits.observe(changes[observed_])) note(settled);
    }
    void note(const Settled& settled) {
        if (!answers_.empty()) answers_ += ' ';
        answers_ += std::to_string(static_cast<std::uint64_t>(settled.ticket)) + ":";
        answers_ += settled.reached ? "reached" : "missed(" + settled.explanation + ")";
    }
    std::size_t observed_ = 0;
    std::string answers_;
};

const event::Start kStart{by_operator()};
const event::Stop kStop{by_operator(), false};
const event::Restart kRestart{by_operator()};
const event::Kill kKill{by_operator(), false};
const event::Remove kRemove{by_operator()};

TEST_CASE("start is answered when the task is healthy") {
    Desk desk;
    desk.given_in(StateName::created);
    desk.ask(Goal::running, kStart);
    CHECK(desk.answers().empty());
    desk.comes_up();
    CHECK(desk.answers().empty());
    desk.says_ready();
    CHECK(desk.answers() == "1:reached");
    desk.ask(Goal::running, kStart);
    CHECK(desk.answers() == "2:reached");
    CHECK(desk.waits.size() == 0);
}

TEST_CASE("start is missed by the first failure, with its reason and the next start") {
    Desk desk;
    desk.given_in(StateName::created);
    desk.ask(Goal::running, kStart);
    desk.comes_up();
    desk.exits(3);
    CHECK(desk.answers() == "1:missed(failed: exit code 3; next start in 1.0s (attempt 1 of 5))");
}

TEST_CASE("start waits through a turn to start and through the end of the old run") {
    Desk desk(SupervisorRules{.max_starting = 1, .max_dead_fraction = std::nullopt, .seed = 0});
    desk.given_in(StateName::stopping);
    const TaskId other = desk.given(notifying("other"));
    desk.ask(Goal::running, kStart);
    desk.exits(0);
    CHECK(desk.state() == "created");
    CHECK(desk.answers().empty());
    desk.supervisor.handle(other, event::Remove{}, desk.now);
    desk.supervisor.handle(other, event::SpawnFailed{Generation{1}, {}}, desk.now);
    desk.gets_healthy();
    CHECK(desk.answers() == "1:reached");
}

TEST_CASE("nasty 31: restart is answered by a later generation, not by the run that it ends") {
    Desk desk;
    desk.given_in(StateName::healthy);
    desk.ask(Goal::restarted, kRestart);
    desk.ask(Goal::restarted, kRestart);
    desk.exits(0);
    CHECK(desk.answers().empty());
    desk.gets_healthy();
    CHECK(desk.answers() == "1:reached 2:reached");
}

TEST_CASE("a restart that finds one in flight is answered with it") {
    Desk desk;
    desk.given_in(StateName::failed);
    desk.ask(Goal::restarted, kRestart);
    desk.ask(Goal::restarted, kRestart);
    desk.gets_healthy();
    CHECK(desk.answers() == "1:reached 2:reached");
}

TEST_CASE("nasty 36: stop is answered only after the tree is empty") {
    Desk desk;
    desk.given_in(StateName::healthy);
    desk.ask(Goal::stopped, kStop);
    desk.exits(0, false);
    CHECK(desk.answers().empty());
    desk.tree_empties();
    CHECK(desk.answers() == "1:reached");
    desk.ask(Goal::stopped, kStop);
    CHECK(desk.answers() == "2:reached");
}

TEST_CASE("nasty 36: the stop goes on when its client is gone") {
    Desk desk;
    desk.given_in(StateName::healthy);
    desk.ask(Goal::stopped, kStop);
    desk.waits.cancel(Ticket{1});
    desk.waits.cancel(Ticket{77});
    CHECK(desk.waits.size() == 0);
    desk.exits(0);
    CHECK(desk.answers().empty());
    CHECK(desk.state() == "stopped");
}

TEST_CASE("nasty 66: of two orders that exclude each other the last wins and both are answered") {
    Desk desk;
    desk.given_in(StateName::healthy);
    SUBCASE("stop, then start") {
        desk.ask(Goal::stopped, kStop);
        desk.ask(Goal::running, kStart);
        desk.exits(0);
        CHECK(desk.answers() == "1:missed(starting: ordered by uid 0 (pid 4711))");
        desk.gets_healthy();
        CHECK(desk.answers() == "2:reached");
    }
    SUBCASE("restart, then stop") {
        desk.ask(Goal::restarted, kRestart);
        desk.ask(Goal::stopped, kStop);
        desk.exits(0);
        CHECK(desk.answers() == "1:missed(stopped: ordered by uid 0 (pid 4711)) 2:reached");
    }
    SUBCASE("kill, then stop") {
        desk.ask(Goal::dead, kKill);
        desk.ask(Goal::stopped, kStop);
        desk.exits(0);
        CHECK(desk.answers() == "1:missed(stopped: ordered by uid 0 (pid 4711)) 2:reached");
    }
    SUBCASE("stop and kill, then remove") {
        desk.ask(Goal::stopped, kStop);
        desk.ask(Goal::dead, kKill);
        desk.ask(Goal::removed, kRemove);
        desk.exits(0);
        CHECK(desk.answers() == "1:reached 2:reached 3:reached");
    }
}

TEST_CASE(
    "nasty 66: what was announced before a wait began does not settle it, though it is told only "
    "afterwards") {
    Desk desk;
    desk.given_in(StateName::failed);
    CHECK(desk.answers().empty());
    desk.stop();
    desk.start();
    CHECK_FALSE(desk.waits.add(Ticket{1}, Goal::running, desk.report(), desk.generation()).has_value());
    CHECK(desk.answers().empty());
    desk.gets_healthy();
    CHECK(desk.answers() == "1:reached");
}

TEST_CASE("nasty 35: nor does the end of a task that had the same name and place before") {
    Desk desk;
    desk.given_in(StateName::stopped);
    CHECK(desk.answers().empty());
    desk.remove();
    REQUIRE(desk.given(notifying()) == desk.id);
    CHECK_FALSE(desk.waits.add(Ticket{1}, Goal::running, desk.report(), Generation{}).has_value());
    CHECK(desk.answers().empty());
    desk.gets_healthy();
    CHECK(desk.answers() == "1:reached");
}

TEST_CASE("kill is answered when the task is dead, remove when the name is free") {
    Desk desk;
    desk.given_in(StateName::failed);
    desk.ask(Goal::dead, kKill);
    CHECK(desk.answers() == "1:reached");
    desk.start();
    desk.gets_healthy();
    desk.ask(Goal::removed, kRemove);
    CHECK(desk.answers().empty());
    desk.exits(0);
    CHECK(desk.answers() == "2:reached");
}

TEST_CASE("wait --for=healthy takes as long as it takes, but no longer than there is hope") {
    Desk desk;
    desk.given_in(StateName::starting);
    desk.wait(Goal::healthy);
    for (int failure = 0; failure < 5; ++failure) {
        desk.exits(1);
        CHECK(desk.answers().empty());
        desk.advance(16s);
        desk.comes_up();
    }
    SUBCASE("it comes") {
        desk.says_ready();
        CHECK(desk.answers() == "1:reached");
    }
    SUBCASE("it dies") {
        desk.exits(1);
        CHECK(desk.answers() == "1:missed(dead: attempts exhausted after 5: exit code 1)");
    }
    SUBCASE("it completes") {
        desk.exits(0);
        CHECK(desk.answers() == "1:missed(completed: exit code 0)");
    }
}

TEST_CASE("a wait that needs an order first is missed at once") {
    Desk desk;
    desk.given_in(StateName::created);
    desk.wait(Goal::healthy);
    CHECK(desk.answers() == "1:missed(created)");
}

TEST_CASE("wait --for=completed outlasts failures") {
    Desk desk;
    desk.given_in(StateName::healthy);
    desk.wait(Goal::completed);
    desk.exits(1);
    desk.advance(1s);
    desk.comes_up();
    desk.exits(0);
    CHECK(desk.answers() == "1:reached");
}

TEST_CASE("wait --for=stopped without an order outlasts restarts") {
    Desk desk;
    desk.given_in(StateName::healthy);
    desk.wait(Goal::stopped);
    desk.exits(1);
    desk.advance(1s);
    CHECK(desk.answers().empty());
    desk.comes_up();
    desk.stop();
    desk.exits(0);
    CHECK(desk.answers() == "1:reached");
}

TEST_CASE("wait --for=exit is answered by the end of the present run, or at once where there is none") {
    Desk desk;
    desk.given_in(StateName::healthy);
    desk.wait(Goal::exited);
    desk.restart();
    CHECK(desk.answers().empty());
    desk.exits(0);
    CHECK(desk.answers() == "1:reached");
    desk.comes_up();
    desk.exits(1);
    desk.wait(Goal::exited);
    CHECK(desk.answers() == "2:reached");
}

TEST_CASE("one ticket may wait for many tasks, and is dropped as a whole") {
    Desk desk;
    desk.given_healthy(plain("a"));
    const TaskId b = desk.given(plain("b"));
    CHECK(desk.answers().empty());
    (void)desk.waits.add(Ticket{9}, Goal::exited, desk.report(), {});
    (void)desk.waits.add(Ticket{9}, Goal::exited, *desk.supervisor.report(b, desk.now), {});
    CHECK(desk.waits.size() == 2);
    desk.exits(0);
    CHECK(desk.answers() == "9:reached");
    CHECK(desk.waits.size() == 1);
    desk.waits.cancel(Ticket{9});
    CHECK(desk.waits.size() == 0);
}

TEST_CASE("a shutdown answers those who wait for a start") {
    Desk desk;
    desk.given_in(StateName::starting);
    desk.wait(Goal::running);
    desk.supervisor.shut_down(0, false, desk.now);
    desk.exits(0);
    CHECK(desk.answers() == "1:missed(stopped: shutdown)");
}

}  // namespace
}  // namespace vigil::core::testing
