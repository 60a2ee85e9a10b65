"""Configurations that are wrong: each gets clear errors with their places, exit code 78, and nothing is started."""
import json
import os

import cases
from cases import case, contains, equal, main, need_program, need_root
from harness import SLEEP, Daemon, run

GOOD = {"version": 1, "tasks": {"a": SLEEP}}


class Desk:
    """A configuration file and what vigild says to it. Nothing is ever started."""

    def __init__(self):
        self.daemon = Daemon(wait=False)  # only for its directory

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        assert not os.path.exists(self.daemon.socket), "a socket was made"
        self.daemon._clean_up(failed=False)

    def says(self, text, *options, path=None, wrap=()):
        if text is not None:
            self.daemon.write_config(text if isinstance(text, (str, bytes)) else json.dumps(text, indent=1))
        return run([*wrap, self.daemon.program(), "-c", path or self.daemon.config_path, *options])

    def refuses(self, text, *parts, **more):
        """vigild does not start with it, and --check agrees; the errors are those."""
        for options in ((), ("--check",)):
            outcome = self.says(text, *options, **more)
            equal(outcome.code, 78, f"exit code of {options} for {str(text)[:200]}: {outcome}")
            contains(outcome.err, *parts)
        return outcome.err

    def place(self, line, column):
        return f"{self.daemon.config_path}:{line}:{column}: "


@case()
def a_valid_file_passes_the_check_and_starts_nothing():
    with Desk() as desk:
        outcome = desk.says(GOOD, "--check")
        equal(outcome.code, 0, outcome)
        text = '// comments\n{ /* and more */ "version": 1, "$schema": "x", "x-mine": 1, "tasks": {} }'
        outcome = desk.says(text, "--check")
        equal(outcome.code, 0, outcome)


@case()
def nasty_57_an_unknown_key_is_refused_with_its_place_and_the_nearest_known_one():
    with Desk() as desk:
        desk.refuses('{ "version": 1,\n  "tasks": { "a": { "comand": ["true"] } } }',
                     desk.place(2, 21), "comand", '"command"')
        desk.refuses('{ "version": 1,\n  "daemn": {} }', desk.place(2, 3), "daemn", '"daemon"')
        desk.refuses('{ "version": 1, "tasks": { "a": { "command": ["true"], "restart": { "basedelay": "1s" } } } }',
                     "basedelay", "base_delay")


@case()
def nasty_57_a_duplicate_key_is_refused_at_its_second_place():
    with Desk() as desk:
        desk.refuses('{ "version": 1,\n "tasks": { "a": { "command": ["true"] },\n'
                     '            "a": { "command": ["false"] } } }', desk.place(3, 13), '"a"')


@case()
def nasty_57_all_errors_of_all_files_come_at_once():
    with Desk() as desk:
        os.mkdir(desk.daemon.path("conf.d"))
        with open(desk.daemon.path("conf.d/x.json"), "w") as file:
            file.write('{ "tasks": { "b": { "command": "true" } } }')
        errors = desk.refuses('{ "version": 1, "include": ["conf.d/*.json"],\n'
                              '  "tasks": { "a": { "command": ["true"], "autostart": "yes", "cwd": "tmp" } } }',
                              "autostart", "cwd", "x.json:1:32: ", "^")
        equal(sum(line.lstrip().startswith("^") for line in errors.splitlines()), 3, f"carets in:\n{errors}")


@case()
def nasty_57_wrong_types_and_numbers_out_of_range_are_refused():
    wrong = {"autostart": ["1", '"true"'],
             "nice": ["1e400", "9223372036854775808", "-1000", "1.5", '"10"', "NaN"],
             "command": ["[]", '[""]', "[1]", '["a\\u0000b"]', '"true"'],
             "cwd": ["null", '"relative"'],
             "env": ['{"A": 1}', '{"A=B": "x"}'],
             "umask": ["18", '"999"'],
             "user": ["[]", "0"],
             "heartbeat": ["2", '{"timeout": 2}', '{"timeout": "2"}', '{"timeout": "-2s"}', '{"timeout": "0s"}',
                           '{"timeout": "99999999999999999999s"}'],
             "stop": ['{"signal": "NOPE"}', '{"timeout": 20}'],
             "restart": ['{"policy": "sometimes"}', '{"max_attempts": -1}', '{"jitter": 2}', '{"base_delay": 1}', "[]"],
             "ready": ['{"on": "luck"}']}
    with Desk() as desk:
        for key, values in wrong.items():
            command = "" if key == "command" else '"command": ["true"], '
            for value in values:
                text = '{ "version": 1, "tasks": { "a": { %s"%s": %s } } }' % (command, key, value)
                outcome = desk.says(text, "--check")
                equal(outcome.code, 78, f"{key}: {value}: {outcome}")
                contains(outcome.err, f"{desk.daemon.config_path}:1:")


@case()
def a_bare_number_for_a_duration_is_answered_with_what_to_write():
    with Desk() as desk:
        desk.refuses('{ "version": 1, "tasks": { "a": { "command": ["true"], "stop": { "timeout": 20 } } } }',
                     "stop.timeout", "20s")


