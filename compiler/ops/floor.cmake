# Ops and layers register themselves: every `ACT_OP(name)` and `ACT_LAYER(name)` that begins a line in this folder.
act_registry(act_ops ${CMAKE_CURRENT_SOURCE_DIR}/ops ACT_OP OP ${CMAKE_CURRENT_BINARY_DIR}/ops/op_list.inc)
act_registry(act_ops ${CMAKE_CURRENT_SOURCE_DIR}/ops ACT_LAYER LAYER ${CMAKE_CURRENT_BINARY_DIR}/ops/layer_list.inc)
