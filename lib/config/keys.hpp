// Layer config. The one list of configuration keys. The parser, the JSON Schema, the reference and the
// suggestions for misspelt keys all derive from it; a key that is not here does not exist.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

namespace vigil::config {

/// Which object a key's path starts from.
enum class Scope : std::uint8_t {
    file,    ///< the top level of a file
    daemon,  ///< `daemon`
    task,    ///< each member of `tasks`, and `defaults`
};

/// What may stand after a key. Each has one decoder, one schema fragment and one line in the reference.
enum class Kind : std::uint8_t {
    section,  ///< an object whose members are keys of this table ("path.member")
    tasks,    ///< an object: task name -> task
    version,  ///< the number 1
    boolean,
    integer,         ///< min..max
    fraction,        ///< a number 0..1
    duration,        ///< a string; min = 0, or 1 where zero has no meaning
    word,            ///< one of `words`
    signal,          ///< a signal's name
    mode,            ///< file mode bits, an octal string
    path,            ///< an absolute path
    word_or_path,    ///< one of `words`, or an absolute path
    size,            ///< a string of a number of bytes with its unit; min..max
    account,         ///< a user's or group's name or decimal number, as a string
    accounts,        ///< an array of them
    argv,            ///< a program and its arguments
    patterns,        ///< an array of paths with wildcards
    variable_names,  ///< an array of names of environment variables
    environment,     ///< an object: variable -> value
    exit_codes,      ///< an array of integers 0..255
    stop_steps,      ///< an array of objects: a signal, and how long it has to act
    rlimits,         ///< an object: limit -> value
};

/// When a changed value takes effect after a reload.
enum class Change : std::uint8_t {
    live,            ///< at once
    task_restart,    ///< the task is restarted
    daemon_restart,  ///< at the daemon's next start
};

/// "live", "task", "daemon"
[[nodiscard]] std::string_view change_name(Change change) noexcept;

struct Key {
    Scope scope;
    std::string_view path;  ///< "restart.base_delay"
    Kind kind;
    std::string_view
        fallback;  ///< the default as JSON text; empty where there is none (a section, a required key)
    Change change;
    std::string_view text;  ///< what it does, in one or two sentences
    bool nullable = false;  ///< `null` may be written, and means what `null_means` says
    std::string_view null_means = {};
    std::int64_t min = 0;
    std::int64_t max = 0;
    std::span<const std::string_view> words = {};
};

/// All keys, in the order of the reference; a section comes before its members.
[[nodiscard]] std::span<const Key> keys() noexcept;

/// The key of that path; null when there is none.
[[nodiscard]] const Key* find_key(Scope scope, std::string_view path) noexcept;

/// The keys that stand directly in `section` (empty: in the scope itself).
[[nodiscard]] std::vector<const Key*> members_of(Scope scope, std::string_view section);

/// "base_delay" of "restart.base_delay".
[[nodiscard]] std::string_view last_part(std::string_view path) noexcept;

/// True for keys that everyone may use for himself: "$schema" and what begins with "x-".
[[nodiscard]] bool is_free_key(std::string_view key) noexcept;

}  // namespace vigil::config
