// Layer linux. Paths as addresses of Unix sockets, see unix(7).
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstring>
#include <optional>
#include <string>

namespace vigil::os {

inline constexpr std::size_t kMostSocketPath = sizeof(sockaddr_un::sun_path) - 1;

/// Nothing for a path that is empty or longer than kMostSocketPath.
[[nodiscard]] inline std::optional<sockaddr_un> socket_address(const std::string& path) noexcept {
    if (path.empty() || path.size() > kMostSocketPath) return std::nullopt;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    return address;
}

/// As bind(2) and connect(2) want it.
[[nodiscard]] inline const sockaddr* plain(const sockaddr_un& address) noexcept {
    return reinterpret_cast<const sockaddr*>(&address);
}

}  // namespace vigil::os
