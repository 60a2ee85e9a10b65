// Layer daemon. A start after a crash with a configuration that is broken: the last good one serves, so that
// the tasks which the daemon before had left are not alone.
#pragma once

#include <string>
#include <vector>

#include "config/config.hpp"
#include "reload/reloader.hpp"

namespace vigil::daemon {

/// What `<state_dir>/last-good.json` says, in place of `file`, which has these problems. Nothing, and then
/// the start is to be refused, unless
/// - the state directory is known: by the daemon section of `file`, if that alone can be read, else the
/// default one;
/// - what is kept there was read from `file`;
/// - a daemon that ran with it did not end in order: it has left a state table with tasks, and no other
/// daemon is there.
[[nodiscard]] std::optional<ReadConfig> last_good_after_crash(const std::string& file,
                                                              const std::vector<config::Problem>& problems);

}  // namespace vigil::daemon
