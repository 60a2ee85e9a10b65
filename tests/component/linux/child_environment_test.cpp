// The environment of a child, byte for byte: nasty 13.
#include <set>
#include <sstream>

#include "linux/spawn/environment.hpp"
#include "linux/spawn/spawner.hpp"
#include "support.hpp"

using namespace vigil;
using namespace vigil::os;
using namespace vigil::os::test;

namespace {

/// What /bin/sleep was started with.
std::set<std::string> environment_of(SpawnBench& bench, core::TaskSpec spec) {
    spec.command = {"/bin/sleep", "100"};
    const SpawnOutcome outcome = bench.spawn(std::move(spec));
    REQUIRE_FALSE(outcome.failure);
    std::istringstream text(read_whole("/proc/" + std::to_string(outcome.pid) + "/environ"));
    std::set<std::string> found;
    for (std::string entry; std::getline(text, entry, '\0');) found.insert(entry);
    return found;
}

}  // namespace

TEST_CASE("nasty 13: the environment is exactly what was asked for") {
    ::setenv("VIGIL_TEST_SECRET", "leaks", 1);
    ::setenv("VIGIL_TEST_PASSED", "passes", 1);
    SpawnBench bench([](SpawnerOptions& options) {
        options.daemon_environment = current_environment();
        set_variable(options.daemon_environment, "LANG", "de_DE.UTF-8");
        set_variable(options.daemon_environment, "NOTIFY_SOCKET", "/run/systemd/notify");
        options.language.parse_file = [](std::string_view text) -> Result<Environment, std::string> {
            return Environment{{"FROM_FILE", std::string(text)}, {"BOTH", "file"}};
        };
        options.language.expand = [](std::string_view value,
                                     const VariableLookup& lookup) -> Result<std::string, std::string> {
            if (!value.starts_with('$')) return std::string(value);
            return std::string(lookup(value.substr(1)).value_or("unset"));
        };
    });
    write_whole(bench.directory() / "file", "costs $5", 0600);
    auto wanted = SpawnBench::spec({"sh"});
    wanted.launch.edit().env_file = bench.directory() / "file";
    wanted.launch.edit().inherit_env = {"VIGIL_TEST_PASSED", "VIGIL_TEST_ABSENT"};
    wanted.launch.edit().env = {{"BOTH", "env"}, {"COPY", "$FROM_FILE"}, {"PATH", "/usr/bin:/bin"}};
    std::set<std::string> found = environment_of(bench, wanted);
    std::erase_if(found, [](const std::string& entry) {
        return entry.starts_with("HOME=") || entry.starts_with("USER=") || entry.starts_with("LOGNAME=") ||
               entry.starts_with("SHELL=") || entry.starts_with("VIGIL_INVOCATION=");
    });
    CHECK(found == std::set<std::string>{"PATH=/usr/bin:/bin", "LANG=de_DE.UTF-8", "FROM_FILE=costs $5",
                                         "BOTH=env", "COPY=costs $5", "VIGIL_TEST_PASSED=passes",
                                         "VIGIL_TASK=task", "VIGIL_GENERATION=1"});
    ::unsetenv("VIGIL_TEST_SECRET");
    ::unsetenv("VIGIL_TEST_PASSED");
}

TEST_CASE("nasty 13: the base of the environment comes from the user database") {
    if (skipped_without_root()) return;
    SpawnBench bench;
    auto wanted = SpawnBench::spec({"sh"});
    wanted.launch.edit().user = "nobody";
    const std::set<std::string> found = environment_of(bench, wanted);
    for (const char* entry :
         {"HOME=/nonexistent", "USER=nobody", "LOGNAME=nobody", "SHELL=/usr/sbin/nologin", "LANG=C.UTF-8",
          "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"})
        CHECK_MESSAGE(found.contains(entry), entry);
}

TEST_CASE("a beating task is told its socket, its timeout, its interval and its own pid") {
    SpawnBench bench;
    auto wanted = SpawnBench::spec({"sh"});
    wanted.heartbeat.emplace();
    wanted.heartbeat->timeout = 2500ms;
    wanted.heartbeat->interval = 700ms;
    const std::string file = bench.directory() / "output";
    wanted.command = {"/bin/sh", "-c", "tr '\\000' '\\n' < /proc/$$/environ > " + file + "; exit 0"};
    const Invocation invocation = {0xab, 0, 1};
    const SpawnOutcome outcome = bench.wait_for(bench.submit(wanted, invocation));
    CHECK(bench.end_of(outcome).code == 0);
    const std::string text = read_whole(file);
    CHECK(outcome.invocation == "ab000100000000000000000000000000");
    for (const std::string& entry :
         {std::string("WATCHDOG_USEC=2500000"), std::string("VIGIL_HEARTBEAT_INTERVAL_USEC=700000"),
          "WATCHDOG_PID=" + std::to_string(outcome.pid), "NOTIFY_SOCKET=" + outcome.notify.path(),
          "VIGIL_INVOCATION=" + outcome.invocation})
        CHECK_MESSAGE(text.find(entry + "\n") != std::string::npos, entry);
    CHECK(text.find("VIGIL_HEARTBEAT_FD") == std::string::npos);
}
