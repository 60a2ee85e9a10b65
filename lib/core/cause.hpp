// Layer core. Why a task is where it is: one closed list of causes, and how a process ended.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "core/process_ids.hpp"
#include "core/time.hpp"

namespace vigil::core {

/// How a process ended, as waitid(2) tells it; `unknown` when nobody could be asked.
struct ExitStatus {
    enum class Kind : std::uint8_t { code, signal, unknown };
    Kind kind = Kind::unknown;
    int code = 0;    ///< exit code, for Kind::code
    int signal = 0;  ///< terminating signal, for Kind::signal
    bool core = false;

    friend bool operator==(const ExitStatus&, const ExitStatus&) = default;
};

/// What a process used in its life, its waited-for children included: rusage of waitid(2).
struct ResourceUse {
    Duration user{};
    Duration system{};
    std::uint64_t max_rss = 0;  ///< bytes, the most of any one process

    friend bool operator==(const ResourceUse&, const ResourceUse&) = default;
};

/// A step of making a process, in the order in which they are done. `stage_name` gives the word for
/// operators.
enum class SpawnStage : std::uint8_t {
    prepare_environment,
    look_up_user,
    look_up_command,
    make_notify_socket,
    open_output,
    make_cgroup,
    clone,
    close_descriptors,
    session,
    stdio,
    umask,
    rlimits,
    nice,
    oom_score_adj,
    groups,
    group,
    user,
    cwd,
    no_new_privs,
    signals,
    exec,
};
[[nodiscard]] std::string_view stage_name(SpawnStage stage) noexcept;

struct SpawnFailure {
    SpawnStage stage = SpawnStage::exec;
    int error = 0;       ///< errno
    std::string detail;  ///< what was tried and what may help: "/usr/bin/env python4: interpreter missing"
};

/// True for errors that are the host's fault (EAGAIN, ENOMEM, EMFILE, ENFILE, ETXTBSY): no attempt is spent.
[[nodiscard]] bool is_host_fault(int error) noexcept;

/// Who gave an order, from SO_PEERCRED.
struct Operator {
    Uid uid = 0;
    Pid pid = 0;
};

struct Cause;

namespace cause {
struct ByOperator {
    Operator who;
};
struct ExitCode {
    int code = 0;
};
struct ExitSignal {
    int signal = 0;
    bool core = false;
};
struct ExitUnknown {};  ///< ended while nobody could see how; reported with kind "exit-code" and a null code
struct HeartbeatTimeout {
    Duration timeout{};  ///< the silence that was allowed; 0: the task itself sent WATCHDOG=trigger
};
struct ReadyTimeout {
    Duration timeout{};
};
struct SpawnFailed {
    SpawnFailure failure;
};
struct AttemptsExhausted {
    unsigned attempts = 0;
    std::shared_ptr<const Cause> last;
};
struct Dependency {
    std::string task;
};
struct ConfigReload {};
struct Shutdown {};
struct Adopted {};
struct OutOfMemory {};
/// The first start, or a task whose turn came: there is nothing to explain.
struct None {};
}  // namespace cause

/// A value; copying is cheap except for SpawnFailed and Dependency.
struct Cause {
    using Kind = std::variant<cause::None, cause::ByOperator, cause::ExitCode, cause::ExitSignal,
                              cause::ExitUnknown, cause::HeartbeatTimeout, cause::ReadyTimeout,
                              cause::SpawnFailed, cause::AttemptsExhausted, cause::Dependency,
                              cause::ConfigReload, cause::Shutdown, cause::Adopted, cause::OutOfMemory>;
    Kind kind;

    [[nodiscard]] bool by_operator() const noexcept {
        return std::holds_alternative<cause::ByOperator>(kind);
    }
};

/// The word of the closed list: "operator", "exit-code", ...; empty for None.
[[nodiscard]] std::string_view cause_name(const Cause& cause) noexcept;
/// One phrase for people: "exit code 3", "killed by SEGV (core dumped)", "no heartbeat for 2s",
/// "attempts exhausted after 5: exit code 3".
[[nodiscard]] std::string explain(const Cause& cause);
/// The cause that a process's end amounts to by itself.
[[nodiscard]] Cause cause_of(const ExitStatus& status) noexcept;

}  // namespace vigil::core
