#include "protocol/params_reader.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "base/glob.hpp"
#include "base/nearest.hpp"
#include "base/quantity.hpp"
#include "base/signal_name.hpp"

namespace vigil::protocol {
namespace {

constexpr std::size_t kPatternsLimit = 10'000;
/// A pattern is held against every task's name, so of these no more than one request may cost.
constexpr std::ptrdiff_t kWildcardsLimit = 32;
/// Twice the longest name, for brackets.
constexpr std::size_t kPatternLength = 128;

}  // namespace

void ParamsReader::fail(std::string message) {
    if (!fault_)
        fault_ = RpcError{.code = ErrorCode::invalid_params,
                          .message = std::string(method_.name) + ": " + std::move(message)};
}

void ParamsReader::expected(std::string_view name, std::string_view what, const json::Value& found) {
    fail("\"" + std::string(name) + "\" must be " + std::string(what) + ", and is " +
         std::string(json::type_name(found.type())));
}

const json::Value* ParamsReader::find(std::string_view name) const {
    const json::Value* value = given_ == nullptr ? nullptr : given_->find(name);
    return value == nullptr || value->is_null() ? nullptr : value;
}

std::string ParamsReader::unknown(const std::string& name) const {
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

void ParamsReader::check_names() {
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

void ParamsReader::read(std::string_view name, std::string& to) {
    const json::Value* value = find(name);
    if (value == nullptr) return;
    const std::string* text = value->as_string();
    if (text == nullptr) return expected(name, "a string", *value);
    if (json::has_nul(*text)) return fail("\"" + std::string(name) + "\" holds a NUL character");
    to = *text;
}

void ParamsReader::read(std::string_view name, std::optional<std::string>& to) {
    if (find(name) != nullptr) read(name, to.emplace());
}

void ParamsReader::take_pattern(std::string_view name, const json::Value& value, Patterns& to) {
    const std::string* text = value.as_string();
    if (text == nullptr) return expected(name, "a string or an array of strings", value);
    if (text->empty()) return fail("\"" + std::string(name) + "\" is empty: \"*\" means every task");
    if (json::has_nul(*text)) return fail("\"" + std::string(name) + "\" holds a NUL character");
    if (text->size() > kPatternLength)
        return fail("\"" + std::string(name) + "\" holds a pattern of more than " +
                    std::to_string(kPatternLength) + " bytes; names have 64 at most");
    to.push_back(*text);
}

void ParamsReader::read(std::string_view name, Patterns& to) {
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

void ParamsReader::read(std::string_view name, bool& to) {
    const json::Value* value = find(name);
    if (value == nullptr) return;
    if (const bool* flag = value->as_bool())
        to = *flag;
    else
        expected(name, "true or false", *value);
}

void ParamsReader::read(std::string_view name, std::optional<core::Duration>& to) {
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

void ParamsReader::read(std::string_view name, StatusFields& to) {
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

void ParamsReader::read(std::string_view name, params::TaskWait::For& to) {
    const json::Value* value = find(name);
    if (value == nullptr) return;
    const std::string* text = value->as_string();
    const auto what = text == nullptr ? std::nullopt : parse_wait_for(*text);
    if (!what) return fail("\"" + std::string(name) + "\" must be healthy, stopped, completed or exit");
    to = *what;
}

void ParamsReader::read_signal(std::string_view name, int& to) {
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

void ParamsReader::read_object(std::string_view name, const json::Value*& to) {
    const json::Value* value = find(name);
    if (value == nullptr) return;
    if (value->as_object() == nullptr) return expected(name, "an object", *value);
    to = value;
}

/// Of these methods some have no "now" and some no "persist"; then check_names() has refused it.
}  // namespace vigil::protocol
