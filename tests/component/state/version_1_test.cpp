// Tables of vigild before the present version, which had two slots in each record, are gone on from.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

#include "component/state/stage.hpp"
#include "state/check.hpp"
#include "state/dump.hpp"

namespace vigil::state::test {
namespace {

// As its layout.hpp had it.
struct OldSlot {
    std::uint64_t sequence;
    std::uint32_t length;
    std::uint32_t checksum;
    std::array<std::uint8_t, 488> payload;
};
struct OldRecord {
    pid_t pid;
    std::uint32_t reserved;
    std::uint64_t pid_generation;
    std::array<OldSlot, 2> slots;
};

void put(OldSlot& slot, const Record& record, std::uint64_t sequence, std::uint32_t place) {
    std::array<std::uint8_t, kRecordCapacity> payload{};
    slot.sequence = sequence;
    slot.length = static_cast<std::uint32_t>(encode(record, payload));
    std::copy_n(payload.begin(), slot.length, slot.payload.begin());
    slot.checksum = payload_checksum(place, sequence, {slot.payload.data(), slot.length});
}

/// api (of its two contents the second is the newer one), a free place, web, one of which neither slot is
/// whole.
std::string old_table(const Identity& identity) {
    HeaderImage header = make_header(identity);
    header.version = 1;
    header.record_size = sizeof(OldRecord);
    header.checksum = header_checksum(header);
    header.capacity = pack_capacity(4);
    std::array<OldRecord, 4> records{};
    put(records[0].slots[1], small_record("api", 7, 2), 9, 0);
    put(records[0].slots[0], small_record("api", 7, 1), 8, 0);
    records[0].pid = 4711;
    records[0].pid_generation = 7;
    put(records[2].slots[0], full_record("web"), 3, 2);
    put(records[3].slots[0], small_record("sync", 1), 4, 3);
    records[3].slots[0].payload[2] ^= 1;
    std::string bytes(kHeaderSize + sizeof records, '\0');
    std::memcpy(bytes.data(), &header, sizeof header);
    std::memcpy(bytes.data() + kHeaderSize, &records, sizeof records);
    return bytes;
}

TEST_CASE("nasty 75: a table of the version before is gone on from, and is one of this version afterwards") {
    const Stage stage;
    write_whole(stage.path(), old_table({}));
    {
        Opened opened = stage.open();
        CHECK_FALSE(opened.set_aside);
        REQUIRE(opened.found.size() == 2);
        CHECK(opened.found[0].record.task.name == "api");
        CHECK(opened.found[0].record.task.runs == 2);
        CHECK(opened.found[0].pid == 4711);
        CHECK(describe(opened.found[1].record) == describe(full_record("web")));
        REQUIRE(opened.dropped.size() == 1);
        CHECK(opened.dropped[0].reason == "it is not whole");
        CHECK(opened.table.used() == 2);
        opened.table.write(opened.found[0].slot, small_record("api", 7, 3));
    }
    const Opened again = stage.open();
    REQUIRE(again.found.size() == 2);
    CHECK(again.found[0].record.task.runs == 3);
    CHECK(again.dropped.empty());
    CHECK(read_whole(stage.path()).size() == file_size(4));
    CHECK_FALSE(exists(stage.path() + ".new"));
}

TEST_CASE("nasty 75: a table of the version before that is cut short is set aside") {
    const Stage stage;
    const std::string whole = old_table({});
    write_whole(stage.path(), std::string_view(whole).substr(0, whole.size() - 1));
    const Opened opened = stage.open();
    REQUIRE(opened.set_aside);
    CHECK(opened.set_aside->reason.starts_with("cut short"));
}

TEST_CASE("nasty 75: whoever is to go on from a daemon of the version before sees what its table says") {
    const Stage stage;
    const auto here = Identity::current();
    REQUIRE(here);
    std::string bytes = old_table(*here);
    write_whole(stage.path(), bytes);
    CHECK(check_table(stage.path()).find("record 3: it is not whole") != std::string::npos);
    const auto text = dump_file(stage.path());
    REQUIRE(text);
    CHECK(text->find("version 1, records of 1024 bytes") != std::string::npos);
    CHECK(text->find("record 2: web") != std::string::npos);
    std::memset(bytes.data() + kHeaderSize + 3 * sizeof(OldRecord), 0, sizeof(OldRecord));
    write_whole(stage.path(), bytes);
    CHECK(check_table(stage.path()).empty());
    CHECK(read_whole(stage.path()) == bytes);
}

}  // namespace
}  // namespace vigil::state::test
