// What a daemon without privileges can do with trees: in processes of another user, since doctest stays root.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "linux/cgroup/cgroup_place.hpp"
#include "linux/file/small_file.hpp"
#include "linux/process/process.hpp"
#include "linux/socket/unix_listener.hpp"
#include "tree_support.hpp"

using namespace vigil;
using namespace vigil::os;
using namespace vigil::os::test;
using core::effect::SignalTarget;

namespace {

/// A daemon in small, without doctest: what fails is told by the line it is in.
struct SmallDaemon {
    Features features = probe_features();
    std::unique_ptr<Spawner> spawner;
    std::unique_ptr<Orphans> orphans;

    explicit SmallDaemon(const std::string& directory, std::shared_ptr<CgroupHome> home = nullptr) {
        SpawnerOptions options;
        options.notify_directory = directory;
        options.cgroups = std::move(home);
        auto made = Spawner::create(std::move(options));
        if (made) spawner = std::move(made).value();
        orphans = std::make_unique<Orphans>(features, [this](pid_t pid) { return spawner->owns(pid); });
    }

    std::optional<SpawnOutcome> outcome_of(core::TaskSpec spec) {
        spawner->submit({.task = core::TaskId{1},
                         .generation = core::Generation{1},
                         .spec = std::make_shared<const core::TaskSpec>(std::move(spec)),
                         .invocation = {}});
        std::vector<SpawnOutcome> outcomes;
        if (!eventually([&] {
                spawner->take_finished(outcomes);
                return !outcomes.empty();
            }))
            return std::nullopt;
        return std::move(outcomes.front());
    }

    std::optional<ProcessTree> spawn(const std::string& script) {
        auto outcome = outcome_of(SpawnBench::shell(script));
        if (!outcome) return std::nullopt;
        if (outcome->failure) {
            std::fprintf(stderr, "%s: %s\n", outcome->failure->detail.c_str(),
                         std::strerror(outcome->failure->error));
            return std::nullopt;
        }
        return ProcessTree({.leader = outcome->pid,
                            .pidfd = std::move(outcome->pidfd),
                            .invocation = std::move(outcome->invocation),
                            .cgroup = std::move(outcome->cgroup)},
                           features, *orphans);
    }

    bool empties(ProcessTree& tree) {
        return eventually(
            [&] {
                while (orphans->reap(512).reaped != 0) {
                }
                (void)orphans->refresh();
                return tree.empty();
            },
            30s);
    }
    bool ends(ProcessTree& tree) {
        return eventually(
            [&] {
                (void)tree.kill_all();
                while (orphans->reap(512).reaped != 0) {
                }
                (void)orphans->refresh();
                return tree.empty();
            },
            30s);
    }
};

constexpr const char* kEscapees =
    "trap '' TERM; setsid sh -c 'sleep 100 & wait' & ( setsid sleep 101 & ); env -i setsid sleep 102 & sleep "
    "103";
constexpr std::size_t kEscapeeCount = 6;

#define EXPECT_HERE(condition) \
    if (!(condition)) return __LINE__ % 251 + 1

/// Runs `body` as whoever is no root: as an ordinary user, or here where that is one.
int as_no_root(const std::function<int()>& body) {
    return ::geteuid() == 0 ? as_ordinary_user(body) : body();
}

/// A program that becomes root altogether, real user included, and then whatever it is told to be.
std::optional<std::string> make_root_program(const TempDir& directory) {
    struct statvfs system {};
    const bool usable = ::statvfs(directory.path().c_str(), &system) == 0 &&
                        (system.f_flag & ST_NOSUID) == 0 && ::access("/usr/bin/setpriv", X_OK) == 0;
    if (!usable) {
        MESSAGE("SKIPPED: needs setpriv, and a directory for temporary files without nosuid");
        return std::nullopt;
    }
    const std::string path = directory / "become-root";
    std::filesystem::copy_file("/usr/bin/setpriv", path);
    REQUIRE(::chmod(path.c_str(), 04755) == 0);
    return path;
}

void end_by_pid_file(const std::string& path) {
    const pid_t pid = std::atoi(read_whole(path).c_str());
    REQUIRE(pid > 1);
    const auto pidfd = open_pidfd(pid);
    if (pidfd) (void)signal_process(pidfd->get(), SIGKILL);
    CHECK(eventually([&] { return !pidfd || has_ended(pidfd->get()); }));
}

}  // namespace

