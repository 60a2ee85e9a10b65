// status and show: where tasks are, and why.
#include "base/text.hpp"
#include "ctl/exit_code.hpp"
#include "ctl/session.hpp"
#include "ctl/status_text.hpp"
#include "ctl/task_page.hpp"
#include "ctl/verbs.hpp"

namespace vigil::ctl {
namespace {

using protocol::Method;

Result<Answered, int> ask(client::Client& client, const Options& options, bool spec, bool details,
                          const Terminal& terminal) {
    const auto params = [&](const protocol::Patterns& names) {
        return client::status_text({.names = names, .spec = spec, .details = details});
    };
    return call_for_names(client, Method::task_status, params, options, terminal);
}

/// For people only: who reads a program's output asks daemon.status.
void hint_at_changed_config(client::Client& client, const Options& options, const Terminal& terminal) {
    if (!terminal.error_is_terminal()) return;
    const auto daemon = client.daemon_status(for_question(options, terminal));
    if (!daemon) return;
    if (!daemon->config_fault.empty())
        terminal.error_text("The last good configuration runs, since the one on the disk cannot be used: " +
                            escape_for_display(daemon->config_fault) + "\nMend it, then vigilctl reload.\n");
    else if (daemon->config_changed)
        terminal.error_text(
            "The configuration on the disk has changed: see vigilctl diff, vigilctl reload.\n");
}

}  // namespace

int run_status(const Options& options, const Terminal& terminal) {
    if (options.watch) return run_watch(options, terminal);
    auto client = connect(options, terminal);
    if (!client) return report(client.error(), options, terminal);
    auto statuses = ask(*client, options, false, options.json, terminal);
    if (!statuses) return statuses.error();

    // For --json and no names the tasks need not be looked at: the answer is the document.
    if (options.json && !terminal.print(std::string(statuses->json) + "\n")) return exit_code::kFailed;
    if (options.json && options.names.empty()) return exit_code::kDone;
    auto tasks = protocol::parse_task_statuses(statuses->json);
    if (!tasks) return report(client->misread(tasks.error()), options, terminal);
    if (!options.json) {
        const TableStyle style{.colours = terminal.colours(), .width = terminal.output_size().columns};
        if (!terminal.print(render_statuses(*tasks, style))) return exit_code::kFailed;
        hint_at_changed_config(*client, options, terminal);
    }
    if (options.names.empty() || statuses->exit_code != exit_code::kDone) return statuses->exit_code;
    return exit_code_of(*tasks);
}

int run_show(const Options& options, const Terminal& terminal) {
    auto client = connect(options, terminal);
    if (!client) return report(client.error(), options, terminal);
    auto statuses = ask(*client, options, true, true, terminal);
    if (!statuses) return statuses.error();
    if (options.json)
        return terminal.print(std::string(statuses->json) + "\n") ? exit_code::kDone : exit_code::kFailed;
    auto tasks = protocol::parse_task_statuses(statuses->json);
    if (!tasks) return report(client->misread(tasks.error()), options, terminal);
    std::string out;
    for (const protocol::TaskStatus& task : *tasks)
        out.append(out.empty() ? "" : "\n").append(render_page(task, terminal.colours()));
    return terminal.print(out) ? exit_code::kDone : exit_code::kFailed;
}

}  // namespace vigil::ctl
