#include "protocol/rpc.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>

using namespace vigil::protocol;

namespace {

Request accepted(std::string_view line) {
    auto request = parse_request(line);
    if (!request) FAIL(request.error().error.message);
    return std::move(request).value();
}

RefusedRequest refused(std::string_view line) {
    auto request = parse_request(line);
    REQUIRE(!request.ok());
    return std::move(request).error();
}

std::string with_id(std::string_view id) {
    return R"({"jsonrpc":"2.0","id":)" + std::string(id) + R"(,"method":"daemon.hello"})";
}

}  // namespace

TEST_CASE("an id is echoed exactly as it was written") {
    for (const char* id : {"1", "0", "-7", "1.0", "1e3", "18446744073709551615", "\"\"", "\"a b\"",
                           R"("q\"u\\o")", R"("\u0041")", "\"é\"", "null"}) {
        CAPTURE(id);
        const Request request = accepted(with_id(id));
        REQUIRE(request.id.has_value());
        CHECK(request.id->json == id);
    }
    CHECK(accepted("  { \"id\" : 42 , \"jsonrpc\":\"2.0\", \"method\":\"m\" } ").id->json == "42");
}

TEST_CASE("a request without id is a notification") {
    const Request request = accepted(R"({"jsonrpc":"2.0","method":"task.start","params":{"name":"a"}})");
    CHECK(!request.id);
    CHECK(request.method == "task.start");
    REQUIRE(request.params() != nullptr);
    CHECK(*request.params()->find("name")->as_string() == "a");
}

TEST_CASE("what is no JSON is a parse error with id null") {
    for (const char* line : {"", "{", "hello", "{\"jsonrpc\":\"2.0\",}", "\xff", "{}{}"}) {
        CAPTURE(line);
        const RefusedRequest answer = refused(line);
        CHECK(answer.error.code == ErrorCode::parse_error);
        CHECK(answer.id.json == "null");
        CHECK(!answer.error.message.empty());
    }
}

