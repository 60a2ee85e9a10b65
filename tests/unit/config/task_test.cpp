// One task: what its object becomes.
#include <sys/resource.h>

#include "support.hpp"

using namespace vigil;
using namespace vigil::config;
using namespace std::chrono_literals;

TEST_CASE("a task with nothing but a command gets the defaults") {
    const core::TaskSpec spec = task();
    CHECK(spec.name == "t");
    CHECK(spec.command == std::vector<std::string>{"x"});
    CHECK(spec.autostart);
    CHECK_FALSE(spec.heartbeat);
    CHECK(spec.ready.on == core::ReadyOn::exec);
    CHECK_FALSE(spec.ready.timeout);
    CHECK(spec.restart->max_attempts == 5U);
    CHECK(spec.launch->output.to == core::OutputTo::file);
    CHECK(spec.launch->output.path.empty());
    CHECK(spec.launch->output.max_size == 64U << 20);
    CHECK(spec.launch->output.keep == 5);
    CHECK(spec.stop->further.empty());
}

TEST_CASE("every key reaches its place in the spec") {
    const core::TaskSpec spec = task(R"("autostart": false, "cwd": "/srv", "umask": "027", "env": {"A": "1"},
        "env_file": "/etc/e", "inherit_env": ["TZ"], "user": "u", "group": "g", "supplementary_groups": ["a"],
        "nice": -5, "oom_score_adj": 100, "no_new_privs": true,
        "heartbeat": {"timeout": "4s", "interval": "1s", "initial_delay": "9s", "signal": "QUIT", "access": "main",
                      "fd": true},
        "ready": {"on": "notify", "timeout": "7s"},
        "restart": {"policy": "always", "base_delay": "2s", "max_backoff_exponent": 3, "max_delay": "9s",
                    "max_attempts": 7, "stable_after": "1m", "jitter": 0.5, "when_exhausted": "keep-trying",
                    "success_exit_codes": [3, 0, 3]},
        "stop": {"signal": "SIGINT", "timeout": "1s", "to": "main", "command": ["/bin/ask", "it"]},
        "output": {"to": "file", "path": "/var/log/t", "streams": "apart", "format": "json", "max_size": "1MiB",
                   "max_age": "1d", "keep": 3, "max_total": "10MiB", "compress": true})");
    CHECK_FALSE(spec.autostart);
    CHECK(spec.launch->cwd == "/srv");
    CHECK(spec.launch->umask == 027);
    CHECK(spec.launch->env == std::vector<std::pair<std::string, std::string>>{{"A", "1"}});
    CHECK(spec.launch->env_file == "/etc/e");
    CHECK(spec.launch->inherit_env == std::vector<std::string>{"TZ"});
    CHECK(spec.launch->user == "u");
    CHECK(spec.launch->group == "g");
    CHECK(spec.launch->supplementary_groups == std::vector<std::string>{"a"});
    CHECK(spec.launch->nice == -5);
    CHECK(spec.launch->oom_score_adj == 100);
    CHECK(spec.launch->no_new_privs);
    const core::OutputRule& output = spec.launch->output;
    CHECK(output.to == core::OutputTo::file);
    CHECK(output.path == "/var/log/t");
    CHECK(output.apart);
    CHECK(output.format == core::OutputFormat::json);
    CHECK(output.max_size == 1U << 20);
    CHECK(output.max_age == 24h);
    CHECK(output.keep == 3);
    CHECK(output.max_total == 10U << 20);
    CHECK(output.compress);
    CHECK(spec.stop->command == std::vector<std::string>{"/bin/ask", "it"});
    REQUIRE(spec.heartbeat);
    CHECK(spec.heartbeat->timeout == 4s);
    CHECK(spec.heartbeat->interval == 1s);
    CHECK(spec.heartbeat->initial_delay == 9s);
    CHECK(spec.heartbeat->signal == 3);
    CHECK(spec.heartbeat->access == core::HeartbeatAccess::main);
    CHECK(spec.heartbeat->pipe);
    CHECK(spec.ready.on == core::ReadyOn::notify);
    CHECK(spec.ready.timeout == 7s);
    CHECK(spec.restart->policy == core::RestartPolicy::always);
    CHECK(spec.restart->base_delay == 2s);
    CHECK(spec.restart->max_backoff_exponent == 3);
    CHECK(spec.restart->max_delay == 9s);
    CHECK(spec.restart->max_attempts == 7U);
    CHECK(spec.restart->stable_after == 1min);
    CHECK(spec.restart->jitter == 0.5);
    CHECK(spec.restart->when_exhausted == core::WhenExhausted::keep_trying);
    CHECK(spec.restart->success_exit_codes == std::vector<int>{0, 3});
    CHECK(spec.stop->signal == 2);
    CHECK(spec.stop->timeout == 1s);
    CHECK(spec.stop->to == core::StopTarget::main);
}

