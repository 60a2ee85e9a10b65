#include "ctl/exit_code.hpp"

#include <algorithm>
#include <array>

namespace vigil::ctl {
namespace {

constexpr std::array<ExitCodeText, 10> kExitCodes = {{
    {exit_code::kDone, "done, or already so; status without names: the daemon answered"},
    {exit_code::kFailed,
     "refused or failed for at least one task (each is named on stderr); diff: there are differences"},
    {exit_code::kUsage, "wrong usage"},
    {exit_code::kNotHealthy, "status NAME: not healthy"},
    {exit_code::kNoSuchTask, "no such task, or the pattern matched nothing"},
    {exit_code::kUnreachable, "the daemon cannot be reached"},
    {exit_code::kDenied, "permission denied"},
    {exit_code::kBadConfig, "invalid configuration"},
    {exit_code::kTimeout, "--timeout expired"},
    {exit_code::kInterrupted, "interrupted"},
}};

int exit_code_of(protocol::ErrorCode code) {
    switch (code) {
        case protocol::ErrorCode::no_such_task: return exit_code::kNoSuchTask;
        case protocol::ErrorCode::denied: return exit_code::kDenied;
        case protocol::ErrorCode::config_invalid: return exit_code::kBadConfig;
        case protocol::ErrorCode::timeout: return exit_code::kTimeout;
        case protocol::ErrorCode::method_not_found:
        case protocol::ErrorCode::invalid_params: return exit_code::kUsage;
        case protocol::ErrorCode::already_exists:
        case protocol::ErrorCode::busy:
        case protocol::ErrorCode::upgrade_failed:
        case protocol::ErrorCode::parse_error:
        case protocol::ErrorCode::invalid_request:
        case protocol::ErrorCode::internal_error: break;
    }
    return exit_code::kFailed;
}

}  // namespace

std::span<const ExitCodeText> exit_codes() noexcept {
    return kExitCodes;
}

int exit_code_of(const client::Fault& fault) noexcept {
    using Kind = client::Fault::Kind;
    switch (fault.kind) {
        case Kind::unreachable:
        case Kind::disconnected:
        case Kind::protocol: return exit_code::kUnreachable;
        case Kind::denied: return exit_code::kDenied;
        case Kind::timeout: return exit_code::kTimeout;
        case Kind::interrupted: return exit_code::kInterrupted;
        case Kind::refused: break;
    }
    return fault.rpc ? exit_code_of(fault.rpc->code) : exit_code::kFailed;
}

int exit_code_of(const std::vector<protocol::TaskOutcome>& tasks) noexcept {
    const auto failed = [](const protocol::TaskOutcome& t) {
        return t.kind == protocol::TaskOutcome::Kind::failed;
    };
    return std::any_of(tasks.begin(), tasks.end(), failed) ? exit_code::kFailed : exit_code::kDone;
}

int exit_code_of(const protocol::TaskStatus& task) noexcept {
    return task.status == "healthy" ? exit_code::kDone : exit_code::kNotHealthy;
}

}  // namespace vigil::ctl
