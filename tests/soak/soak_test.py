"""A small sample of soak.py; `make soak` has the whole."""
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))

import cases  # noqa: E402
import soak  # noqa: E402
from cases import case, main, need_root  # noqa: E402


def sample(with_cgroup):
    # Longer for a daemon that is slow; by the same acts.
    failed = soak.run(random.randrange(1 << 32), 6 * cases.PATIENCE, 40, 2000, pace=0.6, acts_per_second=20, with_cgroup=with_cgroup)
    assert failed == 0, f"{failed} checks failed"


@case(timeout=120)
def tasks_operators_reloads_kills_and_upgrades_at_random_leave_nothing_and_lose_nothing():
    need_root("the cgroups of root")
    sample(with_cgroup=True)


@case(timeout=120)
def without_cgroups_random_kills_and_upgrades_leave_nothing_and_lose_nothing():
    sample(with_cgroup=False)


if __name__ == "__main__":
    main()
