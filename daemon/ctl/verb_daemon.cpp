// shutdown, upgrade and version: what concerns the daemon as a whole.
#include <filesystem>

#include "base/text.hpp"
#include "ctl/exit_code.hpp"
#include "ctl/progress.hpp"
#include "ctl/session.hpp"
#include "ctl/verbs.hpp"
#include "protocol/upgrade_report.hpp"
#include "version.hpp"

namespace vigil::ctl {

int run_shutdown(const Options& options, const Terminal& terminal) {
    auto client = connect(options, terminal);
    if (!client) return report(client.error(), options, terminal);
    const std::string_view params = options.now ? R"({"now":true})" : "";
    constexpr auto kMethod = protocol::Method::daemon_shutdown;
    if (options.no_wait) {
        auto taken = client->post(kMethod, params, for_question(options, terminal));
        if (!taken) return report(taken.error(), options, terminal);
    } else {
        Progress progress(options, terminal);
        client::Patience patience{.interrupt_fd = terminal.interrupt_fd()};
        if (options.timeout)
            patience.until = core::add_saturating(std::chrono::steady_clock::now(), *options.timeout);
        progress.attach(patience);
        // The daemon's end is the outcome, whether its last answer came through or not.
        auto answer = client->call(kMethod, params, patience);
        if (!answer && answer.error().kind != client::Fault::Kind::disconnected)
            return report(answer.error(), options, terminal);
        if (auto ended = client->wait_for_end(patience); !ended)
            return report(ended.error(), options, terminal);
    }
    if (options.json && !terminal.print("{}\n")) return exit_code::kFailed;
    return exit_code::kDone;
}

int run_upgrade(const Options& options, const Terminal& terminal) {
    auto client = connect(options, terminal);
    if (!client) return report(client.error(), options, terminal);
    std::string params;
    json::Writer out(params);
    out.begin_object();
    // Relative to where the operator is, not the daemon.
    if (!options.file.empty()) out.member("program", std::filesystem::absolute(options.file).string());
    out.end_object();
    client::Patience patience = for_order(options, terminal);
    auto answer = [&] {
        Progress progress(options, terminal);
        progress.attach(patience);
        return client->call(protocol::Method::daemon_upgrade, params, patience);
    }();
    if (!answer) return report(answer.error(), options, terminal);
    const auto done = protocol::parse_upgrade_report(*answer);
    if (!done) return report(client->misread(done.error()), options, terminal);
    const std::string text = options.json ? std::string(*answer)
                                          : "vigild " + escape_for_display(done->from) + " goes on as " +
                                                escape_for_display(done->to) + ", " +
                                                escape_for_display(done->program);
    return terminal.print(text + "\n") ? exit_code::kDone : exit_code::kFailed;
}

int run_version(const Options& options, const Terminal& terminal) {
    auto client = connect(options, terminal);
    std::optional<protocol::Hello> hello;
    if (client) {
        auto answer = client->hello(for_question(options, terminal));
        if (answer) hello = std::move(answer).value();
    }
    std::string out;
    if (options.json) {
        json::Writer writer(out);
        writer.begin_object().member("vigilctl", kVersion).key("vigild");
        if (hello)
            protocol::write_hello(writer, *hello);
        else
            writer.null();
        writer.end_object();
        out.push_back('\n');
    } else {
        out = std::string("vigilctl ") + kVersion + "\n";
        if (hello)
            out += "vigild " + escape_for_display(hello->version) + " (api " + std::to_string(hello->api) +
                   ") at " + client->socket() + "\n";
        else
            out += "vigild is not reachable\n";
    }
    // Its own version is known in any case: an absent daemon is an answer here, no failure.
    return terminal.print(out) ? exit_code::kDone : exit_code::kFailed;
}

}  // namespace vigil::ctl
