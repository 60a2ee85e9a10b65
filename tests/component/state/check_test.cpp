// What a program that is to go on from a living daemon makes of its files.
#include "state/check.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <fstream>

#include "component/state/stage.hpp"
#include "state/specs.hpp"

namespace vigil::state::test {
namespace {

void overwrite(const std::string& path, off_t at, const std::string& bytes) {
    const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    REQUIRE(::pwrite(file.get(), bytes.data(), bytes.size(), at) == static_cast<ssize_t>(bytes.size()));
}

bool says(const std::string& fault, const std::string& what) {
    INFO(fault);
    return fault.find(what) != std::string::npos;
}

/// A table of this boot and user, as Table::open() makes it for a daemon.
void given_table(const Stage& stage) {
    const auto identity = Identity::current();
    REQUIRE(identity);
    auto opened = stage.open(*identity);
    for (const char* name : {"api", "web", "db"}) {
        const auto slot = opened.table.allocate();
        REQUIRE(slot);
        opened.table.write(*slot, small_record(name, 3, 2));
    }
}

TEST_CASE("a table in use is no fault, and stays as it is") {
    const Stage stage;
    given_table(stage);
    CHECK(check_table(stage.path()).empty());
    CHECK(stage.open(*Identity::current()).found.size() == 3);
}

TEST_CASE("what would be set aside or dropped is said with its path") {
    const Stage stage;
    CHECK(says(check_table(stage.path()), "there is none"));
    given_table(stage);
    overwrite(stage.path(), static_cast<off_t>(file_size(1) + 16 + 12), "noise");
    CHECK(says(check_table(stage.path()), "record 1: it is not whole"));
    overwrite(stage.path(), 12, std::string("\7\0\0\0", 4));
    CHECK(says(check_table(stage.path()), "of format version 7"));
    CHECK(says(check_table(stage.path()), stage.path()));
    overwrite(stage.path(), 0, "x");
    CHECK_FALSE(check_table(stage.path()).empty());
}

TEST_CASE("a spec store of another version is said, one with a torn end is none") {
    const Stage stage;
    const std::string path = stage / "specs";
    CHECK(says(check_specs(path), "there is none"));
    {
        auto opened = SpecStore::open(path);
        REQUIRE(opened);
        REQUIRE(opened->store.append("api", SpecOrigin::config, "{}"));
    }
    CHECK(check_specs(path).empty());
    std::ofstream(path, std::ios::app) << "torn";
    CHECK(check_specs(path).empty());
    overwrite(path, 0, "x");
    CHECK(says(check_specs(path), "no spec store of this version"));
}

}  // namespace
}  // namespace vigil::state::test
