#include "daemon.hpp"

#include <fmt/format.h>

#include <csignal>
#include <random>
#include <utility>

#include "control/platform.hpp"
#include "exit_code.hpp"
#include "linux/self/signals.hpp"
#include "linux/self/spare_memory.hpp"
#include "log.hpp"
#include "reload/config_store.hpp"
#include "version.hpp"

namespace vigil::daemon {
namespace {

using std::chrono::milliseconds;

/// What clients may take to read their last answers once everything is stopped.
constexpr auto kFarewell = milliseconds(1000);
/// From the taking over on; the loop has its first turns meanwhile.
constexpr auto kOutputHeld = milliseconds(50);
/// The line that `systemctl status` shows is brought up to date this often at most.
constexpr auto kStatusInterval = milliseconds(500);

core::TimePoint clock_now() {
    return std::chrono::steady_clock::now();
}

core::SupervisorRules rules_of(const config::DaemonSettings& settings) {
    return {.max_starting = starting_limit(settings),
            .max_dead_fraction = settings.max_dead_fraction,
            .seed = std::random_device{}()};
}

protocol::DurationSummary summary_of(const DurationHistogram& durations) {
    using std::chrono::duration_cast, std::chrono::microseconds;
    return {.count = durations.count(),
            .p50 = duration_cast<microseconds>(durations.quantile(0.5)),
            .p99 = duration_cast<microseconds>(durations.quantile(0.99)),
            .max = duration_cast<microseconds>(durations.max())};
}

}  // namespace

Daemon::Daemon(Process process, Place place, ReadConfig config, Parts parts,
               std::shared_ptr<spdlog::logger> log)
    : log_(std::move(log)),
      first_tasks_(config.config.tasks),
      lock_(std::move(place.lock)),
      program_(process.invocation.program),
      watch_keeper_(process.features.keeper),
      open_files_(process.open_files.at_start),
      handover_(std::move(process.handover)),
      facts_{.config_file = config.config.files.empty() ? std::string() : config.config.files.front(),
             .runtime_dir = place.directories.runtime,
             .socket = place.listener.path(),
             .started_at = handover_ ? core::TimePoint(handover_->started_at) : clock_now(),
             .config_files = config.config.files,
             .defaults = config.config.defaults},
      supervisor_(rules_of(config.config.daemon)),
      loop_(std::move(parts.loop)),
      keeping_(std::move(place.keeping)),
      kept_(std::move(place.kept)),
      book_(std::move(parts.book)),
      heirs_(std::move(parts.heirs)),
      cgroups_(std::move(parts.cgroups)),
      service_(*loop_),
      output_(std::move(parts.output)),
      processes_(*loop_,
                 {.spawner = std::move(parts.spawner),
                  .output = output_.get(),
                  .book = book_.get(),
                  .keeping = keeping_.get(),
                  .missed = [this](const auto& run) { care_.missed(run); },
                  .cgroups = cgroups_,
                  .features = process.features,
                  .goes_on = handover_.has_value(),
                  .child_signals = std::move(parts.child_signals),
                  .log = log_},
                 dropped_, [this] { turn(); }),
      reloader_({.loop = *loop_,
                 .supervisor = supervisor_,
                 .facts = facts_,
                 .log = log_,
                 .turn = [this] { turn(); }},
                place.directories, config),
      announcer_(log_, [this](const core::effect::Finished& effect) { finished(effect); }),
      engine_(supervisor_,
              {.processes = processes_, .announcements = announcer_, .signs = processes_, .records = *book_}),
      control_(std::move(place.listener),
               World{.loop = *loop_,
                     .supervisor = supervisor_,
                     .waits = waits_,
                     .facts = facts_,
                     .reloader = reloader_,
                     .access = place.access,
                     .dropped = dropped_,
                     .log = log_,
                     .turn = [this] { turn(); },
                     .look_at = [this](const core::TaskReport& report,
                                       bool details) { return look_at(report, details); },
                     .logs_of =
                         [this](const core::TaskReport& report) {
                             return output_->places(report.id, **report.spec);
                         },
                     .log_paths = [this](const core::TaskSpec& spec) { return output_->paths(spec); },
                     .signal = [this](core::TaskId task,
                                      int signal) { return processes_.signal_main(task, signal); },
                     .look_at_platform =
                         [this, features = process.features](protocol::DaemonStatus& status) {
                             tell_platform(status, features, *keeping_, cgroups_.get());
                             status.load = load();
                         },
                     .shut_down = [this](bool now) { shut_down(now); },
                     .upgrade =
                         [this](std::string program, std::function<void(const protocol::RpcError&)> refused) {
                             upgrader_.order(std::move(program), std::move(refused));
                         },
                     .hold_control = [this](int listener) { keeping_->hold_control(listener); }}),
      care_(*loop_, lock_, *keeping_,
            {.control = [this] { return control_.listener_fd(); },
             .runs = [this] { return processes_.runs(); },
             .put_run = [this](const auto& run) { return processes_.keep_again(run); },
             .show_pipes = [this](std::uint64_t after) { output_->show_pipes(after); }},
            log_),
      upgrader_(*loop_, std::move(process.invocation), upgrade_port(), log_),
      deadline_(*loop_, [this] { turn(); }),
      leave_(*loop_, [this] { leave_when_drained(); }),
      release_output_(*loop_, [this] { output_->hold(false); }),
      status_(*loop_, [this] { tell_status(); }) {
    loop_->on_trouble([this](const Error& error) { log_->warn("{}", error.text()); });
    output_->set_viewer([this](auto& pipes, const auto& showing) { care_.shown(pipes, showing); });
    announcer_.add_listener([this](const core::effect::Announce& change) { control_.changed(change); });
    announcer_.add_listener([this](const core::effect::Announce& change) { reloader_.changed(change); });
    announcer_.add_listener([this](const core::effect::Announce& change) {
        if (!change.to) output_->forget(change.task);
    });
    announcer_.add_listener([this](const core::effect::Announce&) {
        if (!std::exchange(status_due_, true)) status_.arm(clock_now() + kStatusInterval);
    });
    for (const auto& [number, name] : {std::pair{SIGTERM, "SIGTERM"}, std::pair{SIGINT, "SIGINT"}})
        signals_.push_back(
            std::make_unique<SignalWatch>(*loop_, number, [this, name = name] { stop_signal(name); }));
    signals_.push_back(std::make_unique<SignalWatch>(*loop_, SIGHUP, [this] { reopen(); }));
    // They were blocked if this process was a vigild before: what came meanwhile is seen to now.
    if (const auto unblocked = os::block_only_child_signals(); !unblocked)
        log_->error("{}", unblocked.error().text());
}

int Daemon::run() {
    log_->info("vigild {} runs with {} tasks of {}; control socket {}", kVersion, first_tasks_.size(),
               facts_.config_file, facts_.socket);
    if (!service_.fault().empty()) log_->warn("{}", service_.fault());
    begin_tasks();
    reloader_.keep_last_good();
    loop_->aside([file = facts_.config_file] { tidy_store(file); }, [] {});
    service_.ready();
    tell_status();
    {
        (void)os::spare_memory::hold();
        const os::spare_memory::Used used;
        loop_->run();
    }
    close_book();
    keeping_->end();
    log_->info("vigild stopped");
    log_->flush();
    return exit_code_.value_or(0);
}

void Daemon::begin_tasks() {
    book_->look_up_origins([this](const std::string& task) {
        return reloader_.is_from_file(task) ? state::SpecOrigin::config : state::SpecOrigin::added;
    });
    for (const std::string& task : heirs_.from_file()) reloader_.was_from_file(task);
    keeping_->begin();
    if (watch_keeper_) care_.begin();
    // What was printed meanwhile has waited all the time; those who ask what has become of the tasks wait
    // now.
    const bool hold = !heirs_.empty();
    output_->hold(hold);
    heirs_.take_over({supervisor_, processes_, *book_, *keeping_, kept_, *log_, handover_.has_value()},
                     clock_now());
    output_->hold(hold);  // the last pipes leave our table
    release_output_.arm(clock_now() + kOutputHeld);
    if (handover_) return go_on();
    for (core::SpecPtr& spec : std::exchange(first_tasks_, {})) {
        if (supervisor_.find(spec->name)) continue;  // taken over
        const std::string& name = spec->name;
        // The configuration cannot name a task twice, so nothing but a bug is in the way.
        VIGIL_CHECK(supervisor_.add(spec, clock_now()).ok(), name.c_str());
    }
    turn();
}

void Daemon::turn() noexcept {
    // An order given from within a turn (a listener that answers a client) is carried out in the next one.
    if (turning_) {
        turn_again_ = true;
        return;
    }
    turning_ = true;
    const os::spare_memory::Used used;
    bool all_read = true;
    hold_lines(*log_, true);
    do {
        turn_again_ = false;
        all_read = engine_.turn(clock_now());
    } while (turn_again_);
    hold_lines(*log_, false);
    turning_ = false;
    (void)os::spare_memory::hold();
    deadline_.arm(all_read ? supervisor_.next_deadline() : clock_now());
}

void Daemon::stop_signal(const char* name) {
    const bool again = supervisor_.shutting_down();
    log_->info("{}: {}", name,
               again ? "killing what is left" : "stopping every task; once more kills what is left");
    shut_down(again);
}

void Daemon::shut_down(bool now) {
    const os::spare_memory::Used used;
    service_.stopping();
    supervisor_.shut_down(0, now, clock_now());
    turn();
}

void Daemon::reopen() {
    log_->info("SIGHUP: opening the logs anew and reading the configuration");
    output_->reopen();
    control_.ensure_in_place();
    reloader_.reload();
}

protocol::TaskFacts Daemon::look_at(const core::TaskReport& report, bool details) {
    protocol::TaskFacts facts;
    facts.output = output_->facts(report.id, **report.spec);
    if (!details) {
        const bool trouble = facts.output && (facts.output->dropped != 0 || !facts.output->fault.empty());
        if (!trouble) facts.output.reset();
        return facts;
    }
    if (report.last_exit)
        if (const auto* lines = output_->last_lines(report.id, report.last_exit->generation))
            facts.last_lines = *lines;
    if (const auto usage = processes_.usage(report.id))
        facts.resources = {.processes = usage->processes,
                           .memory = usage->memory,
                           .cpu = std::chrono::duration_cast<milliseconds>(usage->cpu)};
    return facts;
}

protocol::DaemonLoad Daemon::load() {
    LoopMeter& meter = loop_->meter();
    protocol::DaemonLoad load{.turns = summary_of(meter.turns()),
                              .recent_turns = summary_of(meter.recent_turns(clock_now())),
                              .turns_cpu = summary_of(meter.turns_cpu()),
                              .timer_lateness = summary_of(meter.lateness()),
                              .queues = {}};
    processes_.count_waiting(load.queues);
    control_.count_waiting(load.queues);
    return load;
}

void Daemon::finished(const core::effect::Finished& effect) {
    exit_code_ = effect.exit_code;
    if (effect.exit_code != 0) log_->error("stopped by daemon.max_dead_fraction: too many tasks are dead");
    if (effect.left != 0) {
        log_->error("{} tasks have processes that SIGKILL does not end (named above); leaving them",
                    effect.left);
        if (effect.exit_code == 0) exit_code_ = exit_code::kLeftBehind;
    }
    control_.finished();
    leave_by_ = clock_now() + kFarewell;
    leave_when_drained();
}

/// What SIGKILL has not ended yet is the next daemon's to wait for: a copy beside it is what nobody wants.
void Daemon::close_book() {
    std::vector<std::pair<core::TaskId, core::TaskRecord>> left;
    for (const auto& [task, generation] : processes_.runs())
        if (auto record = supervisor_.record(task); record && core::has_run(record->state))
            left.emplace_back(task, core::left_by_shutdown(*std::move(record)));
    left.empty() ? book_->close() : book_->leave(left);
}

void Daemon::leave_when_drained() {
    if (control_.drained() || clock_now() >= leave_by_) {
        loop_->stop();
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
