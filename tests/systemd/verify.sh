#!/usr/bin/env bash
# verify.sh CASE SOURCE BUILT: lets the tools of systemd judge our files for it, without a running systemd.
# SOURCE is the directory systemd/; BUILT holds the configured vigil.service. Exit 77: no such tool here.
set -euo pipefail
case=$1
here=$2
built=$3

need() {
    command -v "$1" >/dev/null || { echo "skipped: no $1 on this machine"; exit 77; }
}

# Any word of the tool is a complaint, also one that it does not count as an error.
unit_verifies() {
    need systemd-analyze
    local said
    # The manual pages named in the unit need not be installed where it is tested.
    if ! said=$(systemd-analyze verify --man=no "$built/vigil.service" 2>&1) || [[ -n $said ]]; then
        echo "systemd-analyze verify complains:"
        echo "$said"
        return 1
    fi
}

sysusers_and_tmpfiles_apply() {
    need systemd-sysusers
    need systemd-tmpfiles
    root=$(mktemp -d)
    trap 'rm -rf "$root"' EXIT
    mkdir "$root/etc"
    echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
    echo 'root:x:0:' >"$root/etc/group"
    systemd-sysusers --root="$root" "$here/vigil.sysusers"
    grep -q '^vigil:' "$root/etc/group"
    # Without root the owner cannot be set; the syntax is read all the same by the line above.
    [[ $(id -u) == 0 ]] || return 0
    systemd-tmpfiles --root="$root" --create "$here/vigil.tmpfiles"
    [[ $(stat -c %a "$root/run/vigil" "$root/var/lib/vigil" | paste -sd,) == 711,700 ]]
}

"$case"
