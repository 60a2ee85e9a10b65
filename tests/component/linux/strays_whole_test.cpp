// When a pass over /proc says that nothing of a run is left: what happens in the few microseconds of an exec
// or an exit is answered here in place of the processes.
#include <signal.h>

#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "linux/process/process.hpp"
#include "linux/process/strays.hpp"
#include "support.hpp"

using namespace vigil;
using namespace vigil::os;
using namespace vigil::os::test;

namespace {

using Clock = Strays::Clock;
const std::string kNobody(32, '0');

/// More than there can be on any machine.
constexpr std::size_t kEverybody = 10'000'000;

/// Some processes, and what they answer. Everybody else on the machine, however many they are, has no mark.
class World {
  public:
    explicit World(std::size_t asked_at_once = kEverybody)
        : strays([this](pid_t pid) { return answer(pid); }, asked_at_once) {}

    SpawnOutcome& born() {
        made_.push_back(
            std::make_unique<SpawnOutcome>(bench_.spawn(SpawnBench::spec({"/bin/sleep", "100"}))));
        return *made_.back();
    }
    SpawnOutcome& born_in_exec() {
        SpawnOutcome& one = born();
        in_exec.insert(one.pid);
        return one;
    }
    SpawnOutcome& born_ending() {
        SpawnOutcome& one = born();
        ending.insert(one.pid);
        return one;
    }
    void ends(const SpawnOutcome& one) {
        REQUIRE(signal_process(one.pidfd.get(), SIGKILL).ok());
        (void)bench_.end_of(one);
    }
    /// A pass, and a time just before.
    Clock::time_point look() {
        Clock::time_point before;
        REQUIRE(eventually([&] {
            before = Clock::now();
            return strays.refresh();
        }));
        return before;
    }

    std::set<pid_t> in_exec;
    std::set<pid_t> ending;
    Strays strays;

  private:
    EnvironmentAnswer answer(pid_t pid) {
        if (in_exec.contains(pid)) return {.value = {}, .not_yet = true};
        if (ending.contains(pid)) return {.value = {}, .not_yet = true, .ending = true};
        for (const auto& one : made_)
            if (one->pid == pid) return read_environment_variable(pid, "VIGIL_INVOCATION");
        return {};
    }

    SpawnBench bench_;
    std::vector<std::unique_ptr<SpawnOutcome>> made_;
};

}  // namespace

TEST_CASE("a pass is whole once everybody who was listed in it has answered, whoever is in an exec by then") {
    World world;
    const SpawnOutcome* last = &world.born_in_exec();
    for (int round = 0; round < 4; ++round) {
        const auto before = world.look();
        CHECK_FALSE(world.strays.none_since(before, kNobody));
        const SpawnOutcome& next = world.born_in_exec();
        world.in_exec.erase(last->pid);
        const auto later = world.look();
        CHECK(world.strays.none_since(before, kNobody));
        CHECK_FALSE(world.strays.none_since(later, kNobody));
        CHECK_FALSE(world.strays.none_since(before, last->invocation));
        last = &next;
    }
}

TEST_CASE("whoever ends without having answered may have left a child, so that pass says nothing") {
    World world;
    const SpawnOutcome& parent = world.born_in_exec();
    const auto before = world.look();
    const SpawnOutcome& child = world.born_in_exec();
    world.ends(parent);
    (void)world.look();
    CHECK_FALSE(world.strays.none_since(before, kNobody));
    world.in_exec.erase(child.pid);
    (void)world.look();
    CHECK(world.strays.none_since(before, kNobody));
    CHECK_FALSE(world.strays.none_since(before, child.invocation));
}

TEST_CASE("whoever was found ending has left no child since, and only its end is waited for") {
    World world;
    const SpawnOutcome& one = world.born_ending();
    const auto before = world.look();
    CHECK_FALSE(world.strays.none_since(before, kNobody));
    (void)world.born_in_exec();
    world.ends(one);
    (void)world.look();
    CHECK(world.strays.none_since(before, kNobody));
}

TEST_CASE("whoever was in an exec first and is found ending then may have left a child in between") {
    World world;
    const SpawnOutcome& parent = world.born_in_exec();
    const auto before = world.look();
    world.in_exec.erase(parent.pid);
    world.ending.insert(parent.pid);
    const SpawnOutcome& child = world.born_in_exec();
    (void)world.look();
    world.ends(parent);
    (void)world.look();
    CHECK_FALSE(world.strays.none_since(before, kNobody));
    world.in_exec.erase(child.pid);
    (void)world.look();
    CHECK(world.strays.none_since(before, kNobody));
    CHECK_FALSE(world.strays.none_since(before, child.invocation));
}

TEST_CASE("a run is not over while the child of one who bore its mark has not answered") {
    World world;
    const SpawnOutcome& parent = world.born();
    const auto before = world.look();
    CHECK(world.strays.none_since(before, kNobody));
    (void)world.born_in_exec();
    world.ends(parent);
    (void)world.look();
    CHECK(world.strays.of(parent.invocation).empty());
    CHECK_FALSE(world.strays.none_since(before, parent.invocation));
    world.in_exec.clear();
    (void)world.look();
    CHECK(world.strays.none_since(before, parent.invocation));
}

TEST_CASE(
    "an exec that is held up for a second is waited for no longer, and is asked for its mark all the same") {
    World world;
    const SpawnOutcome& slow = world.born_in_exec();
    const auto before = world.look();
    CHECK_FALSE(world.strays.none_since(before, kNobody));
    CHECK(eventually(
        [&] { return world.strays.none_since(before, kNobody) || (world.strays.refresh() && false); }));
    CHECK(Clock::now() - before >= 1s);
    world.in_exec.clear();
    (void)world.look();
    CHECK(world.strays.of(slow.invocation).size() == 1);
    CHECK_FALSE(world.strays.none_since(before, slow.invocation));
}

TEST_CASE("more processes than are asked in one pass are asked sooner than they end") {
    World world(1);
    REQUIRE(eventually([&] { return world.strays.refresh_at_length(); }));
    const auto before = Clock::now();
    std::vector<const SpawnOutcome*> living;
    CHECK(eventually([&] {
        for (const SpawnOutcome* one : std::exchange(living, {})) world.ends(*one);
        for (int count = 0; count < 3; ++count) living.push_back(&world.born());
        (void)world.look();
        return world.strays.none_since(before, kNobody);
    }));
}
