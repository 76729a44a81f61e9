# Warnings and sanitizers for every target of the project: link to act_options.
add_library(act_options INTERFACE)
target_compile_definitions(act_options INTERFACE _XOPEN_SOURCE=700)
target_compile_options(act_options INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings -Wundef -Wvla
  -Wformat=2 -Wimplicit-fallthrough -Wno-sign-conversion
  $<$<BOOL:${ACT_WERROR}>:-Werror> -ffp-contract=off)
if(ACT_SANITIZE)
  target_compile_options(act_options INTERFACE -fsanitize=${ACT_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(act_options INTERFACE -fsanitize=${ACT_SANITIZE})
endif()
