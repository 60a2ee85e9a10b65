// Disks that are full, and other failures of writing.
#include <sys/resource.h>

#include "stage.hpp"

using namespace vigil;
using namespace vigil::output;
using namespace vigil::output::test;

namespace {

/// The bytes of a log that a task printed: all but the marks of losses.
std::size_t without_marks(const std::string& log, std::size_t& marks) {
    std::size_t bytes = log.size();
    for (std::size_t at = log.find("[vigil: "); at != std::string::npos; at = log.find("[vigil: ", at + 1)) {
        bytes -= log.find('\n', at) - at + 1;
        ++marks;
    }
    return bytes;
}

void fill_then_free(core::OutputFormat format) {
    Stage stage;
    const std::string mount = stage.directory / "small";
    const SmallDisk disk(mount, "256k");
    if (!disk.mounted()) return;
    write_whole(mount + "/filler", std::string(100'000, 'x'));
    Task task = stage.start("api", [&](core::TaskSpec& spec) {
        spec.launch.edit().output.path = mount + "/api.log";
        spec.launch.edit().output.format = format;
    });
    std::uint64_t printed = 0;
    const auto print = [&](const std::string& text) {
        task.print(text);
        printed += text.size();
    };
    // A task is never held back by a full disk.
    for (std::size_t i = 0; i < 20; ++i) print(numbered_lines(i * 1000, 1000));
    REQUIRE(stage.settled(task, printed));
    const Tally full = stage.tally(task);
    CHECK(full.fault == mount + "/api.log: No space left on device");
    CHECK(full.written > 0);
    CHECK(full.dropped > 0);
    CHECK(full.written + full.dropped == printed);
    CHECK(stage.said(true).size() == 1);

    REQUIRE(::unlink((mount + "/filler").c_str()) == 0);
    CHECK(eventually([&] { return stage.tally(task).fault.empty(); }));
    print("after\n");
    REQUIRE(stage.settled(task, printed));
    CHECK(stage.said(false).size() == 1);
    const std::string log = read_whole(mount + "/api.log");
    const std::string mark = std::to_string(full.dropped_lines) + " lines (" + std::to_string(full.dropped) +
                             " bytes) of output were dropped here: No space left on device]";
    CHECK(log.find("[vigil: " + mark) != std::string::npos);
    if (format == core::OutputFormat::raw) {
        CHECK(log.ends_with("\n[vigil: " + mark + "\nafter\n"));
        // A line of its own: a newline was put in where the disk was full in the middle of a line.
        std::size_t marks = 0;
        const std::size_t theirs = without_marks(log, marks);
        CHECK(marks == 1);
        CHECK(theirs - stage.tally(task).written <= 1);
        const std::string all = numbered_lines(0, 20'000);
        CHECK(log.compare(0, full.written, all, 0, full.written) == 0);
    }
    stage.end(task);
}

}  // namespace

TEST_CASE("nasty 53: a full disk costs what does not fit, counted to the byte, and is recovered from") {
    fill_then_free(core::OutputFormat::raw);
}

TEST_CASE("nasty 53: with formatted lines, only whole ones are in the log of a full disk") {
    fill_then_free(core::OutputFormat::prefix);
}

TEST_CASE("nasty 53: a limit of file size is a fault like any other") {
    Stage stage;
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
    rlimit limit = before;
    limit.rlim_cur = 10'000;
    Task task = stage.start("api");
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &limit) == 0);
    const std::string text = numbered_lines(0, 1000);
    task.print(text);
    const bool settled = stage.settled(task, text.size());
    const Tally tally = stage.tally(task);
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
    REQUIRE(settled);
    CHECK(tally.written == 10'000);
    CHECK(tally.written + tally.dropped == text.size());
    CHECK(tally.fault == stage.path("api") + ": File too large");
    CHECK(eventually([&] { return stage.tally(task).fault.empty(); }));
    const std::string log = read_whole(stage.path("api"));
    CHECK(log.compare(0, 10'000, text, 0, 10'000) == 0);
    CHECK(log.find("\n[vigil: ") != std::string::npos);
    stage.end(task);
}

TEST_CASE("nasty 53: a log on a file system that became read-only is a fault until it is not") {
    Stage stage;
    const std::string mount = stage.directory / "small";
    const SmallDisk disk(mount, "256k");
    if (!disk.mounted()) return;
    Task task = stage.start(
        "api", [&](core::TaskSpec& spec) { spec.launch.edit().output.path = mount + "/api.log"; });
    task.print("one\n");
    stage.end(task);
    REQUIRE(disk.remount_read_only(true));
    stage.start_again(task);
    task.print("two\n");
    REQUIRE(stage.settled(task, 8));
    CHECK(stage.tally(task).fault == mount + "/api.log: Read-only file system");
    REQUIRE(disk.remount_read_only(false));
    CHECK(eventually([&] { return stage.tally(task).fault.empty(); }));
    task.print("three\n");
    stage.end(task);
    CHECK(read_whole(mount + "/api.log") ==
          "one\n[vigil: 1 line (4 bytes) of output were dropped here: Read-only file system]\nthree\n");
}

TEST_CASE("nasty 53: the mark of a loss is put though no run is live any more") {
    Stage stage;
    const std::string mount = stage.directory / "small";
    const SmallDisk disk(mount, "64k");
    if (!disk.mounted()) return;
    write_whole(mount + "/filler", std::string(60'000, 'x'));
    Task task = stage.start(
        "api", [&](core::TaskSpec& spec) { spec.launch.edit().output.path = mount + "/api.log"; });
    const std::string text = numbered_lines(0, 1000);
    task.print(text);
    stage.end(task);
    CHECK(stage.tally(task).dropped > 0);
    REQUIRE(::unlink((mount + "/filler").c_str()) == 0);
    CHECK(eventually([&] { return read_whole(mount + "/api.log").find("[vigil: ") != std::string::npos; }));
    CHECK(stage.tally(task).written + stage.tally(task).dropped == text.size());
}
