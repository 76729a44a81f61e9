# Threads and processors: the same bytes from any number of threads, the same training on AVX-512, AVX2 and SSE2.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
if(TARGET actc AND TARGET actrt AND NOT ACT_SANITIZE)
  set(threads ${Python3_EXECUTABLE} -B ${CMAKE_CURRENT_LIST_DIR}/threads.py --actc $<TARGET_FILE:actc> --cc ${CMAKE_C_COMPILER}
    --runtime $<TARGET_FILE:actrt> --include ${CMAKE_SOURCE_DIR}/runtime/include)
  file(GLOB models CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/models/*.act)
  file(GLOB bench CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/bench/models/b[1-5].act ${CMAKE_SOURCE_DIR}/bench/models/b2_*.act)
  set(small ${bench})
  list(FILTER small EXCLUDE REGEX "/b4.act$") # a hundred megabytes of weights: once is enough
  set(cpus --cpu native)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    list(APPEND cpus --cpu haswell --cpu x86-64)
  endif()
  add_test(NAME threads.models COMMAND ${threads} ${cpus} ${models})
  add_test(NAME threads.bench COMMAND ${threads} ${cpus} ${small})
  add_test(NAME threads.odd_batch COMMAND ${threads} --batch 37 ${small})
  add_test(NAME threads.large COMMAND ${threads} --batch 16 ${CMAKE_SOURCE_DIR}/bench/models/b4.act)
  set_tests_properties(threads.models threads.bench threads.odd_batch threads.large PROPERTIES LABELS e2e TIMEOUT 300)
endif()
