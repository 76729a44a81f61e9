/* actc lsp: what editors talk to. */
#include "driver/command.h"
#include "lsp/server.h"

#include <unistd.h>

static int lsp_run(Arena *arena, Options *options)
{
    (void)arena;
    if (options->files.n)
        return usage_error(options, STR("the editor names the files"), STR("`actc lsp` takes none"));
    return server_run(STDIN_FILENO, stdout, &options->check, options->notes);
}

ACT_COMMAND(lsp) = {
    .name = "lsp",
    .usage = "lsp [options]",
    .summary = "the language server: diagnostics, shapes and completion in an editor",
    .doc =
        "Speaks the Language Server Protocol on standard input and output; an editor starts it. It shows diagnostics "
        "as "
        "you type with their fixes, the shape of every value, documentation, completion, definitions, and formats. "
        "editors/ has what Vim, Neovim and Visual Studio Code need to know. Exits with 0 when the editor shut it down.",
    .examples = "actc lsp\n"
                "actc lsp -A saturating_hidden         # rules as in `actc check`\n",
    .run = lsp_run,
};
