#include "ctl/exit_code.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace vigil;
using ctl::exit_code_of;
using Kind = client::Fault::Kind;

namespace {

int code_of(protocol::ErrorCode code) {
    return exit_code_of(client::fault_of({.code = code, .message = "x"}));
}

}  // namespace

TEST_CASE("each way to fail has the exit code that the help text promises") {
    CHECK(exit_code_of(client::Fault{.kind = Kind::unreachable}) == 69);
    CHECK(exit_code_of(client::Fault{.kind = Kind::disconnected}) == 69);
    CHECK(exit_code_of(client::Fault{.kind = Kind::protocol}) == 69);
    CHECK(exit_code_of(client::Fault{.kind = Kind::denied}) == 77);
    CHECK(exit_code_of(client::Fault{.kind = Kind::timeout}) == 124);
    CHECK(exit_code_of(client::Fault{.kind = Kind::interrupted}) == 130);
    CHECK(code_of(protocol::ErrorCode::no_such_task) == 4);
    CHECK(code_of(protocol::ErrorCode::denied) == 77);
    CHECK(code_of(protocol::ErrorCode::config_invalid) == 78);
    CHECK(code_of(protocol::ErrorCode::timeout) == 124);
    CHECK(code_of(protocol::ErrorCode::already_exists) == 1);
    CHECK(code_of(protocol::ErrorCode::busy) == 1);
    CHECK(code_of(protocol::ErrorCode::invalid_params) == 2);
}

TEST_CASE("one failed task is enough for 1, one that is not healthy for 3") {
    using Outcome = protocol::TaskOutcome;
    CHECK(exit_code_of(std::vector<Outcome>{{.name = "a"}, {.name = "b"}}) == 0);
    CHECK(exit_code_of(std::vector<Outcome>{{.name = "a"}, {.name = "b", .kind = Outcome::Kind::failed}}) ==
          1);
    protocol::TaskStatus healthy;
    healthy.status = "healthy";
    protocol::TaskStatus completed;
    completed.status = "completed";
    CHECK(exit_code_of(healthy) == 0);
    CHECK(exit_code_of(completed) == 3);
}

TEST_CASE("every exit code is listed once, with a text") {
    std::set<int> codes;
    for (const auto& entry : ctl::exit_codes()) {
        CHECK(codes.insert(entry.code).second);
        CHECK(!entry.text.empty());
    }
    CHECK(codes == std::set<int>{0, 1, 2, 3, 4, 69, 77, 78, 124, 130});
}
