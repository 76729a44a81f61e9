# Faults of the system, one at a time: tests/fault/fault.c is loaded before the C library. Not under sanitizers, which want to be first.
if(TARGET actc AND NOT ACT_SANITIZE)
  add_library(act_fault MODULE ${CMAKE_CURRENT_LIST_DIR}/fault.c)
  target_link_libraries(act_fault PRIVATE act_options ${CMAKE_DL_LIBS})
  set_target_properties(act_fault PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_test(NAME e2e.faults COMMAND python3 -B ${CMAKE_CURRENT_LIST_DIR}/faults.py --actc $<TARGET_FILE:actc> --fault $<TARGET_FILE:act_fault>)
  set_tests_properties(e2e.faults PROPERTIES LABELS e2e TIMEOUT 300)
endif()
