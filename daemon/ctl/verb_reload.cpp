// diff and reload: what the configuration files say beside what runs, and making it so.
#include <poll.h>
#include <unistd.h>

#include <cerrno>

#include "ctl/exit_code.hpp"
#include "ctl/progress.hpp"
#include "ctl/reload_text.hpp"
#include "ctl/session.hpp"
#include "ctl/verbs.hpp"

namespace vigil::ctl {
namespace {

using protocol::Method;
using protocol::TaskOutcome;

struct Shown {
    std::string json;
    protocol::ReloadReport report;
};

std::string params_of(const Options& options, bool dry_run) {
    std::string text;
    json::Writer out(text);
    out.begin_object();
    if (dry_run) out.member("dry_run", true);
    if (options.no_wait) out.member("wait", false);
    if (options.timeout && !dry_run)
        out.member("timeout", std::chrono::ceil<std::chrono::milliseconds>(*options.timeout).count());
    out.end_object();
    return text;
}

/// The error is an exit code, after the report.
Result<Shown, int> ask(client::Client& client, const Options& options, bool dry_run,
                       const Terminal& terminal) {
    client::Patience patience = dry_run ? for_question(options, terminal) : for_order(options, terminal);
    auto answer = [&] {
        Progress progress(options, terminal);
        progress.attach(patience);
        return client.call(Method::daemon_reload, params_of(options, dry_run), patience);
    }();
    if (!answer) return Failure{report(answer.error(), options, terminal)};
    auto read = protocol::parse_reload_report(*answer);
    if (!read) return Failure{report(client.misread(read.error()), options, terminal)};
    return Shown{std::string(*answer), std::move(read).value()};
}

/// What a line of standard input says; nothing after an interrupt.
std::optional<bool> says_yes(const Terminal& terminal) {
    std::string line;
    while (true) {
        pollfd wanted[] = {{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0},
                           {.fd = terminal.interrupt_fd(), .events = POLLIN, .revents = 0}};
        if (::poll(wanted, 2, -1) < 0 && errno != EINTR) return false;
        if (wanted[1].revents != 0) return std::nullopt;
        if (wanted[0].revents == 0) continue;
        char c = '\0';
        if (::read(STDIN_FILENO, &c, 1) != 1) return false;
        if (c == '\n') return line == "y" || line == "Y" || line == "yes";
        if (line.size() < 8) line.push_back(c);
    }
}

int failures_of(const protocol::ReloadReport& report, const Terminal& terminal) {
    for (const TaskOutcome& task : report.tasks)
        if (task.kind == TaskOutcome::Kind::failed) terminal.complain(outcome_line(task));
    return exit_code_of(report.tasks);
}

/// Asks a person for consent. Nothing: go on; else the exit code.
std::optional<int> consent(client::Client& client, const Options& options, const Terminal& terminal) {
    auto shown = ask(client, options, true, terminal);
    if (!shown) return shown.error();
    if (!shown->report.differs()) return std::nullopt;
    if (!terminal.print(render_differences(shown->report))) return exit_code::kFailed;
    terminal.error_text("Apply this? [y/N] ");
    const auto yes = says_yes(terminal);
    if (!yes) return terminal.interrupt_code();
    if (*yes) return std::nullopt;
    terminal.complain("nothing was changed");
    return exit_code::kFailed;
}

}  // namespace

int run_diff(const Options& options, const Terminal& terminal) {
    auto client = connect(options, terminal);
    if (!client) return report(client.error(), options, terminal);
    auto shown = ask(*client, options, true, terminal);
    if (!shown) return shown.error();
    if (!terminal.print(options.json ? shown->json + "\n" : render_differences(shown->report)))
        return exit_code::kFailed;
    return shown->report.differs() ? exit_code::kFailed : exit_code::kDone;
}

int run_reload(const Options& options, const Terminal& terminal) {
    auto client = connect(options, terminal);
    if (!client) return report(client.error(), options, terminal);
    const bool asks =
        !options.yes && !options.dry_run && terminal.output_is_terminal() && ::isatty(STDIN_FILENO) == 1;
    if (asks)
        if (const auto code = consent(*client, options, terminal)) return *code;
    auto shown = ask(*client, options, options.dry_run, terminal);
    if (!shown) return shown.error();
    // Who was asked has seen it.
    const std::string text =
        asks ? "reloaded: " + summary_of(shown->report) + "\n" : render_differences(shown->report);
    if (!terminal.print(options.json ? shown->json + "\n" : text)) return exit_code::kFailed;
    return failures_of(shown->report, terminal);
}

}  // namespace vigil::ctl
