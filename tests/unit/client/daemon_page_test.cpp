#include "ctl/daemon_page.hpp"

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using vigil::ctl::render_daemon;
using vigil::protocol::DaemonStatus;

namespace {

bool says(const DaemonStatus& status, std::string_view text) {
    const std::string page = render_daemon(status);
    CAPTURE(page);
    return page.find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("the daemon's page tells how long turns take and what waits") {
    DaemonStatus status;
    status.version = "0.1.0";
    status.pid = 17;
    status.tasks_by_state = {1, 0, 7, 0, 0, 0, 0, 2};
    CHECK(says(status, "vigild 0.1.0, pid 17\n"));
    CHECK(says(status, "tasks       10: 1 created, 7 healthy, 2 dead\n"));
    CHECK(says(status, "waiting     nothing\n"));
    CHECK(says(status, "dropped     nothing\n"));
    CHECK(says(status, "turns       none\n"));
    status.load.turns = {.count = 9, .p50 = 40us, .p99 = 900us, .max = 2ms};
    status.load.turns_cpu = {.count = 9, .p50 = 30us, .p99 = 800us, .max = 1ms};
    status.load.queues.spawns_waiting = 3;
    status.load.queues.unread_bytes = 12;
    status.dropped.notify_strangers = 4;
    status.shutting_down = true;
    CHECK(says(status, "pid 17, shutting down\n"));
    CHECK(says(status, "turns       9: half within 40us, 99% within 900us, longest 2ms\n"));
    CHECK(says(status, "  own work  9: half within 30us, 99% within 800us, longest 1ms\n"));
    CHECK(says(status, "waiting     3 spawns waiting, 12 unread bytes\n"));
    CHECK(says(status, "dropped     4 notify strangers\n"));
}

TEST_CASE("the daemon's page escapes what it was told, and says when the files are not what runs") {
    DaemonStatus status;
    status.config_files = {"/etc/\x1b[2J.json"};
    status.config_changed = true;
    CHECK(says(status, "files       /etc/\\x1b[2J.json (changed on the disk)\n"));
    status.config_fault = "vigil.json:1:2: wrong";
    CHECK(says(status, "(cannot be used, the last good configuration runs: vigil.json:1:2: wrong)\n"));
}
