# What the documents show is what comes out.
find_package(Python3 COMPONENTS Interpreter)
if(TARGET actc AND Python3_FOUND)
  add_test(NAME docs.readme COMMAND Python3::Interpreter -B ${CMAKE_CURRENT_SOURCE_DIR}/docs/readme.py
           --actc $<TARGET_FILE:actc> ${CMAKE_SOURCE_DIR}/README.md)
  set_tests_properties(docs.readme PROPERTIES LABELS e2e TIMEOUT 120)
endif()
