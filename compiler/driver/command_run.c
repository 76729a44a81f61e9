/* actc run: compile in memory, then be the training program. */
#include "driver/build.h"

#include "act/act.h"

#include "base/file.h"

/* What a generated object may call: act/abi.h's last section. */
static const BackendSymbol runtime_symbol[] = {
    {"act_parallel", (void (*)(void))act_parallel},
    {"act_barrier", (void (*)(void))act_barrier},
    {"act_pool_share", (void (*)(void))act_pool_share},
    {"act_cpu_has", (void (*)(void))act_cpu_has},
    {"act_fill", (void (*)(void))act_fill},
};

static int run_models(Build *b, const ActModel *const *models, uint32_t n)
{
    const Options *options = b->session.options;
    Arena *arena = b->session.arena;
    char **argv = arena_array(arena, char *, options->rest.n + 3u);
    const char **typed = arena_array(arena, const char *, options->typed.n + 1u);
    int argc = 0, n_typed = 0;
    for (uint32_t i = 0; i < options->typed.n; i++)
        typed[n_typed++] = str_c(arena, options->typed.at[i]);
    typed[n_typed++] = "--";
    /* Named after the model, as the compiled program would be. */
    argv[argc++] = (char *)str_c(arena, path_stem(b->source->path));
    if (!options->rest.n || options->rest.at[0].p[0] == '-')
        argv[argc++] = (char *)"train";
    for (uint32_t i = 0; i < options->rest.n; i++)
        argv[argc++] = (char *)str_c(arena, options->rest.at[i]);
    return act_program_typed(n_typed, typed, argc, argv, models, n);
}

static int run_run(Arena *arena, Options *options)
{
    Build b = {0};
    session_begin(&b.session, arena, options);
    int code = build_prepare(&b);
    if (!code && !b.machine->native)
        return session_fail(&b.session, EXIT_USAGE,
                            str_printf(arena, "this machine cannot run code for `" STR_FMT "`", STR_ARG(options->cpu)),
                            STR("leave --cpu out, or compile with -o and run it there"));
    code = code ? code : build_check(&b, arena, options);
    code = code ? code : build_unit(&b);
    if (code || !b.unit)
        return code;
    Str why;
    const ActModel **models = arena_array(arena, const ActModel *, b.unit->models.n);
    BackendOptions backend = build_backend_options(&b, false);
    double start = build_clock();
    BackendRun *run = backend_run_jit(arena, b.unit, &backend, runtime_symbol,
                                      sizeof runtime_symbol / sizeof *runtime_symbol, models, &why);
    if (!run)
        return session_fail(&b.session, EXIT_PROBLEMS, why, (Str){0});
    build_time(&b, start);
    code = run_models(&b, models, b.unit->models.n);
    backend_run_end(run);
    return code;
}

ACT_COMMAND(run) = {
    .name = "run",
    .usage = "run [options] MODEL.act [-- ARGS…]",
    .summary = "compile in memory and train now",
    .doc = "Compiles the network to memory and does what the compiled training program would. What stands behind `--` "
           "goes to "
           "it: options of `train`, or another of its commands and its options.",
    .examples = "actc run model.act\n"
                "actc run model.act --set hidden=gelu -- --epochs 3 --threads 2\n"
                "actc run model.act -- predict --part test\n"
                "actc run model.act -- --help\n",
    .run = run_run,
};
