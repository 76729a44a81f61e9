# Writes FILES as rows EMBED("name.act", {bytes}) of a C table: cmake -DOUTPUT=… -DFILES=a;b -P embed.cmake
set(text "")
foreach(file ${FILES})
  get_filename_component(name ${file} NAME)
  file(READ ${file} hex HEX)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
  string(APPEND text "EMBED(\"${name}\", ${bytes} 0)\n")
endforeach()
file(WRITE ${OUTPUT} "${text}")
