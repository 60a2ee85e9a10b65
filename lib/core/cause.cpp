#include "core/cause.hpp"

#include <array>
#include <cerrno>

#include "base/error.hpp"
#include "base/quantity.hpp"
#include "base/signal_name.hpp"

namespace vigil::core {
namespace {

constexpr std::array<std::string_view, 21> kStageNames{
    "prepare-environment",
    "look-up-user",
    "look-up-command",
    "make-notify-socket",
    "open-output",
    "make-cgroup",
    "clone",
    "descriptors",
    "session",
    "stdio",
    "umask",
    "rlimits",
    "nice",
    "oom-score-adj",
    "groups",
    "group",
    "user",
    "cwd",
    "no-new-privs",
    "signals",
    "exec",
};
static_assert(kStageNames.size() == static_cast<std::size_t>(SpawnStage::exec) + 1);

/// Each alternative of Cause::Kind has one overload in each of these two; a missing one does not compile.
struct Name {
    std::string_view operator()(const cause::None&) const { return ""; }
    std::string_view operator()(const cause::ByOperator&) const { return "operator"; }
    std::string_view operator()(const cause::ExitCode&) const { return "exit-code"; }
    std::string_view operator()(const cause::ExitSignal&) const { return "exit-signal"; }
    std::string_view operator()(const cause::ExitUnknown&) const { return "exit-code"; }
    std::string_view operator()(const cause::HeartbeatTimeout&) const { return "heartbeat-timeout"; }
    std::string_view operator()(const cause::ReadyTimeout&) const { return "ready-timeout"; }
    std::string_view operator()(const cause::SpawnFailed&) const { return "spawn-failed"; }
    std::string_view operator()(const cause::AttemptsExhausted&) const { return "attempts-exhausted"; }
    std::string_view operator()(const cause::Dependency&) const { return "dependency"; }
    std::string_view operator()(const cause::ConfigReload&) const { return "config-reload"; }
    std::string_view operator()(const cause::Shutdown&) const { return "shutdown"; }
    std::string_view operator()(const cause::Adopted&) const { return "adopted"; }
    std::string_view operator()(const cause::OutOfMemory&) const { return "oom"; }
};

struct Phrase {
    std::string operator()(const cause::None&) const { return ""; }
    std::string operator()(const cause::ByOperator& by) const {
        return "ordered by uid " + std::to_string(by.who.uid) + " (pid " + std::to_string(by.who.pid) + ")";
    }
    std::string operator()(const cause::ExitCode& exit) const {
        return "exit code " + std::to_string(exit.code);
    }
    std::string operator()(const cause::ExitSignal& exit) const {
        return "killed by " + signal_name(exit.signal) + (exit.core ? " (core dumped)" : "");
    }
    std::string operator()(const cause::ExitUnknown&) const { return "ended, exit status unknown"; }
    std::string operator()(const cause::HeartbeatTimeout& silence) const {
        if (silence.timeout == Duration::zero()) return "reported its own failure (WATCHDOG=trigger)";
        return "no heartbeat for " + format_duration(silence.timeout);
    }
    std::string operator()(const cause::ReadyTimeout& late) const {
        return "not ready within " + format_duration(late.timeout);
    }
    std::string operator()(const cause::SpawnFailed& spawn) const {
        std::string doing = "start failed at " + std::string(stage_name(spawn.failure.stage));
        if (!spawn.failure.detail.empty()) doing += ": " + spawn.failure.detail;
        return Error{std::move(doing), spawn.failure.error}.text();
    }
    std::string operator()(const cause::AttemptsExhausted& end) const {
        return "attempts exhausted after " + std::to_string(end.attempts) +
               (end.last ? ": " + explain(*end.last) : "");
    }
    std::string operator()(const cause::Dependency& on) const { return "dependency " + on.task; }
    std::string operator()(const cause::ConfigReload&) const { return "configuration reloaded"; }
    std::string operator()(const cause::Shutdown&) const { return "shutdown"; }
    std::string operator()(const cause::Adopted&) const { return "adopted from an earlier daemon"; }
    std::string operator()(const cause::OutOfMemory&) const { return "killed for want of memory"; }
};

}  // namespace

std::string_view stage_name(SpawnStage stage) noexcept {
    const auto index = static_cast<std::size_t>(stage);
    return index < kStageNames.size() ? kStageNames[index] : "unknown";
}

bool is_host_fault(int error) noexcept {
    return error == EAGAIN || error == ENOMEM || error == EMFILE || error == ENFILE || error == ETXTBSY;
}

std::string_view cause_name(const Cause& cause) noexcept {
    return std::visit(Name{}, cause.kind);
}

std::string explain(const Cause& cause) {
    return std::visit(Phrase{}, cause.kind);
}

Cause cause_of(const ExitStatus& status) noexcept {
    switch (status.kind) {
        case ExitStatus::Kind::code: return {cause::ExitCode{status.code}};
        case ExitStatus::Kind::signal: return {cause::ExitSignal{status.signal, status.core}};
        case ExitStatus::Kind::unknown: break;
    }
    return {cause::ExitUnknown{}};
}

}  // namespace vigil::core
