# What the documents show is what comes out.
find_package(Python3 COMPONENTS Interpreter)
if(TARGET actc AND Python3_FOUND)
  foreach(document README.md docs/ARCHITECTURE.md)
    get_filename_component(name ${document} NAME_WE)
    string(TOLOWER ${name} name)
    add_test(NAME docs.${name} COMMAND Python3::Interpreter -B ${CMAKE_CURRENT_SOURCE_DIR}/docs/readme.py
             --actc $<TARGET_FILE:actc> ${CMAKE_SOURCE_DIR}/${document})
    set_tests_properties(docs.${name} PROPERTIES LABELS e2e TIMEOUT 120)
  endforeach()
endif()
