#include "ctl/status_text.hpp"

#include <doctest/doctest.h>

#include "ctl/progress.hpp"
#include "ctl/task_page.hpp"

using namespace std::chrono_literals;
using namespace vigil::ctl;
using vigil::protocol::CauseView;
using vigil::protocol::TaskStatus;

namespace {

TaskStatus task(std::string name, std::string status) {
    TaskStatus task;
    task.name = std::move(name);
    task.status = std::move(status);
    return task;
}

std::string table_of(const std::vector<TaskStatus>& tasks) {
    StatusTable table;
    for (const TaskStatus& task : tasks) table.add(task);
    return table.render({});
}

TaskStatus failed_task() {
    TaskStatus failed = task("api", "failed");
    failed.cause = CauseView{"exit-code", "exit code 3"};
    failed.restart_attempts = 2;
    failed.max_restart_attempts = 5;
    failed.restarts_total = 7;
    failed.next_start_in = 1200ms;
    return failed;
}

}  // namespace

TEST_CASE("a failed task says why, which attempt, and when the next start comes") {
    CHECK(detail_of(failed_task()) == "exit code 3; attempt 2 of 5, next start in 1.2s");
    CHECK(restarts_of(failed_task()) == "7 (2/5)");
    TaskStatus unlimited = failed_task();
    unlimited.max_restart_attempts.reset();
    CHECK(detail_of(unlimited) == "exit code 3; attempt 2, next start in 1.2s");
}

TEST_CASE("a running task shows what it says, and trouble it comes from, but not who started it") {
    TaskStatus healthy = task("api", "healthy");
    healthy.cause = CauseView{"operator", "ordered by uid 0 (pid 1)"};
    CHECK(detail_of(healthy).empty());
    healthy.status_text = "serving";
    CHECK(detail_of(healthy) == "serving");
    healthy.cause = CauseView{"heartbeat-timeout", "no heartbeat for 2s"};
    CHECK(detail_of(healthy) == "serving; restarted after no heartbeat for 2s");
}

TEST_CASE("a stopping task says when SIGKILL comes, a waiting one that it waits") {
    TaskStatus stopping = task("api", "stopping");
    stopping.stop_kill_in = 9s;
    CHECK(detail_of(stopping) == "SIGKILL in 9.0s");
    TaskStatus waiting = task("api", "created");
    waiting.waiting_turn = true;
    CHECK(detail_of(waiting) == "waiting its turn to start");
}

TEST_CASE("heartbeats are shown as age and limit") {
    TaskStatus beating = task("api", "healthy");
    CHECK(heartbeat_of(beating) == "-");
    beating.heartbeat_timeout = 2s;
    CHECK(heartbeat_of(beating) == "-/2s");
    beating.last_heartbeat_age = 120ms;
    CHECK(heartbeat_of(beating) == "120ms/2s");
}

TEST_CASE("nasty 52: what a task says can neither move the cursor nor forge a line") {
    TaskStatus hostile = task("api", "healthy");
    hostile.status_text = "\033[2J\r\nfake  healthy\xff";
    const std::string out = table_of({hostile});
    CHECK(out.find('\033') == std::string::npos);
    CHECK(out.find('\r') == std::string::npos);
    CHECK(out.find("\nfake") == std::string::npos);
    CHECK(render_page(hostile, false).find("\nfake") == std::string::npos);
}

TEST_CASE("the summary counts states in the order of their table") {
    CHECK(table_of({}) == "no tasks\n");
    CHECK(table_of({task("a", "healthy")}).ends_with("\n\n1 task: 1 healthy\n"));
    CHECK(table_of({task("a", "dead"), task("b", "healthy"), task("c", "healthy"), task("d", "frozen")})
              .ends_with("\n\n4 tasks: 2 healthy, 1 dead, 1 frozen\n"));
}

TEST_CASE("the page of a task names everything that applies and nothing else") {
    const std::string page = render_page(failed_task(), false);
    CHECK(page.find("next start  in 1.2s") != std::string::npos);
    CHECK(page.find("7 in all; attempt 2 of 5") != std::string::npos);
    CHECK(page.find("SIGKILL") == std::string::npos);
    TaskStatus with_spec = failed_task();
    with_spec.spec = R"({"command":["x"]})";
    CHECK(render_page(with_spec, false).find("\"command\": [") != std::string::npos);
}

TEST_CASE("progress names the tasks on their way, and counts those beyond three") {
    CHECK(awaited_text({task("a", "healthy")}).empty());
    CHECK(awaited_text({task("a", "healthy"), task("b", "stopping")}) == "b (stopping)");
    CHECK(awaited_text({task("a", "starting"), task("b", "starting"), task("c", "failed"),
                        task("d", "starting"), task("e", "starting")}) ==
          "a (starting), b (starting), c (failed) and 2 more");
}
