// From what runs to what a file says: what is added, removed, changed, and what each change needs.
#include "config/reload_plan.hpp"

#include "support.hpp"

using namespace vigil;
using namespace vigil::config;

namespace {

std::vector<PresentTask> present(const Config& config) {
    std::vector<PresentTask> tasks;
    for (const core::SpecPtr& spec : config.tasks) tasks.push_back({spec, false});
    return tasks;
}

ReloadPlan plan(const std::string& before, const std::string& after) {
    const Config old = loaded(before);
    return plan_reload(present(old), old.daemon, loaded(after));
}

}  // namespace

TEST_CASE("an equal file changes nothing, however it is written") {
    const ReloadPlan found = plan(
        R"({"defaults": {"umask": "077"}, "tasks": {"a": {"command": ["x"]}, "b": {"command": ["y"]}}})",
        R"({"tasks": {"b": {"command": ["y"], "umask": "0077"}, "a": {"command": ["x"], "umask": "077"}}})");
    CHECK(found.empty());
    CHECK(found.unchanged == 2);
}

TEST_CASE(
    "nasty 59: tasks are told apart as added, removed and changed, and a change as live or by a restart") {
    const ReloadPlan found = plan(
        R"({"tasks": {"gone": {"command": ["x"]}, "same": {"command": ["x"]}, "live": {"command": ["x"]},
            "both": {"command": ["x"]}}})",
        R"({"tasks": {"new": {"command": ["x"]}, "same": {"command": ["x"]},
            "live": {"command": ["x"], "restart": {"base_delay": "2s"}},
            "both": {"command": ["z"], "stop": {"timeout": "1s"}}}})");
    REQUIRE(found.added.size() == 1);
    CHECK(found.added[0]->name == "new");
    CHECK(found.removed == std::vector<std::string>{"gone"});
    CHECK(found.unchanged == 1);
    REQUIRE(found.changed.size() == 2);
    CHECK(found.changed[0].after->name == "live");
    CHECK_FALSE(found.changed[0].restart);
    REQUIRE(found.changed[0].fields.size() == 1);
    CHECK(found.changed[0].fields[0].key == "restart.base_delay");
    CHECK(found.changed[0].fields[0].before == "\"1s\"");
    CHECK(found.changed[1].restart);
    CHECK(found.changed[1].fields.size() == 2);
}

TEST_CASE("a changed default is a change of every task that it reaches, and of no other") {
    const ReloadPlan found = plan(
        R"({"tasks": {"a": {"command": ["x"]}, "b": {"command": ["x"], "nice": 3}}})",
        R"({"defaults": {"nice": 5}, "tasks": {"a": {"command": ["x"]}, "b": {"command": ["x"], "nice": 3}}})");
    REQUIRE(found.changed.size() == 1);
    CHECK(found.changed[0].after->name == "a");
}

TEST_CASE("a changed value of the environment is a difference, in clear for the plan and masked for others") {
    const ReloadPlan found = plan(R"({"tasks": {"a": {"command": ["x"], "env": {"T": "one"}}}})",
                                  R"({"tasks": {"a": {"command": ["x"], "env": {"T": "two"}}}})");
    REQUIRE(found.changed.size() == 1);
    CHECK(mentions(found.changed[0].fields[0].after, "two"));
    const auto masked = differences(*found.changed[0].before, *found.changed[0].after, EnvValues::masked);
    REQUIRE(masked.size() == 1);
    CHECK_FALSE(mentions(masked[0].after, "two"));
}

