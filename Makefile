# The everyday commands. Each does its own set-up (Debian packages, configuration), so that a fresh clone
# needs no other step. The work is in CMake and scripts/; here is only the list.

JOBS ?= $(shell nproc)
export JOBS
PREFIX ?= /usr/local

.DEFAULT_GOAL := build
.PHONY: build release run test install clean asan tsan clang tidy coverage kill-points faults hostile bench-output kills format help

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

coverage: ## run the tests with coverage, and write build/coverage/coverage.html
	@scripts/coverage.sh

kill-points: ## kill vigild at every system call of all it does, and look what the next one finds; ARGS="--help" tells more
	@scripts/kill-points.sh $(ARGS)

faults: ## have every system call of vigild fail with every error that fits it; ARGS="--help" tells more
	@scripts/faults.sh $(ARGS)

hostile: ## 10,000 connections and every kind of bad client against one vigild, with figures
	@scripts/hostile.sh $(ARGS)

format: ## rewrite the C and C++ files with clang-format
	@scripts/setup.sh clang
	@git ls-files '*.c' '*.h' '*.cpp' '*.hpp' | xargs clang-format -i

bench-output: ## measure output beside cat, s6-log and multilog, and what chatty tasks cost everybody else
	@scripts/bench-output.sh

kills: ## kill the daemon ten times under 1,000 tasks that print and beat; measure how long taking them over takes
	@scripts/kills.sh

clean: ## remove everything that was built
	@rm -rf build

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
