#include "ctl/verbs.hpp"

#include <array>

namespace vigil::ctl {
namespace {

constexpr std::array<Verb, 22> kVerbs = {{
    {"status", "Where tasks are and why (the default command)", Words::any_patterns, kWatch | kTimeout,
     R"(HEARTBEAT is the age of the last beat and its limit. RESTARTS counts restarts in all; in brackets, the
attempts of the present series of failures and their limit.
When the configuration on the disk is not the one that runs, a line on standard error says so (on a terminal).
Without names the exit code says whether the daemon answered; with names it is 3 unless all are healthy.

Examples:
  vigilctl status
  vigilctl status 'web-*' --json
  vigilctl --watch)",
     run_status},
    {"show", "Everything about one task, its effective specification included", Words::one_name, kTimeout,
     R"(Environment values are masked for all but root and the daemon's own user.

Example:
  vigilctl show api)",
     run_show},
    {"start", "Start tasks; done already for one that runs", Words::some_patterns, kWaits,
     R"(Resets the attempts. Waits until each task is healthy (or completed).

Examples:
  vigilctl start api
  vigilctl start 'worker-*' --timeout 30s)",
     run_start},
    {"stop", "End tasks gracefully and leave them stopped", Words::some_patterns, kWaits,
     R"(Waits until nothing of each task is left running. Cancels a pending restart.

Examples:
  vigilctl stop api
  vigilctl stop '*' --no-wait)",
     run_stop},
    {"restart", "Stop what runs, then start", Words::some_patterns, kWaits,
     R"(Works from every state and spends no attempt. Waits until the new run is healthy.

Example:
  vigilctl restart 'web-[12]')",
     run_restart},
    {"kill", "End tasks for good: they stay dead", Words::some_patterns, kWaits | kNow,
     R"(Gracefully, unless --now is given. A later start revives the task.

Examples:
  vigilctl kill api
  vigilctl kill --now runaway)",
     run_kill},
    {"signal", "Send a signal to the main process of tasks", Words::signal_first, kTimeout,
     R"(A name with or without SIG, or a number.

Examples:
  vigilctl signal HUP api
  vigilctl signal SIGUSR1 'worker-*')",
     run_signal},
    {"pause", "Freeze tasks: nothing of them runs until they are resumed", Words::some_patterns, kTimeout,
     R"(A paused task keeps its state, and its heartbeats are not judged. It can be stopped and killed.

Example:
  vigilctl pause api)",
     run_pause},
    {"resume", "Let paused tasks go on", Words::some_patterns, kTimeout,
     R"(Example:
  vigilctl resume '*')",
     run_resume},
    {"wait", "Wait until tasks get somewhere", Words::some_patterns, kFor | kTimeout,
     R"(  healthy    as long as it takes; fails when a task cannot become so without an order
  stopped    nothing of it runs and nothing is due
  completed  it has ended well
  exit       the present run has ended; done at once when there is none

Example:
  vigilctl wait api --for=healthy --timeout 1m)",
     run_wait},
    {"add", "Add a task and start it", Words::one_name, kWaits | kSpec | kPersist,
     R"(The command follows "--" and is run without a shell. With -f the specification is read from a file, as
it stands under "tasks" in a configuration (comments allowed). For root and the daemon's own user.
The task is gone with the daemon, unless --persist writes it to conf.d/NAME.json beside the configuration file,
which must include conf.d/*.json.

Examples:
  vigilctl add tick --restart-policy always -- /usr/bin/tick --fast
  vigilctl add api --user shop --env LOG=json --heartbeat-timeout 2s -- /opt/shop/api
  echo '{"command": ["sleep", "60"]}' | vigilctl add nap -f -)",
     run_add},
    {"remove", "Stop tasks and forget them", Words::some_patterns, kWaits | kPersist,
     R"(For root and the daemon's own user. The name is free once the command is done. A task of the configuration
comes back with a reload, unless --persist takes its file conf.d/NAME.json away.

Example:
  vigilctl remove tick)",
     run_remove},
    {"logs", "What tasks have printed, from their log files", Words::any_patterns, kLogs,
     R"(The daemon only tells where the logs are; the files are read directly, older and compressed ones too,
so whoever runs this must be allowed to read them. Logs are printed one after the other, or, with -f, as lines
come; with several tasks each line begins with its task's name. Control characters are shown as \xNN. Lines
carry no times of their own unless the task's output has a format with times: --since is good to about ten
seconds.
With --json one object {"task","stream","text"} a line. -f ends with Ctrl-C and outlives the daemon.

Examples:
  vigilctl logs api
  vigilctl logs -f 'web-*'
  vigilctl logs -n all api | grep ERROR
  vigilctl logs --since 10m
  vigilctl logs --since 2026-03-01T12:00:00Z --stream err api)",
     run_logs},
    {"events", "Print every change of state as it happens", Words::any_patterns, 0,
     R"(Ends with Ctrl-C; when the daemon goes away it is waited for. With --json one JSON object a line.

Examples:
  vigilctl events
  vigilctl events api --json | jq .cause)",
     run_events},
    {"check", "Check a configuration file without a daemon", Words::optional_file, 0,
     R"(Reports every error with its place and exits 78 if there is one. The default is the file that vigild
would read: /etc/vigil/vigil.json for root, else vigil/vigil.json below $XDG_CONFIG_HOME (~/.config).

Example:
  vigilctl check ./vigil.json)",
     run_check},
    {"diff", "What a reload would change", Words::none, kTimeout,
     R"(Compares the configuration files with what runs: tasks added, removed and changed, each field with what it
needs (live, a restart of the task, or of vigild). Changes nothing. Tasks added at run time are left out. For root
and the daemon's own user.
Exits like diff(1): 0 when there is no difference, 1 when there are some; 78 when the files are not valid.

Examples:
  vigilctl diff
  vigilctl diff --json | jq .changed)",
     run_diff},
    {"reload", "Take over the changed configuration", Words::none, kWaits | kReload,
     R"(Whole or not at all: if anything in the files is wrong, everything that is wrong is reported (exit 78) and
nothing is changed. Only tasks of which something changed that a running process cannot be given are restarted;
tasks that are no longer in the files are stopped and removed. Waits until what was started, restarted and stopped
is where it should be. On a terminal it shows the difference and asks first. For root and the daemon's own user.

Examples:
  vigilctl reload
  vigilctl reload -y --timeout 1m
  vigilctl reload --dry-run)",
     run_reload},
    {"shutdown", "Stop every task, then the daemon", Words::none, kWaits | kNow,
     R"(For root and the daemon's own user. Waits until the daemon is gone.

Examples:
  vigilctl shutdown
  vigilctl shutdown --now        # SIGKILL to everything at once)",
     run_shutdown},
    {"upgrade", "Let the daemon go on as another program, with all its tasks", Words::optional_program,
     kTimeout,
     R"(The running vigild replaces itself in place: the same pid, and no task, no line of output and no waiting client
notices. Without PROGRAM it is the one that runs, as it is on the disk now: what a package has just installed.
The new program is run beside the old one first, and has to show that it can read the configuration, the state and
what is handed over. If it cannot, the old one goes on and says why (exit code 1). An older version is taken as well
as a newer one. Changes of the configuration are not taken over by it: that is reload. For root and the daemon's own
user.

Examples:
  vigilctl upgrade
  vigilctl upgrade /opt/vigil-0.2/sbin/vigild)",
     run_upgrade},
    {"daemon", "The daemon itself: what it runs from, how busy it is, what waits", Words::none, kTimeout,
     R"(A turn is all that the daemon does between two waits for something to happen; while it lasts nobody else is
served, so 99 % of them should be short (a few ms). "recent" is of the last one to two minutes. "timers late" is how
long after its time a deadline was looked at: with a busy machine, that is how long the daemon waited for a processor.
With --json the answer of the method daemon.status, times in microseconds.

Examples:
  vigilctl daemon
  vigilctl daemon --json | jq .loop.recent_turns)",
     run_daemon},
    {"version", "Versions of vigilctl and of the daemon", Words::none, kVerbose,
     R"(With --verbose also what the daemon has to work with: its keeper, where tasks get cgroups, and which features
of the kernel were found, are missing, or were disabled (vigild --disable-feature). Everything has another way.

Example:
  vigilctl version --verbose)",
     run_version},
    {"help", "This list, or the help of a command", Words::none, 0, "", nullptr},
}};

}  // namespace

std::span<const Verb> verbs() noexcept {
    return kVerbs;
}

const Verb* find_verb(std::string_view name) noexcept {
    for (const Verb& verb : kVerbs)
        if (verb.name == name) return &verb;
    return nullptr;
}

}  // namespace vigil::ctl
