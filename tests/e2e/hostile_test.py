"""Bad clients of the control socket, few of each kind; `make hostile` has ten thousand and measures."""
import os

import cases
from cases import case, main, need_root
from hostile import hostile, let_loose

# Of 256 clients each may have a line of a MiB in the making, and as much to read.
MOST_KIB = 256 * 2 * 1024


@case(timeout=120)
def nasty_65_bad_clients_of_every_kind_at_once_cost_bounded_memory_and_no_good_client_its_answer():
    with hostile(600) as daemon:
        figures, crowd, counted, before, after = let_loose(daemon, 600, 4)
        assert figures.waits and figures.steady_waits, (figures.waits, figures.steady_waits)
        assert figures.peak - before[0] < MOST_KIB, (before, figures.peak)
        assert after[0] - before[0] < 64 * 1024, (before, after)
        assert crowd.opened >= 600, crowd.said
        # They are what they are said to be: bad clients who may ask what they ask.
        cases.equal({kind for kind, count in crowd.refused.items() if count}, set(), "kinds of readers that were refused")
        assert figures.turned_away == 0, figures.turned_away
        assert counted is None or counted["clients_dropped"] + counted["clients_refused"] > 0, counted


@case(timeout=120)
def nasty_67_users_who_may_do_nothing_are_refused_and_counted_however_often_they_ask():
    need_root()
    with hostile(200) as daemon:
        _, _, counted, _, _ = let_loose(daemon, 200, 2)
        denied = daemon.rpc("daemon.status")["dropped"]["requests_denied"]
        assert denied > 0, counted
        # Said once a connection.
        assert daemon.log.count("denied ") <= 20_000, daemon.log.count("denied ")
        assert os.path.getsize(daemon.log_path) < 8 << 20


if __name__ == "__main__":
    main()
