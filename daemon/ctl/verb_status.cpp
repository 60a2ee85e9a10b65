// status and show: where tasks are, and why.
#include <algorithm>

#include "base/text.hpp"
#include "ctl/exit_code.hpp"
#include "ctl/session.hpp"
#include "ctl/status_text.hpp"
#include "ctl/task_page.hpp"
#include "ctl/verbs.hpp"

namespace vigil::ctl {
namespace {

Result<Answered, int> ask(client::Client& client, const Options& options,
                          const protocol::params::TaskStatus& wanted, const Terminal& terminal) {
    const auto call = [&](const protocol::Patterns& names) {
        protocol::params::TaskStatus named = wanted;
        named.names = names;
        return client.status(std::move(named), for_question(options, terminal));
    };
    return call_for_names(call, options, terminal);
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
    protocol::params::TaskStatus wanted;
    if (options.json)
        wanted.details = true;
    else
        wanted.fields = kTableFields;
    auto statuses = ask(*client, options, wanted, terminal);
    if (!statuses) return statuses.error();

    // For --json and no names the tasks need not be looked at: the answer is the document.
    if (options.json && !terminal.print(std::string(statuses->json) + "\n")) return exit_code::kFailed;
    if (options.json && options.names.empty()) return exit_code::kDone;
    StatusTable table;
    int code = exit_code::kDone;
    const auto taken = protocol::take_task_statuses(statuses->json, [&](const protocol::TaskStatus& task) {
        if (!options.json) table.add(task);
        code = std::max(code, exit_code_of(task));
    });
    if (!taken) return report(client->misread(taken.error()), options, terminal);
    if (!options.json) {
        const TableStyle style{.colours = terminal.colours(), .width = terminal.output_size().columns};
        if (!terminal.print(table.render(style))) return exit_code::kFailed;
        hint_at_changed_config(*client, options, terminal);
    }
    if (options.names.empty() || statuses->exit_code != exit_code::kDone) return statuses->exit_code;
    return code;
}

int run_show(const Options& options, const Terminal& terminal) {
    auto client = connect(options, terminal);
    if (!client) return report(client.error(), options, terminal);
    auto statuses = ask(*client, options, {.names = {}, .spec = true, .details = true}, terminal);
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
