#include "control_world.hpp"

#include <spdlog/sinks/null_sink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>

#include "json/parse.hpp"
#include "upgrade/handover.hpp"

namespace vigil::fuzz {
namespace {

/// Of a turn; a task that restarts without a delay would never let one end.
constexpr int kMostRounds = 20;
/// The least that the kernel grants, so that a few answers fill it (socket(7), SO_SNDBUF).
constexpr int kSmallBuffer = 2048;

core::TimePoint clock_now() {
    return std::chrono::steady_clock::now();
}

void must(bool holds) {
    if (!holds) std::abort();
}

/// A directory for the listening socket, for the life of the process.
const std::string& directory() {
    struct Made {
        Made() { must(::mkdtemp(path.data()) != nullptr); }
        ~Made() {
            std::error_code ignored;
            std::filesystem::remove_all(path, ignored);
        }
        std::string path = "/tmp/vigil-fuzz-XXXXXX";
    };
    static const Made made;
    return made.path;
}

const os::InstanceLock& lock() {
    static const os::InstanceLock taken = [] {
        auto lock = os::InstanceLock::take(directory() + "/lock");
        must(lock.ok());
        return std::move(lock).value();
    }();
    return taken;
}

core::SpecPtr spec_of(const char* name, const char* text) {
    const auto document = json::parse(text);
    must(document.ok());
    auto spec = config::parse_task(document->root, name, {}, "fuzz");
    must(spec.ok());
    return std::move(spec).value();
}

}  // namespace

void Processes::spawn(const core::effect::Spawn& effect) {
    const std::string command(effect.spec->command.front());
    if (command == "missing") {
        news_.emplace_back(effect.task,
                           core::event::SpawnFailed{effect.generation, {.error = ENOENT, .detail = command}});
        return;
    }
    running_[effect.task] = effect.generation;
    news_.emplace_back(effect.task, core::event::Spawned{effect.generation, ++last_pid_});
    using Kind = core::ExitStatus::Kind;
    if (command == "true") end(effect.task, {.kind = Kind::code});
    if (command == "false") end(effect.task, {.kind = Kind::code, .code = 1});
}

void Processes::signal(const core::effect::Signal& effect) {
    end(effect.task, {.kind = core::ExitStatus::Kind::signal, .signal = effect.signal});
}

void Processes::run_stop_command(const core::effect::RunStopCommand& effect) {
    news_.emplace_back(effect.task, core::event::StopCommandEnded{effect.generation, false});
}

void Processes::kill_tree(const core::effect::KillTree& effect) {
    end(effect.task, {.kind = core::ExitStatus::Kind::signal, .signal = SIGKILL});
}

void Processes::end(core::TaskId task, core::ExitStatus status) {
    const auto run = running_.find(task);
    if (run == running_.end()) return;
    news_.emplace_back(task,
                       core::event::Exited{.generation = run->second, .status = status, .tree_empty = true});
    running_.erase(run);
}

bool Processes::runs(core::TaskId task) const noexcept {
    return running_.contains(task);
}

std::optional<core::TimePoint> Processes::read(core::Supervisor& supervisor, core::TimePoint now) {
    for (auto& [task, event] : std::exchange(news_, {})) supervisor.handle(task, std::move(event), now);
    return now;
}

ControlWorld::ControlWorld()
    : log_(std::make_shared<spdlog::logger>("fuzz", std::make_shared<spdlog::sinks::null_sink_st>())),
      waits_(std::make_unique<core::Waits>()),
      facts_{.config_file = directory() + "/none/vigil.json",
             .runtime_dir = directory(),
             .socket = directory() + "/control.sock",
             .started_at = clock_now(),
             .config_files = {},
             .defaults = {}},
      reloader_({.loop = loop_,
                 .supervisor = supervisor_,
                 .facts = facts_,
                 .log = log_,
                 .turn = [this] { turn(); }},
                {.runtime = directory(), .state = {}, .log = {}}, {}),
      engine_(supervisor_,
              {.processes = processes_, .announcements = *this, .signs = processes_, .records = *this}) {
    make_server();
    for (const auto& [name, text] :
         {std::pair{"api", R"({"command":["serve"],"heartbeat":{"timeout":"1h"},"ready":{"on":"exec"}})"},
          std::pair{"db", R"({"command":["serve"],"stop":{"command":["end"]}})"},
          std::pair{"web-1", R"({"command":["serve"],"autostart":false})"},
          std::pair{"once", R"({"command":["true"]})"}, std::pair{"bad", R"({"command":["false"]})"}})
        must(supervisor_.add(spec_of(name, text), clock_now()).ok());
    turn();
}

ControlWorld::~ControlWorld() = default;

void ControlWorld::make_server() {
    auto listener = os::UnixListener::open(lock(), {.path = facts_.socket, .mode = 0600});
    must(listener.ok());
    daemon::World world{
        .loop = loop_,
        .supervisor = supervisor_,
        .waits = *waits_,
        .facts = facts_,
        .reloader = reloader_,
        .access = {.owner = ::geteuid(), .group = std::nullopt, .read_group = std::nullopt},
        .dropped = dropped_,
        .log = log_,
        .turn = [this] { turn(); },
        .look_at =
            [](const core::TaskReport&, bool details) {
                protocol::TaskFacts facts;
                if (details) facts.last_lines = {"said\x01\xff"};
                return facts;
            },
        .logs_of =
            [](const core::TaskReport& report) {
                return std::vector<protocol::LogPlace>{{.name = std::string(report.name),
                                                        .stream = "out",
                                                        .to = "file",
                                                        .path = "/log",
                                                        .format = "raw",
                                                        .fault = {}}};
            },
        .log_paths = [](const core::TaskSpec& spec) { return std::vector{"/" + spec.name + ".log"}; },
        .signal = [this](core::TaskId task, int) -> Result<void> {
            if (processes_.runs(task)) return {};
            return Failure{Error{"no process runs", ESRCH}};
        },
        .look_at_platform = [](protocol::DaemonStatus&) {},
        .shut_down =
            [this](bool now) {
                supervisor_.shut_down(0, now, clock_now());
                turn();
            },
        .upgrade =
            [](const std::string&, const std::function<void(const protocol::RpcError&)>& refused) {
                refused({.code = protocol::ErrorCode::busy, .message = "not here"});
            },
        .hold_control = [](int) {}};
    server_ = std::make_unique<daemon::ControlServer>(std::move(listener).value(), std::move(world));
}

void ControlWorld::announce(const core::effect::Announce& effect) {
    server_->changed(effect);
    reloader_.changed(effect);
}

void ControlWorld::finished(const core::effect::Finished&) {
    finished_ = true;
    server_->finished();
}

void ControlWorld::turn() {
    // As the daemon has it: an order given from within a turn is carried out in the next one.
    if (std::exchange(turn_again_, true) && turning_) return;
    if (turning_) return;
    turning_ = true;
    for (int round = 0; round < kMostRounds && (turn_again_ || processes_.has_news()); ++round) {
        turn_again_ = false;
        engine_.turn(clock_now());
    }
    turn_again_ = false;
    turning_ = false;
}

UniqueFd ControlWorld::connect() {
    int ends[2];
    must(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
    UniqueFd far(ends[0]);
    if (finished_) return UniqueFd(ends[1]);
    must(::setsockopt(far.get(), SOL_SOCKET, SO_SNDBUF, &kSmallBuffer, sizeof kSmallBuffer) == 0);
    daemon::CarriedClients one{.upgrader_session = std::nullopt, .upgrader_request = {}};
    one.sessions.push_back({.fd = far.release(), .received = {}, .unsent = {}});
    server_->restore(one, {});
    server_->hold(false);
    return UniqueFd(ends[1]);
}

void ControlWorld::turn_loop() {
    uv_run(loop_.raw(), UV_RUN_NOWAIT);
    // What another thread does for a request is a part of it: an input does the same each time.
    finish_asides();
    uv_run(loop_.raw(), UV_RUN_NOWAIT);
    turn();
}

void ControlWorld::finish_asides() {
    while (loop_.asides() != 0) uv_run(loop_.raw(), UV_RUN_ONCE);
}

void ControlWorld::crash_all() {
    for (const core::TaskId task : supervisor_.ids_by_name())
        processes_.end(task, {.kind = core::ExitStatus::Kind::code, .code = 1});
    turn();
}

void ControlWorld::upgrade() {
    if (supervisor_.shutting_down()) return;
    // As an upgrade waits for what is done in other threads.
    finish_asides();
    server_->hold(true);
    daemon::Handover from;
    from.clients = server_->carry();
    auto to = daemon::decode_handover(encode(from));
    must(to.ok());
    // Stay open while what held them goes, as they do beyond execve(2).
    for (daemon::CarriedSession& session : to->clients.sessions) session.fd = ::dup(session.fd);
    server_.reset();
    waits_ = std::make_unique<core::Waits>();
    make_server();
    server_->restore(to->clients, {.from = "1", .to = "2", .program = "/vigild"});
    turn();
    server_->hold(false);
}

void ControlWorld::shut_down() {
    supervisor_.shut_down(0, true, clock_now());
    turn();
}

}  // namespace vigil::fuzz
