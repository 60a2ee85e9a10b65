#include "ctl/command_line.hpp"

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using namespace vigil::ctl;
using Line = std::vector<std::string>;

namespace {

Invocation invocation(const Line& words) {
    auto parsed = parse_command_line(words);
    if (const auto* answer = std::get_if<Answer>(&parsed)) FAIL(answer->text);
    return std::get<Invocation>(std::move(parsed));
}

Answer answer(const Line& words) {
    auto parsed = parse_command_line(words);
    REQUIRE(std::holds_alternative<Answer>(parsed));
    return std::get<Answer>(std::move(parsed));
}

bool refuses(const Line& words, const char* saying) {
    const Answer refused = answer(words);
    INFO(refused.text);
    return refused.exit_code == 2 && refused.text.find(saying) != std::string::npos;
}

}  // namespace

TEST_CASE("alone, or with options only, it means status") {
    CHECK(invocation({}).verb->name == "status");
    CHECK(invocation({"--json"}).options.json);
    CHECK(invocation({"-s", "/x"}).options.socket == "/x");
    CHECK(invocation({"--watch"}).options.watch);
}

TEST_CASE("common options stand before or after the verb") {
    for (const Line& words :
         {Line{"-s", "/x", "--json", "status", "a"}, Line{"status", "a", "--json", "--socket=/x"}}) {
        const Invocation found = invocation(words);
        CHECK(found.verb->name == "status");
        CHECK(found.options.socket == "/x");
        CHECK(found.options.json);
        CHECK(found.options.names == Line{"a"});
    }
}

TEST_CASE("time limits are durations; a bare number is seconds") {
    CHECK(invocation({"stop", "a", "--timeout", "1m30s"}).options.timeout == vigil::core::Duration(90s));
    CHECK(invocation({"stop", "a", "--timeout", "5"}).options.timeout == vigil::core::Duration(5s));
    CHECK(!invocation({"stop", "a"}).options.timeout);
    CHECK(refuses({"stop", "a", "--timeout", "soon"}, "--timeout"));
    CHECK(refuses({"stop", "a", "--timeout", "-1s"}, ""));
}

TEST_CASE("a misspelt verb or option is answered with the nearest one") {
    CHECK(refuses({"statsu"}, "did you mean \"status\"?"));
    CHECK(refuses({"stop", "a", "--no-wiat"}, "did you mean \"--no-wait\"?"));
    CHECK(refuses({"xyzzy"}, "see vigilctl --help"));
    CHECK(refuses({"stop"}, "PATTERN"));
    CHECK(refuses({"stop", ""}, "empty"));
}

TEST_CASE("diff and reload take no names, reload may be asked not to ask, add and remove to persist") {
    CHECK(invocation({"reload", "-y", "--no-wait", "--timeout", "5"}).options.yes);
    CHECK(invocation({"reload", "--dry-run"}).options.dry_run);
    CHECK(invocation({"diff", "--json"}).options.json);
    CHECK(refuses({"diff", "--dry-run"}, "--dry-run"));
    CHECK(refuses({"reload", "a"}, "vigilctl reload --help"));
    CHECK(invocation({"remove", "a", "--persist"}).options.persist);
    CHECK(invocation({"add", "a", "--persist", "--", "x"}).options.persist);
    CHECK(refuses({"stop", "a", "--persist"}, "--persist"));
}

TEST_CASE("upgrade takes the path of a program, or none") {
    CHECK(invocation({"upgrade"}).options.file.empty());
    CHECK(invocation({"upgrade", "/opt/vigild"}).options.file == "/opt/vigild");
    CHECK(refuses({"upgrade", "/a", "/b"}, "vigilctl upgrade --help"));
    CHECK(refuses({"upgrade", "--no-wait"}, "--no-wait"));
}

TEST_CASE("signal takes the signal first, wait knows four outcomes") {
    const Invocation signal = invocation({"signal", "SIGHUP", "a", "b"});
    CHECK(signal.options.signal == 1);
    CHECK(signal.options.names == Line{"a", "b"});
    CHECK(refuses({"signal", "NOPE", "a"}, "is no signal"));
    using For = vigil::protocol::params::TaskWait::For;
    CHECK(invocation({"wait", "a"}).options.wait_for == For::healthy);
    CHECK(invocation({"wait", "a", "--for=exit"}).options.wait_for == For::exit);
    CHECK(refuses({"wait", "a", "--for=dead"}, "healthy, stopped, completed"));
}

TEST_CASE("logs: the last ten lines, another number, all, or those since a time") {
    CHECK(invocation({"logs"}).options.lines == std::size_t{10});
    CHECK(!invocation({"logs"}).options.follow);
    CHECK(invocation({"logs", "-n", "3", "api", "-f"}).options.lines == std::size_t{3});
    CHECK(invocation({"logs", "-n", "3", "api", "-f"}).options.follow);
    CHECK(invocation({"logs", "-f", "api"}).options.names == Line{"api"});
    CHECK(invocation({"logs", "--lines=0"}).options.lines == std::size_t{0});
    CHECK(!invocation({"logs", "--lines", "all"}).options.lines);
    CHECK(invocation({"logs", "--since", "10m"}).options.since.has_value());
    CHECK(invocation({"logs", "--stream", "err"}).options.stream == "err");
    for (const char* number : {"-1", "ten", "1e3", "1000001", "99999999999999999999", ""})
        CHECK_MESSAGE(answer({"logs", std::string("--lines=") + number}).exit_code == 2, number);
    CHECK(refuses({"logs", "--stream", "stderr"}, "neither out nor err"));
    CHECK(refuses({"logs", "--since", "yesterday"}, "--since"));
    CHECK(refuses({"logs", "--since", "1h", "-n", "5"}, "xclude"));
    CHECK(refuses({"status", "-f"}, ""));
}

TEST_CASE("what follows -- is the command of add, whatever it looks like") {
    const Invocation add = invocation(
        {"add", "web", "--user", "shop", "--env", "A=1", "--env", "B=2", "--", "stop", "--json", "--", "x"});
    CHECK(add.options.names == Line{"web"});
    CHECK(add.options.command == Line{"stop", "--json", "--", "x"});
    CHECK(add.options.env == Line{"A=1", "B=2"});
    CHECK(add.options.spec_values.at("user") == "shop");
    CHECK(!add.options.json);
}

TEST_CASE("help is long, lists exit codes and examples, and is no failure") {
    CHECK(answer({"--help"}).exit_code == 0);
    CHECK(answer({"--help"}).text.find("124  --timeout expired") != std::string::npos);
    for (const Verb& verb : verbs()) {
        const Answer help =
            answer(verb.run == nullptr ? Line{"help"} : Line{std::string(verb.name), "--help"});
        CHECK(help.exit_code == 0);
        CHECK(help.text.find("Exit codes:") != std::string::npos);
    }
    CHECK(answer({"help", "stop"}).text.find("vigilctl stop") != std::string::npos);
    CHECK(invocation({"--version"}).verb->name == "version");
}
