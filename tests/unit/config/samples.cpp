#include "samples.hpp"

namespace vigil::config {

Samples samples_of(const Key& key) {
    switch (key.kind) {
        case Kind::section: return {{"{}"}, {"[]", "1", "true", "\"x\""}};
        case Kind::tasks: return {{"{}"}, {"[]", "1", "\"x\""}};
        case Kind::version: return {{"1"}, {"0", "2", "\"1\"", "1.0", "true", "[]"}};
        case Kind::boolean: return {{"true", "false"}, {"0", "1", "\"true\"", "\"yes\"", "[]", "{}"}};
        case Kind::integer:
            return {{std::to_string(key.min), std::to_string(key.max)},
                    {std::to_string(key.min - 1), std::to_string(key.max + 1), "1.5", "1.0", "1e2", "\"10\"",
                     "true", "[]", "{}", "9223372036854775808", "18446744073709551615", "4294967296000"}};
        case Kind::fraction:
            return {{"0", "1", "0.0", "1.0", "0.5", "1e-3"},
                    {"-0.1", "1.1", "2", "-1", "\"0.5\"", "true", "1e300", "{}"}};
        case Kind::duration: {
            Samples samples{{"\"1s\"", "\"500ms\"", "\"1m30s\"", "\"1.5h\"", "\"1ns\"", "\"36525d\""},
                            {"5", "0", "1.5", "-1", "\"5\"", "\"\"", "\"-1s\"", "\"1s1m\"", "\"1 s\"",
                             "\"s\"", "true", "[]", "\"36526d\"", "\"1.5ns\""}};
            (key.min > 0 ? samples.bad : samples.good).push_back("\"0s\"");
            return samples;
        }
        case Kind::word: {
            Samples samples{{}, {"\"\"", "\"no-such-word\"", "1", "true", "[]", "{}"}};
            for (const std::string_view word : key.words) {
                samples.good.push_back("\"" + std::string(word) + "\"");
                samples.bad.push_back("\"" + std::string(word) + " \"");
            }
            return samples;
        }
        case Kind::signal:
            return {{"\"TERM\"", "\"SIGTERM\"", "\"RTMIN+3\"", "\"KILL\""},
                    {"15", "\"15\"", "\"term\"", "\"TREM\"", "\"\"", "\"SIG\"", "\"SIGSIGTERM\"", "\"0\"",
                     "true"}};
        case Kind::mode:
            return {{"\"0\"", "\"022\"", "\"0660\"", "\"777\"", "\"0777\""},
                    {"18", "\"888\"", "\"\"", "\"1777\"", "\"00022\"", "\"0x12\"", "\"-1\"", "true"}};
        case Kind::path:
            return {{"\"/\"", "\"/a/b c\""},
                    {"\"\"", "\"a\"", "\"./a\"", "\"/a\\u0000b\"", "1", "true", "[]"}};
        case Kind::word_or_path: {
            Samples samples{{"\"/a/b c\""},
                            {"\"\"", "\"a\"", "\"./a\"", "\"/a\\u0000b\"", "1", "true", "[]"}};
            for (const std::string_view word : key.words)
                samples.good.push_back("\"" + std::string(word) + "\"");
            return samples;
        }
        case Kind::size: {
            Samples samples{{"\"1B\"", "\"64MiB\"", "\"2GB\"", "\"007kB\""},
                            {"5", "0", "1.5", "-1", "\"5\"", "\"\"", "\"-1B\"", "\"1 MiB\"", "\"1.5MiB\"",
                             "\"MiB\"", "true", "[]"}};
            (key.min > 0 ? samples.bad : samples.good).push_back("\"0B\"");
            return samples;
        }
        case Kind::stop_steps:
            return {{R"([{"signal": "TERM", "wait": "10s"}])",
                     R"([{"signal": "INT", "wait": "0s", "x-why": 1}, {"wait": "1s", "signal": "SIGTERM"}])"},
                    {"[]", "{}", "\"TERM\"", "[\"TERM\"]", "[{}]", R"([{"signal": "TERM"}])",
                     R"([{"wait": "1s"}])", R"([{"signal": 15, "wait": "1s"}])",
                     R"([{"signal": "TERM", "wait": 1}])", R"([{"signal": "TERM", "wait": "1s", "then": 1}])",
                     R"([null])"}};
        case Kind::account:
            return {
                {"\"root\"", "\"1000\"", "\"a.b-c@d\""},
                {"\"\"", "1000", "\"a:b\"", "\"a/b\"", "\"a b\"", "\"a\\u0000\"", "\"a\\nb\"", "true", "[]"}};
        case Kind::accounts:
            return {{"[]", "[\"a\", \"100\"]"}, {"\"a\"", "[1]", "[\"\"]", "[\"a\\u0000\"]", "[null]", "{}"}};
        case Kind::argv:
            return {{"[\"a\"]", "[\"a\", \"\", \"-x\"]"},
                    {"[]", "\"a\"", "[\"\"]", "[1]", "[\"a\", 1]", "[\"a\", \"b\\u0000\"]", "[null]", "{}"}};
        case Kind::patterns: return {{"[]"}, {"\"a\"", "[1]", "[\"\"]", "[\"a\\u0000\"]"}};
        case Kind::variable_names:
            return {{"[]", "[\"HOME\", \"_x1\"]"},
                    {"\"HOME\"", "[\"\"]", "[\"1A\"]", "[\"A=B\"]", "[\"A\\u0000\"]", "[1]"}};
        case Kind::environment:
            return {{"{}", "{\"A\": \"x\"}", "{\"A\": null}", "{\"A\": \"${B:-c} $${ $\"}"},
                    {"[]", "{\"A\": 1}", "{\"A\": true}", "{\"\": \"x\"}", "{\"A=\": \"x\"}",
                     "{\"A\": \"\\u0000\"}", "{\"A\": \"${\"}", "{\"VIGIL_TASK\": \"x\"}",
                     "{\"NOTIFY_SOCKET\": \"x\"}"}};
        case Kind::exit_codes:
            return {{"[]", "[0]", "[255, 0, 0]"}, {"0", "[-1]", "[256]", "[\"0\"]", "[1.0]", "{}"}};
        case Kind::rlimits:
            return {
                {"{}", "{\"nofile\": 1024}", "{\"nofile\": \"unlimited\"}",
                 "{\"as\": \"64MiB\", \"x-note\": 1}", "{\"core\": {\"soft\": 0, \"hard\": \"unlimited\"}}"},
                {"[]", "{\"files\": 1}", "{\"nofile\": -1}", "{\"nofile\": \"64MiB\"}",
                 "{\"nofile\": \"10\"}", "{\"as\": \"64\"}", "{\"nofile\": {\"sotf\": 1}}",
                 "{\"nofile\": 1.0}", "{\"nofile\": null}", "{\"nofile\": 18446744073709551615}"}};
    }
    return {};
}

std::string configuration(const Key& key, const std::string& value) {
    std::string text = value;
    std::string_view path = key.path;
    for (std::size_t dot = path.rfind('.'); dot != std::string_view::npos; dot = path.rfind('.')) {
        text = "{\"" + std::string(path.substr(dot + 1)) + "\": " + text + "}";
        path = path.substr(0, dot);
    }
    const std::string member = "\"" + std::string(path) + "\": " + text;
    if (key.scope == Scope::file) return "{" + member + "}";
    if (key.scope == Scope::daemon) return "{\"daemon\": {" + member + "}}";
    std::string extra;
    if (key.path != "command") extra += ", \"command\": [\"x\"]";
    if (key.path.starts_with("ready")) extra += ", \"heartbeat\": {}";
    return "{\"tasks\": {\"t\": {" + member + extra + "}}}";
}

bool needs_company(const Key& key, const std::string& value) {
    return (key.path == "restart.base_delay" && (value == "\"36525d\"" || value == "\"1.5h\"")) ||
           (key.path == "restart.max_delay" &&
            (value == "\"0s\"" || value == "\"500ms\"" || value == "\"1ns\"")) ||
           (key.path == "heartbeat.interval" &&
            (value == "\"1.5h\"" || value == "\"1m30s\"" || value == "\"36525d\"")) ||
           (key.path == "ready.on" && value == "\"heartbeat\"");
}

}  // namespace vigil::config
