// New files by size and by age, and what becomes of the old ones.
#include <algorithm>
#include <filesystem>

#include "logs/log_name.hpp"
#include "logs/log_times.hpp"
#include "stage.hpp"

using namespace vigil;
using namespace vigil::output;
using namespace vigil::output::test;

namespace {

std::function<void(core::TaskSpec&)> rotated(std::uint64_t size, unsigned keep) {
    return [=](core::TaskSpec& spec) {
        spec.launch.edit().output.max_size = size;
        spec.launch.edit().output.keep = keep;
    };
}

}  // namespace

TEST_CASE("No line is lost, doubled or cut by rotation, whatever the sizes") {
    for (const std::uint64_t size : {200ULL, 4096ULL, 70'000ULL, 1'500'000ULL}) {
        CAPTURE(size);
        Stage stage;
        Task task = stage.start("api", rotated(size, 100'000));
        const std::size_t count = size < 1000 ? 500 : 60'000;
        const std::string text = numbered_lines(0, count);
        for (std::size_t at = 0; at < text.size(); at += 7919) task.print(text.substr(at, 7919));
        stage.end(task);
        for (const std::string& fault : stage.said(true)) FAIL_CHECK(fault);
        CHECK(stage.tally(task).written == text.size());
        CHECK((read_log(stage.path("api")) == text));
        const auto parts = parts_of(stage.path("api"));
        CHECK(parts.size() >= text.size() / (size + 122) - 1);
        CHECK(parts.size() > 1);
        for (const std::string& part : parts) {
            const std::string file = read_whole(part);
            CHECK(file.ends_with("\n"));
            // A line that had begun may be brought to its end.
            CHECK(file.size() <= size + 122);
        }
    }
}

TEST_CASE("nasty 51: 100 MB without a newline are cut at the limit") {
    Stage stage;
    Task task = stage.start("api", rotated(8U << 20U, 3));
    const std::string block(std::size_t{1} << 20U, 'x');
    for (int i = 0; i < 100; ++i) task.print(block);
    stage.end(task);
    CHECK(stage.tally(task).written == std::size_t{100} << 20U);
    const auto parts = parts_of(stage.path("api"));
    REQUIRE(parts.size() == 3);
    for (const std::string& part : parts)
        CHECK(std::filesystem::file_size(part) <= (8U << 20U) + kMostLineBytes);
}

TEST_CASE("Only so many older files are kept, and none with keep 0") {
    for (const unsigned keep : {0U, 2U}) {
        Stage stage;
        Task task = stage.start("api", rotated(1000, keep));
        const std::string text = numbered_lines(0, 300);
        task.print(text);
        stage.end(task);
        CHECK(parts_of(stage.path("api")).size() == keep);
        CHECK(text.ends_with(read_log(stage.path("api"))));
    }
}

TEST_CASE("Older files are bounded together") {
    Stage stage;
    Task task = stage.start("api", [](core::TaskSpec& spec) {
        spec.launch.edit().output.max_size = 1000;
        spec.launch.edit().output.keep = 1000;
        spec.launch.edit().output.max_total = 5000;
    });
    task.print(numbered_lines(0, 500));
    stage.end(task);
    std::uintmax_t total = 0;
    for (const std::string& part : parts_of(stage.path("api"))) total += std::filesystem::file_size(part);
    CHECK(total <= 5000);
    CHECK(total > 3000);
}

TEST_CASE("Numbers only grow, over restarts of the daemon and with nothing kept") {
    TempDir directory;
    std::uint64_t last = 0;
    for (int i = 0; i < 3; ++i) {
        Stage stage;
        Task task = stage.start("api", [&](core::TaskSpec& spec) {
            rotated(500, 0)(spec);
            spec.launch.edit().output.path = directory / "api.log";
        });
        task.print(numbered_lines(0, 50));
        stage.end(task);
        const auto marks = logs::read_times(directory / "api.log.times").value();
        REQUIRE(!marks.empty());
        CHECK(marks.back().number > last);
        last = marks.back().number;
    }
}

TEST_CASE("A file is not put aside over another") {
    Stage stage;
    write_whole(logs::part_path(stage.path("api"), 7), "of others\n");
    Task task = stage.start("api", rotated(100, 1000));
    const std::string text = numbered_lines(0, 20);
    task.print(text);
    stage.end(task);
    CHECK(read_log(stage.path("api")) == "of others\n" + text);
    CHECK(parts_of(stage.path("api"))[1] == logs::part_path(stage.path("api"), 8));
}

TEST_CASE("A file gets old, but not an empty one, and not in the middle of a line") {
    Stage stage;
    Task task = stage.start("api", [](core::TaskSpec& spec) {
        spec.launch.edit().output.max_age = 200ms;
        spec.launch.edit().output.keep = 100;
    });
    const auto count = [&] { return parts_of(stage.path("api")).size(); };
    task.print("one\n");
    CHECK(eventually([&] { return count() == 1; }));
    CHECK(exists(stage.path("api")));
    task.print("begun");
    REQUIRE(stage.settled(task, 9));
    CHECK_FALSE(eventually([&] { return count() > 1; }, 500ms));
    task.print(" ended\nnew\n");
    CHECK(eventually([&] { return count() >= 2; }));
    stage.end(task);
    CHECK(read_whole(parts_of(stage.path("api"))[1]) == "begun ended\n");
    CHECK(read_log(stage.path("api")) == "one\nbegun ended\nnew\n");
}

TEST_CASE("Older files are compressed, with their time kept") {
    Stage stage;
    Task task = stage.start("api", [](core::TaskSpec& spec) {
        spec.launch.edit().output.max_size = 50'000;
        spec.launch.edit().output.keep = 1000;
        spec.launch.edit().output.compress = true;
    });
    const std::string text = numbered_lines(0, 5000);
    task.print(text);
    stage.end(task);
    const auto all_packed = [&] {
        const auto parts = parts_of(stage.path("api"));
        return parts.size() > 3 && std::all_of(parts.begin(), parts.end(),
                                               [](const auto& part) { return part.ends_with(".zst"); });
    };
    CHECK(eventually(all_packed, 60s));
    CHECK(read_log(stage.path("api")) == text);
    struct stat found {};
    REQUIRE(::stat(parts_of(stage.path("api")).front().c_str(), &found) == 0);
    CHECK((found.st_mode & 07777U) == 0640);
}

TEST_CASE("After a restart what was left uncompressed is compressed, and a torn attempt is replaced") {
    Stage stage;
    const std::string part = logs::part_path(stage.path("api"), 3);
    write_whole(part, "older\n");
    write_whole(logs::compressed_path(part) + ".tmp", "torn");
    const auto then = std::filesystem::file_time_type::clock::now() - 1h;
    std::filesystem::last_write_time(part, then);
    Task task = stage.start("api", [](core::TaskSpec& spec) { spec.launch.edit().output.compress = true; });
    task.print("now\n");
    CHECK(eventually([&] { return !exists(part) && exists(logs::compressed_path(part)); }, 60s));
    CHECK(std::filesystem::last_write_time(logs::compressed_path(part)) == then);
    CHECK(!exists(logs::compressed_path(part) + ".tmp"));
    stage.end(task);
    CHECK(read_log(stage.path("api")) == "older\nnow\n");
}
