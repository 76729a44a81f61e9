/* actc sweep: a training for every combination of values. */
#define _XOPEN_SOURCE 700
#include "driver/sweep.h"

#include "base/file.h"
#include "driver/build.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_RUNS = 10000, LONGEST_NAME = 120 };

/* ── which runs ── */

/* Commas inside brackets belong to a value: hidden=leaky_relu(0.1),relu are two. */
static void split_values(Arena *arena, Str text, SweepParam *param)
{
    uint32_t begin = 0;
    int depth = 0;
    for (uint32_t i = 0; i <= text.n; i++) {
        char c = i < text.n ? text.p[i] : ',';
        depth += c == '(' || c == '[';
        depth -= c == ')' || c == ']';
        if (c != ',' || (depth > 0 && i < text.n))
            continue;
        while (begin < i && text.p[begin] == ' ')
            begin++;
        *vec_push(arena, &param->value) = (Str){text.p + begin, i - begin};
        begin = i + 1;
    }
}

static int read_param(Sweep *sweep, Arena *arena, const Options *options, Str set)
{
    uint32_t n = 0;
    while (n < set.n && set.p[n] != '=')
        n++;
    SweepParam param = {.name = {set.p, n}};
    if (n == 0 || n + 1 >= set.n)
        return usage_error(options, str_printf(arena, "`--set " STR_FMT "` names no values", STR_ARG(set)),
                           STR("as in --set lr=1e-2,1e-3"));
    split_values(arena, (Str){set.p + n + 1, set.n - n - 1}, &param);
    for (uint32_t i = 0; i < param.value.n; i++)
        if (param.value.at[i].n == 0)
            return usage_error(options, str_printf(arena, "`--set " STR_FMT "` has an empty value", STR_ARG(set)), (Str){0});
    for (uint32_t i = 0; i < sweep->params.n; i++)
        if (str_eq(sweep->params.at[i].name, param.name))
            return usage_error(options, str_printf(arena, "`" STR_FMT "` is set twice", STR_ARG(param.name)),
                               STR("give all its values at once: --set lr=1e-2,1e-3"));
    *vec_push(arena, &sweep->params) = param;
    return EXIT_CLEAN;
}

static bool harmless(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("._-+=,()", c));
}

/* The folder's name: the run's, with what a path or a shell would take amiss replaced; a number where that is too long or taken. */
static Str folder_name(Arena *arena, const Sweep *sweep, Str name)
{
    char *clean = (char *)(uintptr_t)str_c(arena, name);
    for (uint32_t i = 0; i < name.n; i++)
        if (!harmless(clean[i]) || (i == 0 && (clean[i] == '.' || clean[i] == '-')))
            clean[i] = '_';
    Str made = {clean, name.n};
    bool taken = name.n > LONGEST_NAME;
    for (uint32_t i = 0; i < sweep->runs.n && !taken; i++) {
        Str other = sweep->runs.at[i].folder;
        taken = other.n > made.n && str_eq((Str){other.p + other.n - made.n, made.n}, made) && other.p[other.n - made.n - 1] == '/';
    }
    return taken ? str_printf(arena, "run-%u", sweep->runs.n + 1) : made;
}

static void add_run(Sweep *sweep, Arena *arena, const uint32_t *pick)
{
    uint32_t n = sweep->params.n;
    Str *value = arena_array(arena, Str, n + 1);
    Text name = {.arena = arena};
    for (uint32_t i = 0; i < n; i++) {
        const SweepParam *param = &sweep->params.at[i];
        value[i] = param->value.at[pick[i]];
        text_printf(&name, "%s" STR_FMT "=" STR_FMT, i ? "," : "", STR_ARG(param->name), STR_ARG(value[i]));
    }
    SweepRun run = {.name = text_str(&name), .value = value};
    run.folder = str_printf(arena, STR_FMT "/" STR_FMT, STR_ARG(sweep->folder), STR_ARG(folder_name(arena, sweep, run.name)));
    run.log = str_printf(arena, STR_FMT "/run.jsonl", STR_ARG(run.folder));
    run.said = str_printf(arena, STR_FMT "/output.txt", STR_ARG(run.folder));
    *vec_push(arena, &sweep->runs) = run;
}

