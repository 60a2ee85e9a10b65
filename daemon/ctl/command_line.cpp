#include "ctl/command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/nearest.hpp"
#include "base/quantity.hpp"
#include "base/signal_name.hpp"
#include "base/text.hpp"
#include "ctl/exit_code.hpp"
#include "ctl/log_options.hpp"
#include "ctl/spec_options.hpp"

namespace vigil::ctl {
namespace {

/// Words as CLI11 hands them over, before they mean something.
struct RawWords {
    std::string timeout;
    std::string wait_for = "healthy";
    std::string signal;
    std::string lines = "10";
    std::string since;
};

std::string exit_code_list() {
    std::string text = "Exit codes:\n";
    for (const ExitCodeText& entry : exit_codes()) {
        std::string code = std::to_string(entry.code);
        code.resize(5, ' ');
        text.append("  ").append(code).append(entry.text).append("\n");
    }
    return text;
}

std::string overview_footer() {
    return "Without a command: status. \"vigilctl COMMAND --help\" tells more. Patterns are shell globs: "
           "quote them.\n\n"
           "The socket is --socket, else $VIGIL_SOCKET, else the user's "
           "($XDG_RUNTIME_DIR/vigil/control.sock), else\n"
           "the system's (/run/vigil/control.sock). Durations are written 500ms, 10s, 1m30s.\n\n" +
           exit_code_list();
}

Answer usage(const std::string& text) {
    return {exit_code::kUsage, "vigilctl: " + text + "\n"};
}

void add_words(CLI::App& app, const Verb& verb, Options& options, RawWords& raw) {
    switch (verb.words) {
        case Words::none: break;
        case Words::any_patterns:
            app.add_option("PATTERN", options.names, "Which tasks (default: all)");
            break;
        case Words::signal_first:
            app.add_option("SIG", raw.signal, "HUP, SIGHUP or 1")->required();
            [[fallthrough]];
        case Words::some_patterns: app.add_option("PATTERN", options.names, "Which tasks")->required(); break;
        case Words::one_name:
            app.add_option("NAME", options.names, "The task's name")->required()->expected(1);
            break;
        case Words::optional_program:
            app.add_option("PROGRAM", options.file,
                           "A vigild (default: the one that runs, as it is on the disk)");
            break;
        case Words::optional_file: app.add_option("FILE", options.file, "Configuration file"); break;
    }
}

void add_flags(CLI::App& app, const Verb& verb, Options& options, RawWords& raw) {
    if ((verb.flags & kWaits) != 0) app.add_flag("--no-wait", options.no_wait, "Do not wait for the outcome");
    if ((verb.flags & (kWaits | kTimeout)) != 0)
        app.add_option("--timeout", raw.timeout, "How long to wait at most (exit code 124)")
            ->type_name("DURATION");
    if ((verb.flags & kWatch) != 0)
        app.add_flag("-w,--watch", options.watch, "Refresh every second until Ctrl-C");
    if ((verb.flags & kNow) != 0) app.add_flag("--now", options.now, "SIGKILL at once");
    if ((verb.flags & kReload) != 0) {
        app.add_flag("--dry-run", options.dry_run, "Show what would change, and change nothing");
        app.add_flag("-y,--yes", options.yes, "Do not ask");
    }
    if ((verb.flags & kPersist) != 0)
        app.add_flag("--persist", options.persist, "In the configuration as well: conf.d/NAME.json");
    if ((verb.flags & kVerbose) != 0)
        app.add_flag("-v,--verbose", options.verbose, "Also what the daemon has found of the platform");
    if ((verb.flags & kFor) != 0)
        app.add_option("--for", raw.wait_for, "healthy (default), stopped, completed or exit")
            ->type_name("STATE");
    if ((verb.flags & kLogs) != 0) add_log_options(app, options, raw.lines, raw.since);
    if ((verb.flags & kSpec) != 0) add_spec_options(app, options);
}

void add_common(CLI::App& app, Options& options) {
    app.add_option("-s,--socket", options.socket, "Control socket of the daemon")->type_name("PATH");
    app.add_flag("--json", options.json, "One JSON document on standard output, and nothing else");
}

/// What the words mean; empty when all is well.
std::string understand(const RawWords& raw, Options& options) {
    if (!raw.timeout.empty()) {
        // A bare number is seconds, as timeout(1) takes it.
        const bool bare = raw.timeout.find_first_not_of("0123456789") == std::string::npos;
        auto duration = parse_duration(bare ? raw.timeout + "s" : raw.timeout);
        if (!duration) return "--timeout: " + duration.error();
        options.timeout = *duration;
    }
    const auto what = protocol::parse_wait_for(raw.wait_for);
    if (!what) return "--for: \"" + raw.wait_for + "\" is none of healthy, stopped, completed and exit";
    options.wait_for = *what;
    if (!raw.signal.empty()) {
        const auto signal = parse_signal(raw.signal);
        if (!signal) return "\"" + raw.signal + "\" is no signal; write HUP, SIGHUP or a number from 1 to 64";
        options.signal = *signal;
    }
    if (std::string fault = understand_log_options(raw.lines, raw.since, options); !fault.empty())
        return fault;
    for (const std::string& name : options.names)
        if (name.empty()) return "a pattern is empty; '*' means every task";
    return {};
}

/// Where the verb stands among the words; their number if there is none.
std::size_t verb_position(const std::vector<std::string>& words) {
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (words[i] == "-s" || words[i] == "--socket")
            ++i;
        else if (!words[i].starts_with('-'))
            return i;
    }
    return words.size();
}

std::string unknown_verb(const std::string& word) {
    std::vector<std::string_view> names;
    for (const Verb& verb : verbs()) names.push_back(verb.name);
    std::string text = "there is no command \"" + word + "\"";
    if (const std::string_view nearest = nearest_word(word, names); !nearest.empty())
        return text.append("; did you mean \"").append(nearest).append("\"?");
    return text + "; see vigilctl --help";
}

/// Unknown options get a suggestion; everything else is said well enough by the parser.
std::string parse_fault(const CLI::ParseError& error, const CLI::App& app,
                        const std::vector<std::string>& words) {
    std::vector<std::string> known;
    for (const CLI::Option* option : app.get_options())
        for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
    if (dynamic_cast<const CLI::ExtrasError*>(&error) == nullptr) return error.what();
    for (const std::string& word : words) {
        const std::string name = word.substr(0, word.find('='));
        if (!name.starts_with('-') || name == "-s" || name == "-w" || name == "-f" || name == "-n" ||
            name == "-y" || name == "-h")
            continue;
        if (std::find(known.begin(), known.end(), name) != known.end()) continue;
        const std::vector<std::string_view> candidates(known.begin(), known.end());
        const std::string_view nearest = nearest_word(name, candidates);
        if (!nearest.empty())
            return "there is no option \"" + name + "\"; did you mean \"" + std::string(nearest) + "\"?";
        return "there is no option \"" + name + "\"";
    }
    return error.what();
}

std::string overview() {
    Options options;
    CLI::App app("vigilctl shows and controls the tasks of a vigild.", "vigilctl");
    add_common(app, options);
    bool version = false;
    app.add_flag("--version", version, "Print versions and exit");
    for (const Verb& verb : verbs())
        app.add_subcommand(std::string(verb.name), std::string(verb.summary))->group("Commands");
    app.footer(overview_footer());
    return app.help();
}

std::variant<Invocation, Answer> parse_verb(const Verb& verb, std::vector<std::string> words,
                                            std::vector<std::string> command) {
    Invocation invocation{&verb, {}};
    Options& options = invocation.options;
    options.command = std::move(command);
    RawWords raw;
    CLI::App app(std::string(verb.summary), "vigilctl " + std::string(verb.name));
    add_words(app, verb, options, raw);
    add_flags(app, verb, options, raw);
    add_common(app, options);
    app.footer(std::string(verb.more) + (verb.more.empty() ? "" : "\n\n") + exit_code_list());
    const std::vector<std::string> as_written = words;
    try {
        std::reverse(words.begin(), words.end());  // CLI11 takes them from the back
        app.parse(std::move(words));
    } catch (const CLI::CallForHelp&) {
        return Answer{exit_code::kDone, app.help()};
    } catch (const CLI::ParseError& error) {
        return usage(parse_fault(error, app, as_written) + "\nsee vigilctl " + std::string(verb.name) +
                     " --help");
    }
    if (std::string fault = understand(raw, options); !fault.empty()) return usage(fault);
    return invocation;
}

}  // namespace

