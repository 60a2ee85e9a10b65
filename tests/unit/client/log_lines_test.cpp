#include "ctl/log_lines.hpp"

#include <doctest/doctest.h>

#include <cerrno>

using namespace vigil;
using ctl::LogLines;
using logs::LogItem;

namespace {

protocol::LogPlace place(const char* name) {
    return {.name = name, .stream = "out", .to = "file", .path = "/l/a.log", .format = "raw", .fault = {}};
}

std::string line(const LogLines& lines, const char* task, const LogItem& item) {
    std::string out;
    lines.append(out, place(task), item);
    return out;
}

}  // namespace

TEST_CASE("one task's lines stand alone until there are two") {
    LogLines lines({});
    lines.expect("a");
    lines.expect("a");
    CHECK(line(lines, "a", {.text = "x"}) == "x\n");
    lines.expect("long");
    CHECK(line(lines, "a", {.text = "x"}) == "a    | x\n");
    CHECK(line(lines, "long", {.text = ""}) == "long | \n");
}

TEST_CASE("names have a colour of their own, and always the same") {
    LogLines lines({.colours = true});
    lines.expect("api");
    lines.expect("web");
    const std::string shown = line(lines, "api", {.text = "x"});
    CHECK(shown == std::string(ctl::name_colour("api")) + "api |\033[0m x\n");
    CHECK(ctl::name_colour("api") == ctl::name_colour("api"));
    CHECK(ctl::name_colour("worker-1") != ctl::name_colour("worker-2"));
}

TEST_CASE("what a task prints is escaped, tabs apart; --json carries it as it is") {
    LogLines plain({});
    CHECK(line(plain, "a", {.text = "\033[2J\t\r\x7f"}) == "\\x1b[2J\t\\r\\x7f\n");
    LogLines json({.json = true, .colours = true});
    json.expect("a");
    json.expect("b");
    CHECK(line(json, "a", {.text = "\"q\"\n"}) == R"({"task":"a","stream":"out","text":"\"q\"\n"})"
                                                  "\n");
}

TEST_CASE("only a line beyond the limit is marked as cut") {
    LogLines lines({});
    CHECK(line(lines, "a", {.text = "prompt> ", .cut = true}) == "prompt> \n");
    CHECK(line(lines, "a", {.text = std::string(logs::kMostLineBytes, 'x'), .cut = true})
              .ends_with("x\u2026\n"));
    CHECK(line(lines, "a", {.text = std::string(logs::kMostLineBytes, 'x')}).ends_with("xx\n"));
}

TEST_CASE("who may read a log is said where it was refused, and only there") {
    CHECK(ctl::unreadable(place("a"), {.doing = "opening /l", .code = EACCES}) ==
          "cannot read /l/a.log: Permission denied; log files belong to root and to daemon.control.group");
    CHECK(ctl::unreadable(place("a"), {.doing = "reading /l/a.log", .code = EIO}) ==
          "cannot read /l/a.log: Input/output error");
    CHECK(ctl::unreadable(place("a"), {.doing = "/l/a.log is damaged"}) == "/l/a.log is damaged");
}

TEST_CASE("gaps and truncations are told with the task's name") {
    CHECK(ctl::note_of(place("a"), {.kind = LogItem::Kind::gap, .files = 2}) ==
          "a: 2 files of its log were removed before they could be read");
    CHECK(ctl::note_of(place("a"), {.kind = LogItem::Kind::gap, .files = 1}).find("1 file of") !=
          std::string::npos);
    CHECK(ctl::note_of(place("a"), {.kind = LogItem::Kind::truncated}).find("truncated") !=
          std::string::npos);
}

TEST_CASE("output in no file is looked for elsewhere") {
    auto somewhere = place("a");
    CHECK(ctl::elsewhere(somewhere).empty());
    somewhere.to = "journal";
    CHECK(ctl::elsewhere(somewhere).ends_with("journalctl -t a"));
    somewhere.to = "a newer\033one";
    CHECK(ctl::elsewhere(somewhere).ends_with("a newer\\x1bone"));
}
