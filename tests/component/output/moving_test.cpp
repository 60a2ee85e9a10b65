// What a task prints is in its log.
#include "stage.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

using namespace vigil;
using namespace vigil::output;
using namespace vigil::output::test;

TEST_CASE("What a task prints is appended to its log, byte for byte") {
    Stage stage;
    write_whole(stage.path("api"), "before\n");
    Task task = stage.start("api");
    const std::string text("a\0\x1b[2J\r\xff no end", 16);
    task.print(text);
    CHECK(stage.end(task).size() == 1);
    CHECK(read_whole(stage.path("api")) == "before\n" + text);
    CHECK(stage.tally(task).written == text.size());
    CHECK(stage.tally(task).dropped == 0);
}

TEST_CASE("Missing directories are made") {
    Stage stage;
    Task task = stage.start("deep", [&](core::TaskSpec& spec) {
        spec.launch.edit().output.path = stage.directory / "a/b/c/deep.log";
    });
    task.print("x\n");
    stage.end(task);
    CHECK(read_whole(stage.directory / "a/b/c/deep.log") == "x\n");
    struct stat found {};
    REQUIRE(::stat((stage.directory / "a/b").c_str(), &found) == 0);
    CHECK((found.st_mode & 07777U) == 0750);
    REQUIRE(::stat((stage.directory / "a/b/c/deep.log").c_str(), &found) == 0);
    CHECK((found.st_mode & 07777U) == 0640);
}

TEST_CASE("A log goes on over the runs of its task, and is closed between them") {
    Stage stage;
    Task task = stage.start("api");
    task.print("first\n");
    CHECK(stage.end(task) == std::vector<std::string>{"first"});
    stage.start_again(task);
    CHECK(stage.end(task).empty());
    stage.start_again(task);
    task.print("third\n");
    CHECK(stage.end(task) == std::vector<std::string>{"third"});
    CHECK(read_whole(stage.path("api")) == "first\nthird\n");
    CHECK(stage.tally(task).written == 12);
    // No thread of this process holds the file any more.
    const auto held = [&] {
        for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task"))
            for (const auto& fd : std::filesystem::directory_iterator(thread.path() / "fd")) {
                std::error_code ignored;
                if (std::filesystem::read_symlink(fd, ignored) == stage.path("api")) return true;
            }
        return false;
    };
    CHECK(eventually([&] { return !held(); }));
}

TEST_CASE("A task that prints nothing has no log") {
    Stage stage;
    Task task = stage.start("silent");
    CHECK(stage.end(task).empty());
    CHECK(!exists(stage.path("silent")));
}

TEST_CASE("A forgotten task leaves no tally, and its path is free") {
    Stage stage;
    Task first = stage.start("first");
    first.print("1\n");
    REQUIRE(stage.settled(first, 2));
    stage.collector->forget(first.id);
    CHECK(stage.tally(first).written == 2);
    stage.end(first);
    CHECK(eventually([&] { return stage.tally(first).written == 0; }));
    Task second = stage.start(
        "second", [&](core::TaskSpec& spec) { spec.launch.edit().output.path = stage.path("first"); });
    second.print("2\n");
    stage.end(second);
    CHECK(read_whole(stage.path("first")) == "1\n2\n");
    CHECK(stage.said(true).empty());
}

TEST_CASE("A task that is back under its name goes on in its log while its old run still ends") {
    Stage stage;
    Task old = stage.start("api");
    old.print("old\n");
    REQUIRE(stage.settled(old, 4));
    stage.collector->forget(old.id);
    Task now = stage.start("api");
    now.print("new\n");
    REQUIRE(stage.settled(now, 4));
    old.print("last\n");
    CHECK(stage.end(old).back() == "last");
    CHECK(stage.end(now).back() == "last");
    CHECK(read_whole(stage.path("api")) == "old\nnew\nlast\n");
    CHECK(stage.said(true).empty());
}

TEST_CASE("nasty 50: a fast writer is kept back by its pipe, and nothing is lost") {
    Stage stage;
    Task task =
        stage.start("fast", [](core::TaskSpec& spec) { spec.launch.edit().output.max_size = 1U << 30U; });
    const std::string block = numbered_lines(0, 1000);
    std::size_t printed = 0;
    for (; printed < (std::size_t{64} << 20U); printed += block.size()) task.print(block);
    stage.end(task);
    CHECK(stage.tally(task).written == printed);
    CHECK(std::filesystem::file_size(stage.path("fast")) == printed);
    const std::string whole = read_whole(stage.path("fast"));
    bool same = true;
    for (std::size_t at = 0; at < whole.size(); at += block.size())
        same = same && whole.compare(at, block.size(), block) == 0;
    CHECK(same);
}

TEST_CASE("The threads have a descriptor table of their own") {
#ifndef __SANITIZE_THREAD__
    const std::size_t before = open_descriptors();
    Stage stage;
    const std::size_t with_collector = open_descriptors();
    CHECK(with_collector <= before + 3);
    std::vector<Task> tasks;
    for (int i = 0; i < 50; ++i) tasks.push_back(stage.start("t" + std::to_string(i)));
    for (Task& task : tasks) task.print("x\n");
    for (Task& task : tasks) REQUIRE(stage.settled(task, 2));
    CHECK(open_descriptors() == with_collector + tasks.size());
    for (Task& task : tasks) stage.end(task);
#endif
}

TEST_CASE("What waits in the pipes is moved before the collector ends") {
    Stage stage;
    std::vector<Task> tasks;
    for (int i = 0; i < 20; ++i) tasks.push_back(stage.start("t" + std::to_string(i)));
    for (Task& task : tasks) task.print("last\n");
    stage.collector.reset();
    for (Task& task : tasks) CHECK(read_whole(stage.path(task.spec->name)) == "last\n");
}

TEST_CASE("Marks in the time index lead into the log") {
    Stage stage;
    Task task = stage.start("api");
    const std::string block = numbered_lines(0, 200);
    std::size_t printed = 0;
    const auto marks = [&] { return read_whole(stage.path("api") + ".times").size() / 24; };
    CHECK(eventually([&] {
        task.print(block);
        printed += block.size();
        std::this_thread::sleep_for(50ms);
        return marks() >= 2;
    }));
    stage.end(task);
    // At most one a second.
    CHECK(marks() <= 3);
}
