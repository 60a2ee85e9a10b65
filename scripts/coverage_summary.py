#!/usr/bin/env python3
"""coverage_summary.py REPORT: the JSON of gcovr as a table by layer, and a list of what no test has reached.

A line is named where it was never run, and as "branch" where it was, but not in every direction.
"""
import collections
import json
import os
import sys


def layer_of(path):
    parts = path.split("/")
    return "/".join(parts[:2]) if len(parts) > 2 else parts[0]


def ranges(numbers):
    """[1, 2, 3, 7] -> "1-3 7"."""
    found = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return " ".join(str(a) if a == b else f"{a}-{b}" for a, b in found)


class Tally:
    def __init__(self):
        self.lines = [0, 0]
        self.branches = [0, 0]

    def add(self, other):
        for mine, others in ((self.lines, other.lines), (self.branches, other.branches)):
            mine[0] += others[0]
            mine[1] += others[1]


def look_at(file):
    tally, missed, partly = Tally(), [], []
    for line in file["lines"]:
        if line.get("gcovr/noncode"):
            continue
        branches = line.get("branches", [])
        taken = sum(1 for branch in branches if branch["count"])
        tally.lines[0] += bool(line["count"])
        tally.lines[1] += 1
        tally.branches[0] += taken
        tally.branches[1] += len(branches)
        if not line["count"]:
            missed.append(line["line_number"])
        elif taken < len(branches):
            partly.append(line["line_number"])
    return tally, sorted(set(missed)), sorted(set(partly))


def share(count):
    reached, all_of_them = count
    percent = f"{100 * reached / all_of_them:6.2f} %" if all_of_them else "       -"
    return f"{reached:>6} of {all_of_them:<6} {percent}"


def main(report):
    with open(report, encoding="utf-8") as file:
        files = json.load(file)["files"]
    # A header is reached through the link in the build directory that its layer is included by.
    for entry in files:
        entry["file"] = os.path.relpath(os.path.realpath(entry["file"]))
    files.sort(key=lambda entry: entry["file"])
    layers, total, gaps = collections.defaultdict(Tally), Tally(), []
    for entry in files:
        tally, missed, partly = look_at(entry)
        layers[layer_of(entry["file"])].add(tally)
        total.add(tally)
        if missed:
            gaps.append(f"{entry['file']}: {ranges(missed)}")
        if partly:
            gaps.append(f"{entry['file']}: branch {ranges(partly)}")
    print("\nnot reached:")
    print("\n".join(gaps) or "nothing")
    print(f"\n{'layer':<20} {'lines':<27} branches")
    for layer in sorted(layers):
        print(f"{layer:<20} {share(layers[layer].lines):<27} {share(layers[layer].branches)}")
    print(f"{'all':<20} {share(total.lines):<27} {share(total.branches)}")


if __name__ == "__main__":
    main(sys.argv[1])
