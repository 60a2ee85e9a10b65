#include "config/schema_types.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "config/decode.hpp"

namespace vigil::config {
namespace {

// Regular expressions in the common part of ECMA 262 and Python, whose \u stand for one character each.
constexpr std::string_view kNoNul = R"(^[^\u0000]*$)";
constexpr std::string_view kNoNulNotEmpty = R"(^[^\u0000]+$)";
constexpr std::string_view kVariableName = "^[A-Za-z_][A-Za-z0-9_]*$";
constexpr std::string_view kAccount = R"(^[^\u0000-\u0020:/\u007f]+$)";
constexpr std::string_view kPath = R"(^/[^\u0000]*$)";
constexpr std::string_view kMode = "^(?:[0-7]{1,3}|0[0-7]{3})$";
constexpr std::string_view kSize = "^[0-9]+(?:B|KiB|MiB|GiB|TiB|kB|MB|GB|TB)$";
constexpr std::string_view kSizeNotZero = "^0*[1-9][0-9]*(?:B|KiB|MiB|GiB|TiB|kB|MB|GB|TB)$";
// A character, "$${", a reference with or without a default, or a "$" that begins none of these.
constexpr std::string_view kEnvironmentValue =
    R"(^(?:[^$\u0000]|\$\$\{|\$\{[A-Za-z_][A-Za-z0-9_]*(?::-(?:[^$}\u0000]|\$(?!\{))*)?\}|\$(?!\{))*$)";

std::string duration_pattern() {
    constexpr std::array<std::string_view, 7> kUnits{"d", "h", "m", "s", "ms", "us", "ns"};
    std::string alternatives;
    std::string before;
    for (const std::string_view unit : kUnits) {
        if (!alternatives.empty()) alternatives += '|';
        alternatives += before + R"([0-9]+(?:\.[0-9]{1,9})?)" + std::string(unit);
        before += "(?:[0-9]+" + std::string(unit) + ")?";
    }
    return "^(?:" + alternatives + ")$";
}

std::string signal_pattern() {
    std::string names;
    for (const std::string& name : signal_names()) {
        if (!names.empty()) names += '|';
        const std::size_t plus = name.find('+');
        names += plus == std::string::npos ? name : name.substr(0, plus) + "\\" + name.substr(plus);
    }
    return "^(?:SIG)?(?:" + names + ")$";
}

void write_pattern(json::Writer& out, std::string_view pattern) {
    out.member("type", "string").member("pattern", pattern);
}

void write_reference(json::Writer& out, std::string_view definition) {
    out.member("$ref", "#/$defs/" + std::string(definition));
}

template <typename WriteItem>
void write_array(json::Writer& out, WriteItem write_item) {
    out.member("type", "array").key("items").begin_object();
    write_item();
    out.end_object();
}

void write_argv(json::Writer& out) {
    out.member("type", "array").member("minItems", 1);
    out.key("prefixItems").begin_array().begin_object();
    write_pattern(out, kNoNulNotEmpty);
    out.end_object().end_array().key("items").begin_object();
    write_pattern(out, kNoNul);
    out.end_object();
}

void write_environment(json::Writer& out) {
    out.member("type", "object");
    out.key("propertyNames").begin_object().member("pattern", kVariableName);
    out.key("not").begin_object().key("enum").begin_array();
    for (const std::string_view name : reserved_variables()) out.value(name);
    out.end_array().end_object().end_object();
    out.key("additionalProperties").begin_object();
    out.key("type").begin_array().value("string").value("null").end_array();
    out.member("pattern", kEnvironmentValue).end_object();
}

void write_rlimits(json::Writer& out) {
    out.member("type", "object").key("properties").begin_object();
    for (const LimitName& limit : limit_names()) {
        out.key(limit.name).begin_object();
        write_reference(out, limit.bytes ? "byte_limit" : "limit");
        out.end_object();
    }
    out.end_object();
    out.key("patternProperties").begin_object().member("^x-", true).end_object();
    out.member("additionalProperties", false);
}

void write_stop_steps(json::Writer& out) {
    out.member("type", "array").member("minItems", 1).key("items").begin_object();
    out.member("type", "object").key("properties").begin_object();
    for (const auto& [member, definition] : {std::pair{"signal", "signal"}, std::pair{"wait", "duration"}}) {
        out.key(member).begin_object();
        write_reference(out, definition);
        out.end_object();
    }
    out.end_object().key("required").begin_array().value("signal").value("wait").end_array();
    out.key("patternProperties").begin_object().member("^x-", true).end_object();
    out.member("additionalProperties", false).end_object();
}

void write_words(json::Writer& out, const Key& key) {
    out.key("enum").begin_array();
    for (const std::string_view word : key.words) out.value(word);
    out.end_array();
}

void write_limit_definition(json::Writer& out, std::string_view name, bool bytes) {
    const std::string value = std::string(name) + "_value";
    out.key(value).begin_object().key("anyOf").begin_array();
    out.begin_object().member("type", "integer").member("minimum", 0);
    out.member("maximum", UINT64_MAX - 1).end_object();
    out.begin_object().member("const", "unlimited").end_object();
    if (bytes) {
        out.begin_object();
        write_pattern(out, kSize);
        out.end_object();
    }
    out.end_array().end_object();
    out.key(name).begin_object().key("anyOf").begin_array().begin_object();
    write_reference(out, value);
    out.end_object().begin_object().member("type", "object").key("properties").begin_object();
    for (const std::string_view side : {"soft", "hard"}) {
        out.key(side).begin_object();
        write_reference(out, value);
        out.end_object();
    }
    out.end_object().key("patternProperties").begin_object().member("^x-", true).end_object();
    out.member("additionalProperties", false).end_object().end_array().end_object();
}

}  // namespace

void write_schema_of(json::Writer& out, const Key& key) {
    switch (key.kind) {
        case Kind::section:
        case Kind::tasks: return;
        case Kind::boolean: out.member("type", "boolean"); return;
        case Kind::fraction: out.member("type", "number").member("minimum", 0).member("maximum", 1); return;
        case Kind::version:
        case Kind::integer:
            out.member("type", "integer").member("minimum", key.min).member("maximum", key.max);
            return;
        case Kind::duration:
            write_reference(out, "duration");
            // A duration longer than nothing has a digit other than 0.
            if (key.min > 0) out.member("pattern", "[1-9]");
            return;
        case Kind::word: write_words(out, key); return;
        case Kind::signal: write_reference(out, "signal"); return;
        case Kind::mode: write_pattern(out, kMode); return;
        case Kind::path: write_pattern(out, kPath); return;
        case Kind::word_or_path:
            out.key("anyOf").begin_array().begin_object();
            write_words(out, key);
            out.end_object().begin_object();
            write_pattern(out, kPath);
            out.end_object().end_array();
            return;
        case Kind::size: write_pattern(out, key.min > 0 ? kSizeNotZero : kSize); return;
        case Kind::stop_steps: write_stop_steps(out); return;
        case Kind::account: write_pattern(out, kAccount); return;
        case Kind::accounts: write_array(out, [&] { write_pattern(out, kAccount); }); return;
        case Kind::patterns: write_array(out, [&] { write_pattern(out, kNoNulNotEmpty); }); return;
        case Kind::variable_names: write_array(out, [&] { write_pattern(out, kVariableName); }); return;
        case Kind::exit_codes:
            write_array(out,
                        [&] { out.member("type", "integer").member("minimum", 0).member("maximum", 255); });
            return;
        case Kind::argv: write_argv(out); return;
        case Kind::environment: write_environment(out); return;
        case Kind::rlimits: write_rlimits(out); return;
    }
}

void write_schema_definitions(json::Writer& out) {
    out.key("duration").begin_object();
    write_pattern(out, duration_pattern());
    out.end_object().key("signal").begin_object();
    write_pattern(out, signal_pattern());
    out.end_object();
    write_limit_definition(out, "limit", false);
    write_limit_definition(out, "byte_limit", true);
}

}  // namespace vigil::config
