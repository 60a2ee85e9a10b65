#include "command_line.hpp"

#include <CLI/CLI.hpp>
#include <sstream>

#include "exit_code.hpp"
#include "linux/self/features.hpp"
#include "version.hpp"

namespace vigil::daemon {
namespace {

constexpr const char* kFooter = R"(
Without --config the file is /etc/vigil/vigil.json for root, and vigil/vigil.json below $XDG_CONFIG_HOME
(~/.config) for other users.

Signals:
  SIGTERM, SIGINT   stop every task in order, then exit; a second one kills what is left
  SIGHUP            take over the changed configuration (as vigilctl reload does) and open the logs anew

Exit codes:
  0   stopped as asked; --check: the configuration is valid; --dump-state: the table was printed;
      --cleanup: nothing is left
  1   cannot start: another vigild runs on the runtime directory, or a directory or socket cannot be made;
      --dump-state: the file cannot be read; --cleanup: a vigild runs, or something could not be ended
  2   wrong usage
  70  stopped by itself: more tasks are dead than daemon.max_dead_fraction allows
  78  the configuration is invalid

Examples:
  vigild --config /etc/vigil/vigil.json --check
  vigild -c ./vigil.json
  vigild --dump-state /run/vigil/state.bad
  vigilctl status                     # in another terminal)";

}  // namespace

ParsedCommandLine parse_command_line(int argc, const char* const* argv) {
    CommandLine line;
    CLI::App app(
        "vigild keeps the tasks of one configuration alive. It stays in the foreground and logs to stderr.",
        "vigild");
    app.footer(kFooter);
    app.set_version_flag("--version", std::string("vigild ") + kVersion);
    app.add_option("-c,--config", line.config_file, "Configuration file")->type_name("FILE");
    app.add_flag("--check", line.check, "Check the configuration, report every error in it, and exit");
    app.add_flag("--cleanup", line.cleanup,
                 "End the tasks that a vigild which is not there any more has left running, and exit");
    std::string state_table;
    const CLI::Option* const dump =
        app.add_option(
               "--dump-state", state_table,
               "Print what is known of every task for the next daemon, and exit. FILE is a state table, "
               "also one in use or set aside as .bad; without it that of the configuration")
            ->type_name("[FILE]")
            ->expected(0, 1);
    app.add_option("--take-over", line.take_over,
                   "Go on from the vigild that this process was (vigilctl upgrade)")
        ->type_name("DESCRIPTOR")
        ->group("");
    app.add_option("--prove-handover", line.prove_handover,
                   "Say whether this program can go on from a running vigild (vigilctl upgrade)")
        ->type_name("DESCRIPTOR")
        ->group("");
    app.add_option("--disable-feature", line.disabled_features,
                   "Do as if the kernel had no such feature, or as if there was no keeper (for tests; may be "
                   "repeated): " +
                       os::feature_names())
        ->type_name("NAME");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        std::ostringstream out;
        std::ostringstream err;
        const bool good = app.exit(error, out, err) == 0;
        return {.run = std::nullopt,
                .exit = EarlyExit{good ? exit_code::kDone : exit_code::kUsage, good ? out.str() : err.str()}};
    }
    if (dump->count() > 0) line.dump_state = state_table;
    return {.run = std::move(line), .exit = std::nullopt};
}

}  // namespace vigil::daemon
