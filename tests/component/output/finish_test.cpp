// The end of a run.
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>

#include <thread>

#include "stage.hpp"

using namespace vigil;
using namespace vigil::output;
using namespace vigil::output::test;
using Lines = std::vector<std::string>;

namespace {

double cpu_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

TEST_CASE("nasty 48: a stranger that holds the write end does not keep a run from ending") {
    Stage stage;
    Task task = stage.start("api");
    const UniqueFd stranger(::dup(task.out.get()));
    task.print("one\ntwo\n");
    CHECK(stage.end(task) == Lines{"one", "two"});
    CHECK(read_whole(stage.path("api")) == "one\ntwo\n");
    // Its pipe is closed: the stranger is told so.
    pollfd ask{stranger.get(), POLLOUT, 0};
    CHECK(eventually([&] { return ::poll(&ask, 1, 0) == 1 && (ask.revents & POLLERR) != 0; }));
}

TEST_CASE("nasty 48: nor does one that prints for ever") {
    Stage stage;
    Task task = stage.start("api");
    ::signal(SIGPIPE, SIG_IGN);
    std::thread stranger([fd = UniqueFd(::dup(task.out.get()))] {
        const std::string block(4096, 'x');
        while (::write(fd.get(), block.data(), block.size()) > 0 || errno == EAGAIN) {
        }
    });
    CHECK(stage.end(task).size() <= 1);
    stranger.join();
}

TEST_CASE("nasty 49: a task that closes its stdout is not spun on, and has its last words at its end") {
    Stage stage;
    Task task = stage.start("api");
    task.print("bye\n");
    task.out.reset();
    REQUIRE(stage.settled(task, 4));
    std::this_thread::sleep_for(50ms);
    const double before = cpu_seconds();
    std::this_thread::sleep_for(300ms);
    CHECK(cpu_seconds() - before < 0.1);
    CHECK(stage.end(task) == Lines{"bye"});
}

TEST_CASE("Last words come once for each run, also of one that printed nothing or is not known") {
    Stage stage;
    Task task = stage.start("api");
    CHECK(stage.end(task).empty());
    stage.collector->finish(task.id, task.generation);
    CHECK(stage.last_words_of(task).lines.empty());
    Task never;
    never.id = core::TaskId{77};
    never.generation = core::Generation{1};
    stage.collector->finish(never.id, never.generation);
    CHECK(stage.last_words_of(never).lines.empty());
}

TEST_CASE("Last words are of this run only, ten lines at most") {
    Stage stage;
    write_whole(stage.path("api"), "of long ago\n");
    Task task = stage.start("api");
    task.print("only\n");
    CHECK(stage.end(task) == Lines{"only"});
    stage.start_again(task);
    task.print(numbered_lines(0, 500));
    const Lines lines = stage.end(task);
    REQUIRE(lines.size() == kLastLines);
    CHECK(lines.back().starts_with("00000499"));
    CHECK(lines.front().starts_with("00000490"));
}

TEST_CASE("Last words are found across a rotation") {
    Stage stage;
    Task task = stage.start("api", [](core::TaskSpec& spec) { spec.launch.edit().output.max_size = 64; });
    task.print("0123456789 0123456789 0123456789 0123456789 012345\nb\n");
    REQUIRE(stage.settled(task, 53));
    task.print("the next file begins with this\n");
    const Lines lines = stage.end(task);
    REQUIRE(parts_of(stage.path("api")).size() == 1);
    CHECK(lines.size() == 3);
    CHECK(lines.back() == "the next file begins with this");
}

TEST_CASE("Readable when last words are there, and no longer when they were taken") {
    Stage stage;
    pollfd ask{stage.collector->readable_fd(), POLLIN, 0};
    CHECK(::poll(&ask, 1, 0) == 0);
    stage.collector->finish(core::TaskId{5}, core::Generation{1});
    CHECK(::poll(&ask, 1, 20'000) == 1);
    News news;
    stage.collector->take_news(news);
    CHECK(news.last_words.size() == 1);
    CHECK(::poll(&ask, 1, 0) == 0);
}
