// vigilctl. What its exit codes mean: one list, from which the help text derives too.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "client/fault.hpp"
#include "protocol/rpc.hpp"
#include "protocol/task_status.hpp"

namespace vigil::ctl {

namespace exit_code {
inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;
inline constexpr int kUsage = 2;
inline constexpr int kNotHealthy = 3;
inline constexpr int kNoSuchTask = 4;
inline constexpr int kUnreachable = 69;   // EX_UNAVAILABLE of sysexits.h(3head)
inline constexpr int kDenied = 77;        // EX_NOPERM
inline constexpr int kBadConfig = 78;     // EX_CONFIG
inline constexpr int kTimeout = 124;      // as timeout(1)
inline constexpr int kInterrupted = 130;  // as a shell reports SIGINT
}  // namespace exit_code

struct ExitCodeText {
    int code;
    std::string_view text;
};
[[nodiscard]] std::span<const ExitCodeText> exit_codes() noexcept;

[[nodiscard]] int exit_code_of(const client::Fault& fault) noexcept;
/// 1 as soon as one task failed.
[[nodiscard]] int exit_code_of(const std::vector<protocol::TaskOutcome>& tasks) noexcept;
/// 3 for one that is not healthy.
[[nodiscard]] int exit_code_of(const protocol::TaskStatus& task) noexcept;

}  // namespace vigil::ctl
