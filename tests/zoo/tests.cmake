# Every file of examples/zoo is a network that people know and train as it stands: a rule that accuses one is wrong.
find_package(Python3 COMPONENTS Interpreter)
if(TARGET actc AND Python3_FOUND)
  file(GLOB networks CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/examples/zoo/*.act)
  foreach(network ${networks})
    get_filename_component(name ${network} NAME_WE)
    add_test(NAME zoo.${name} COMMAND Python3::Interpreter -B ${CMAKE_CURRENT_SOURCE_DIR}/zoo/zoo.py
             --actc $<TARGET_FILE:actc> ${network})
    set_tests_properties(zoo.${name} PROPERTIES LABELS zoo TIMEOUT 400)
  endforeach()
endif()
