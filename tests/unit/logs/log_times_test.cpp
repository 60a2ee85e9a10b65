#include "logs/log_times.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include "written_log.hpp"

using namespace vigil;
using logs::mark_before;
using logs::TimeMark;
using test::WrittenLog;

TEST_CASE("a mark is three little-endian numbers") {
    const std::string record = logs::encode({.at = 0x0102, .number = 3, .offset = 0x1122334455667788});
    CHECK(record ==
          std::string("\x02\x01\0\0\0\0\0\0\x03\0\0\0\0\0\0\0\x88\x77\x66\x55\x44\x33\x22\x11", 24));
}

TEST_CASE("marks are read back in the order written; a torn last one is ignored") {
    WrittenLog log;
    std::string index;
    std::vector<TimeMark> written;
    // More than one block of the reader, and a time before 1970.
    for (std::uint64_t i = 0; i < 5000; ++i) {
        written.push_back({.at = static_cast<std::int64_t>(i) - 10, .number = i / 7, .offset = i * 4096});
        index += logs::encode(written.back());
    }
    for (const std::size_t torn : {std::size_t{0}, std::size_t{1}, std::size_t{23}}) {
        log.put_file("api.log.times", index + std::string(torn, 'x'));
        const auto marks = logs::read_times(logs::times_path(log.path()));
        REQUIRE(marks.ok());
        CHECK(*marks == written);
        const auto last = logs::last_time(logs::times_path(log.path()));
        REQUIRE(last.ok());
        CHECK(*last == written.back());
    }
}

TEST_CASE("no index, or one without a whole record, holds no marks") {
    WrittenLog log;
    const std::string path = logs::times_path(log.path());
    CHECK(logs::read_times(path)->empty());
    CHECK(!logs::last_time(path)->has_value());
    log.put_file("api.log.times", "torn");
    CHECK(logs::read_times(path)->empty());
    CHECK(!logs::last_time(path)->has_value());
    CHECK(!logs::read_times(log.directory()).ok());
}

TEST_CASE("reading begins at the last mark that is not later") {
    const std::vector<TimeMark> marks = {{10, 1, 0}, {20, 1, 5000}, {20, 1, 6000}, {30, 2, 0}};
    CHECK(!mark_before(marks, 9));
    CHECK(mark_before(marks, 10) == marks[0]);
    CHECK(mark_before(marks, 19) == marks[0]);
    CHECK(mark_before(marks, 20) == marks[2]);
    CHECK(mark_before(marks, 1000) == marks[3]);
    CHECK(!mark_before({}, 5));
}

TEST_CASE("after the clock was set back the present time counts") {
    const std::vector<TimeMark> marks = {{100, 1, 0}, {200, 1, 5000}, {50, 1, 9000}, {60, 1, 12000}};
    CHECK(mark_before(marks, 150) == marks[3]);
    CHECK(mark_before(marks, 55) == marks[2]);
    CHECK(!mark_before(marks, 49));
}
