/* actc report: what a network consists of and what it will do, layer by layer. */
#include "driver/build.h"
#include "driver/cost.h"
#include "driver/memory.h"
#include "driver/report.h"

static int report_run(Arena *arena, Options *options)
{
    if (options->files.n != 1)
        return usage_error(options, options->files.n ? STR("one file at a time") : STR("no file to report on"),
                           STR("actc report model.act"));
    Session s;
    session_begin(&s, arena, options);
    Str why, help;
    if (options->cpu.n && !machine_select(arena, (Str){0}, options->cpu, &why, &help))
        return session_fail(&s, EXIT_USAGE, why, help);
    const Source *source = session_read(&s, options->files.at[0]);
    if (!source)
        return EXIT_USAGE;
    Program *program = session_program(&s, source);
    Unit *unit = options->mem_limit || options->mem_report || options->cost ? build_to_look_at(&s, program) : NULL;
    int code = session_report(&s);
    Text text = {.arena = arena};
    unsigned reported = 0;
    if (unit && options->mem_report) {
        int printed = memory_report(&s, unit);
        return code > printed ? code : printed;
    }
    if (unit && options->cost) {
        int printed = cost_report(&s, unit);
        return code > printed ? code : printed;
    }
    for (uint32_t i = 0; i < program->models.n; i++) {
        const Model *model = program->models.at[i];
        if (model->poisoned)
            continue;
        if (reported++ && options->format == TABLE_TEXT)
            text_putc(&text, '\n');
        Report report = report_of(arena, &s.sources, model);
        if (options->format == TABLE_JSON)
            report_print_json(&report, &text);
        else
            report_print_table(arena, &report, &text);
    }
    int printed = print_text(options, text_str(&text));
    code = code > printed ? code : printed;
    if (!reported && !code)
        return session_fail(&s, EXIT_PROBLEMS,
                            str_printf(arena, "`" STR_FMT "` defines no model", STR_ARG(source->path)), (Str){0});
    return code;
}

ACT_COMMAND(report) = {
    .name = "report",
    .usage = "report [options] MODEL.act",
    .summary = "every layer: shape, parameters, cost, and what it will do to signal and gradient",
    .doc =
        "Prints a row for every layer: its shape without the batch, its own parameters, the floating-point operations "
        "and bytes of one row on the way forward, its initializer. Then what is predicted before any training: the "
        "standard deviation of its values, the gradient against that of the last layer, dead and saturated units, "
        "the "
        "size of the first update, and for the whole network the gradient ratio with the band in which nine "
        "networks "
        "of ten lie, and the loss before training. JSON: an object a layer, then one for the model.\n\n"
        "--mem-report prints instead what the compiled network takes of memory, in the same two forms: a row for every "
        "layer with its weights, their transposed copies, the optimizer's state, and the activations and gradients of "
        "a training step; then the blocks a program allocates, and what other batches would take.\n\n"
        "--cost prints instead what every kernel of a training step costs for the processor of --cpu: operations, the bytes it "
        "cannot avoid to read and write, and the time these predict on one thread, with what binds it: arithmetic or memory.",
    .examples = "actc report model.act\n"
                "actc report model.act --format=json\n"
                "actc report model.act --mem-report\n"
                "actc report model.act --cost --cpu znver4\n",
    .run = report_run,
};
