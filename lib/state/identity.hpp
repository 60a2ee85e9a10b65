// Layer state. Where the pids of a state table mean something.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <string>

#include "base/result.hpp"

namespace vigil::state {

/// A table is good for the boot, the pid namespace and the user that it was made in.
struct Identity {
    std::array<std::uint8_t, 16> boot_id{};  ///< random(4): /proc/sys/kernel/random/boot_id
    std::uint64_t pid_namespace = 0;         ///< inode of /proc/self/ns/pid
    uid_t uid = 0;

    friend bool operator==(const Identity&, const Identity&) = default;

    /// Of this process.
    [[nodiscard]] static Result<Identity> current();
};

/// "1b4e28ba-2fa1-11d2-883f-0016d3cca427", as the kernel writes it.
[[nodiscard]] std::string boot_id_text(const std::array<std::uint8_t, 16>& id);

}  // namespace vigil::state
