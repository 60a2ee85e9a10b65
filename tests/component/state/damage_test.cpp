// Tables that cannot be believed: they are set aside and made anew, or the one record is dropped that is
// damaged. Never is a task found twice, and never with a content that it did not have.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstring>
#include <map>
#include <random>
#include <set>
#include <string>

#include "component/state/stage.hpp"
#include "state/checksum.hpp"

namespace vigil::state::test {
namespace {

constexpr std::uint32_t kTasks = 3;

/// A small table of three tasks, each with two contents, and all contents that it has.
struct Sample {
    explicit Sample(const Stage& stage) {
        for (const char* name : {"api", "sync", "web"})
            for (const std::uint64_t runs : {1U, 2U}) {
                Record record = full_record(name);
                record.task.runs = runs;
                stage.given({record});
                contents[name].insert(describe(record));
            }
        bytes = shortened(read_whole(stage.path()), kTasks);
    }
    std::string bytes;
    std::map<std::string, std::set<std::string>> contents;
};

void check_found(const Opened& opened, const Sample& sample) {
    std::set<std::string> names;
    for (const Found& found : opened.found) {
        const std::string& name = found.record.task.name;
        REQUIRE(names.insert(name).second);
        REQUIRE(sample.contents.contains(name));
        REQUIRE(sample.contents.at(name).contains(describe(found.record)));
    }
    REQUIRE(opened.table.used() == opened.found.size());
}

void check_set_aside(const Stage& stage, const Opened& opened, std::string_view bytes) {
    REQUIRE(opened.set_aside);
    REQUIRE(opened.set_aside->path == stage.bad());
    REQUIRE_FALSE(opened.set_aside->reason.empty());
    REQUIRE(opened.found.empty());
    REQUIRE(opened.dropped.empty());
    REQUIRE(read_whole(stage.bad()) == bytes);
}

/// A table that was made anew can be used.
void check_usable(const Stage& stage) {
    stage.given({small_record("new", 1)});
    const Opened again = stage.open();
    REQUIRE_FALSE(again.set_aside);
    REQUIRE(again.found.size() == 1);
}

std::string with_header(std::string bytes, const std::function<void(HeaderImage&)>& change) {
    HeaderImage header{};
    std::memcpy(&header, bytes.data(), sizeof header);
    change(header);
    header.checksum =
        crc32c({reinterpret_cast<const std::uint8_t*>(&header), offsetof(HeaderImage, checksum)});
    std::memcpy(bytes.data(), &header, sizeof header);
    return bytes;
}

TEST_CASE("nasty 74: a state file that is cut at any byte is set aside and made anew") {
    const Stage stage;
    const Sample sample(stage);
    for (std::size_t size = 0; size < sample.bytes.size(); ++size) {
        CAPTURE(size);
        const auto cut = std::string_view(sample.bytes).substr(0, size);
        write_whole(stage.path(), cut);
        check_set_aside(stage, stage.open(), cut);
        if (size % 97 == 0) check_usable(stage);
    }
    write_whole(stage.path(), sample.bytes);
    CHECK(stage.open().found.size() == kTasks);
}

TEST_CASE(
    "nasty 74: a state file with any one byte changed is set aside, or loses the record with that byte at "
    "most") {
    const Stage stage;
    const Sample sample(stage);
    for (std::size_t at = 0; at < sample.bytes.size(); ++at) {
        // Between header, draft and records nothing is written and nothing is read.
        const bool draft = at >= kDraftAt && at < kDraftAt + sizeof(DraftImage);
        if (at >= sizeof(HeaderImage) && at < kHeaderSize && !draft && at % 64 != 0) continue;
        CAPTURE(at);
        std::string bytes = sample.bytes;
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << at % 8));
        write_whole(stage.path(), bytes);
        const Opened opened = stage.open();
        if (at < sizeof(HeaderImage)) {
            check_set_aside(stage, opened, bytes);
            continue;
        }
        REQUIRE_FALSE(opened.set_aside);
        check_found(opened, sample);
        REQUIRE(opened.found.size() + opened.dropped.size() == kTasks);
        REQUIRE(opened.dropped.size() <= (at < kHeaderSize ? 0 : 1));
    }
}

TEST_CASE("nasty 74: a record that is not whole is dropped and reported, the others are used") {
    const Stage stage;
    const Sample sample(stage);
    for (std::uint32_t place = 0; place < kTasks; ++place) {
        std::string bytes = sample.bytes;
        RecordImage record = record_at(bytes, place);
        record.slot.payload[3] ^= 1;
        record.pid = 4711;
        put_record(bytes, place, record);
        put_draft(bytes, {});
        write_whole(stage.path(), bytes);
        const Opened opened = stage.open();
        check_found(opened, sample);
        CHECK(opened.found.size() == kTasks - 1);
        REQUIRE(opened.dropped.size() == 1);
        CHECK(opened.dropped[0].slot == SlotId{place});
        CHECK(opened.dropped[0].pid == 4711);
        CHECK(opened.dropped[0].reason == "it is not whole");
        CHECK(stage.open().dropped.empty());
    }
}

TEST_CASE("nasty 74: a record of a process whose pid is lost is dropped, though its content is whole") {
    const Stage stage;
    const Sample sample(stage);
    std::string bytes = sample.bytes;
    // What was written last is whole in the draft, too.
    const std::uint32_t last = draft_in(bytes).place;
    RecordImage record = record_at(bytes, last);
    SUBCASE("the word says that it is of another run") {
        record.pid = 4711;
        ++record.pid_generation;
    }
    SUBCASE("nothing of the record is left but the draft") {
        record = {};
    }
    put_record(bytes, last, record);
    write_whole(stage.path(), bytes);
    const Opened opened = stage.open();
    check_found(opened, sample);
    CHECK(opened.found.size() == kTasks - 1);
    REQUIRE(opened.dropped.size() <= 1);
}

