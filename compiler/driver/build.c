#include "driver/build.h"

#include "driver/memory.h"
#include "driver/watch.h"
#include "pass/pass.h"

#include <string.h>
#include <time.h>

/* --dump-after and --stop-after name a pass. */
static int check_pass(const Build *b, const char *option, Str name)
{
    if (!name.n || pass_find(name) || (str_is(name, "all") && option[0] == 'd'))
        return EXIT_CLEAN;
    Arena *arena = b->session.arena;
    Str *names = arena_array(arena, Str, pass_count());
    for (unsigned i = 0; i < pass_count(); i++)
        names[i] = str_of(pass_at(i)->name);
    int near = str_nearest(name, names, pass_count());
    return session_fail(&b->session, EXIT_USAGE,
                        str_printf(arena, "`--%s`: there is no pass `" STR_FMT "`", option, STR_ARG(name)),
                        near >= 0 ? str_printf(arena, "did you mean `" STR_FMT "`?", STR_ARG(names[near]))
                                  : STR("`actc list passes` lists them"));
}

int build_prepare(Build *b)
{
    const Options *given = b->session.options;
    if (check_pass(b, "dump-after", given->dump_after) || check_pass(b, "stop-after", given->stop_after))
        return EXIT_USAGE;
    Str why, help;
    const Options *options = b->session.options;
    b->machine = machine_select(b->session.arena, options->target, options->cpu, &why, &help);
    return b->machine ? EXIT_CLEAN : session_fail(&b->session, EXIT_USAGE, why, help);
}

static bool has_healthy_model(const Program *program)
{
    for (uint32_t i = 0; i < program->models.n; i++)
        if (!program->models.at[i]->poisoned)
            return true;
    return false;
}

int build_check(Build *b, Arena *arena, const Options *options)
{
    Session *s = &b->session;
    if (options->files.n != 1) {
        bool ordered = options->files.n == 2 && strstr(options->command->usage, "-- ARGS"); /* run m.act predict */
        return usage_error(options, options->files.n ? STR("one file at a time") : STR("no file to compile"),
                           ordered ? str_printf(arena, "what the training program is to do stands behind `--`: actc run " STR_FMT " -- " STR_FMT,
                                                STR_ARG(options->files.at[0]), STR_ARG(options->files.at[1]))
                                   : str_printf(arena, "actc %s", options->command->usage));
    }
    b->source = session_read(s, options->files.at[0]);
    if (!b->source)
        return EXIT_USAGE;
    b->program = session_program(s, b->source);
    bool stops = session_stops(s);
    if (!stops)
        b->watch = watch_plan(s, b->program, options->monitor);
    int code = session_report(s);
    if (stops || code)
        return code;
    if (!has_healthy_model(b->program))
        return session_fail(s, EXIT_PROBLEMS,
                            str_printf(arena, "`" STR_FMT "` defines no model", STR_ARG(b->source->path)),
                            STR("model name { input x : f32[4] … }"));
    return EXIT_CLEAN;
}

int build_unit(Build *b)
{
    Session *s = &b->session;
    const Options *options = s->options;
    UnitOptions unit = {.target = b->machine->target,
                        .level = options->level,
                        .dump_after = options->dump_after.n ? str_c(s->arena, options->dump_after) : NULL,
                        .stop_after = options->stop_after.n ? str_c(s->arena, options->stop_after) : NULL,
                        .time_passes = options->time_passes,
                        .watch = b->watch};
#ifndef NDEBUG
    unit.verify = true;
#endif
    b->unit = unit_build(s->arena, b->program, &unit);
    fflush(stdout);
    if (b->unit && options->mem_limit)
        memory_check(s, b->unit);
    if (session_stops(s))
        return session_report(s);
    if (!b->unit && !options->stop_after.n)
        return session_fail(s, EXIT_PROBLEMS, STR("the network could not be compiled"), (Str){0});
    return b->unit && options->mem_report ? memory_report(s, b->unit) : EXIT_CLEAN;
}

Unit *build_to_look_at(Session *s, const Program *program)
{
    Str why, help;
    const Machine *machine = machine_select(s->arena, s->options->target, s->options->cpu, &why, &help);
    if (!machine || session_stops(s) || !has_healthy_model(program))
        return NULL;
    UnitOptions options = {.target = machine->target, .level = s->options->level};
    Unit *unit = unit_build(s->arena, program, &options);
    if (unit && s->options->mem_limit)
        memory_check(s, unit);
    return unit;
}

double build_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void build_time(const Build *b, double since)
{
    if (b->session.options->time_passes)
        fprintf(stderr, "%10.6f s  llvm\n", build_clock() - since);
}

BackendOptions build_backend_options(const Build *b, bool program)
{
    return (BackendOptions){.machine = b->machine,
                            .level = b->session.options->level,
                            .debug = b->session.options->debug,
                            .program = program,
                            .source = b->source->path};
}
