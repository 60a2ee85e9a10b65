// Layer core. Numbers of the kernel that decisions carry and never look into, of the width that Linux gives
// them (pid_t, uid_t, mode_t). That they are the same types is checked in lib/linux/process/process.cpp.
#pragma once

#include <cstdint>

namespace vigil::core {

using Pid = std::int32_t;
using Uid = std::uint32_t;
using FileMode = std::uint32_t;

}  // namespace vigil::core
