// Layer core. What has become of a run while no daemon was there, and what that means to its task.
#pragma once

#include <cstdint>
#include <vector>

#include "core/cause.hpp"
#include "core/event.hpp"
#include "core/process_ids.hpp"
#include "core/record.hpp"

namespace vigil::core {

/// What the next daemon finds of the run that a record tells of.
struct FoundRun {
    enum class Kind : std::uint8_t {
        /// No pid is known: asked for, but the daemon ended before there was a process; or, where the record
        /// tells of one,
        /// that has ended.
        never_made,
        running,     ///< the main process lives
        main_ended,  ///< it has ended; others of its tree live
        ended,       ///< nothing of it lives
    };
    Kind kind = Kind::never_made;
    Pid pid = 0;        ///< of the main process; not for never_made
    ExitStatus status;  ///< how it ended; `unknown` where nobody can tell
};

/// What the supervisor is to be told after Supervisor::adopt(), in order. Nothing for a record without a run.
[[nodiscard]] std::vector<Event> news_of(const TaskRecord& record, const FoundRun& found);

/// The record of a run that nothing has ended by the end of a shutdown, for the next daemon, which is to
/// start no second one beside it: it waits for the end, and then the task is what its spec makes of it.
[[nodiscard]] TaskRecord left_by_shutdown(TaskRecord record);
/// Whether it is such a record.
[[nodiscard]] bool is_left_by_shutdown(const TaskRecord& record) noexcept;

/// The record as it goes on after all of its run was ended on purpose, so that nobody is to judge that end:
/// it is as desired, and what is wanted up was never started. The same for a record without a run.
[[nodiscard]] TaskRecord without_run(TaskRecord record);

}  // namespace vigil::core
