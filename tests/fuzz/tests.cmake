# Programs that throw damaged input at a part of the compiler: tests/fuzz/<name>.c is one program. CTest runs a short round;
# the long one is by hand, under the asan preset: check_mutate --count 200000 --seed 1 FILES…
function(act_fuzz name floor rounds)
  if(NOT TARGET act_${floor})
    return()
  endif()
  add_executable(${name} ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/${name}.c)
  target_link_libraries(${name} PRIVATE act_${floor})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  file(GLOB_RECURSE seeds CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/grammar/std/*.act ${CMAKE_SOURCE_DIR}/examples/*.act
    ${CMAKE_SOURCE_DIR}/tests/models/*.act ${CMAKE_SOURCE_DIR}/tests/golden/*.act ${CMAKE_SOURCE_DIR}/tests/unit/*.act)
  add_test(NAME fuzz.${name} COMMAND ${name} --count ${rounds} --seed 7 ${seeds})
  set_tests_properties(fuzz.${name} PROPERTIES LABELS fuzz)
endfunction()
act_fuzz(parse_mutate syntax 3000)
act_fuzz(check_mutate kernel 1500)
# Damaged checkpoints: the runtime alone. By hand: damaged_checkpoints --count 10000 --seed 1 examples/data
if(TARGET actrt)
  add_executable(damaged_checkpoints ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/damaged_checkpoints.c)
  target_link_libraries(damaged_checkpoints PRIVATE actrt act_options m)
  set_target_properties(damaged_checkpoints PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_test(NAME fuzz.damaged_checkpoints COMMAND damaged_checkpoints --count 1000 --seed 7 ${CMAKE_SOURCE_DIR}/examples/data)
  set_tests_properties(fuzz.damaged_checkpoints PROPERTIES LABELS fuzz)
endif()
