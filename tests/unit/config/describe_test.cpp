#include "config/describe.hpp"

#include "support.hpp"

using namespace vigil;
using namespace vigil::config;

namespace {

const char* const kFull =
    R"("autostart": false, "cwd": "/srv", "umask": "027", "env": {"A": "secret", "B": "${A}"},
    "env_file": "/etc/e", "inherit_env": ["TZ"], "user": "u", "group": "g", "supplementary_groups": [], "nice": -5,
    "rlimits": {"nofile": 5, "core": {"soft": 0, "hard": "unlimited"}}, "oom_score_adj": 100, "no_new_privs": true,
    "heartbeat": {"timeout": "4s", "interval": "1s", "initial_delay": "9s", "signal": "RTMIN+2", "fd": true},
    "ready": {"on": "notify", "timeout": "1m30s"},
    "restart": {"policy": "always", "max_attempts": null, "jitter": 0, "success_exit_codes": [0, 3]},
    "stop": {"signal": "INT", "timeout": "0s", "to": "main"}, "output": {"to": "null"})";

std::string again(const std::string& described) {
    const auto spec = parse_task(tree(described), "t", {}, "again");
    REQUIRE_MESSAGE(spec.ok(), text(spec.ok() ? std::vector<Problem>{} : spec.error()));
    return describe(**spec, EnvValues::shown);
}

}  // namespace

TEST_CASE("what describe writes reads back to the same spec") {
    for (const std::string& members : {std::string(), std::string(kFull), std::string(R"("heartbeat": {})"),
                                       std::string(R"("ready": {"on": "notify"})")}) {
        const std::string described = describe(task(members), EnvValues::shown);
        CHECK(again(described) == described);
    }
}

TEST_CASE("a stop of several steps is written with each signal and its time, and reads back") {
    const std::string members =
        R"("stop": {"signals": [{"signal": "INT", "wait": "1s"}, {"signal": "TERM", "wait": "2s"}], "command": ["end", "it"]})";
    const std::string described = describe(task(members), EnvValues::shown);
    const json::Value shown = tree(described);
    const json::Array& steps = *shown.find("stop")->find("signals")->as_array();
    REQUIRE(steps.size() == 2);
    CHECK(*steps[0].find("signal")->as_string() == "INT");
    CHECK(*steps[1].find("signal")->as_string() == "TERM");
    CHECK(*steps[1].find("wait")->as_string() == "2s");
    CHECK(shown.find("stop")->find("command")->as_array()->size() == 2);
    CHECK(again(described) == described);
}

TEST_CASE("every effective value is shown, defaults too") {
    const json::Value shown = tree(describe(task(), EnvValues::shown));
    CHECK(*shown.find("restart")->find("base_delay")->as_string() == "1s");
    CHECK(shown.find("restart")->find("max_attempts")->as_int64() == 5);
    CHECK(shown.find("heartbeat")->is_null());
    CHECK(*shown.find("umask")->as_string() == "0022");
    CHECK(*shown.find("ready")->find("on")->as_string() == "exec");
    CHECK(*tree(describe(task(R"("heartbeat": {})"))).find("heartbeat")->find("timeout")->as_string() ==
          "2s");
}

TEST_CASE("environment values are masked unless they are asked for") {
    const std::string masked = describe(task(kFull));
    CHECK_FALSE(mentions(masked, "secret"));
    CHECK(*tree(masked).find("env")->find("A")->as_string() == "***");
    CHECK(mentions(describe(task(kFull), EnvValues::shown), "secret"));
}

TEST_CASE("equal specs have no differences, and each changed key is one with its effect") {
    CHECK(differences(task(kFull), task(kFull)).empty());
    const auto found = differences(task(), task(R"("umask": "077", "stop": {"timeout": "5s"})"));
    REQUIRE(found.size() == 2);
    CHECK(found[0].key == "umask");
    CHECK(found[0].change == Change::task_restart);
    CHECK(found[0].before == "\"0022\"");
    CHECK(found[0].after == "\"0077\"");
    CHECK(found[1].key == "stop.timeout");
    CHECK(found[1].change == Change::live);
}

TEST_CASE("a changed secret is a difference that does not show it") {
    const auto found = differences(task(R"("env": {"A": "old"})"), task(R"("env": {"A": "new"})"));
    REQUIRE(found.size() == 1);
    CHECK(found[0].key == "env");
    CHECK(found[0].before == found[0].after);
    CHECK_FALSE(mentions(found[0].after, "new"));
}

TEST_CASE("differences of the daemon's settings say which of them wait for its next start") {
    DaemonSettings before;
    DaemonSettings after;
    after.runtime_dir = "/r";
    after.log_level = LogLevel::debug;
    const auto found = differences(before, after);
    REQUIRE(found.size() == 2);
    CHECK(found[0].key == "daemon.runtime_dir");
    CHECK(found[0].change == Change::daemon_restart);
    CHECK(found[1].key == "daemon.log.level");
    CHECK(found[1].change == Change::live);
    CHECK(differences(after, after).empty());
}
