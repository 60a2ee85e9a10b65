#include "client/socket_path.hpp"

#include <doctest/doctest.h>

using vigil::client::socket_candidates;
using Paths = std::vector<std::string>;

TEST_CASE("a socket that somebody named is the only one tried") {
    CHECK(socket_candidates("/x.sock", {"/env.sock", "/run/user/7", 7}) == Paths{"/x.sock"});
    CHECK(socket_candidates("", {"/env.sock", "/run/user/7", 7}) == Paths{"/env.sock"});
}

TEST_CASE("the user's own daemon comes before the system's") {
    CHECK(socket_candidates("", {std::nullopt, "/run/user/7", 7}) ==
          Paths{"/run/user/7/vigil/control.sock", "/run/vigil/control.sock"});
}

TEST_CASE("nasty 86: without XDG_RUNTIME_DIR, or with a relative one, the usual place of the user is tried") {
    const Paths expected{"/run/user/7/vigil/control.sock", "/run/vigil/control.sock"};
    CHECK(socket_candidates("", {std::nullopt, std::nullopt, 7}) == expected);
    CHECK(socket_candidates("", {std::nullopt, "run", 7}) == expected);
    CHECK(socket_candidates("", {std::nullopt, std::nullopt, 0}) == Paths{"/run/vigil/control.sock"});
}
