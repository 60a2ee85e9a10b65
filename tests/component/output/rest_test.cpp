// Threads that rest, for an exec that may yet fail.
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

TEST_CASE("an end while the threads rest moves what is there") {
    Stage stage;
    Task task = stage.start("api");
    REQUIRE(stage.collector->rest(20s));
    task.print("last\n");
    stage.collector.reset();
    CHECK(read_whole(stage.path("api")) == "last\n");
}
