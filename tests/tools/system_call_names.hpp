// What the kernel calls a system call, for the reports of the tools.
#pragma once

#include <string>

namespace vigil::tools {

[[nodiscard]] std::string system_call_name(unsigned long number);

}  // namespace vigil::tools
