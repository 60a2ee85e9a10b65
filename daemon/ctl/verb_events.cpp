// events: every change of state, as it happens.
#include "base/quantity.hpp"
#include "base/text.hpp"
#include "ctl/exit_code.hpp"
#include "ctl/session.hpp"
#include "ctl/status_text.hpp"
#include "ctl/verbs.hpp"

namespace vigil::ctl {
namespace {

/// "2026-03-01T12:00:00.250Z  api  healthy -> failed  exit code 3; attempt 1 of 5, next start in 1s"
std::string line_of(const protocol::TaskEvent& event, bool colours) {
    std::string to = event.to.empty() ? "removed" : escape_for_display(event.to);
    if (colours) to = coloured(to, colour_of(event.to));
    std::string line;
    if (event.at) line.append(protocol::Rfc3339(*event.at).view()).append("  ");
    line.append(escape_for_display(event.name)).append("  ");
    line.append(event.from.empty() ? "added" : escape_for_display(event.from)).append(" -> ").append(to);
    std::string why = event.cause ? escape_for_display(event.cause->text) : std::string();
    if (event.next_start_in) {
        why.append(why.empty() ? "" : "; ").append("attempt ").append(std::to_string(event.restart_attempts));
        if (event.max_restart_attempts)
            why.append(" of ").append(std::to_string(*event.max_restart_attempts));
        why.append(", next start in ").append(format_duration_rough(*event.next_start_in));
    }
    if (!why.empty()) line.append("  ").append(why);
    return line + "\n";
}

}  // namespace

int run_events(const Options& options, const Terminal& terminal) {
    auto client = connect(options, terminal);
    if (!client) return report(client.error(), options, terminal);
    if (auto subscribed = client->subscribe(options.names, for_question(options, terminal)); !subscribed)
        return report(subscribed.error(), options, terminal);
    const client::Patience patience{.interrupt_fd = terminal.interrupt_fd()};
    while (true) {
        auto text = client->next_event(patience);
        if (!text) return report(text.error(), options, terminal);
        if (options.json) {
            if (!terminal.print(std::string(*text) + "\n")) return exit_code::kFailed;
            continue;
        }
        auto event = protocol::parse_task_event(*text);
        if (!event) return report(client->misread(event.error()), options, terminal);
        if (!terminal.print(line_of(*event, terminal.colours()))) return exit_code::kFailed;
    }
}

}  // namespace vigil::ctl
