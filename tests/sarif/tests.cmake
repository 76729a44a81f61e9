# SARIF documents of the golden files, against a JSON schema.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
if(TARGET actc)
  file(GLOB goldens CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/golden/check/*.act ${CMAKE_CURRENT_SOURCE_DIR}/golden/errors/*.act)
  add_test(NAME sarif.documents COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_CURRENT_LIST_DIR}/sarif.py $<TARGET_FILE:actc> ${goldens})
  set_tests_properties(sarif.documents PROPERTIES LABELS sarif TIMEOUT 300)
endif()
