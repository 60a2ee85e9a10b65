#include "restart_watch.hpp"

#include <doctest/doctest.h>

using vigil::daemon::service_of;

TEST_CASE("the service of a process is the last one in the path of its cgroup") {
    CHECK(service_of("0::/system.slice/vigil.service/.control\n") == "vigil.service");
    CHECK(service_of("0::/system.slice/vigil.service") == "vigil.service");
    CHECK(service_of("0::/user.slice/user-1000.slice/user@1000.service/app.slice/vigil.service/vigild\n") ==
          "vigil.service");
    CHECK(service_of("12:memory:/other.service\n1:name=systemd:/system.slice/vigil.service\n0::/\n") ==
          "vigil.service");
}

TEST_CASE("outside of a service there is none") {
    CHECK(service_of("").empty());
    CHECK(service_of("0::/\n").empty());
    CHECK(service_of("0::/user.slice/session-3.scope\n").empty());
    CHECK(service_of("4:memory:/system.slice/vigil.service\n").empty());
    CHECK(service_of("0::/a.services/b\n").empty());
}
