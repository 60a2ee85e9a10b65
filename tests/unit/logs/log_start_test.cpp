#include "logs/log_start.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "written_log.hpp"

using namespace vigil;
using test::read_back;
using test::WrittenLog;
using Lines = std::vector<std::string>;

namespace {

std::string numbered(int from, int to) {
    std::string text;
    for (int i = from; i < to; ++i) text += "line " + std::to_string(i) + "\n";
    return text;
}

Lines expected(int from, int to) {
    Lines lines;
    for (int i = from; i < to; ++i) lines.push_back("line " + std::to_string(i));
    return lines;
}

/// 0..29 compressed, 30..59 in a plain part, 60..89 in the present file.
void print_thrice(WrittenLog& log) {
    log.print(numbered(0, 30));
    log.compress(log.rotate());
    log.print(numbered(30, 60));
    (void)log.rotate();
    log.print(numbered(60, 90));
}

}  // namespace

TEST_CASE("the last lines are found in the present file, in older parts and in compressed ones") {
    WrittenLog log;
    print_thrice(log);
    for (const int count : {1, 10, 29, 30, 31, 45, 60, 61, 89, 90})
        CHECK(read_back(log.path(), logs::from_last_lines(log.path(), static_cast<std::size_t>(count))) ==
              expected(90 - count, 90));
    CHECK(read_back(log.path(), logs::from_last_lines(log.path(), 0)).empty());
    CHECK(read_back(log.path(), logs::from_last_lines(log.path(), 1000)) == expected(0, 90));
    CHECK(read_back(log.path(), logs::from_oldest(log.path())) == expected(0, 90));
}

TEST_CASE("the last lines of a log whose present file is empty or missing") {
    WrittenLog log;
    print_thrice(log);
    (void)log.rotate();
    CHECK(read_back(log.path(), logs::from_last_lines(log.path(), 2)) == expected(88, 90));
    log.print("");
    CHECK(read_back(log.path(), logs::from_last_lines(log.path(), 31)) == expected(59, 90));
}