TEST_CASE("nasty 65: nesting deeper than 32 is refused") {
    const auto nested = [](std::size_t depth) {
        return R"({"jsonrpc":"2.0","id":1,"method":"m","params":{"a":)" + std::string(depth, '[') +
               std::string(depth, ']') + "}}";
    };
    CHECK(parse_request(nested(30)).ok());
    CHECK(refused(nested(31)).error.code == ErrorCode::parse_error);
    CHECK(refused(nested(400'000)).error.code == ErrorCode::parse_error);
}

TEST_CASE("JSON that is no request is an invalid request, answered with its id where that is readable") {
    CHECK(refused("[]").error.message.find("batches") != std::string::npos);
    CHECK(refused(R"([{"jsonrpc":"2.0","id":1,"method":"m"}])").error.code == ErrorCode::invalid_request);
    for (const char* line : {"1", "null", "\"x\"", "{}", R"({"jsonrpc":"2.0","id":5})",
                             R"({"jsonrpc":"1.0","id":5,"method":"m"})", R"({"id":5,"method":"m"})",
                             R"({"jsonrpc":"2.0","id":5,"method":7})"}) {
        CAPTURE(line);
        const RefusedRequest answer = refused(line);
        CHECK(answer.error.code == ErrorCode::invalid_request);
        CHECK(answer.id.json ==
              (std::string_view(line).find("\"id\":5") == std::string_view::npos ? "null" : "5"));
    }
    for (const char* id : {"true", "[]", "{}"})
        CHECK(refused(with_id(id)).error.code == ErrorCode::invalid_request);
    CHECK(refused(with_id("\"" + std::string(400, 'x') + "\"")).error.code == ErrorCode::invalid_request);
}

TEST_CASE("a misspelt member is named with the nearest known one") {
    const RefusedRequest answer = refused(R"({"jsonrpc":"2.0","id":1,"method":"m","parms":{}})");
    CHECK(answer.error.code == ErrorCode::invalid_request);
    CHECK(answer.error.message.find("did you mean \"params\"?") != std::string::npos);
    CHECK(refused(R"({"jsonrpc":"2.0","id":1,"method":"m","params":[1]})").error.code ==
          ErrorCode::invalid_params);
}

TEST_CASE("a result is one line with the id in it") {
    std::string out;
    Message message = Message::result(out, RequestId{"\"x\""});
    message.body().begin_object().member("done", true).end_object();
    message.end();
    CHECK(out == "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"result\":{\"done\":true}}\n");
}

TEST_CASE("an application error carries its kind and what belongs to it, and reads back") {
    std::string out;
    write_error(out, RequestId{"7"},
                {.code = ErrorCode::timeout,
                 .message = "too slow\n",
                 .names = {"a"},
                 .tasks = {{.name = "a", .kind = TaskOutcome::Kind::pending, .status = "starting"}}});
    CHECK(
        out ==
        R"({"jsonrpc":"2.0","id":7,"error":{"code":-32003,"message":"too slow\n","data":{"kind":"Timeout","names":["a"],)"
        R"("tasks":[{"name":"a","outcome":"pending","status":"starting","explanation":null}]}}})"
        "\n");
    const auto incoming = parse_incoming(out);
    REQUIRE(incoming.ok());
    CHECK(incoming->id == 7);
    REQUIRE(incoming->error.has_value());
    CHECK(incoming->error->code == ErrorCode::timeout);
    CHECK(incoming->error->message == "too slow\n");
    REQUIRE(incoming->error->tasks.size() == 1);
    CHECK(incoming->error->tasks[0].kind == TaskOutcome::Kind::pending);
}

TEST_CASE("the specification's own errors carry no data") {
    std::string out;
    write_error(out, {}, {.code = ErrorCode::parse_error, .message = "no"});
    CHECK(out == "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700,\"message\":\"no\"}}\n");
    CHECK(!parse_incoming(out)->id);
}

TEST_CASE("what a daemon sends is told apart: result, notification, nonsense") {
    CHECK(parse_incoming(request_line(3, "task.stop", R"({"name":"a"})"))->method == "task.stop");
    CHECK(parse_incoming(R"({"jsonrpc":"2.0","id":1,"result":[1,{"a":"}"}]})")->payload ==
          R"([1,{"a":"}"}])");
    CHECK(parse_incoming(R"({"jsonrpc":"2.0","method":"event","params":{}})")->payload == "{}");
    for (const char* line : {"", "{", "[]", "1", "{\"jsonrpc\":\"2.0\",\"id\":1}", "{\"id\":1,\"result\":}",
                             "{\"id\":1 2}", "{\"id\":\"x\",\"result\":1}", "{\"id\":1,\"result\":1} x"}) {
        CAPTURE(line);
        CHECK(!parse_incoming(line).ok());
    }
}

TEST_CASE("nasty 65: random bytes in place of a request or an answer are refused, never more") {
    const std::string real =
        R"({"jsonrpc":"2.0","id":[1,"a"],"method":"x","params":{"error":null,"data":{}},"result":-1.5e3})";
    std::mt19937 random(7);
    for (int round = 0; round < 5'000; ++round) {
        std::string line(random() % 120, '\0');
        for (char& byte : line)
            byte = random() % 8 == 0 ? static_cast<char>(random() % 256) : real[random() % real.size()];
        (void)parse_request(line);
        (void)parse_incoming(line);
        std::string cut = real;
        cut[random() % cut.size()] = static_cast<char>(random() % 256);
        (void)parse_request(cut);
        (void)parse_incoming(cut);
    }
}

TEST_CASE("each application error has a kind that scripts can tell it by, and its data reads back") {
    for (const auto& known :
         {std::pair{ErrorCode::no_such_task, "NoSuchTask"},
          std::pair{ErrorCode::already_exists, "AlreadyExists"}, std::pair{ErrorCode::timeout, "Timeout"},
          std::pair{ErrorCode::denied, "Denied"}, std::pair{ErrorCode::config_invalid, "ConfigInvalid"},
          std::pair{ErrorCode::busy, "Busy"}, std::pair{ErrorCode::upgrade_failed, "UpgradeFailed"}}) {
        const ErrorCode code = known.first;
        const std::string_view kind = known.second;
        CAPTURE(kind);
        CHECK(error_kind(code) == kind);
        std::string out;
        write_error(out, RequestId{"1"},
                    {.code = code, .message = "m", .names = {"a", "b"}, .problems = {"line 1"}});
        CHECK(out.find("\"kind\":\"" + std::string(kind) + "\"") != std::string::npos);
        const auto incoming = parse_incoming(out);
        REQUIRE(incoming.ok());
        REQUIRE(incoming->error.has_value());
        CHECK(incoming->error->code == code);
        CHECK(incoming->error->names == std::vector<std::string>{"a", "b"});
        CHECK(incoming->error->problems == std::vector<std::string>{"line 1"});
    }
    CHECK(error_kind(ErrorCode::parse_error).empty());
}

TEST_CASE("the data of an error may be of any form: only ours is read") {
    for (const char* data : {"7", "null", "[1,{}]", R"({"more":{"names":7}})"}) {
        CAPTURE(data);
        const auto incoming =
            parse_incoming(R"({"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"m","data":)" +
                           std::string(data) + "}}");
        REQUIRE(incoming.ok());
        CHECK(incoming->error->names.empty());
    }
    CHECK(!parse_incoming(R"({"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"m","data":{"names":7}}})")
               .ok());
}

TEST_CASE("the outcomes of an order read back, whatever they are") {
    using Kind = TaskOutcome::Kind;
    std::vector<TaskOutcome> outcomes;
    for (const Kind kind : {Kind::done, Kind::failed, Kind::accepted, Kind::pending})
        outcomes.push_back({.name = "a", .kind = kind, .status = "failed", .explanation = "why"});
    std::string text;
    vigil::json::Writer out(text);
    write_outcomes(out, outcomes);
    const auto read = parse_outcomes(text);
    REQUIRE(read.ok());
    REQUIRE(read->size() == outcomes.size());
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        CHECK((*read)[i].kind == outcomes[i].kind);
        CHECK((*read)[i].explanation == "why");
    }
    CHECK(!parse_outcomes(R"({"tasks":[{"name":"a","outcome":"perhaps"}]})").ok());
}

TEST_CASE("a notification is one line without an id") {
    std::string out;
    Message message = Message::notification(out, "event");
    message.body().begin_object().end_object();
    message.end();
    CHECK(out == "{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{}}\n");
}

TEST_CASE("a member that resembles none is told which there are") {
    const RefusedRequest answer = refused(R"({"jsonrpc":"2.0","id":1,"method":"m","zzzzzzzz":{}})");
    CHECK(answer.error.message.find("it has jsonrpc, method, id and params") != std::string::npos);
}
