// Layer daemon. Before a daemon goes on as another program that program has to show that it can: it is run
// beside, with
// --prove-handover, reads all that it would be given, and says so.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "config/config.hpp"
#include "upgrade/handover.hpp"

namespace vigil::daemon {

/// How this process was started, and so how its successor is.
struct Invocation {
    std::string program;                 ///< absolute
    std::vector<std::string> arguments;  ///< without those of a hand-over
};

/// The arguments with which `program` takes over what is in `fd`, or with `prove` only tries.
[[nodiscard]] std::vector<std::string> takeover_arguments(const Invocation& self, const std::string& program,
                                                          bool prove, int fd);

/// Runs the proof of `program` and gives its version, or a sentence with what it said. Blocks for up to 15
/// seconds.
[[nodiscard]] Result<std::string, std::string> ask_for_proof(const Invocation& self,
                                                             const std::string& program, int handover);

/// The other side, in the new program: the exit code, after one line on standard output or what is wrong on
/// standard error. Changes nothing.
int prove_handover(int fd, const config::Config& config);

/// What stands in the descriptor of --take-over.
[[nodiscard]] Result<Handover, std::string> read_handover(int fd);

}  // namespace vigil::daemon
