# Programs that throw damaged input at a part of the compiler: tests/fuzz/<name>.c is one program. CTest runs a short round;
# the long one is by hand, under the asan preset: parse_mutate --count 200000 --seed 1 FILES…
if(TARGET act_syntax)
  add_executable(parse_mutate ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/parse_mutate.c)
  target_link_libraries(parse_mutate PRIVATE act_syntax)
  set_target_properties(parse_mutate PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  file(GLOB seeds CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/grammar/std/*.act ${CMAKE_SOURCE_DIR}/examples/*.act
    ${CMAKE_SOURCE_DIR}/tests/unit/syntax/*.act)
  add_test(NAME fuzz.parse_mutate COMMAND parse_mutate --count 3000 --seed 7 ${seeds})
  set_tests_properties(fuzz.parse_mutate PROPERTIES LABELS fuzz)
endif()
