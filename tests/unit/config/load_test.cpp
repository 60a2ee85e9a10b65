// Whole configurations: files, includes, limits, and all problems at once.
#include "support.hpp"

using namespace vigil;
using namespace vigil::config;

namespace {

std::string tasks(std::size_t count) {
    std::string text = "{\"tasks\": {";
    for (std::size_t i = 0; i < count; ++i)
        text += (i == 0 ? "\"t" : ",\n\"t") + std::to_string(i) + "\": {\"command\": [\"x\"]}";
    return text + "}}";
}

std::vector<std::string> names(const Config& config) {
    std::vector<std::string> out;
    for (const core::SpecPtr& spec : config.tasks) out.push_back(spec->name);
    return out;
}

}  // namespace

TEST_CASE("the smallest configuration is an empty object") {
    const Config config = loaded("{}");
    CHECK(config.tasks.empty());
    CHECK(config.files == std::vector<std::string>{kMain});
    CHECK(config.daemon.control.mode == 0660);
    CHECK(config.defaults.object == nullptr);
}

TEST_CASE("the daemon's settings are read") {
    const DaemonSettings daemon = loaded(R"({"version": 1, "daemon": {"runtime_dir": "/r", "state_dir": "/s",
        "log_dir": "/l", "control": {"mode": "0600", "group": "ops", "read_group": "monitoring"},
        "log": {"level": "debug"}, "max_dead_fraction": 0.5, "max_starting": 4, "cgroup": "off"}})")
                                      .daemon;
    CHECK(daemon.runtime_dir == "/r");
    CHECK(daemon.state_dir == "/s");
    CHECK(daemon.log_dir == "/l");
    CHECK(daemon.control.mode == 0600);
    CHECK(daemon.control.group == "ops");
    CHECK(daemon.control.read_group == "monitoring");
    CHECK(daemon.log_level == LogLevel::debug);
    CHECK(daemon.max_dead_fraction == 0.5);
    CHECK(daemon.max_starting == 4U);
}

