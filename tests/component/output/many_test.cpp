// Many tasks at once.
#include <sys/resource.h>

#include <thread>

#include "stage.hpp"

using namespace vigil;
using namespace vigil::output;
using namespace vigil::output::test;

TEST_CASE("1,000 tasks that print at once all have their output, and one that prints much waits for nobody") {
    rlimit limit{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
    const rlimit before = limit;
    limit.rlim_cur = limit.rlim_max;
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
    constexpr std::size_t kTasks = 1000;
    if (limit.rlim_max < 2 * kTasks + 100) {
        MESSAGE("SKIPPED: too few descriptors");
        return;
    }
    {
        Stage stage;
        Task loud = stage.start("loud");
        std::atomic<bool> stop = false;
        std::uint64_t loud_bytes = 0;
        std::thread shouting([&] {
            const std::string block(1U << 16U, 'x');
            while (!stop && loud_bytes < (std::uint64_t{512} << 20U)) {
                loud.print(block);
                loud_bytes += block.size();
            }
        });
        std::vector<Task> tasks;
        for (std::size_t i = 0; i < kTasks; ++i) tasks.push_back(stage.start("t" + std::to_string(i)));
        constexpr std::size_t kRounds = 20;
        for (std::size_t round = 0; round < kRounds; ++round)
            for (Task& task : tasks) task.print(numbered_lines(round * 10, 10));
        const std::string text = numbered_lines(0, kRounds * 10);
        for (Task& task : tasks) REQUIRE(stage.settled(task, text.size()));
        stop = true;
        shouting.join();
        for (Task& task : tasks) {
            task.out.reset();
            stage.collector->finish(task.id, task.generation);
        }
        stage.end(loud);
        for (Task& task : tasks) CHECK(stage.last_words_of(task).lines.size() == kLastLines);
        std::size_t whole = 0;
        for (Task& task : tasks) whole += read_whole(stage.path(task.spec->name)) == text ? 1U : 0U;
        CHECK(whole == kTasks);
        CHECK(stage.tally(loud).written == loud_bytes);
    }
    CHECK(::setrlimit(RLIMIT_NOFILE, &before) == 0);
}

TEST_CASE("Tasks that start and end from several threads at once are all heard to their end") {
    Stage stage;
    std::mutex starting;
    std::vector<std::thread> threads;
    std::atomic<int> whole = 0;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&, t] {
            for (int i = 0; i < 50; ++i) {
                std::unique_lock lock(starting);
                Task task = stage.start("t" + std::to_string(t * 100 + i));
                lock.unlock();
                task.print("said\n");
                task.out.reset();
                stage.collector->finish(task.id, task.generation);
                lock.lock();
                whole += stage.last_words_of(task).lines.size() == 1 ? 1 : 0;
                stage.collector->forget(task.id);
            }
        });
    for (std::thread& thread : threads) thread.join();
    CHECK(whole == 200);
}
