// vigil_hot_paths EVENTS: what one event costs in the pure part of the daemon, for callgrind to count
// instructions of: each of the three functions below carries out EVENTS events of its kind, and is counted on
// its own (--toggle-collect). Built with -O2 whatever the rest of the tree is built with.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/check.hpp"
#include "core/engine.hpp"
#include "protocol/line_framing.hpp"
#include "protocol/methods.hpp"
#include "protocol/notify_message.hpp"
#include "protocol/rpc.hpp"
#include "protocol/task_status.hpp"

namespace {

using namespace vigil;
using namespace std::chrono_literals;

constexpr int kTasks = 1000;

/// Every process comes up at once and ends as it is asked; what has happened is handed in by the next turn.
class World final : public core::ProcessPort,
                    public core::AnnouncePort,
                    public core::SignsPort,
                    public core::RecordPort {
  public:
    void spawn(const core::effect::Spawn& effect) override {
        signs_.emplace_back(effect.task, core::event::Spawned{effect.generation, 1000});
    }
    void signal(const core::effect::Signal& effect) override { ends(effect.task, effect.generation, 15); }
    void run_stop_command(const core::effect::RunStopCommand&) override {}
    void kill_tree(const core::effect::KillTree& effect) override { ends(effect.task, effect.generation, 9); }
    void freeze(const core::effect::Freeze&) override {}
    void release(const core::effect::Release&) override { ++released; }
    void announce(const core::effect::Announce&) override {}
    void finished(const core::effect::Finished&) override {}
    void write(core::TaskId, const core::TaskRecord& record, const core::SpecPtr&) override {
        generation = record.generation;
    }
    void erase(core::TaskId) override {}
    std::optional<core::TimePoint> read(core::Supervisor& supervisor, core::TimePoint now) override {
        for (auto& [task, event] : std::exchange(signs_, {})) supervisor.handle(task, std::move(event), now);
        return now;
    }

    void ends(core::TaskId task, core::Generation run, int signal) {
        core::event::Exited exited{.generation = run, .status = {}, .usage = {}};
        exited.status.kind = core::ExitStatus::Kind::signal;
        exited.status.signal = signal;
        exited.tree_empty = true;
        signs_.emplace_back(task, std::move(exited));
    }
    void beats(core::TaskId task, core::Generation run) {
        core::event::Notified beat;
        beat.generation = run;
        beat.beat = true;
        signs_.emplace_back(task, std::move(beat));
    }

    int released = 0;
    core::Generation generation{};  ///< of the record that was written last

  private:
    std::vector<std::pair<core::TaskId, core::Event>> signs_;
};

struct Stage {
    World world;
    core::Supervisor supervisor{{.max_starting = 8, .max_dead_fraction = {}, .seed = 1}};
    core::Engine engine{supervisor,
                        {.processes = world, .announcements = world, .signs = world, .records = world}};
    core::TimePoint now{1h};
    std::vector<core::TaskId> tasks;

    Stage() {
        for (int i = 0; i < kTasks; ++i) {
            auto spec = std::make_shared<core::TaskSpec>();
            spec->name = "task-" + std::to_string(i);
            spec->command = {"/bin/task"};
            spec->heartbeat.emplace();
            spec->heartbeat->timeout = spec->heartbeat->initial_delay = 24h;
            spec->ready.on = core::ReadyOn::exec;
            spec->restart.edit().policy = core::RestartPolicy::always;
            spec->restart.edit().base_delay = 0s;
            spec->restart.edit().max_attempts.reset();
            tasks.push_back(supervisor.add(std::move(spec), now).value());
        }
        turns(3);
    }
    void turns(int count) {
        for (int i = 0; i < count; ++i) engine.turn(now);
    }
    core::TaskId task(int event) const { return tasks[static_cast<std::size_t>(event) % tasks.size()]; }
};

}  // namespace

extern "C" {

/// Recognised, handed to the state machine, judged in the turn.
[[gnu::noinline]] void guard_heartbeats(Stage& stage, int events) {
    for (int i = 0; i < events; ++i) {
        stage.now += 100us;
        VIGIL_CHECK(protocol::is_plain_beat("WATCHDOG=1"), "a beat is a beat");
        stage.world.beats(stage.task(i), core::Generation{1});
        stage.turns(1);
    }
}

/// From the exit of a run to the spawn of the next, and until that is known to live.
[[gnu::noinline]] void guard_restarts(Stage& stage, int events) {
    for (int i = 0; i < events; ++i) {
        stage.now += 10ms;
        stage.world.ends(stage.task(i), core::Generation{static_cast<std::uint64_t>(1 + i / kTasks)}, 11);
        stage.turns(3);
    }
}

/// A request for one task, read, carried out and answered.
[[gnu::noinline]] void guard_statuses(Stage& stage, int events) {
    const std::string line =
        R"({"jsonrpc":"2.0","id":17,"method":"task.status","params":{"name":"task-500"}})"
        "\n";
    protocol::LineReader lines;
    for (int i = 0; i < events; ++i) {
        lines.feed(line);
        const auto request = protocol::parse_request(*lines.next());
        VIGIL_CHECK(request.ok(), "the request");
        const auto method = protocol::resolve(*request);
        const auto params = protocol::decode(**method, request->params());
        VIGIL_CHECK(params.ok(), "its parameters");
        const auto task = stage.supervisor.find("task-500");
        const auto report = stage.supervisor.report(*task, stage.now);
        std::string answer;
        {
            auto message = protocol::Message::result(answer, *request->id);
            message.body().begin_object().key("tasks").begin_array();
        }
        json::Writer out(answer);
        protocol::write_task_status(out, *report, {.steady = stage.now, .wall = {}}, {});
        VIGIL_CHECK(answer.size() > 300, "the answer");
    }
}
}

int main(int argc, char** argv) {
    const int events = argc == 2 ? std::atoi(argv[1]) : 0;
    if (events <= 0) {
        std::fputs("usage: vigil_hot_paths EVENTS\n", stderr);
        return 2;
    }
    Stage stage;
    guard_heartbeats(stage, events);
    VIGIL_CHECK(stage.world.released == 0, "no beat ends a run");
    guard_restarts(stage, events);
    VIGIL_CHECK(stage.world.released == events, "each end is one");
    guard_statuses(stage, events);
    return 0;
}