TEST_CASE("an empty heartbeat arms the rule with its defaults") {
    const core::TaskSpec spec = task(R"("heartbeat": {})");
    REQUIRE(spec.heartbeat);
    CHECK(spec.heartbeat->timeout == 2s);
    CHECK(spec.heartbeat->interval == 666ms);
    CHECK(spec.ready.on == core::ReadyOn::heartbeat);
    CHECK(spec.ready.timeout == 3s);
}

TEST_CASE("what is not written follows from what is") {
    CHECK(task(R"("heartbeat": {"timeout": "9s"})").heartbeat->interval == 3s);
    CHECK(task(R"("heartbeat": {"timeout": "1ns"})").heartbeat->interval == 1ns);
    CHECK(task(R"("heartbeat": {"initial_delay": "8s"})").ready.timeout == 8s);
    CHECK(task(R"("heartbeat": {}, "ready": {"timeout": "5s"})").ready.timeout == 5s);
    CHECK(task(R"("ready": {"on": "notify"})").ready.timeout == 60s);
    CHECK_FALSE(task(R"("heartbeat": {}, "ready": {"on": "exec"})").ready.timeout);
    CHECK_FALSE(task(R"("restart": {"max_attempts": null})").restart->max_attempts);
    CHECK(task(R"("restart": {"max_attempts": 0, "base_delay": "0s"})").restart->max_attempts == 0U);
}

TEST_CASE("keys that contradict each other are an error") {
    CHECK(member_problems(R"("ready": {"on": "heartbeat"})") ==
          "1:36: ready.on: is \"heartbeat\", but this task has none; add \"heartbeat\": {}\n");
    CHECK(mentions(member_problems(R"("ready": {"timeout": "5s"})"), "ready.timeout: has no meaning"));
    CHECK(mentions(member_problems(R"("heartbeat": {"timeout": "1s", "interval": "2s"})"),
                   "longer than heartbeat.timeout (1s)"));
    CHECK(mentions(member_problems(R"("restart": {"base_delay": "10m"})"), "restart.max_delay (5m)"));
    CHECK(mentions(member_problems(R"("restart": {"max_delay": "0s"})"), "1:45: restart.max_delay"));
}

TEST_CASE("a task without a command is an error") {
    CHECK(task_problems("{}") == "1:1: command: is missing; write [\"program\", \"argument\"]\n");
    CHECK(mentions(task_problems(R"({"command": "sleep 1"})"), "[\"/bin/sh\", \"-c\", \"...\"]"));
}

TEST_CASE("nasty 63: the backoff that may be configured can be computed") {
    CHECK(task(R"("restart": {"max_backoff_exponent": 62})").restart->max_backoff_exponent == 62);
    CHECK(member_problems(R"("restart": {"max_backoff_exponent": 63})") ==
          "1:56: restart.max_backoff_exponent: 63 is out of range; write an integer from 0 to 62\n");
}

TEST_CASE("nasty 57: 4294967297 attempts are not 1") {
    CHECK(task(R"("restart": {"max_attempts": 4294967295})").restart->max_attempts == 4294967295U);
    CHECK(mentions(member_problems(R"("restart": {"max_attempts": 4294967297})"), "out of range"));
}

