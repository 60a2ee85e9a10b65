// vigilctl. From argv to a verb and its options.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "ctl/options.hpp"
#include "ctl/terminal.hpp"
#include "ctl/verbs.hpp"

namespace vigil::ctl {

/// A verb to be run.
struct Invocation {
    const Verb* verb = nullptr;
    Options options;
};
/// Nothing to run: a help text (exit code 0, for standard output) or wrong usage (2, for standard error).
struct Answer {
    int exit_code = 0;
    std::string text;
};

/// `words` is argv without the program's name.
[[nodiscard]] std::variant<Invocation, Answer> parse_command_line(std::vector<std::string> words);

/// All of vigilctl; gives its exit code.
int run(int argc, const char* const* argv, const Terminal& terminal);

}  // namespace vigil::ctl