TEST_CASE("included files are read in sorted order, relative to the file that includes them") {
    MemoryFiles files;
    files.texts[kMain] =
        R"({"include": ["conf.d/*.json", "/opt/x.json"], "tasks": {"main": {"command": ["x"]}}})";
    files.texts["/etc/conf.d/b.json"] = R"({"tasks": {"b": {"command": ["x"]}}})";
    files.texts["/etc/conf.d/a.json"] = R"({"version": 1, "tasks": {"a": {"command": ["x"]}}})";
    files.texts["/etc/conf.d/note.txt"] = "no JSON";
    files.texts["/opt/x.json"] = R"({"tasks": {"x": {"command": ["x"]}}})";
    const auto config = load(files, kMain);
    REQUIRE(config.ok());
    CHECK(names(*config) == std::vector<std::string>{"main", "a", "b", "x"});
    CHECK(config->files ==
          std::vector<std::string>{kMain, "/etc/conf.d/a.json", "/etc/conf.d/b.json", "/opt/x.json"});
}

TEST_CASE("a file that two patterns match is read once, and the main file does not include itself") {
    MemoryFiles files;
    files.texts[kMain] = R"({"include": ["*.json", "./a.json"]})";
    files.texts["/etc/a.json"] = R"({"tasks": {"a": {"command": ["x"]}}})";
    const auto config = load(files, kMain);
    REQUIRE(config.ok());
    CHECK(config->tasks.size() == 1);
    CHECK(files.reads.size() == 2);
}

TEST_CASE("a pattern may match nothing, a plain path must exist") {
    CHECK(problems_of(R"({"include": ["conf.d/*.json"]})") == "");
    CHECK(problems_of(R"({"include": ["none.json"]})") ==
          "1:14: opening /etc/none.json: No such file or directory (ENOENT)\n");
    CHECK(mentions(problems_of(R"({"include": ["unreadable/*"]})"), "EACCES"));
}

TEST_CASE("an included file holds tasks and nothing else") {
    MemoryFiles files;
    files.texts[kMain] = R"({"include": ["a.json"]})";
    files.texts["/etc/a.json"] = R"({"include": ["b.json"], "daemon": {}, "defaults": {}, "x-free": 1})";
    const auto config = load(files, kMain);
    REQUIRE_FALSE(config.ok());
    CHECK(config.error().size() == 3);
    CHECK(config.error()[0].message ==
          "include: this key belongs in the main file (/etc/vigil.json); an included file holds tasks");
    CHECK_MESSAGE(files.reads.size() == 2, "what it would include is not read");
}

TEST_CASE("a name in two files is an error that names both places") {
    MemoryFiles files;
    files.texts[kMain] = "{\"include\": [\"a.json\"],\n \"tasks\": {\"api\": {\"command\": [\"x\"]}}}";
    files.texts["/etc/a.json"] = "{\"tasks\": {\n  \"api\": {\"command\": [\"y\"]}}}";
    const auto config = load(files, kMain);
    REQUIRE_FALSE(config.ok());
    REQUIRE(config.error().size() == 1);
    CHECK(config.error()[0].text() ==
          "/etc/a.json:2:3: tasks.api: this name is taken; the first is at /etc/vigil.json:2:12\n"
          "  \"api\": {\"command\": [\"y\"]}}}\n"
          "  ^");
}

TEST_CASE("a key that appears twice or a number that does not fit hides no other problem") {
    const std::string problems = problems_of(R"({"tasks": {"a": {"comand": ["x"]},
"a": {"command": ["x"]},
"b": {"command": ["x"], "nice": 99999999999999999999}, "c": {}}})");
    CHECK(mentions(problems, "tasks.a.comand: unknown key"));
    CHECK(mentions(problems, "2:1: \"a\" is written twice"));
    CHECK(mentions(problems, "99999999999999999999 does not fit into 64 bits"));
    CHECK(mentions(problems, "tasks.c"));
    CHECK_FALSE(mentions(problems, "tasks.b.nice"));
}

TEST_CASE("nasty 57: a name twice in one file is an error that names both places") {
    CHECK(
        mentions(problems_of("{\"tasks\": {\"a\": {\"command\": [\"x\"]},\n\"a\": {\"command\": [\"x\"]}}}"),
                 "2:1: \"a\" is written twice in this object; the first is at line 1, column 12"));
}

TEST_CASE("all problems of all files come at once, by file and by place") {
    MemoryFiles files;
    files.texts[kMain] =
        "{\n\"tasks\": {\"a\": {\"command\": [], \"nice\": 99}},\n\"daemon\": {\"lgo\": 1},\n"
        "\"include\": [\"broken.json\", \"b.json\"]\n}";
    files.texts["/etc/broken.json"] = "{\"tasks\": ";
    files.texts["/etc/b.json"] = "{\"tasks\": {\"b\": {\"comand\": [\"x\"]}}}";
    const auto config = load(files, kMain);
    REQUIRE_FALSE(config.ok());
    std::string all;
    for (const Problem& problem : config.error())
        all += problem.file + ":" + std::to_string(problem.place.line) + " " + problem.message + "\n";
    CHECK(all ==
          "/etc/vigil.json:2 tasks.a.command: an empty array names no program\n"
          "/etc/vigil.json:2 tasks.a.nice: 99 is out of range; write an integer from -20 to 19\n"
          "/etc/vigil.json:3 daemon.lgo: unknown key; did you mean \"log\"?\n"
          "/etc/broken.json:1 the text ends here, but the '{' of line 1, column 1 is not closed\n"
          "/etc/b.json:1 tasks.b.comand: unknown key; did you mean \"command\"?\n");
}

TEST_CASE("a key in the wrong object is shown its right place") {
    CHECK(mentions(member_problems(R"("max_attempts": 3)"), "did you mean \"restart.max_attempts\"?"));
    CHECK(mentions(member_problems(R"("restart.max_attempts": 3)"), "unknown key"));
}

TEST_CASE("nasty 57: what is no object of keys is refused as a whole") {
    for (const char* text : {"", "[]", "1", "null", "\"x\"", "{", "{} {}", "nonsense"}) {
        CAPTURE(text);
        CHECK(problems_of(text) != "");
    }
    CHECK(problems_of("[]") == "1:1: expected an object, found an array\n");
    CHECK(problems_of("\xEF\xBB\xBF{}") == "");
}

TEST_CASE("nasty 57: a file that cannot be read is named") {
    MemoryFiles files;
    const auto config = load(files, "/etc/none.json");
    REQUIRE_FALSE(config.ok());
    CHECK(text(config.error()) ==
          "/etc/none.json: opening /etc/none.json: No such file or directory (ENOENT)\n");
}

TEST_CASE("nasty 57: nesting, numbers, NaN and NUL are one clear error with its place") {
    CHECK(mentions(problems_of("{\"x-a\": " + std::string(40, '[') + std::string(40, ']') + "}"),
                   "1:40: more than 32"));
    CHECK(mentions(problems_of("{\"daemon\": {\"max_dead_fraction\": 1e400}}"), "beyond the range"));
    CHECK(mentions(problems_of("{\"daemon\": {\"max_starting\": NaN}}"), "NaN is no JSON number"));
    CHECK(mentions(problems_of("{\"daemon\": {\"max_starting\": 18446744073709551616}}"),
                   "does not fit into 64 bits"));
    CHECK(mentions(problems_of("{\"daemon\": {\"runtime_dir\": \"/a\\u0000b\"}}"), "NUL"));
}

TEST_CASE("nasty 57: a file of 100 MB is refused") {
    CHECK(mentions(problems_of(std::string(std::size_t{100} << 20U, ' ')), "the limit is 67108864"));
}

TEST_CASE("comments are welcome") {
    CHECK(problems_of("// head\n{ /* in */ \"version\": 1 } // tail") == "");
}