TEST_CASE("nasty 22, 29: an ordinary user's daemon ends a tree that does all it can to escape") {
    if (skipped_without_root()) return;
    const TempDir directory;
    REQUIRE(::chown(directory.path().c_str(), kOrdinaryUser, kOrdinaryUser) == 0);
    CHECK(as_ordinary_user([&]() -> int {
              SmallDaemon daemon(directory.path());
              auto tree = daemon.spawn(kEscapees);
              EXPECT_HERE(tree);
              EXPECT_HERE(eventually([&] { return tree->survivors().size() == kEscapeeCount; }, 30s));
              const auto survivors = tree->survivors();
              std::vector<UniqueFd> held;
              for (const Survivor& one : survivors)
                  if (auto pidfd = open_pidfd(one.pid)) held.push_back(std::move(pidfd).value());
              EXPECT_HERE(held.size() == kEscapeeCount);
              EXPECT_HERE(tree->ask(SignalTarget::tree, SIGTERM));
              EXPECT_HERE(tree->survivors().size() == kEscapeeCount);
              EXPECT_HERE(daemon.ends(*tree));
              for (const UniqueFd& fd : held) EXPECT_HERE(has_ended(fd.get()));
              return 0;
          }) == 0);
}

TEST_CASE("nasty 8: a user who may have no more processes fails a spawn with EAGAIN, and not for good") {
    if (skipped_without_root()) return;
    const TempDir directory;
    REQUIRE(::chown(directory.path().c_str(), kOrdinaryUser, kOrdinaryUser) == 0);
    CHECK(as_ordinary_user([&]() -> int {
              SmallDaemon daemon(directory.path());
              rlimit limit{};
              EXPECT_HERE(::getrlimit(RLIMIT_NPROC, &limit) == 0);
              const rlimit before = limit;
              limit.rlim_cur = 0;
              EXPECT_HERE(::setrlimit(RLIMIT_NPROC, &limit) == 0);
              const auto refused = daemon.outcome_of(SpawnBench::shell("exit 0"));
              EXPECT_HERE(::setrlimit(RLIMIT_NPROC, &before) == 0);
              EXPECT_HERE(refused && refused->failure && refused->failure->error == EAGAIN);
              EXPECT_HERE(refused->failure->stage == core::SpawnStage::clone);
              auto tree = daemon.spawn("exit 0");
              EXPECT_HERE(tree && daemon.empties(*tree));
              return 0;
          }) == 0);
}

TEST_CASE("nasty 13: an identity that may not be taken fails the spawn") {
    const TempDir directory;
    CHECK(as_no_root([&]() -> int {
              SmallDaemon daemon(directory.path());
              auto spec = SpawnBench::spec({"/bin/true"});
              spec.launch.edit().user = "0";
              const auto refused = daemon.outcome_of(spec);
              EXPECT_HERE(refused && refused->failure && refused->failure->error == EPERM);
              EXPECT_HERE(refused->failure->stage == core::SpawnStage::groups);
              EXPECT_HERE(refused->failure->detail.find("root") != std::string::npos);
              return 0;
          }) == 0);
}

TEST_CASE("nasty 70: an unwritable directory for the control socket is a clear error") {
    const TempDir directory;
    auto lock = InstanceLock::take(directory / "lock");
    REQUIRE(lock.ok());
    REQUIRE(::chmod(directory.path().c_str(), 0555) == 0);
    CHECK(as_no_root([&]() -> int {
              const auto refused = UnixListener::open(*lock, {.path = directory / "control.sock"});
              EXPECT_HERE(!refused && refused.error().code == EACCES);
              EXPECT_HERE(refused.error().text().find(directory / "control.sock") != std::string::npos);
              return 0;
          }) == 0);
    REQUIRE(::chmod(directory.path().c_str(), 0755) == 0);
}

