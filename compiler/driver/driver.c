#include "driver/driver.h"

#include "driver/command.h"

#include <stdio.h>

int driver_main(int argc, char **argv)
{
    Arena *arena = arena_new();
    Options options;
    int code = options_parse(arena, argc, argv, &options);
    Text text = {.arena = arena};
    /* Help is given even when the rest of the line is wrong. */
    if (options.help || (!code && argc < 2)) {
        bool own = options.command && !str_is(str_of(options.command->name), "compile");
        options_help(own ? options.command : NULL, &text);
        int printed = print_text(&options, text_str(&text));
        code = options.help ? printed : EXIT_USAGE;
    } else if (options.version) {
        text_printf(&text, "actc %s (LLVM %s)\n", ACT_VERSION, ACT_LLVM_VERSION);
        code = print_text(&options, text_str(&text));
    } else if (!code)
        code = options.command->run(arena, &options);
    arena_free(arena);
    return code;
}
