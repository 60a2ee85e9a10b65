#include "logs/log_name.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include "written_log.hpp"

using namespace vigil;
using logs::parse_part_name;
using test::WrittenLog;

TEST_CASE("a part is named by six digits, or as many as it needs") {
    CHECK(logs::part_path("/l/api.log", 41) == "/l/api.log.000041");
    CHECK(logs::part_path("api.log", 1'000'000) == "api.log.1000000");
    CHECK(logs::compressed_path("api.log.000041") == "api.log.000041.zst");
    CHECK(logs::times_path("/l/api.log") == "/l/api.log.times");
}

TEST_CASE("the number of every part is read back from its name") {
    for (const std::uint64_t number :
         {std::uint64_t{1}, std::uint64_t{999'999}, std::uint64_t{1'000'000}, UINT64_MAX}) {
        const std::string name = logs::part_path("api.log", number);
        REQUIRE(parse_part_name("api.log", name).has_value());
        CHECK(parse_part_name("api.log", name)->number == number);
        CHECK(!parse_part_name("api.log", name)->compressed);
        CHECK(parse_part_name("api.log", logs::compressed_path(name))->number == number);
        CHECK(parse_part_name("api.log", logs::compressed_path(name))->compressed);
    }
}

TEST_CASE("other files are no parts") {
    for (const char* name : {"",
                             "api.log",
                             "api.log.",
                             "api.log.times",
                             "api.log.1",
                             "api.log.00041",
                             "api.log.000000",
                             "api.log.0000041",
                             "api.log.00004x",
                             "api.log.-00041",
                             "api.log.+00041",
                             "api.log. 00041",
                             "api.log.000041.gz",
                             "api.log.000041.zst.zst",
                             "api.log.000041.zst.tmp",
                             "api.log.zst",
                             "api.log..zst",
                             "api.log.18446744073709551616",
                             "api.log.99999999999999999999999",
                             "web.log.000041",
                             "api.log2.000041",
                             "xapi.log.000041",
                             "api.log.000041 "})
        CHECK_MESSAGE(!parse_part_name("api.log", name), name);
    CHECK(!parse_part_name("api", "api.log.000041"));
}

TEST_CASE("parts are listed by number; of both forms the plain one") {
    WrittenLog log;
    for (const char* name : {"api.log.1000000", "api.log.000007", "api.log.000007.zst", "api.log.000003.zst",
                             "api.log", "api.log.times", "web.log.000009", "api.log.000004.gz"})
        log.put_file(name, "12345");
    REQUIRE(::symlink("/etc/passwd", (log.directory() + "/api.log.000008").c_str()) == 0);
    WrittenLog::set_changed(logs::part_path(log.path(), 7), 1'700'000'000'250);
    const auto parts = logs::list_parts(log.path());
    REQUIRE(parts.ok());
    REQUIRE(parts->size() == 3);
    CHECK((*parts)[0].number == 3);
    CHECK((*parts)[0].compressed);
    CHECK((*parts)[0].path == log.path() + ".000003.zst");
    CHECK((*parts)[1].number == 7);
    CHECK(!(*parts)[1].compressed);
    CHECK((*parts)[1].size == 5);
    CHECK((*parts)[1].changed_at == 1'700'000'000'250);
    CHECK((*parts)[1].inode != 0);
    CHECK((*parts)[2].number == 1'000'000);
}

TEST_CASE("a missing directory holds no parts; one that is none is an error") {
    CHECK(logs::list_parts("/nonexistent/api.log")->empty());
    CHECK(!logs::list_parts("/dev/null/api.log").ok());
}
