# The language server, driven by a client in Python: every test_*.py here is a test.
find_package(Python3 COMPONENTS Interpreter)
if(TARGET actc AND Python3_FOUND)
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/test_*.py)
  foreach(file ${files})
    get_filename_component(name ${file} NAME_WE)
    string(REPLACE "test_" "" name ${name})
    add_test(NAME e2e.lsp.${name} COMMAND Python3::Interpreter -B ${file})
    set_tests_properties(e2e.lsp.${name} PROPERTIES LABELS e2e TIMEOUT 300 ENVIRONMENT
      "ACTC=$<TARGET_FILE:actc>;SOURCE=${CMAKE_SOURCE_DIR}")
  endforeach()
endif()
