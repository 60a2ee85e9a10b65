#!/bin/sh
# Installs libvigil from a build tree into a fresh prefix and uses it from there as another project would.
#
#   install_test.sh pkg-config|pkg-config-static|cmake|symbols BUILD_TREE SOURCE_DIR
#
# CC, CXX and FLAGS (what the library's own build needs of its users, such as a sanitizer) come from the environment.
set -eu

way=$1 build=$2 source=$3
prefix=$(mktemp -d "${TMPDIR:-/tmp}/libvigil-install-XXXXXX")
trap 'rm -rf "$prefix"' EXIT

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# The consumer answers with the interval it was given: header, library and environment have met.
expect_it_works() {
    answer=$(NOTIFY_SOCKET=@nobody-listens VIGIL_HEARTBEAT_INTERVAL_USEC=1234 "$@")
    [ "$answer" = 1234 ] || fail "$1 answered '$answer'"
}

for component in libvigil libvigil-dev; do
    cmake --install "$build" --prefix "$prefix" --component "$component" >"$prefix.log" 2>&1 ||
        fail "installation: $(cat "$prefix.log")"
done
rm -f "$prefix.log"
pc=$(find "$prefix" -name vigil.pc)
[ -n "$pc" ] || fail "vigil.pc is not installed"
PKG_CONFIG_PATH=$(dirname "$pc")
export PKG_CONFIG_PATH
library_dir=$(pkg-config --variable=libdir vigil)

case $way in
pkg-config)
    # shellcheck disable=SC2046,SC2086
    "$CC" $FLAGS "$source/consumer.c" $(pkg-config --cflags --libs vigil) -o "$prefix/consumer"
    expect_it_works env LD_LIBRARY_PATH="$library_dir" "$prefix/consumer"
    readelf -d "$prefix/consumer" | grep -q 'NEEDED.*\[libvigil\.so\.[0-9]*\]' || fail "the soname is not recorded"
    ;;
pkg-config-static)
    # shellcheck disable=SC2046,SC2086
    "$CC" $FLAGS "$source/consumer.c" $(pkg-config --cflags vigil) "$library_dir/libvigil.a" -o "$prefix/consumer"
    expect_it_works "$prefix/consumer"
    ;;
cmake)
    cmake -S "$source" -B "$prefix/consumer" -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_C_COMPILER="$CC" \
        -DCMAKE_CXX_COMPILER="$CXX" -DCMAKE_C_FLAGS="$FLAGS" -DCMAKE_CXX_FLAGS="$FLAGS" \
        -DVIGIL_VERSION="$(pkg-config --modversion vigil)" >/dev/null
    cmake --build "$prefix/consumer" >/dev/null
    for consumer in consumer-shared consumer-static consumer-cxx; do
        expect_it_works "$prefix/consumer/$consumer"
    done
    ;;
symbols)
    # What a program that links the library can collide with, or come to depend on.
    exported=$(nm -D --defined-only --without-symbol-versions "$library_dir/libvigil.so" |
        awk '$2 != "A" { print $3 }' | sort | tr '\n' ' ')
    wanted='vigil_beat vigil_close vigil_interval vigil_open vigil_ready vigil_status vigil_stopping '
    [ "$exported" = "$wanted" ] || fail "libvigil.so exports: $exported"
    ;;
*)
    fail "no such way: $way"
    ;;
esac
