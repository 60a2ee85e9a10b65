// Layer linux. What the processes of a run use now.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/time.hpp"
#include "linux/process/process_tree.hpp"

namespace vigil::os {

struct TreeUsage {
    std::size_t processes = 0;
    /// Bytes: of the cgroup where the memory controller is on, else the resident pages of each process, those
    /// that they share counted for each of them.
    std::uint64_t memory = 0;
    /// In a cgroup of all that has run in it, else of the processes that live.
    core::Duration cpu{};
};

/// O(processes of the tree): on demand, not for each turn.
[[nodiscard]] TreeUsage measure(ProcessTree& tree);

}  // namespace vigil::os
