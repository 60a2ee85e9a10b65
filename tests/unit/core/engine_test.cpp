// The order of a turn, and the order in which effects are carried out.
#include "core/engine.hpp"

#include <doctest/doctest.h>

#include "unit/core/stage.hpp"

namespace vigil::core::testing {
namespace {

/// Writes down what it is asked, in order.
class Recorder : public ProcessPort, public AnnouncePort, public SignsPort, public RecordPort {
  public:
    void spawn(const effect::Spawn&) override { told += "spawn "; }
    void signal(const effect::Signal&) override { told += "signal "; }
    void run_stop_command(const effect::RunStopCommand&) override { told += "stop-command "; }
    void kill_tree(const effect::KillTree&) override { told += "kill "; }
    void freeze(const effect::Freeze&) override { told += "freeze "; }
    void release(const effect::Release&) override { told += "release "; }
    void announce(const effect::Announce& change) override {
        told += std::string(change.to ? to_string(*change.to) : "gone") + " ";
        if (on_announce) on_announce(change);
    }
    void finished(const effect::Finished&) override { told += "finished "; }
    std::optional<TimePoint> read(Supervisor& supervisor, TimePoint now) override {
        told += "read ";
        if (unread) unread(supervisor, now);
        return read_until ? read_until(now) : now;
    }

    void write(TaskId, const TaskRecord& record, const SpecPtr& spec) override {
        CHECK(spec->name == record.name);
        written += record.name + ":" + std::string(to_string(record.state)) + " ";
        told_when_written = told;
    }
    void erase(TaskId) override { written += "erased "; }

