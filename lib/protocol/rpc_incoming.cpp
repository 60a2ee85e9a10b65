// The client's side of rpc.hpp.
#include <array>

#include "protocol/fields.hpp"
#include "protocol/rpc.hpp"

namespace vigil::protocol {
namespace {

constexpr std::array<TaskOutcome::Kind, 4> kOutcomes = {TaskOutcome::Kind::done, TaskOutcome::Kind::failed,
                                                        TaskOutcome::Kind::accepted,
                                                        TaskOutcome::Kind::pending};

void read_outcome_kind(JsonCursor& in, TaskOutcome& to) {
    std::string word;
    in.read(word);
    for (const TaskOutcome::Kind kind : kOutcomes)
        if (to_string(kind) == word) {
            to.kind = kind;
            return;
        }
    in.fail("an outcome (done, failed, accepted or pending)");
}

constexpr std::array<Field<TaskOutcome>, 4> kOutcomeFields = {{
    {"name", [](JsonCursor& in, TaskOutcome& to) { in.read(to.name); }},
    {"outcome", read_outcome_kind},
    {"status", [](JsonCursor& in, TaskOutcome& to) { read_text(in, to.status); }},
    {"explanation", [](JsonCursor& in, TaskOutcome& to) { read_text(in, to.explanation); }},
}};

void read_outcomes(JsonCursor& in, std::vector<TaskOutcome>& to) {
    read_objects(in, to, std::span<const Field<TaskOutcome>>(kOutcomeFields));
}

constexpr std::array<Field<RpcError>, 3> kDataFields = {{
    {"names", [](JsonCursor& in, RpcError& to) { read_strings(in, to.names); }},
    {"problems", [](JsonCursor& in, RpcError& to) { read_strings(in, to.problems); }},
    {"tasks", [](JsonCursor& in, RpcError& to) { read_outcomes(in, to.tasks); }},
}};

/// Data of any other form is another daemon's business.
void read_data(JsonCursor& in, RpcError& to) {
    if (in.next_is_object())
        read_object(in, to, std::span<const Field<RpcError>>(kDataFields));
    else
        (void)in.skip();
}

constexpr std::array<Field<RpcError>, 3> kErrorFields = {{
    {"code",
     [](JsonCursor& in, RpcError& to) {
         int code = 0;
         in.read(code);
         to.code = static_cast<ErrorCode>(code);
     }},
    {"message", [](JsonCursor& in, RpcError& to) { in.read(to.message); }},
    {"data", read_data},
}};

void read_error(JsonCursor& in, Incoming& to) {
    if (in.take_null()) return;
    read_object(in, to.error.emplace(), std::span<const Field<RpcError>>(kErrorFields));
}

constexpr std::array<Field<Incoming>, 6> kIncomingFields = {{
    {"jsonrpc", [](JsonCursor& in, Incoming&) { (void)in.skip(); }},
    {"id", [](JsonCursor& in, Incoming& to) { in.read(to.id); }},
    {"method", [](JsonCursor& in, Incoming& to) { in.read(to.method); }},
    {"result", [](JsonCursor& in, Incoming& to) { to.payload = in.skip(); }},
    {"params", [](JsonCursor& in, Incoming& to) { to.payload = in.skip(); }},
    {"error", read_error},
}};

}  // namespace

std::string request_line(std::uint64_t id, std::string_view method, std::string_view params) {
    std::string line;
    json::Writer out(line);
    out.begin_object().member("jsonrpc", "2.0").member("id", id).member("method", method);
    if (!params.empty()) out.key("params").raw(params);
    out.end_object();
    line.push_back('\n');
    return line;
}

Result<Incoming, std::string> parse_incoming(std::string_view line) {
    JsonCursor in(line);
    Incoming incoming;
    read_object(in, incoming, std::span<const Field<Incoming>>(kIncomingFields));
    in.expect_end();
    if (!in.ok()) return Failure{"a line that is no JSON-RPC message: " + in.error()};
    if (incoming.payload.empty() && !incoming.error)
        return Failure{std::string("a message with neither a result nor an error nor parameters")};
    if (incoming.error) incoming.payload = {};
    return incoming;
}

Result<std::vector<TaskOutcome>, std::string> parse_outcomes(std::string_view result) {
    return read_list<TaskOutcome>(result, "tasks", kOutcomeFields);
}

}  // namespace vigil::protocol