TEST_CASE("settings of the daemon are compared too, and only the live ones hold after a reload") {
    const ReloadPlan found = plan(R"({"daemon": {"log_dir": "/a"}})",
                                  R"({"daemon": {"log_dir": "/b", "log": {"level": "debug"}}})");
    REQUIRE(found.daemon.size() == 2);
    CHECK(found.daemon[0].change == Change::daemon_restart);
    CHECK(found.daemon[1].change == Change::live);
    const DaemonSettings before = loaded(R"({"daemon": {"log_dir": "/a"}})").daemon;
    const DaemonSettings wanted = loaded(R"({"daemon": {"log_dir": "/b", "cgroup": "off", "max_starting": 3,
        "control": {"mode": "0600"}, "max_dead_fraction": 0.5, "log": {"level": "debug"}}})")
                                      .daemon;
    const DaemonSettings after = settings_after(before, wanted);
    for (const Difference& left : differences(after, wanted)) CHECK(left.change == Change::daemon_restart);
    for (const Difference& moved : differences(before, after)) CHECK(moved.change == Change::live);
    CHECK(differences(before, after).size() == 3);
}

TEST_CASE("a task that was added at run time is left alone until a file names it") {
    const Config old = loaded(R"({"tasks": {"a": {"command": ["x"]}}})");
    std::vector<PresentTask> tasks = present(old);
    tasks[0].at_run_time = true;
    CHECK(plan_reload(tasks, old.daemon, loaded("{}")).empty());
    const ReloadPlan named = plan_reload(tasks, old.daemon, old);
    REQUIRE(named.changed.size() == 1);
    CHECK(named.changed[0].at_run_time);
    CHECK(named.changed[0].fields.empty());
    CHECK_FALSE(named.changed[0].restart);
}

TEST_CASE("a file cannot take the log of a task that was added at run time") {
    std::vector<PresentTask> tasks =
        present(loaded(R"({"tasks": {"a": {"command": ["x"], "output": {"path": "/l/b.log"}}}})"));
    const Config wanted = loaded(R"({"tasks": {"b": {"command": ["x"]}}})");
    CHECK(conflicts(tasks, wanted, "/l").empty());
    tasks[0].at_run_time = true;
    const auto problems = conflicts(tasks, wanted, "/l");
    REQUIRE(problems.size() == 1);
    CHECK(mentions(problems[0], "task a"));
    CHECK(conflicts(tasks, wanted, "/elsewhere").empty());
}

TEST_CASE("tasks that were added at run time count against the most that there may be") {
    const Config one = loaded(R"({"tasks": {"a": {"command": ["x"]}}})");
    auto tasks = present(loaded(R"({"tasks": {"b": {"command": ["y"]}}})"));
    tasks[0].at_run_time = true;
    Config wanted;
    wanted.tasks.assign(kMaxTasks, one.tasks[0]);
    const auto problems = conflicts(tasks, wanted, "/l");
    REQUIRE(problems.size() == 1);
    CHECK(mentions(problems[0], "with the 1 tasks that were added at run time"));
    wanted.tasks.pop_back();
    CHECK(conflicts(tasks, wanted, "/l").empty());
}

TEST_CASE("one document of a whole configuration reads back to equal specs and settings") {
    const Config first =
        loaded(R"({"daemon": {"runtime_dir": "/r", "control": {"group": "ops"}, "max_starting": 4,
        "log": {"level": "warn"}, "max_dead_fraction": 0.25, "cgroup": "off"},
        "defaults": {"env": {"A": "1", "B": "2"}, "stop": {"signals": [{"signal": "INT", "wait": "1s"}]}},
        "tasks": {"a": {"command": ["x", "\u00e9\"'"], "env": {"A": null, "C": "${B}"}, "heartbeat": {}},
                  "b": {"command": ["y"], "stop": {"signals": null}, "rlimits": {"nofile": 5},
                        "restart": {"max_attempts": null}}}})");
    const std::string document = describe(first.daemon, first.tasks, first.defaults, first.files);
    const Config again = loaded(document);
    CHECK(plan_reload(present(first), first.daemon, again).empty());
    CHECK(again.tasks.size() == 2);
    CHECK(again.daemon == first.daemon);
    CHECK(describe(again.daemon, again.tasks, first.defaults, first.files) == document);
}