TEST_CASE("the last lines reach over many blocks") {
    WrittenLog log;
    log.print(numbered(0, 100'000));
    CHECK(read_back(log.path(), logs::from_last_lines(log.path(), 50'000)) == expected(50'000, 100'000));
    log.compress(log.rotate());
    CHECK(read_back(log.path(), logs::from_last_lines(log.path(), 50'000)) == expected(50'000, 100'000));
}

TEST_CASE("any number of empty parts ends no reading") {
    WrittenLog log;
    log.print("first\n");
    for (int i = 0; i < 100; ++i) {
        (void)log.rotate();
        log.print("");
    }
    log.print("last\n");
    CHECK(read_back(log.path(), logs::from_oldest(log.path())) == Lines{"first", "last"});
    CHECK(read_back(log.path(), logs::from_last_lines(log.path(), 2)) == Lines{"first", "last"});
}

TEST_CASE("a line that a rotation cut in two is one line") {
    WrittenLog log;
    log.print("one\ntw");
    log.compress(log.rotate());
    log.print("o\nthr");
    (void)log.rotate();
    log.print("ee\n");
    CHECK(read_back(log.path(), logs::from_last_lines(log.path(), 1)) == Lines{"three"});
    CHECK(read_back(log.path(), logs::from_last_lines(log.path(), 2)) == Lines{"two", "three"});
    CHECK(read_back(log.path(), logs::from_oldest(log.path())) == Lines{"one", "two", "three"});
}

TEST_CASE("an unfinished line at the end counts, and is marked") {
    WrittenLog log;
    log.print("one\ntwo\nthr");
    CHECK(read_back(log.path(), logs::from_last_lines(log.path(), 1)) == Lines{"thr<cut>"});
    CHECK(read_back(log.path(), logs::from_last_lines(log.path(), 2)) == Lines{"two", "thr<cut>"});
}

TEST_CASE("empty lines are lines") {
    WrittenLog log;
    log.print("a\n\n\n");
    CHECK(read_back(log.path(), logs::from_last_lines(log.path(), 2)) == Lines{"", ""});
    CHECK(read_back(log.path(), logs::from_oldest(log.path())) == Lines{"a", "", ""});
}

TEST_CASE("a log that was never written is empty") {
    WrittenLog log;
    CHECK(read_back(log.path(), logs::from_last_lines(log.path(), 10)).empty());
    CHECK(read_back("/nonexistent/api.log", logs::from_oldest("/nonexistent/api.log")).empty());
    CHECK(read_back(log.path(), logs::from_time(log.path(), 0)).empty());
}

TEST_CASE("what was printed after the range was taken is left to the next reader") {
    WrittenLog log;
    log.print("one\n");
    const auto range = logs::from_last_lines(log.path(), 10);
    log.print("two\n");
    (void)log.rotate();
    log.print("three\n");
    CHECK(read_back(log.path(), range) == Lines{"one"});
}

TEST_CASE("a damaged or cut part ends the search for lines, and is told of when all is read") {
    WrittenLog log;
    log.put_file("api.log.000001.zst", "this is no zstd");
    log.put_file("api.log.000002", "two\n");
    log.put_file("api.log", "three\n");
    CHECK(read_back(log.path(), logs::from_last_lines(log.path(), 5)) == Lines{"two", "three"});
    CHECK(read_back(log.path(), logs::from_oldest(log.path())) == Lines{"<unreadable>", "two", "three"});

    WrittenLog cut;
    print_thrice(cut);
    const std::string part = cut.path() + ".000001.zst";
    REQUIRE(::truncate(part.c_str(), 40) == 0);
    const Lines read = read_back(cut.path(), logs::from_oldest(cut.path()));
    CHECK(std::count(read.begin(), read.end(), "<unreadable>") == 1);
    CHECK(read.back() == "line 89");
}

TEST_CASE("since: from the mark before, at the beginning of a line, across all parts") {
    WrittenLog log;
    log.mark(1000);
    log.print(numbered(0, 10) + "line ");
    log.mark(2000);
    log.print("10\n" + numbered(11, 30));
    log.compress(log.rotate());
    log.mark(3000);
    log.print(numbered(30, 60));
    log.mark(4000);
    log.print(numbered(60, 90));
    const auto since = [&](std::int64_t at) {
        return read_back(log.path(), logs::from_time(log.path(), at));
    };
    CHECK(since(500) == expected(0, 90));
    CHECK(since(1999) == expected(0, 90));
    CHECK(since(2000) == expected(10, 90));
    CHECK(since(3500) == expected(30, 90));
    CHECK(since(4000) == expected(60, 90));
}

TEST_CASE("since: a log that was silent all the time gives nothing, whatever the last mark says") {
    WrittenLog log;
    log.mark(1000);
    log.print(numbered(0, 10));
    WrittenLog::set_changed(log.path(), 5000);
    CHECK(read_back(log.path(), logs::from_time(log.path(), 6000)).empty());
    CHECK(read_back(log.path(), logs::from_time(log.path(), 4000)) == expected(0, 10));
    (void)log.rotate();
    CHECK(read_back(log.path(), logs::from_time(log.path(), 6000)).empty());
    log.print(numbered(10, 12));
    CHECK(read_back(log.path(), logs::from_time(log.path(), 6000)) == expected(10, 12));
}

TEST_CASE("since: parts that are gone are told of") {
    WrittenLog log;
    log.mark(1000);
    log.print(numbered(0, 10));
    log.remove(log.rotate());
    log.print(numbered(10, 20));
    (void)log.rotate();
    log.print(numbered(20, 30));
    Lines lines = read_back(log.path(), logs::from_time(log.path(), 1500));
    CHECK(lines.front() == "<gap 1>");
    lines.erase(lines.begin());
    CHECK(lines == expected(10, 30));
}

TEST_CASE("a log that may not be read is an error with its errno") {
    WrittenLog log;
    REQUIRE(::mkdir(log.path().c_str(), 0700) == 0);
    CHECK(!logs::from_last_lines(log.path(), 10).ok());
    if (::geteuid() == 0) return;  // root may read everything
    WrittenLog closed;
    closed.print("one\n");
    REQUIRE(::chmod(closed.path().c_str(), 0) == 0);
    CHECK(logs::from_last_lines(closed.path(), 10).error().code == EACCES);
}
