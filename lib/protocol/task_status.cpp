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

void write_members(json::Writer& out, const core::TaskReport& report, const ClockReading& clock) {
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
        write_exit(out, report.last_exit->status, clock.wall_time(report.last_exit->at));
    else
        out.null();
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

void write_task_status(json::Writer& out, const core::TaskReport& report, const ClockReading& clock) {
    out.begin_object();
    write_members(out, report, clock);
    out.end_object();
}

void write_task_status(json::Writer& out, const core::TaskReport& report, const ClockReading& clock,
                       std::string_view spec) {
    out.begin_object();
    write_members(out, report, clock);
    out.key("spec").raw(spec);
    out.end_object();
}

}  // namespace vigil::protocol
