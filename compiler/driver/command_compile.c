/* actc MODEL.act -o OUT: the command without a name. */
#include "driver/build.h"
#include "driver/header.h"
#include "driver/link.h"

#include "base/file.h"
#include "kernel/words.h"
#include "syntax/parse.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ── what to make ── */

typedef enum OutKind {
    OUT_PROGRAM,
    OUT_SHARED,
    OUT_ARCHIVE,
    OUT_OBJECT,
    OUT_ASM,
    OUT_IR,
    OUT_BITCODE,
    OUT_HEADER,
    OUT_DOT
} OutKind;

static const struct {
    const char *ending;
    OutKind kind;
} out_ending[] = {
    {".o", OUT_OBJECT},   {".a", OUT_ARCHIVE}, {".so", OUT_SHARED}, {".s", OUT_ASM},   {".ll", OUT_IR},
    {".bc", OUT_BITCODE}, {".h", OUT_HEADER},  {".dot", OUT_DOT},   {"", OUT_PROGRAM},
};
enum { OUT_ENDINGS = sizeof out_ending / sizeof *out_ending };

static bool output_kind(Str path, OutKind *kind)
{
    Str ending = path_ending(path);
    for (unsigned i = 0; i < OUT_ENDINGS; i++)
        if (str_is(ending, out_ending[i].ending)) {
            *kind = out_ending[i].kind;
            return true;
        }
    return false;
}

typedef enum Stage { STAGE_NONE, STAGE_AST, STAGE_GRAPH, STAGE_KERNEL, STAGE_LL, STAGE_ASM } Stage;
static const char *const stage_name[] = {"", "ast", "graph", "kernel", "ll", "asm"};
enum { STAGES = sizeof stage_name / sizeof *stage_name };

static int choose_stage(const Options *options, Arena *arena, Stage *stage)
{
    Str name[STAGES];
    for (unsigned i = 0; i < STAGES; i++) {
        name[i] = str_of(stage_name[i]);
        if (str_eq(options->emit, name[i])) {
            *stage = (Stage)i;
            return EXIT_CLEAN;
        }
    }
    int near = str_nearest(options->emit, name + 1, STAGES - 1);
    return usage_error(options, str_printf(arena, "there is no stage `" STR_FMT "`", STR_ARG(options->emit)),
                       near >= 0 ? str_printf(arena, "did you mean `--emit=%s`?", stage_name[near + 1])
                                 : STR("stages: ast, graph, kernel, ll, asm"));
}

/* Mistakes about OUT are found before the work, not after it. */
static int choose_output(const Options *options, Arena *arena, OutKind *kind)
{
    if (!options->output.n)
        return usage_error(options, STR("where to?"),
                           STR("actc model.act -o model.o, or -o model for a training program"));
    if (str_is(options->output, "-"))
        return usage_error(options, STR("code is not written to standard output"),
                           STR("print a stage instead: --emit=asm, --emit=ll"));
    struct stat info;
    if (stat(str_c(arena, options->output), &info) == 0 && S_ISDIR(info.st_mode))
        return usage_error(options,
                           str_printf(arena, "cannot write `" STR_FMT "`: it is a directory", STR_ARG(options->output)),
                           (Str){0});
    if (!output_kind(options->output, kind))
        return usage_error(
            options, str_printf(arena, "nothing is written as `" STR_FMT "`", STR_ARG(path_ending(options->output))),
            STR("endings: .o .a .so .s .ll .bc .h .dot, or none for an executable"));
    bool linked = *kind == OUT_PROGRAM || *kind == OUT_SHARED; /* these replace what is there */
    if (linked && stat(str_c(arena, options->output), &info) == 0 && !S_ISREG(info.st_mode))
        return usage_error(options, str_printf(arena, "cannot write `" STR_FMT "`: it is no ordinary file",
                                      STR_ARG(options->output)),
                           STR("the linker would replace it; name another output"));
    if (options->files.n == 1 && str_eq(options->files.at[0], options->output))
        return usage_error(options, STR("the output would replace the model"), (Str){0});
    Str dir = path_dir(arena, options->output);
    const char *folder = dir.n ? dir.p : ".";
    if (stat(folder, &info) != 0 || !S_ISDIR(info.st_mode))
        return usage_error(options,
                           str_printf(arena, "cannot write `" STR_FMT "`: there is no directory `" STR_FMT "`",
                                      STR_ARG(options->output), STR_ARG(dir)),
                           (Str){0});
    if (access(folder, W_OK) != 0) /* outputs are made beside their place and renamed */
        return usage_error(options,
                           str_printf(arena, "cannot write `" STR_FMT "`: its directory cannot be written to",
                                      STR_ARG(options->output)),
                           (Str){0});
    return EXIT_CLEAN;
}

