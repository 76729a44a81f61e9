# End to end: every *.sh here is a test. It runs in a directory of its own, with
#   ACTC       the compiler            SOURCE   the top of the sources
#   RUNTIME    libactrt.a              CORE     libactcore.a: what a generated object may call
#   CC         the C compiler          INCLUDE  act/abi.h is below it
if(TARGET actc AND TARGET actrt AND TARGET actcore)
  set(link_flags "")
  if(ACT_SANITIZE)
    set(link_flags "-fsanitize=${ACT_SANITIZE}") # the runtime's archives want it
  endif()
  file(GLOB scripts CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/e2e/*.sh)
  foreach(script ${scripts})
    get_filename_component(name ${script} NAME_WE)
    set(folder ${CMAKE_BINARY_DIR}/e2e/${name})
    file(MAKE_DIRECTORY ${folder})
    add_test(NAME e2e.${name} COMMAND sh -eu ${script} WORKING_DIRECTORY ${folder})
    set_tests_properties(e2e.${name} PROPERTIES LABELS e2e TIMEOUT 300 ENVIRONMENT
      "ACTC=$<TARGET_FILE:actc>;SOURCE=${CMAKE_SOURCE_DIR};RUNTIME=$<TARGET_FILE:actrt>;CORE=$<TARGET_FILE:actcore>;CC=${CMAKE_C_COMPILER};INCLUDE=${CMAKE_SOURCE_DIR}/runtime/include;LINK_FLAGS=${link_flags}")
  endforeach()
endif()
include(${CMAKE_CURRENT_LIST_DIR}/lsp/tests.cmake)
