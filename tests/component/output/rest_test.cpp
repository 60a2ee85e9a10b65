// Threads that rest, for an exec that may yet fail.
#include <fcntl.h>
#include <unistd.h>

#include <thread>

#include "stage.hpp"

using namespace vigil::output;
using namespace vigil::output::test;

TEST_CASE("while the threads rest what is printed stays in the task's pipe, and is moved afterwards") {
    Stage stage;
    Task task = stage.start("api");
    task.print("before\n");
    REQUIRE(stage.settled(task, 7));
    REQUIRE(stage.collector->rest(20s));
    task.print("meanwhile\n");
    std::this_thread::sleep_for(50ms);
    CHECK(task.waiting() == 10);
    CHECK(read_whole(stage.path("api")) == "before\n");
    stage.collector->go_on();
    CHECK(eventually([&] { return read_whole(stage.path("api")) == "before\nmeanwhile\n"; }));
    CHECK(stage.end(task).back() == "meanwhile");
}

TEST_CASE("rest comes between two turns of tasks that print all the time, again and again") {
    Stage stage;
    Task task = stage.start("api");
    const std::string lines = numbered_lines(0, 50'000);
    std::thread printer([&] { task.print(lines); });
    for (int i = 0; i < 20; ++i) {
        REQUIRE(stage.collector->rest(20s));
        const std::string seen = read_whole(stage.path("api"));
        // Nothing is half moved: the log and the pipe together have every byte once.
        CHECK(lines.compare(0, seen.size(), seen) == 0);
        stage.collector->go_on();
    }
    printer.join();
    (void)stage.end(task);
    CHECK(read_whole(stage.path("api")) == lines);
}

TEST_CASE("while the threads are held they hear of nothing, and then of everything in its order") {
    Stage stage;
    stage.collector->hold(true);
    std::vector<Task> tasks;
    for (int i = 0; i < 21; ++i) {
        tasks.push_back(stage.start("t" + std::to_string(i)));
        tasks.back().print("first\n");
        tasks.back().out.reset();
        stage.collector->finish(tasks.back().id, tasks.back().generation);
        stage.start_again(tasks.back());
        tasks.back().print("second\n");
    }
    for (const Task& task : tasks) {
        CHECK(task.waiting() == 7);
        CHECK_FALSE(exists(stage.path(task.spec->name)));
    }
    stage.collector->hold(false);
    for (Task& task : tasks) {
        CHECK(stage.end(task).back() == "second");
        CHECK(read_whole(stage.path(task.spec->name)) == "first\nsecond\n");
    }
    CHECK(stage.said(true).empty());
}

TEST_CASE("who is held takes what there is no more room for in between") {
    Stage stage;
    stage.collector->hold(true);
    // More than their socket takes, and each at its end already: one pipe serves them all.
    constexpr std::uint32_t kTasks = 4000;
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    const vigil::UniqueFd read_end(ends[0]);
    ::close(ends[1]);
    Task task = stage.start("all");
    const auto begin = std::chrono::steady_clock::now();
    for (std::uint32_t i = 0; i < kTasks; ++i)
        stage.attach(task, ::fcntl(read_end.get(), F_DUPFD_CLOEXEC, 3));
    CHECK(std::chrono::steady_clock::now() - begin < 20s);
    (void)stage.end(task);
    CHECK(stage.said(true).empty());
}

TEST_CASE("rest and an end do not wait for those who are held to be let go") {
    Stage stage;
    stage.collector->hold(true);
    Task task = stage.start("api");
    task.print("last\n");
    CHECK(stage.collector->rest(20s));
    stage.collector->go_on();
    CHECK(stage.settled(task, 5));
    stage.collector->hold(true);
    stage.start_again(task);
    task.print("more\n");
    stage.collector.reset();
    CHECK(read_whole(stage.path("api")) == "last\nmore\n");
}

TEST_CASE("an end while the threads rest moves what is there") {
    Stage stage;
    Task task = stage.start("api");
    REQUIRE(stage.collector->rest(20s));
    task.print("last\n");
    stage.collector.reset();
    CHECK(read_whole(stage.path("api")) == "last\n");
}
