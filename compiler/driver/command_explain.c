/* actc explain: the page of a rule or a definition. */
#include "driver/session.h"

/* A file among the arguments gives its own definitions. */
static bool is_file(Str word) { return word.n > 4 && str_eq((Str){word.p + word.n - 4, 4}, STR(".act")); }

static int explain_run(Arena *arena, Options *options)
{
    Session s;
    session_begin(&s, arena, options);
    Program *program = NULL;
    for (uint32_t i = 0; i < options->files.n && !program; i++)
        if (is_file(options->files.at[i])) {
            const Source *source = session_read(&s, options->files.at[i]);
            if (!source)
                return EXIT_USAGE;
            program = session_program(&s, source);
            if (session_stops(&s))
                return session_report(&s);
        }
    if (!program)
        program = sema_library(arena, &s.sources, &s.diags);
    Text text = {.arena = arena};
    unsigned pages = 0;
    for (uint32_t i = 0; i < options->files.n; i++) {
        Str why = {0};
        if (is_file(options->files.at[i]))
            continue;
        if (pages++)
            text_putc(&text, '\n');
        if (!check_explain(program, options->files.at[i], &text, &why))
            return session_fail(&s, EXIT_USAGE, why,
                                STR("`actc list rules`, `actc list activations` … list what has a page"));
    }
    if (!pages)
        return usage_error(options, STR("nothing to explain"), STR("actc explain relu, actc explain ACT201"));
    return print_text(options, text_str(&text));
}

ACT_COMMAND(explain) = {
    .name = "explain",
    .usage = "explain [FILE.act] NAME…",
    .summary = "the page of a rule, activation, loss, initializer, layer, optimizer …",
    .doc =
        "Prints what a rule means, with the reasoning and a network that breaks it, or what a definition computes: its "
        "formula, derivative, range, gain and cost. With a file, its own definitions have pages too.",
    .examples = "actc explain ACT201\n"
                "actc explain relu\n"
                "actc explain kaiming_normal linear\n"
                "actc explain model.act my_activation\n",
    .run = explain_run,
};
