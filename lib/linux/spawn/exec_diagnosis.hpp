// Layer linux, internal. Why execve(2) refused a file, in words: its errno alone misleads.
#pragma once

#include <string>

namespace vigil::os {

/// One phrase for the file at `path` that could not be executed with `error`, from looking at it afterwards:
/// a missing interpreter and a script with Windows line ends both say ENOENT of a file that is there. May
/// block on a dead mount.
[[nodiscard]] std::string explain_exec_failure(const std::string& path, int error);

}  // namespace vigil::os
