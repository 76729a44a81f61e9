# Mistakes do not hide each other: many golden cases in one file.
find_package(Python3 COMPONENTS Interpreter)
if(TARGET actc AND Python3_FOUND)
  add_test(NAME e2e.mixed COMMAND Python3::Interpreter -B ${CMAKE_CURRENT_SOURCE_DIR}/mixed/mixed.py
           --actc $<TARGET_FILE:actc> ${CMAKE_CURRENT_SOURCE_DIR}/golden)
  set_tests_properties(e2e.mixed PROPERTIES LABELS e2e TIMEOUT 300)
endif()
