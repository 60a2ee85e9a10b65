// Layer daemon. vigild's exit codes; those above 63 are of sysexits.h(3head).
#pragma once

namespace vigil::daemon::exit_code {

inline constexpr int kDone = 0;
inline constexpr int kCannotStart = 1;  ///< another daemon runs, no socket, no runtime directory
inline constexpr int kLeftBehind = 1;   ///< stopped, but for processes that SIGKILL does not end
inline constexpr int kCannotRead = 1;   ///< --dump-state: no such file, or none that may be read
inline constexpr int kUsage = 2;
inline constexpr int kTooManyDead = 70;  ///< daemon.max_dead_fraction was exceeded
inline constexpr int kBadConfig = 78;

}  // namespace vigil::daemon::exit_code
