#include "control/access.hpp"

#include <doctest/doctest.h>

using namespace vigil;
using daemon::Access;
using protocol::Right;

namespace {

const Access kAccess{.owner = 500, .group = 40, .read_group = 41};

os::Peer peer(uid_t uid, gid_t gid, std::vector<gid_t> groups = {}) {
    return {.pid = 1234, .uid = uid, .gid = gid, .groups = std::move(groups)};
}

}  // namespace

TEST_CASE("root and the daemon's own user may do all") {
    CHECK(kAccess.highest(peer(0, 0)) == Right::admin);
    CHECK(kAccess.highest(peer(500, 9)) == Right::admin);
}

TEST_CASE("the group may give orders but not add code") {
    CHECK(kAccess.permits(peer(7, 40), Right::operate));
    CHECK(kAccess.permits(peer(7, 1, {3, 40}), Right::operate));
    CHECK_FALSE(kAccess.permits(peer(7, 40), Right::admin));
}

TEST_CASE("the read group may only look, and the better of two rights holds") {
    CHECK(kAccess.highest(peer(7, 41)) == Right::read);
    CHECK(kAccess.highest(peer(7, 41, {40})) == Right::operate);
}

TEST_CASE("nasty 67: everybody else may do nothing") {
    CHECK_FALSE(kAccess.highest(peer(7, 7)).has_value());
    CHECK_FALSE(kAccess.permits(peer(7, 7), Right::read));
}

TEST_CASE("nasty 67: the id that stands for unmapped ones is never trusted as a group") {
    const Access open{.owner = 500, .group = 65534, .read_group = 65534};
    CHECK_FALSE(open.highest(peer(65534, 65534)).has_value());
}
