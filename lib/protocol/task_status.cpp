#include "protocol/task_status.hpp"

#include "base/error.hpp"
#include "base/signal_name.hpp"
#include "protocol/fields.hpp"

namespace vigil::protocol {
namespace {

std::string_view desired_name(core::Desired desired) {
    switch (desired) {
        case core::Desired::up: return "up";
        case core::Desired::stopped: return "stopped";
        case core::Desired::dead: return "dead";
        case core::Desired::removed: return "removed";
    }
    return {};
}

/// What a cause has beside kind and text. Each alternative has one overload; a missing one does not compile.
class CauseDetails {
  public:
    explicit CauseDetails(json::Writer& out) : out_(out) {}

    void operator()(const core::cause::None&) const {}
    void operator()(const core::cause::ByOperator& by) const {
        out_.member("uid", by.who.uid).member("pid", by.who.pid);
    }
    void operator()(const core::cause::ExitCode& exit) const { out_.member("code", exit.code); }
    void operator()(const core::cause::ExitSignal& exit) const {
        out_.member("signal", signal_name(exit.signal)).member("core", exit.core);
    }
    void operator()(const core::cause::ExitUnknown&) const { out_.key("code").null(); }
    void operator()(const core::cause::HeartbeatTimeout& silence) const {
        write_ms(out_, "timeout_ms", silence.timeout);
    }
    void operator()(const core::cause::ReadyTimeout& late) const {
        write_ms(out_, "timeout_ms", late.timeout);
    }
    void operator()(const core::cause::SpawnFailed& spawn) const {
        out_.member("stage", core::stage_name(spawn.failure.stage));
        out_.member("errno", errno_name(spawn.failure.error));
        write_text(out_, "detail", spawn.failure.detail);
    }
    void operator()(const core::cause::AttemptsExhausted& end) const {
        out_.member("attempts", end.attempts).key("last");
        if (end.last)
            write_cause(out_, *end.last);
        else
            out_.null();
    }
    void operator()(const core::cause::Dependency& on) const { out_.member("task", on.task); }
    void operator()(const core::cause::ConfigReload&) const {}
    void operator()(const core::cause::Shutdown&) const {}
    void operator()(const core::cause::Adopted&) const {}
    void operator()(const core::cause::OutOfMemory&) const {}

  private:
    json::Writer& out_;
};

void write_output(json::Writer& out, const std::optional<OutputFacts>& output) {
    out.key("output");
    if (!output) {
        out.null();
        return;
    }
    out.begin_object().member("written_bytes", output->written).member("dropped_bytes", output->dropped);
    out.member("dropped_lines", output->dropped_lines);
    write_text(out, "fault", output->fault);
    out.end_object();
}

void write_resources(json::Writer& out, const std::optional<Resources>& resources) {
    out.key("resources");
    if (!resources) {
        out.null();
        return;
    }
    out.begin_object().member("processes", resources->processes).member("memory_bytes", resources->memory);
    out.member("cpu_ms", resources->cpu.count()).end_object();
}

void write_last_exit(json::Writer& out, const core::LastExit& exit, const ClockReading& clock,
                     const TaskFacts& facts) {
    begin_exit(out, exit.status);
    out.member("at", Rfc3339(clock.wall_time(exit.at)).view());
    write_ms(out, "user_ms", exit.usage ? std::optional(exit.usage->user) : std::nullopt);
    write_ms(out, "system_ms", exit.usage ? std::optional(exit.usage->system) : std::nullopt);
    out.member("max_rss_bytes", exit.usage ? std::optional(exit.usage->max_rss) : std::nullopt).key("lines");
    if (facts.last_lines) {
        out.begin_array();
        for (const std::string& line : *facts.last_lines) out.value(line);
        out.end_array();
    } else {
        out.null();
    }
    out.end_object();
}

void write_members(json::Writer& out, const core::TaskReport& report, const ClockReading& clock,
                   const TaskFacts& facts) {
    out.member("name", report.name).member("status", core::to_string(report.state));
    out.member("paused", report.paused).member("desired", desired_name(report.desired));
    out.member("waiting_turn", report.waiting_turn).key("cause");
    if (report.cause != nullptr)
        write_cause(out, *report.cause);
    else
        out.null();
    out.key("pid");
    if (report.pid != 0)
        out.value(report.pid);
    else
        out.null();
    out.member("generation", static_cast<std::uint64_t>(report.generation));
    out.member("restart_attempts", report.attempts).member("max_restart_attempts", report.max_attempts);
    out.member("restarts_total", report.restarts_total).key("started_at");
    if (report.started_at)
        out.value(Rfc3339(clock.wall_time(*report.started_at)).view());
    else
        out.null();
    write_ms(out, "uptime_ms", report.uptime);
    write_ms(out, "last_heartbeat_age_ms", report.last_heartbeat_age);
    write_ms(out, "heartbeat_timeout_ms", report.heartbeat_timeout);
    write_ms(out, "next_start_in_ms", report.next_start_in);
    write_ms(out, "stop_kill_in_ms", report.kill_in);
    write_text(out, "status_text", report.status_text);
    out.member("notified_errno", report.notified_errno).key("last_exit");
    if (report.last_exit)
        write_last_exit(out, *report.last_exit, clock, facts);
    else
        out.null();
    write_output(out, facts.output);
    write_resources(out, facts.resources);
}

}  // namespace

void write_cause(json::Writer& out, const core::Cause& cause) {
    const std::string_view kind = core::cause_name(cause);
    if (kind.empty()) {
        out.null();
        return;
    }
    out.begin_object().member("kind", kind).member("text", core::explain(cause));
    std::visit(CauseDetails(out), cause.kind);
    out.end_object();
}

void write_task_status(json::Writer& out, const core::TaskReport& report, const ClockReading& clock,
                       const TaskFacts& facts) {
    out.begin_object();
    write_members(out, report, clock, facts);
    if (!facts.spec.empty()) out.key("spec").raw(facts.spec);
    out.end_object();
}

}  // namespace vigil::protocol
