#include "protocol/methods.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>

using namespace std::chrono_literals;
using namespace vigil::protocol;

namespace {

/// Decodes "params" of a method; the request stays alive as long as this does.
struct Call {
    Request request;
    vigil::Result<Params, RpcError> decoded;

    Call(const char* method, const std::string& params)
        : request(*parse_request(R"({"jsonrpc":"2.0","id":1,"method":")" + std::string(method) +
                                 R"(","params":)" + params + "}")),
          decoded(decode(**resolve(request), request.params())) {}

    template <typename T>
    const T& as() const {
        if (!decoded) FAIL(decoded.error().message);
        return std::get<T>(*decoded);
    }
    const std::string& fault() const {
        REQUIRE(!decoded.ok());
        CHECK(decoded.error().code == ErrorCode::invalid_params);
        return decoded.error().message;
    }
};

std::string not_found(const char* method) {
    const auto request = parse_request(R"({"jsonrpc":"2.0","id":1,"method":")" + std::string(method) + "\"}");
    const auto resolved = resolve(*request);
    REQUIRE(!resolved.ok());
    CHECK(resolved.error().code == ErrorCode::method_not_found);
    return resolved.error().message;
}

bool says(const std::string& text, const char* part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("every method has a name of its own, a text, and parameters with texts") {
    std::set<std::string_view> names;
    for (const MethodInfo& method : methods()) {
        CHECK(names.insert(method.name).second);
        CHECK(!method.text.empty());
        CHECK(find_method(method.name) == &method);
        CHECK(&info(method.id) == &method);
        for (const Parameter& parameter : method.parameters) CHECK(!parameter.text.empty());
    }
    CHECK(names.size() == 19);
}

TEST_CASE("what changes code or configuration is for admins, what changes tasks for operators") {
    for (const char* name :
         {"daemon.check", "daemon.shutdown", "daemon.reload", "daemon.upgrade", "task.add", "task.remove"})
        CHECK(find_method(name)->right == Right::admin);
    for (const char* name :
         {"task.start", "task.stop", "task.restart", "task.kill", "task.signal", "task.pause", "task.resume"})
        CHECK(find_method(name)->right == Right::operate);
    for (const char* name :
         {"daemon.hello", "daemon.status", "task.status", "task.wait", "task.logs", "events.subscribe"})
        CHECK(find_method(name)->right == Right::read);
}

TEST_CASE("an unknown method is named with the nearest one") {
    CHECK(says(not_found("task.strat"), "did you mean task.start?"));
    CHECK(not_found(std::string(5000, 'x').c_str()).size() < 200);
}

TEST_CASE("an order has names, and waits without limit unless told otherwise") {
    const Call plain("task.stop", R"({"name":"web-*"})");
    CHECK(plain.as<params::TaskOrder>().names == Patterns{"web-*"});
    CHECK(plain.as<params::TaskOrder>().wait);
    CHECK(!plain.as<params::TaskOrder>().timeout);
    const Call full("task.kill", R"({"name":["a","b"],"wait":false,"timeout":"1m30s","now":true})");
    CHECK(full.as<params::TaskOrder>().names == Patterns{"a", "b"});
    CHECK(!full.as<params::TaskOrder>().wait);
    CHECK(full.as<params::TaskOrder>().timeout == vigil::core::Duration(90s));
    CHECK(full.as<params::TaskOrder>().now);
    CHECK(Call("task.stop", R"({"name":"a","timeout":1500})").as<params::TaskOrder>().timeout ==
          vigil::core::Duration(1500ms));
}

TEST_CASE("null stands for a parameter that is not given") {
    CHECK(Call("task.stop", R"({"name":"a","timeout":null,"wait":null})").as<params::TaskOrder>().wait);
    CHECK(says(Call("task.stop", R"({"name":null})").fault(), "\"name\" is missing"));
    CHECK(Call("task.status", R"({"name":null})").as<params::TaskStatus>().names.empty());
}

TEST_CASE("unknown parameters are errors that name the nearest known one") {
    CHECK(says(Call("task.stop", R"({"name":"a","wiat":true})").fault(), "did you mean \"wait\"?"));
    CHECK(says(Call("task.stop", R"({"name":"a","now":true})").fault(), "there is no parameter \"now\""));
    CHECK(says(Call("daemon.hello", R"({"zzz":1})").fault(), "this method has none"));
}

TEST_CASE("values of a wrong type or range are errors that say what to write") {
    for (const char* params :
         {R"({"name":7})", R"({"name":""})", R"({"name":[]})", R"({"name":["a",7]})",
          R"({"name":"a\u0000b"})", R"({"name":"a","wait":1})", R"({"name":"a","timeout":-1})",
          R"({"name":"a","timeout":1.5})", R"({"name":"a","timeout":"10"})",
          R"({"name":"a","timeout":9223372036854775807})", R"({"name":"a","timeout":true})"}) {
        CAPTURE(params);
        CHECK(!Call("task.stop", params).fault().empty());
    }
    CHECK(says(Call("task.stop", "{}").fault(), "\"name\" is missing"));
}

TEST_CASE("signals come by name or number, and nothing else") {
    CHECK(Call("task.signal", R"({"name":"a","signal":"SIGHUP"})").as<params::TaskSignal>().signal == 1);
    CHECK(Call("task.signal", R"({"name":"a","signal":15})").as<params::TaskSignal>().signal == 15);
    for (const char* signal : {"0", "65", "-9", "\"NOPE\"", "true", "1.0"}) {
        CAPTURE(signal);
        CHECK(says(Call("task.signal", R"({"name":"a","signal":)" + std::string(signal) + "}").fault(),
                   "signal"));
    }
}

TEST_CASE("the other methods fill their structs") {
    CHECK(Call("task.wait", R"({"name":"a","for":"exit"})").as<params::TaskWait>().what ==
          params::TaskWait::For::exit);
    CHECK(says(Call("task.wait", R"({"name":"a","for":"dead"})").fault(),
               "healthy, stopped, completed or exit"));
    CHECK(Call("task.status", R"({"spec":true})").as<params::TaskStatus>().spec);
    CHECK(Call("task.status", R"({"spec":true})").as<params::TaskStatus>().fields.all());
    const auto fields = Call("task.status", R"({"fields":["pid","cause"]})").as<params::TaskStatus>().fields;
    CHECK(fields.has(StatusField::pid));
    CHECK(fields.has(StatusField::name));
    CHECK_FALSE(fields.has(StatusField::output));
    CHECK(says(Call("task.status", R"({"fields":["pidd"]})").fault(), "did you mean \"pid\"?"));
    CHECK(says(Call("task.status", R"({"fields":[]})").fault(), "empty array"));
    CHECK(says(Call("task.status", R"({"fields":"pid"})").fault(), "an array of strings"));
    CHECK(says(Call("task.status", R"({"fields":[7]})").fault(), "an array of strings"));
    CHECK(Call("daemon.check", R"({"path":"/x"})").as<params::DaemonCheck>().path == "/x");
    const Call reload("daemon.reload", R"({"dry_run":true,"wait":false,"timeout":"1s"})");
    CHECK(reload.as<params::DaemonReload>().dry_run);
    CHECK(!reload.as<params::DaemonReload>().wait);
    CHECK(reload.as<params::DaemonReload>().timeout == vigil::core::Duration(1s));
    CHECK(Call("task.remove", R"({"name":"a","persist":true})").as<params::TaskOrder>().persist);
    CHECK(says(Call("task.stop", R"({"name":"a","persist":true})").fault(), "there is no parameter"));
    CHECK(Call("daemon.shutdown", R"({"now":true})").as<params::DaemonShutdown>().now);
    CHECK(Call("events.subscribe", "{}").as<params::EventsSubscribe>().names.empty());
    const Call add("task.add", R"({"name":"n","spec":{"command":["true"]}})");
    CHECK(add.as<params::TaskAdd>().spec->find("command") != nullptr);
    CHECK(says(Call("task.add", R"({"name":"n","spec":[]})").fault(), "must be an object"));
}

TEST_CASE("pause, resume, logs and upgrade have their structs, and what has no parameter has none") {
    CHECK(Call("task.pause", R"({"name":"a"})").as<params::TaskFreeze>().names == Patterns{"a"});
    CHECK(Call("task.resume", R"({"name":["a","b*"]})").as<params::TaskFreeze>().names ==
          Patterns{"a", "b*"});
    CHECK(Call("task.logs", "{}").as<params::TaskLogs>().names.empty());
    CHECK(Call("daemon.upgrade", R"({"program":"/opt/vigild"})").as<params::DaemonUpgrade>().program ==
          "/opt/vigild");
    CHECK(!Call("daemon.upgrade", "{}").as<params::DaemonUpgrade>().program);
    CHECK(Call("daemon.status", "{}").decoded.ok());
    for (const char* params : {R"({"program":7})", R"({"program":"a\u0000b"})"}) {
        CAPTURE(params);
        CHECK(says(Call("daemon.upgrade", params).fault(), "\"program\""));
    }
}

TEST_CASE("parameters go by name, and names are bounded in number") {
    const vigil::json::Value array(vigil::json::Array{});
    const auto refused = decode(info(Method::task_stop), &array);
    REQUIRE(!refused.ok());
    CHECK(says(refused.error().message, "must be an object"));
    std::string many = R"({"name":["a")";
    for (int i = 0; i < 10'000; ++i) many += ",\"a\"";
    CHECK(says(Call("task.stop", many + "]}").fault(), "more than 10000 patterns"));
}

TEST_CASE("nasty 65: what a request may ask to be held against every task's name is bounded") {
    std::string patterns = R"({"name":["a*")";
    for (int i = 1; i < 32; ++i) patterns += ",\"a*\"";
    CHECK(Call("task.stop", patterns + R"(,"b","c"]})").decoded.ok());
    CHECK(says(Call("task.stop", patterns + R"(,"b?"]})").fault(), "more than 32 patterns with wildcards"));
    const std::string bracket = "*[" + std::string(125, 'b') + "]";
    CHECK(Call("task.stop", R"({"name":")" + bracket + "\"}").decoded.ok());
    CHECK(says(Call("task.stop", R"({"name":"b)" + bracket + "\"}").fault(), "more than 128 bytes"));
}

TEST_CASE("rights and what is waited for have a word each") {
    CHECK(to_string(Right::read) == "read");
    CHECK(to_string(Right::operate) == "operate");
    CHECK(to_string(Right::admin) == "admin");
    using For = params::TaskWait::For;
    for (const For what : {For::healthy, For::stopped, For::completed, For::exit})
        CHECK(parse_wait_for(to_string(what)) == what);
    CHECK(!parse_wait_for("dead"));
}
