# Commands register themselves: every `ACT_COMMAND(name)` that begins a line in this folder.
act_registry(act_driver ${CMAKE_CURRENT_SOURCE_DIR}/driver ACT_COMMAND COMMAND
             ${CMAKE_CURRENT_BINARY_DIR}/driver/command_list.inc)
# What an executable is linked with besides libactrt.a; the same as actc itself.
set(link_flags "-lcjson -lz -lpthread -lm")
if(ACT_SANITIZE)
  string(APPEND link_flags " -fsanitize=${ACT_SANITIZE}")
endif()
set_property(SOURCE driver/link.c APPEND PROPERTY COMPILE_DEFINITIONS "ACT_LINK_FLAGS=\"${link_flags}\"")
set_property(SOURCE driver/driver.c APPEND PROPERTY COMPILE_DEFINITIONS "ACT_VERSION=\"${PROJECT_VERSION}\""
                                                                        "ACT_LLVM_VERSION=\"${LLVM_PACKAGE_VERSION}\"")
# Where findings say they come from; a distributor may give a web page.
set(ACT_HOMEPAGE "urn:actc:compiler" CACHE STRING "informationUri in SARIF documents")
set_property(SOURCE driver/sarif_rules.c APPEND PROPERTY COMPILE_DEFINITIONS "ACT_VERSION=\"${PROJECT_VERSION}\""
                                                                             "ACT_HOMEPAGE=\"${ACT_HOMEPAGE}\"")
# `actc run` is the training program with the model linked into this process.
if(TARGET actrt)
  target_link_libraries(act_driver PUBLIC actimages actrt)
  set_target_properties(actrt PROPERTIES POSITION_INDEPENDENT_CODE ON) # a part of every .so made by actc
endif()
if(TARGET actcore)
  set_target_properties(actcore PROPERTIES POSITION_INDEPENDENT_CODE ON)
endif()
