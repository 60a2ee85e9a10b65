# Build options shared by every target of this project.
option(VIGIL_TESTS "Build the tests" ON)
option(VIGIL_EXAMPLES "Build the example workers" ON)
option(VIGIL_BENCH "Build the measurements of speed" OFF)
option(VIGIL_WERROR "Treat warnings as errors" ON)
option(VIGIL_COVERAGE "Instrument for gcov" OFF)
option(VIGIL_FUZZ "Build the libFuzzer targets (clang only)" OFF)
option(VIGIL_TIDY "Run clang-tidy while compiling" OFF)
set(VIGIL_SANITIZE "" CACHE STRING "Sanitizers to build with: address,undefined or thread")

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Build type" FORCE)
endif()

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

# A cold build is a third quicker with the common headers precompiled, a repeated one with ccache, which cannot share what
# was compiled with them. So: ccache where a developer has it or the compiler is not gcc, precompiled headers elsewhere and where $CI is set.
find_program(VIGIL_CCACHE ccache)
mark_as_advanced(VIGIL_CCACHE)
set(precompile ON)
if(VIGIL_TIDY OR NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU" OR (VIGIL_CCACHE AND NOT DEFINED ENV{CI}))
  set(precompile OFF)
endif()
option(VIGIL_PRECOMPILE "Precompile the common headers, without ccache" ${precompile})
if(VIGIL_CCACHE AND NOT VIGIL_PRECOMPILE)
  set(CMAKE_C_COMPILER_LAUNCHER "${VIGIL_CCACHE}")
  set(CMAKE_CXX_COMPILER_LAUNCHER "${VIGIL_CCACHE}")
endif()

add_library(vigil_options INTERFACE)
target_compile_definitions(vigil_options INTERFACE _GNU_SOURCE)
target_compile_options(vigil_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wvla
  $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor -Woverloaded-virtual -Wold-style-cast>)
# gcc 12 sees overlaps in the inlined copies of std::string where there are none, from -O2 on
# (https://gcc.gnu.org/bugzilla/show_bug.cgi?id=105651, mended in 13).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(vigil_options INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-restrict>)
endif()
if(VIGIL_WERROR)
  target_compile_options(vigil_options INTERFACE -Werror)
endif()
if(VIGIL_SANITIZE)
  target_compile_options(vigil_options INTERFACE -fsanitize=${VIGIL_SANITIZE} -fno-omit-frame-pointer
                                                 -fno-sanitize-recover=all)
  target_link_options(vigil_options INTERFACE -fsanitize=${VIGIL_SANITIZE})
endif()
if(VIGIL_FUZZ)
  # Every layer tells the fuzzer which of its branches an input has reached; without it only the target's own file does.
  target_compile_options(vigil_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(VIGIL_COVERAGE)
  target_compile_options(vigil_options INTERFACE --coverage -O0)
  target_link_options(vigil_options INTERFACE --coverage)
endif()
if(VIGIL_TIDY)
  find_program(VIGIL_CLANG_TIDY clang-tidy REQUIRED)
  set(CMAKE_CXX_CLANG_TIDY "${VIGIL_CLANG_TIDY};--quiet")
endif()
