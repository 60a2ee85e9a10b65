#!/usr/bin/env bash
# setup.sh GROUP...: makes sure that the Debian packages of the named groups are installed.
#
# Groups: build, test, clang, coverage, analysis, bench, profile. Says nothing and changes nothing where all is there; otherwise
# installs what is missing, as root or through sudo. Services that come with a package (redis-server,
# haproxy, supervisor) are neither started now nor enabled for the next boot: the tests start programs of their own.
set -euo pipefail

# One word a package; what the build of CMakeLists.txt asks for, then what the tests run.
packages_of() {
    case "$1" in
        build) echo "g++ cmake ninja-build pkg-config libuv1-dev nlohmann-json3-dev libspdlog-dev libfmt-dev libzstd-dev" \
                    "libcli11-dev doctest-dev python3" ;;
        test) echo "python3-jsonschema redis-server haproxy systemd strace util-linux valgrind zstd" ;;
        clang) echo "clang libclang-rt-14-dev clang-tidy clang-format" ;;
        coverage) echo "gcovr" ;;
        analysis) echo "cppcheck" ;;
        profile) echo "linux-perf" ;;
        bench) echo "s6 runit supervisor systemd dbus daemontools util-linux gnuplot-nox" ;;
        *) echo "setup.sh: unknown group \"$1\"; known are build, test, clang, coverage, analysis, bench and profile" >&2; return 2 ;;
    esac
}

# Prints those of its arguments that are not installed.
missing_of() {
    local package
    for package in "$@"; do
        # "installed" is the third word of the status; a removed package still has its configuration.
        [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || echo "$package"
    done
}

as_root() {
    if [[ $(id -u) == 0 ]]; then "$@"; else sudo -- "$@"; fi
}

# A policy that forbids every start of a service (see invoke-rc.d(8)) stands only while apt-get runs. One
# that the administrator wrote already is left in place and obeyed.
policy=/usr/sbin/policy-rc.d
forbid_service_starts() {
    [[ ! -e $policy ]] || return 0
    trap 'as_root rm -f "$policy"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
}

install_packages() {
    echo "setup: installing $*" >&2
    forbid_service_starts
    # The environment is set behind sudo, which does not let it through by default. Another apt-get on the
    # machine (unattended-upgrades) is waited for.
    local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=600)
    as_root "${apt[@]}" update </dev/null >&2
    as_root "${apt[@]}" install -y --no-install-recommends "$@" </dev/null >&2

    local package
    for package in "$@"; do
        case "$package" in
            redis-server | haproxy | supervisor)
                as_root systemctl disable --quiet "$package.service" >/dev/null 2>&1 || true ;;
        esac
    done
}

main() {
    local group line wanted=() missing=()
    for group in "$@"; do
        line=$(packages_of "$group")
        read -r -a words <<<"$line"
        wanted+=("${words[@]}")
    done
    if ! command -v dpkg-query >/dev/null; then
        echo "setup: this is no Debian system, so nothing was installed; needed are the counterparts of:" \
             "${wanted[*]}" >&2
        return 0
    fi
    mapfile -t missing < <(missing_of "${wanted[@]}")
    [[ ${#missing[@]} -gt 0 ]] || return 0
    if [[ $(id -u) != 0 ]] && ! command -v sudo >/dev/null; then
        echo "setup: these packages are missing, and neither root nor sudo is at hand to install them:" >&2
        echo "  apt-get install --no-install-recommends ${missing[*]}" >&2
        return 1
    fi
    install_packages "${missing[@]}"
}

main "$@"
