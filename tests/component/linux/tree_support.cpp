#include "tree_support.hpp"

#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "linux/cgroup/cgroup_place.hpp"
#include "linux/process/process.hpp"

namespace vigil::os::test {

std::optional<std::string> cgroup_test_path() {
    const auto own = find_own_cgroup();
    const std::string path = own ? own->directory + "/vigil-test-" + std::to_string(::getpid()) : "";
    if (own && ::mkdir(path.c_str(), 0755) == 0) {
        ::rmdir(path.c_str());
        return path;
    }
    MESSAGE("SKIPPED: no cgroups (v2) can be made here");
    return std::nullopt;
}

std::vector<Way> ways_without_cgroup() {
    static const Features found = probe_features();
    return {{"all features", found, false}, {"least features", Features{}, false}};
}

std::vector<Way> all_ways() {
    std::vector<Way> ways = ways_without_cgroup();
    if (!cgroup_test_path()) return ways;
    Way cgroup{"cgroup", ways.front().features, true};
    ways.push_back(cgroup);
    cgroup.name = "cgroup without cgroup.kill";
    REQUIRE(cgroup.features.disable("cgroup-kill"));
    ways.push_back(cgroup);
    return ways;
}

TreeBench::TreeBench(const Way& way) : way_(way) {
    REQUIRE(become_subreaper().ok());
    bench_ = std::make_unique<SpawnBench>([&](SpawnerOptions& options) {
        if (!way_.cgroup) return;
        auto opened = CgroupHome::open({CgroupWish::Kind::path, cgroup_test_path().value()}, way_.features);
        REQUIRE_MESSAGE(opened.ok(), (opened.ok() ? "" : opened.error().text()));
        home_ = opened->home;
        options.cgroups = home_;
    });
    orphans_ = std::make_unique<Orphans>(
        way_.features, [this](pid_t pid) { return main_pids_.contains(pid) || bench_->spawner().owns(pid); });
}

TreeBench::~TreeBench() {
    CHECK(eventually([&] {
        const bool complete = reap();
        if (orphans_->size() != 0) (void)orphans_->kill_all();
        return complete && orphans_->size() == 0;
    }));
    orphans_.reset();
    std::string base;
    if (home_) {
        base = home_->base();
        home_->close();
    }
    home_.reset();
    bench_.reset();
    ::prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
    if (!base.empty()) CHECK_MESSAGE(::access(base.c_str(), F_OK) != 0, "a cgroup is left: " << base);
}

ProcessTree TreeBench::spawn(core::TaskSpec spec) {
    SpawnOutcome outcome = bench_->spawn(std::move(spec));
    REQUIRE_MESSAGE(!outcome.failure, (outcome.failure ? outcome.failure->detail : std::string()));
    CHECK(static_cast<bool>(outcome.cgroup) == way_.cgroup);
    main_pids_.insert(outcome.pid);
    return ProcessTree({.leader = outcome.pid,
                        .pidfd = std::move(outcome.pidfd),
                        .invocation = std::move(outcome.invocation),
                        .cgroup = std::move(outcome.cgroup)},
                       way_.features, *orphans_);
}

void TreeBench::attach(ProcessTree& tree, const std::vector<std::string>& command) {
    Auxiliary second{.command = command, .invocation = tree.invocation(), .variables = {}, .cgroup = {}};
    if (tree.cgroup()) second.cgroup = tree.cgroup().open().value();
    SpawnOutcome outcome =
        bench_->wait_for(bench_->submit(SpawnBench::shell("exit 1"), {}, nullptr, std::move(second)));
    REQUIRE_FALSE(outcome.failure);
    CHECK(outcome.auxiliary);
    main_pids_.insert(outcome.pid);
    tree.attach(outcome.pid, std::move(outcome.pidfd));
}

bool TreeBench::reap() {
    while (orphans_->reap(512).reaped != 0) {
    }
    return orphans_->refresh();
}

bool TreeBench::empties(ProcessTree& tree) {
    return eventually(
        [&] {
            (void)reap();
            return tree.empty();
        },
        30s);
}

bool TreeBench::ends(ProcessTree& tree) {
    return eventually(
        [&] {
            const auto killed = tree.kill_all();
            CHECK_MESSAGE(killed.ok(), (killed.ok() ? "" : killed.error().text()));
            (void)reap();
            return tree.empty();
        },
        60s);
}

Witness::Witness(const std::vector<Survivor>& processes) {
    for (const Survivor& process : processes)
        if (auto pidfd = open_pidfd(process.pid)) pidfds_.push_back(std::move(pidfd).value());
}

bool Witness::all_ended() const {
    return std::all_of(pidfds_.begin(), pidfds_.end(),
                       [](const UniqueFd& fd) { return has_ended(fd.get()); });
}

int as_ordinary_user(const std::function<int()>& body, const std::function<void()>& first) {
    std::fflush(nullptr);
    const pid_t pid = ::fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        if (first) first();
        const gid_t group = kOrdinaryUser;
        const bool changed = ::setgroups(0, nullptr) == 0 && ::setresgid(group, group, group) == 0 &&
                             ::setresuid(kOrdinaryUser, kOrdinaryUser, kOrdinaryUser) == 0 &&
                             ::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0 && become_subreaper().ok();
        ::_exit(changed ? body() : 255);
    }
    int status = 0;
    REQUIRE(::waitpid(pid, &status, 0) == pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 256;
}

}  // namespace vigil::os::test