static int make_runs(Sweep *sweep, Arena *arena, const Options *options)
{
    uint64_t all = 1;
    for (uint32_t i = 0; i < sweep->params.n && all <= MOST_RUNS; i++)
        all *= sweep->params.at[i].value.n;
    if (all > MOST_RUNS)
        return usage_error(options, str_printf(arena, "these are more than %u combinations", MOST_RUNS), STR("give fewer values"));
    uint32_t *pick = arena_array(arena, uint32_t, sweep->params.n + 1);
    for (uint64_t k = 0; k < all; k++) {
        add_run(sweep, arena, pick);
        for (uint32_t i = sweep->params.n; i-- > 0;) { /* the last one counts fastest */
            if (++pick[i] < sweep->params.at[i].value.n)
                break;
            pick[i] = 0;
        }
    }
    return EXIT_CLEAN;
}

/* ── what must be right before anything runs ── */

static int check_names(const Sweep *sweep, const Program *program)
{
    Arena *arena = sweep->session.arena;
    VEC(Str) names = {0};
    for (uint32_t i = 0; i < program->defs.n; i++)
        if (program->defs.at[i].kind == DEF_PARAM)
            *vec_push(arena, &names) = program->defs.at[i].name;
    for (uint32_t i = 0; i < sweep->params.n; i++) {
        Str name = sweep->params.at[i].name;
        if (sema_find(program, DEF_PARAM, name))
            continue;
        int near = str_nearest(name, names.at, names.n);
        return session_fail(&sweep->session, EXIT_USAGE, str_printf(arena, "there is no `param` called `" STR_FMT "`", STR_ARG(name)),
                            near >= 0 ? str_printf(arena, "there is `" STR_FMT "`", STR_ARG(names.at[near]))
                                      : STR("a line such as `param hidden = relu` makes one"));
    }
    return EXIT_CLEAN;
}

/* The file as it is written must be sound, and have something to train. */
static int check_file(Sweep *sweep)
{
    Session *s = &sweep->session;
    const Options *options = s->options;
    Build b = {.session = *s};
    Options bare = *options;
    bare.set.n = 0;
    b.session.options = &bare;
    int code = build_check(&b, s->arena, &bare);
    if (code)
        return code;
    bool trains = false;
    for (uint32_t i = 0; i < b.program->models.n; i++)
        trains = trains || b.program->models.at[i]->train;
    if (!trains && b.program->models.n > 1)
        return session_fail(s, EXIT_USAGE, STR("no model has a `train` block"), STR("one of several models is trained: the one that has one"));
    return check_names(sweep, b.program);
}

static bool make_folder(const char *path) { return mkdir(path, 0777) == 0 || errno == EEXIST; }

static int make_folders(Sweep *sweep)
{
    Arena *arena = sweep->session.arena;
    bool ok = make_folder(str_c(arena, sweep->folder));
    for (uint32_t i = 0; i < sweep->runs.n && ok; i++)
        ok = make_folder(str_c(arena, sweep->runs.at[i].folder));
    return ok ? EXIT_CLEAN
              : session_fail(&sweep->session, EXIT_USAGE,
                             str_printf(arena, "folders can't be made in `" STR_FMT "`: %s", STR_ARG(sweep->folder), strerror(errno)),
                             STR("`-o DIR` names another place"));
}

/* With --resume, what is done is done; else nothing is, and what an earlier sweep said is forgotten. */
static void look_back(Sweep *sweep)
{
    for (uint32_t i = 0; i < sweep->runs.n; i++) {
        SweepRun *run = &sweep->runs.at[i];
        const char *path = str_c(sweep->session.arena, sweep_result_path(sweep->session.arena, run));
        if (!sweep->session.options->resume)
            unlink(path);
        else if (access(path, R_OK) == 0)
            run->state = SWEEP_SKIPPED;
    }
}

/* ── the end ── */

static void print_failures(const Sweep *sweep, Text *out)
{
    for (uint32_t i = 0; i < sweep->runs.n; i++) {
        const SweepRun *run = &sweep->runs.at[i];
        if (run->state != SWEEP_FAILED)
            continue;
        text_printf(out, "failed: " STR_FMT " (%s %d): " STR_FMT "\n", STR_ARG(run->name), run->code < 0 ? "signal" : "exit code",
                    run->code < 0 ? -run->code : run->code, STR_ARG(sweep_last_words(sweep->session.arena, run)));
    }
}