/* ── stages as text ── */

static int print(const Build *b, const Text *text) { return print_text(b->session.options, text_str(text)); }

static int emit_ast(Build *b)
{
    Session *s = &b->session;
    if (s->options->files.n != 1)
        return usage_error(s->options, STR("--emit=ast takes one file"), (Str){0});
    b->source = session_read(s, s->options->files.at[0]);
    if (!b->source)
        return EXIT_USAGE;
    Ast *file = parse_source(s->arena, &s->diags, b->source);
    Text text = {.arena = s->arena};
    text_add(&text, ast_dump(s->arena, file));
    int code = print(b, &text), found = session_report(s);
    return code > found ? code : found;
}

static void emit_graphs(const Build *b, bool dot, Text *out)
{
    for (uint32_t i = 0, n = 0; i < b->program->models.n; i++) {
        const Model *model = b->program->models.at[i];
        if (model->poisoned)
            continue;
        if (n++)
            text_putc(out, '\n');
        if (dot)
            graph_print_dot(model->graph, out);
        else
            graph_print(model->graph, out);
    }
}

static void emit_kernels(const Build *b, Text *out)
{
    for (uint32_t i = 0; i < b->unit->models.n; i++) {
        const UnitModel *model = &b->unit->models.at[i];
        const LoopProgram *program[] = {model->forward, model->evaluate, model->train_step, model->watch_step};
        const Plan *plan[] = {model->forward_plan, model->evaluate_plan, model->train_plan, model->watch_plan};
        for (unsigned k = 0; k < 4; k++)
            if (program[k]) {
                if (out->n)
                    text_putc(out, '\n');
                words_print(&b->session.sources, model, plan[k], program[k], b->unit->target, out);
                text_putc(out, '\n');
                loop_print(program[k], out);
            }
    }
}

static int emit_code(Build *b, BackendKind kind, bool program, BackendCode *code)
{
    Str why;
    BackendOptions options = build_backend_options(b, program);
    double start = build_clock();
    if (!backend_emit(b->session.arena, b->unit, &options, kind, code, &why))
        return session_fail(&b->session, EXIT_PROBLEMS, why, (Str){0});
    build_time(b, start);
    return EXIT_CLEAN;
}

static int compile_stage(Build *b, Stage stage)
{
    Arena *arena = b->session.arena;
    if (stage == STAGE_AST)
        return emit_ast(b);
    Text text = {.arena = arena};
    int code = build_prepare(b);
    code = code ? code : build_check(b, arena, b->session.options);
    if (code)
        return code;
    if (stage == STAGE_GRAPH) {
        emit_graphs(b, false, &text);
        return print(b, &text);
    }
    code = build_unit(b);
    if (code || !b->unit)
        return code;
    if (stage == STAGE_KERNEL)
        emit_kernels(b, &text);
    else {
        BackendCode made;
        code = emit_code(b, stage == STAGE_LL ? BACKEND_IR : BACKEND_ASM, false, &made);
        if (code)
            return code;
        text_add(&text, made.bytes);
    }
    return print(b, &text);
}

/* ── files ── */

static int write_output(Build *b, Str path, Str bytes)
{
    Str why;
    return file_write(b->session.arena, path, bytes.p, bytes.n, &why)
               ? EXIT_CLEAN
               : session_fail(&b->session, EXIT_USAGE, why, (Str){0});
}

static int write_header(Build *b, Str out)
{
    Arena *arena = b->session.arena;
    Str name = str_printf(arena, STR_FMT ".h", STR_ARG(path_stem(out)));
    Str text = header_text(arena, b->unit, name, b->source->path);
    return write_output(b, path_join(arena, path_dir(arena, out), name), text);
}

/* Is any data pictures? */
static bool reads_images(const Unit *unit)
{
    for (uint32_t i = 0; i < unit->models.n; i++) {
        const TrainUse *train = unit->models.at[i].model->train;
        const DataUse *data = train ? train->data : NULL;
        for (uint32_t p = 0; data && p < data->parts.n; p++)
            for (uint32_t f = 0; f < data->parts.at[p].fields.n; f++)
                if (str_is(data->parts.at[p].fields.at[f].reader, "images"))
                    return true;
    }
    return false;
}

