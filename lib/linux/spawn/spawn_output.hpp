// Layer linux, internal. Where the output of a new process goes, made ready before there is one.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "core/cause.hpp"
#include "core/spec.hpp"

namespace vigil::os {

/// By core::OutputStream.
struct SpawnOutput {
    UniqueFd reader[2];  ///< non-blocking, for whoever collects; OutputTo::file only
    /// What becomes descriptors 1 and 2. The second empty: both go to the first. Both empty: nothing was to
    /// be made.
    UniqueFd writer[2];
    /// "device:inode" of the journal stream that is descriptor 2, for JOURNAL_STREAM (systemd.exec(5)).
    std::string journal_stream;
};

/// OutputTo::file: pipes that belong to `uid`, so that the task may open /dev/stdout again.
/// OutputTo::journal: streams to the journal at `journal_socket`; may block a few seconds. Failures are of
/// stage open_output.
[[nodiscard]] Result<SpawnOutput, core::SpawnFailure> open_output(const core::TaskSpec& spec, uid_t uid,
                                                                  const std::string& journal_socket);

}  // namespace vigil::os
