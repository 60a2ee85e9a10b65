// vigilctl. Its commands as data: name, texts, options, and what carries it out.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "ctl/options.hpp"
#include "ctl/terminal.hpp"

namespace vigil::ctl {

/// Which positional words a verb takes.
enum class Words : std::uint8_t {
    none,
    any_patterns,      ///< [PATTERN...]
    some_patterns,     ///< PATTERN...
    one_name,          ///< NAME
    signal_first,      ///< SIG PATTERN...
    optional_file,     ///< [FILE]
    optional_program,  ///< [PROGRAM]
};

/// Options beside the ones every verb has, as a set of bits.
using Flags = unsigned;
inline constexpr Flags kWaits = 1;      ///< --no-wait, --timeout
inline constexpr Flags kTimeout = 2;    ///< --timeout
inline constexpr Flags kWatch = 4;      ///< --watch
inline constexpr Flags kNow = 8;        ///< --now
inline constexpr Flags kFor = 16;       ///< --for
inline constexpr Flags kSpec = 32;      ///< the options of a task's specification, and -- CMD...
inline constexpr Flags kLogs = 64;      ///< --follow, --lines, --since, --stream
inline constexpr Flags kReload = 128;   ///< --dry-run, --yes
inline constexpr Flags kPersist = 256;  ///< --persist
inline constexpr Flags kVerbose = 512;  ///< --verbose

struct Verb {
    std::string_view name;
    std::string_view summary;  ///< one line of the list of commands
    Words words;
    Flags flags;
    std::string_view more;  ///< the rest of `vigilctl VERB --help`: what to know, and examples
    /// Gives the exit code. Has reported its failure when it returns.
    int (*run)(const Options& options, const Terminal& terminal);
};

[[nodiscard]] std::span<const Verb> verbs() noexcept;
[[nodiscard]] const Verb* find_verb(std::string_view name) noexcept;

// What carries them out.
int run_status(const Options& options, const Terminal& terminal);
int run_show(const Options& options, const Terminal& terminal);
int run_watch(const Options& options, const Terminal& terminal);
int run_add(const Options& options, const Terminal& terminal);
int run_start(const Options& options, const Terminal& terminal);
int run_stop(const Options& options, const Terminal& terminal);
int run_restart(const Options& options, const Terminal& terminal);
int run_kill(const Options& options, const Terminal& terminal);
int run_remove(const Options& options, const Terminal& terminal);
int run_signal(const Options& options, const Terminal& terminal);
int run_wait(const Options& options, const Terminal& terminal);
int run_pause(const Options& options, const Terminal& terminal);
int run_resume(const Options& options, const Terminal& terminal);
int run_logs(const Options& options, const Terminal& terminal);
int run_events(const Options& options, const Terminal& terminal);
int run_check(const Options& options, const Terminal& terminal);
int run_diff(const Options& options, const Terminal& terminal);
int run_reload(const Options& options, const Terminal& terminal);
int run_shutdown(const Options& options, const Terminal& terminal);
int run_upgrade(const Options& options, const Terminal& terminal);
int run_daemon(const Options& options, const Terminal& terminal);
int run_version(const Options& options, const Terminal& terminal);

}  // namespace vigil::ctl