static int write_linked(Build *b, LinkKind kind, Str out, Str object)
{
    Str why, help;
    return link_output(b->session.arena, kind, reads_images(b->unit), object, out, &why, &help)
               ? EXIT_CLEAN
               : session_fail(&b->session, EXIT_USAGE, why, help);
}

static int write_unit(Build *b, OutKind kind)
{
    static const BackendKind code_kind[] = {
        [OUT_ASM] = BACKEND_ASM, [OUT_IR] = BACKEND_IR, [OUT_BITCODE] = BACKEND_BITCODE};
    Str out = b->session.options->output;
    if (kind == OUT_HEADER)
        return write_header(b, out);
    bool plain = kind == OUT_ASM || kind == OUT_IR || kind == OUT_BITCODE;
    BackendCode made;
    int code = emit_code(b, plain ? code_kind[kind] : BACKEND_OBJECT, kind == OUT_PROGRAM, &made);
    if (code)
        return code;
    switch (kind) {
    case OUT_PROGRAM:
        return write_linked(b, LINK_PROGRAM, out, made.bytes);
    case OUT_SHARED:
        code = write_linked(b, LINK_SHARED, out, made.bytes);
        break;
    case OUT_ARCHIVE: {
        Str member = str_printf(b->session.arena, STR_FMT ".o", STR_ARG(path_stem(out)));
        code = write_output(b, out, backend_archive(b->session.arena, member, &made));
        break;
    }
    default:
        code = write_output(b, out, made.bytes);
    }
    bool headed = kind == OUT_OBJECT || kind == OUT_ARCHIVE || kind == OUT_SHARED;
    return code || !headed ? code : write_header(b, out);
}

static int compile_run(Arena *arena, Options *options)
{
    Build b = {0};
    session_begin(&b.session, arena, options);
    if (options->emit.n && options->output.n)
        return usage_error(options, STR("`--emit` prints on standard output, and takes no `-o`"),
                           STR("the ending of `-o` decides what is written: .s, .ll, .dot …"));
    if (options->emit.n) {
        Stage stage = STAGE_NONE;
        int bad = choose_stage(options, arena, &stage);
        return bad ? bad : compile_stage(&b, stage);
    }
    OutKind kind = OUT_OBJECT;
    bool prints_only = options->stop_after.n > 0;
    if (!options->files.n)
        return usage_error(options, STR("no file to compile"), STR("actc model.act -o model.o"));
    int code = prints_only && !options->output.n ? EXIT_CLEAN : choose_output(options, arena, &kind);
    code = code ? code : build_prepare(&b);
    if (!code && (kind == OUT_PROGRAM || kind == OUT_SHARED) && !b.machine->native)
        return session_fail(
            &b.session, EXIT_USAGE,
            str_printf(arena, "this machine's `cc` does not link for `" STR_FMT "` with `" STR_FMT "`",
                       STR_ARG(b.machine->triple), STR_ARG(b.machine->cpu)),
            STR("write an object or a library, and link it with that target's compiler: -o model.o, -o model.a"));
    code = code ? code : build_check(&b, arena, options);
    if (code)
        return code;
    if (kind == OUT_DOT) {
        Text text = {.arena = arena};
        emit_graphs(&b, true, &text);
        return write_output(&b, options->output, text_str(&text));
    }
    code = build_unit(&b);
    return code || !b.unit ? code : write_unit(&b, kind);
}

ACT_COMMAND(compile) = {
    .name = "compile",
    .usage = "[compile] [options] MODEL.act -o OUT",
    .summary = "check a network and compile it (the word may be left out)",
    .doc = "Checks the network, then compiles forward pass, backward pass and optimizer into native code. An object, "
           "library "
           "or shared object gets its C header beside it; an executable is a training program of its own.",
    .examples = "actc model.act -o model.o             # one object, with model.h beside it\n"
                "actc model.act -o model               # a training program: ./model train\n"
                "actc model.act -o model.a --target aarch64-linux-gnu\n"
                "actc model.act --emit=graph --set hidden=gelu\n"
                "actc model.act --emit=asm -O3 | less\n",
    .run = compile_run,
};
