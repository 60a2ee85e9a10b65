#include "paths.hpp"

#include <doctest/doctest.h>

#include <map>

using namespace vigil::daemon;

namespace {

EnvironmentLookup environment(std::map<std::string, std::string> values) {
    return [values = std::move(values)](const char* name) -> std::optional<std::string> {
        const auto found = values.find(name);
        return found == values.end() ? std::nullopt : std::optional(found->second);
    };
}

/// A uid that no login on any test machine has, so that /run/user/UID is not there.
constexpr uid_t kNobodyInParticular = 3'999'999'999U;

}  // namespace

TEST_CASE("root keeps its files in the system's places, whatever its environment says") {
    const auto directories = default_directories(0, environment({{"XDG_RUNTIME_DIR", "/run/user/0"}}));
    REQUIRE(directories.ok());
    CHECK(directories->runtime == "/run/vigil");
    CHECK(directories->state == "/var/lib/vigil");
    CHECK(directories->log == "/var/log/vigil");
}

TEST_CASE("an ordinary user's files go to the XDG directories") {
    const auto directories = default_directories(
        kNobodyInParticular, environment({{"XDG_RUNTIME_DIR", "/run/user/7"}, {"HOME", "/home/ann"}}));
    REQUIRE(directories.ok());
    CHECK(directories->runtime == "/run/user/7/vigil");
    CHECK(directories->state == "/home/ann/.local/state/vigil");
    CHECK(directories->log == "/home/ann/.local/state/vigil/log");
}

TEST_CASE("nasty 86: without HOME an ordinary user can still run") {
    const auto directories =
        default_directories(kNobodyInParticular, environment({{"XDG_RUNTIME_DIR", "/tmp/x"}}));
    REQUIRE(directories.ok());
    CHECK(directories->state == "/tmp/x/vigil/state");
}

TEST_CASE("nasty 86: without XDG_RUNTIME_DIR the error says what to set") {
    const auto directories = default_directories(kNobodyInParticular, environment({{"HOME", "/home/ann"}}));
    REQUIRE_FALSE(directories.ok());
    CHECK(directories.error().text().find("XDG_RUNTIME_DIR") != std::string::npos);
    CHECK(directories.error().text().find("daemon.runtime_dir") != std::string::npos);
}

TEST_CASE("relative XDG paths are ignored") {
    CHECK_FALSE(default_directories(kNobodyInParticular, environment({{"XDG_RUNTIME_DIR", "run"}})).ok());
    const auto file = default_config_file(kNobodyInParticular,
                                          environment({{"XDG_CONFIG_HOME", "etc"}, {"HOME", "/home/ann"}}));
    REQUIRE(file.ok());
    CHECK(*file == "/home/ann/.config/vigil/vigil.json");
}
