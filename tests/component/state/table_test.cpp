#include "state/table.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

#include "component/state/stage.hpp"

namespace vigil::state::test {
namespace {

TEST_CASE("a table that is not there is made, for its owner alone") {
    const Stage stage;
    const Opened opened = stage.open();
    CHECK(opened.found.empty());
    CHECK(opened.dropped.empty());
    CHECK_FALSE(opened.set_aside);
    struct stat status {};
    REQUIRE(::stat(stage.path().c_str(), &status) == 0);
    CHECK((status.st_mode & 07777U) == 0600);
    CHECK_FALSE(exists(stage.path() + ".new"));
}

TEST_CASE("what was written last is found by the next one who opens the table") {
    const Stage stage;
    stage.given({full_record("api"), small_record("sync", 1), small_record("api", 2), full_record("api")});
    const Opened opened = stage.open();
    REQUIRE(opened.found.size() == 2);
    CHECK(describe(opened.found[0].record) == describe(full_record("api")));
    CHECK(describe(opened.found[1].record) == describe(small_record("sync", 1)));
    CHECK(opened.table.used() == 2);
}

TEST_CASE("a table goes on from where the last one was, over many generations of daemons") {
    const Stage stage;
    for (std::uint64_t daemon = 1; daemon <= 20; ++daemon) {
        stage.given({small_record("api", daemon)});
        const Opened opened = stage.open();
        REQUIRE(opened.found.size() == 1);
        CHECK(opened.found[0].record.task.generation == core::Generation{daemon});
    }
}

TEST_CASE("the record of a process that is there already never is without its pid") {
    const Stage stage;
    {
        Opened opened = stage.open();
        const SlotId slot = *opened.table.allocate();
        opened.table.set_pid(slot, core::Generation{7}, 4711);
        // As a kill before the record leaves it.
        CHECK(stage.open().found.empty());
        opened.table.set_pid(slot, core::Generation{7}, 4711);
        opened.table.write(slot, small_record("api", 7));
    }
    const Opened opened = stage.open();
    REQUIRE(opened.found.size() == 1);
    CHECK(opened.found[0].pid == 4711);
}

TEST_CASE("a table that was left is told from none, from an empty one and from that of another boot") {
    const Stage stage;
    CHECK_FALSE(Table::was_left(stage.path(), {}));
    { (void)stage.open(); }
    CHECK_FALSE(Table::was_left(stage.path(), {}));
    stage.given({small_record("api", 1)});
    const std::string whole = read_whole(stage.path());
    CHECK(Table::was_left(stage.path(), {}));
    Identity other;
    other.boot_id[0] = 1;
    CHECK_FALSE(Table::was_left(stage.path(), other));
    CHECK(read_whole(stage.path()) == whole);
    // Whose it was cannot be told any more.
    write_whole(stage.path(), std::string(whole.size(), 'x'));
    CHECK(Table::was_left(stage.path(), {}));
}

TEST_CASE("a record that is released is gone, and its place is given again without its pid") {
    const Stage stage;
    {
        Opened opened = stage.open();
        const SlotId first = *opened.table.allocate();
        const SlotId second = *opened.table.allocate();
        opened.table.write(first, small_record("api", 1));
        opened.table.write(first, small_record("api", 1));
        opened.table.write(second, small_record("sync", 1));
        *opened.table.pid_word(first) = 77;
        opened.table.release(first);
        CHECK(opened.table.used() == 1);
        CHECK(*opened.table.allocate() == first);
        opened.table.write(first, small_record("web", 1));
    }
    const Opened opened = stage.open();
    REQUIRE(opened.found.size() == 2);
    CHECK(opened.found[0].record.task.name == "web");
    CHECK(opened.found[0].pid == 0);
    CHECK(opened.found[1].record.task.name == "sync");
}

TEST_CASE("a table grows, and no pid word moves") {
    const Stage stage;
    constexpr std::size_t kMany = 500;
    std::vector<pid_t*> words;
    {
        Opened opened = stage.open();
        for (std::size_t i = 0; i < kMany; ++i) {
            const SlotId slot = *opened.table.allocate();
            CHECK(static_cast<std::uint32_t>(slot) == i);
            words.push_back(opened.table.pid_word(slot));
            opened.table.write(slot, small_record("task" + std::to_string(i), i + 1));
        }
        for (std::size_t i = 0; i < kMany; ++i) {
            CHECK(opened.table.pid_word(static_cast<SlotId>(i)) == words[i]);
            *words[i] = static_cast<pid_t>(i + 1000);
        }
        Table moved = std::move(opened.table);
        CHECK(moved.pid_word(SlotId{0}) == words[0]);
    }
    const Opened opened = stage.open();
    REQUIRE(opened.found.size() == kMany);
    for (std::size_t i = 0; i < kMany; ++i) {
        CHECK(opened.found[i].record.task.name == "task" + std::to_string(i));
        CHECK(opened.found[i].pid == static_cast<pid_t>(i + 1000));
    }
}

TEST_CASE("room that was asked for is there, and no more than a table may have") {
    const Stage stage;
    Opened opened = stage.open();
    REQUIRE(opened.table.reserve(1000));
    CHECK(opened.table.capacity() >= 1000);
    CHECK(opened.table.used() == 0);
    CHECK(read_whole(stage.path()).size() == file_size(static_cast<std::uint32_t>(opened.table.capacity())));
    CHECK_FALSE(opened.table.reserve(kMostRecords + 1));
    REQUIRE(opened.table.reserve(1));
    CHECK(*opened.table.allocate() == SlotId{0});
}

TEST_CASE("what a kill in the middle of growing has left is no harm") {
    const Stage stage;
    stage.given({small_record("api", 1)});
    REQUIRE(::truncate(stage.path().c_str(), 100'000) == 0);
    Opened opened = stage.open();
    CHECK(opened.found.size() == 1);
    CHECK_FALSE(opened.set_aside);
    REQUIRE(opened.table.reserve(200));
    CHECK(opened.table.capacity() >= 200);
}

TEST_CASE("what a kill in the middle of making a table has left is replaced") {
    const Stage stage;
    write_whole(stage.path() + ".new", "half");
    stage.given({small_record("api", 1)});
    CHECK_FALSE(exists(stage.path() + ".new"));
    CHECK(stage.open().found.size() == 1);
}

TEST_CASE("a table removes its own file and no other") {
    const Stage stage;
    Opened opened = stage.open();
    opened.table.remove_file();
    CHECK_FALSE(exists(stage.path()));
    write_whole(stage.path(), "another's");
    opened.table.remove_file();
    CHECK(exists(stage.path()));
    const SlotId slot = *opened.table.allocate();
    opened.table.write(slot, small_record("api", 1));
}

TEST_CASE("a table that is moved onto another one lets that one go") {
    const Stage stage;
    Opened opened = stage.open();
    auto other = Table::open(stage / "other", {});
    REQUIRE(other);
    opened.table = std::move(other->table);
    CHECK(opened.table.path() == stage / "other");
    CHECK(opened.table.allocate());
}

TEST_CASE(
    "a write that broke off in its draft leaves the record as it was, one that broke off later is done") {
    for (const bool drafted : {false, true}) {
        const Stage stage;
        stage.given({small_record("api", 1, 1)});
        std::string bytes = read_whole(stage.path());
        DraftImage draft = draft_in(bytes);
        draft.place = 0;
        draft.slot.sequence = 7;
        draft.slot.length = static_cast<std::uint32_t>(encode(small_record("api", 1, 2), draft.slot.payload));
        draft.slot.checksum = slot_checksum(draft.slot, 7, 0);
        if (!drafted) draft.slot.payload[0] ^= 1;
        put_draft(bytes, draft);
        RecordImage record = record_at(bytes, 0);
        if (drafted) {
            record.slot.sequence = 0;
            record.slot.payload[5] ^= 1;
            put_record(bytes, 0, record);
        }
        write_whole(stage.path(), bytes);
        {
            Opened opened = stage.open();
            REQUIRE(opened.found.size() == 1);
            CHECK(opened.dropped.empty());
            CHECK(opened.found[0].record.task.runs == (drafted ? 2 : 1));
            opened.table.write(opened.found[0].slot, small_record("api", 1, 3));
        }
        record = record_at(read_whole(stage.path()), 0);
        CHECK(is_whole(record.slot, 0));
        CHECK(record.slot.sequence == (drafted ? 8 : 2));
    }
}

TEST_CASE("a released record does not come back from the draft") {
    const Stage stage;
    {
        Opened opened = stage.open();
        const auto slot = opened.table.allocate();
        REQUIRE(slot);
        opened.table.write(*slot, small_record("api", 1));
        opened.table.release(*slot);
    }
    CHECK(stage.open().found.empty());
}

TEST_CASE("of two records with one name the later generation counts, and the other is reported") {
    for (const bool later_first : {true, false}) {
        const Stage stage;
        stage.given({small_record("one", 5), small_record("two", 9)});
        std::string bytes = read_whole(stage.path());
        // The same name in both: what a copy of a record to another place could not do, a defect of ours
        // could.
        for (const std::uint32_t place : {0U, 1U}) {
            RecordImage record = record_at(bytes, place);
            SlotImage& slot = record.slot;
            const std::uint64_t generation = (place == 0) == later_first ? 9 : 5;
            record.pid_generation = generation;
            record.pid = static_cast<pid_t>(generation * 100);
            slot.length = static_cast<std::uint32_t>(encode(small_record("api", generation), slot.payload));
            slot.checksum = slot_checksum(slot, slot.sequence, place);
            put_record(bytes, place, record);
        }
        put_draft(bytes, {});
        write_whole(stage.path(), bytes);
        const Opened opened = stage.open();
        REQUIRE(opened.found.size() == 1);
        CHECK(opened.found[0].record.task.generation == core::Generation{9});
        CHECK(opened.found[0].pid == 900);
        CHECK(opened.found[0].slot == SlotId{later_first ? 0U : 1U});
        REQUIRE(opened.dropped.size() == 1);
        CHECK(opened.dropped[0].reason == "there is a newer record of api");
        CHECK(opened.dropped[0].pid == 500);
        REQUIRE(opened.dropped[0].record);
        CHECK(opened.dropped[0].record->task.generation == core::Generation{5});
        CHECK(stage.open().dropped.empty());
    }
}

}  // namespace
}  // namespace vigil::state::test
