// A follower beside a writer that rotates, compresses and removes as fast as it can.
#include <doctest/doctest.h>

#include <atomic>
#include <charconv>
#include <functional>
#include <thread>

#include "written_log.hpp"

using namespace std::chrono_literals;
using namespace vigil;
using logs::LogFollower;
using logs::LogItem;
using test::WrittenLog;

namespace {

constexpr int kLines = 20'000;

struct Seen {
    std::vector<int> numbers;
    std::uint64_t gaps = 0;
    std::uint64_t others = 0;  ///< anything else
};

void take(const LogItem& item, Seen& seen) {
    if (item.kind == LogItem::Kind::gap) {
        seen.gaps += item.files;
        return;
    }
    int number = -1;
    const char* end = item.text.data() + item.text.size();
    const auto [stopped, error] = std::from_chars(item.text.data(), end, number);
    if (item.kind != LogItem::Kind::line || item.cut || error != std::errc{} || stopped != end)
        ++seen.others;
    else
        seen.numbers.push_back(number);
}

/// Prints the numbers from 0 in pieces that do not end with lines, and calls `turn` after every few.
void print_all(WrittenLog& log, const std::function<void(int)>& turn) {
    std::string held;
    for (int i = 0; i < kLines; ++i) {
        held += std::to_string(i) + "\n";
        if (i % 7 != 0 && i + 1 != kLines) continue;
        const std::size_t length = i + 1 == kLines ? held.size() : held.size() - held.size() % 5;
        log.print(std::string_view(held).substr(0, length));
        held.erase(0, length);
        if (i % 97 == 0) turn(i);
    }
}

Seen follow_while(WrittenLog& log, const std::function<void(int)>& turn) {
    Seen seen;
    LogFollower follower(log.path(), {.number = 1, .offset = 0});
    std::atomic<bool> ended = false;
    std::thread writer([&] {
        print_all(log, turn);
        ended = true;
    });
    while (true) {
        const bool last = ended;
        const auto batch = follower.poll(std::chrono::steady_clock::now());
        for (const LogItem& item : batch.items) take(item, seen);
        if (last && !batch.more) break;
    }
    writer.join();
    return seen;
}

bool every_number_once_in_order(const std::vector<int>& numbers) {
    if (numbers.size() != static_cast<std::size_t>(kLines)) return false;
    for (int i = 0; i < kLines; ++i)
        if (numbers[static_cast<std::size_t>(i)] != i) return false;
    return true;
}

}  // namespace

TEST_CASE("every line is seen once and in order while the log rotates") {
    WrittenLog log;
    const Seen seen = follow_while(log, [&](int) { (void)log.rotate(); });
    CHECK(every_number_once_in_order(seen.numbers));
    CHECK(seen.gaps == 0);
    CHECK(seen.others == 0);
}

TEST_CASE("every line is seen once and in order while parts are compressed") {
    WrittenLog log;
    const Seen seen = follow_while(log, [&](int) { log.compress(log.rotate()); });
    CHECK(every_number_once_in_order(seen.numbers));
    CHECK(seen.gaps == 0);
    CHECK(seen.others == 0);
}

TEST_CASE("what is removed before it was read is told of, and the rest stays in order") {
    WrittenLog log;
    std::uint64_t parts = 0;
    const Seen seen = follow_while(log, [&](int) {
        parts = log.rotate();
        if (parts > 3) log.remove(parts - 3);
    });
    std::size_t missing = static_cast<std::size_t>(kLines);
    int last = -1;
    bool in_order = true;
    for (const int number : seen.numbers) {
        // A line that was cut by a gap may be left as a smaller number.
        if (seen.gaps == 0 && number <= last) in_order = false;
        last = number;
        --missing;
    }
    CHECK(in_order);
    CHECK(last == kLines - 1);
    CHECK((seen.gaps == 0) == (missing == 0));
    CHECK(seen.gaps < parts);
}

TEST_CASE("the end of a log is read back while it rotates") {
    WrittenLog log;
    log.print("first\n");
    std::atomic<bool> ended = false;
    std::thread writer([&] {
        print_all(log, [&](int) { log.compress(log.rotate()); });
        ended = true;
    });
    std::size_t wrong = 0;
    while (!ended) {
        const auto range = logs::from_last_lines(log.path(), 100);
        if (!range) continue;
        LogFollower reader(log.path(), range->begin, range->end);
        Seen seen;
        for (bool more = true; more;) {
            const auto batch = reader.poll({});
            for (const LogItem& item : batch.items)
                if (item.text != "first") take(item, seen);
            more = batch.more;
        }
        for (std::size_t i = 1; i < seen.numbers.size(); ++i)
            if (seen.numbers[i] != seen.numbers[i - 1] + 1) ++wrong;
        wrong += static_cast<std::size_t>(seen.gaps + seen.others);
    }
    writer.join();
    CHECK(wrong == 0);
}
