# act_registry(TARGET FOLDER PATTERN MACRO OUTPUT): writes OUTPUT with one line MACRO(name) for every file of FOLDER that
# matches PATTERN and contains the text `MACRO_DEF(name`, sorted by name. Including it twice (declarations, then a table) registers
# every file without a list to edit. Files are found anew at every build.
function(act_registry target folder define macro output)
  file(GLOB files CONFIGURE_DEPENDS ${folder}/*.c)
  set(lines "")
  foreach(file ${files})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    file(STRINGS ${file} found REGEX "^${define}\\([a-z0-9_]+\\)")
    foreach(line ${found})
      string(REGEX REPLACE "^${define}\\(([a-z0-9_]+)\\).*" "\\1" name "${line}")
      list(APPEND lines "${macro}(${name})")
    endforeach()
  endforeach()
  list(REMOVE_DUPLICATES lines)
  list(SORT lines)
  string(JOIN "\n" text ${lines})
  file(GENERATE OUTPUT ${output} CONTENT "${text}\n")
endfunction()

# act_embed(OUTPUT FOLDER PATTERN): every matching file as a C string in `OUTPUT`: EMBED("relative/name", "text…").
function(act_embed output folder)
  file(GLOB files RELATIVE ${folder} CONFIGURE_DEPENDS ${folder}/*.act)
  list(SORT files)
  set(paths "")
  foreach(file ${files})
    list(APPEND paths ${folder}/${file})
  endforeach()
  add_custom_command(OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -DOUTPUT=${output} "-DFILES=${paths}" -P ${CMAKE_SOURCE_DIR}/cmake/embed.cmake
    DEPENDS ${paths} ${CMAKE_SOURCE_DIR}/cmake/embed.cmake VERBATIM)
endfunction()
