// The kernel writes the pid of a new process into its record: also when the writer is dead before it could.
#include <doctest/doctest.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <string>

#include "component/state/stage.hpp"

namespace vigil::state::test {
namespace {

constexpr int kRounds = 100;

/// Orphans of a writer that was killed become this process's children, so that they can be ended and waited
/// for.
class Subreaper {
  public:
    Subreaper() { REQUIRE(::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0); }
    ~Subreaper() { ::prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0); }
    Subreaper(const Subreaper&) = delete;
    Subreaper& operator=(const Subreaper&) = delete;
};

/// The first thing that the new process does is to kill the one that made it.
int kill_the_maker(void* words) {
    static_cast<SharedWords*>(words)->set(0, static_cast<std::uint64_t>(::getpid()));
    ::kill(static_cast<pid_t>(static_cast<SharedWords*>(words)->get(1)), SIGKILL);
    while (true) ::syscall(SYS_pause);
}

alignas(16) std::array<std::uint8_t, 65'536> child_stack;

/// As vigild spawns: memory shared, the caller waits.
void spawn_sharing_memory(SharedWords& words, pid_t* word) {
    ::clone(kill_the_maker, child_stack.data() + child_stack.size(),
            CLONE_VM | CLONE_VFORK | CLONE_PARENT_SETTID | SIGCHLD, &words, word);
}

void spawn_by_clone3(SharedWords& words, pid_t* word) {
    clone_args arguments{};
    arguments.flags = CLONE_PARENT_SETTID;
    arguments.parent_tid = reinterpret_cast<std::uintptr_t>(word);
    arguments.exit_signal = SIGCHLD;
    if (::syscall(SYS_clone3, &arguments, sizeof arguments) == 0) kill_the_maker(&words);
}

void pid_is_there_after_the_maker_is_dead(void (*spawn)(SharedWords&, pid_t*)) {
    const Stage stage;
    const Subreaper subreaper;
    SharedWords words;
    for (int round = 1; round <= kRounds; ++round) {
        words.set(0, 0);
        const auto generation = static_cast<std::uint64_t>(round);
        const pid_t maker = fork_child([&] {
            words.set(1, static_cast<std::uint64_t>(::getpid()));
            auto opened = Table::open(stage.path(), {});
            must(opened.ok(), "opening the table");
            const SlotId slot =
                opened->found.empty() ? opened->table.allocate().value() : opened->found[0].slot;
            opened->table.write(slot, small_record("api", generation));
            spawn(words, opened->table.pid_word(slot));
            while (true) ::pause();
        });
        const int status = wait_for(maker);
        REQUIRE(WIFSIGNALED(status));
        const Opened opened = stage.open();
        REQUIRE(opened.found.size() == 1);
        const pid_t pid = opened.found[0].pid;
        CHECK(opened.found[0].record.task.generation == core::Generation{generation});
        CHECK(pid != 0);
        CHECK(static_cast<std::uint64_t>(pid) == words.get(0));
        if (words.get(0) != 0) {
            ::kill(static_cast<pid_t>(words.get(0)), SIGKILL);
            CHECK(WIFSIGNALED(wait_for(static_cast<pid_t>(words.get(0)))));
        }
    }
}

TEST_CASE(
    "the pid of a process that kills its maker at once is in the record: memory shared, as in a spawn") {
    pid_is_there_after_the_maker_is_dead(spawn_sharing_memory);
}

TEST_CASE("the pid of a process that kills its maker at once is in the record: clone3") {
    pid_is_there_after_the_maker_is_dead(spawn_by_clone3);
}

TEST_CASE("a run whose process was not made yet has no pid, whatever the last run's was") {
    const Stage stage;
    stage.given({small_record("api", 1)});
    {
        Opened opened = stage.open();
        *opened.table.pid_word(opened.found[0].slot) = 99;
        opened.table.write(opened.found[0].slot, small_record("api", 1, 2));
        CHECK(*opened.table.pid_word(opened.found[0].slot) == 99);
    }
    CHECK(stage.open().found[0].pid == 99);
    stage.given({small_record("api", 2)});
    CHECK(stage.open().found[0].pid == 0);
}

TEST_CASE("a pid word that holds no pid is none") {
    const Stage stage;
    stage.given({small_record("api", 1)});
    {
        Opened opened = stage.open();
        *opened.table.pid_word(opened.found[0].slot) = -5;
    }
    CHECK(stage.open().found[0].pid == 0);
}

}  // namespace
}  // namespace vigil::state::test
