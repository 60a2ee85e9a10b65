# The everyday commands. Each does its own set-up (Debian packages, configuration), so that a fresh clone
# needs no other step. The work is in CMake and scripts/; here is only the list.

JOBS ?= $(shell nproc)
export JOBS
PREFIX ?= /usr/local

.DEFAULT_GOAL := build
# Every target below that has a help text; none of them is a file.
.PHONY: $(shell awk -F: '/^[a-z-]+:.*\#\# / { print $$1 }' $(lastword $(MAKEFILE_LIST)))

build: ## build everything into build/dev (the default)
	@scripts/build.sh dev

run: ## build, then run the demonstration in the foreground; Ctrl-C ends it
	@scripts/run-demo.sh

test: ## build, then run every test; the last line counts them
	@scripts/test.sh dev

release: ## build what is installed into build/release
	@scripts/build.sh release

# The prefix is part of the configuration: the systemd unit names the installed program by its path.
install: ## install a release build under PREFIX (/usr/local); DESTDIR is honoured
	@scripts/setup.sh build
	@cmake --preset release --log-level=NOTICE -DCMAKE_INSTALL_PREFIX="$(PREFIX)"
	@scripts/build.sh release
	@DESTDIR="$(DESTDIR)" cmake --install build/release --strip

asan: ## run the tests under AddressSanitizer and UndefinedBehaviorSanitizer
	@scripts/test.sh asan

tsan: ## run the tests under ThreadSanitizer
	@scripts/test.sh tsan

clang: ## run the tests of a build by clang
	@scripts/test.sh clang

tidy: ## build with clang-tidy looking at every file
	@scripts/build.sh tidy

cppcheck: ## look at lib/ and daemon/ with cppcheck
	@scripts/cppcheck.sh

leaks: ## run vigild under LeakSanitizer from start to clean end, with orders, reloads and upgrades in between
	@scripts/leaks.sh

coverage: ## print which lines and branches the tests reach, by layer; ARGS="core config" for the unit tests of layers
	@scripts/coverage.sh $(ARGS)

fuzz: ## run every fuzz target for SECONDS=60 each, or those in ARGS; ends with a table and the count of findings
	@SECONDS_EACH="$(SECONDS)" scripts/fuzz.sh $(ARGS)

# SECONDS is bash's own, so it is handed over as an option.
simulate: ## simulate daemons and tasks on all cores until Ctrl-C, or for SECONDS=n; VIGIL_SEED=n tells one life
	@scripts/simulate.sh $(if $(SECONDS),--seconds $(SECONDS)) $(ARGS)

mutants: ## plant faults in a copy of the core; each is to be found by the simulation within a minute
	@scripts/mutants.sh $(ARGS)

kill-points: ## kill vigild at every system call of all it does, and look what the next one finds; ARGS="--help" tells more
	@scripts/kill-points.sh $(ARGS)

nasty-cases: ## list the tests of every case in docs/nasty-cases.md anew
	@scripts/nasty-cases.sh

faults: ## have every system call of vigild fail with every error that fits it; ARGS="--help" tells more
	@scripts/faults.sh $(ARGS)

hostile: ## 10,000 connections and every kind of bad client against one vigild, with figures
	@scripts/hostile.sh $(ARGS)

format: ## rewrite the C and C++ files with clang-format
	@scripts/setup.sh clang
	@git ls-files '*.c' '*.h' '*.cpp' '*.hpp' | xargs clang-format -i

bench: ## measure vigil beside the bare limit of the machine and other supervisors; takes 15 minutes at most
	@scripts/bench.sh $(ARGS)

bench-quick: ## the same in a minute: vigil and the limit, up to 1,000 tasks
	@scripts/bench.sh --quick $(ARGS)

bench-output: ## measure output beside cat, s6-log and multilog, and what chatty tasks cost everybody else
	@scripts/bench-output.sh

bench-profile: ## show by perf where the time of a start, a crash and a heartbeat goes
	@scripts/bench-profile.sh $(ARGS)

SECONDS ?= 300
bench-scale: ## run 10,000 tasks in much trouble for five minutes (SECONDS=300), and look at verdicts, orders, turns and memory
	@scripts/bench-scale.sh --seconds $(SECONDS) $(ARGS)

guard-record: ## count what one event of the hot paths costs, and record it for the test that it grows no more than a tenth
	@scripts/guard-record.sh

kills: ## kill the daemon ten times under 1,000 tasks that print and beat; measure how long taking them over takes
	@scripts/kills.sh

soak: ## MINUTES=30 of random tasks, operators, reloads, kills and upgrades; then what leaked and what is not accounted for
	@scripts/soak.sh $(ARGS)

clean: ## remove everything that was built
	@rm -rf build

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
