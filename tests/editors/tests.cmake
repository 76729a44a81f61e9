# The grammars of the editors know the language.
find_package(Python3 COMPONENTS Interpreter)
if(TARGET actc AND Python3_FOUND)
  add_test(NAME editors COMMAND Python3::Interpreter -B ${CMAKE_CURRENT_SOURCE_DIR}/editors/editors.py --actc $<TARGET_FILE:actc>
           --source ${CMAKE_SOURCE_DIR})
  set_tests_properties(editors PROPERTIES LABELS tools TIMEOUT 120)
endif()
