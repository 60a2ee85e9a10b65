// However much is in a record, it fits, and what is cut is text.
#include <doctest/doctest.h>

#include <memory>
#include <random>
#include <string>

#include "base/text.hpp"
#include "state/record.hpp"
#include "state/record_fields.hpp"
#include "unit/state/samples.hpp"

namespace vigil::state::test {
namespace {

namespace cause = core::cause;

/// Every field at its largest, every text far too long.
Record largest(const std::string& text) {
    Record record = full_record(std::string(kMostName, 'n'));
    record.run.notify_path = "/" + std::string(kMostNotifyPath - 1, 'p');
    record.task.cause = {
        cause::AttemptsExhausted{9, std::make_shared<const core::Cause>(
                                        core::Cause{cause::SpawnFailed{{core::SpawnStage::exec, 1, text}}})}};
    record.task.why = record.task.cause;
    record.task.status_text = text;
    return record;
}

std::string detail_of(const core::Cause& of) {
    const auto& end = std::get<cause::AttemptsExhausted>(of.kind);
    return std::get<cause::SpawnFailed>(end.last->kind).failure.detail;
}

TEST_CASE("the largest record fits and every text keeps what it has in any case") {
    const std::string text(100'000, 'x');
    const Record record = largest(text);
    CHECK(encoded(record).size() <= kRecordCapacity);
    CHECK(encoded(record).size() > kRecordCapacity - 4);
    const auto read = decode(encoded(record));
    REQUIRE(read);
    CHECK(read->task.name == record.task.name);
    CHECK(read->run == record.run);
    CHECK(detail_of(read->task.cause).size() >= kLeastText);
    CHECK(detail_of(read->task.why).size() == kLeastText);
    CHECK(read->task.status_text.size() == kLeastText);
}

TEST_CASE("a text may use what the others leave") {
    Record record = small_record("api", 1);
    record.task.status_text = std::string(1000, 's');
    CHECK(decode(encoded(record))->task.status_text.size() == 255);
    record.task.cause = {cause::Dependency{std::string(1000, 'd')}};
    CHECK(encoded(record).size() == kRecordCapacity);
    const auto read = decode(encoded(record));
    CHECK(std::get<cause::Dependency>(read->task.cause.kind).task.size() == 255);
    CHECK(read->task.status_text.size() > 150);
}

TEST_CASE("a text is cut between two characters") {
    const std::string character = "\xE2\x82\xAC";  // EURO SIGN
    for (int lead = 0; lead < 3; ++lead) {
        std::string text(static_cast<std::size_t>(lead), 'a');
        while (text.size() < 2000) text += character;
        const auto read = decode(encoded(largest(text)));
        REQUIRE(read);
        CHECK(is_utf8(read->task.status_text));
        CHECK(is_utf8(detail_of(read->task.cause)));
        CHECK(read->task.status_text.size() + 3 > kLeastText);
    }
}

TEST_CASE("bytes that are no text are cut as well") {
    const auto read = decode(encoded(largest(std::string(2000, '\x80'))));
    REQUIRE(read);
    CHECK(read->task.status_text == std::string(kLeastText, '\x80'));
}

TEST_CASE("records of any values fit, whatever the length of their texts") {
    std::mt19937_64 random(99);
    for (int round = 0; round < 3000; ++round) {
        const auto bytes = encoded(random_record(random, 400));
        REQUIRE(bytes.size() <= kRecordCapacity);
        REQUIRE(decode(bytes));
    }
}

TEST_CASE("a path that no socket can have is left out rather than cut") {
    Record record = small_record("api", 1);
    record.run.notify_path = "/" + std::string(kMostNotifyPath, 'p');
    CHECK(decode(encoded(record))->run.notify_path.empty());
}

}  // namespace
}  // namespace vigil::state::test
