#include "protocol/rpc.hpp"

#include <algorithm>
#include <array>

#include "base/nearest.hpp"
#include "protocol/line_framing.hpp"

namespace vigil::protocol {
namespace {

constexpr std::array<std::string_view, 4> kMembers = {"jsonrpc", "method", "id", "params"};

RpcError invalid_request(std::string message) {
    return {.code = ErrorCode::invalid_request, .message = std::move(message)};
}

/// The bytes of a string or number as written, so that 1.0 is not echoed as 1.
std::string_view token_at(std::string_view line, const json::Value& value) {
    const std::string_view rest = line.substr(std::min<std::size_t>(value.place.offset, line.size()));
    if (value.as_string() == nullptr) return rest.substr(0, rest.find_first_of(",} \t\r\n"));
    std::size_t end = 1;
    while (end < rest.size() && rest[end] != '"') end += rest[end] == '\\' ? 2U : 1U;
    return rest.substr(0, end + 1);
}

Result<RequestId, RpcError> read_id(std::string_view line, const json::Value& value) {
    switch (value.type()) {
        case json::Type::null: return RequestId{};
        case json::Type::integer:
        case json::Type::real:
        case json::Type::string: break;
        default: return Failure{invalid_request("\"id\" must be a string, a number or null")};
    }
    const std::string_view token = token_at(line, value);
    if (token.size() > kIdLimit)
        return Failure{invalid_request("\"id\" is longer than " + std::to_string(kIdLimit) + " bytes")};
    return RequestId{std::string(token)};
}

RpcError unknown_member(const std::string& name) {
    std::string message = "a request has no member \"" + name + "\"";
    if (const std::string_view nearest = nearest_word(name, kMembers); !nearest.empty())
        message.append("; did you mean \"").append(nearest).append("\"?");
    else
        message += "; it has jsonrpc, method, id and params";
    return invalid_request(std::move(message));
}

/// The first thing wrong with the members beside "id".
std::optional<RpcError> fault_of(const json::Object& members, const json::Value& root) {
    for (const json::Member& member : members)
        if (std::find(kMembers.begin(), kMembers.end(), member.key) == kMembers.end())
            return unknown_member(member.key);
    const json::Value* version = root.find("jsonrpc");
    if (version == nullptr || version->as_string() == nullptr || *version->as_string() != "2.0")
        return invalid_request("not a JSON-RPC 2.0 request: \"jsonrpc\": \"2.0\" is missing");
    const json::Value* method = root.find("method");
    if (method == nullptr || method->as_string() == nullptr)
        return invalid_request("\"method\" must be there and be a string");
    const json::Value* params = root.find("params");
    if (params != nullptr && params->as_object() == nullptr)
        return RpcError{.code = ErrorCode::invalid_params,
                        .message = "parameters go by name: \"params\" must be an object"};
    return std::nullopt;
}

RpcError unreadable(const std::vector<json::Problem>& problems) {
    RpcError error{.code = ErrorCode::parse_error, .message = "not a JSON text"};
    if (!problems.empty())
        error.message =
            "column " + std::to_string(problems.front().place.column) + ": " + problems.front().message;
    return error;
}

void write_outcome(json::Writer& out, const TaskOutcome& task) {
    const auto text_or_null = [&out](std::string_view name, const std::string& text) {
        out.key(name);
        if (text.empty())
            out.null();
        else
            out.value(text);
    };
    out.begin_object().member("name", task.name).member("outcome", to_string(task.kind));
    text_or_null("status", task.status);
    text_or_null("explanation", task.explanation);
    out.end_object();
}

void write_strings(json::Writer& out, std::string_view name, const std::vector<std::string>& texts) {
    if (texts.empty()) return;
    out.key(name).begin_array();
    for (const std::string& text : texts) out.value(text);
    out.end_array();
}

void write_error_data(json::Writer& out, const RpcError& error) {
    const std::string_view kind = error_kind(error.code);
    if (kind.empty()) return;
    out.key("data").begin_object().member("kind", kind);
    write_strings(out, "names", error.names);
    write_strings(out, "problems", error.problems);
    if (!error.tasks.empty()) {
        out.key("tasks");
        write_outcome_array(out, error.tasks);
    }
    out.end_object();
}

}  // namespace

void write_outcome_array(json::Writer& out, const std::vector<TaskOutcome>& tasks) {
    out.begin_array();
    for (const TaskOutcome& task : tasks) write_outcome(out, task);
    out.end_array();
}

std::string_view error_kind(ErrorCode code) noexcept {
    switch (code) {
        case ErrorCode::no_such_task: return "NoSuchTask";
        case ErrorCode::already_exists: return "AlreadyExists";
        case ErrorCode::timeout: return "Timeout";
        case ErrorCode::denied: return "Denied";
        case ErrorCode::config_invalid: return "ConfigInvalid";
        case ErrorCode::busy: return "Busy";
        case ErrorCode::upgrade_failed: return "UpgradeFailed";
        case ErrorCode::parse_error:
        case ErrorCode::invalid_request:
        case ErrorCode::method_not_found:
        case ErrorCode::invalid_params:
        case ErrorCode::internal_error: break;
    }
    return {};
}

std::string_view to_string(TaskOutcome::Kind kind) noexcept {
    switch (kind) {
        case TaskOutcome::Kind::done: return "done";
        case TaskOutcome::Kind::failed: return "failed";
        case TaskOutcome::Kind::accepted: return "accepted";
        case TaskOutcome::Kind::pending: return "pending";
    }
    return {};
}

const json::Value* Request::params() const noexcept {
    return document.root.find("params");
}

Result<Request, RefusedRequest> parse_request(std::string_view line) {
    json::Limits limits;
    limits.max_bytes = kRequestLineLimit;
    limits.max_depth = kRequestDepthLimit;
    limits.max_values = kRequestValuesLimit;
    auto document = json::parse(line, limits);
    if (!document) return Failure{RefusedRequest{{}, unreadable(document.error())}};

    Request request;
    request.document = std::move(document).value();
    const json::Value& root = request.document.root;
    if (root.type() == json::Type::array)
        return Failure{RefusedRequest{{}, invalid_request("batches are not taken: send one request a line")}};
    const json::Object* members = root.as_object();
    if (members == nullptr)
        return Failure{RefusedRequest{{}, invalid_request("a request is an object, and this is none")}};

    if (const json::Value* id = root.find("id")) {
        auto read = read_id(line, *id);
        if (!read) return Failure{RefusedRequest{{}, std::move(read).error()}};
        request.id = std::move(read).value();
    }
    if (auto fault = fault_of(*members, root))
        return Failure{RefusedRequest{request.id.value_or(RequestId{}), std::move(*fault)}};
    request.method = *root.find("method")->as_string();
    return request;
}

Message Message::result(std::string& out, const RequestId& id) {
    Message message(out);
    message.writer_.begin_object().member("jsonrpc", "2.0").key("id").raw(id.json).key("result");
    return message;
}

Message Message::notification(std::string& out, std::string_view method) {
    Message message(out);
    message.writer_.begin_object().member("jsonrpc", "2.0").member("method", method).key("params");
    return message;
}

void Message::end() {
    writer_.end_object();
    out_.push_back('\n');
}

void write_error(std::string& out, const RequestId& id, const RpcError& error) {
    json::Writer writer(out);
    writer.begin_object().member("jsonrpc", "2.0").key("id").raw(id.json).key("error").begin_object();
    writer.member("code", static_cast<int>(error.code)).member("message", error.message);
    write_error_data(writer, error);
    writer.end_object().end_object();
    out.push_back('\n');
}

void write_outcomes(json::Writer& out, const std::vector<TaskOutcome>& tasks) {
    out.begin_object().key("tasks");
    write_outcome_array(out, tasks);
    out.end_object();
}

}  // namespace vigil::protocol
