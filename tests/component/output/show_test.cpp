// Pipes that the threads have, shown to whoever wants to keep them.
#include <algorithm>
#include <set>

#include "stage.hpp"

using namespace vigil;
using namespace vigil::output;
using namespace vigil::output::test;

namespace {

ino_t inode_of(int fd) {
    struct stat found {};
    REQUIRE(::fstat(fd, &found) == 0);
    return found.st_ino;
}

/// What comes of one question.
News ask(Stage& stage, std::uint64_t after) {
    News news;
    stage.collector->show_pipes(after);
    REQUIRE(eventually([&] {
        stage.collector->take_news(news);
        return news.showing.has_value();
    }));
    return news;
}

}  // namespace

TEST_CASE("Every pipe is shown once, some at a time, and is the one that the task prints into") {
    Stage stage;
    std::vector<Task> tasks;
    std::set<ino_t> wanted;
    for (int i = 0; i < 150; ++i) {
        tasks.push_back(stage.start("t" + std::to_string(i)));
        wanted.insert(inode_of(tasks.back().out.get()));
    }
    std::set<ino_t> found;
    std::uint64_t after = 0;
    for (bool all = false; !all;) {
        const News news = ask(stage, after);
        CHECK(news.shown.size() <= kShownAtOnce);
        for (const ShownPipe& shown : news.shown) {
            CHECK(found.insert(inode_of(shown.pipe.get())).second);
            CHECK(shown.number > after);
            const auto task = std::find_if(tasks.begin(), tasks.end(),
                                           [&](const Task& one) { return one.spec->name == shown.task; });
            REQUIRE(task != tasks.end());
            CHECK(inode_of(task->out.get()) == inode_of(shown.pipe.get()));
            CHECK(shown.generation == task->generation);
            CHECK(shown.stream == core::OutputStream::out);
            after = shown.number;
        }
        after = news.showing->up_to;
        all = news.showing->all;
    }
    CHECK(found == wanted);
    for (Task& task : tasks) stage.end(task);
    const News nothing = ask(stage, 0);
    CHECK(nothing.shown.empty());
    CHECK(nothing.showing->all);
}

TEST_CASE("A pipe that was shown holds on to what is printed, and does not keep a run from ending") {
    Stage stage;
    Task task = stage.start("api");
    News news = ask(stage, 0);
    REQUIRE(news.shown.size() == 1);
    task.print("before the end\n");
    CHECK(stage.end(task) == std::vector<std::string>{"before the end"});
}

TEST_CASE("No pipe is shown after the last words of its run were taken") {
    Stage stage;
    for (int round = 0; round < 30; ++round) {
        std::vector<Task> tasks;
        for (int i = 0; i < 20; ++i)
            tasks.push_back(stage.start("t" + std::to_string(round) + "." + std::to_string(i)));
        stage.collector->show_pipes(0);
        for (Task& task : tasks) {
            task.out.reset();
            stage.collector->finish(task.id, task.generation);
        }
        std::set<std::string> over;
        bool late = false;
        REQUIRE(eventually([&] {
            News news;
            stage.collector->take_news(news);
            for (const ShownPipe& shown : news.shown) late |= over.contains(shown.task);
            for (const LastWords& words : news.last_words)
                for (const Task& task : tasks)
                    if (task.id == words.task) over.insert(task.spec->name);
            return over.size() == tasks.size();
        }));
        News rest = ask(stage, 0);
        CHECK(rest.shown.empty());
        CHECK_FALSE(late);
    }
}
