#include "protocol/task_status.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "json/parse.hpp"
#include "protocol/daemon_status.hpp"
#include "protocol/task_event.hpp"

using namespace std::chrono_literals;
using namespace vigil;
using namespace vigil::protocol;

namespace {

const ClockReading kClock{core::TimePoint{1000s}, WallTime{} + 1'772'366'400s};

template <typename Write>
std::string written(Write write) {
    std::string text;
    json::Writer out(text);
    write(out);
    // Whatever is written must be JSON to a reader that is not ours.
    REQUIRE(json::parse(text).ok());
    return text;
}

core::TaskReport report_of(std::string_view name, core::StateName state) {
    core::TaskReport report;
    report.name = name;
    report.state = state;
    return report;
}

std::string status_text(const core::TaskReport& report) {
    return written([&](json::Writer& out) { write_task_status(out, report, kClock); });
}

std::string cause_text(const core::Cause& cause) {
    return written([&](json::Writer& out) { write_cause(out, cause); });
}

}  // namespace

TEST_CASE("a task that never ran has every member, and null where nothing applies") {
    const std::string text = status_text(report_of("idle", core::StateName::created));
    CHECK(
        text ==
        R"({"name":"idle","status":"created","paused":false,"desired":"up","waiting_turn":false,"cause":null,"pid":null,)"
        R"("generation":0,"restart_attempts":0,"max_restart_attempts":null,"restarts_total":0,"started_at":null,)"
        R"("uptime_ms":null,"last_heartbeat_age_ms":null,"heartbeat_timeout_ms":null,"next_start_in_ms":null,)"
        R"("stop_kill_in_ms":null,"status_text":null,"notified_errno":null,"last_exit":null,)"
        R"("output":null,"resources":null})");
    const auto read = parse_task_status(text);
    REQUIRE(read.ok());
    CHECK(read->name == "idle");
    CHECK(!read->pid);
    CHECK(!read->last_exit);
}

TEST_CASE("a status is read back as it was written") {
    const core::Cause cause{core::cause::ExitSignal{11, true}};
    core::TaskReport report = report_of("api", core::StateName::failed);
    report.cause = &cause;
    report.pid = 4711;
    report.generation = core::Generation{3};
    report.attempts = 2;
    report.max_attempts = 5;
    report.restarts_total = 7;
    report.started_at = core::TimePoint{940s};
    report.uptime = 60s;
    report.last_heartbeat_age = 120ms + 999us;
    report.heartbeat_timeout = 2s;
    report.next_start_in = 1200ms;
    report.status_text = "caf\xc3\xa9 \x1b[31m\"";
    report.last_exit =
        core::LastExit{{core::ExitStatus::Kind::signal, 0, 11, true}, core::TimePoint{999s}, {}};
    const auto read = parse_task_status(status_text(report));
    REQUIRE(read.ok());
    CHECK(read->status == "failed");
    CHECK(read->cause->kind == "exit-signal");
    CHECK(read->cause->text == "killed by SEGV (core dumped)");
    CHECK(read->pid == 4711);
    CHECK(read->generation == 3);
    CHECK(read->restart_attempts == 2);
    CHECK(read->max_restart_attempts == 5);
    CHECK(read->restarts_total == 7);
    CHECK(read->started_at == kClock.wall - 60s);
    CHECK(read->uptime == 60s);
    CHECK(read->last_heartbeat_age == 120ms);
    CHECK(read->next_start_in == 1200ms);
    CHECK(read->status_text == report.status_text);
    REQUIRE(read->last_exit.has_value());
    CHECK(read->last_exit->status == core::ExitStatus{core::ExitStatus::Kind::signal, 0, 11, true});
    CHECK(read->last_exit->at == kClock.wall - 1s);
}

TEST_CASE("of a choice of members only what applies is written, with name and status always") {
    core::TaskReport report = report_of("api", core::StateName::healthy);
    report.pid = 4711;
    report.uptime = 60s;
    report.generation = core::Generation{3};
    const auto chosen = [&](StatusFields fields) {
        return written([&](json::Writer& out) { write_task_status(out, report, kClock, {}, fields); });
    };
    CHECK(chosen({StatusField::pid, StatusField::uptime_ms, StatusField::cause, StatusField::paused,
                  StatusField::restart_attempts}) ==
          R"({"name":"api","status":"healthy","pid":4711,"restart_attempts":0,"uptime_ms":60000})");
    CHECK(chosen({StatusField::name}) == R"({"name":"api","status":"healthy"})");
    report.paused = true;
    CHECK(chosen({StatusField::paused}) == R"({"name":"api","status":"healthy","paused":true})");
    const auto read = parse_task_status(chosen({StatusField::paused}));
    REQUIRE(read.ok());
    CHECK(read->paused);
    CHECK_FALSE(read->pid);
}

TEST_CASE("the names of members are those that stand in the object, in its order") {
    const std::string text = status_text(report_of("idle", core::StateName::created));
    std::size_t at = 0;
    for (const std::string_view name : kStatusFieldNames) {
        at = text.find("\"" + std::string(name) + "\":", at);
        CAPTURE(name);
        REQUIRE(at != std::string::npos);
        CHECK(to_string(*parse_status_field(name)) == name);
    }
    CHECK_FALSE(parse_status_field("spec"));
}

TEST_CASE("each cause is written with what belongs to it") {
    CHECK(cause_text({}) == "null");
    CHECK(cause_text({core::cause::ByOperator{{1000, 77}}}).find(R"("kind":"operator")") == 1);
    CHECK(cause_text({core::cause::ByOperator{{1000, 77}}}).find(R"("uid":1000,"pid":77)") !=
          std::string::npos);
    CHECK(cause_text({core::cause::ExitCode{3}}) == R"({"kind":"exit-code","text":"exit code 3","code":3})");
    CHECK(cause_text({core::cause::ExitUnknown{}}).find(R"("kind":"exit-code")") == 1);
    CHECK(cause_text({core::cause::ExitUnknown{}}).find(R"("code":null)") != std::string::npos);
    CHECK(cause_text({core::cause::HeartbeatTimeout{2s}}).find(R"("timeout_ms":2000)") != std::string::npos);
    CHECK(cause_text({core::cause::SpawnFailed{{core::SpawnStage::cwd, 2, ""}}})
              .find(R"("errno":"ENOENT","detail":null)") != std::string::npos);
    auto last = std::make_shared<const core::Cause>(core::Cause{core::cause::ExitCode{3}});
    CHECK(cause_text({core::cause::AttemptsExhausted{5, last}})
              .find(R"("attempts":5,"last":{"kind":"exit-code")") != std::string::npos);
    CHECK(cause_text({core::cause::AttemptsExhausted{5, nullptr}}).find(R"("last":null)") !=
          std::string::npos);
}

TEST_CASE("an older client skips what it does not know, and says what it misses") {
    CHECK(parse_task_status(R"({"name":"a","status":"hibernating","new":{"x":[1]},"pid":5})")->status ==
          "hibernating");
    CHECK(!parse_task_status(R"({"status":"healthy"})").ok());
    CHECK(!parse_task_status(R"({"name":"a","status":7})").ok());
    CHECK(parse_task_statuses(R"({"tasks":[],"more":1})")->empty());
    CHECK(!parse_task_statuses(R"({"task":[]})").ok());
    CHECK(!parse_task_statuses(R"({"tasks":[{]})").ok());
}

TEST_CASE("what is known of output, resources and the last run travels beside the report") {
    core::TaskReport report = report_of("a", core::StateName::failed);
    report.last_exit = core::LastExit{{core::ExitStatus::Kind::code, 3, 0, false},
                                      core::TimePoint{999s},
                                      {},
                                      core::ResourceUse{.user = 1500ms, .system = 20ms, .max_rss = 4096}};
    TaskFacts facts;
    facts.output = OutputFacts{.written = 10, .dropped = 5, .dropped_lines = 2, .fault = "disk full"};
    facts.resources = Resources{.processes = 3, .memory = 1U << 20, .cpu = 70ms};
    facts.last_lines = {"one\ttwo", "bad \xff\x1b[31m"};
    const std::string text =
        written([&](json::Writer& out) { write_task_status(out, report, kClock, facts); });
    const auto read = parse_task_status(text);
    REQUIRE(read.ok());
    REQUIRE(read->output);
    CHECK(read->output->written == 10);
    CHECK(read->output->dropped == 5);
    CHECK(read->output->dropped_lines == 2);
    CHECK(read->output->fault == "disk full");
    REQUIRE(read->resources);
    CHECK(read->resources->processes == 3);
    CHECK(read->resources->memory == 1U << 20);
    CHECK(read->resources->cpu == 70ms);
    REQUIRE(read->last_exit);
    CHECK(read->last_exit->user == 1500ms);
    CHECK(read->last_exit->system == 20ms);
    CHECK(read->last_exit->max_rss == 4096);
    REQUIRE(read->last_exit->lines.size() == 2);
    CHECK(read->last_exit->lines[0] == "one\ttwo");
    // What is no UTF-8 cannot stand in JSON as it is.
    CHECK(read->last_exit->lines[1] == "bad \xef\xbf\xbd\x1b[31m");
}

TEST_CASE("a specification travels as it is") {
    const std::string text = written([&](json::Writer& out) {
        write_task_status(out, report_of("a", core::StateName::healthy), kClock,
                          {.spec = R"({"command":["x"]})"});
    });
    CHECK(parse_task_status(text)->spec == R"({"command":["x"]})");
}

TEST_CASE("a change of state is written as an event and read back") {
    core::effect::Announce change;
    change.name = "api";
    change.from = core::StateName::healthy;
    change.to = core::StateName::failed;
    change.cause = {core::cause::ExitCode{3}};
    change.generation = core::Generation{9};
    change.attempts = 1;
    change.max_attempts = 5;
    change.next_start_in = 1s;
    change.exit = core::ExitStatus{core::ExitStatus::Kind::code, 3, 0, false};
    const auto read =
        parse_task_event(written([&](json::Writer& out) { write_task_event(out, change, 17, kClock.wall); }));
    REQUIRE(read.ok());
    CHECK(read->seq == 17);
    CHECK(read->at == kClock.wall);
    CHECK(read->from == "healthy");
    CHECK(read->to == "failed");
    CHECK(read->generation == 9);
    CHECK(read->cause->text == "exit code 3");
    CHECK(read->next_start_in == 1s);
    CHECK(read->last_exit == change.exit);
    change.to.reset();
    CHECK(parse_task_event(written([&](json::Writer& out) {
              write_task_event(out, change, 18, kClock.wall);
          }))->to.empty());
}

TEST_CASE("the daemon's own status is read back with its counters") {
    DaemonStatus status;
    status.version = "0.1.0";
    status.pid = 1;
    status.started_at = kClock.wall;
    status.uptime = 5s;
    status.config_files = {"/etc/vigil/vigil.json"};
    status.tasks_by_state = {1, 0, 7, 0, 0, 0, 0, 2};
    status.dropped.notify_strangers = 12;
    status.config_fault = "vigil.json:1:2: wrong";
    status.keeper_pid = 17;
    status.cgroup_home = "/sys/fs/cgroup/vigil";
    status.features = {{"exit-info", "found"}, {"pidfd-inode", "disabled"}};
    status.load = {.turns = {.count = 7, .p50 = 40us, .p99 = 900us, .max = 2ms},
                   .recent_turns = {.count = 3, .p50 = 41us, .p99 = 901us, .max = 1ms},
                   .turns_cpu = {.count = 7, .p50 = 39us, .p99 = 899us, .max = 999us},
                   .timer_lateness = {.count = 2, .p50 = 42us, .p99 = 902us, .max = 3ms},
                   .queues = {.spawns_waiting = 1,
                              .spawns_under_way = 2,
                              .runs_ending = 3,
                              .tasks_muted = 4,
                              .orders_waiting = 5,
                              .unread_bytes = 6}};
    const auto text = written([&](json::Writer& out) { write_daemon_status(out, status); });
    CHECK(text.find(R"("tasks":{"total":10,"created":1)") != std::string::npos);
    const auto read = parse_daemon_status(text);
    REQUIRE(read.ok());
    CHECK(read->tasks_by_state == status.tasks_by_state);
    CHECK(read->dropped.notify_strangers == 12);
    CHECK(read->config_fault == status.config_fault);
    CHECK(read->keeper_pid == status.keeper_pid);
    CHECK(read->cgroup_home == status.cgroup_home);
    CHECK(read->features == status.features);
    CHECK(read->load == status.load);
    CHECK(read->started_at == status.started_at);
    CHECK(parse_hello(written([](json::Writer& out) { write_hello(out, {.version = "9"}); }))->version ==
          "9");
}

TEST_CASE("what is wanted of a task has a word each") {
    for (const auto& [desired, word] :
         {std::pair{core::Desired::up, "up"}, std::pair{core::Desired::stopped, "stopped"},
          std::pair{core::Desired::dead, "dead"}, std::pair{core::Desired::removed, "removed"}}) {
        core::TaskReport report = report_of("a", core::StateName::stopping);
        report.desired = desired;
        CHECK(parse_task_status(status_text(report))->desired == word);
    }
}

TEST_CASE("causes that have nothing beside their words are written with those") {
    CHECK(cause_text({core::cause::ExitSignal{9, false}}).find(R"("signal":"KILL","core":false)") !=
          std::string::npos);
    CHECK(cause_text({core::cause::ReadyTimeout{3s}}).find(R"("timeout_ms":3000)") != std::string::npos);
    CHECK(cause_text({core::cause::Dependency{"db"}}).find(R"("task":"db")") != std::string::npos);
    for (const core::Cause& cause :
         {core::Cause{core::cause::ConfigReload{}}, core::Cause{core::cause::Shutdown{}},
          core::Cause{core::cause::Adopted{}}, core::Cause{core::cause::OutOfMemory{}}})
        CHECK(cause_text(cause) == R"({"kind":")" + std::string(core::cause_name(cause)) + R"(","text":")" +
                                       core::explain(cause) + "\"}");
}

