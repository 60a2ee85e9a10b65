// The daemon as its upgrade sees it: what is held and handed over, and going on from a hand-over.
#include "daemon.hpp"
#include "version.hpp"

namespace vigil::daemon {
Upgrader::Port Daemon::upgrade_port() {
    return {.begin = [this] { return begin_upgrade(); },
            .hold =
                [this](bool held) {
                    control_.hold(held);
                    processes_.hold_spawns(held);
                },
            .settled = [this] { return processes_.settled() && care_.complete() && loop_->asides() == 0; },
            .rest = [this](bool rest) { output_->rest(rest); },
            .hand_over = [this] { return hand_over(); },
            .end = [this] { reloader_.end_change(); }};
}

std::string Daemon::begin_upgrade() {
    if (supervisor_.shutting_down()) return "the daemon is shutting down";
    if (!book_->is_kept()) return "there is no state table to go on from (see the log)";
    if (keeping_->connection() < 0)
        return "there is no keeper that could hold what tasks speak through (see the log)";
    if (!reloader_.begin_change())
        return "the configuration is being read or written for another request; try again in a moment";
    return {};
}

Handover Daemon::hand_over() {
    engine_.write_all(std::chrono::steady_clock::now());
    Handover handover{.version = kVersion,
                      .runtime_dir = facts_.runtime_dir,
                      .lock = lock_.fd(),
                      .open_files = open_files_,
                      .started_at = facts_.started_at.time_since_epoch(),
                      .config_changed = reloader_.config_changed(),
                      .clients = control_.carry(),
                      .stop_commands = {}};
    for (const TaskProcesses::StopCommand& command : processes_.stop_commands())
        if (const core::SpecPtr* spec = supervisor_.spec(command.task))
            handover.stop_commands.push_back(
                {(*spec)->name, static_cast<std::uint64_t>(command.generation), command.pid});
    return handover;
}

/// From where the vigild stood that this process was. Its clients are answered after the first turn, so that
/// they are told of what that finds.
void Daemon::go_on() {
    const Handover from = *std::exchange(handover_, std::nullopt);
    // What the files have gained meanwhile comes with the next reload.
    first_tasks_.clear();
    if (from.config_changed) reloader_.fell_behind();
    for (const CarriedCommand& command : from.stop_commands)
        if (const auto task = supervisor_.find(command.task))
            processes_.adopt_stop_command(*task, core::Generation{command.generation}, command.pid);
    control_.restore(from.clients, {.from = from.version, .to = kVersion, .program = program_});
    turn();
    control_.hold(false);
}

}  // namespace vigil::daemon
