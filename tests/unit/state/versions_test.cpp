// Versions read each other's records.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "state/record.hpp"
#include "state/record_fields.hpp"
#include "unit/state/samples.hpp"

namespace vigil::state::test {
namespace {

using Bytes = std::vector<std::uint8_t>;

struct Field {
    std::uint8_t tag;
    Bytes body;
};

std::vector<Field> fields_of(const Bytes& bytes) {
    std::vector<Field> fields;
    for (std::size_t at = 0; at < bytes.size(); at += 2U + bytes[at + 1]) {
        const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(at) + 2;
        fields.push_back({bytes[at], Bytes(begin, begin + bytes[at + 1])});
    }
    return fields;
}

Bytes joined(const std::vector<Field>& fields) {
    Bytes bytes;
    for (const Field& field : fields) {
        bytes.push_back(field.tag);
        bytes.push_back(static_cast<std::uint8_t>(field.body.size()));
        bytes.insert(bytes.end(), field.body.begin(), field.body.end());
    }
    return bytes;
}

std::string read(const Bytes& bytes) {
    const auto decoded = decode(bytes);
    return decoded ? describe(*decoded) : decoded.error();
}

TEST_CASE("nasty 75: fields that only a later version knows are skipped, wherever they stand") {
    const Bytes whole = encoded(full_record());
    const auto fields = fields_of(whole);
    for (std::size_t place = 0; place <= fields.size(); ++place) {
        auto later = fields;
        later.insert(later.begin() + static_cast<std::ptrdiff_t>(place), {{0, {}}, {200, Bytes(255, 0xAB)}});
        CHECK(read(joined(later)) == describe(full_record()));
    }
}

TEST_CASE("numbers that a later version has added to a field are skipped") {
    auto fields = fields_of(encoded(full_record()));
    for (Field& field : fields) {
        const auto tag = static_cast<Tag>(field.tag);
        const bool is_text = tag == Tag::name || tag == Tag::notify_path ||
                             (tag >= Tag::cause_text && tag <= Tag::status_text);
        // The last exit ends with an optional part and a cause with its last cause: both only ever grow
        // behind.
        if (!is_text) field.body.insert(field.body.end(), {1, 2, 3});
    }
    CHECK(read(joined(fields)) == describe(full_record()));
}

TEST_CASE(
    "nasty 75: a field that an earlier version did not write has its default, and the others what they had") {
    const auto fields = fields_of(encoded(full_record()));
    CHECK(fields.size() ==
          static_cast<std::size_t>(Tag::stop_step) - 2);  // every tag but two texts of causes
    for (std::size_t left_out = 0; left_out < fields.size(); ++left_out) {
        auto earlier = fields;
        earlier.erase(earlier.begin() + static_cast<std::ptrdiff_t>(left_out));
        const auto decoded = decode(joined(earlier));
        if (static_cast<Tag>(fields[left_out].tag) == Tag::name) {
            CHECK_FALSE(decoded);
            continue;
        }
        REQUIRE(decoded);
        const auto again = fields_of(encoded(*decoded));
        REQUIRE(again.size() == earlier.size());
        for (std::size_t i = 0; i < again.size(); ++i) {
            CHECK(again[i].tag == earlier[i].tag);
            CHECK(again[i].body == earlier[i].body);
        }
    }
}

TEST_CASE("numbers that were shorter in an earlier version are read as they are") {
    auto fields = fields_of(encoded(small_record("api", 5, 300)));
    for (Field& field : fields)
        if (static_cast<Tag>(field.tag) == Tag::runs) field.body.resize(2);
    CHECK(decode(joined(fields))->task.runs == 300);
}

TEST_CASE("the bytes of a record stay what they are, as files of earlier versions have them") {
    Record record = small_record("api", 7, 2);
    record.task.cause = {core::cause::ExitCode{3}};
    record.task.status_text = "ok";
    const Bytes expected{1,  3, 'a', 'p', 'i',                 // name
                         3,  1, 2,                             // state healthy
                         5,  8, 7,   0,   0,   0, 0, 0, 0, 0,  // generation
                         6,  8, 2,   0,   0,   0, 0, 0, 0, 0,  // runs
                         16, 5, 2,   3,   0,   0, 0,           // cause exit-code 3
                         26, 2, 'o', 'k'};                     // status text
    CHECK(encoded(record) == expected);
}

}  // namespace
}  // namespace vigil::state::test
