"""Tables of what was found: on the terminal, and in Markdown."""
from targets import ROWS, verdict


def word(met):
    return {True: "yes", False: "NO", None: "-"}[met]


def table_of_targets(samples, who="vigil"):
    """Rows of text: a title, one cell a number of tasks, the target, and whether it is met."""
    sizes = sorted({tasks for found, tasks, row in samples.rounds if found == who and "beating" not in row})
    lines = [[who, *(f"N = {tasks:,}" for tasks in sizes), "target", "met"]]
    for row in ROWS:
        cells = [row.cell(samples, who, tasks) for tasks in sizes]
        missing = not any(cells)
        lines.append([row.title, *(cell.text if cell else "" for cell in cells), row.target,
                      "not measured" if missing else word(verdict(samples, row, who))])
    return lines


def table_of_peers(samples, peers):
    """The rows that a peer can do, at each size, beside ours."""
    whos = ["vigil", *peers]
    lines = [["", "N", *whos]]
    for row in ROWS:
        for tasks in sorted({key[1] for key in samples.rounds if key[0] in whos}):
            cells = [row.cell(samples, who, tasks) for who in whos]
            if any(cells[1:]):
                lines.append([row.title, f"{tasks:,}", *(cell.text if cell else "" for cell in cells)])
    return lines


def number(value):
    return f"{value:.0f}" if value >= 1000 else f"{value:.1f}" if value >= 10 else f"{value:.3g}"


def table_of_figures(samples):
    """Everything that was measured, as it is: min, median, max."""
    lines = [["what", "who", "N", "min", "median", "max"]]
    for who, tasks, row in sorted(samples.rounds, key=lambda key: (key[2], key[1], key[0])):
        spread = samples.spread(who, tasks, row)
        lines.append([row, who, f"{tasks:,}", *(number(spread[name]) for name in ("min", "median", "max"))])
    return lines


def as_text(lines):
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    def form(line):
        return "  ".join(text.ljust(width) if column == 0 else text.rjust(width)
                         for column, (text, width) in enumerate(zip(line, widths))).rstrip()
    return "\n".join([form(lines[0]), "-" * (sum(widths) + 2 * len(widths) - 2), *map(form, lines[1:])])


def as_markdown(lines):
    rows = ["| " + " | ".join(line) + " |" for line in lines]
    return "\n".join([rows[0], "|" + "---|" * len(lines[0]), *rows[1:]])
