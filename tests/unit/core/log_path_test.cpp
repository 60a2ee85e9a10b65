#include "core/log_path.hpp"

#include <doctest/doctest.h>

using vigil::core::log_path;
using vigil::core::log_paths;
using vigil::core::OutputStream;
using vigil::core::TaskSpec;

namespace {

TaskSpec spec(std::string path, bool apart) {
    TaskSpec made;
    made.name = "api";
    made.launch.edit().output.path = std::move(path);
    made.launch.edit().output.apart = apart;
    return made;
}

}  // namespace

TEST_CASE("A log is named after its task unless the rule gives a path") {
    CHECK(log_path("/var/log/vigil", spec("", false), OutputStream::out) == "/var/log/vigil/api.log");
    CHECK(log_path("/var/log/vigil", spec("/srv/a.txt", false), OutputStream::out) == "/srv/a.txt");
}

TEST_CASE("Both streams have one log unless stderr is kept apart") {
    CHECK(log_path("/l", spec("", false), OutputStream::err) == "/l/api.log");
    CHECK(log_path("/l", spec("", true), OutputStream::err) == "/l/api.err.log");
    CHECK(log_path("/l", spec("", true), OutputStream::out) == "/l/api.log");
    CHECK(log_path("/l", spec("/x/y", true), OutputStream::err) == "/x/y.err");
    CHECK(log_path("/l", spec("/x.log/y", true), OutputStream::err) == "/x.log/y.err");
    CHECK(log_path("/l", spec("/x/.log", true), OutputStream::err) == "/x/.log.err");
    CHECK(log_path("/l", spec("/x/a.log.log", true), OutputStream::err) == "/x/a.log.err.log");
}

TEST_CASE("nasty 56: a task has one log, two with its streams apart, and none without a file") {
    CHECK(log_paths("/l", spec("", false)) == std::vector<std::string>{"/l/api.log"});
    CHECK(log_paths("/l", spec("", true)) == std::vector<std::string>{"/l/api.log", "/l/api.err.log"});
    TaskSpec elsewhere = spec("", true);
    elsewhere.launch.edit().output.to = vigil::core::OutputTo::journal;
    CHECK(log_paths("/l", elsewhere).empty());
}
