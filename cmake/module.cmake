# SPDX-License-Identifier: GPL-3.0-or-later
# ergon_module(NAME SOURCES... LINK TARGETS...): one room of the house.
# Object libraries, because a static library would silently drop objects that register themselves; whoever links
# ergon::all gets every object of every room.
function(ergon_module name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_library(ergon_${name} OBJECT ${ARG_SOURCES})
  target_include_directories(ergon_${name} PUBLIC ${CMAKE_CURRENT_SOURCE_DIR}/include PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  target_link_libraries(ergon_${name} PUBLIC ${ARG_LINK} PRIVATE ergon_options)
endfunction()
