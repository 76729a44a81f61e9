# Every ACT_LSP(name) of this folder, for lsp/registry.c.
act_registry(act_lsp ${CMAKE_CURRENT_SOURCE_DIR}/lsp ACT_LSP FEATURE
             ${CMAKE_CURRENT_BINARY_DIR}/lsp/feature_list.inc)
set_property(SOURCE lsp/server.c APPEND PROPERTY COMPILE_DEFINITIONS "ACT_VERSION=\"${PROJECT_VERSION}\"")
