// The writer is killed by SIGKILL at random moments: whatever it was doing, the table is valid, and its
// content is the last or the one before.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <deque>
#include <random>
#include <set>
#include <string>

#include "component/state/stage.hpp"

namespace vigil::state::test {
namespace {

constexpr std::size_t kTasks = 4;
constexpr std::uint64_t kWritesARun = 5;

/// The n-th content of a task: everything in it follows from n, and no text is so long that it is cut.
Record content(std::size_t task, std::uint64_t n) {
    Record record = full_record("task" + std::to_string(task));
    record.task.runs = n;
    record.task.generation = core::Generation{1 + n / kWritesARun};
    record.task.status_text = std::string(n % 100, static_cast<char>('a' + n % 26));
    record.task.cause = every_cause()[n % every_cause().size()];
    return record;
}

pid_t pid_of(std::uint64_t generation) {
    return static_cast<pid_t>(generation % 1'000'000 + 1);
}

/// Writes until it is killed. In `begun` is the number of the content that is being written, in `done` of the
/// last that was.
void write_for_ever(const Stage& stage, SharedWords& begun, SharedWords& done) {
    auto opened = Table::open(stage.path(), {});
    must(opened.ok(), "opening the table");
    must(opened->found.size() == kTasks, "finding the tasks");
    std::array<std::uint64_t, kTasks> last{};
    std::array<SlotId, kTasks> slots{};
    for (const Found& found : opened->found) {
        const auto task = static_cast<std::size_t>(found.record.task.name.back() - '0');
        last[task] = found.record.task.runs;
        slots[task] = found.slot;
        begun.set(task, last[task]);
        done.set(task, last[task]);
    }
    for (std::size_t task = 0;; task = (task + 1) % kTasks) {
        const Record next = content(task, last[task] + 1);
        begun.set(task, last[task] + 1);
        opened->table.write(slots[task], next);
        done.set(task, ++last[task]);
        // What the kernel does once the intent is written.
        const auto generation = static_cast<std::uint64_t>(next.task.generation);
        if (last[task] % kWritesARun == 2) *opened->table.pid_word(slots[task]) = pid_of(generation);
    }
}

void kill_after(pid_t child, std::uint64_t microseconds) {
    ::usleep(static_cast<useconds_t>(microseconds));
    ::kill(child, SIGKILL);
    const int status = wait_for(child);
    REQUIRE(WIFSIGNALED(status));
    REQUIRE(WTERMSIG(status) == SIGKILL);
}

TEST_CASE(
    "nasty 74: a writer killed at any moment leaves every record with its last content or the one before") {
    const Stage stage;
    std::vector<Record> first;
    for (std::size_t task = 0; task < kTasks; ++task) first.push_back(content(task, 0));
    stage.given(first);
    SharedWords begun;
    SharedWords done;
    std::mt19937_64 random(static_cast<std::uint64_t>(::getpid()));
    std::uint64_t written = 0;
    std::uint64_t in_the_middle = 0;
    for (int round = 0; round < 300; ++round) {
        const std::uint64_t none = ~std::uint64_t{0};
        begun.set(kTasks - 1, none);
        done.set(kTasks - 1, none);
        const pid_t child = fork_child([&] { write_for_ever(stage, begun, done); });
        while (done.get(kTasks - 1) == none) ::usleep(100);
        kill_after(child, random() % 2000);
        const Opened opened = stage.open();
        REQUIRE_FALSE(opened.set_aside);
        REQUIRE(opened.dropped.empty());
        REQUIRE(opened.found.size() == kTasks);
        for (const Found& found : opened.found) {
            const auto task = static_cast<std::size_t>(found.record.task.name.back() - '0');
            const std::uint64_t n = found.record.task.runs;
            CAPTURE(task);
            REQUIRE(n >= done.get(task));
            REQUIRE(n <= begun.get(task));
            REQUIRE(describe(found.record) == describe(content(task, n)));
            const auto generation = static_cast<std::uint64_t>(found.record.task.generation);
            if (found.pid != 0) REQUIRE(found.pid == pid_of(generation));
            if (n % kWritesARun < 2) REQUIRE(found.pid == 0);
            if (begun.get(task) != done.get(task)) ++in_the_middle;
        }
    }
    for (std::size_t task = 0; task < kTasks; ++task) written += done.get(task);
    MESSAGE(written << " writes, " << in_the_middle << " kills in the middle of one");
    CHECK(written > 1000);
}

TEST_CASE("a writer killed while tasks come and go leaves none twice, and none that was released before") {
    const Stage stage;
    SharedWords words;
    std::mt19937_64 random(static_cast<std::uint64_t>(::getpid()));
    std::uint64_t next = 0;
    for (int round = 0; round < 200; ++round) {
        words.set(0, next);
        words.set(1, 0);
        const pid_t child = fork_child([&] {
            auto opened = Table::open(stage.path(), {});
            must(opened.ok(), "opening the table");
            for (const Found& found : opened->found) opened->table.release(found.slot);
            words.set(1, 1);
            std::deque<SlotId> slots;
            for (std::uint64_t n = next;; ++n) {
                words.set(0, n);
                const auto slot = opened->table.allocate();
                must(slot.ok(), "allocating");
                opened->table.write(*slot, small_record("task" + std::to_string(n), n + 1));
                // The last twenty stay, so that the table has to grow.
                slots.push_back(*slot);
                if (slots.size() <= 20) continue;
                opened->table.release(slots.front());
                slots.pop_front();
            }
        });
        while (words.get(1) == 0) ::usleep(100);
        kill_after(child, random() % 2000);
        const Opened opened = stage.open();
        REQUIRE_FALSE(opened.set_aside);
        REQUIRE(opened.dropped.empty());
        REQUIRE(opened.found.size() <= 21);
        std::set<std::uint64_t> numbers;
        for (const Found& found : opened.found) {
            const std::uint64_t n = std::stoull(found.record.task.name.substr(4));
            REQUIRE(numbers.insert(n).second);
            REQUIRE(n <= words.get(0));
            REQUIRE(n + 21 >= words.get(0));
        }
        next = words.get(0) + 1;
    }
}

}  // namespace
}  // namespace vigil::state::test