std::variant<Invocation, Answer> parse_command_line(std::vector<std::string> words) {
    // What follows "--" belongs to nobody but the command it starts.
    const auto dashes = std::find(words.begin(), words.end(), "--");
    std::vector<std::string> command;
    if (dashes != words.end()) command.assign(dashes + 1, words.end());
    words.erase(dashes, words.end());

    const std::size_t at = verb_position(words);
    const auto has = [&](const char* word) {
        return std::find(words.begin(), words.end(), word) != words.end();
    };
    if (at == words.size()) {
        if (has("--help") || has("-h")) return Answer{exit_code::kDone, overview()};
        if (has("--version")) return parse_command_line({"version"});
    }
    const std::string name = at == words.size() ? "status" : words[at];
    const Verb* verb = find_verb(name);
    if (verb == nullptr) return usage(unknown_verb(escape_for_display(name)));
    if (at != words.size()) words.erase(words.begin() + static_cast<std::ptrdiff_t>(at));
    if (verb->run == nullptr) {
        const Verb* topic = words.empty() ? nullptr : find_verb(words.front());
        if (topic == nullptr || topic->run == nullptr) return Answer{exit_code::kDone, overview()};
        return parse_verb(*topic, {"--help"}, {});
    }
    if (!command.empty() && (verb->flags & kSpec) == 0) {
        words.insert(words.end(), command.begin(), command.end());
        command.clear();
    }
    return parse_verb(*verb, std::move(words), std::move(command));
}

int run(int argc, const char* const* argv, const Terminal& terminal) {
    auto parsed = parse_command_line({argv + std::min(argc, 1), argv + argc});
    if (const Answer* answer = std::get_if<Answer>(&parsed)) {
        if (answer->exit_code != exit_code::kDone) {
            terminal.error_text(answer->text);
            return answer->exit_code;
        }
        return terminal.print(answer->text) ? exit_code::kDone : exit_code::kFailed;
    }
    const Invocation& invocation = std::get<Invocation>(parsed);
    return invocation.verb->run(invocation.options, terminal);
}

}  // namespace vigil::ctl
