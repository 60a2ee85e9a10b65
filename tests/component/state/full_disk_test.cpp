// A disk without room: an error for the task that comes, nothing for those that are there.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "component/state/stage.hpp"
#include "state/specs.hpp"

namespace vigil::state::test {
namespace {

/// Fills the table until it says that there is no room, then uses what it has.
void fill(const std::string& path, int expected) {
    auto opened = Table::open(path, {});
    must(opened.ok(), "opening the table");
    Table& table = opened->table;
    std::uint32_t tasks = 0;
    while (true) {
        const auto slot = table.allocate();
        if (!slot) {
            errno = slot.error().code;
            must(slot.error().code == expected, "the error");
            break;
        }
        must(tasks++ < 10'000, "reaching the end");
        table.write(*slot, small_record("task" + std::to_string(tasks), 1));
    }
    must(tasks > 0 && tasks == table.capacity(), "using all that there is");
    for (std::uint32_t place = 0; place < tasks; ++place)
        for (std::uint64_t runs = 1; runs <= 3; ++runs)
            table.write(static_cast<SlotId>(place), small_record("task" + std::to_string(place), 2, runs));
    must(!table.allocate().ok(), "being asked again");
    table.release(SlotId{0});
    must(table.allocate().ok(), "giving a place that was released");
    table.write(SlotId{0}, small_record("last", 1));
    must(Table::open(path, {}).ok() && Table::open(path, {})->found.size() == tasks,
         "finding all of them again");
}

/// A spec that does not fit is not stored, and the others are as before.
void fill_specs(const std::string& path) {
    auto opened = SpecStore::open(path);
    must(opened.ok(), "opening the specs");
    const std::string json(3000, 'j');
    std::size_t stored = 0;
    while (opened->store.append("api", SpecOrigin::config, json)) ++stored;
    must(stored > 0, "storing one");
    must(!opened->store.compact({1}).ok() || stored == 1, "compacting without room");
    const auto again = SpecStore::open(path);
    must(again.ok() && !again->torn && again->damaged == 0, "a whole file");
    must(again->specs.size() == stored || again->specs.size() == 1, "finding all of them again");
}

TEST_CASE("a table that may not grow gives an error, and every record in it is as it was") {
    const Stage stage;
    const pid_t child = fork_child([&] {
        ::signal(SIGXFSZ, SIG_IGN);
        const rlimit limit{.rlim_cur = 100'000, .rlim_max = 100'000};
        must(::setrlimit(RLIMIT_FSIZE, &limit) == 0, "limiting the size of files");
        fill(stage.path(), EFBIG);
    });
    CHECK(wait_for(child) == 0);
}

TEST_CASE("a table on a disk that is full gives an error, and every record in it is as it was") {
    if (::geteuid() != 0) {
        MESSAGE("SKIPPED: this case needs root");
        return;
    }
    const Stage stage;
    const pid_t child = fork_child([&] {
        if (::unshare(CLONE_NEWNS) != 0) ::_exit(77);
        if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) ::_exit(77);
        if (::mount("none", stage.directory().c_str(), "tmpfs", 0, "size=128k") != 0) ::_exit(77);
        fill(stage.path(), ENOSPC);
        must(::unlink(stage.path().c_str()) == 0, "making room");
        fill_specs(stage / "specs");
        const auto full = Table::open(stage.path(), {});
        must(full.ok() || full.error().code == ENOSPC, "making a table on a full disk");
    });
    const int status = wait_for(child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        MESSAGE("SKIPPED: no file system may be mounted here");
    else
        CHECK(status == 0);
}

}  // namespace
}  // namespace vigil::state::test
