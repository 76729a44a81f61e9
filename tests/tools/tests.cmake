# Rules about the sources themselves: floors, headers, sizes; and the tests of these tools.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
set(tools ${CMAKE_CURRENT_SOURCE_DIR}/tools)
set(py ${Python3_EXECUTABLE} -B) # no __pycache__ in the source tree

add_test(NAME tools.layers COMMAND ${py} ${tools}/layers.py ${CMAKE_SOURCE_DIR})
add_test(NAME tools.sizes COMMAND ${py} ${tools}/sizes.py ${CMAKE_SOURCE_DIR})
add_test(NAME tools.headers COMMAND ${py} ${tools}/headers.py --cc ${CMAKE_C_COMPILER}
  -I ${CMAKE_SOURCE_DIR}/compiler -I ${CMAKE_BINARY_DIR}/compiler -I ${CMAKE_SOURCE_DIR}/runtime/include
  -I ${CMAKE_SOURCE_DIR}/runtime -I ${LLVM_INCLUDE_DIRS} --cflag=-D_XOPEN_SOURCE=700
  ${CMAKE_SOURCE_DIR}/compiler ${CMAKE_SOURCE_DIR}/runtime)
add_test(NAME tools.notice COMMAND ${py} ${tools}/tools_test.py ${CMAKE_C_COMPILER})
set_tests_properties(tools.layers tools.sizes tools.headers tools.notice PROPERTIES LABELS tools)
