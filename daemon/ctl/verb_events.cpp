// events: every change of state, as it happens.
#include "base/quantity.hpp"
#include "base/text.hpp"
#include "ctl/exit_code.hpp"
#include "ctl/session.hpp"
#include "ctl/status_text.hpp"
#include "ctl/verbs.hpp"

namespace vigil::ctl {
namespace {

/// A daemon that was lost is looked for.
constexpr core::Duration kTryEvery = std::chrono::milliseconds(500);

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

/// Prints events until the connection ends; gives why it did.
Result<void, client::Fault> print_events(client::Client& client, const Options& options,
                                         const Terminal& terminal, bool& output_failed) {
    const client::Patience patience{.interrupt_fd = terminal.interrupt_fd()};
    while (true) {
        auto text = client.next_event(patience);
        if (!text) return Failure{text.error()};
        std::string line;
        if (options.json) {
            line.append(*text).push_back('\n');
        } else {
            auto event = protocol::parse_task_event(*text);
            if (!event) return Failure{client.misread(event.error())};
            line = line_of(*event, terminal.colours());
        }
        output_failed = !terminal.print(line);
        if (output_failed) return {};
    }
}

/// A daemon that ends or is replaced comes back, as a rule; anything else is told at once.
bool may_pass(const client::Fault& fault) {
    using Kind = client::Fault::Kind;
    return fault.kind == Kind::disconnected || fault.kind == Kind::unreachable;
}

Result<client::Client, client::Fault> subscribe(const Options& options, const Terminal& terminal) {
    auto client = connect(options, terminal);
    if (!client) return client;
    if (auto subscribed = client->subscribe(options.names, for_question(options, terminal)); !subscribed)
        return Failure{subscribed.error()};
    return client;
}

}  // namespace

int run_events(const Options& options, const Terminal& terminal) {
    auto client = subscribe(options, terminal);
    if (!client) return report(client.error(), options, terminal);
    while (true) {
        bool output_failed = false;
        const auto ended = print_events(*client, options, terminal, output_failed);
        if (output_failed) return exit_code::kFailed;
        if (!may_pass(ended.error())) return report(ended.error(), options, terminal);
        terminal.complain(ended.error().message + "; waiting for it");
        do {
            const client::Patience patience{.until = std::chrono::steady_clock::now() + kTryEvery,
                                            .interrupt_fd = terminal.interrupt_fd()};
            if (!client::pause(patience)) return terminal.interrupt_code();
            client = subscribe(options, terminal);
        } while (!client && may_pass(client.error()));
        if (!client) return report(client.error(), options, terminal);
        terminal.complain("the daemon is there again; what happened meanwhile is not known");
    }
}

}  // namespace vigil::ctl