TEST_CASE("defaults merge deeply: objects key by key, anything else is replaced") {
    const std::string defaults = R"({"restart": {"max_attempts": 10, "policy": "always"}, "umask": "077",
        "env": {"A": "1", "B": "2"}, "inherit_env": ["X", "Y"], "heartbeat": {"timeout": "6s"}})";
    const core::TaskSpec spec = task(R"("restart": {"policy": "never"}, "env": {"C": "3", "B": "9"},
        "inherit_env": ["Z"], "heartbeat": {"signal": "TERM"})",
                                     defaults);
    CHECK(spec.restart->max_attempts == 10U);
    CHECK(spec.restart->policy == core::RestartPolicy::never);
    CHECK(spec.launch->umask == 077);
    CHECK(spec.launch->env ==
          std::vector<std::pair<std::string, std::string>>{{"A", "1"}, {"C", "3"}, {"B", "9"}});
    CHECK(spec.launch->inherit_env == std::vector<std::string>{"Z"});
    CHECK(spec.heartbeat->timeout == 6s);
    CHECK(spec.heartbeat->signal == 15);
}

TEST_CASE("null takes a default back") {
    const std::string defaults = R"({"heartbeat": {"timeout": "6s"}, "user": "u", "env": {"A": "1"}})";
    const core::TaskSpec spec = task(R"("heartbeat": null, "user": null, "env": {"A": null})", defaults);
    CHECK_FALSE(spec.heartbeat);
    CHECK(spec.ready.on == core::ReadyOn::exec);
    CHECK(spec.launch->user.empty());
    CHECK(spec.launch->env.empty());
    CHECK(task("", R"({"heartbeat": {}})").heartbeat);
    CHECK_FALSE(task("", R"({"heartbeat": null})").heartbeat);
}

TEST_CASE("a default that one task cannot use is reported at that task") {
    CHECK(problems_of("{\"defaults\": {\"ready\": {\"on\": \"heartbeat\"}},\n\"tasks\": {\n"
                      "\"a\": {\"command\": [\"x\"], \"heartbeat\": {}},\n\"b\": {\"command\": [\"x\"]}}}") ==
          "4:1: tasks.b.ready.on: is \"heartbeat\", but this task has none; add \"heartbeat\": {}\n");
}

TEST_CASE("resource limits are read by name, one value or two, with units where bytes are counted") {
    const core::TaskSpec spec = task(R"("rlimits": {"nofile": 1024, "core": "unlimited", "as": "64MiB",
        "stack": {"soft": "8MiB", "hard": "unlimited"}})");
    REQUIRE(spec.launch->rlimits.size() == 4);
    CHECK(spec.launch->rlimits[0].resource == RLIMIT_NOFILE);
    CHECK(spec.launch->rlimits[0].soft == 1024U);
    CHECK(spec.launch->rlimits[0].hard == 1024U);
    CHECK_FALSE(spec.launch->rlimits[1].soft);
    CHECK(spec.launch->rlimits[2].hard == 64U << 20U);
    CHECK(spec.launch->rlimits[3].soft == 8U << 20U);
    CHECK_FALSE(spec.launch->rlimits[3].hard);
}

TEST_CASE("a resource limit needs both sides, in order, after the defaults are merged in") {
    CHECK(mentions(member_problems(R"("rlimits": {"nofile": {"soft": 5}})"),
                   "rlimits.nofile: has no \"hard\""));
    CHECK(mentions(member_problems(R"("rlimits": {"nofile": {"hard": 5}})"), "has no \"soft\""));
    CHECK(mentions(member_problems(R"("rlimits": {"nofile": {"soft": 6, "hard": 5}})"),
                   "above the hard limit"));
    CHECK(mentions(member_problems(R"("rlimits": {"nofile": {"soft": "unlimited", "hard": 5}})"),
                   "above the hard"));
    const core::TaskSpec spec = task(R"("rlimits": {"nofile": {"soft": 5}})",
                                     R"({"rlimits": {"nofile": {"soft": 1, "hard": 9}, "nproc": 7}})");
    CHECK(spec.launch->rlimits[0].soft == 5U);
    CHECK(spec.launch->rlimits[0].hard == 9U);
    CHECK(spec.launch->rlimits[1].resource == RLIMIT_NPROC);
}

