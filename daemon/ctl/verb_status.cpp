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

using protocol::Method;

/// An answer to task.status, with what could be answered only.
struct Statuses {
    std::string json;
    int exit_code = exit_code::kDone;  ///< kNoSuchTask: some patterns matched nothing
};

/// The patterns that the daemon did not complain about.
protocol::Patterns without(const protocol::Patterns& names, const protocol::Patterns& unmatched) {
    protocol::Patterns left;
    for (const std::string& name : names)
        if (std::find(unmatched.begin(), unmatched.end(), name) == unmatched.end()) left.push_back(name);
    return left;
}

/// Asks for `options.names`. One name that matches nothing must not hide the others, so it is reported and
/// left out.
Result<Statuses, int> ask(client::Client& client, const Options& options, bool spec,
                          const Terminal& terminal) {
    Statuses statuses;
    protocol::Patterns names = options.names;
    while (true) {
        auto answer = client.call(Method::task_status, client::names_text(names, spec),
                                  for_question(options, terminal));
        if (answer) {
            statuses.json = *answer;
            return statuses;
        }
        const client::Fault& fault = answer.error();
        const int code = report(fault, options, terminal);
        if (!fault.rpc || fault.rpc->code != protocol::ErrorCode::no_such_task) return Failure{code};
        protocol::Patterns left = without(names, fault.rpc->names);
        if (left.empty() || left.size() == names.size()) return Failure{code};
        names = std::move(left);
        statuses.exit_code = exit_code::kNoSuchTask;
    }
}

}  // namespace

int run_status(const Options& options, const Terminal& terminal) {
    if (options.watch) return run_watch(options, terminal);
    auto client = connect(options, terminal);
    if (!client) return report(client.error(), options, terminal);
    auto statuses = ask(*client, options, false, terminal);
    if (!statuses) return statuses.error();

    // For --json and no names the tasks need not be looked at: the answer is the document.
    if (options.json && !terminal.print(statuses->json + "\n")) return exit_code::kFailed;
    if (options.json && options.names.empty()) return exit_code::kDone;
    auto tasks = protocol::parse_task_statuses(statuses->json);
    if (!tasks) return report(client->misread(tasks.error()), options, terminal);
    if (!options.json) {
        const TableStyle style{.colours = terminal.colours(), .width = terminal.output_size().columns};
        if (!terminal.print(render_statuses(*tasks, style))) return exit_code::kFailed;
    }
    if (options.names.empty() || statuses->exit_code != exit_code::kDone) return statuses->exit_code;
    return exit_code_of(*tasks);
}

int run_show(const Options& options, const Terminal& terminal) {
    auto client = connect(options, terminal);
    if (!client) return report(client.error(), options, terminal);
    auto statuses = ask(*client, options, true, terminal);
    if (!statuses) return statuses.error();
    if (options.json) return terminal.print(statuses->json + "\n") ? exit_code::kDone : exit_code::kFailed;
    auto tasks = protocol::parse_task_statuses(statuses->json);
    if (!tasks) return report(client->misread(tasks.error()), options, terminal);
    std::string out;
    for (const protocol::TaskStatus& task : *tasks)
        out.append(out.empty() ? "" : "\n").append(render_page(task, terminal.colours()));
    return terminal.print(out) ? exit_code::kDone : exit_code::kFailed;
}

}  // namespace vigil::ctl
