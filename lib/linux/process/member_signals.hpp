// Layer linux, internal. Signals to a set of processes that changes while it is looked at. Each process is
// held by a pidfd and looked at once more after that, so that no stranger with its number is hit.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "linux/process/process_table.hpp"

namespace vigil::os {

/// Who belongs to the set now; asked again and again.
using FindMembers = std::function<std::vector<ProcessEntry>()>;

/// How far SIGKILL has come.
enum class Killed : std::uint8_t {
    all,   ///< sent to everything that was there
    part,  ///< new ones appeared faster than they could be looked at: what was found stands still; call again
};

/// Sends `signals` in order to each that is found, until a look finds no new one; bounded. The error is that
/// of a process that may not be signalled (EPERM); the others got theirs all the same.
[[nodiscard]] Result<void> signal_each(const FindMembers& find, std::span<const int> signals);

/// Stops everything first, in rounds until a look finds nothing new, because a process that is stopped forks
/// no more; then SIGKILL. A process that may not be signalled does not hold up the others; it is the error.
/// Takes 100 ms at most, and a look beyond.
[[nodiscard]] Result<Killed> kill_each(const FindMembers& find);

/// Signals one process if it is still the one that was seen; success where it is gone.
[[nodiscard]] Result<void> signal_if_same(const ProcessId& seen, std::span<const int> signals);

}  // namespace vigil::os
