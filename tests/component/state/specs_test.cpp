#include "state/specs.hpp"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <random>
#include <string>

#include "component/state/stage.hpp"

namespace vigil::state::test {
namespace {

OpenedSpecs open(const Stage& stage) {
    auto opened = SpecStore::open(stage / "specs");
    REQUIRE(opened);
    return std::move(opened).value();
}

/// Three specs with ids 1, 2 and 3.
std::vector<StoredSpec> given_three(const Stage& stage) {
    OpenedSpecs opened = open(stage);
    REQUIRE(*opened.store.append("api", SpecOrigin::config, R"({"command":["a"]})") == 1);
    REQUIRE(*opened.store.append("sync", SpecOrigin::added, R"({"command":["b\t"]})") == 2);
    REQUIRE(*opened.store.append("api", SpecOrigin::config, "{}") == 3);
    return {{1, "api", SpecOrigin::config, R"({"command":["a"]})"},
            {2, "sync", SpecOrigin::added, R"({"command":["b\t"]})"},
            {3, "api", SpecOrigin::config, "{}"}};
}

TEST_CASE("a spec store that is not there is made, for its owner alone, and is empty") {
    const Stage stage;
    CHECK(open(stage).specs.empty());
    struct stat status {};
    REQUIRE(::stat((stage / "specs").c_str(), &status) == 0);
    CHECK((status.st_mode & 07777U) == 0600);
    CHECK(open(stage).specs.empty());
    CHECK_FALSE(open(stage).set_aside);
}

TEST_CASE("specs are read in the order in which they were stored") {
    const Stage stage;
    const auto specs = given_three(stage);
    OpenedSpecs opened = open(stage);
    CHECK(opened.specs == specs);
    CHECK(opened.damaged == 0);
    CHECK_FALSE(opened.torn);
    CHECK(*opened.store.append("web", SpecOrigin::config, "{}") == 4);
    CHECK(open(stage).specs.size() == 4);
}

TEST_CASE("a spec of megabytes is read as it was stored") {
    const Stage stage;
    const std::string json(5'000'000, 'x');
    REQUIRE(open(stage).store.append("api", SpecOrigin::config, json));
    CHECK(open(stage).specs[0].json == json);
}

TEST_CASE("what is no line is refused, and nothing is stored") {
    const Stage stage;
    OpenedSpecs opened = open(stage);
    const std::uint64_t before = opened.store.size();
    CHECK(opened.store.append("api", SpecOrigin::config, "{\n}").error().code == EINVAL);
    CHECK(opened.store.append("a\tb", SpecOrigin::config, "{}").error().code == EINVAL);
    CHECK(opened.store.append("", SpecOrigin::config, "{}").error().code == EINVAL);
    CHECK(opened.store.size() == before);
    CHECK(read_whole(stage / "specs").size() == before);
}

TEST_CASE("a store keeps the specs that are still in use, and gives no id twice") {
    const Stage stage;
    const auto specs = given_three(stage);
    OpenedSpecs opened = open(stage);
    REQUIRE(opened.store.compact({2, 77}));
    CHECK(open(stage).specs == std::vector{specs[1]});
    CHECK(*opened.store.append("web", SpecOrigin::added, "{}") == 4);
    REQUIRE(opened.store.compact({}));
    CHECK(opened.store.size() == read_whole(stage / "specs").size());
    OpenedSpecs again = open(stage);
    CHECK(again.specs.empty());
    CHECK(*again.store.append("web", SpecOrigin::added, "{}") == 5);
    CHECK_FALSE(exists(stage / "specs.new"));
}

TEST_CASE("a store of which every line is in use is not written anew") {
    const Stage stage;
    (void)given_three(stage);
    OpenedSpecs opened = open(stage);
    const auto file = [&] {
        struct stat found {};
        REQUIRE(::stat((stage / "specs").c_str(), &found) == 0);
        return found.st_ino;
    };
    const auto before = file();
    REQUIRE(opened.store.compact({3, 1, 2, 2, 0}));
    CHECK(file() == before);
    const std::uint64_t fourth = *opened.store.append("web", SpecOrigin::added, "{}");
    REQUIRE(opened.store.compact({1, 2, 3, fourth}));
    CHECK(file() == before);
    REQUIRE(opened.store.compact({1, 2, fourth, 0}));
    CHECK(open(stage).specs.size() == 3);
    const auto after = file();
    CHECK(after != before);
    REQUIRE(opened.store.compact({1, 2, fourth}));
    CHECK(file() == after);
}

TEST_CASE("a store that is cut at any byte loses the lines behind the cut and can be added to") {
    const Stage stage;
    const auto specs = given_three(stage);
    const std::string whole = read_whole(stage / "specs");
    const std::size_t head = whole.find('\n') + 1;
    for (std::size_t size = 0; size <= whole.size(); ++size) {
        CAPTURE(size);
        write_whole(stage / "specs", whole.substr(0, size));
        std::size_t left = 0;
        {
            OpenedSpecs opened = open(stage);
            REQUIRE(opened.set_aside.has_value() == (size < head));
            REQUIRE(opened.damaged == 0);
            left = opened.specs.size();
            REQUIRE(left <= specs.size());
            for (std::size_t i = 0; i < left; ++i) REQUIRE(opened.specs[i] == specs[i]);
            REQUIRE(opened.torn == (size >= head && whole[size - 1] != '\n'));
            REQUIRE(opened.store.append("new", SpecOrigin::added, "{}"));
        }
        const OpenedSpecs again = open(stage);
        REQUIRE_FALSE(again.torn);
        REQUIRE(again.damaged == 0);
        REQUIRE(again.specs.size() == left + 1);
    }
}

TEST_CASE("a store with any one byte changed loses one or two lines and says so, or is set aside") {
    const Stage stage;
    const auto specs = given_three(stage);
    const std::string whole = read_whole(stage / "specs");
    const std::size_t head = whole.find('\n') + 1;
    for (std::size_t at = 0; at < whole.size(); ++at) {
        CAPTURE(at);
        std::string bytes = whole;
        bytes[at] = static_cast<char>(bytes[at] ^ 2);
        write_whole(stage / "specs", bytes);
        const OpenedSpecs opened = open(stage);
        for (const StoredSpec& spec : opened.specs) REQUIRE(spec == specs[spec.id - 1]);
        // The next id in the head has no checksum: ids of specs that are there count as well.
        if (at < head)
            REQUIRE((opened.set_aside || opened.specs == specs));
        else
            REQUIRE((opened.damaged > 0 || opened.torn));
    }
}

TEST_CASE("an id that is there twice counts once") {
    const Stage stage;
    given_three(stage);
    const std::string whole = read_whole(stage / "specs");
    write_whole(stage / "specs", whole + whole.substr(whole.find('\n') + 1));
    OpenedSpecs opened = open(stage);
    CHECK(opened.specs.size() == 3);
    CHECK(opened.damaged == 3);
    REQUIRE(opened.store.compact({1, 2, 3}));
    CHECK(open(stage).specs == opened.specs);
    CHECK(open(stage).damaged == 0);
}

TEST_CASE("a file that is no spec store is set aside and made anew") {
    const Stage stage;
    for (const char* text : {"{}\n", "\n", "vigil-specs\t2\t1\n", "vigil-specs\t1\tx\n"}) {
        write_whole(stage / "specs", text);
        const OpenedSpecs opened = open(stage);
        REQUIRE(opened.set_aside);
        CHECK(opened.set_aside->path == stage / "specs.bad");
        CHECK(read_whole(stage / "specs.bad") == text);
    }
    REQUIRE(::symlink("specs.bad", (stage / "link").c_str()) == 0);
    CHECK(SpecStore::open(stage / "link")->set_aside->reason == "a symbolic link");
}

TEST_CASE("a writer of specs killed at any moment leaves whole lines, all that were answered among them") {
    const Stage stage;
    SharedWords stored;
    std::mt19937_64 random(static_cast<std::uint64_t>(::getpid()));
    for (int round = 0; round < 100; ++round) {
        const pid_t child = fork_child([&] {
            auto opened = SpecStore::open(stage / "specs");
            must(opened.ok(), "opening the specs");
            std::vector<std::uint64_t> live;
            for (const StoredSpec& spec : opened->specs) live.push_back(spec.id);
            while (true) {
                const auto id = opened->store.append("api", SpecOrigin::added, std::string(500, 'x'));
                must(id.ok(), "storing");
                live.push_back(*id);
                stored.set(0, *id);
                if (live.size() > 50) {
                    live.erase(live.begin(), live.begin() + 40);
                    must(opened->store.compact(live).ok(), "compacting");
                }
            }
        });
        ::usleep(static_cast<useconds_t>(random() % 3000));
        ::kill(child, SIGKILL);
        REQUIRE(WIFSIGNALED(wait_for(child)));
        const OpenedSpecs opened = open(stage);
        REQUIRE_FALSE(opened.set_aside);
        REQUIRE(opened.damaged == 0);
        for (std::size_t i = 1; i < opened.specs.size(); ++i)
            REQUIRE(opened.specs[i].id == opened.specs[i - 1].id + 1);
        if (stored.get(0) != 0) {
            REQUIRE_FALSE(opened.specs.empty());
            REQUIRE(opened.specs.back().id >= stored.get(0));
        }
    }
}

}  // namespace
}  // namespace vigil::state::test
