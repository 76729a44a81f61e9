# The only floor that sees LLVM.
target_include_directories(act_llvm SYSTEM PUBLIC ${LLVM_INCLUDE_DIRS})
target_link_libraries(act_llvm PUBLIC LLVM)
