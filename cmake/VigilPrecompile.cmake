# vigil_precompile(TARGET SET): compiles the C++ files of TARGET with a precompiled set of headers, "layer" or "test".
#
# Only saves time: every file includes what it uses, and compiles without. A set is compiled once, by an owner of its own
# with the flags of those who use it (libraries are -fPIC, programs -fPIE); a target with other flags stays without.
set(VIGIL_PRECOMPILED_layer <algorithm> <array> <chrono> <cstdint> <cstring> <functional> <map> <memory> <optional> <span>
                            <string> <string_view> <unordered_map> <utility> <variant> <vector>)
set(VIGIL_PRECOMPILED_test <doctest/doctest.h> ${VIGIL_PRECOMPILED_layer})

function(vigil_precompile target set)
  if(NOT VIGIL_PRECOMPILE)
    return()
  endif()
  set(owner "vigil_precompiled_${set}")
  if(NOT TARGET ${owner})
    set(source "${PROJECT_BINARY_DIR}/${owner}.cpp")
    file(CONFIGURE OUTPUT "${source}" CONTENT "// Gives the headers a target that they belong to.\n")
    if(set STREQUAL "test")
      add_executable(${owner} "${source}")
      target_link_libraries(${owner} PRIVATE vigil_doctest_main)
    else()
      add_library(${owner} OBJECT "${source}")
    endif()
    target_link_libraries(${owner} PRIVATE vigil_options)
    target_precompile_headers(${owner} PRIVATE ${VIGIL_PRECOMPILED_${set}})
  endif()
  target_precompile_headers(${target} REUSE_FROM ${owner})
endfunction()
