// Cgroups: where they are made, and what they do.
#include "linux/cgroup/cgroup.hpp"

#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <system_error>

#include "linux/cgroup/cgroup_files.hpp"
#include "linux/cgroup/cgroup_place.hpp"
#include "linux/file/small_file.hpp"
#include "linux/process/process.hpp"
#include "tree_support.hpp"

using namespace vigil;
using namespace vigil::os;
using namespace vigil::os::test;

namespace {

constexpr auto kOne = core::Generation{1};

bool exists(const std::string& path) {
    return ::access(path.c_str(), F_OK) == 0;
}

Features with_all() {
    static const Features found = probe_features();
    return found;
}

/// Lets go of the lock on a home as its daemon's death would: SIGKILL closes what it held and removes
/// nothing.
void drop_lock(const std::string& base) {
    const std::string tasks = base + "/tasks";
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        std::error_code gone;
        if (std::filesystem::read_symlink(entry.path(), gone) != tasks) continue;
        (void)::flock(std::stoi(entry.path().filename().string()), LOCK_UN);
    }
}

/// A home at the test's place, made and taken down again.
class Home {
  public:
    explicit Home(const std::string& path, const Features& features = with_all()) : path_(path) {
        auto opened = CgroupHome::open({CgroupWish::Kind::path, path}, features);
        REQUIRE_MESSAGE(opened.ok(), (opened.ok() ? "" : opened.error().text()));
        opened_ = std::move(opened).value();
    }
    ~Home() {
        opened_.home->close();
        CHECK_FALSE(exists(path_));
    }
    CgroupHome::Opened& operator*() { return opened_; }
    std::shared_ptr<CgroupHome> get() { return opened_.home; }

  private:
    std::string path_;
    CgroupHome::Opened opened_;
};

core::TaskSpec sleeper() {
    return SpawnBench::spec({"/bin/sleep", "100"});
}

}  // namespace

TEST_CASE("the own cgroup is found on a unified host") {
    const auto place = find_own_cgroup(
        "24 30 0:22 / /sys rw,nosuid - sysfs sysfs rw\n"
        "35 24 0:30 / /sys/fs/cgroup rw,nosuid shared:9 master:1 - cgroup2 cgroup2 rw,nsdelegate\n",
        "0::/system.slice/vigil.service\n");
    REQUIRE(place);
    CHECK(place->directory == "/sys/fs/cgroup/system.slice/vigil.service");
    CHECK_FALSE(place->read_only);
    CHECK_FALSE(place->namespace_root);
}

TEST_CASE(
    "the own cgroup is found on a hybrid host, and through a mount of a part or with blanks in its path") {
    const std::string own = "4:memory:/x\n1:name=systemd:/y\n0::/a/b\n";
    const auto hybrid = find_own_cgroup(
        "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
        "41 31 0:38 / /sys/fs/cgroup/unified ro - cgroup2 cgroup2 rw\n",
        own);
    REQUIRE(hybrid);
    CHECK(hybrid->directory == "/sys/fs/cgroup/unified/a/b");
    CHECK(hybrid->read_only);
    const auto part = find_own_cgroup("41 31 0:38 /a /mnt/my\\040cgroups rw - cgroup2 none rw\n", own);
    REQUIRE(part);
    CHECK(part->directory == "/mnt/my cgroups/b");
    CHECK(find_own_cgroup("41 31 0:38 /a/b /mnt rw - cgroup2 none rw\n", own)->directory == "/mnt");
    CHECK_FALSE(find_own_cgroup("41 31 0:38 /a/bc /mnt rw - cgroup2 none rw\n", own));
    CHECK(find_own_cgroup("41 31 0:38 / /mnt rw - cgroup2 none rw\n", "0::/\n")->namespace_root);
}

TEST_CASE("there is no own cgroup without a cgroup2, outside of its namespace or once it is removed") {
    const std::string mounted = "41 31 0:38 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
    CHECK_FALSE(find_own_cgroup("32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n", "0::/a\n"));
    CHECK_FALSE(find_own_cgroup(mounted, "1:name=systemd:/\n"));
    CHECK_FALSE(find_own_cgroup(mounted, "0::/../x\n"));
    CHECK_FALSE(find_own_cgroup(mounted, "0::/x (deleted)\n"));
    CHECK_FALSE(find_own_cgroup("", ""));
    CHECK_FALSE(find_own_cgroup("nonsense\n\n - cgroup2", "0::/a"));
}

