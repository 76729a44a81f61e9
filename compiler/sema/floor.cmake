# The standard library's text, and the names of the readers and metrics that the runtime has.
set(std_files ${CMAKE_CURRENT_BINARY_DIR}/sema/std_files.inc)
act_embed(${std_files} ${CMAKE_SOURCE_DIR}/grammar/std)
target_sources(act_sema PRIVATE ${std_files})
act_registry(act_sema ${CMAKE_SOURCE_DIR}/runtime/host/readers ACT_READER READER ${CMAKE_CURRENT_BINARY_DIR}/sema/readers.inc)
act_registry(act_sema ${CMAKE_SOURCE_DIR}/runtime/host/metrics ACT_METRIC METRIC ${CMAKE_CURRENT_BINARY_DIR}/sema/metrics.inc)
