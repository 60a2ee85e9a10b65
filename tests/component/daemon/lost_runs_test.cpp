// Which marks are believed, and when anybody looks for them.
#include "recovery/lost_runs.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

using namespace vigil;
using namespace vigil::daemon;

namespace {

os::MarkedProcess marked(uid_t uid, const std::string& cgroup = {}, const std::string& notify = {}) {
    os::MarkedProcess process;
    process.marks = {.runtime_dir = "/run/v",
                     .task = "web",
                     .generation = core::Generation{3},
                     .invocation = std::string(32, 'a'),
                     .notify_path = notify};
    process.uid = uid;
    process.cgroup = cgroup;
    return process;
}

constexpr uid_t kOwn = 1000;
constexpr uid_t kStranger = 4000;

Credentials credentials() {
    return {.own_cgroup = "/user", .kept_notify = {}, .expected = {}, .own_uid = kOwn};
}

}  // namespace

TEST_CASE("marks of a process of ours, of root or of the task's user are believed, a stranger's are not") {
    Credentials with = credentials();
    CHECK(misfit(marked(kOwn), with).empty());
    CHECK(misfit(marked(0), with).empty());
    CHECK(misfit(marked(kStranger), with) == "it is run by uid 4000");
    with.expected = kStranger;
    CHECK(misfit(marked(kStranger), with).empty());
}

TEST_CASE("a process in the cgroup of another run is not of the run that its marks tell") {
    const Credentials with = credentials();
    CHECK(misfit(marked(kOwn, "/vigil/tasks/web.3"), with).empty());
    CHECK_FALSE(misfit(marked(kOwn, "/vigil/tasks/web.2"), with).empty());
    CHECK_FALSE(misfit(marked(kOwn, "/vigil/tasks/api.3"), with).empty());
    // A cgroup that tasks share says nothing, nor does ours, which may be that of a task of another vigild.
    CHECK(misfit(marked(kOwn, "/user/session"), with).empty());
    Credentials nested = credentials();
    nested.own_cgroup = "/outer/tasks/vigil.1";
    CHECK(misfit(marked(kOwn, nested.own_cgroup), nested).empty());
}

TEST_CASE("where the keeper holds the notify socket of a run, only who was given it is believed") {
    Credentials with = credentials();
    with.kept_notify = "/run/v/notify/0123";
    CHECK(misfit(marked(kStranger, {}, "/run/v/notify/0123"), with).empty());
    CHECK_FALSE(misfit(marked(kOwn, {}, "/run/v/notify/4567"), with).empty());
    CHECK_FALSE(misfit(marked(kOwn), with).empty());
}

TEST_CASE("lost runs are looked for only where something points to them") {
    const std::string notify =
        std::filesystem::temp_directory_path() / ("vigil-lost-" + std::to_string(::getpid()));
    std::filesystem::create_directory(notify);
    const config::Config config;
    Kept kept;
    Leftovers left;
    LostRunSearch search{.runtime_dir = notify,
                         .notify_directory = notify,
                         .unclean = false,
                         .config = config,
                         .kept = kept,
                         .features = {}};
    CHECK_FALSE(may_have_lost_runs(left, search));
    SUBCASE("a table that could not be used") {
        left.incomplete = true;
        CHECK(may_have_lost_runs(left, search));
    }
    SUBCASE("no record at all in a directory that nobody tidied up") {
        search.unclean = true;
        CHECK(may_have_lost_runs(left, search));
    }
    SUBCASE("a record, and what is there is that task's") {
        search.unclean = true;
        kept.add("o/3/web", UniqueFd());
        left.found.emplace_back().record.task.name = "web";
        left.found.back().record.run.notify_path = notify + "/0123";
        std::ofstream(notify + "/0123");  // NOLINT(bugprone-unused-raii): makes the file
        CHECK_FALSE(may_have_lost_runs(left, search));
        SUBCASE("something kept is of another") {
            kept.add("o/1/api", UniqueFd());
            CHECK(may_have_lost_runs(left, search));
        }
        SUBCASE("a notify socket is of nobody") {
            std::ofstream(notify + "/4567");  // NOLINT(bugprone-unused-raii)
            CHECK(may_have_lost_runs(left, search));
        }
    }
    std::filesystem::remove_all(notify);
}
