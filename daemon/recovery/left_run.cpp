#include "recovery/left_run.hpp"

#include <csignal>

#include "linux/file/random_name.hpp"
#include "linux/process/known_process.hpp"
#include "linux/process/member_signals.hpp"
#include "linux/process/process.hpp"
#include "linux/process/process_table.hpp"

namespace vigil::daemon {

UniqueFd find_left_run(const state::Found& found, const os::Features& features) {
    const state::RunIdentity& marks = found.record.run;
    return os::find_again({found.pid, marks.pidfd_inode, marks.start_time, os::to_hex(marks.invocation)},
                          features);
}

UniqueFd kill_left_run(const state::Found& found, const os::Features& features) {
    UniqueFd leader = find_left_run(found, features);
    if (!leader) return leader;
    static constexpr int kKill[] = {SIGKILL};
    const os::ProcessId root[] = {{found.pid, 0}};
    for (const os::ProcessEntry& entry : os::processes_below(root, features))
        (void)os::signal_if_same(entry.id(), kKill);
    (void)os::signal_group(found.pid, leader.get(), SIGKILL, features);
    return leader;
}

}  // namespace vigil::daemon
