#include "control/access.hpp"

namespace vigil::daemon {
namespace {

/// What an id without a mapping in our user namespace looks like (user_namespaces(7)): it may be anybody.
constexpr gid_t kUnmapped = 65534;

}  // namespace

std::optional<protocol::Right> Access::highest(const os::Peer& peer) const noexcept {
    if (peer.uid == 0 || peer.uid == owner) return protocol::Right::admin;
    const auto member = [&](const std::optional<gid_t>& of) {
        return of && *of != kUnmapped && (peer.gid == *of || peer.in_group(*of));
    };
    if (member(group)) return protocol::Right::operate;
    if (member(read_group)) return protocol::Right::read;
    return std::nullopt;
}

bool Access::permits(const os::Peer& peer, protocol::Right needed) const noexcept {
    const auto most = highest(peer);
    return most && *most >= needed;
}

}  // namespace vigil::daemon
