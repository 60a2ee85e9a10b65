#include "client/socket_path.hpp"

#include <unistd.h>

#include <cstdlib>

namespace vigil::client {
namespace {

constexpr const char* kSystemSocket = "/run/vigil/control.sock";

std::optional<std::string> variable(const char* name) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') return std::nullopt;
    return value;
}

}  // namespace

Surroundings present_surroundings() {
    return {variable("VIGIL_SOCKET"), variable("XDG_RUNTIME_DIR"), ::getuid()};
}

std::vector<std::string> socket_candidates(const std::string& chosen, const Surroundings& surroundings) {
    if (!chosen.empty()) return {chosen};
    if (surroundings.vigil_socket) return {*surroundings.vigil_socket};
    std::vector<std::string> candidates;
    // A relative path in this variable is invalid and to be ignored (XDG Base Directory Specification).
    const auto& runtime = surroundings.xdg_runtime_dir;
    if (runtime && runtime->starts_with('/'))
        candidates.push_back(*runtime + "/vigil/control.sock");
    else if (surroundings.uid != 0)
        candidates.push_back("/run/user/" + std::to_string(surroundings.uid) + "/vigil/control.sock");
    if (candidates.empty() || candidates.front() != kSystemSocket) candidates.emplace_back(kSystemSocket);
    return candidates;
}

}  // namespace vigil::client