TEST_CASE("automatic and off give a reason where there are no cgroups for tasks") {
    const NothingLeft nothing_left;
    const auto off = CgroupHome::open({CgroupWish::Kind::off, {}}, with_all());
    REQUIRE(off.ok());
    CHECK(off->home == nullptr);
    CHECK(off->reason == "turned off");
    const auto own = find_own_cgroup();
    if (own && why_not_delegated(*own).empty()) {
        MESSAGE("SKIPPED: this test's own cgroup is delegated to it");
        return;
    }
    const auto automatic = CgroupHome::open({}, with_all());
    REQUIRE(automatic.ok());
    CHECK(automatic->home == nullptr);
    CHECK_FALSE(automatic->reason.empty());
}

TEST_CASE("a path that cannot be used is an error that says what is wrong with it") {
    const NothingLeft nothing_left;
    const TempDir directory;
    const auto refused = [](const std::string& path) {
        const auto opened = CgroupHome::open({CgroupWish::Kind::path, path}, with_all());
        REQUIRE_FALSE(opened.ok());
        CHECK(opened.error().text().find(path) != std::string::npos);
        return opened.error().text();
    };
    CHECK(refused(directory.path()).find("not in a cgroup2") != std::string::npos);
    CHECK(refused(directory / "missing").find("not in a cgroup2") != std::string::npos);
    CHECK_FALSE(exists(directory / "missing"));
    CHECK(refused("relative/path").find("not absolute") != std::string::npos);
}

TEST_CASE("nasty 68: a home that another vigild holds is refused, and its tasks live on") {
    const auto path = cgroup_test_path();
    if (!path) return;
    const Way* with_cgroup = nullptr;
    const auto ways = all_ways();
    for (const Way& way : ways)
        if (way.cgroup) with_cgroup = &way;
    REQUIRE(with_cgroup != nullptr);
    TreeBench bench(*with_cgroup);
    ProcessTree tree = bench.spawn(sleeper());
    const std::string base = tree.cgroup().path().substr(0, tree.cgroup().path().find("/tasks/"));
    const auto second = CgroupHome::open({CgroupWish::Kind::path, base}, with_all());
    REQUIRE_FALSE(second.ok());
    CHECK(second.error().text().find("another vigild holds") != std::string::npos);
    CHECK(tree.cgroup().populated());
    CHECK_FALSE(tree.end_of_leader());
    CHECK(exists(tree.cgroup().path()));
    CHECK(bench.ends(tree));
}

TEST_CASE("a home is made with what is missing of its path, and removed with it") {
    const auto path = cgroup_test_path();
    if (!path) return;
    const NothingLeft nothing_left;
    {
        Home home(*path + "/");
        CHECK((*home).reason.empty());
        CHECK((*home).ended == 0);
        CHECK(home.get()->base() == *path);
        CHECK(exists(*path + "/tasks"));
        auto cgroup = TaskCgroup::create(home.get(), "web", core::Generation{12});
        REQUIRE(cgroup.ok());
        CHECK(cgroup->path() == *path + "/tasks/web.12");
        CHECK_FALSE(cgroup->populated());
        CHECK(cgroup->members().empty());
        CHECK(cgroup->cpu_time().has_value());
        TaskCgroup moved = std::move(cgroup).value();
        CHECK(moved);
        // Through a reference, since a compiler sees through it otherwise.
        TaskCgroup& itself = moved;
        moved = std::move(itself);
        CHECK(moved.remove().ok());
        CHECK_FALSE(moved);
        CHECK_FALSE(exists(*path + "/tasks/web.12"));
    }
    CHECK_FALSE(exists(*path));
}

TEST_CASE("a task is born in its cgroup, and its end removes it") {
    const auto path = cgroup_test_path();
    if (!path) return;
    for (const Way& way : all_ways()) {
        if (!way.cgroup) continue;
        CAPTURE(way.name);
        TreeBench bench(way);
        {
            ProcessTree tree = bench.shell("cat /proc/self/cgroup > " + (bench.directory() / "seen") +
                                           "; setsid sleep 100 & wait");
            const auto seen = [&] { return read_whole(bench.directory() / "seen"); };
            CHECK(eventually([&] { return seen().find("/tasks/task.1\n") != std::string::npos; }));
            REQUIRE(eventually([&] {
                const auto all = tree.survivors();
                return all.size() == 2 && all[0].command != "cat" && all[1].command != "cat";
            }));
            CHECK(tree.cgroup().populated());
            CHECK(tree.cgroup().members().size() == 2);
            CHECK(bench.ends(tree));
            CHECK_FALSE(tree.cgroup().populated());
        }
        CHECK_FALSE(exists(*path + "/tasks/task.1"));
    }
}