TEST_CASE("nasty 62: names that could do harm as a path, an argument or a line are refused") {
    using namespace std::string_literals;
    for (const std::string& name :
         {""s, "."s, ".."s, "a/b"s, "-x"s, "_x"s, ".x"s, "@x"s, std::string(65, 'a'), "\xC3\xA4"s, "a\n"s,
          "a\nb"s, "a\0"s, "a b"s, "a*"s}) {
        CAPTURE(name);
        CHECK_FALSE(task_name_fault(name).empty());
        CHECK_FALSE(parse_task(tree(R"({"command": ["x"]})"), name, {}, "request").ok());
    }
    for (const std::string& name : {"a"s, "0"s, "api.v2@host_1-x"s, std::string(64, 'a'), "x-ray"s}) {
        CAPTURE(name);
        CHECK(task_name_fault(name).empty());
    }
}

TEST_CASE("nasty 62: bad names are refused in a file too") {
    CHECK(problems_of("{\"tasks\": {\"a/b\": {\"command\": [\"x\"]}}}") ==
          "1:12: tasks: \"a/b\" cannot name a task; write letters, digits, '_', '.', '@' and '-', beginning "
          "with a letter "
          "or digit\n");
    CHECK(mentions(problems_of("{\"tasks\": {\"a\\u0000\": {\"command\": [\"x\"]}}}"), "cannot name a task"));
}

TEST_CASE("a task that is added at run time gets the defaults of the file") {
    const Config config = loaded(R"({"defaults": {"restart": {"max_attempts": 3}}})");
    const auto spec = parse_task(tree(R"({"command": ["x"]})"), "new", config.defaults, "request");
    REQUIRE(spec.ok());
    CHECK((*spec)->restart->max_attempts == 3U);
    CHECK((*spec)->name == "new");
}

TEST_CASE("problems of an added task carry the label instead of a file") {
    const auto spec = parse_task(tree(R"({"command": ["x"], "nice": 50})"), "t", {}, "request");
    REQUIRE_FALSE(spec.ok());
    CHECK(text(spec.error()) == "request:1:28: nice: 50 is out of range; write an integer from -20 to 19\n");
    CHECK(mentions(briefly(parse_task(tree("[1]"), "t", {}, "request").error()),
                   "expected an object, found an array"));
}

TEST_CASE("nasty 57: a bare number gets the spelling that was meant") {
    CHECK(member_problems(R"("stop": {"timeout": 20})") ==
          "1:40: stop.timeout: 20 has no unit; write \"20s\" for seconds or \"20ms\" for milliseconds\n");
    CHECK(mentions(member_problems(R"("nice": "10")"),
                   "expected an integer from -20 to 19, found the string \"10\""));
}

TEST_CASE("tasks that are alike but for name and command hold the rest once, whenever they were made") {
    const std::string rest =
        R"("cwd": "/srv/alike", "restart": {"max_attempts": 41}, "stop": {"timeout": "41s"})";
    const core::TaskSpec first = task(rest);
    core::TaskSpec second = task(rest + R"(, "autostart": false)");
    const core::TaskSpec other = task(R"("cwd": "/srv/other")");
    CHECK(second.launch.is_one_with(first.launch));
    CHECK(second.restart.is_one_with(first.restart));
    CHECK(second.stop.is_one_with(first.stop));
    CHECK_FALSE(other.launch.is_one_with(first.launch));
    CHECK_FALSE(other.restart.is_one_with(first.restart));
    second.stop.edit().timeout = 1s;
    CHECK(first.stop->timeout == 41s);
}

TEST_CASE("a size is more than nothing and no more than a file can hold") {
    CHECK(mentions(member_problems(R"("output": {"max_size": "0B"})"), "must be more than nothing"));
    CHECK(mentions(member_problems(R"("output": {"max_size": "8388608TiB"})"), "is too large"));
    CHECK(task(R"("output": {"max_size": "8388607TiB"})").launch->output.max_size == 8388607ULL << 40);
}
