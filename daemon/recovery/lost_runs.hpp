// Layer daemon. Runs of a daemon before this one that no record tells of any more, since the state table was
// lost or damaged: found in /proc by the marks in their environment, and given records again.
#pragma once

#include <optional>
#include <string>

#include "config/config.hpp"
#include "linux/process/marked_processes.hpp"
#include "linux/self/features.hpp"
#include "logger.hpp"
#include "recovery/keeping.hpp"
#include "recovery/record_book.hpp"

namespace vigil::daemon {

/// Where and among what they are looked for.
struct LostRunSearch {
    const std::string& runtime_dir;
    const std::string& notify_directory;
    bool unclean = false;  ///< a daemon before this one did not tidy the directory up
    const config::Config& config;
    const Kept& kept;
    os::Features features;
};

/// Whether something points to a run without a record: a table that was set aside, is missing or has damaged
/// records, a notify socket or a kept descriptor of a task that none tells of.
[[nodiscard]] bool may_have_lost_runs(const Leftovers& left, const LostRunSearch& search);

/// Adds a record for each task that has none and of which a run is found, healthy in the generation that its
/// marks tell; Heirs judges it like any other. Of several runs of one task the youngest generation counts;
/// what else is found of such tasks is ended. What may be somebody else's is left alone and said. One pass
/// over /proc.
void find_lost_runs(Leftovers& left, const LostRunSearch& search, RecordBook& book, spdlog::logger& log);

/// What the marks of a process are held against.
struct Credentials {
    std::string own_cgroup;   ///< of this daemon, in which nothing is to be learnt from a cgroup
    std::string kept_notify;  ///< path of the notify socket that the keeper holds for that run; empty: none
    std::optional<uid_t> expected;  ///< that the task is configured to run as; nothing: nobody knows
    uid_t own_uid = 0;
};
/// Why the process need not be of the run that its marks tell of; empty: it is.
[[nodiscard]] std::string misfit(const os::MarkedProcess& process, const Credentials& credentials);

}  // namespace vigil::daemon
