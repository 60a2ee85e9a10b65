#include "config/decode.hpp"

#include <algorithm>

#include "base/nearest.hpp"
#include "base/quantity.hpp"
#include "base/signal_name.hpp"
#include "base/text.hpp"
#include "json/writer.hpp"

namespace vigil::config {
namespace {

std::string quoted(std::string_view text) {
    constexpr std::size_t kLongest = 60;
    std::string shown = escape_for_display(text.substr(0, kLongest));
    return "\"" + shown + (text.size() > kLongest ? "...\"" : "\"");
}

std::nullopt_t fail(Faults& faults, const json::Value& value, std::string message) {
    faults.push_back({value.place, {}, std::move(message)});
    return std::nullopt;
}

std::string listed(std::span<const std::string_view> words) {
    std::string out;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (i != 0) out += i + 1 == words.size() ? " or " : ", ";
        out += "\"" + std::string(words[i]) + "\"";
    }
    return out;
}

}  // namespace

std::string found_text(const json::Value& value) {
    switch (value.type()) {
        case json::Type::boolean: return *value.as_bool() ? "true" : "false";
        case json::Type::integer: return "the integer " + json::to_text(value);
        case json::Type::real: return "the number " + json::to_text(value);
        case json::Type::string: return "the string " + quoted(*value.as_string());
        default: return std::string(json::type_name(value.type()));
    }
}

std::string wrong_type(std::string_view expected, const json::Value& value) {
    return "expected " + std::string(expected) + ", found " + found_text(value);
}

std::string suggestion(std::string_view word, const std::vector<std::string_view>& candidates) {
    const std::string_view nearest = nearest_word(word, candidates);
    return nearest.empty() ? std::string() : "; did you mean \"" + std::string(nearest) + "\"?";
}

std::optional<bool> decode_boolean(const json::Value& value, Faults& faults) {
    if (const bool* flag = value.as_bool()) return *flag;
    return fail(faults, value, wrong_type("true or false", value));
}

std::optional<std::int64_t> decode_integer(const Key& key, const json::Value& value, Faults& faults) {
    const std::string range = std::to_string(key.min) + " to " + std::to_string(key.max);
    if (value.type() != json::Type::integer)
        return fail(faults, value, wrong_type("an integer from " + range, value));
    const std::optional<std::int64_t> number = value.as_int64();
    if (!number || *number < key.min || *number > key.max)
        return fail(faults, value, json::to_text(value) + " is out of range; write an integer from " + range);
    return number;
}

std::optional<double> decode_fraction(const json::Value& value, Faults& faults) {
    const std::optional<double> number = value.as_number();
    if (!number) return fail(faults, value, wrong_type("a number from 0 to 1", value));
    if (!(*number >= 0.0 && *number <= 1.0))
        return fail(faults, value, json::to_text(value) + " is out of range; write a number from 0 to 1");
    return number;
}

std::optional<std::chrono::nanoseconds> decode_duration(const Key& key, const json::Value& value,
                                                        Faults& faults) {
    if (value.as_number().value_or(-1) >= 0) {
        const std::string number = json::to_text(value);
        return fail(faults, value,
                    number + " has no unit; write \"" + number + "s\" for seconds or \"" + number +
                        "ms\" for milliseconds");
    }
    const std::string* text = value.as_string();
    if (text == nullptr) return fail(faults, value, wrong_type("a duration such as \"2s\"", value));
    auto duration = parse_duration(*text);
    if (!duration) return fail(faults, value, escape_for_display(duration.error()));
    if (duration->count() < key.min)
        return fail(faults, value, quoted(*text) + " must be longer than nothing");
    return *duration;
}

std::optional<std::uint64_t> decode_size(const Key& key, const json::Value& value, Faults& faults) {
    if (value.as_number().value_or(-1) >= 0) {
        const std::string number = json::to_text(value);
        return fail(faults, value,
                    number + " has no unit; write \"" + number + "MiB\" for mebibytes or \"" + number +
                        "B\" for bytes");
    }
    const std::string* text = value.as_string();
    if (text == nullptr) return fail(faults, value, wrong_type("a size such as \"64MiB\"", value));
    auto size = parse_size(*text);
    if (!size) return fail(faults, value, escape_for_display(size.error()));
    if (*size < static_cast<std::uint64_t>(key.min))
        return fail(faults, value, quoted(*text) + " must be more than nothing");
    if (*size > static_cast<std::uint64_t>(key.max))
        return fail(faults, value, quoted(*text) + " is more than any file can hold");
    return *size;
}

