/* actc check: what is wrong, and on demand repaired. */
#include "driver/diff.h"
#include "driver/fix.h"
#include "driver/session.h"

#include "base/file.h"

#include <unistd.h>

enum { FIX_ROUNDS = 10 /* a fix may uncover the next */ };

static bool blank(Str text)
{
    for (uint32_t i = 0; i < text.n; i++)
        if (text.p[i] != ' ' && text.p[i] != '\n' && text.p[i] != '\t' && text.p[i] != '\r')
            return false;
    return true;
}

/* The text of the file once all fixes are in it; `first` is as it stands. */
static Str fixed_text(Session *s, Str path, Str first, unsigned *applied)
{
    Str text = first;
    for (unsigned round = 0; round < FIX_ROUNDS; round++) {
        Session trial;
        session_begin(&trial, s->arena, s->options);
        const Source *source = source_add(&trial.sources, path, text, false);
        session_program(&trial, source);
        diag_sort(&trial.diags);
        unsigned more = 0;
        text = fix_apply(s->arena, &trial.diags, source, s->options->unsafe_fixes, &more);
        *applied += more;
        if (!more)
            break;
    }
    return text;
}

/* --fix and --diff. Returns the source to check in the end, or NULL after a message. */
static const Source *fix_source(Session *s, const Source *source, int *code)
{
    unsigned applied = 0;
    Str text = fixed_text(s, source->path, source->text, &applied);
    if (!applied)
        return source;
    if (s->options->diff) {
        Text diff = {.arena = s->arena};
        diff_unified(&diff, source->path, source->text, text, s->options->colour == COLOUR_ALWAYS);
        int printed = print_text(s->options, text_str(&diff));
        *code = *code > printed ? *code : printed;
        return source;
    }
    Str why;
    if (!file_write(s->arena, source->path, text.p, text.n, &why)) {
        *code = session_fail(s, EXIT_USAGE, why, (Str){0});
        return NULL;
    }
    fprintf(stderr, "%u fix%s applied to `" STR_FMT "`\n", applied, applied == 1 ? "" : "es", STR_ARG(source->path));
    return source_add(&s->sources, source->path, text, false);
}

static int check_run_command(Arena *arena, Options *options)
{
    if (!options->files.n)
        return usage_error(options, STR("no file to check"), STR("actc check model.act"));
    options->fix = options->fix || options->unsafe_fixes;
    Session s;
    session_begin(&s, arena, options);
    int code = EXIT_CLEAN;
    for (uint32_t i = 0; i < options->files.n; i++) {
        Str path = options->files.at[i];
        const Source *source = session_read(&s, path);
        if (!source) {
            code = EXIT_USAGE;
            continue;
        }
        if (blank(source->text)) {
            fprintf(stderr, "warning: `" STR_FMT "` is empty: there is nothing to check\n", STR_ARG(source->path));
            continue;
        }
        if (options->fix || options->diff) {
            if (str_is(path, "-") && !options->diff)
                return session_fail(&s, EXIT_USAGE, STR("standard input cannot be fixed in place"),
                                    STR("`actc check --diff -` shows what would change"));
            source = fix_source(&s, source, &code);
            if (!source)
                continue;
        }
        session_program(&s, source);
    }
    int found = session_report(&s);
    return code > found ? code : found;
}

ACT_COMMAND(check) = {
    .name = "check",
    .usage = "check [options] FILES…",
    .summary = "what is wrong with a network, and what to do about it",
    .doc = "Runs the rules over every model of the files and compiles nothing. An error is a mathematical certainty; a "
           "warning "
           "prints the number that justifies it. `-` reads standard input. Exits with 0 when there is no error, 1 when "
           "there "
           "is, 2 when a file cannot be read.",
    .examples = "actc check model.act\n"
                "actc check --fix model.act            # repair what is certain\n"
                "actc check --diff model.act           # show it instead\n"
                "actc check -D saturating_hidden -A ACT4 models/*.act\n"
                "actc check --error-format=json model.act\n",
    .run = check_run_command,
};