TEST_CASE(
    "nasty 27: who has become root is an error with its name, without a loop, and the others are ended") {
    if (skipped_without_root()) return;
    REQUIRE(become_subreaper().ok());
    const TempDir directory;
    const auto program = make_root_program(directory);
    if (!program) return;
    REQUIRE(::chown(directory.path().c_str(), kOrdinaryUser, kOrdinaryUser) == 0);
    const std::string pid_file = directory / "pid";
    CHECK(as_ordinary_user([&]() -> int {
              SmallDaemon daemon(directory.path());
              auto tree = daemon.spawn("setsid sh -c 'echo $$ > " + pid_file + "; exec " + *program +
                                       " --reuid=0 --clear-groups sleep 1000' & sleep 1001 & wait");
              EXPECT_HERE(tree);
              EXPECT_HERE(eventually(
                  [&] {
                      const auto left = tree->survivors();
                      return std::count_if(left.begin(), left.end(),
                                           [](const Survivor& one) { return one.command == "sleep"; }) == 2;
                  },
                  30s));
              const auto killed = tree->kill_all();
              EXPECT_HERE(!killed);
              EXPECT_HERE(killed.error().code == EPERM);
              const std::string pid = std::to_string(std::atoi(read_whole(pid_file).c_str()));
              EXPECT_HERE(killed.error().text().find("pid " + pid) != std::string::npos);
              EXPECT_HERE(eventually(
                  [&] {
                      while (daemon.orphans->reap(512).reaped != 0) {
                      }
                      return tree->end_of_leader() && tree->survivors().size() == 1;
                  },
                  30s));
              EXPECT_HERE(!tree->empty());
              EXPECT_HERE(std::to_string(tree->survivors().front().pid) == pid);
              return 0;
          }) == 0);
    end_by_pid_file(pid_file);
    Orphans orphans(Features{}, [](pid_t) { return false; });
    CHECK(eventually([&] { return orphans.reap(10).reaped == 0; }));
}

TEST_CASE("nasty 27: in a cgroup that was delegated to an ordinary user, root's process ends as well") {
    if (skipped_without_root()) return;
    const auto base = cgroup_test_path();
    if (!base) return;
    REQUIRE(become_subreaper().ok());
    const TempDir directory;
    const auto program = make_root_program(directory);
    if (!program) return;
    REQUIRE(::chown(directory.path().c_str(), kOrdinaryUser, kOrdinaryUser) == 0);
    REQUIRE(::mkdir(base->c_str(), 0755) == 0);
    for (const char* file : {"", "/cgroup.procs", "/cgroup.subtree_control", "/cgroup.threads"})
        REQUIRE(::chown((*base + file).c_str(), kOrdinaryUser, kOrdinaryUser) == 0);
    const auto enter = [&] { (void)write_small_file(AT_FDCWD, (*base + "/cgroup.procs").c_str(), "0"); };
    CHECK(as_ordinary_user(
              [&]() -> int {
                  auto opened = CgroupHome::open({}, probe_features());
                  EXPECT_HERE(opened);
                  if (!opened->home) std::fprintf(stderr, "%s\n", opened->reason.c_str());
                  EXPECT_HERE(opened->home);
                  EXPECT_HERE(opened->home->base() == *base);
                  EXPECT_HERE(find_own_cgroup()->directory == *base + "/vigild");
                  {
                      SmallDaemon daemon(directory.path(), opened->home);
                      auto tree = daemon.spawn("setsid " + *program +
                                               " --reuid=0 --clear-groups sleep 1000 & sleep 1001 & wait");
                      EXPECT_HERE(tree);
                      EXPECT_HERE(tree->cgroup());
                      EXPECT_HERE(eventually(
                          [&] {
                              const auto left = tree->survivors();
                              return std::count_if(left.begin(), left.end(), [](const Survivor& one) {
                                         return one.command == "sleep";
                                     }) == 2;
                          },
                          30s));
                      EXPECT_HERE(tree->kill_all());
                      EXPECT_HERE(daemon.empties(*tree));
                  }
                  opened->home->close();
                  EXPECT_HERE(find_own_cgroup()->directory == *base);
                  EXPECT_HERE(::access((*base + "/vigild").c_str(), F_OK) != 0);
                  EXPECT_HERE(::access((*base + "/tasks").c_str(), F_OK) != 0);
                  return 0;
              },
              enter) == 0);
    CHECK(eventually([&] { return ::rmdir(base->c_str()) == 0; }));
    Orphans orphans(Features{}, [](pid_t) { return false; });
    CHECK(eventually([&] { return orphans.reap(10).reaped == 0; }));
}

TEST_CASE("nasty 86: an ordinary user to whom no cgroup was delegated is told so, and has trees without") {
    if (skipped_without_root()) return;
    CHECK(as_ordinary_user([&]() -> int {
              const auto opened = CgroupHome::open({}, probe_features());
              EXPECT_HERE(opened);
              EXPECT_HERE(!opened->home);
              EXPECT_HERE(!opened->reason.empty());
              const auto own = find_own_cgroup();
              if (!own) return 0;
              const auto path = CgroupHome::open(
                  {CgroupWish::Kind::path, own->directory + "/vigil-test-refused"}, probe_features());
              EXPECT_HERE(!path);
              EXPECT_HERE(path.error().code == EACCES);
              return 0;
          }) == 0);
}
