# JSON is read with cJSON (by the driver and the tests); diagnostics are written by hand, byte for byte.
target_link_libraries(act_base PUBLIC ${CJSON_LIBRARY})
