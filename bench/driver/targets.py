"""The rows that are promised, each with its target and how it is judged. The one list of them."""
import dataclasses
import typing

# Sizes at which a ratio to the limit is promised. Below, the way of one order through a socket outweighs the work; it is shown.
JUDGED_FROM = 100


@dataclasses.dataclass
class Cell:
    """What was found at one number of tasks: the text of it, and whether it is good enough (None: not judged)."""
    text: str
    met: typing.Optional[bool] = None


@dataclasses.dataclass
class Row:
    title: str
    target: str
    cell: typing.Callable  # (samples, who, tasks) -> Cell, or None where nothing was measured


def ratio(row, to_row, most, to="limit"):
    def cell(samples, who, tasks):
        found = samples.ratio(who, row, to, to_row, tasks)
        if found is None:
            return None
        judged = most is not None and who == "vigil" and tasks >= JUDGED_FROM
        return Cell(f"{found:.2f}", found <= most if judged else None)
    return cell


def plain(row, form, good=None, at=None):
    """The median itself. `good` judges it, at every size or where `at` says so."""
    def cell(samples, who, tasks):
        found = samples.median(who, tasks, row)
        if found is None:
            return None
        judged = good is not None and who == "vigil" and (at is None or at(tasks))
        return Cell(form(found), good(found, tasks) if judged else None)
    return cell


def same_at_any_size(row, smallest, most):
    """By how much it grows from the size `smallest` on."""
    def cell(samples, who, tasks):
        first, found = samples.median(who, smallest, row), samples.median(who, tasks, row)
        if first is None or found is None or tasks < smallest:
            return None
        grown = found / first
        return Cell(f"{grown:.2f}", grown <= most if who == "vigil" and tasks > smallest else None)
    return cell


def memory_per_task(row, most):
    """What each task adds to the memory of a supervisor of one."""
    def cell(samples, who, tasks):
        base, found = samples.median(who, 1, row), samples.median(who, tasks, row)
        if base is None or found is None or tasks < 100:
            return None
        each = (found - base) / (tasks - 1)
        return Cell(f"{each:.2f}", each <= most if most is not None and who == "vigil" and tasks >= 1000 else None)
    return cell


def memory_of_all(row, most):
    """All of it, divided by the tasks."""
    def cell(samples, who, tasks):
        found = samples.median(who, tasks, row)
        if found is None or tasks < 1000:
            return None
        each = found / tasks
        return Cell(f"{each:.2f}", each <= most if who == "vigil" and tasks >= 5000 else None)
    return cell


def memory_of_output(most):
    """What keeping its output adds to a task that beats."""
    beating, kept = (memory_per_task(row, None) for row in ("memory.beating", "memory.beating.output"))

    def cell(samples, who, tasks):
        without, with_output = beating(samples, who, tasks), kept(samples, who, tasks)
        if without is None or with_output is None:
            return None
        more = float(with_output.text) - float(without.text)
        return Cell(f"{more:.2f}", more <= most if tasks >= 1000 else None)
    return cell


def rate(row, form, good):
    """A rate, and in brackets what part of the limit's it is."""
    def cell(samples, who, tasks):
        found, part = samples.median(who, tasks, row), samples.ratio(who, row, "limit", row, tasks)
        if found is None:
            return None
        text = form(found) + ("" if part is None else f" ({part:.2f})")
        return Cell(text, good(found, part) if who == "vigil" and (tasks >= JUDGED_FROM or row.startswith("output")) else None)
    return cell


def milliseconds(value):
    return f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def within(row, most):
    return plain(row, milliseconds, lambda value, tasks: value <= most)


def thousands(value):
    return f"{value / 1000:.0f}k"


ROWS = [
    Row("start of N, to the serial loop", "<= 1.0", ratio("start", "start", 1.0)),
    Row("  to two threads that give each a session", "", ratio("start", "start", None, "limit-apart")),
    Row("one crash, p50, to the limit's", "<= 1.3", ratio("crash.p50", "crash.p50", 1.3)),
    Row("  with a session, by a thread beside", "", ratio("crash.p50", "crash.p50", None, "limit-apart")),
    Row("one crash, p99, to the limit's", "", ratio("crash.p99", "crash.p99", None)),
    Row("one crash, p50, to N = 10", "the same (1.25)", same_at_any_size("crash.p50", 10, 1.25)),
    Row("all N crash, to the serial loop", "<= 1.0", ratio("mass", "start", 1.0)),
    Row("  to the limit's", "", ratio("mass", "mass", None)),
    Row("  with sessions, by a thread beside", "", ratio("mass", "mass", None, "limit-apart")),
    Row("stop all, to the serial loop", "<= 1.1", ratio("stop", "start", 1.1)),
    Row("stop all, to serial kill + reap", "", ratio("stop", "stop", None)),
    Row("memory that a task adds, KiB", "", memory_per_task("memory", None)),
    Row("  with heartbeat", "<= 2.4", memory_per_task("memory.beating", 2.4)),
    Row("  all of it with heartbeat, to N", "5,000: <= 2.4", memory_of_all("memory.beating", 2.4)),
    Row("  more where output is kept", "<= 1", memory_of_output(1.0)),
    Row("status of all, ms", "<= 9; 10,000: <= 20",
        plain("status.all", milliseconds, lambda value, tasks: value <= (9 if tasks <= 5000 else 20))),
    Row("status of one, ms", "<= 2", within("status.one", 2)),
    Row("idle, wake-ups a second", "0", plain("idle", lambda value: f"{value:.1f}", lambda value, tasks: value == 0)),
    Row("heartbeats a second, one core (to bare)", ">= 400k", rate("heartbeats", thousands, lambda value, part: value >= 400000)),
    Row("  a second of processor (to bare)", "", rate("heartbeats.cpu", thousands, lambda value, part: None)),
    Row("silence found after its deadline, p99, ms", "<= 2", within("silence.p99", 2)),
    Row("output of one task, MB/s (to cat)", ">= 1000, or 0.8 of cat",
        rate("output", lambda value: f"{value:.0f}", lambda value, part: value >= 1000 or (part or 0) >= 0.8)),
    Row("control, longest, ms: chatty tasks", "<= 100", within("chatty.control.max", 100)),
    Row("  chatty tasks on a full disk", "<= 100", within("full-disk.control.max", 100)),
    Row("  all N crash", "<= 100", within("control.mass.max", 100)),
    Row("judged silent meanwhile", "0", plain("chatty.silent", lambda value: f"{value:.0f}", lambda value, tasks: value == 0)),
    Row("a turn of the loop, p99, ms: all N crash", "<= 5", within("loop.mass.p99", 5)),
    Row("  all N beat every second", "<= 5", within("loop.beating.p99", 5)),
    Row("taking over after kill -9, ms", "", plain("takeover", milliseconds)),
]


def verdict(samples, row, who="vigil"):
    """Whether every judged size of a row is good enough; None where none was judged."""
    judged = [cell.met for tasks in sorted({key[1] for key in samples.rounds})
              if (cell := row.cell(samples, who, tasks)) is not None and cell.met is not None]
    return all(judged) if judged else None
