#include "keeper/table.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <vector>

using namespace vigil;
using namespace vigil::keeper;

namespace {

struct Given {
    std::vector<UniqueFd> descriptors;
    std::vector<int> numbers;

    explicit Given(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            descriptors.emplace_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
            numbers.push_back(descriptors.back().get());
        }
    }
};

bool is_open(int fd) {
    return ::fcntl(fd, F_GETFD) >= 0;
}

bool put(Table& table, const char* key, Given& given) {
    return table.put(key, given.descriptors);
}

Status status_of(const Table& table) {
    Status status;
    table.describe(status);
    return status;
}

}  // namespace

TEST_CASE("what is put is held until it is dropped") {
    Table table(10, 10);
    Given given(3);
    REQUIRE(put(table, "a", given));
    CHECK(status_of(table).entries == 1);
    CHECK(status_of(table).descriptors == 3);
    for (const int fd : given.numbers) CHECK(is_open(fd));
    table.drop("b");
    CHECK(status_of(table).descriptors == 3);
    table.drop("a");
    CHECK(status_of(table) == Status{.most_entries = 10, .most_descriptors = 10});
    for (const int fd : given.numbers) CHECK_FALSE(is_open(fd));
}

TEST_CASE("an entry of the same key is replaced and what it had is closed") {
    Table table(1, 4);
    Given first(3);
    Given second(4);
    REQUIRE(put(table, "a", first));
    REQUIRE(put(table, "a", second));
    CHECK(status_of(table).entries == 1);
    CHECK(status_of(table).descriptors == 4);
    for (const int fd : first.numbers) CHECK_FALSE(is_open(fd));
    for (const int fd : second.numbers) CHECK(is_open(fd));
}

TEST_CASE("what has no room changes nothing and stays with its giver") {
    Table few_descriptors(10, 4);
    Table few_entries(1, 10);
    Given three(3);
    Given two(2);
    Given one(1);
    REQUIRE(put(few_descriptors, "a", three));
    CHECK_FALSE(put(few_descriptors, "b", two));
    CHECK_FALSE(few_descriptors.entries().contains("b"));
    REQUIRE(put(few_entries, "a", one));
    CHECK_FALSE(put(few_entries, "b", two));
    for (const auto& fd : two.descriptors) CHECK(is_open(fd.get()));
    CHECK(status_of(few_descriptors).descriptors == 3);
    CHECK(status_of(few_entries).descriptors == 1);
}
