// The decoders of strings, lists and maps; decode.cpp has those of plain values.
#include <sys/resource.h>

#include <algorithm>
#include <array>

#include "base/quantity.hpp"
#include "base/text.hpp"
#include "config/decode.hpp"
#include "config/variables.hpp"
#include "json/writer.hpp"

namespace vigil::config {
namespace {

constexpr std::array<LimitName, 16> kLimits{{{"as", RLIMIT_AS, true},
                                             {"core", RLIMIT_CORE, true},
                                             {"cpu", RLIMIT_CPU, false},
                                             {"data", RLIMIT_DATA, true},
                                             {"fsize", RLIMIT_FSIZE, true},
                                             {"locks", RLIMIT_LOCKS, false},
                                             {"memlock", RLIMIT_MEMLOCK, true},
                                             {"msgqueue", RLIMIT_MSGQUEUE, true},
                                             {"nice", RLIMIT_NICE, false},
                                             {"nofile", RLIMIT_NOFILE, false},
                                             {"nproc", RLIMIT_NPROC, false},
                                             {"rss", RLIMIT_RSS, true},
                                             {"rtprio", RLIMIT_RTPRIO, false},
                                             {"rttime", RLIMIT_RTTIME, false},
                                             {"sigpending", RLIMIT_SIGPENDING, false},
                                             {"stack", RLIMIT_STACK, true}}};

constexpr std::array<std::string_view, 11> kReserved{"JOURNAL_STREAM",
                                                     "NOTIFY_SOCKET",
                                                     "VIGIL_GENERATION",
                                                     "VIGIL_HEARTBEAT_FD",
                                                     "VIGIL_HEARTBEAT_INTERVAL_USEC",
                                                     "VIGIL_INVOCATION",
                                                     "VIGIL_MAIN_PID",
                                                     "VIGIL_RUNTIME_DIR",
                                                     "VIGIL_TASK",
                                                     "WATCHDOG_PID",
                                                     "WATCHDOG_USEC"};

constexpr std::string_view kNul = "a NUL character (\\u0000) can stand in no path, argument or name";

void add(Faults& faults, const json::Place& place, std::string member, std::string message) {
    faults.push_back({place, std::move(member), std::move(message)});
}

bool has_control(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 || byte == 0x7F;
    });
}

std::string words_or_path(const Key& key) {
    std::string words;
    for (const std::string_view word : key.words) words += "\"" + std::string(word) + "\", ";
    return words + "or a path that begins with \"/\"";
}

/// What is wrong with one string of a key (an element, where the key holds a list); empty when nothing is.
std::string string_fault(const Key& key, std::string_view text, std::size_t index) {
    if (json::has_nul(text)) return std::string(kNul);
    switch (key.kind) {
        case Kind::path:
            return text.starts_with('/') ? ""
                                         : "a path from the root is needed; write one that begins with \"/\"";
        case Kind::word_or_path:
            if (text.starts_with('/') ||
                std::find(key.words.begin(), key.words.end(), text) != key.words.end())
                return "";
            return "\"" + escape_for_display(text) + "\" is not known here; write " + words_or_path(key) +
                   suggestion(text, {key.words.begin(), key.words.end()});
        case Kind::account:
        case Kind::accounts:
            if (text.empty()) return "the name is empty";
            return has_control(text) || text.find_first_of(":/ ") != std::string_view::npos
                       ? "\"" + escape_for_display(text) + "\" is no name of a user or group"
                       : "";
        case Kind::argv: return index == 0 && text.empty() ? "the program's name is empty" : "";
        case Kind::patterns: return text.empty() ? "the pattern is empty" : "";
        case Kind::variable_names:
            return is_variable_name(text)
                       ? ""
                       : "\"" + escape_for_display(text) +
                             "\" is no variable name (letters, digits and _, not beginning with a digit)";
        default: return "";
    }
}

std::string string_expectation(const Key& key) {
    switch (key.kind) {
        case Kind::word_or_path: return words_or_path(key);
        case Kind::path: return "a path in quotes";
        case Kind::account:
        case Kind::accounts: return "a name or decimal number in quotes";
        default: return "a string";
    }
}

std::string list_expectation(const Key& key, const json::Value& value) {
    if (key.kind != Kind::argv) return wrong_type("an array of strings", value);
    return wrong_type("an array of strings", value) +
           "; write [\"program\", \"argument\"], or [\"/bin/sh\", \"-c\", \"...\"] where a shell is meant";
}

using Side = std::optional<std::optional<std::uint64_t>>;

Side decode_side(const LimitName& limit, const json::Value& value, const std::string& member,
                 Faults& faults) {
    if (const std::optional<std::uint64_t> number = value.as_uint64(); number && *number != RLIM_INFINITY)
        return std::optional(*number);
    const std::string* text = value.as_string();
    if (text != nullptr && *text == "unlimited") return std::optional<std::uint64_t>();
    if (text != nullptr && limit.bytes) {
        if (auto size = parse_size(*text)) return std::optional(*size);
    }
    add(faults, value.place, member,
        wrong_type(limit.bytes ? "a number of bytes, a size such as \"64MiB\", or \"unlimited\""
                               : "an integer from 0 or \"unlimited\"",
                   value));
    return std::nullopt;
}

