# Every file of examples/ is a test: it is clean, in canonical form, trains, and reaches what tests/examples/NAME.expect says.
find_package(Python3 COMPONENTS Interpreter)
if(TARGET actc AND Python3_FOUND)
  file(GLOB examples CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/examples/*.act)
  foreach(example ${examples})
    get_filename_component(name ${example} NAME_WE)
    add_test(NAME example.${name} COMMAND Python3::Interpreter -B ${CMAKE_CURRENT_SOURCE_DIR}/examples/example.py
             --actc $<TARGET_FILE:actc> ${example} ${CMAKE_CURRENT_SOURCE_DIR}/examples/${name}.expect)
    file(STRINGS ${CMAKE_CURRENT_SOURCE_DIR}/examples/${name}.expect slow REGEX "^slow ")
    set(labels e2e)
    if(slow)
      list(APPEND labels slow)
    endif()
    set_tests_properties(example.${name} PROPERTIES LABELS "${labels}" TIMEOUT 600 SKIP_RETURN_CODE 77)
  endforeach()
endif()

# The experiments train on Fashion-MNIST: by hand. That their networks are sound and written canonically is looked at every day.
if(TARGET actc AND Python3_FOUND)
  add_test(NAME example.experiments COMMAND Python3::Interpreter -B ${CMAKE_CURRENT_SOURCE_DIR}/examples/experiments.py --actc $<TARGET_FILE:actc> ${CMAKE_SOURCE_DIR}/examples/experiments)
  set_tests_properties(example.experiments PROPERTIES LABELS e2e SKIP_RETURN_CODE 77)
  add_test(NAME slow.experiments COMMAND Python3::Interpreter -B ${CMAKE_CURRENT_SOURCE_DIR}/examples/experiments.py --actc $<TARGET_FILE:actc> --all ${CMAKE_SOURCE_DIR}/examples/experiments)
  set_tests_properties(slow.experiments PROPERTIES LABELS slow TIMEOUT 1200 SKIP_RETURN_CODE 77)
endif()
