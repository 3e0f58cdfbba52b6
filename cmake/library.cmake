# SPDX-License-Identifier: GPL-3.0-or-later
# Two libraries for other people's programs. libergon_kernels (Apache-2.0) holds base without its YAML reader and the
# golden kernels, and needs libc and libm alone; libergon (GPL) holds every room. Both export erg_* only
# (libergon sc_main as well), and every symbol must be found when they are linked.
function(ergon_shared name exports)
  set_target_properties(${name} PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib LINK_DEPENDS ${exports})
  target_link_options(${name} PRIVATE -Wl,--version-script=${exports})
  if(NOT ERGON_SANITIZE) # the sanitizers' own symbols come with the program
    target_link_options(${name} PRIVATE -Wl,--no-undefined)
  endif()
  install(TARGETS ${name} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
endfunction()

file(GLOB base_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/base/*.c)
list(FILTER base_sources EXCLUDE REGEX "/(yaml_[a-z]+|number)\\.c$") # what yaml.h declares
add_library(ergon_kernels_shared SHARED ${base_sources} $<TARGET_OBJECTS:ergon_kernels>)
target_include_directories(ergon_kernels_shared PRIVATE ${CMAKE_SOURCE_DIR}/base/include)
target_link_libraries(ergon_kernels_shared PRIVATE ergon_options m)
set_target_properties(ergon_kernels_shared PROPERTIES OUTPUT_NAME ergon_kernels)
ergon_shared(ergon_kernels_shared ${CMAKE_SOURCE_DIR}/kernels/exports.map)

file(WRITE ${CMAKE_BINARY_DIR}/empty.cpp "")
add_library(ergon_shared SHARED ${CMAKE_BINARY_DIR}/empty.cpp)
target_link_libraries(ergon_shared PRIVATE ergon_all)
set_target_properties(ergon_shared PROPERTIES OUTPUT_NAME ergon)
ergon_shared(ergon_shared ${CMAKE_SOURCE_DIR}/sim/exports.map)

# pkg-config files find their own folder, so that an installed tree can be moved.
file(RELATIVE_PATH to_prefix "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
string(REGEX REPLACE "/$" "" to_prefix "${to_prefix}")
foreach(name ergon ergon-kernels)
  configure_file(${CMAKE_SOURCE_DIR}/cmake/${name}.pc.in ${CMAKE_BINARY_DIR}/pkgconfig/${name}.pc @ONLY)
  install(FILES ${CMAKE_BINARY_DIR}/pkgconfig/${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()
foreach(room base kernels workloads energy rtl/shim sim quant sweep plots)
  install(DIRECTORY ${CMAKE_SOURCE_DIR}/${room}/include/ergon DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
endforeach()
install(DIRECTORY ${CMAKE_SOURCE_DIR}/rtl/dpi DESTINATION ${CMAKE_INSTALL_DATADIR}/ergon/rtl)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/examples/dpi ${CMAKE_SOURCE_DIR}/examples/dut DESTINATION ${CMAKE_INSTALL_DATADIR}/ergon/examples USE_SOURCE_PERMISSIONS)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/LICENSES DESTINATION ${CMAKE_INSTALL_DOCDIR})
# The C side of the DPI package is handed out as source; here it is held to the warnings of the house.
add_library(ergon_dpi OBJECT ${CMAKE_SOURCE_DIR}/rtl/dpi/ergon_dpi.c)
target_include_directories(ergon_dpi PRIVATE ${VERILATOR_ROOT}/include/vltstd)
target_link_libraries(ergon_dpi PRIVATE ergon_kernels ergon_options)
