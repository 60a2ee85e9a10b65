"""How each cost grows with the number of tasks: fitted exponents, and plots by gnuplot."""
import math
import os
import shutil
import subprocess

# What is plotted: row, title, unit of its figures.
PLOTTED = [
    ("start", "start of N tasks", "ms"),
    ("crash.p50", "one crash to restarted, p50", "us"),
    ("mass", "all N crash to all restarted", "ms"),
    ("stop", "stop of all N", "ms"),
    ("memory", "memory of the supervisor (PSS)", "KiB"),
    ("status.all", "status of all by the command-line client", "ms"),
    ("status.one", "status of one by the command-line client", "ms"),
    ("takeover", "taking over after kill -9", "ms"),
    ("heartbeats", "heartbeats a second on one core", "1/s"),
    ("silence.p99", "silence found after its deadline, p99", "ms"),
]
FITTED_FROM, FITTED_TO = 10, 10000


def points(samples, who, row):
    return [(tasks, samples.median(who, tasks, row)) for tasks in samples.sizes(who, row)]


def exponent(samples, who, row):
    """k of cost = c * N^k by least squares of the logarithms; None where there are fewer than three sizes."""
    found = [(math.log(tasks), math.log(cost)) for tasks, cost in points(samples, who, row)
             if FITTED_FROM <= tasks <= FITTED_TO and cost > 0]
    if len(found) < 3:
        return None
    mean_x = sum(x for x, _ in found) / len(found)
    mean_y = sum(y for _, y in found) / len(found)
    return sum((x - mean_x) * (y - mean_y) for x, y in found) / sum((x - mean_x) ** 2 for x, _ in found)


def table_of_exponents(samples, whos):
    whos = [who for who in whos if any(exponent(samples, who, row) is not None for row, _, _ in PLOTTED)]
    if not whos:
        return [["too few sizes were measured"]]
    lines = [["cost", *whos]]
    for row, title, _ in PLOTTED:
        fitted = [exponent(samples, who, row) for who in whos]
        if any(value is not None for value in fitted):
            lines.append([title, *("" if value is None else f"{value:.2f}" for value in fitted)])
    return lines


def plot(samples, directory):
    """One SVG a row that was measured at more than one size. Gives the names of the files; none without gnuplot."""
    if shutil.which("gnuplot") is None:
        return []
    os.makedirs(directory, exist_ok=True)
    made = []
    for row, title, unit in PLOTTED:
        curves = [(who, points(samples, who, row)) for who in samples.whos()]
        curves = [(who, found) for who, found in curves if len(found) > 1]
        if not curves:
            continue
        name = row.replace(".", "-") + ".svg"
        blocks = "".join(f"${'d%d' % index} << EOD\n" + "".join(f"{tasks} {cost:.4g}\n" for tasks, cost in found) + "EOD\n"
                         for index, (_, found) in enumerate(curves))
        lines = ", ".join(f"$d{index} using 1:2 with linespoints pointtype {index + 4} title '{who}'"
                          for index, (who, _) in enumerate(curves))
        script = (f"set terminal svg size 560,360 font 'sans,11' background 'white'\nset output '{os.path.join(directory, name)}'\n"
                  f"set title '{title}'\nset xlabel 'tasks'\nset ylabel '{unit}'\nset logscale xy\nset key left top\nset grid\n"
                  f"{blocks}plot {lines}\n")
        subprocess.run(["gnuplot"], input=script, text=True, check=True)
        made.append(name)
    return made