std::optional<LimitSides> decode_limit(const LimitName& limit, const json::Member& member, Faults& faults) {
    const std::string path = "." + std::string(limit.name);
    LimitSides sides{limit.resource, {}, {}, member.place};
    const json::Object* object = member.value.as_object();
    if (object == nullptr) {
        sides.soft = sides.hard = decode_side(limit, member.value, path, faults);
        return sides.soft ? std::optional(sides) : std::nullopt;
    }
    const std::size_t before = faults.size();
    for (const json::Member& side : *object) {
        if (side.key == "soft")
            sides.soft = decode_side(limit, side.value, path + ".soft", faults);
        else if (side.key == "hard")
            sides.hard = decode_side(limit, side.value, path + ".hard", faults);
        else if (!is_free_key(side.key))
            add(faults, side.place, path + "." + escape_for_display(side.key),
                "unknown key; a limit has \"soft\" and \"hard\"");
    }
    return faults.size() == before ? std::optional(sides) : std::nullopt;
}

}  // namespace

std::span<const LimitName> limit_names() noexcept {
    return kLimits;
}

std::span<const std::string_view> reserved_variables() noexcept {
    return kReserved;
}

std::optional<std::string> decode_string(const Key& key, const json::Value& value, Faults& faults) {
    const std::string* text = value.as_string();
    std::string fault =
        text == nullptr ? wrong_type(string_expectation(key), value) : string_fault(key, *text, 0);
    if (text != nullptr && fault.empty()) return *text;
    add(faults, value.place, {}, std::move(fault));
    return std::nullopt;
}

std::optional<std::vector<std::string>> decode_strings(const Key& key, const json::Value& value,
                                                       Faults& faults) {
    const json::Array* elements = value.as_array();
    if (elements == nullptr || (key.kind == Kind::argv && elements->empty())) {
        add(faults, value.place, {},
            elements == nullptr ? list_expectation(key, value) : "an empty array names no program");
        return std::nullopt;
    }
    const std::size_t before = faults.size();
    std::vector<std::string> strings;
    strings.reserve(elements->size());
    for (const json::Value& element : *elements) {
        const std::size_t index = static_cast<std::size_t>(&element - elements->data());
        const std::string* text = element.as_string();
        std::string fault =
            text == nullptr ? wrong_type(string_expectation(key), element) : string_fault(key, *text, index);
        if (text != nullptr && fault.empty())
            strings.push_back(*text);
        else
            add(faults, element.place, "[" + std::to_string(index) + "]", std::move(fault));
    }
    return faults.size() == before ? std::optional(std::move(strings)) : std::nullopt;
}

std::optional<std::vector<int>> decode_exit_codes(const json::Value& value, Faults& faults) {
    const json::Array* elements = value.as_array();
    if (elements == nullptr) {
        add(faults, value.place, {}, wrong_type("an array of exit codes such as [0, 2]", value));
        return std::nullopt;
    }
    const std::size_t before = faults.size();
    std::vector<int> codes;
    for (const json::Value& element : *elements) {
        const std::optional<std::int64_t> code = element.as_int64();
        if (code && *code >= 0 && *code <= 255)
            codes.push_back(static_cast<int>(*code));
        else
            add(faults, element.place, "[" + std::to_string(&element - elements->data()) + "]",
                wrong_type("an integer from 0 to 255", element));
    }
    std::sort(codes.begin(), codes.end());
    codes.erase(std::unique(codes.begin(), codes.end()), codes.end());
    return faults.size() == before ? std::optional(std::move(codes)) : std::nullopt;
}

std::optional<Environment> decode_environment(const json::Value& value, Faults& faults) {
    const json::Object* members = value.as_object();
    if (members == nullptr) {
        add(faults, value.place, {}, wrong_type("an object of variables and values", value));
        return std::nullopt;
    }
    const std::size_t before = faults.size();
    Environment environment;
    environment.reserve(members->size());
    for (const auto& [name, place, element] : *members) {
        const std::string path = "." + escape_for_display(name);
        if (!is_variable_name(name))
            add(faults, place, path, "no variable name (letters, digits and _, not beginning with a digit)");
        else if (std::find(kReserved.begin(), kReserved.end(), name) != kReserved.end())
            add(faults, place, path, "this variable is set by vigild itself");
        const std::string* text = element.as_string();
        if (text != nullptr && json::has_nul(*text))
            add(faults, element.place, path, std::string(kNul));
        else if (text != nullptr) {
            if (auto fault = check_variables(*text))
                add(faults, element.place, path, std::move(fault->message));
        } else if (!element.is_null()) {
            add(faults, element.place, path, wrong_type("a string", element));
        }
        environment.emplace_back(name, text == nullptr ? std::nullopt : std::optional(*text));
    }
    return faults.size() == before ? std::optional(std::move(environment)) : std::nullopt;
}

std::optional<std::vector<LimitSides>> decode_rlimits(const json::Value& value, Faults& faults) {
    const json::Object* members = value.as_object();
    if (members == nullptr) {
        add(faults, value.place, {}, wrong_type("an object such as {\"nofile\": 1024}", value));
        return std::nullopt;
    }
    const std::size_t before = faults.size();
    std::vector<LimitSides> limits;
    for (const json::Member& member : *members) {
        if (is_free_key(member.key)) continue;
        const auto known = std::find_if(kLimits.begin(), kLimits.end(),
                                        [&](const LimitName& limit) { return limit.name == member.key; });
        if (known == kLimits.end()) {
            std::vector<std::string_view> names;
            names.reserve(kLimits.size());
            for (const LimitName& limit : kLimits) names.push_back(limit.name);
            add(faults, member.place, "." + escape_for_display(member.key),
                "unknown resource limit" + suggestion(member.key, names));
        } else if (auto limit = decode_limit(*known, member, faults)) {
            limits.push_back(*limit);
        }
    }
    return faults.size() == before ? std::optional(std::move(limits)) : std::nullopt;
}

}  // namespace vigil::config
