// Logs that others lay hands on.
#include <cstdio>

#include "stage.hpp"

using namespace vigil;
using namespace vigil::output;
using namespace vigil::output::test;

namespace {

/// A stage with a task that has printed "before\n".
struct Printed {
    Stage stage;
    Task task = stage.start("api");
    std::string path = stage.path("api");
    std::uint64_t bytes = 0;

    Printed() { print("before\n"); }
    void print(const std::string& text) {
        task.print(text);
        bytes += text.size();
        REQUIRE(stage.settled(task, bytes));
    }
};

}  // namespace

TEST_CASE("nasty 54: a log that was deleted is made again at once") {
    Printed p;
    REQUIRE(::unlink(p.path.c_str()) == 0);
    p.print("after\n");
    CHECK(read_whole(p.path) == "after\n");
    p.stage.end(p.task);
    CHECK(p.stage.said(true).empty());
}

TEST_CASE("nasty 54: a log that was renamed is followed until that is noticed, and nothing is lost") {
    Printed p;
    const std::string moved = p.path + ".moved";
    REQUIRE(std::rename(p.path.c_str(), moved.c_str()) == 0);
    std::string printed = "before\n";
    CHECK(eventually([&] {
        p.print("line\n");
        printed += "line\n";
        return exists(p.path);
    }));
    p.stage.end(p.task);
    CHECK(read_whole(moved) + read_whole(p.path) == printed);
}

TEST_CASE("nasty 54: a log that was replaced is opened anew") {
    Printed p;
    write_whole(p.path + ".new", "theirs\n");
    REQUIRE(std::rename((p.path + ".new").c_str(), p.path.c_str()) == 0);
    p.print("after\n");
    CHECK(read_whole(p.path) == "theirs\nafter\n");
    p.stage.end(p.task);
}

TEST_CASE("nasty 54: a log that was emptied goes on at its beginning") {
    Printed p;
    REQUIRE(::truncate(p.path.c_str(), 0) == 0);
    p.print("after\n");
    CHECK(read_whole(p.path) == "after\n");
    CHECK(p.stage.end(p.task) == std::vector<std::string>{"after"});
}

TEST_CASE("nasty 54: a log whose rights were taken is written on") {
    Printed p;
    REQUIRE(::chmod(p.path.c_str(), 0) == 0);
    p.print("after\n");
    REQUIRE(::chmod(p.path.c_str(), 0600) == 0);
    CHECK(read_whole(p.path) == "before\nafter\n");
    p.stage.end(p.task);
}

TEST_CASE("nasty 54: what others append is not written over") {
    Printed p;
    FILE* other = std::fopen(p.path.c_str(), "a");
    REQUIRE(other != nullptr);
    std::fputs("theirs\n", other);
    std::fclose(other);
    p.print("after\n");
    CHECK(read_whole(p.path) == "before\ntheirs\nafter\n");
    p.stage.end(p.task);
}

TEST_CASE("nasty 54: a log that is renamed while it is rotated loses nothing") {
    Stage stage;
    Task task = stage.start("api", [](core::TaskSpec& spec) {
        spec.launch.edit().output.max_size = 1000;
        spec.launch.edit().output.keep = 1000;
    });
    std::string printed;
    std::string moved;
    for (int i = 0; i < 200; ++i) {
        const std::string text = numbered_lines(static_cast<std::size_t>(i) * 10, 10);
        task.print(text);
        printed += text;
        if (i % 3 == 0)
            std::rename(stage.path("api").c_str(), (stage.path("api") + ".m" + std::to_string(i)).c_str());
    }
    REQUIRE(stage.settled(task, printed.size()));
    stage.end(task);
    std::size_t found = read_log(stage.path("api")).size();
    for (int i = 0; i < 200; ++i) found += read_whole(stage.path("api") + ".m" + std::to_string(i)).size();
    CHECK(found == printed.size());
    CHECK(stage.tally(task).dropped == 0);
}

TEST_CASE("On request every log is opened anew at once") {
    Printed p;
    REQUIRE(std::rename(p.path.c_str(), (p.path + ".1").c_str()) == 0);
    p.stage.collector->reopen();
    p.print("after\n");
    CHECK(read_whole(p.path) == "after\n");
    CHECK(read_whole(p.path + ".1") == "before\n");
    p.stage.end(p.task);
}
