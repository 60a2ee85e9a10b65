// Lines with a time and a name.
#include <sys/resource.h>

#include <regex>
#include <sstream>
#include <thread>

#include "stage.hpp"

using namespace vigil;
using namespace vigil::output;
using namespace vigil::output::test;
using Lines = std::vector<std::string>;

namespace {

std::function<void(core::TaskSpec&)> formatted(core::OutputFormat format) {
    return [format](core::TaskSpec& spec) { spec.launch.edit().output.format = format; };
}

/// The lines of a log without their times.
Lines lines_of(const std::string& log) {
    static const std::regex kTime(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)");
    Lines lines;
    std::istringstream in(log);
    for (std::string line; std::getline(in, line);)
        lines.push_back(std::regex_replace(line, kTime, "T", std::regex_constants::format_first_only));
    return lines;
}

}  // namespace

TEST_CASE("Lines get a time and a name, and last words are without") {
    Stage stage;
    Task task = stage.start("api", formatted(core::OutputFormat::prefix));
    task.print("one\n\ntwo");
    CHECK(stage.end(task) == Lines{"one", "", "two"});
    CHECK(lines_of(read_whole(stage.path("api"))) ==
          Lines{"T api[4711] out: one", "T api[4711] out: ", "T api[4711] out: two"});
    CHECK(stage.tally(task).written == 8);
}

TEST_CASE("nasty 52: NUL, ESC, CR and bad UTF-8 make good JSON") {
    Stage stage;
    Task task = stage.start("api", formatted(core::OutputFormat::json));
    task.print(std::string("\0\x1b\r\xff\n", 5));
    stage.end(task);
    CHECK(lines_of(read_whole(stage.path("api"))) ==
          Lines{"{\"time\":\"T\",\"task\":\"api\",\"pid\":4711,\"stream\":\"out\",\"text\":"
                "\"\\u0000\\u001b\\r\xef\xbf\xbd\"}"});
}

TEST_CASE("An unfinished line stays in the pipe, is not spun on, and is written after a while") {
    Stage stage([](CollectorOptions& options) { options.partial_line_after = 700ms; });
    Task task = stage.start("api", formatted(core::OutputFormat::timestamp));
    task.print("whole\nhalf");
    REQUIRE(stage.settled(task, 6));
    CHECK(task.waiting() == 4);
    rusage before{};
    rusage after{};
    ::getrusage(RUSAGE_SELF, &before);
    std::this_thread::sleep_for(200ms);
    ::getrusage(RUSAGE_SELF, &after);
    CHECK(after.ru_nvcsw - before.ru_nvcsw < 100);
    REQUIRE(stage.settled(task, 10));
    CHECK(task.waiting() == 0);
    task.print(" done\n");
    stage.end(task);
    CHECK(lines_of(read_whole(stage.path("api"))) == Lines{"T whole", "T half \\", "T  done"});
}

TEST_CASE("A line that ends with its task's stdout is whole") {
    Stage stage([](CollectorOptions& options) { options.partial_line_after = 1h; });
    Task task = stage.start("api", formatted(core::OutputFormat::timestamp));
    task.print("end");
    task.out.reset();
    REQUIRE(stage.settled(task, 3));
    stage.end(task);
    CHECK(lines_of(read_whole(stage.path("api"))) == Lines{"T end"});
}

TEST_CASE("nasty 51: 10 MB without a newline are cut into lines of bounded length") {
    Stage stage;
    Task task = stage.start("api", formatted(core::OutputFormat::timestamp));
    const std::string block(1'000'000, 'x');
    for (int i = 0; i < 10; ++i) task.print(block);
    stage.end(task);
    std::size_t text = 0;
    for (const std::string& line : lines_of(read_whole(stage.path("api")))) {
        CHECK(line.size() <= kMostLineBytes + 4);
        text += static_cast<std::size_t>(std::count(line.begin(), line.end(), 'x'));
    }
    CHECK(text == 10'000'000);
    CHECK(stage.tally(task).written == 10'000'000);
}

TEST_CASE("Formatted lines are whole and complete across rotation") {
    Stage stage;
    Task task = stage.start("api", [](core::TaskSpec& spec) {
        spec.launch.edit().output.format = core::OutputFormat::timestamp;
        spec.launch.edit().output.max_size = 100'000;
        spec.launch.edit().output.keep = 1000;
    });
    const std::string text = numbered_lines(0, 20'000);
    task.print(text);
    stage.end(task);
    for (const std::string& part : parts_of(stage.path("api"))) {
        const std::string file = read_whole(part);
        CHECK(file.size() <= 100'000);
        CHECK(file.ends_with("\n"));
    }
    CHECK(parts_of(stage.path("api")).size() > 10);
    std::string plain;
    std::istringstream in(read_log(stage.path("api")));
    for (std::string line; std::getline(in, line);) plain += line.substr(25) + "\n";
    CHECK(plain == text);
}
