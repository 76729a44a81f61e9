# Every ACT_CHECK(name) of this folder, for check/registry.c.
act_registry(act_check ${CMAKE_CURRENT_SOURCE_DIR}/check ACT_CHECK CHECK ${CMAKE_CURRENT_BINARY_DIR}/check/check_list.inc)