TEST_CASE("nasty 74: a record that is copied to another place is not believed there") {
    const Stage stage;
    const Sample sample(stage);
    std::string bytes = sample.bytes;
    put_record(bytes, 1, record_at(bytes, 0));
    write_whole(stage.path(), bytes);
    const Opened opened = stage.open();
    check_found(opened, sample);
    CHECK(opened.found.size() == kTasks - 1);
    CHECK(opened.dropped.size() == 1);
}

TEST_CASE("nasty 74: noise anywhere in a state file never invents or doubles a task") {
    const Stage stage;
    const Sample sample(stage);
    std::mt19937_64 random(74);
    for (int round = 0; round < 2000; ++round) {
        CAPTURE(round);
        std::string bytes = sample.bytes;
        for (std::uint64_t holes = 1 + random() % 4; holes > 0; --holes) {
            const std::size_t begin = (round % 2 == 0 ? kHeaderSize : 0) + random() % 2000;
            const std::size_t end = std::min(bytes.size(), begin + random() % 1500);
            const bool zeros = random() % 4 == 0;
            for (std::size_t at = begin; at < end; ++at)
                bytes[at] = zeros ? '\0' : static_cast<char>(random());
        }
        write_whole(stage.path(), bytes);
        const Opened opened = stage.open();
        if (opened.set_aside)
            check_set_aside(stage, opened, bytes);
        else
            check_found(opened, sample);
    }
}

TEST_CASE("nasty 74: a state file that is none at all is set aside and made anew") {
    const Stage stage;
    std::mt19937_64 random(1);
    std::string noise(20'480, '\0');
    for (char& byte : noise) byte = static_cast<char>(random());
    for (const std::string& bytes :
         {std::string(), std::string("{}\n"), std::string(4096, '\0'), std::string(30'000, '\0'), noise,
          std::string("vigilST\n"), "vigilST\n" + noise}) {
        write_whole(stage.path(), bytes);
        check_set_aside(stage, stage.open(), bytes);
        check_usable(stage);
    }
}

TEST_CASE("nasty 74: a state file of a newer version is set aside, and the reason says so") {
    const Stage stage;
    const Sample sample(stage);
    const std::string newer = with_header(sample.bytes, [](HeaderImage& header) { ++header.version; });
    write_whole(stage.path(), newer);
    const Opened opened = stage.open();
    check_set_aside(stage, opened, newer);
    CHECK(opened.set_aside->reason == "of format version 3, this vigild reads 2");
}

TEST_CASE(
    "nasty 74: a state file of another boot is set aside, and the reason says that nothing in it runs") {
    const Stage stage;
    const Sample sample(stage);
    write_whole(stage.path(), sample.bytes);
    Identity other;
    other.boot_id[7] = 1;
    const Opened opened = stage.open(other);
    check_set_aside(stage, opened, sample.bytes);
    CHECK(opened.set_aside->reason == "of another boot: nothing in it runs any more");
}

TEST_CASE("nasty 74: a state file of another uid or pid namespace is set aside, and the reason says so") {
    const Stage stage;
    const Sample sample(stage);
    write_whole(stage.path(), sample.bytes);
    const Opened other_uid = stage.open({.boot_id = {}, .pid_namespace = 0, .uid = 1000});
    check_set_aside(stage, other_uid, sample.bytes);
    CHECK(other_uid.set_aside->reason == "of uid 0");
    write_whole(stage.path(), sample.bytes);
    const Opened elsewhere = stage.open({.boot_id = {}, .pid_namespace = 1, .uid = 0});
    check_set_aside(stage, elsewhere, sample.bytes);
    CHECK(elsewhere.set_aside->reason == "of another pid namespace");
}

TEST_CASE("nasty 74: a state file whose number of records was changed is set aside") {
    const Stage stage;
    const Sample sample(stage);
    for (const std::uint64_t capacity : {std::uint64_t{2}, ~std::uint64_t{0}, pack_capacity(4),
                                         pack_capacity(kMostRecords + 1), pack_capacity(~0U)}) {
        const std::string bytes =
            with_header(sample.bytes, [&](HeaderImage& header) { header.capacity = capacity; });
        write_whole(stage.path(), bytes);
        check_set_aside(stage, stage.open(), bytes);
    }
}

TEST_CASE("a record that a later version wrote in another way is dropped with the reason") {
    const Stage stage;
    const Sample sample(stage);
    std::string bytes = sample.bytes;
    RecordImage record = record_at(bytes, 2);
    SlotImage& slot = record.slot;
    const std::array<std::uint8_t, 8> later{1, 3, 'w', 'e', 'b', 3, 1, 9};
    std::copy(later.begin(), later.end(), slot.payload.begin());
    slot.length = later.size();
    slot.checksum = slot_checksum(slot, slot.sequence, 2);
    put_record(bytes, 2, record);
    put_draft(bytes, {});
    write_whole(stage.path(), bytes);
    const Opened opened = stage.open();
    CHECK(opened.found.size() == 2);
    REQUIRE(opened.dropped.size() == 1);
    CHECK(opened.dropped[0].reason == "unknown state 9, at byte 5");
}

}  // namespace
}  // namespace vigil::state::test
