#include "state/dump.hpp"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <random>
#include <string>

#include "base/text.hpp"
#include "component/state/stage.hpp"

namespace vigil::state::test {
namespace {

std::span<const std::uint8_t> bytes_of(const std::string& text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

TEST_CASE("a dump says everything that is in the table") {
    const Stage stage;
    stage.given({full_record("api"), small_record("sync", 3)});
    {
        Opened opened = stage.open();
        *opened.table.pid_word(opened.found[0].slot) = 4711;
    }
    const auto text = dump_file(stage.path());
    REQUIRE(text);
    for (const char* part : {"state table: of another boot",
                             "version 2, records of 512 bytes",
                             "16, file of 12288 bytes",
                             "00000000-0000-0000-0000-000000000000",
                             "record 0: api",
                             "stopping, desired removed, paused, ordered",
                             "1234605616436508552, runs 99, attempts 4, host faults 3",
                             "4194303 (by the kernel 4711)",
                             "no heartbeat for 2s",
                             "ordered by uid 0 (pid 77)",
                             "killed by ABRT (core dumped)",
                             "exit code 3, generation 41, at 11.000s",
                             "serving 12 clients",
                             "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
                             "123456789 ticks",
                             "18446744073709551614",
                             "as uid 65534, in a cgroup",
                             "/run/vigil/notify/00112233445566778899aabbccddeeff",
                             "record 1: sync",
                             "healthy, desired up",
                             "sequence 1, "}) {
        CAPTURE(part);
        CHECK(contains(*text, part));
    }
}

TEST_CASE("a dump of this boot's table says so") {
    const Stage stage;
    const auto here = Identity::current();
    REQUIRE(here);
    CHECK_FALSE(stage.open(*here).set_aside);
    const auto text = dump_file(stage.path());
    REQUIRE(text);
    CHECK(contains(*text, "state table: whole"));
    CHECK(contains(*text, "(this one)"));
}

TEST_CASE("a dump changes nothing, and shows what was set aside too") {
    const Stage stage;
    stage.given({small_record("api", 1)});
    const std::string before = read_whole(stage.path()).substr(0, 5000);
    write_whole(stage.bad(), before);
    REQUIRE(::chmod(stage.bad().c_str(), 0400) == 0);
    const auto text = dump_file(stage.bad());
    REQUIRE(text);
    CHECK(contains(*text, "state table: cut short: 5000 of 12288 bytes"));
    CHECK(read_whole(stage.bad()) == before);
}

TEST_CASE("a dump names the records that are not whole") {
    const Stage stage;
    stage.given({small_record("api", 1, 1), small_record("web", 1, 2)});
    std::string bytes = read_whole(stage.path());
    RecordImage record = record_at(bytes, 0);
    record.slot.payload[0] ^= 1;
    put_record(bytes, 0, record);
    const std::string text = dump_bytes(bytes_of(bytes));
    CHECK(contains(text, "record 0: it is not whole"));
    CHECK(contains(text, "record 1: web"));
}

TEST_CASE("any bytes have a dump that a terminal can show") {
    const Stage stage;
    Record record = full_record("api");
    record.task.status_text = "\x1b[2J\xff";
    stage.given({record});
    const std::string whole = shortened(read_whole(stage.path()), 1);
    CHECK(contains(dump_bytes(bytes_of(whole)), "\\x1b[2J\\xff"));
    std::mt19937_64 random(3);
    for (int round = 0; round < 500; ++round) {
        std::string bytes = whole;
        for (std::uint64_t change = random() % 50; change > 0; --change)
            bytes[random() % bytes.size()] = static_cast<char>(random());
        bytes.resize(random() % (bytes.size() + 1));
        REQUIRE(is_utf8(dump_bytes(bytes_of(bytes))));
    }
    CHECK(contains(dump_bytes({}), "cut short: 0 bytes"));
}

TEST_CASE("what is no regular file has no dump, and nobody waits for it") {
    const Stage stage;
    REQUIRE(::mkfifo((stage / "fifo").c_str(), 0600) == 0);
    CHECK(contains(dump_file(stage / "fifo").error().text(), "is no regular file"));
    CHECK(contains(dump_file(stage.directory()).error().text(), "is no regular file"));
    CHECK(contains(dump_file(stage / "none").error().text(), "ENOENT"));
    write_whole(stage / "large", "x");
    REQUIRE(::truncate((stage / "large").c_str(), 100'000'000) == 0);
    CHECK(contains(dump_file(stage / "large").error().text(), "larger than any state table"));
}

TEST_CASE("a dump beside a daemon that writes all the time shows whole records") {
    const Stage stage;
    const pid_t child = fork_child([&] {
        auto opened = Table::open(stage.path(), {});
        must(opened.ok(), "opening the table");
        const SlotId slot = opened->table.allocate().value();
        for (std::uint64_t n = 1;; ++n) opened->table.write(slot, small_record("api", 1, n));
    });
    while (!exists(stage.path())) ::usleep(1000);
    int shown = 0;
    for (int i = 0; i < 300; ++i) {
        const auto text = dump_file(stage.path());
        REQUIRE(text);
        CHECK_FALSE(contains(*text, "not whole"));
        shown += contains(*text, "record 0: api") ? 1 : 0;
        if (shown == 0) ::usleep(1000);
    }
    CHECK(shown > 0);
    ::kill(child, SIGKILL);
    (void)wait_for(child);
}

}  // namespace
}  // namespace vigil::state::test