TEST_CASE("nasty 64: 20000 tasks are taken") {
    CHECK(loaded(tasks(20'000)).tasks.size() == 20'000);
}

TEST_CASE("nasty 64: one task more, or 100000, is a clear limit") {
    CHECK(problems_of(tasks(20'001)) ==
          "20001:1: tasks: more than 20000 tasks; one daemon supervises no more\n");
    CHECK(problems_of(tasks(100'000)) ==
          "20001:1: tasks: more than 20000 tasks; one daemon supervises no more\n");
}

TEST_CASE("nasty 64: 9 MB of empty arrays do not become a tree many times as large") {
    std::string text = "{\"x-a\": [";
    for (int i = 0; i < 3'000'000; ++i) text += "[],";
    CHECK(mentions(problems_of(text + "[]]}"), "more than 2000000 values"));
}

TEST_CASE("of very many problems the first thousand are listed and the rest is counted") {
    std::string text = "{\"tasks\": {";
    for (int i = 0; i < 1500; ++i) text += (i == 0 ? "\"t" : ", \"t") + std::to_string(i) + "\": {}";
    const auto config = load_text(text + "}}");
    REQUIRE_FALSE(config.ok());
    CHECK(config.error().size() == 1001);
    CHECK(config.error().back().text() == "/etc/vigil.json: 500 more problems are not listed");
}

TEST_CASE("defaults have no command, and are checked even where there is no task") {
    CHECK(mentions(problems_of(R"({"defaults": {"command": ["x"]}})"), "has no default"));
    CHECK(mentions(problems_of(R"({"defaults": {"nice": 99}})"), "defaults.nice: 99 is out of range"));
    CHECK(mentions(problems_of(R"({"defaults": []})"), "defaults: expected an object, found an array"));
}

TEST_CASE("the settings are read alone, whatever else is wrong, as long as they are known for certain") {
    const auto runtime_dir = [](const std::string& text) -> std::string {
        MemoryFiles files;
        files.texts[kMain] = text;
        const auto settings = load_settings(files, kMain);
        return settings ? "[" + settings->runtime_dir + "]" : "unknown";
    };
    CHECK(runtime_dir(R"({"daemon": {"runtime_dir": "/r"}, "tasks": {"a": {"comand": []}}})") == "[/r]");
    CHECK(runtime_dir(R"({"daemon": {"runtime_dir": "/r"}, "tasks": {"a": )") == "[/r]");
    CHECK(runtime_dir(R"({"tasks": {"a": 1}})") == "[]");
    CHECK(runtime_dir(R"({"daemon": {"runtime_dir": "r"}})") == "unknown");
    CHECK(runtime_dir(R"({"tasks": {"a": , "daemon": {"runtime_dir": "/r"}})") == "unknown");
    CHECK(runtime_dir("") == "unknown");
    MemoryFiles none;
    CHECK_FALSE(load_settings(none, kMain));
}
