#!/bin/sh
# A supervised worker in POSIX shell: copy tell() and the trap above it.
#
# A shell cannot open a Unix datagram socket, so under vigild it writes to the pipe that "heartbeat": {"fd": true}
# gives it. Under systemd it asks systemd-notify (which needs NotifyAccess=all). With neither it works unwatched.
set -u

trap '' PIPE # if the supervisor dies, a beat into its pipe fails; the worker goes on

# tell MESSAGE: one line to the supervisor; an empty one is a beat. (dash redirects to descriptors of one digit
# only, and vigild gives one of those.)
tell() {
    if [ -n "${VIGIL_HEARTBEAT_FD:-}" ]; then
        printf '%s\n' "$1" >&"$VIGIL_HEARTBEAT_FD"
    elif [ -n "${NOTIFY_SOCKET:-}" ] && command -v systemd-notify >/dev/null; then
        systemd-notify "${1:-WATCHDOG=1}"
    fi 2>/dev/null || :
}

# Seconds between two beats: as the supervisor wants them, else one.
interval() {
    microseconds=${VIGIL_HEARTBEAT_INTERVAL_USEC:-$((${WATCHDOG_USEC:-3000000} / 3))}
    printf '%d.%06d\n' $((microseconds / 1000000)) $((microseconds % 1000000))
}

is_prime() {
    divisor=2
    while [ $((divisor * divisor)) -le "$1" ]; do
        [ $(($1 % divisor)) -ne 0 ] || return 1
        divisor=$((divisor + 1))
    done
}

ending=
trap 'ending=yes' TERM INT

pause=$(interval)
found=0
number=1
echo "shell: started, a prime number every $pause s"
tell READY=1
while [ -z "$ending" ]; do
    number=$((number + 1))
    is_prime "$number" || continue
    found=$((found + 1))
    [ $((found % 10)) -ne 0 ] || echo "shell: prime number $found is $number"
    tell "STATUS=$found primes, the last is $number"
    tell '' # a piece of work is done
    # A signal ends `wait` at once, where it would have to wait for a sleep in the foreground.
    sleep "$pause" &
    wait $! || kill $! 2>/dev/null
done
tell STOPPING=1
echo "shell: asked to end after $found primes"
