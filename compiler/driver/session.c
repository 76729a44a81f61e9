#define _DEFAULT_SOURCE /* winsize */
#include "driver/session.h"

#include "syntax/parse.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool wants_colour(const Options *options, FILE *out)
{
    if (options->colour != COLOUR_AUTO)
        return options->colour == COLOUR_ALWAYS;
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    return !(no && *no) && !(term && strcmp(term, "dumb") == 0) && isatty(fileno(out));
}

static unsigned terminal_columns(FILE *out)
{
    struct winsize size;
    return isatty(fileno(out)) && ioctl(fileno(out), TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

void session_begin(Session *s, Arena *arena, const Options *options)
{
    static const DiagFormat format[] = {
        [FORMAT_HUMAN] = DIAG_HUMAN, [FORMAT_SHORT] = DIAG_SHORT, [FORMAT_JSON] = DIAG_JSON};
    *s = (Session){.arena = arena, .options = options, .sources = {.arena = arena}};
    s->diags = (Diags){.arena = arena, .sources = &s->sources};
    s->out = options->error_format == FORMAT_JSON ? stdout : stderr;
    s->style = (DiagStyle){.format = format[options->error_format],
                           .colour = options->error_format == FORMAT_HUMAN && wants_colour(options, s->out),
                           .notes = options->notes,
                           .columns = terminal_columns(s->out)};
}

static void print_message(bool colour, Str message, Str help)
{
    fprintf(stderr, "%serror%s: " STR_FMT "\n", colour ? "\033[1;31m" : "", colour ? "\033[0m" : "", STR_ARG(message));
    if (help.n)
        fprintf(stderr, "  %shelp%s: " STR_FMT "\n", colour ? "\033[1;36m" : "", colour ? "\033[0m" : "",
                STR_ARG(help));
}

int session_fail(const Session *s, int code, Str message, Str help)
{
    print_message(wants_colour(s->options, stderr), message, help);
    return code;
}

int usage_error(const Options *options, Str message, Str help)
{
    print_message(wants_colour(options, stderr), message, help);
    return EXIT_USAGE;
}

int print_text(const Options *options, Str text)
{
    bool ok = !text.n || fwrite(text.p, 1, text.n, stdout) == text.n;
    if (fflush(stdout) == 0 && ok)
        return EXIT_CLEAN;
    return usage_error(options, STR("standard output takes no more"), (Str){0});
}

const Source *session_read(Session *s, Str path)
{
    Str why;
    const Source *source = source_read(&s->sources, path, &why);
    if (!source)
        session_fail(s, EXIT_USAGE, why, (Str){0});
    return source;
}

Program *session_program(Session *s, const Source *source)
{
    const Options *options = s->options;
    SemaOptions sema = {.batch = options->batch};
    for (uint32_t i = 0; i < options->set.n; i++)
        *vec_push(s->arena, &sema.set) = options->set.at[i];
    Ast *file = parse_source(s->arena, &s->diags, source);
    Program *program = sema_run(s->arena, &s->sources, &s->diags, file, &sema);
    check_run(program, &options->check);
    return program;
}

bool session_stops(const Session *s) { return diag_count(&s->diags, LEVEL_DENY) > 0; }

int session_report(Session *s)
{
    diag_sort(&s->diags);
    unsigned errors = diag_count(&s->diags, LEVEL_DENY), warnings = diag_count(&s->diags, LEVEL_WARN) - errors;
    diag_print_all(&s->diags, &s->style, s->out);
    fflush(s->out);
    s->diags.list.n = 0;
    if (errors)
        return EXIT_PROBLEMS;
    if (warnings > s->options->max_warnings)
        return session_fail(s, EXIT_PROBLEMS,
                            str_printf(s->arena, "%u warning%s, and --max-warnings allows %u", warnings,
                                       warnings == 1 ? "" : "s", s->options->max_warnings),
                            (Str){0});
    return EXIT_CLEAN;
}
