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

void write_output(json::Writer& out, const OutputFacts& output) {
    out.begin_object().member("written_bytes", output.written).member("dropped_bytes", output.dropped);
    out.member("dropped_lines", output.dropped_lines);
    write_text(out, "fault", output.fault);
    out.end_object();
}

void write_resources(json::Writer& out, const Resources& resources) {
    out.begin_object().member("processes", resources.processes).member("memory_bytes", resources.memory);
    out.member("cpu_ms", resources.cpu.count()).end_object();
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

/// Writes those members that are wanted.
class Members {
  public:
    Members(json::Writer& out, StatusFields fields) : out_(out), fields_(fields) {}

    /// True: the key is written, and its value is to follow. What does not apply is null, or left out.
    [[nodiscard]] bool begins(StatusField field, bool applies) {
        if (!fields_.has(field) || (!applies && !fields_.all())) return false;
        out_.key(to_string(field));
        if (!applies) out_.null();
        return applies;
    }
    template <typename T>
    void add(StatusField field, const T& value) {
        if (begins(field, true)) out_.value(value);
    }
    template <typename T>
    void add(StatusField field, const std::optional<T>& value) {
        if (begins(field, value.has_value())) out_.value(*value);
    }
    void add(StatusField field, bool flag) {
        if (flag || fields_.all()) add<bool>(field, flag);
    }
    void add_ms(StatusField field, const std::optional<core::Duration>& time) {
        if (begins(field, time.has_value()))
            out_.value(std::chrono::floor<std::chrono::milliseconds>(*time).count());
    }

  private:
    json::Writer& out_;
    StatusFields fields_;
};

void write_members(json::Writer& out, const core::TaskReport& report, const ClockReading& clock,
                   const TaskFacts& facts, StatusFields fields) {
    using F = StatusField;
    Members members(out, fields);
    members.add(F::name, report.name);
    members.add(F::status, core::to_string(report.state));
    members.add(F::paused, report.paused);
    members.add(F::desired, desired_name(report.desired));
    members.add(F::waiting_turn, report.waiting_turn);
    const bool caused = report.cause != nullptr && !core::cause_name(*report.cause).empty();
    if (members.begins(F::cause, caused)) write_cause(out, *report.cause);
    if (members.begins(F::pid, report.pid != 0)) out.value(report.pid);
    members.add(F::generation, static_cast<std::uint64_t>(report.generation));
    members.add(F::restart_attempts, report.attempts);
    members.add(F::max_restart_attempts, report.max_attempts);
    members.add(F::restarts_total, report.restarts_total);
    if (members.begins(F::started_at, report.started_at.has_value()))
        out.value(Rfc3339(clock.wall_time(*report.started_at)).view());
    members.add_ms(F::uptime_ms, report.uptime);
    members.add_ms(F::last_heartbeat_age_ms, report.last_heartbeat_age);
    members.add_ms(F::heartbeat_timeout_ms, report.heartbeat_timeout);
    members.add_ms(F::next_start_in_ms, report.next_start_in);
    members.add_ms(F::stop_kill_in_ms, report.kill_in);
    if (members.begins(F::status_text, !report.status_text.empty())) out.value(report.status_text);
    members.add(F::notified_errno, report.notified_errno);
    if (members.begins(F::last_exit, report.last_exit.has_value()))
        write_last_exit(out, *report.last_exit, clock, facts);
    if (members.begins(F::output, facts.output.has_value())) write_output(out, *facts.output);
    if (members.begins(F::resources, facts.resources.has_value())) write_resources(out, *facts.resources);
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
                       const TaskFacts& facts, StatusFields fields) {
    out.begin_object();
    write_members(out, report, clock, facts, fields);
    if (!facts.spec.empty()) out.key("spec").raw(facts.spec);
    out.end_object();
}

}  // namespace vigil::protocol
