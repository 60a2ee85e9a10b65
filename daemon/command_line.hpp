// Layer daemon. vigild's command line.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace vigil::daemon {

struct CommandLine {
    std::string config_file;  ///< empty: the default place
    bool check = false;       ///< only say whether the configuration is valid
    /// Only print a state table; empty: the one of the configuration's runtime directory.
    std::optional<std::string> dump_state;
    bool cleanup = false;  ///< only end what a vigild that is gone has left
    /// Descriptors with a hand-over: to go on from, or only to say whether that could be done.
    std::optional<int> take_over;
    std::optional<int> prove_handover;
    std::vector<std::string> disabled_features;
};

/// What to do instead of running: print `text` (errors go to stderr) and exit with `code`.
struct EarlyExit {
    int code = 0;
    std::string text;
};

/// Exactly one of the two is set.
struct ParsedCommandLine {
    std::optional<CommandLine> run;
    std::optional<EarlyExit> exit;
};

[[nodiscard]] ParsedCommandLine parse_command_line(int argc, const char* const* argv);

}  // namespace vigil::daemon
