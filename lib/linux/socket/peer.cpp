#include "linux/socket/peer.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "base/unique_fd.hpp"

namespace vigil::os {
namespace {

std::optional<ucred> credentials_of(int fd) {
    ucred credentials{};
    socklen_t size = sizeof credentials;
    if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return std::nullopt;
    return credentials;
}

}  // namespace

bool Peer::in_group(gid_t group) const noexcept {
    return gid == group || std::find(groups.begin(), groups.end(), group) != groups.end();
}

Result<Peer> peer_of(int fd) {
    const auto credentials = credentials_of(fd);
    if (!credentials) return Failure{errno_error("asking who is at the other end")};
    Peer peer;
    peer.pid = credentials->pid;
    peer.uid = credentials->uid;
    peer.gid = credentials->gid;
    socklen_t size = 0;
    peer.groups.resize(64);
    // ERANGE says how much room is needed (Linux 4.13); the answer cannot change, it is from the time of
    // connect().
    for (int attempt = 0; attempt < 2; ++attempt) {
        size = static_cast<socklen_t>(peer.groups.size() * sizeof(gid_t));
        const int result = ::getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, peer.groups.data(), &size);
        const bool too_small = result != 0 && errno == ERANGE;
        if (result != 0 && !too_small) return Failure{errno_error("asking for the groups of the other end")};
        peer.groups.resize(size / sizeof(gid_t));
        if (!too_small) break;
    }
    return peer;
}

std::optional<uid_t> peer_uid(int fd) {
    const auto credentials = credentials_of(fd);
    return credentials ? std::optional(credentials->uid) : std::nullopt;
}

std::string command_name(pid_t pid) {
    if (pid <= 0) return {};
    char path[32];
    std::snprintf(path, sizeof path, "/proc/%d/comm", pid);
    const UniqueFd file(::open(path, O_RDONLY | O_CLOEXEC));
    if (!file) return {};
    char name[64];
    const ssize_t size = ::read(file.get(), name, sizeof name);
    if (size <= 0) return {};
    std::string text(name, static_cast<std::size_t>(size));
    if (text.ends_with('\n')) text.pop_back();
    return text;
}

}  // namespace vigil::os
