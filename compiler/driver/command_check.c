/* actc check: what is wrong, and on demand repaired. */
#include "driver/diff.h"
#include "driver/files.h"
#include "driver/fix.h"

#include "base/file.h"

static bool blank(Str text)
{
    for (uint32_t i = 0; i < text.n; i++)
        if (text.p[i] != ' ' && text.p[i] != '\n' && text.p[i] != '\t' && text.p[i] != '\r')
            return false;
    return true;
}

static bool is_stdin(const FixFile *file) { return str_is(file->path, "<stdin>"); }

/* Reads a file that was named; one that was named before is there already. */
static void read_file(Session *s, FixRun *run, Str path)
{
    Str file = str_is(path, "-") ? STR("<stdin>") : session_file(s->arena, path);
    for (uint32_t i = 0; i < run->files.n; i++)
        if (str_eq(run->files.at[i].file, file))
            return;
    const Source *source = session_read(s, path);
    if (!source)
        return;
    bool empty = blank(source->text);
    if (empty)
        session_warn(
            s, str_printf(s->arena, "`" STR_FMT "` is empty: there is nothing to check", STR_ARG(source->path)));
    *vec_push(s->arena, &run->files) = (FixFile){
        .path = source->path, .file = file, .before = source->text, .text = source->text, .asked = !empty};
}

/* Directories become their files, files texts. False when something could not be read. */
static bool read_files(Session *s, FixRun *run)
{
    Paths paths = {0};
    for (uint32_t i = 0; i < s->options->files.n; i++)
        files_expand(s, s->options->files.at[i], &paths);
    for (uint32_t i = 0; i < paths.n; i++)
        read_file(s, run, paths.at[i]);
    return !s->failed;
}

/* --diff: shows the change and forgets it. */
static bool show_changes(const Session *s, FixRun *run)
{
    Text diff = {.arena = s->arena};
    for (uint32_t i = 0; i < run->files.n; i++) {
        FixFile *file = &run->files.at[i];
        diff_unified(&diff, file->path, file->before, file->text, session_colour(s->options, stdout));
        file->text = file->before;
    }
    return print_text(s->options, text_str(&diff)) == EXIT_CLEAN;
}

/* --fix: what cannot be written stays as it was. */
static bool write_changes(Session *s, const FixRun *run)
{
    bool ok = true;
    for (uint32_t i = 0; i < run->files.n; i++) {
        FixFile *file = &run->files.at[i];
        if (is_stdin(file)) {
            ok = print_text(s->options, file->text) == EXIT_CLEAN && ok;
        } else if (!str_eq(file->text, file->before)) {
            Str why;
            if (!file_write(s->arena, file->path, file->text.p, file->text.n, &why)) {
                session_fail(s, EXIT_USAGE, why, (Str){0});
                file->text = file->before;
                ok = false;
            }
        }
        if (!str_eq(file->text, file->before)) {
            s->style.fixed += file->fixed;
            s->style.files++;
        }
    }
    return ok;
}

/* Two things on standard output would be neither. */
static int refuse_mixture(const Options *options)
{
    bool document = options->error_format >= FORMAT_JSON;
    bool from_stdin = false;
    for (uint32_t i = 0; i < options->files.n; i++)
        from_stdin |= str_is(options->files.at[i], "-");
    if (options->statistics && options->error_format > FORMAT_JSON)
        return usage_error(options, STR("`--statistics` is a table or, with `--error-format=json`, one object a line"),
                           (Str){0});
    if ((document || options->statistics) && options->diff)
        return usage_error(options, STR("`--diff` and the findings in this form both go to standard output"),
                           STR("ask for one of them at a time"));
    if ((document || options->statistics) && options->fix && from_stdin)
        return usage_error(options, STR("the fixed text and the findings in this form both go to standard output"),
                           STR("fix a file in place, or take `--error-format=short`, which goes to standard error"));
    return EXIT_CLEAN;
}

static int check_run_command(Arena *arena, Options *options)
{
    if (!options->files.n)
        return usage_error(options, STR("no file to check"), STR("actc check model.act"));
    options->fix = options->fix || options->unsafe_fixes;
    int bad = refuse_mixture(options);
    if (bad)
        return bad;
    Session s;
    session_begin(&s, arena, options);
    FixRun run = {.arena = arena, .options = options};
    bool ok = read_files(&s, &run);
    if (options->fix || options->diff) {
        fix_all(&run);
        ok = (options->diff ? show_changes(&s, &run) : write_changes(&s, &run)) && ok;
    }
    s.failed = !ok;
    s.sources.list.n = 0; /* what was read to see it is read again, with the fixes in it */
    fix_check(&run, &s);
    int code = session_report(&s);
    for (uint32_t i = 0; i < run.remarks.n; i++)
        session_warn(&s, run.remarks.at[i]);
    return ok ? code : EXIT_USAGE;
}

ACT_COMMAND(check) = {
    .name = "check",
    .usage = "check [options] FILES…",
    .summary = "what is wrong with a network, and what to do about it",
    .doc = "Runs the rules over every model of the files and compiles nothing. An error is a mathematical certainty; a "
           "warning prints the number that justifies it. A directory stands for all .act files below it; `-` reads "
           "standard input.\n\n"
           "--fix changes the files, checks them again, and so on until nothing is left to change, at most ten times; "
           "a fix that leads to an error is taken back. With `-` it prints the fixed text. --diff prints what would "
           "change as a patch and changes nothing.\n\n"
           "Exits with 0 when there is no error, 1 when there is, 2 when a file cannot be read.",
    .examples = "actc check model.act\n"
                "actc check --fix model.act            # repair what is certain\n"
                "actc check --diff model.act           # show it instead\n"
                "actc check -D saturating_hidden -A ACT4 models/*.act\n"
                "actc check --error-format=sarif models/ > findings.sarif\n"
                "actc check --statistics models/\n"
                "actc check --mem-limit 512M model.act # and whether training fits\n",
    .run = check_run_command,
};