TEST_CASE(
    "nasty 14: a cgroup that is there from before, frozen and with processes, is ended and used afresh") {
    for (const Way& way : all_ways()) {
        if (!way.cgroup) continue;
        for (const bool frozen : {false, true}) {
            CAPTURE(way.name);
            CAPTURE(frozen);
            TreeBench bench(way);
            ProcessTree tree = bench.spawn(sleeper());
            REQUIRE(tree.cgroup().freeze(frozen).ok());
            const std::string below = tree.cgroup().path() + "/made-by-the-task";
            REQUIRE(::mkdir(below.c_str(), 0755) == 0);
            auto again = TaskCgroup::create(bench.home(), "task", kOne);
            REQUIRE_MESSAGE(again.ok(), (again.ok() ? "" : again.error().text()));
            CHECK_FALSE(again->populated());
            CHECK(read_whole(again->path() + "/cgroup.events").find("frozen 0") != std::string::npos);
            CHECK_FALSE(exists(below));
            REQUIRE(eventually([&] { return tree.end_of_leader().has_value(); }));
            CHECK(tree.end_of_leader()->status.signal == SIGKILL);
            CHECK(bench.empties(tree));
        }
    }
}

TEST_CASE("nasty 14: what a predecessor left is ended when the home is opened, frozen or not") {
    const auto path = cgroup_test_path();
    if (!path) return;
    for (const Way& way : all_ways()) {
        if (!way.cgroup) continue;
        CAPTURE(way.name);
        TreeBench bench(way);
        ProcessTree running = bench.spawn(sleeper());
        ProcessTree frozen = bench.shell("setsid sleep 100 & wait");
        REQUIRE(eventually([&] { return frozen.survivors().size() == 2; }));
        REQUIRE(frozen.freeze(true).ok());
        REQUIRE(::mkdir((*path + "/tasks/empty.9").c_str(), 0755) == 0);
        const Witness witness(frozen.survivors());
        drop_lock(*path);
        auto opened = CgroupHome::open({CgroupWish::Kind::path, *path}, way.features);
        REQUIRE_MESSAGE(opened.ok(), (opened.ok() ? "" : opened.error().text()));
        CHECK(opened->ended == 3);
        CHECK(opened->left.empty());
        CHECK_FALSE(exists(*path + "/tasks/task.1"));
        CHECK_FALSE(exists(*path + "/tasks/empty.9"));
        CHECK(eventually([&] { return running.end_of_leader() && frozen.end_of_leader(); }));
        CHECK(witness.all_ended());
        CHECK(bench.empties(running));
        CHECK(bench.empties(frozen));
        CHECK(frozen.kill_all().ok());
    }
}

TEST_CASE("a task that could not be made leaves no cgroup behind") {
    const auto path = cgroup_test_path();
    if (!path) return;
    for (const Way& way : all_ways()) {
        if (!way.cgroup) continue;
        TreeBench bench(way);
        {
            const SpawnOutcome outcome = bench.bench().spawn(SpawnBench::spec({"/does/not/exist"}));
            REQUIRE(outcome.failure);
            CHECK_FALSE(outcome.cgroup);
        }
        CHECK_FALSE(exists(*path + "/tasks/task.1"));
        ::rmdir((*path + "/tasks").c_str());
        const SpawnOutcome outcome = bench.bench().spawn(sleeper());
        REQUIRE(outcome.failure);
        CHECK(outcome.failure->stage == core::SpawnStage::make_cgroup);
        CHECK(outcome.failure->error == ENOENT);
        CHECK(outcome.failure->detail.find("task.2") != std::string::npos);
    }
}

TEST_CASE("a small file's counters are found by their whole key") {
    CHECK(find_counter("populated 1\nfrozen 0\n", "populated") == 1);
    CHECK(find_counter("populated 1\nfrozen 0\n", "frozen") == 0);
    CHECK(find_counter("oom 1\noom_kill 2\noom_group_kill 0", "oom_kill") == 2);
    CHECK_FALSE(find_counter("oom_kill_x 2\n", "oom_kill"));
    CHECK_FALSE(find_counter("oom_kill x\n", "oom_kill"));
    CHECK_FALSE(find_counter("", "oom_kill"));
}