    std::string told;
    std::string written;
    std::string told_when_written;
    std::function<void(Supervisor&, TimePoint)> unread;
    std::function<std::optional<TimePoint>(TimePoint)> read_until;
    std::function<void(const effect::Announce&)> on_announce;
};

struct Theatre {
    Stage stage;
    Recorder world;
    Engine engine{stage.supervisor,
                  {.processes = world, .announcements = world, .signs = world, .records = world}};
    std::string turn() {
        world.told.clear();
        world.written.clear();
        engine.turn(stage.now);
        return world.told;
    }
};

TEST_CASE("a turn reads before it acts, and announces a state before what follows from it") {
    Theatre theatre;
    theatre.stage.given(plain());
    CHECK(theatre.turn() == "read created starting spawn ");
    CHECK(theatre.turn() == "read ");
}

TEST_CASE("nasty 44: a beat that is read in the turn in which it is due is not too late") {
    Theatre theatre;
    theatre.stage.given_healthy(beating());
    (void)theatre.turn();
    theatre.stage.now += 2s;
    theatre.world.unread = [&](Supervisor&, TimePoint) { theatre.stage.beats(); };
    CHECK(theatre.turn() == "read ");
    theatre.world.unread = nullptr;
    theatre.stage.now += 2s;
    CHECK(theatre.turn() == "read stopping signal ");
}

TEST_CASE(
    "nasty 42: beats that filled the queue while the owner was away are all read before anything is judged") {
    Theatre theatre;
    theatre.stage.given_healthy(beating());
    (void)theatre.turn();
    theatre.stage.now += 1h;
    theatre.world.unread = [&](Supervisor&, TimePoint) {
        for (int i = 0; i < 1000; ++i) theatre.stage.beats();
    };
    CHECK(theatre.turn() == "read ");
    CHECK(theatre.stage.state() == "healthy");
}

TEST_CASE("what is left to be read puts judgement off, but not what follows from what was read") {
    Theatre theatre;
    theatre.stage.given_healthy(beating());
    (void)theatre.turn();
    theatre.stage.now += 2s;
    REQUIRE(theatre.stage.supervisor.add(std::make_shared<TaskSpec>(plain("other")), theatre.stage.now).ok());
    theatre.world.read_until = [](TimePoint) { return std::nullopt; };
    CHECK(theatre.turn() == "read created starting spawn ");
    CHECK(theatre.stage.state() == "healthy");
    for (int turns = 0; turns < 10; ++turns) {
        theatre.stage.now += 15ms;
        CHECK(theatre.turn() == "read ");
    }
    // The owner was busy, not away: that is no reason to give more time.
    theatre.stage.now += 15ms;
    theatre.world.read_until = nullptr;
    CHECK(theatre.turn() == "read stopping signal ");
}

TEST_CASE("only deadlines are judged up to which all is read") {
    Theatre theatre;
    theatre.stage.given_healthy(beating());
    (void)theatre.turn();
    const TimePoint before = theatre.stage.now + 1999ms;
    theatre.stage.now += 2s;
    theatre.world.read_until = [before](TimePoint) { return before; };
    CHECK(theatre.turn() == "read ");
    theatre.world.read_until = nullptr;
    CHECK(theatre.turn() == "read stopping signal ");
}

TEST_CASE("a crash of thousands is judged in parts, and what is left at once") {
    Theatre theatre;
    constexpr std::size_t kTasks = kMostJudged + 10;
    for (std::size_t i = 0; i < kTasks; ++i) {
        TaskSpec spec = beating("t" + std::to_string(i));
        REQUIRE(theatre.stage.supervisor.add(std::make_shared<TaskSpec>(spec), theatre.stage.now).ok());
    }
    theatre.stage.supervisor.set_rules(kTasks, std::nullopt);
    const auto silent = [&] {
        const std::string told = theatre.turn();
        std::size_t count = 0;
        for (std::size_t at = told.find("stopping"); at != std::string::npos;
             at = told.find("stopping", at + 1))
            ++count;
        return count;
    };
    CHECK(silent() == 0);
    for (const TaskId id : theatre.stage.supervisor.ids_by_name())
        theatre.stage.supervisor.handle(id, event::Spawned{Generation{1}, 1}, theatre.stage.now);
    theatre.stage.now += 3s;
    CHECK(silent() == kMostJudged);
    CHECK(theatre.stage.supervisor.next_deadline() <= theatre.stage.now);
    CHECK(silent() == kTasks - kMostJudged);
    CHECK(theatre.stage.supervisor.next_deadline() > theatre.stage.now);
}

TEST_CASE("an order that a port gives in answer to an announcement is carried out in the same turn") {
    Theatre theatre;
    theatre.stage.given_healthy();
    (void)theatre.turn();
    theatre.world.on_announce = [&](const effect::Announce& change) {
        if (change.to == StateName::completed) theatre.stage.start();
    };
    theatre.world.unread = [&](Supervisor&, TimePoint) { theatre.stage.exits(0); };
    CHECK(theatre.turn() == "read release completed starting spawn ");
}

TEST_CASE("every kind of effect reaches its port") {
    Theatre theatre;
    theatre.stage.given_healthy();
    theatre.stage.pause();
    theatre.stage.kill_now();
    theatre.stage.supervisor.shut_down(0, false, theatre.stage.now);
    theatre.stage.dies(9);
    CHECK(theatre.turn() ==
          "read created starting spawn healthy freeze freeze stopping kill release dead finished ");
}

TEST_CASE("what the next daemon is to know is written before anything is done, and a beat writes nothing") {
    Theatre theatre;
    theatre.stage.given(beating());
    (void)theatre.turn();
    CHECK(theatre.world.written == "worker:starting ");
    CHECK(theatre.world.told_when_written == "read ");
    theatre.stage.comes_up();
    theatre.stage.beats();
    (void)theatre.turn();
    CHECK(theatre.world.written == "worker:healthy ");
    theatre.stage.beats();
    (void)theatre.turn();
    CHECK(theatre.world.written.empty());
    theatre.stage.remove();
    theatre.stage.exits(0);
    (void)theatre.turn();
    CHECK(theatre.world.written == "erased ");
}

TEST_CASE("deadlines that an absence has moved are in the records when everything is written anew") {
    Theatre theatre;
    Stage& stage = theatre.stage;
    TaskSpec spec = plain("stopping");
    spec.stop.edit().timeout = 10s;
    const TaskId stopping = stage.given(spec);
    stage.supervisor.handle(stopping, event::Spawned{Generation{1}, 1}, stage.now);
    stage.supervisor.handle(stopping, event::Stop{by_operator()}, stage.now);
    (void)theatre.turn();
    stage.now += 1h;
    CHECK(theatre.turn() == "read ");
    CHECK(theatre.world.written.empty());
    theatre.engine.write_all(stage.now);
    CHECK(theatre.world.written == "stopping:stopping ");
    CHECK(stage.supervisor.record(stopping)->state_due == stage.now + kAwayGrace);
    // That is what the next one goes on with.
    Supervisor next({});
    const TaskRecord record = *stage.supervisor.record(stopping);
    const TaskId task =
        next.adopt(*stage.supervisor.spec(stopping), record, stage.now, Adoption::in_place).value();
    CHECK(next.report(task, stage.now)->kill_in == kAwayGrace);
}

}  // namespace
}  // namespace vigil::core::testing
