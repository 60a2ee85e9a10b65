// shutdown, upgrade, daemon and version: what concerns the daemon as a whole.
#include <filesystem>

#include "base/text.hpp"
#include "ctl/daemon_page.hpp"
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

int run_daemon(const Options& options, const Terminal& terminal) {
    auto client = connect(options, terminal);
    if (!client) return report(client.error(), options, terminal);
    auto answer = client->call(protocol::Method::daemon_status, "", for_question(options, terminal));
    if (!answer) return report(answer.error(), options, terminal);
    if (options.json)
        return terminal.print(std::string(*answer) + "\n") ? exit_code::kDone : exit_code::kFailed;
    const auto status = protocol::parse_daemon_status(*answer);
    if (!status) return report(client->misread(status.error()), options, terminal);
    return terminal.print(render_daemon(*status)) ? exit_code::kDone : exit_code::kFailed;
}

namespace {

/// What is known of the daemon; each may be missing.
struct Found {
    std::string socket;
    std::optional<protocol::Hello> hello;
    std::optional<protocol::DaemonStatus> status;
};

void write_platform(json::Writer& out, const protocol::DaemonStatus& status) {
    out.member("keeper_pid", status.keeper_pid).key("cgroup_home");
    if (status.cgroup_home.empty())
        out.null();
    else
        out.value(status.cgroup_home);
    out.key("features").begin_object();
    for (const protocol::FeatureState& feature : status.features) out.member(feature.name, feature.state);
    out.end_object();
}

std::string version_document(const Found& found) {
    std::string out;
    json::Writer writer(out);
    writer.begin_object().member("vigilctl", kVersion).key("vigild");
    if (found.hello)
        protocol::write_hello(writer, *found.hello);
    else
        writer.null();
    if (found.status) write_platform(writer, *found.status);
    writer.end_object();
    return out + "\n";
}

std::string platform_text(const protocol::DaemonStatus& status) {
    std::string out =
        "keeper: " + (status.keeper_pid ? "running, pid " + std::to_string(*status.keeper_pid) : "none");
    out += "\ncgroups of tasks: " +
           (status.cgroup_home.empty() ? "none" : "below " + escape_for_display(status.cgroup_home)) +
           "\nfeatures:\n";
    for (const protocol::FeatureState& feature : status.features)
        out += "  " + escape_for_display(feature.name) + ": " + escape_for_display(feature.state) + "\n";
    return out;
}

std::string version_text(const Found& found) {
    std::string out = std::string("vigilctl ") + kVersion + "\n";
    if (!found.hello) return out + "vigild is not reachable\n";
    out += "vigild " + escape_for_display(found.hello->version) + " (api " +
           std::to_string(found.hello->api) + ") at " + found.socket + "\n";
    return found.status ? out + platform_text(*found.status) : out;
}

}  // namespace

int run_version(const Options& options, const Terminal& terminal) {
    auto client = connect(options, terminal);
    Found found;
    if (client) {
        found.socket = client->socket();
        auto answer = client->hello(for_question(options, terminal));
        if (answer) found.hello = std::move(answer).value();
    }
    if (found.hello && options.verbose) {
        auto status = client->daemon_status(for_question(options, terminal));
        if (!status) return report(status.error(), options, terminal);
        found.status = std::move(status).value();
    }
    // Its own version is known in any case: an absent daemon is an answer here, no failure.
    return terminal.print(options.json ? version_document(found) : version_text(found)) ? exit_code::kDone
                                                                                        : exit_code::kFailed;
}

}  // namespace vigil::ctl
