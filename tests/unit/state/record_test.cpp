#include "state/record.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>

#include "unit/state/samples.hpp"

namespace vigil::state::test {
namespace {

std::string read_back(const Record& record) {
    const auto decoded = decode(encoded(record));
    return decoded ? describe(*decoded) : decoded.error();
}

TEST_CASE("a record in which every field is set is read as it was written") {
    CHECK(read_back(full_record()) == describe(full_record()));
}

TEST_CASE("a record in which nothing but the name is set is read as it was written, from its name alone") {
    Record record;
    record.task.name = "api";
    CHECK(read_back(record) == describe(record));
    CHECK(encoded(record).size() == 5);
}

TEST_CASE("each field by itself is read as it was written") {
    using namespace std::chrono_literals;
    const Record full = full_record();
    std::vector<Record> records(23, small_record("one", 0));
    std::size_t next = 0;
    records[next++].task.desired = full.task.desired;
    records[next++].task.state = full.task.state;
    records[next++].task.paused = true;
    records[next++].task.ordered = true;
    records[next++].task.forced = true;
    records[next++].task.killed = true;
    records[next++].task.asked = true;
    records[next++].task.next_step = 0;
    records[next++].task.state_due = core::TimePoint{};
    records[next++].run.cgroup = true;
    records[next++].task.started_at = full.task.started_at;
    records[next++].task.stable_due = full.task.stable_due;
    records[next++].task.state_due = full.task.state_due;
    records[next++].task.stable_due = core::TimePoint{};
    records[next++].task.main_pid = 1;
    records[next++].task.ended = core::ExitStatus{};
    records[next++].task.heartbeat_timeout = 0s;
    records[next++].task.last_exit = core::LastExit{};
    records[next++].task.last_exit = full.task.last_exit;
    records[next++].run.invocation[15] = 1;
    records[next++].run.uid = 1;
    records[next++].task.status_text = "ready";
    records[next++].run.notify_path = "/n";
    for (const Record& record : records) CHECK(read_back(record) == describe(record));
}

TEST_CASE("every cause is read as it was written, as the cause and as the reason of a stop") {
    for (const core::Cause& cause : every_cause()) {
        Record record = small_record("api", 3);
        record.task.cause = cause;
        CHECK(read_back(record) == describe(record));
        record.task.why = cause;
        CHECK(read_back(record) == describe(record));
    }
}

TEST_CASE("records of any values are read as they were written, where their texts are short") {
    std::mt19937_64 random(20'261);
    for (int round = 0; round < 3000; ++round) {
        const Record record = random_record(random, kLeastText);
        CAPTURE(round);
        REQUIRE(read_back(record) == describe(record));
    }
}

TEST_CASE("any bytes are a record that can be written again, or an error that says at which byte") {
    std::mt19937_64 random(7);
    const std::vector<std::uint8_t> whole = encoded(full_record());
    for (int round = 0; round < 20'000; ++round) {
        std::vector<std::uint8_t> bytes = whole;
        for (int change = 0; change < 1 + round % 4; ++change)
            bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random());
        if (round % 3 == 0) bytes.resize(random() % bytes.size());
        const auto decoded = decode(bytes);
        if (decoded)
            REQUIRE(read_back(*decoded) == describe(*decoded));
        else
            REQUIRE(decoded.error().find("at byte ") != std::string::npos);
    }
}

TEST_CASE("what no record can be is refused with a reason") {
    const auto fault = [](std::vector<std::uint8_t> bytes) {
        const auto decoded = decode(bytes);
        return decoded ? std::string("accepted") : decoded.error();
    };
    CHECK(fault({}) == "no name, at byte 0");
    CHECK(fault({1}) == "half a field, at byte 0");
    CHECK(fault({1, 4, 'a', 'p', 'i'}) == "a field that goes on beyond the end, at byte 0");
    CHECK(fault({1, 3, 'a', 'p', 'i', 3, 1, 8}) == "unknown state 8, at byte 5");
    CHECK(fault({1, 3, 'a', 'p', 'i', 2, 1, 4}) == "unknown desired state 4, at byte 5");
    CHECK(fault({1, 2, '.', '.'}) == "a name that no task can have, at byte 0");
    CHECK(fault({1, 3, 'a', '/', 'b'}) == "a name that no task can have, at byte 0");
    CHECK(fault({1, 3, 'a', 0, 'b'}) == "a name that no task can have, at byte 0");
    CHECK(fault({1, 0}) == "a name that no task can have, at byte 0");
}

}  // namespace
}  // namespace vigil::state::test
