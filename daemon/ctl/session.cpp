#include "ctl/session.hpp"

#include <algorithm>

#include "base/quantity.hpp"
#include "base/text.hpp"
#include "ctl/exit_code.hpp"

namespace vigil::ctl {
namespace {

using Clock = std::chrono::steady_clock;
using protocol::TaskOutcome;

/// Beyond its own limit, how long a daemon has to say so.
constexpr core::Duration kGrace = std::chrono::seconds(2);

std::string timed_out(const Options& options) {
    if (!options.timeout)
        return "the daemon did not answer within " + format_duration(kAnswerWithin) +
               "; it hangs, or it was killed and its socket is held for the next one";
    return "timed out after " + format_duration(*options.timeout);
}

/// The patterns that the daemon did not complain about.
protocol::Patterns without(const protocol::Patterns& names, const protocol::Patterns& unmatched) {
    protocol::Patterns left;
    for (const std::string& name : names)
        if (std::find(unmatched.begin(), unmatched.end(), name) == unmatched.end()) left.push_back(name);
    return left;
}

}  // namespace

std::string outcome_line(const TaskOutcome& task) {
    std::string line = escape_for_display(task.name) + ": ";
    std::string what = task.status.empty() ? "gone" : escape_for_display(task.status);
    switch (task.kind) {
        case TaskOutcome::Kind::done: break;
        case TaskOutcome::Kind::accepted: what = "order taken, now " + what; break;
        case TaskOutcome::Kind::pending: what = "still " + what; break;
        case TaskOutcome::Kind::failed: break;
    }
    if (task.explanation.empty()) return line + what;
    // The explanation of a failure begins with the state it ended in, as a rule.
    const std::string why = escape_for_display(task.explanation);
    return why.starts_with(what) ? line + why : line + what + ": " + why;
}

client::Patience for_question(const Options& options, const Terminal& terminal) {
    return {.until = core::add_saturating(Clock::now(), options.timeout.value_or(kAnswerWithin)),
            .interrupt_fd = terminal.interrupt_fd()};
}

client::Patience for_order(const Options& options, const Terminal& terminal) {
    client::Patience patience{.until = core::kNever, .interrupt_fd = terminal.interrupt_fd()};
    if (options.timeout) patience.until = core::add_saturating(Clock::now(), *options.timeout + kGrace);
    return patience;
}

Result<client::Client, client::Fault> connect(const Options& options, const Terminal& terminal) {
    const auto sockets = client::socket_candidates(options.socket, client::present_surroundings());
    return client::Client::open(sockets, for_question(options, terminal));
}

Result<client::Client, client::Fault> connect_for_order(const Options& options, const Terminal& terminal) {
    auto client = connect(options, terminal);
    if (!client) return client;
    // A socket takes connections for as long as anybody holds it: the keeper does, when the daemon was
    // killed.
    if (const auto hello = client->hello(for_question(options, terminal)); !hello)
        return Failure{hello.error()};
    return client;
}

Result<Answered, int> call_for_names(
    const std::function<Result<std::string_view, client::Fault>(const protocol::Patterns&)>& ask,
    const Options& options, const Terminal& terminal) {
    Answered answered;
    protocol::Patterns names = options.names;
    while (true) {
        auto answer = ask(names);
        if (answer) {
            answered.json = *answer;
            return answered;
        }
        const client::Fault& fault = answer.error();
        const int code = report(fault, options, terminal);
        if (!fault.rpc || fault.rpc->code != protocol::ErrorCode::no_such_task) return Failure{code};
        protocol::Patterns left = without(names, fault.rpc->names);
        if (left.empty() || left.size() == names.size()) return Failure{code};
        names = std::move(left);
        answered.exit_code = exit_code::kNoSuchTask;
    }
}

int report(const client::Fault& fault, const Options& options, const Terminal& terminal) {
    using Kind = client::Fault::Kind;
    if (fault.kind == Kind::interrupted) return terminal.interrupt_code();
    if (fault.kind != Kind::timeout || (fault.rpc && !options.timeout)) {
        terminal.complain(fault.message);
    } else {
        terminal.complain(timed_out(options));
        // A limit of our own, not the caller's: a daemon that hangs is as good as none.
        if (!options.timeout) return exit_code::kUnreachable;
    }
    if (fault.rpc) {
        for (const std::string& problem : fault.rpc->problems) {
            // One problem is several lines: place, source, caret.
            std::string_view rest = problem;
            while (!rest.empty()) {
                const std::string_view line = rest.substr(0, rest.find('\n'));
                terminal.error_text(escape_for_display(line) + "\n");
                rest.remove_prefix(std::min(rest.size(), line.size() + 1));
            }
        }
        for (const TaskOutcome& task : fault.rpc->tasks)
            if (task.kind != TaskOutcome::Kind::done) terminal.complain(outcome_line(task));
    }
    return exit_code_of(fault);
}

int report(const std::vector<TaskOutcome>& tasks, const Options& options, const Terminal& terminal) {
    std::string out;
    if (options.json) {
        json::Writer writer(out);
        protocol::write_outcomes(writer, tasks);
        out.push_back('\n');
    }
    for (const TaskOutcome& task : tasks) {
        if (task.kind == TaskOutcome::Kind::failed)
            terminal.complain(outcome_line(task));
        else if (!options.json)
            out.append(outcome_line(task)).push_back('\n');
    }
    return terminal.print(out) ? exit_code_of(tasks) : exit_code::kFailed;
}

}  // namespace vigil::ctl
