#include "daemon.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <random>
#include <thread>
#include <utility>

#include "config/env_file.hpp"
#include "config/variables.hpp"
#include "linux/identity.hpp"
#include "linux/runtime_directory.hpp"
#include "version.hpp"

namespace vigil::daemon {
namespace {

using std::chrono::milliseconds;

/// What clients may take to read their last answers once everything is stopped.
constexpr auto kFarewell = milliseconds(1000);
/// The line that `systemctl status` shows is brought up to date this often at most.
constexpr auto kStatusInterval = milliseconds(500);

core::TimePoint clock_now() {
    return std::chrono::steady_clock::now();
}

core::SupervisorRules rules_of(const config::DaemonSettings& settings) {
    const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
    return {.max_starting = settings.max_starting.value_or(8 * cores),
            .max_dead_fraction = settings.max_dead_fraction,
            .seed = std::random_device{}()};
}

/// The parts of the configuration language that a spawn needs. Called in spawn threads.
os::EnvironmentLanguage environment_language() {
    os::EnvironmentLanguage language;
    language.parse_file = [](std::string_view text) -> Result<os::Environment, std::string> {
        auto parsed = config::parse_env_file(text);
        if (parsed) return std::move(parsed).value();
        const config::EnvFileFault& fault = parsed.error().front();
        return Failure{fmt::format("line {}: {}", fault.line, fault.message)};
    };
    language.expand = [](std::string_view value,
                         const os::VariableLookup& lookup) -> Result<std::string, std::string> {
        if (const auto fault = config::check_variables(value)) return Failure{fault->message};
        return config::expand_variables(value, [&](std::string_view name) -> std::optional<std::string> {
            const auto found = lookup(name);
            return found ? std::optional<std::string>(*found) : std::nullopt;
        });
    };
    return language;
}

Result<std::optional<gid_t>> resolve_group(const std::optional<std::string>& name, const char* key) {
    if (!name) return std::optional<gid_t>();
    const auto gid = os::look_up_group(*name);
    if (!gid) return Failure{Error{std::string(key) + ": " + gid.error().doing, gid.error().code}};
    return std::optional<gid_t>(*gid);
}

}  // namespace

Result<Place> take_place(const config::DaemonSettings& settings) {
    const bool all_given =
        !settings.runtime_dir.empty() && !settings.state_dir.empty() && !settings.log_dir.empty();
    Directories directories{settings.runtime_dir, settings.state_dir, settings.log_dir};
    if (!all_given) {
        auto defaults = default_directories(::geteuid(), environment_variable);
        if (!defaults && directories.runtime.empty()) return Failure{defaults.error()};
        if (directories.runtime.empty()) directories.runtime = defaults->runtime;
        if (directories.state.empty() && defaults) directories.state = defaults->state;
        if (directories.log.empty() && defaults) directories.log = defaults->log;
    }

    const auto group = resolve_group(settings.control.group, "daemon.control.group");
    if (!group) return Failure{group.error()};
    const auto read_group = resolve_group(settings.control.read_group, "daemon.control.read_group");
    if (!read_group) return Failure{read_group.error()};

    const auto runtime = os::prepare_runtime_directory(directories.runtime);
    if (!runtime) return Failure{runtime.error()};
    auto lock = os::InstanceLock::take(runtime->path + "/lock");
    if (!lock) return Failure{lock.error()};
    // With a read_group two groups have to reach the socket: whoever may do nothing is refused at each call.
    auto listener = os::UnixListener::open(*lock, {.path = runtime->path + "/control.sock",
                                                   .mode = *read_group ? 0666 : settings.control.mode,
                                                   .group = *group});
    if (!listener) return Failure{listener.error()};
    if (const auto swept = os::remove_stale_notify_sockets(runtime->notify); !swept)
        return Failure{swept.error()};
    return Place{
        .directories = std::move(directories),
        .notify_directory = runtime->notify,
        .lock = std::move(lock).value(),
        .listener = std::move(listener).value(),
        .access = {.owner = ::geteuid(), .group = group->value_or(::getegid()), .read_group = *read_group}};
}

Result<std::unique_ptr<Daemon>> Daemon::create(Process process, Place place, config::Config config,
                                               std::shared_ptr<spdlog::logger> log) {
    auto watches = os::WatchSet::create();
    if (!watches) return Failure{watches.error()};
    os::SpawnerOptions options;
    options.notify_directory = place.notify_directory;
    options.daemon_environment = process.environment;
    options.language = environment_language();
    options.open_files = process.open_files.at_start;
    options.low_descriptors = process.low_descriptors;
    auto spawner = os::Spawner::create(std::move(options));
    if (!spawner) return Failure{spawner.error()};
    return std::unique_ptr<Daemon>(new Daemon(std::move(process), std::move(place), std::move(config),
                                              std::move(watches).value(), std::move(spawner).value(),
                                              std::move(log)));
}

Daemon::Daemon(Process process, Place place, config::Config config, os::WatchSet watches,
               std::unique_ptr<os::Spawner> spawner, std::shared_ptr<spdlog::logger> log)
    : log_(std::move(log)),
      config_(std::move(config)),
      lock_(std::move(place.lock)),
      facts_{.config_file = config_.files.empty() ? std::string() : config_.files.front(),
             .config_files = config_.files,
             .defaults = config_.defaults,
             .runtime_dir = place.directories.runtime,
             .socket = place.listener.path(),
             .started_at = clock_now()},
      supervisor_(rules_of(config_.daemon)),
      service_(loop_),
      processes_(loop_,
                 {.spawner = std::move(spawner),
                  .watches = std::move(watches),
                  .features = process.features,
                  .log = log_},
                 dropped_, [this] { turn(); }),
      announcer_(log_, [this](int code) { finished(code); }),
      engine_(supervisor_, processes_, announcer_, processes_),
      control_(std::move(place.listener),
               World{.loop = loop_,
                     .supervisor = supervisor_,
                     .waits = waits_,
                     .facts = facts_,
                     .access = place.access,
                     .dropped = dropped_,
                     .log = log_,
                     .turn = [this] { turn(); },
                     .signal = [this](core::TaskId task,
                                      int signal) { return processes_.signal_main(task, signal); },
                     .shut_down = [this](bool now) { shut_down(now); }}),
      deadline_(loop_, [this] { turn(); }),
      leave_(loop_, [this] { leave_when_drained(); }),
      status_(loop_, [this] { tell_status(); }) {
    announcer_.add_listener([this](const core::effect::Announce& change) { control_.changed(change); });
    announcer_.add_listener([this](const core::effect::Announce&) {
        if (!std::exchange(status_due_, true)) status_.arm(clock_now() + kStatusInterval);
    });
    for (const auto& [number, name] : {std::pair{SIGTERM, "SIGTERM"}, std::pair{SIGINT, "SIGINT"}})
        signals_.push_back(
            std::make_unique<SignalWatch>(loop_, number, [this, name = name] { stop_signal(name); }));
    signals_.push_back(std::make_unique<SignalWatch>(loop_, SIGHUP, [this] {
        log_->warn("SIGHUP: this version does not reload; restart vigild for a changed configuration");
        control_.ensure_in_place();
    }));
}

int Daemon::run() {
    log_->info("vigild {} runs with {} tasks of {}; control socket {}", kVersion, config_.tasks.size(),
               facts_.config_file, facts_.socket);
    if (!service_.fault().empty()) log_->warn("{}", service_.fault());
    for (core::SpecPtr& spec : config_.tasks) {
        const std::string& name = spec->name;
        // The configuration cannot name a task twice, so nothing but a bug is in the way.
        VIGIL_CHECK(supervisor_.add(spec, clock_now()).ok(), name.c_str());
    }
    config_.tasks.clear();
    turn();
    service_.ready();
    tell_status();
    loop_.run();
    log_->info("vigild stopped");
    log_->flush();
    return exit_code_.value_or(0);
}

void Daemon::turn() {
    // An order given from within a turn (a listener that answers a client) is carried out in the next one.
    if (turning_) {
        turn_again_ = true;
        return;
    }
    turning_ = true;
    do {
        turn_again_ = false;
        engine_.turn(clock_now());
    } while (turn_again_);
    turning_ = false;
    deadline_.arm(supervisor_.next_deadline());
}

void Daemon::stop_signal(const char* name) {
    const bool again = supervisor_.shutting_down();
    log_->info("{}: {}", name,
               again ? "killing what is left" : "stopping every task; once more kills what is left");
    shut_down(again);
}

void Daemon::shut_down(bool now) {
    service_.stopping();
    supervisor_.shut_down(0, now, clock_now());
    turn();
}

void Daemon::finished(int exit_code) {
    exit_code_ = exit_code;
    if (exit_code != 0) log_->error("stopped by daemon.max_dead_fraction: too many tasks are dead");
    control_.finished();
    leave_by_ = clock_now() + kFarewell;
    leave_when_drained();
}

void Daemon::leave_when_drained() {
    if (control_.drained() || clock_now() >= leave_by_) {
        loop_.stop();
    } else {
        leave_.arm(clock_now() + milliseconds(5));
    }
}

void Daemon::tell_status() {
    status_due_ = false;
    const auto counts = supervisor_.count_by_state();
    std::string line;
    for (std::size_t state = 0; state < counts.size(); ++state)
        if (counts[state] != 0)
            line += fmt::format("{}{} {}", line.empty() ? "" : ", ", counts[state],
                                core::to_string(static_cast<core::StateName>(state)));
    service_.status(fmt::format("{} tasks{}{}", supervisor_.size(), line.empty() ? "" : ": ", line));
}

}  // namespace vigil::daemon