static int count(const Sweep *sweep, SweepState state)
{
    int n = 0;
    for (uint32_t i = 0; i < sweep->runs.n; i++)
        n += sweep->runs.at[i].state == state;
    return n;
}

static int say_how_to_go_on(const Sweep *sweep, int number)
{
    const Options *options = sweep->session.options;
    Text line = {.arena = sweep->session.arena};
    bool resumes = false;
    for (uint32_t i = 0; i < options->typed.n; i++) {
        text_printf(&line, "%s" STR_FMT, i ? " " : "", STR_ARG(options->typed.at[i]));
        resumes = resumes || str_is(options->typed.at[i], "--resume");
    }
    if (!resumes)
        text_printf(&line, " --resume");
    for (uint32_t i = 0; i < options->rest.n; i++)
        text_printf(&line, "%s " STR_FMT, i ? "" : " --", STR_ARG(options->rest.at[i]));
    Str shown = text_str(&line);
    fflush(stdout);
    fprintf(stderr, "note: stopped with %d of %u runs done; what they were at is saved. The rest goes on with\n    " STR_FMT "\n",
            count(sweep, SWEEP_DONE) + count(sweep, SWEEP_SKIPPED), sweep->runs.n, STR_ARG(shown));
    return 128 + number;
}

static int sweep_main(Arena *arena, Options *options)
{
    Sweep sweep = {0};
    session_begin(&sweep.session, arena, options);
    if (options->set.n == 0)
        return usage_error(options, STR("nothing is varied"), STR("as in --set lr=1e-2,1e-3 --set hidden=relu,tanh"));
    if (options->rest.n && options->rest.at[0].p[0] != '-')
        return usage_error(options, STR("behind `--` stand options of `train`"), STR("as in `-- --epochs 5`"));
    int code = EXIT_CLEAN;
    for (uint32_t i = 0; i < options->set.n && !code; i++)
        code = read_param(&sweep, arena, options, options->set.at[i]);
    code = code ? code : check_file(&sweep);
    if (code)
        return code;
    sweep.folder = options->output.n ? options->output : str_printf(arena, STR_FMT ".sweep", STR_ARG(path_stem(options->files.at[0])));
    while (sweep.folder.n > 1 && sweep.folder.p[sweep.folder.n - 1] == '/')
        sweep.folder.n--;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    sweep.jobs = options->jobs ? options->jobs : processors > 0 ? (uint32_t)processors : 1;
    code = make_runs(&sweep, arena, options);
    code = code ? code : make_folders(&sweep);
    if (code)
        return code;
    look_back(&sweep);
    printf("%u runs of `" STR_FMT "` in `" STR_FMT "`, %u at a time\n", sweep.runs.n, STR_ARG(options->files.at[0]),
           STR_ARG(sweep.folder), sweep.jobs);
    fflush(stdout);
    int stopped = sweep_run(&sweep);
    Text text = {.arena = arena};
    sweep_print_table(&sweep, &text);
    print_failures(&sweep, &text);
    Str page = stopped ? (Str){0} : sweep_compare(&sweep);
    if (page.n)
        text_printf(&text, "side by side: " STR_FMT "\n", STR_ARG(page));
    code = print_text(options, text_str(&text));
    if (stopped)
        return say_how_to_go_on(&sweep, stopped);
    return code ? code : count(&sweep, SWEEP_FAILED) ? EXIT_PROBLEMS : EXIT_CLEAN;
}

ACT_COMMAND(sweep) = {
    .name = "sweep",
    .usage = "sweep --set NAME=A,B,… MODEL.act [-- ARGS…]",
    .summary = "train with every combination of values, side by side",
    .doc = "Compiles and trains the network once for every combination of the values given to its `param`s, as many at a time as there "
           "are processors, with a thread each. Every run has a folder of its own, with what it says (output.txt), its log "
           "(run.jsonl), checkpoints and weights; a table of all of them stands at the end, the least validation loss first. A run "
           "that fails is told and stops no other. Ctrl-C saves all of them; --resume goes on, and leaves out what is done. What "
           "stands behind `--` goes to every training.",
    .examples = "actc sweep model.act --set lr=1e-2,1e-3 --set hidden=relu,tanh\n"
                "actc sweep model.act --set width=32,64,128 -o widths --jobs 4 -- --epochs 5\n"
                "actc sweep model.act --set width=32,64,128 -o widths --resume -- --epochs 5\n",
    .run = sweep_main,
};
