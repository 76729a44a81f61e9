/* actc fmt: the canonical form of a file. */
#include "driver/diff.h"
#include "driver/session.h"

#include "base/file.h"
#include "syntax/parse.h"

/* EXIT_PROBLEMS when the file has a syntax error, or (--check, --diff) is not canonical. */
static int format_file(Session *s, Str path)
{
    const Options *options = s->options;
    const Source *source = session_read(s, path);
    if (!source)
        return EXIT_USAGE;
    uint32_t before = s->diags.list.n;
    Ast *file = parse_source(s->arena, &s->diags, source);
    for (uint32_t i = before; i < s->diags.list.n; i++)
        if (s->diags.list.at[i]->level == LEVEL_ERROR)
            return EXIT_PROBLEMS; /* reported at the end; the file stays as it is */
    Str text = format_source(s->arena, source, file);
    bool same = str_eq(text, source->text), stdio = str_is(path, "-");
    if (options->diff) {
        Text diff = {.arena = s->arena};
        diff_unified(&diff, source->path, source->text, text, options->colour == COLOUR_ALWAYS);
        int bad = print_text(options, text_str(&diff));
        return bad ? bad : same ? EXIT_CLEAN : EXIT_PROBLEMS;
    }
    if (options->check_only) {
        if (!same)
            printf(STR_FMT "\n", STR_ARG(source->path));
        return same ? EXIT_CLEAN : EXIT_PROBLEMS;
    }
    if (stdio) {
        return print_text(options, text);
    }
    Str why;
    if (!same && !file_write(s->arena, path, text.p, text.n, &why))
        return session_fail(s, EXIT_USAGE, why, (Str){0});
    return EXIT_CLEAN;
}

static int fmt_run(Arena *arena, Options *options)
{
    if (!options->files.n)
        return usage_error(options, STR("no file to format"), STR("actc fmt model.act, or `-` for standard input"));
    Session s;
    session_begin(&s, arena, options);
    int code = EXIT_CLEAN;
    for (uint32_t i = 0; i < options->files.n; i++) {
        int got = format_file(&s, options->files.at[i]);
        code = got > code ? got : code;
    }
    int found = session_report(&s);
    return code > found ? code : found;
}

ACT_COMMAND(fmt) = {
    .name = "fmt",
    .usage = "fmt [options] FILES…",
    .summary = "rewrite files in canonical form, comments kept",
    .doc = "Rewrites each file in place when it is not in canonical form already; a file with a syntax error stays as "
           "it is. "
           "`-` reads standard input and writes standard output.",
    .examples = "actc fmt model.act\n"
                "actc fmt --check models/*.act         # for a hook: exits with 1 when one is not canonical\n"
                "actc fmt --diff model.act\n"
                "actc fmt - < model.act\n",
    .run = fmt_run,
};
