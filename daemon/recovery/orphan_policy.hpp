// Layer daemon. daemon.orphan_policy: kill. No run of a daemon before this one goes on.
#pragma once

#include "linux/self/features.hpp"
#include "logger.hpp"
#include "recovery/record_book.hpp"

namespace vigil::daemon {

/// Ends every run that a record tells of, whole and at once; the records go on without one. What cannot be
/// ended in time is said and stays as it is, to be adopted: nothing is started beside it. What is in cgroups
/// is left to the CgroupHome.
void end_left_runs(Leftovers& left, const os::Features& features, RecordBook& book, spdlog::logger& log);

}  // namespace vigil::daemon
