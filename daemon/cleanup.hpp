// Layer daemon. vigild --cleanup: ends what a vigild that is not there any more has left, for the
// ExecStopPost of a unit and for an administrator.
#pragma once

#include "config/config.hpp"
#include "linux/self/features.hpp"

namespace vigil::daemon {

/// Ends every task, the keeper, and removes what stands in the runtime directory but the lock; gives vigild's
/// exit code. Does nothing while a vigild runs there. Where $SERVICE_RESULT (systemd.exec(5)) says that the
/// service is about to be started again, what the next vigild goes on from is left to it: with
/// daemon.orphan_policy `adopt` everything, with `kill` everything but the processes of the tasks.
[[nodiscard]] int clean_up(const config::DaemonSettings& settings, const os::Features& features);

}  // namespace vigil::daemon
