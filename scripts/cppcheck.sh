#!/usr/bin/env bash
# cppcheck.sh: looks at every file of lib/ and daemon/ with cppcheck, as build/dev compiles it, and fails on any finding. What
# it said of a file is kept in build/cppcheck until the file, or a header of it, changes.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/setup.sh build analysis
[[ -f build/dev/compile_commands.json ]] || cmake --preset dev --log-level=NOTICE
mkdir -p build/cppcheck

# Errors, warnings and what is not portable. Not asked for: matters of style and speed, which it judges a line at a time.
#   returnDanglingLifetime  2.10 takes an element of a constant array for a local one where `a ? element : "text"` is
#                           returned as a view; gcc, clang and AddressSanitizer know the real ones
#   missingIncludeSystem    the headers of the system are not read
#   readdirCalled           readdir_r, which it wants, is deprecated since glibc 2.24; readdir is safe where each thread has a
#                           stream of its own (readdir(3))
#   invalidFunctionArg      a descriptor of -1 is what mmap(2) asks for with MAP_ANONYMOUS
#   throwInNoexceptFunction takes a handler that is set for one that is called
#   selfAssignment          takes the `.code = code` of a designated initialiser for an assignment
begin=$SECONDS
cppcheck --project=build/dev/compile_commands.json --file-filter='lib/*' --file-filter='daemon/*' \
         --std=c++20 --library=posix --enable=warning,portability --inline-suppr \
         --suppress=returnDanglingLifetime --suppress=missingIncludeSystem \
         --suppress=readdirCalled --suppress=invalidFunctionArg:lib/linux/spawn/spawn_call.cpp \
         --suppress=invalidFunctionArg:lib/linux/self/spare_memory.cpp \
         --suppress=throwInNoexceptFunction:lib/linux/self/spare_memory.cpp \
         --suppress=selfAssignment:daemon/upgrade/upgrader.cpp "-D__$(uname -m)__" \
         --cppcheck-build-dir=build/cppcheck -j "${JOBS:-$(nproc)}" --quiet --error-exitcode=1 \
         --template='{file}:{line}: {severity}: {message} [{id}]'
echo "cppcheck: no findings ($((SECONDS - begin)) s)"