std::optional<std::size_t> decode_word(const Key& key, const json::Value& value, Faults& faults) {
    const std::string choice = listed(key.words);
    const std::string* text = value.as_string();
    if (text == nullptr)
        return fail(faults, value, wrong_type((key.words.size() > 1 ? "one of " : "") + choice, value));
    const auto known = std::find(key.words.begin(), key.words.end(), *text);
    if (known != key.words.end()) return static_cast<std::size_t>(known - key.words.begin());
    return fail(faults, value,
                quoted(*text) + " is not known here; write " + choice +
                    suggestion(*text, {key.words.begin(), key.words.end()}));
}

std::vector<std::string> signal_names() {
    std::vector<std::string> names;
    for (int signal = 1; signal <= 64; ++signal) {
        std::string name = signal_name(signal);
        // 32 and 33 belong to the C library and have no name; they cannot be meant.
        if (name != std::to_string(signal)) names.push_back(std::move(name));
    }
    return names;
}

std::optional<int> decode_signal(const json::Value& value, Faults& faults) {
    const std::string* text = value.as_string();
    if (text == nullptr)
        return fail(faults, value, wrong_type("the name of a signal, such as \"TERM\"", value));
    // One spelling (and the familiar prefix), so that editors with the schema and the daemon agree.
    const std::string_view name = text->starts_with("SIG") ? std::string_view(*text).substr(3) : *text;
    const std::optional<int> signal = parse_signal(name);
    if (signal && signal_name(*signal) == name && name != std::to_string(*signal)) return signal;
    const std::vector<std::string> names = signal_names();
    return fail(
        faults, value,
        quoted(*text) + " is not the name of a signal; write one such as \"TERM\" or \"HUP\"" +
            suggestion(signal ? signal_name(*signal) : std::string(name), {names.begin(), names.end()}));
}

std::optional<mode_t> decode_mode(const json::Value& value, Faults& faults) {
    const std::string* text = value.as_string();
    if (text == nullptr)
        return fail(faults, value, wrong_type("octal digits in quotes, such as \"0660\" or \"022\"", value));
    const bool octal =
        !text->empty() && text->size() <= 4 && text->find_first_not_of("01234567") == std::string::npos;
    if (octal && (text->size() < 4 || text->front() == '0'))
        return static_cast<mode_t>(std::stoul(*text, nullptr, 8));
    return fail(faults, value,
                quoted(*text) + " is no octal number from 0 to 0777; write one such as \"0660\" or \"022\"");
}

void check_value(const Key& key, const json::Value& value, Faults& faults) {
    switch (key.kind) {
        case Kind::section:
        case Kind::tasks: return;  // their members are keys and tasks of their own
        case Kind::version:
        case Kind::integer: decode_integer(key, value, faults); return;
        case Kind::boolean: decode_boolean(value, faults); return;
        case Kind::fraction: decode_fraction(value, faults); return;
        case Kind::duration: decode_duration(key, value, faults); return;
        case Kind::word: decode_word(key, value, faults); return;
        case Kind::signal: decode_signal(value, faults); return;
        case Kind::mode: decode_mode(value, faults); return;
        case Kind::size: decode_size(key, value, faults); return;
        case Kind::stop_steps: decode_stop_steps(value, faults); return;
        case Kind::path:
        case Kind::word_or_path:
        case Kind::account: decode_string(key, value, faults); return;
        case Kind::accounts:
        case Kind::argv:
        case Kind::patterns:
        case Kind::variable_names: decode_strings(key, value, faults); return;
        case Kind::environment: decode_environment(value, faults); return;
        case Kind::exit_codes: decode_exit_codes(value, faults); return;
        case Kind::rlimits: decode_rlimits(value, faults); return;
    }
}

}  // namespace vigil::config
