# vigil_layer(NAME [SOURCES file...] [USES layer...] [LINKS target...])
#
# Declares lib/NAME as the static library vigil_NAME (alias vigil::NAME). Its headers are
# included as "NAME/file.hpp", through an include directory that holds this one layer, so a
# target sees the layers it links and no other: the order of the layers is checked by the
# compiler at every include.
function(vigil_layer name)
  cmake_parse_arguments(ARG "" "" "SOURCES;USES;LINKS" ${ARGN})
  set(root "${PROJECT_BINARY_DIR}/include/${name}")
  file(MAKE_DIRECTORY "${root}")
  file(CREATE_LINK "${CMAKE_CURRENT_SOURCE_DIR}" "${root}/${name}" SYMBOLIC)

  list(TRANSFORM ARG_USES PREPEND "vigil::")
  if(ARG_SOURCES)
    add_library(vigil_${name} STATIC ${ARG_SOURCES})
    target_include_directories(vigil_${name} PUBLIC "$<BUILD_INTERFACE:${root}>")
    target_link_libraries(vigil_${name} PUBLIC ${ARG_USES} PRIVATE ${ARG_LINKS} vigil_options)
    vigil_precompile(vigil_${name} layer)
  else()
    add_library(vigil_${name} INTERFACE)
    target_include_directories(vigil_${name} INTERFACE "$<BUILD_INTERFACE:${root}>")
    target_link_libraries(vigil_${name} INTERFACE ${ARG_USES} ${ARG_LINKS})
  endif()
  add_library(vigil::${name} ALIAS vigil_${name})
endfunction()
