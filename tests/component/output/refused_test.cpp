// Paths that are no place for a log.
#include <poll.h>
#include <sys/sysmacros.h>

#include "stage.hpp"

using namespace vigil;
using namespace vigil::output;
using namespace vigil::output::test;

namespace {

/// Prints to a path that is no good, puts it right, prints again.
void expect_refused_then_mended(Stage& stage, const std::string& reason) {
    const std::string path = stage.path("api");
    Task task = stage.start("api");
    task.print("lost\nlost too\n");
    REQUIRE(stage.settled(task, 14));
    CHECK(stage.tally(task).dropped == 14);
    CHECK(stage.tally(task).dropped_lines == 2);
    CHECK(stage.tally(task).fault == path + ": " + reason);
    // Tried again a few times by then, and said once.
    std::size_t tries = 0;
    CHECK(eventually([&] { return ++tries > 30; }));
    CHECK(stage.said(true) ==
          std::vector<std::string>{"api: " + path + ": " + reason + "; output is dropped"});
    std::string aside = path + ".aside";
    REQUIRE(::rename(path.c_str(), aside.c_str()) == 0);
    CHECK(eventually([&] { return stage.tally(task).fault.empty(); }));
    task.print("kept\n");
    stage.end(task);
    CHECK(read_whole(path) ==
          "[vigil: 2 lines (14 bytes) of output were dropped here: " + reason + "]\nkept\n");
    CHECK(stage.said(false) ==
          std::vector<std::string>{"api: " + path + ": written again; 14 bytes were lost"});
    CHECK(stage.tally(task).written == 5);
}

}  // namespace

TEST_CASE("nasty 10: a log path that is a FIFO is refused without a hang") {
    Stage stage;
    REQUIRE(::mkfifo(stage.path("api").c_str(), 0644) == 0);
    expect_refused_then_mended(stage, "is not a regular file");
}

TEST_CASE("nasty 10: a log path that is a directory is refused") {
    Stage stage;
    REQUIRE(::mkdir(stage.path("api").c_str(), 0755) == 0);
    expect_refused_then_mended(stage, "is a directory");
}

TEST_CASE("nasty 10: a log path that is a symbolic link is refused") {
    Stage stage;
    REQUIRE(::symlink("/etc/passwd", stage.path("api").c_str()) == 0);
    expect_refused_then_mended(stage, "is a symbolic link");
}

TEST_CASE("nasty 10: a log path that is a device is refused") {
    Stage stage;
    if (::mknod(stage.path("api").c_str(), S_IFCHR | 0666, makedev(1, 3)) != 0) {
        MESSAGE("SKIPPED: no device may be made here");
        return;
    }
    expect_refused_then_mended(stage, "is not a regular file");
}

TEST_CASE("nasty 10: a log with a second name is refused") {
    Stage stage;
    write_whole(stage.directory / "other", "");
    REQUIRE(::link((stage.directory / "other").c_str(), stage.path("api").c_str()) == 0);
    expect_refused_then_mended(stage, "has more than one name (hard links)");
}

TEST_CASE("nasty 10: a directory that can not be made is a fault") {
    Stage stage;
    write_whole(stage.directory / "file", "");
    Task task = stage.start("api", [&](core::TaskSpec& spec) {
        spec.launch.edit().output.path = stage.directory / "file/sub/api.log";
    });
    task.print("lost\n");
    REQUIRE(stage.settled(task, 5));
    CHECK(stage.tally(task).dropped == 5);
    CHECK(stage.tally(task).fault.ends_with("Not a directory"));
    stage.end(task);
}

TEST_CASE("nasty 56: the second of two tasks with one log is refused until the first is gone") {
    Stage stage;
    Task first = stage.start("first");
    first.print("1\n");
    REQUIRE(stage.settled(first, 2));
    Task second = stage.start("second", [&](core::TaskSpec& spec) {
        // The same by another spelling.
        spec.launch.edit().output.path = stage.directory / "./first.log";
    });
    second.print("2\n");
    REQUIRE(stage.settled(second, 2));
    CHECK(stage.tally(second).dropped == 2);
    CHECK(stage.tally(second).fault == stage.path("first") + ": is the log of task first already");
    CHECK(stage.tally(first).fault.empty());
    // A task between two runs keeps its log.
    stage.end(first);
    second.print("2\n");
    REQUIRE(stage.settled(second, 4));
    CHECK(stage.tally(second).dropped == 4);
    stage.collector->forget(first.id);
    CHECK(eventually([&] { return stage.tally(second).fault.empty(); }));
    second.print("kept\n");
    stage.end(second);
    CHECK(read_whole(stage.path("first")).ends_with("]\nkept\n"));
}
