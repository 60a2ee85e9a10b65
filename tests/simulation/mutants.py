#!/usr/bin/python3
"""Plants a fault in the core, one after another, and looks whether the simulation finds it.

Each is a file mutants/NAME.edit: a sentence, a line "@ FILE", the text that is there once, a line "@ becomes", the text
that takes its place. Everything happens in a copy of the sources below build/; the working tree is not touched."""

import argparse
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
COPIED = ["cmake", "lib/base", "lib/core", "lib/state", "tests/simulation"]
PROJECT = """cmake_minimum_required(VERSION 3.25)
project(vigil_mutant LANGUAGES C CXX)
list(APPEND CMAKE_MODULE_PATH "${CMAKE_CURRENT_SOURCE_DIR}/cmake")
set(VIGIL_WERROR OFF)
include(VigilOptions)
add_subdirectory(tests/simulation)
"""


class Mutant:
    def __init__(self, path):
        self.name = path.stem
        text = path.read_text()
        match = re.fullmatch(r"(.*?)\n@ (\S+)\n(.*?\n)@ becomes\n(.*)", text, re.DOTALL)
        if match is None:
            sys.exit(f"{path}: not a mutant")
        self.sentence, self.file, self.before, self.after = match.groups()

    def plant(self, copy):
        """Says what is wrong; None: it is planted."""
        path = copy / self.file
        if not path.exists():
            return f"there is no {self.file} any more"
        text = path.read_text()
        before, after = self.before, self.after
        if text.count(before) != 1:
            before, after = before.rstrip("\n"), after.rstrip("\n")
        if text.count(before) != 1:
            return f"what it replaces is {text.count(before)} times in {self.file}, not once"
        path.write_text(text.replace(before, after))
        return None


def mirror(copy):
    """Like rsync --delete: what is the same keeps its time, so that little is built anew."""
    for part in COPIED:
        wanted = {path.relative_to(ROOT) for path in (ROOT / part).rglob("*") if path.is_file()}
        present = {path.relative_to(copy) for path in (copy / part).rglob("*") if path.is_file()}
        for path in present - wanted:
            (copy / path).unlink()
        for path in wanted:
            restore(copy, path)
    project = copy / "CMakeLists.txt"
    if not project.exists() or project.read_text() != PROJECT:
        project.write_text(PROJECT)


def restore(copy, path):
    source, target = ROOT / path, copy / path
    if target.exists() and source.read_bytes() == target.read_bytes():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def build(copy, place):
    """The output, if it cannot be built."""
    if not (place / "build.ninja").exists():
        configured = subprocess.run(["cmake", "-S", copy, "-B", place, "-G", "Ninja", "--log-level=ERROR"],
                                    capture_output=True, text=True)
        if configured.returncode != 0:
            return configured.stdout + configured.stderr
    built = subprocess.run(["cmake", "--build", place, "--target", "vigil_simulate", "-j", os.environ.get("JOBS", "2")],
                           capture_output=True, text=True)
    return None if built.returncode == 0 else built.stdout + built.stderr


def simulate(place, seconds):
    """(found, steps, seconds, the promise)"""
    began = time.monotonic()
    try:
        done = subprocess.run([place / "tests/simulation/vigil_simulate", "--jobs", "1", "--seconds", str(seconds),
                               "--brief"], capture_output=True, text=True, timeout=seconds + 60)
    except subprocess.TimeoutExpired:
        return False, "?", seconds + 60, "does not come to an end"
    took = time.monotonic() - began
    steps = re.search(r"^(\d+) steps", done.stdout, re.MULTILINE)
    steps = steps.group(1) if steps else "?"
    if done.returncode == -signal.SIGABRT:
        reason = re.search(r"broken invariant: (.*)", done.stderr)
        return True, steps, took, "invariant of the core: " + (reason.group(1) if reason else "?")
    broken = re.search(r"^broken: (.*)", done.stdout, re.MULTILINE)
    return broken is not None and done.returncode == 1, steps, took, broken.group(1) if broken else "-"


def check(mutants):
    """Without building anything: an edit of the core is to be followed by those of it that replace the same lines."""
    with tempfile.TemporaryDirectory(prefix="vigil-mutants-") as place:
        faults = []
        for mutant in mutants:
            restore(pathlib.Path(place), pathlib.Path(mutant.file))
            if fault := mutant.plant(pathlib.Path(place)):
                faults.append(f"mutants/{mutant.name}.edit: {fault}")
    print("\n".join(faults) or f"{len(mutants)} mutants can be planted")
    return 1 if faults else 0


def main():
    parser = argparse.ArgumentParser(description="Plants faults in the core and looks whether the simulation finds them.")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "mutants")
    parser.add_argument("--seconds", type=float, default=60, help="for each, on one core (default: %(default)s)")
    parser.add_argument("--check", action="store_true", help="only look whether each can be planted")
    parser.add_argument("names", nargs="*", help="these and no others")
    arguments = parser.parse_args()
    mutants = [Mutant(path) for path in sorted((HERE / "mutants").glob("*.edit"))]
    if unknown := set(arguments.names) - {mutant.name for mutant in mutants}:
        sys.exit("no such mutant: " + ", ".join(sorted(unknown)))
    if arguments.check:
        return check(mutants)
    copy, place = arguments.build / "source", arguments.build / "build"
    mirror(copy)
    if fault := build(copy, place):
        sys.exit(fault + "\nthe simulation cannot be built")
    found, steps, took, promise = simulate(place, min(10, arguments.seconds))
    if promise != "-":
        sys.exit(f"the simulation finds fault with the core as it is: {promise}")
    print(f"{'mutant':28} {'steps':>9} {'s':>6}  promise broken", flush=True)
    print(f"{'(none)':28} {steps:>9} {took:6.1f}  none", flush=True)
    survived = []
    for mutant in mutants:
        if arguments.names and mutant.name not in arguments.names:
            continue
        fault = mutant.plant(copy)
        if fault is None and (output := build(copy, place)):
            fault = "cannot be built: " + next((line for line in output.splitlines() if "error" in line), output[-200:])
        if fault is None:
            found, steps, took, promise = simulate(place, arguments.seconds)
        else:
            found, steps, took, promise = False, "-", 0, fault
        restore(copy, pathlib.Path(mutant.file))
        if not found:
            survived.append(mutant.name)
        print(f"{mutant.name:28} {steps:>9} {took:6.1f}  {promise if found else 'SURVIVED: ' + promise}", flush=True)
    total = len(arguments.names) or len(mutants)
    print(f"mutants: {total - len(survived)} of {total} found" + (", survived: " + ", ".join(survived) if survived else ""))
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
