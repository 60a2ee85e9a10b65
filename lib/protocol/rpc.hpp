// Layer protocol. JSON-RPC 2.0 (https://www.jsonrpc.org/specification), one object a line in both directions.
// Parameters are by name; batches are refused; a request without id is carried out and not answered.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "json/parse.hpp"
#include "json/writer.hpp"

namespace vigil::protocol {

inline constexpr std::size_t kRequestDepthLimit = 32;
/// Values in a request, members and elements included: what it costs to read one is within a few
/// milliseconds.
inline constexpr std::size_t kRequestValuesLimit = 20'000;
/// Longest id as written, so that echoing it costs nothing.
inline constexpr std::size_t kIdLimit = 256;

/// The specification's codes, and below them one for each kind of refusal of our own.
enum class ErrorCode : int {
    parse_error = -32700,
    invalid_request = -32600,
    method_not_found = -32601,
    invalid_params = -32602,
    internal_error = -32603,
    no_such_task = -32001,
    already_exists = -32002,
    timeout = -32003,
    denied = -32004,
    config_invalid = -32005,
    busy = -32006,
    upgrade_failed = -32007,
};

/// "NoSuchTask", "Denied", ...: the word in `data.kind`; empty for the specification's own codes.
[[nodiscard]] std::string_view error_kind(ErrorCode code) noexcept;

/// How far an order got for one task. Written as {"name", "outcome", "status", "explanation"}.
struct TaskOutcome {
    enum class Kind : std::uint8_t {
        done,      ///< the outcome is reached, or was so already
        failed,    ///< it cannot be reached any more; `explanation` says why
        accepted,  ///< with "wait": false: the order was taken
        pending,   ///< the time limit passed first; the order stands
    };
    std::string name{};
    Kind kind = Kind::done;
    std::string status{};       ///< the task's state now; empty (null) once it is removed
    std::string explanation{};  ///< empty (null) where there is nothing to explain
};
[[nodiscard]] std::string_view to_string(TaskOutcome::Kind kind) noexcept;

struct RpcError {
    ErrorCode code = ErrorCode::internal_error;
    std::string message{};  ///< a sentence for people: what, why, what next
    std::vector<std::string>
        names{};  ///< data.names: the patterns or names at fault (NoSuchTask, AlreadyExists)
    std::vector<std::string> problems{};  ///< data.problems: "file:line:column: message" (ConfigInvalid)
    std::vector<TaskOutcome> tasks{};     ///< data.tasks: how far each task got (Timeout)
};

/// The id as JSON text, exactly as the client wrote it: a string, a number or null.
struct RequestId {
    std::string json = "null";
};

struct Request {
    std::optional<RequestId> id;  ///< nothing: a notification, never answered
    std::string method;
    json::Document document;  ///< owns what params() shows

    /// The parameters, an object; nullptr where the request has none.
    [[nodiscard]] const json::Value* params() const noexcept;
};

/// A line that is no request we take; `id` is "null" where none could be read.
struct RefusedRequest {
    RequestId id;
    RpcError error;
};

/// Checks depth, size of the id, duplicate and unknown members, and the form of "params".
[[nodiscard]] Result<Request, RefusedRequest> parse_request(std::string_view line);

/// One message, appended to a string that the caller owns:
///
///     Message answer = Message::result(out, id);
///     write_hello(answer.body(), hello);
///     answer.end();
class Message {
  public:
    /// {"jsonrpc":"2.0","id":...,"result":<body>}
    [[nodiscard]] static Message result(std::string& out, const RequestId& id);
    /// {"jsonrpc":"2.0","method":...,"params":<body>}
    [[nodiscard]] static Message notification(std::string& out, std::string_view method);

    /// Takes exactly one value; an object for a notification.
    [[nodiscard]] json::Writer& body() noexcept { return writer_; }
    /// Closes the line, newline included. To be called once, last.
    void end();

  private:
    explicit Message(std::string& out) : out_(out), writer_(out) {}

    std::string& out_;
    json::Writer writer_;
};

/// {"jsonrpc":"2.0","id":...,"error":{"code":...,"message":...,"data":{"kind":...}}} and a newline. `data` is
/// there for errors with a kind only.
void write_error(std::string& out, const RequestId& id, const RpcError& error);

/// {"tasks":[...]}: the result of every method that gives orders to tasks.
void write_outcomes(json::Writer& out, const std::vector<TaskOutcome>& tasks);
/// The array alone, as a member's value.
void write_outcome_array(json::Writer& out, const std::vector<TaskOutcome>& tasks);

// The client's side.

/// A request line. `params` is a JSON object as text, or empty for none.
[[nodiscard]] std::string request_line(std::uint64_t id, std::string_view method, std::string_view params);

/// One line from a daemon: an answer, or a notification.
struct Incoming {
    std::optional<std::uint64_t> id;  ///< nothing: a notification, or an error that answers no request
    std::string method;               ///< of a notification
    std::optional<RpcError> error;
    /// `result` or `params` as JSON text, a view of the line; empty for an error.
    std::string_view payload;
};
/// The error is one sentence about what the peer got wrong.
[[nodiscard]] Result<Incoming, std::string> parse_incoming(std::string_view line);

/// Reads what write_outcomes wrote; unknown members are skipped.
[[nodiscard]] Result<std::vector<TaskOutcome>, std::string> parse_outcomes(std::string_view result);

}  // namespace vigil::protocol
