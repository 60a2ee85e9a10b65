// Runs found again by the marks in the environment of their processes.
#include "linux/process/marked_processes.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>

#include "support.hpp"

using namespace vigil;
using namespace vigil::os;
using namespace vigil::os::test;

namespace {

/// A bench whose tasks are of a runtime directory of its own.
struct Place {
    TempDir directory;
    SpawnBench bench{[this](SpawnerOptions& options) { options.runtime_directory = directory.path(); }};

    std::vector<MarkedRun> runs() { return group_by_run(find_marked(directory.path())); }
};

EnvironmentText environment(const std::vector<std::string>& variables) {
    EnvironmentText text;
    for (const std::string& one : variables) text.text += one + '\0';
    return text;
}

const std::string kInvocation(32, 'a');

MarkedProcess process(pid_t pid, pid_t parent, pid_t session, std::uint64_t start_time) {
    MarkedProcess made;
    made.entry = {.pid = pid,
                  .parent = parent,
                  .group = session,
                  .session = session,
                  .start_time = start_time,
                  .command = {}};
    return made;
}

}  // namespace

TEST_CASE("a spawned process bears the marks of its run, and so does what it starts") {
    Place place;
    const auto made = place.bench.spawn(SpawnBench::shell("sleep 100 & exec setsid -w sleep 101"));
    const auto complete = [&] {
        const auto runs = place.runs();
        return runs.size() == 1 && runs.front().processes.size() == 3 &&
               std::count_if(runs.front().processes.begin(), runs.front().processes.end(),
                             [](const MarkedProcess& one) { return one.leads(); }) == 2;
    };
    REQUIRE(eventually(complete));
    const auto runs = place.runs();
    const MarkedProcess* leader = runs.front().leader();
    REQUIRE(leader != nullptr);
    CHECK(leader->entry.pid == made.pid);
    CHECK(leader->marks.task == "task");
    CHECK(leader->marks.generation == core::Generation{1});
    CHECK(leader->marks.invocation == made.invocation);
    CHECK(leader->uid == ::getuid());
    CHECK(leader->cgroup == own_cgroup_path());
    CHECK(find_marked(place.directory.path() + "-other").empty());

    const auto found = find_invocations({made.invocation, std::string(32, '0')});
    CHECK(found.size() == 3);
    for (const auto& [entry, invocation] : found) {
        CHECK(invocation == made.invocation);
        if (entry.pid != made.pid) ::kill(entry.pid, SIGKILL);
    }
}

TEST_CASE("marks are read whole or not at all") {
    const std::vector<std::string> whole{"VIGIL_RUNTIME_DIR=/run/v", "VIGIL_TASK=web", "VIGIL_GENERATION=7",
                                         "VIGIL_INVOCATION=" + kInvocation};
    const auto marks = read_marks(environment(whole));
    REQUIRE(marks);
    CHECK(marks->runtime_dir == "/run/v");
    CHECK(marks->task == "web");
    CHECK(marks->generation == core::Generation{7});
    for (std::size_t missing = 0; missing < whole.size(); ++missing) {
        auto fewer = whole;
        fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(missing));
        CAPTURE(missing);
        CHECK_FALSE(read_marks(environment(fewer)));
    }
    for (const char* wrong : {"VIGIL_GENERATION=7x", "VIGIL_GENERATION=0", "VIGIL_GENERATION=",
                              "VIGIL_GENERATION=-1", "VIGIL_GENERATION=99999999999999999999"}) {
        auto changed = whole;
        changed[2] = wrong;
        CAPTURE(wrong);
        CHECK_FALSE(read_marks(environment(changed)));
    }
    auto changed = whole;
    changed[3] = "VIGIL_INVOCATION=" + std::string(32, 'G');
    CHECK_FALSE(read_marks(environment(changed)));
}

TEST_CASE("the notify socket tells the runtime directory of a run that an older version started") {
    const auto directory = [](const std::string& socket) {
        const auto marks = read_marks(environment({"NOTIFY_SOCKET=" + socket, "VIGIL_TASK=web",
                                                   "VIGIL_GENERATION=1", "VIGIL_INVOCATION=" + kInvocation}));
        return marks ? marks->runtime_dir : std::string("none");
    };
    CHECK(directory("/run/v/notify/0123") == "/run/v");
    CHECK(directory("/run/v/notify/0123/4") == "none");
    CHECK(directory("/run/systemd/notify") == "none");
}

TEST_CASE(
    "the leader of a run is whoever led a session first, and the parent where two began in the same tick") {
    MarkedRun run;
    run.processes = {process(30, 20, 30, 100), process(20, 1, 20, 100), process(19, 20, 19, 100),
                     process(40, 1, 40, 101)};
    REQUIRE(run.leader() != nullptr);
    CHECK(run.leader()->entry.pid == 20);
    run.processes = {process(31, 1, 20, 100), process(32, 1, 20, 99)};
    CHECK(run.leader() == nullptr);
}
