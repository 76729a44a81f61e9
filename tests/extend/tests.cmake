# New files in a copy of the tree, built there: takes a minute or two.
find_package(Python3 COMPONENTS Interpreter)
if(TARGET actc AND TARGET actrt AND Python3_FOUND AND NOT ACT_SANITIZE)
  set(folder ${CMAKE_BINARY_DIR}/extend)
  file(MAKE_DIRECTORY ${folder})
  add_test(NAME e2e.extend COMMAND Python3::Interpreter -B ${CMAKE_CURRENT_SOURCE_DIR}/extend/extend.py
           ${CMAKE_COMMAND} ${CMAKE_SOURCE_DIR} -DCMAKE_C_COMPILER=${CMAKE_C_COMPILER} -DLLVM_DIR=${LLVM_DIR}
           WORKING_DIRECTORY ${folder})
  # Alone: it builds with every core, and the time limits of the others are for themselves.
  set_tests_properties(e2e.extend PROPERTIES LABELS e2e TIMEOUT 900 PROCESSORS 2)
endif()
