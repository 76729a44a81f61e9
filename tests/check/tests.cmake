# What holds for all rules and all fixes: a new rule is tested here without a line added.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
if(TARGET actc)
  file(GLOB goldens CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/golden/check/*.act ${CMAKE_CURRENT_SOURCE_DIR}/golden/errors/*.act)
  add_test(NAME check.fixes COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_CURRENT_LIST_DIR}/fixes.py $<TARGET_FILE:actc> ${goldens})
  add_test(NAME check.rules COMMAND ${Python3_EXECUTABLE} -B ${CMAKE_CURRENT_LIST_DIR}/rules.py $<TARGET_FILE:actc>
           ${CMAKE_CURRENT_SOURCE_DIR}/golden/check)
  set_tests_properties(check.fixes check.rules PROPERTIES LABELS check TIMEOUT 900)
  set_tests_properties(check.fixes PROPERTIES PROCESSORS 2)
endif()
