# vigil_doctest(NAME SOURCES file... LINKS target... [LABELS label...])
#
# One doctest program; every test case in it is a ctest entry of its own, named NAME/case.
find_package(doctest REQUIRED)
include(doctest)

function(vigil_doctest name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS;LABELS" ${ARGN})
  add_executable(${name} "${PROJECT_SOURCE_DIR}/tests/doctest_main.cpp" ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}/tests")
  target_link_libraries(${name} PRIVATE ${ARG_LINKS} doctest::doctest vigil_options)
  doctest_discover_tests(${name} TEST_PREFIX "${name}/" PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT 120)
endfunction()
