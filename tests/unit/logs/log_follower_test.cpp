#include "logs/log_follower.hpp"

#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>

#include "written_log.hpp"

using namespace std::chrono_literals;
using namespace vigil;
using logs::LogFollower;
using test::shown;
using test::WrittenLog;
using Lines = std::vector<std::string>;

namespace {

constexpr LogFollower::TimePoint kStart{};

/// All that is there at `now`.
Lines poll(LogFollower& log, LogFollower::TimePoint now = kStart) {
    Lines lines;
    while (true) {
        const auto batch = log.poll(now);
        for (const logs::LogItem& item : batch.items) lines.push_back(shown(item));
        if (!batch.more) return lines;
    }
}

}  // namespace

TEST_CASE("following goes on where reading ended") {
    WrittenLog log;
    log.print("one\ntwo\n");
    LogFollower follower(log.path(), logs::from_last_lines(log.path(), 1)->begin);
    CHECK(poll(follower) == Lines{"two"});
    CHECK(poll(follower).empty());
    log.print("three\nfour\n");
    CHECK(poll(follower) == Lines{"three", "four"});
}

TEST_CASE("a log that does not exist yet is waited for") {
    WrittenLog log;
    LogFollower follower(log.path(), logs::from_last_lines(log.path(), 10)->begin);
    CHECK(poll(follower).empty());
    log.print("one\n");
    CHECK(poll(follower) == Lines{"one"});
}

TEST_CASE("a log that is put aside is read to its end, then those after it, then the present one") {
    WrittenLog log;
    log.print("1\n");
    LogFollower follower(log.path(), {});
    CHECK(poll(follower) == Lines{"1"});
    log.print("2\n");
    (void)log.rotate();
    CHECK(poll(follower) == Lines{"2"});
    log.print("3\n");
    (void)log.rotate();
    log.print("4\n");
    log.compress(log.rotate());
    log.print("5\n");
    CHECK(poll(follower) == Lines{"3", "4", "5"});
    log.print("6\n");
    log.compress(log.rotate());
    log.print("7\n");
    CHECK(poll(follower) == Lines{"6", "7"});
}

TEST_CASE("parts that were removed before they were read are told of by their number") {
    WrittenLog log;
    log.print("1\n");
    LogFollower follower(log.path(), {});
    CHECK(poll(follower) == Lines{"1"});
    for (const char* line : {"2\n", "3\n", "4\n", "5\n"}) {
        (void)log.rotate();
        log.print(line);
    }
    log.remove(1);
    log.remove(2);
    log.remove(3);
    // The first is held open, so only two are lost.
    CHECK(poll(follower) == Lines{"<gap 2>", "4", "5"});
}

TEST_CASE("with every part gone the time index tells how many there were") {
    WrittenLog log;
    log.print("1\n");
    LogFollower follower(log.path(), {});
    CHECK(poll(follower) == Lines{"1"});
    for (const char* line : {"2\n", "3\n"}) {
        log.remove(log.rotate());
        log.print(line);
    }
    log.mark(1000);
    CHECK(poll(follower) == Lines{"<gap 1>", "3"});
}

TEST_CASE("a rotation by others, under names of their own, loses nothing") {
    WrittenLog log;
    log.print("1\n");
    LogFollower follower(log.path(), {});
    CHECK(poll(follower) == Lines{"1"});
    log.print("2\n");
    REQUIRE(std::rename(log.path().c_str(), (log.path() + ".1").c_str()) == 0);
    log.print("3\n");  // the writer still has the old file
    CHECK(poll(follower) == Lines{"2", "3"});
    log.print("4\n");
    log.put_file("api.log", "5\n");
    CHECK(poll(follower) == Lines{"4", "5"});
}

TEST_CASE("a log that is truncated in place is read from its first byte, and that is told") {
    WrittenLog log;
    log.print("one\ntwo\nunfin");
    LogFollower follower(log.path(), {});
    CHECK(poll(follower) == Lines{"one", "two"});
    log.truncate();
    log.print("x\n");
    CHECK(poll(follower) == Lines{"unfin<cut>", "<truncated>", "x"});
}

TEST_CASE("an unfinished line is held back until it is whole, or two seconds old") {
    WrittenLog log;
    log.print("progress ");
    LogFollower follower(log.path(), {});
    CHECK(poll(follower, kStart).empty());
    CHECK(poll(follower, kStart + 1900ms).empty());
    log.print("done\nnext");
    CHECK(poll(follower, kStart + 1950ms) == Lines{"progress done"});
    CHECK(poll(follower, kStart + 3900ms).empty());
    CHECK(poll(follower, kStart + 3950ms) == Lines{"next<cut>"});
    log.print(" one\n");
    CHECK(poll(follower, kStart + 5s) == Lines{" one"});
    CHECK(!follower.finish());
}

TEST_CASE("a line beyond the limit comes in pieces, and nothing of it is lost") {
    WrittenLog log;
    const std::string most(logs::kMostLineBytes, 'x');
    log.print(most + "\n");
    log.print(most + most + "tail\n");
    LogFollower follower(log.path(), {});
    CHECK((poll(follower) == Lines{most, most + "<cut>", most + "<cut>", "tail"}));
}

TEST_CASE("NUL bytes, broken UTF-8 and carriage returns pass through as they are") {
    WrittenLog log;
    const std::string odd("a\0b\xff\xc3(\r\x1b[31m", 12);
    log.print(odd + "\n");
    log.compress(log.rotate());
    log.print(odd + "\n");
    LogFollower follower(log.path(), {});
    CHECK(poll(follower) == Lines{odd, odd});
}

TEST_CASE("one poll is bounded") {
    WrittenLog log;
    const std::string line(999, 'x');
    for (int i = 0; i < 2000; ++i) log.print(line + "\n");
    LogFollower follower(log.path(), {});
    const auto batch = follower.poll(kStart);
    CHECK(batch.more);
    CHECK(batch.items.size() <= 2 * logs::kPollBytes / 1000);
    CHECK(batch.items.size() + poll(follower).size() == 2000);
}

TEST_CASE("a log that cannot be read is told of once, and read when it can") {
    WrittenLog log;
    REQUIRE(std::system(("mkdir " + log.path()).c_str()) == 0);
    LogFollower follower(log.path(), {});
    CHECK(poll(follower) == Lines{"<unreadable>"});
    CHECK(poll(follower).empty());
    REQUIRE(std::system(("rmdir " + log.path()).c_str()) == 0);
    log.print("one\n");
    CHECK(poll(follower) == Lines{"one"});
}
