#define _DEFAULT_SOURCE /* winsize */
#include "driver/session.h"

#include "driver/build.h"

#include "syntax/parse.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* --color wins; then NO_COLOR (any text), a terminal that can do nothing, CLICOLOR_FORCE (any text but 0). */
bool session_colour(const Options *options, FILE *out)
{
    if (options->colour != COLOUR_AUTO)
        return options->colour == COLOUR_ALWAYS;
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM"), *force = getenv("CLICOLOR_FORCE");
    if ((no && *no) || (term && strcmp(term, "dumb") == 0))
        return false;
    return (force && *force && strcmp(force, "0") != 0) || isatty(fileno(out));
}

enum { NARROWEST = 20, WIDEST = 10000 };

/* COLUMNS when it says something sensible, else what the terminal says; 0: not known. */
static unsigned terminal_columns(FILE *out)
{
    const char *text = getenv("COLUMNS");
    char *end = NULL;
    long wanted = text ? strtol(text, &end, 10) : 0;
    if (wanted >= NARROWEST && wanted <= WIDEST && *end == 0)
        return (unsigned)wanted;
    struct winsize size;
    return isatty(fileno(out)) && ioctl(fileno(out), TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

void session_begin(Session *s, Arena *arena, const Options *options)
{
    static const DiagFormat format[] = {[FORMAT_HUMAN] = DIAG_HUMAN,
                                        [FORMAT_SHORT] = DIAG_SHORT,
                                        [FORMAT_JSON] = DIAG_JSON,
                                        [FORMAT_SARIF] = DIAG_SARIF,
                                        [FORMAT_GITHUB] = DIAG_GITHUB};
    *s = (Session){.arena = arena, .options = options, .sources = {.arena = arena}};
    s->diags = (Diags){.arena = arena, .sources = &s->sources};
    s->out = options->error_format >= FORMAT_JSON ? stdout : stderr;
    s->style = (DiagStyle){.format = format[options->error_format],
                           .colour = options->error_format == FORMAT_HUMAN && session_colour(options, s->out),
                           .notes = options->notes,
                           .error_limit = options->error_limit,
                           .fixing = options->diff           ? FIX_NONE
                                     : options->unsafe_fixes ? FIX_UNSAFE
                                     : options->fix          ? FIX_SAFE
                                                             : FIX_NONE,
                           .columns = terminal_columns(s->out)};
}

static void print_message(bool colour, const char *word, const char *paint, Str message, Str help)
{
    fprintf(stderr, "%s%s%s: " STR_FMT "\n", colour ? paint : "", word, colour ? "\033[0m" : "", STR_ARG(message));
    if (help.n)
        fprintf(stderr, "  %shelp%s: " STR_FMT "\n", colour ? "\033[1;36m" : "", colour ? "\033[0m" : "",
                STR_ARG(help));
}

static int print_error(const Options *options, int code, Str message, Str help)
{
    print_message(session_colour(options, stderr), "error", "\033[1;31m", message, help);
    return code;
}

int session_fail(const Session *s, int code, Str message, Str help)
{
    return print_error(s->options, code, message, help);
}

void session_warn(const Session *s, Str message)
{
    print_message(session_colour(s->options, stderr), "warning", "\033[1;33m", message, (Str){0});
}

int usage_error(const Options *options, Str message, Str help)
{
    return print_error(options, EXIT_USAGE, message, help);
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
    if (!source) {
        session_fail(s, EXIT_USAGE, why, (Str){0});
        s->failed = true;
    }
    return source;
}

Program *session_program(Session *s, const Source *source)
{
    const Options *options = s->options;
    SemaOptions sema = {.batch = options->batch, .open = s->unsaved, .open_context = s->owner};
    for (uint32_t i = 0; i < options->set.n; i++)
        *vec_push(s->arena, &sema.set) = options->set.at[i];
    Ast *file = parse_source(s->arena, &s->diags, source);
    Program *program = sema_run(s->arena, &s->sources, &s->diags, file, &sema);
    check_run(program, &options->check);
    return program;
}

bool session_stops(const Session *s) { return diag_count(&s->diags, LEVEL_DENY) > 0; }

Str session_file(Arena *arena, Str path)
{
    char *real = realpath(str_c(arena, path), NULL);
    if (!real)
        return path;
    Str file = str_copy(arena, str_of(real));
    free(real);
    return file;
}

/* The session's own source for one of a program's: the same file with the same text is there once. */
static uint32_t adopt_source(Session *s, const Source *source)
{
    Str file = session_file(s->arena, source->path);
    for (uint32_t i = 0; i < s->sources.list.n; i++)
        if (str_eq(s->files.at[i], file) && str_eq(s->sources.list.at[i]->text, source->text))
            return i + 1;
    Source *copy = arena_new_of(s->arena, Source);
    *copy = *source;
    copy->id = s->sources.list.n + 1;
    *vec_push(s->arena, &s->sources.list) = copy;
    *vec_push(s->arena, &s->files) = file;
    return copy->id;
}

static void adopt_span(Session *s, const Sources *from, uint32_t *home, Span *span)
{
    const Source *source = source_get(from, span->source);
    if (source && !home[source->id])
        home[source->id] = adopt_source(s, source);
    span->source = source ? home[source->id] : 0;
}

static void adopt(Session *s, const Sources *from, uint32_t *home, Diag *diag)
{
    adopt_span(s, from, home, &diag->primary.span);
    for (uint32_t i = 0; i < diag->labels.n; i++)
        adopt_span(s, from, home, &diag->labels.at[i].span);
    for (uint32_t i = 0; i < diag->edits.n; i++)
        adopt_span(s, from, home, &diag->edits.at[i].span);
    diag->list = &s->diags;
}

void session_check(Session *s, Str path, Str text)
{
    Session *one = arena_new_of(s->arena, Session);
    *one = *s;
    one->sources.list.n = one->sources.list.cap = 0;
    one->sources.list.at = NULL;
    one->diags = (Diags){.arena = s->arena, .sources = &one->sources};
    Program *program = session_program(one, source_add(&one->sources, path, text, false));
    if (s->options->mem_limit)
        build_to_look_at(one, program);
    diag_sort(&one->diags);
    uint32_t *home = arena_array(s->arena, uint32_t, one->sources.list.n + 1);
    for (uint32_t i = 0; i < one->diags.list.n; i++) {
        adopt(s, &one->sources, home, one->diags.list.at[i]);
        *vec_push(s->arena, &s->diags.list) = one->diags.list.at[i];
    }
    for (uint32_t i = 0; i < one->diags.allowed.n; i++) {
        adopt(s, &one->sources, home, one->diags.allowed.at[i]);
        *vec_push(s->arena, &s->diags.allowed) = one->diags.allowed.at[i];
    }
}

static void print_findings(Session *s)
{
    if (s->options->statistics) {
        session_print_statistics(s);
        return;
    }
    if (s->style.format == DIAG_SARIF && !s->reported) {
        session_print_sarif(s);
        s->reported = true;
        return;
    }
    if (s->reported) { /* one run, one document: what the code generator adds is said in words */
        s->style.format = DIAG_SHORT;
        s->out = stderr;
    }
    diag_print_all(&s->diags, &s->style, s->out);
    if (s->style.format != DIAG_HUMAN && s->style.fixed)
        fprintf(stderr, "%u fixed\n", s->style.fixed);
}

int session_report(Session *s)
{
    diag_sort(&s->diags);
    unsigned errors = diag_count(&s->diags, LEVEL_DENY), warnings = diag_count(&s->diags, LEVEL_WARN) - errors;
    print_findings(s);
    bool taken = fflush(s->out) == 0 && !ferror(s->out);
    s->diags.list.n = 0;
    s->diags.allowed.n = 0;
    if (!taken)
        return session_fail(s, EXIT_USAGE, STR("standard output takes no more"), (Str){0});
    if (errors)
        return EXIT_PROBLEMS;
    if (warnings > s->options->max_warnings)
        return session_fail(s, EXIT_PROBLEMS,
                            str_printf(s->arena, "%u warning%s, and --max-warnings allows %u", warnings,
                                       warnings == 1 ? "" : "s", s->options->max_warnings),
                            (Str){0});
    return EXIT_CLEAN;
}
