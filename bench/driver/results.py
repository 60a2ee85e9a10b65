"""bench/RESULTS.md: the part between two marks is written here, the rest by hand."""
import os
import shutil

import report

HERE = os.path.dirname(os.path.abspath(__file__))
PAGE = os.path.join(HERE, "../RESULTS.md")
PLOTS = os.path.join(HERE, "../plots")
BEGIN, END = "<!-- written by make bench -->\n", "<!-- end of what make bench writes -->\n"


def write(tables, remarks, options, plots):
    """Replaces what is between the marks, and the plots."""
    command = "make bench-quick" if options.quick else "make bench"
    arguments = "--write-results" + (" --realtime" if options.realtime else "")
    text = f"`{command} ARGS='{arguments}'`\n\n" + "".join(f"- {remark}\n" for remark in remarks) + "\n"
    for heading, lines in tables[:-1]:
        text += f"### {heading}\n\n{report.as_markdown(lines)}\n\n"
    heading, lines = tables[-1]
    text += f"<details><summary>{heading}</summary>\n\n{report.as_markdown(lines)}\n\n</details>\n\n"
    os.makedirs(PLOTS, exist_ok=True)
    for name in plots:
        shutil.copy(os.path.join(os.path.dirname(options.json), "plots", name), PLOTS)
        text += f"![{name}](plots/{name})\n"
    with open(PAGE) as file:
        page = file.read()
    if BEGIN not in page or END not in page:
        raise SystemExit(f"{PAGE} has lost its marks")
    before, rest = page.split(BEGIN, 1)
    with open(PAGE, "w") as file:
        file.write(before + BEGIN + text + END + rest.split(END, 1)[1])
