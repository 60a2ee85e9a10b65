// Layer client. Where a daemon's control socket is looked for.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace vigil::client {

/// What the choice depends on.
struct Surroundings {
    std::optional<std::string> vigil_socket;     ///< $VIGIL_SOCKET
    std::optional<std::string> xdg_runtime_dir;  ///< $XDG_RUNTIME_DIR
    uid_t uid = 0;
};
/// Those of this process; a variable that is set and empty counts as not set.
[[nodiscard]] Surroundings present_surroundings();

/// The sockets to try, best first. A path that somebody chose (`chosen`, then $VIGIL_SOCKET) is the only one:
/// to fall back to another daemon than the one that was named would be worse than to fail. Otherwise the
/// user's own daemon, then the system's.
[[nodiscard]] std::vector<std::string> socket_candidates(const std::string& chosen,
                                                         const Surroundings& surroundings);

}  // namespace vigil::client