@case()
def nasty_57_texts_that_are_no_json_are_refused_with_the_place():
    with Desk() as desk:
        for text in ("", " \n", "{", '{ "version": 1,, }', '{ "version": 1 } x', "[]", "1", "null", '"text"',
                     '{ "version": 1 ', b"\xff\xfe", b'{ "version": 1, "tasks": { "\xff": {} } }', b"\0\0\0",
                     '{ "version": 2 }', '{ "version": "1" }'):
            outcome = desk.says(text, "--check")
            equal(outcome.code, 78, f"{text!r}: {outcome}")
            contains(outcome.err, desk.daemon.config_path)


@case()
def nasty_57_deep_nesting_is_refused_and_does_not_overflow():
    with Desk() as desk:
        for opening, closing in ('{"x-a":', "}"), ("[", "]"):
            depth = 200_000
            outcome = desk.says('{ "version": 1, "x-a": ' + opening * depth + "1" + closing * depth + " }", "--check")
            equal(outcome.code, 78, outcome)
            contains(outcome.err, "32")


@case()
def nasty_57_a_directory_a_fifo_and_a_missing_file_are_refused_without_a_hang():
    with Desk() as desk:
        fifo = desk.daemon.path("fifo")
        os.mkfifo(fifo)
        for path in (desk.daemon.directory, fifo, desk.daemon.path("missing.json"), "/dev/zero"):
            outcome = desk.says(None, path=path)
            equal(outcome.code, 78, f"{path}: {outcome}")
            contains(outcome.err, path)


@case()
def an_unreadable_file_is_refused_with_its_name_and_the_reason():
    need_root("a file that another user may not read")
    need_program("setpriv")
    with Desk() as desk:
        desk.daemon.write_config(json.dumps(GOOD))
        os.chmod(desk.daemon.config_path, 0o600)
        copy = Daemon(wait=False, uid=65534)
        try:
            outcome = run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", copy.program(), "-c",
                           desk.daemon.config_path])
        finally:
            copy._clean_up(failed=False)
        equal(outcome.code, 78, outcome)
        contains(outcome.err, desk.daemon.config_path, "Permission denied")


@case()
def nasty_61_as_root_a_file_or_directory_that_others_may_write_is_refused():
    need_root("the rule is for root alone")
    with Desk() as desk:
        desk.daemon.write_config(json.dumps(GOOD))
        file, directory = desk.daemon.config_path, desk.daemon.directory
        for path, mode in ((file, 0o666), (file, 0o622), (directory, 0o777)):
            before = os.stat(path).st_mode & 0o7777
            os.chmod(path, mode)
            desk.refuses(None, desk.daemon.config_path)
            os.chmod(path, before)
        os.chown(desk.daemon.config_path, 65534, 65534)
        desk.refuses(None, desk.daemon.config_path)


@case()
def nasty_62_names_that_could_be_paths_options_or_escapes_are_refused():
    with Desk() as desk:
        for name in ("", ".", "..", "a/b", "-x", "a" * 65, "ä", "a\nb", "a\0b", "a b", "_a", "*"):
            outcome = desk.says({"version": 1, "tasks": {name: SLEEP}}, "--check")
            equal(outcome.code, 78, f"{name!r}: {outcome}")
        for name in ("a", "A.b_c@d-9", "a" * 64, "9"):
            equal(desk.says({"version": 1, "tasks": {name: SLEEP}}, "--check").code, 0, f"{name!r}")


@case()
def nasty_52_what_is_quoted_from_a_file_cannot_reach_the_terminal():
    with Desk() as desk:
        outcome = desk.says('{ "version": 1, "\\u001b[2Jevil": "\x7f" }', "--check")
        equal(outcome.code, 78, outcome)
        assert "\x1b" not in outcome.err and "\x7f" not in outcome.err, repr(outcome.err)


@case()
def a_wrong_command_line_is_a_usage_error():
    for arguments in (["--colour"], ["-c"], ["file.json"], ["--config", "a", "b"]):
        outcome = run([cases.VIGILD, *arguments])
        equal(outcome.code, 2, f"{arguments}: {outcome}")
        assert outcome.err and not outcome.out, outcome
    contains(run([cases.VIGILD, "--help"]).out, "--config", "--check", "--dump-state")
    contains(run([cases.VIGILD, "--version"]).out, "vigild ")


@case()
def a_state_table_is_looked_for_in_the_runtime_directory_of_the_configuration():
    with Desk() as desk:
        outcome = desk.says({"version": 1, "daemon": {"runtime_dir": desk.daemon.runtime_dir}}, "--dump-state")
        equal(outcome.code, 1, outcome)
        contains(outcome.err, f"opening {desk.daemon.runtime_dir}/state: No such file or directory")
        table = desk.daemon.path("noise")
        with open(table, "w") as file:
            file.write("noise")
        outcome = desk.says("{", "--dump-state", table)
        equal(outcome.code, 0, outcome)
        contains(outcome.out, f"{table}: state table: cut short: 5 bytes")
        equal(desk.says("{", "--dump-state").code, 78, outcome)


if __name__ == "__main__":
    main()
