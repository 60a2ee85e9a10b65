// Layer linux. The daemon's own limit on descriptors: raised for itself, given back to its children.
#pragma once

#include <sys/resource.h>

#include <cstddef>

#include "base/result.hpp"

namespace vigil::os {

struct OpenFileLimit {
    rlimit at_start{};  ///< what children get back
    rlimit now{};
};

/// Raises the soft RLIMIT_NOFILE to the hard one (a soft limit of 1024 is a promise to select(2), which the
/// daemon does not use). Call once, at start. A refusal is no failure: `now` says what holds.
[[nodiscard]] Result<OpenFileLimit> raise_open_file_limit();

/// Makes room for `count` descriptors (or as many as the limit allows) in this process's table. Otherwise the
/// kernel doubles the table whenever it is full, and while threads share it each time waits until all
/// processors have let go of the old one (expand_fdtable() in fs/file.c), milliseconds in which no thread
/// gets a new descriptor. For the same reason to be called before threads are made. What cannot be had is
/// done without.
void reserve_descriptors(std::size_t count) noexcept;

}  // namespace vigil::os
