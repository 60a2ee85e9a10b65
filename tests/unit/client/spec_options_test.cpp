#include "ctl/spec_options.hpp"

#include <doctest/doctest.h>

#include "ctl/command_line.hpp"
#include "json/writer.hpp"

using namespace vigil::ctl;

namespace {

std::string spec(std::vector<std::string> words) {
    words.insert(words.begin(), {"add", "x"});
    auto parsed = parse_command_line(std::move(words));
    if (const auto* answer = std::get_if<Answer>(&parsed)) return answer->text;
    const auto made = spec_of(std::get<Invocation>(parsed).options);
    return made ? vigil::json::to_text(*made) : made.error();
}

}  // namespace

TEST_CASE("options become the object that could stand under tasks") {
    CHECK(spec({"--", "sleep", "60"}) == R"({"command":["sleep","60"]})");
    CHECK(spec({"--no-autostart", "--env", "A=b=c", "--restart-policy", "always", "--base-delay", "500ms",
                "--max-attempts", "none", "--heartbeat-timeout", "2s", "--nice", "-5", "--", "x"}) ==
          R"({"command":["x"],"env":{"A":"b=c"},"autostart":false,"nice":-5,"heartbeat":{"timeout":"2s"},)"
          R"("restart":{"policy":"always","base_delay":"500ms","max_attempts":null}})");
}

TEST_CASE("what makes no specification is said so") {
    CHECK(spec({}).find("no command") != std::string::npos);
    CHECK(spec({"--env", "novalue", "--", "x"}).find("NAME=VALUE") != std::string::npos);
    CHECK(spec({"--env", "A=1", "--env", "A=2", "--", "x"}).find("given twice") != std::string::npos);
    CHECK(spec({"--max-attempts", "many", "--", "x"}).find("no whole number") != std::string::npos);
}
