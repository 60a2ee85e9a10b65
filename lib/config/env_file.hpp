// Layer config. Files of environment variables (`env_file`): text to pairs, no file access.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace vigil::config {

struct EnvFileFault {
    std::size_t line;     ///< from 1
    std::string message;  ///< never quotes the value, which may be a secret
};

/// One `NAME=VALUE` a line, `export` before it allowed; blank lines and lines whose first mark is # are
/// skipped. A value is taken as it is, without blanks at its ends; 'single quotes' keep everything, in
/// "double quotes" \\ \" \$ \n \t stand for one character. Nothing is expanded. Where a name comes twice the
/// last one holds, as in a shell.
[[nodiscard]] Result<std::vector<std::pair<std::string, std::string>>, std::vector<EnvFileFault>>
parse_env_file(std::string_view text);

}  // namespace vigil::config
