"""What the tasks are: drawn from a seed, so that the same seed has the same tasks."""
import os
import random

import cases

# Tasks that operators add and remove beside those of the configuration.
ADDED = [f"x{number}" for number in range(24)]


def names(count):
    return [f"t{number}" for number in range(count)]


def life(seed, ledgers, mean_ms):
    return [os.path.join(cases.BUILD, "tests/soak/life"), str(seed), ledgers, str(mean_ms)]


def heartbeat_of(lot):
    """The keys of a task that must beat, be ready, both or neither."""
    beats = {"timeout": lot.choice(["1500ms", "2s", "3s"]), "initial_delay": "5s"}
    return lot.choices([{},
                        {"heartbeat": beats, "ready": {"on": "notify", "timeout": "5s"}},
                        {"heartbeat": beats},
                        {"heartbeat": {**beats, "fd": True}},
                        {"ready": {"on": "notify", "timeout": "5s"}}], [40, 25, 20, 8, 7])[0]


def output_of(lot):
    return lot.choices([{}, {"output": {"max_size": "64KiB", "keep": 2}},
                        {"output": {"max_size": "64KiB", "keep": 2, "compress": True}},
                        {"output": {"format": "prefix"}}, {"output": {"to": "null"}}], [70, 10, 5, 10, 5])[0]


def whole_log(spec):
    """Whether every line that the task printed is in its log as it was printed."""
    return "output" not in spec


def task(seed, name, ledgers, mean_ms):
    lot = random.Random(f"{seed}-spec-{name}")
    restart = {"policy": lot.choices(["on-failure", "always", "never"], [60, 35, 5])[0],
               "base_delay": lot.choice(["0s", "50ms", "200ms", "500ms"]), "max_backoff_exponent": 3,
               "max_attempts": lot.choices([None, 4], [80, 20])[0], "stable_after": "3s"}
    if lot.random() < 0.2:
        restart |= {"max_attempts": 3, "when_exhausted": "keep-trying"}
    return {"command": life(seed, ledgers, mean_ms), **heartbeat_of(lot), **output_of(lot), "restart": restart,
            "stop": {"timeout": lot.choice(["500ms", "1s"])}}


def changed(lot, spec):
    """The same task with a live key changed, or one that needs a restart."""
    if lot.random() < 0.5:
        return {**spec, "restart": {**spec["restart"], "stable_after": lot.choice(["2s", "3s", "4s"])}}
    return {**spec, "env": {"CHANGED": str(lot.randrange(1 << 30))}}
