"""A small sample of kills.py; `make kills` has the whole."""
import kills
from cases import case, main


@case(timeout=120)
def tasks_that_print_and_beat_notice_nothing_of_daemons_and_a_keeper_that_are_killed():
    kills.run(tasks=40, kills=3, rate=100)


if __name__ == "__main__":
    main()