TEST_CASE("an event of a task that was just added has no state before, and one of a run has its pid") {
    core::effect::Announce change;
    change.name = "api";
    change.to = core::StateName::starting;
    change.pid = 4711;
    const std::string text =
        written([&](json::Writer& out) { write_task_event(out, change, 1, kClock.wall); });
    CHECK(text.find(R"("from":null,"to":"starting","cause":null,"pid":4711)") != std::string::npos);
    CHECK(text.find(R"("last_exit":null)") != std::string::npos);
    CHECK(parse_task_event(text)->from.empty());
}

TEST_CASE("a list of statuses with one that has no name or no state is refused, and says which") {
    CHECK(!parse_task_statuses(R"({"tasks":[{"name":"a","status":"healthy"},{"status":"healthy"}]})").ok());
    const auto nameless = parse_task_statuses(R"({"tasks":[{"name":"a"}]})");
    REQUIRE(!nameless.ok());
    CHECK(nameless.error().find("\"status\" of a is missing") != std::string::npos);
}

TEST_CASE("counters that a newer daemon has are skipped, and ours have a name each") {
    const auto read = parse_daemon_status(
        R"({"version":"9","pid":1,"dropped":{"notify_strangers":3,"of_the_future":4},"tasks":{"total":0}})");
    REQUIRE(read.ok());
    CHECK(read->dropped.notify_strangers == 3);
    for (const DropCounterName& counter : drop_counters()) {
        DaemonStatus status;
        status.tasks_by_state.assign(8, 0);
        status.dropped.*counter.member = 5;
        const auto text = written([&](json::Writer& out) { write_daemon_status(out, status); });
        CHECK(text.find("\"" + std::string(counter.name) + "\":5") != std::string::npos);
        CHECK(parse_daemon_status(text)->dropped.*counter.member == 5);
    }
}
