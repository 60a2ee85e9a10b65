# vigil_doctest(NAME SOURCES file... LINKS target... [LABELS label...])
#
# One doctest program; every test case in it is a ctest entry of its own, named NAME/case.
find_package(doctest REQUIRED)
include(doctest)

# The one main(), compiled once: it is the slowest file of every test program.
add_library(vigil_doctest_main STATIC "${PROJECT_SOURCE_DIR}/tests/doctest_main.cpp")
target_link_libraries(vigil_doctest_main PUBLIC doctest::doctest PRIVATE vigil_options)
# One function call for an assertion instead of its code in place: a quarter less time to compile the tests.
target_compile_definitions(vigil_doctest_main PUBLIC DOCTEST_CONFIG_SUPER_FAST_ASSERTS)

function(vigil_doctest name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS;LABELS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}/tests")
  target_link_libraries(${name} PRIVATE ${ARG_LINKS} vigil_doctest_main vigil_options)
  vigil_precompile(${name} test)
  set(timeout 120)
  if(VIGIL_SANITIZE)
    set(timeout 360)
  endif()
  doctest_discover_tests(${name} TEST_PREFIX "${name}/" PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${timeout})
endfunction()
