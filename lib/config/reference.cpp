#include <string>

#include "config/documentation.hpp"
#include "config/keys.hpp"

namespace vigil::config {
namespace {

constexpr std::string_view kIntroduction = R"(# Configuration reference

<!-- Written by vigil_config_docs from the key table; edit lib/config/keys.cpp instead. -->

vigild reads one JSON file (by default `/etc/vigil/vigil.json`) and the files that it includes. `vigild --check -c FILE` reads
them and reports every error of every file with its place, without doing anything else.

- Comments are `//` to the end of the line and `/* */`. A comma after the last member is an error.
- An unknown key is an error. `$schema` and keys that begin with `x-` are free: nothing reads them.
- A duration is a string with its units in falling order: `"500ms"`, `"2s"`, `"1m30s"`. Units are d h m s ms us ns; the last
  number may have a fraction (`"1.5s"`).
- A size is a string too: `"512B"`, `"64MiB"` (KiB MiB GiB TiB: powers of 1024), `"2GB"` (kB MB GB TB: powers of 1000).
- A signal is named in upper case, with or without `SIG`: `"TERM"`, `"SIGHUP"`, `"RTMIN+3"`.
- A file holds at most 64 MiB, a configuration at most 20000 tasks, and brackets nest at most 32 deep.

The last column says what a changed value needs at a reload (`vigilctl reload`, or SIGHUP to vigild): *live* - it holds at once, for a
task that runs too; *task* - the task is restarted if it runs or is about to; *daemon* - it holds from the daemon's next start. A reload
takes over the whole configuration or, where anything in it is wrong, nothing of it; `vigilctl diff` tells beforehand what it would do.

```jsonc
{
  "version": 1,
  "include": ["conf.d/*.json"],
  "defaults": { "restart": { "max_attempts": 10 } },
  "tasks": {
    "api": {
      "command": ["/opt/shop/api", "--port", "8080"],
      "user": "shop",
      "env": { "LOG": "json" },
      "heartbeat": { "timeout": "2s" },
      "stop": { "timeout": "20s" }
    },
    "sync": { "command": ["rsync", "-a", "/a", "/b"], "restart": { "policy": "never" } }
  }
}
```

## Permissions

A vigild that runs as root takes a configuration file only when nobody else can change it: the file and every directory above it
must belong to root and must not be writable by group or others. A directory of root with the sticky bit, such as
`/tmp`, is accepted above. Only regular files are read.
)";

std::string words_of(const Key& key) {
    std::string out;
    for (const std::string_view word : key.words) {
        if (!out.empty()) out += ", ";
        out += "`\"" + std::string(word) + "\"`";
    }
    return out;
}

std::string kind_of(const Key& key) {
    switch (key.kind) {
        case Kind::section: return "object";
        case Kind::tasks: return "object of tasks";
        case Kind::version: return "`1`";
        case Kind::boolean: return "boolean";
        case Kind::integer: return "integer " + std::to_string(key.min) + " .. " + std::to_string(key.max);
        case Kind::fraction: return "number 0 .. 1";
        case Kind::duration: return key.min > 0 ? "duration, not 0" : "duration";
        case Kind::word: return words_of(key);
        case Kind::signal: return "signal";
        case Kind::mode: return "octal string";
        case Kind::path: return "absolute path";
        case Kind::word_or_path: return words_of(key) + ", or an absolute path";
        case Kind::size: return "size";
        case Kind::account: return "name or number, a string";
        case Kind::accounts: return "array of names or numbers, strings";
        case Kind::argv: return "array of strings, not empty";
        case Kind::patterns: return "array of paths";
        case Kind::variable_names: return "array of variable names";
        case Kind::environment: return "object: variable to string";
        case Kind::exit_codes: return "array of integers 0 .. 255";
        case Kind::stop_steps: return "array of `{\"signal\": ..., \"wait\": ...}`";
        case Kind::rlimits: return "object: limit to value";
    }
    return {};
}

std::string default_of(const Key& key) {
    std::string out = key.fallback.empty() ? "" : "`" + std::string(key.fallback) + "`";
    if (!key.nullable) return out;
    if (key.fallback != "null") return out + "; `null`: " + std::string(key.null_means);
    return out + ": " + std::string(key.null_means);
}

void append_table(std::string& out, Scope scope, std::string_view section) {
    bool first = true;
    for (const Key* key : members_of(scope, section)) {
        if (key->kind == Kind::section && scope != Scope::file) continue;
        if (first) out += "\n| key | value | default | what it does | reload |\n|---|---|---|---|---|\n";
        first = false;
        out += "| `" + std::string(key->path) + "` | " + kind_of(*key) + " | " + default_of(*key) + " | " +
               std::string(key->text) + " | " + std::string(change_name(key->change)) + " |\n";
    }
}

void append_scope(std::string& out, Scope scope, std::string_view title) {
    out += "\n## " + std::string(title) + "\n";
    append_table(out, scope, {});
    for (const Key* key : members_of(scope, {})) {
        if (scope == Scope::file || key->kind != Kind::section) continue;
        out += "\n### `" + std::string(key->path) + "`\n\n" + std::string(key->text) + "\n";
        append_table(out, scope, key->path);
    }
}

}  // namespace

std::string reference() {
    std::string out(kIntroduction);
    append_scope(out, Scope::file, "The file");
    append_scope(out, Scope::daemon, "`daemon`");
    append_scope(out, Scope::task, "A task: `tasks.NAME`, and `defaults`");
    return out;
}

}  // namespace vigil::config
