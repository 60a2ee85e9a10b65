#include "ctl/spec_options.hpp"

#include <CLI/CLI.hpp>
#include <charconv>

namespace vigil::ctl {
namespace {

enum class Kind : unsigned char {
    text,
    number,          ///< an integer
    number_or_none,  ///< an integer, or "none" for null
};

struct SpecOption {
    const char* flag;
    std::string_view key;
    Kind kind;
    const char* type_name;
    const char* help;
};

constexpr SpecOption kSpecOptions[] = {
    {"--user", "user", Kind::text, "USER", "Run as this user"},
    {"--group", "group", Kind::text, "GROUP", "Run in this group (default: the user's)"},
    {"--cwd", "cwd", Kind::text, "DIR", "Working directory"},
    {"--env-file", "env_file", Kind::text, "FILE", "File of NAME=VALUE lines, read at each start"},
    {"--umask", "umask", Kind::text, "MODE", "File mode creation mask, such as 027"},
    {"--nice", "nice", Kind::number, "N", "Scheduling priority, -20 to 19"},
    {"--heartbeat-timeout", "heartbeat.timeout", Kind::text, "DURATION",
     "Expect a heartbeat at least this often"},
    {"--heartbeat-initial-delay", "heartbeat.initial_delay", Kind::text, "DURATION",
     "Until the first heartbeat"},
    {"--ready-on", "ready.on", Kind::text, "WHAT", "exec, heartbeat or notify"},
    {"--ready-timeout", "ready.timeout", Kind::text, "DURATION", "How long the task may be starting"},
    {"--restart-policy", "restart.policy", Kind::text, "POLICY", "on-failure, always or never"},
    {"--base-delay", "restart.base_delay", Kind::text, "DURATION", "Delay of the first restart; doubles"},
    {"--max-delay", "restart.max_delay", Kind::text, "DURATION", "Longest delay between restarts"},
    {"--max-attempts", "restart.max_attempts", Kind::number_or_none, "N",
     "Restarts in a row; none: unlimited"},
    {"--stable-after", "restart.stable_after", Kind::text, "DURATION",
     "Healthy this long resets the attempts"},
    {"--stop-signal", "stop.signal", Kind::text, "SIGNAL", "What asks the task to end"},
    {"--stop-timeout", "stop.timeout", Kind::text, "DURATION", "Until SIGKILL"},
    {"--output", "output.to", Kind::text, "WHERE", "Where standard output and error go"},
};

/// The object at `name`, made if need be.
json::Object& child(json::Object& parent, std::string_view name) {
    for (json::Member& member : parent)
        if (member.key == name) return *member.value.as_object();
    parent.push_back({std::string(name), {}, json::Value(json::Object{})});
    return *parent.back().value.as_object();
}

/// Sets "restart.policy" to `value`. Keys have one dot at most.
void set(json::Object& spec, std::string_view key, json::Value value) {
    const std::size_t dot = key.find('.');
    json::Object& holder = dot == std::string_view::npos ? spec : child(spec, key.substr(0, dot));
    const std::string_view leaf = dot == std::string_view::npos ? key : key.substr(dot + 1);
    holder.push_back({std::string(leaf), {}, std::move(value)});
}

Result<json::Value, std::string> value_of(const SpecOption& option, const std::string& text) {
    if (option.kind == Kind::text) return json::Value(text);
    if (option.kind == Kind::number_or_none && text == "none") return json::Value();
    std::int64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [read, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc() || read != end)
        return Failure{std::string(option.flag) + ": \"" + text + "\" is no whole number"};
    return json::Value(number);
}

Result<json::Value, std::string> environment_of(const std::vector<std::string>& assignments) {
    json::Object env;
    for (const std::string& assignment : assignments) {
        const std::size_t equals = assignment.find('=');
        if (equals == 0 || equals == std::string::npos)
            return Failure{"--env: \"" + assignment + "\" is not of the form NAME=VALUE"};
        const std::string name = assignment.substr(0, equals);
        for (const json::Member& member : env)
            if (member.key == name) return Failure{"--env: " + name + " is given twice"};
        env.push_back({name, {}, json::Value(assignment.substr(equals + 1))});
    }
    return json::Value(std::move(env));
}

}  // namespace

void add_spec_options(CLI::App& app, Options& options) {
    app.add_option("-f,--file", options.spec_file, "Read the specification from a file; - is standard input")
        ->type_name("SPEC");
    app.add_option("--env", options.env, "Environment variable; may be repeated")
        ->type_name("NAME=VALUE")
        ->allow_extra_args(false);
    app.add_flag("--no-autostart", options.no_autostart, "Add it without starting it");
    for (const SpecOption& option : kSpecOptions)
        app.add_option_function<std::string>(
               option.flag,
               [&options, key = std::string(option.key)](const std::string& value) {
                   options.spec_values[key] = value;
               },
               option.help)
            ->type_name(option.type_name);
}

bool describes_spec(const Options& options) {
    return !options.command.empty() || !options.env.empty() || options.no_autostart ||
           !options.spec_values.empty();
}

Result<json::Value, std::string> spec_of(const Options& options) {
    if (options.command.empty())
        return Failure{
            std::string("there is no command: write it after \"--\", or give a specification with -f")};
    json::Object spec;
    json::Array command;
    for (const std::string& word : options.command) command.emplace_back(word);
    set(spec, "command", json::Value(std::move(command)));
    if (!options.env.empty()) {
        auto env = environment_of(options.env);
        if (!env) return env;
        set(spec, "env", std::move(env).value());
    }
    if (options.no_autostart) set(spec, "autostart", json::Value(false));
    for (const SpecOption& option : kSpecOptions) {
        const auto given = options.spec_values.find(std::string(option.key));
        if (given == options.spec_values.end()) continue;
        auto value = value_of(option, given->second);
        if (!value) return value;
        set(spec, option.key, std::move(value).value());
    }
    return json::Value(std::move(spec));
}

}  // namespace vigil::ctl
