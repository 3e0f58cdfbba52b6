# SPDX-License-Identifier: GPL-3.0-or-later
# The bench of the dynamic norms, Verilated twice (8 and 16 bits), each as one source that includes all.
set(norm_modules ergon_pkg ergon_norm_gather ergon_norm_scale ergon_norm ergon_gate ergon_norm_unit)
list(TRANSFORM norm_modules PREPEND ${PROJECT_SOURCE_DIR}/rtl/)
list(TRANSFORM norm_modules APPEND .sv)
find_program(ERGON_VERILATOR verilator REQUIRED HINTS $ENV{VERILATOR_ROOT}/bin)
function(norm_bench prefix)
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/${prefix})
  add_custom_command(OUTPUT ${folder}/whole.cpp ${folder}/${prefix}.h
    COMMAND ${ERGON_VERILATOR} --cc -O3 --x-assign fast --x-initial fast --noassert -Wno-lint -Wno-fatal
      --prefix ${prefix} --top-module ergon_norm_unit --Mdir ${folder} ${ARGN} ${norm_modules}
    COMMAND sh -c "cd ${prefix} && ls ${prefix}*.cpp | sed 's/.*/#include \"&\"/' >whole.cpp"
    WORKING_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR} DEPENDS ${norm_modules} VERBATIM)
  set_source_files_properties(${folder}/whole.cpp PROPERTIES COMPILE_OPTIONS "-w")
  target_sources(norm_rtl_test PRIVATE ${folder}/whole.cpp)
  target_include_directories(norm_rtl_test SYSTEM PRIVATE ${folder})
endfunction()
ergon_test(NAME norm_rtl_test SOURCES norm_rtl_test.cpp LABELS cosim TIMEOUT 300)
target_include_directories(norm_rtl_test SYSTEM PRIVATE ${VERILATOR_ROOT}/include ${VERILATOR_ROOT}/include/vltstd)
target_include_directories(norm_rtl_test PRIVATE ${PROJECT_SOURCE_DIR}/rtl/shim)
target_compile_definitions(norm_rtl_test PRIVATE VERILATOR=1 VM_COVERAGE=0 VM_SC=0 VM_TRACE=0)
target_link_libraries(norm_rtl_test PRIVATE ergon_vlrt)
norm_bench(Vnorm8 -GCOLS=4 -GCODE_BITS=8 -GCOUNT_BITS=16 -GDEPTH=64)
norm_bench(Vnorm16 -GCOLS=3 -GCODE_BITS=16 -GCOUNT_BITS=20 -GDEPTH=8)
