# The scanner and the parser, from grammar/. A warning of bison is an error: the grammar has no conflict to explain away.
file(MAKE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/syntax)
flex_target(act_lex ${CMAKE_SOURCE_DIR}/grammar/act.l ${CMAKE_CURRENT_BINARY_DIR}/syntax/act_lex.c
  DEFINES_FILE ${CMAKE_CURRENT_BINARY_DIR}/syntax/act_lex.h)
bison_target(act_parse ${CMAKE_SOURCE_DIR}/grammar/act.y ${CMAKE_CURRENT_BINARY_DIR}/syntax/act_parse.c
  DEFINES_FILE ${CMAKE_CURRENT_BINARY_DIR}/syntax/act_parse.h
  COMPILE_FLAGS "-Wall -Wcounterexamples -Werror")
add_flex_bison_dependency(act_lex act_parse)
target_sources(act_syntax PRIVATE ${FLEX_act_lex_OUTPUTS} ${BISON_act_parse_OUTPUTS}
  ${CMAKE_CURRENT_BINARY_DIR}/syntax/act_lex.h ${CMAKE_CURRENT_BINARY_DIR}/syntax/act_parse.h)
set_source_files_properties(${FLEX_act_lex_OUTPUTS} PROPERTIES COMPILE_OPTIONS "-w")
