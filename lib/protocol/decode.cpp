// Parameters: JSON -> structs, checked against the table of methods.hpp.
#include <algorithm>
#include <array>
#include <limits>

#include "base/glob.hpp"
#include "base/nearest.hpp"
#include "base/quantity.hpp"
#include "base/signal_name.hpp"
#include "protocol/methods.hpp"

namespace vigil::protocol {
namespace {

constexpr std::size_t kPatternsLimit = 10'000;
/// A pattern is held against every task's name, so of these no more than one request may cost.
constexpr std::ptrdiff_t kWildcardsLimit = 32;
/// Twice the longest name, for brackets.
constexpr std::size_t kPatternLength = 128;
constexpr std::array kWaitFor = {params::TaskWait::For::healthy, params::TaskWait::For::stopped,
                                 params::TaskWait::For::completed, params::TaskWait::For::exit};

/// The parameters of one call. The first fault is kept; what is read after it has no meaning.
class Reader {
  public:
    Reader(const MethodInfo& method, const json::Value* given) : method_(method), given_(given) {}

    /// Checks the names, both ways, before any value is looked at.
    void check_names();

    void read(std::string_view name, std::string& to);
    void read(std::string_view name, std::optional<std::string>& to);
    void read(std::string_view name, Patterns& to);
    void read(std::string_view name, bool& to);
    void read(std::string_view name, std::optional<core::Duration>& to);
    void read(std::string_view name, params::TaskWait::For& to);
    void read(std::string_view name, StatusFields& to);
    void read_signal(std::string_view name, int& to);
    void read_object(std::string_view name, const json::Value*& to);

    [[nodiscard]] std::optional<RpcError>& fault() noexcept { return fault_; }

  private:
    /// The value, unless it is absent or null: null means "not given" for every parameter.
    [[nodiscard]] const json::Value* find(std::string_view name) const;
    void fail(std::string message);
    void expected(std::string_view name, std::string_view what, const json::Value& found);
    void take_pattern(std::string_view name, const json::Value& value, Patterns& to);
    [[nodiscard]] std::string unknown(const std::string& name) const;

