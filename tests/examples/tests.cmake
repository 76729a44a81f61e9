# Every file of examples/ is a test: it is clean, in canonical form, trains, and reaches what tests/examples/NAME.expect says.
find_package(Python3 COMPONENTS Interpreter)
if(TARGET actc AND Python3_FOUND)
  file(GLOB examples CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/examples/*.act)
  foreach(example ${examples})
    get_filename_component(name ${example} NAME_WE)
    add_test(NAME example.${name} COMMAND Python3::Interpreter -B ${CMAKE_CURRENT_SOURCE_DIR}/examples/example.py
             --actc $<TARGET_FILE:actc> ${example} ${CMAKE_CURRENT_SOURCE_DIR}/examples/${name}.expect)
    set_tests_properties(example.${name} PROPERTIES LABELS e2e TIMEOUT 600 SKIP_RETURN_CODE 77)
  endforeach()
endif()