    const MethodInfo& method_;
    const json::Value* given_;
    std::optional<RpcError> fault_;
};

void Reader::fail(std::string message) {
    if (!fault_)
        fault_ = RpcError{.code = ErrorCode::invalid_params,
                          .message = std::string(method_.name) + ": " + std::move(message)};
}

void Reader::expected(std::string_view name, std::string_view what, const json::Value& found) {
    fail("\"" + std::string(name) + "\" must be " + std::string(what) + ", and is " +
         std::string(json::type_name(found.type())));
}

const json::Value* Reader::find(std::string_view name) const {
    const json::Value* value = given_ == nullptr ? nullptr : given_->find(name);
    return value == nullptr || value->is_null() ? nullptr : value;
}

std::string Reader::unknown(const std::string& name) const {
    std::string message = "there is no parameter \"" + name.substr(0, 64) + "\"";
    if (method_.parameters.empty()) return message + "; this method has none";
    std::vector<std::string_view> names;
    for (const Parameter& parameter : method_.parameters) names.push_back(parameter.name);
    if (const std::string_view nearest = nearest_word(name, names); !nearest.empty())
        return message.append("; did you mean \"").append(nearest).append("\"?");
    message += "; there is ";
    for (std::size_t i = 0; i < names.size(); ++i) message.append(i == 0 ? "" : ", ").append(names[i]);
    return message;
}

void Reader::check_names() {
    if (given_ != nullptr) {
        const json::Object* members = given_->as_object();
        if (members == nullptr) return fail("parameters go by name: \"params\" must be an object");
        for (const json::Member& member : *members) {
            const auto known = std::any_of(method_.parameters.begin(), method_.parameters.end(),
                                           [&](const Parameter& p) { return p.name == member.key; });
            if (!known) return fail(unknown(member.key));
        }
    }
    for (const Parameter& parameter : method_.parameters)
        if (parameter.required && find(parameter.name) == nullptr)
            return fail("\"" + std::string(parameter.name) + "\" is missing: " + std::string(parameter.text));
}

void Reader::read(std::string_view name, std::string& to) {
    const json::Value* value = find(name);
    if (value == nullptr) return;
    const std::string* text = value->as_string();
    if (text == nullptr) return expected(name, "a string", *value);
    if (json::has_nul(*text)) return fail("\"" + std::string(name) + "\" holds a NUL character");
    to = *text;
}

void Reader::read(std::string_view name, std::optional<std::string>& to) {
    if (find(name) != nullptr) read(name, to.emplace());
}

void Reader::take_pattern(std::string_view name, const json::Value& value, Patterns& to) {
    const std::string* text = value.as_string();
    if (text == nullptr) return expected(name, "a string or an array of strings", value);
    if (text->empty()) return fail("\"" + std::string(name) + "\" is empty: \"*\" means every task");
    if (json::has_nul(*text)) return fail("\"" + std::string(name) + "\" holds a NUL character");
    if (text->size() > kPatternLength)
        return fail("\"" + std::string(name) + "\" holds a pattern of more than " +
                    std::to_string(kPatternLength) + " bytes; names have 64 at most");
    to.push_back(*text);
}

void Reader::read(std::string_view name, Patterns& to) {
    const json::Value* value = find(name);
    if (value == nullptr) return;
    const json::Array* array = value->as_array();
    if (array == nullptr) return take_pattern(name, *value, to);
    // An empty list that a program computed must not turn into "every task".
    if (array->empty()) return fail("\"" + std::string(name) + "\" is an empty array: it would name no task");
    if (array->size() > kPatternsLimit)
        return fail("\"" + std::string(name) + "\" holds more than " + std::to_string(kPatternsLimit) +
                    " patterns");
    for (const json::Value& element : *array) take_pattern(name, element, to);
    if (std::count_if(to.begin(), to.end(), is_glob) > kWildcardsLimit)
        fail("\"" + std::string(name) + "\" holds more than " + std::to_string(kWildcardsLimit) +
             " patterns with wildcards; names without them may be " + std::to_string(kPatternsLimit));
}

void Reader::read(std::string_view name, bool& to) {
    const json::Value* value = find(name);
    if (value == nullptr) return;
    if (const bool* flag = value->as_bool())
        to = *flag;
    else
        expected(name, "true or false", *value);
}

void Reader::read(std::string_view name, std::optional<core::Duration>& to) {
    constexpr std::int64_t kMostMs = std::int64_t{100} * 365 * 24 * 3600 * 1000;
    const json::Value* value = find(name);
    if (value == nullptr) return;
    if (const std::string* text = value->as_string()) {
        auto duration = parse_duration(*text);
        if (!duration) return fail("\"" + std::string(name) + "\": " + duration.error());
        to = *duration;
    } else if (value->type() == json::Type::integer) {
        const auto count = value->as_int64();
        if (!count || *count < 0 || *count > kMostMs)
            return fail("\"" + std::string(name) + "\" must be milliseconds, from 0 to 100 years");
        to = std::chrono::milliseconds(*count);
    } else {
        expected(name, "a duration such as \"1m30s\" or whole milliseconds", *value);
    }
}

void Reader::read(std::string_view name, StatusFields& to) {
    const json::Value* value = find(name);
    if (value == nullptr) return;
    const json::Array* array = value->as_array();
    if (array == nullptr) return expected(name, "an array of strings", *value);
    if (array->empty()) return fail("\"" + std::string(name) + "\" is an empty array: leave it out for all");
    for (const json::Value& element : *array) {
        const std::string* text = element.as_string();
        if (text == nullptr) return expected(name, "an array of strings", element);
        const auto field = parse_status_field(*text);
        if (field) {
            to.add(*field);
            continue;
        }
        std::string message = "\"" + std::string(name) + "\": a task has no \"" + text->substr(0, 64) + "\"";
        const std::string_view nearest = nearest_word(*text, kStatusFieldNames);
        if (!nearest.empty()) message.append("; did you mean \"").append(nearest).append("\"?");
        return fail(std::move(message));
    }
}

void Reader::read(std::string_view name, params::TaskWait::For& to) {
    const json::Value* value = find(name);
    if (value == nullptr) return;
    const std::string* text = value->as_string();
    const auto what = text == nullptr ? std::nullopt : parse_wait_for(*text);
    if (!what) return fail("\"" + std::string(name) + "\" must be healthy, stopped, completed or exit");
    to = *what;
}

void Reader::read_signal(std::string_view name, int& to) {
    const json::Value* value = find(name);
    if (value == nullptr) return;
    std::optional<int> signal;
    if (const std::string* text = value->as_string())
        signal = parse_signal(*text);
    else if (const auto number = value->as_int64(); number && *number >= 1 && *number <= 64)
        signal = static_cast<int>(*number);
    if (!signal)
        return fail("\"" + std::string(name) + "\" must be a signal such as \"HUP\", or a number 1 to 64");
    to = *signal;
}

void Reader::read_object(std::string_view name, const json::Value*& to) {
    const json::Value* value = find(name);
    if (value == nullptr) return;
    if (value->as_object() == nullptr) return expected(name, "an object", *value);
    to = value;
}

/// Of these methods some have no "now" and some no "persist"; then check_names() has refused it.
Params read_order(Reader& in) {
    params::TaskOrder order;
    in.read("name", order.names);
    in.read("wait", order.wait);
    in.read("timeout", order.timeout);
    in.read("now", order.now);
    in.read("persist", order.persist);
    return order;
}

Params read_reload(Reader& in) {
    params::DaemonReload reload;
    in.read("dry_run", reload.dry_run);
    in.read("wait", reload.wait);
    in.read("timeout", reload.timeout);
    return reload;
}

Params read_add(Reader& in) {
    params::TaskAdd add;
    in.read("name", add.name);
    in.read_object("spec", add.spec);
    in.read("persist", add.persist);
    in.read("wait", add.wait);
    in.read("timeout", add.timeout);
    return add;
}

Params read_signal_order(Reader& in) {
    params::TaskSignal order;
    in.read("name", order.names);
    in.read_signal("signal", order.signal);
    return order;
}

Params read_wait(Reader& in) {
    params::TaskWait wait;
    in.read("name", wait.names);
    in.read("for", wait.what);
    in.read("timeout", wait.timeout);
    return wait;
}

Params read_status(Reader& in) {
    params::TaskStatus status;
    in.read("name", status.names);
    in.read("spec", status.spec);
    in.read("details", status.details);
    in.read("fields", status.fields);
    return status;
}

Params read_check(Reader& in) {
    params::DaemonCheck check;
    in.read("path", check.path);
    return check;
}

Params read_shutdown(Reader& in) {
    params::DaemonShutdown shutdown;
    in.read("now", shutdown.now);
    return shutdown;
}

Params read_upgrade(Reader& in) {
    params::DaemonUpgrade upgrade;
    in.read("program", upgrade.program);
    return upgrade;
}

/// For parameters that are patterns and nothing else.
template <typename T>
Params read_names(Reader& in) {
    T params;
    in.read("name", params.names);
    return params;
}

Params read_params(const MethodInfo& method, Reader& in) {
    switch (method.id) {
        case Method::daemon_check: return read_check(in);
        case Method::daemon_shutdown: return read_shutdown(in);
        case Method::daemon_reload: return read_reload(in);
        case Method::daemon_upgrade: return read_upgrade(in);
        case Method::task_add: return read_add(in);
        case Method::task_remove:
        case Method::task_start:
        case Method::task_stop:
        case Method::task_restart:
        case Method::task_kill: return read_order(in);
        case Method::task_signal: return read_signal_order(in);
        case Method::task_status: return read_status(in);
        case Method::task_wait: return read_wait(in);
        case Method::task_pause:
        case Method::task_resume: return read_names<params::TaskFreeze>(in);
        case Method::task_logs: return read_names<params::TaskLogs>(in);
        case Method::events_subscribe: return read_names<params::EventsSubscribe>(in);
        case Method::daemon_hello:
        case Method::daemon_status: break;
    }
    return params::None{};
}

}  // namespace

Result<Params, RpcError> decode(const MethodInfo& method, const json::Value* given) {
    Reader in(method, given);
    in.check_names();
    if (in.fault()) return Failure{std::move(*in.fault())};
    Params params = read_params(method, in);
    if (in.fault()) return Failure{std::move(*in.fault())};
    return params;
}

std::string_view to_string(params::TaskWait::For what) noexcept {
    switch (what) {
        case params::TaskWait::For::healthy: return "healthy";
        case params::TaskWait::For::stopped: return "stopped";
        case params::TaskWait::For::completed: return "completed";
        case params::TaskWait::For::exit: return "exit";
    }
    return {};
}

std::optional<params::TaskWait::For> parse_wait_for(std::string_view text) noexcept {
    for (const params::TaskWait::For what : kWaitFor)
        if (to_string(what) == text) return what;
    return std::nullopt;
}

}  // namespace vigil::protocol
