/* Pages of optimizers and schedules. */
#include "check/explain.h"
#include "check/explain_plot.h"

#include <math.h>

static const TrainUse *probe_train(Page *page, const char *settings)
{
    Program *program = probe_program(page,
                                     "model explained {\n    input x : f32[4]\n    target y : f32[2]\n"
                                     "    loss mse(x |> linear(2), y)\n}\ntrain explained {\n    epochs 1\n    %s\n}\n",
                                     settings);
    return program && program->models.n ? program->models.at[program->models.n - 1]->train : NULL;
}

static const OptimizerUse *probe_optimizer(Page *page, Str use)
{
    const TrainUse *train =
        probe_train(page, str_c(page->out->arena, str_printf(page->out->arena, "optimizer " STR_FMT, STR_ARG(use))));
    return train && train->optimizers.n ? train->optimizers.at[0] : NULL;
}

/* ── the update, applied to one weight ── */
typedef struct Weight {
    double args[64]; /* w, g, states, step, lr_scale */
} Weight;

static double step_once(SxPool *sx, const OptimizerUse *use, Weight *weight, double gradient, unsigned step)
{
    unsigned states = use->state.n;
    double before = weight->args[0];
    weight->args[1] = gradient;
    weight->args[2 + states] = step;
    weight->args[3 + states] = 1;
    for (uint32_t i = 0; i < use->update.n; i++) {
        const OptimizerUpdate *update = &use->update.at[i];
        double value = sx_eval(sx, update->value, weight->args);
        weight->args[update->target ? 1 + update->target : 0] = value;
    }
    return weight->args[0] - before;
}

static void start(const OptimizerUse *use, Weight *weight)
{
    *weight = (Weight){.args = {0}};
    for (uint32_t i = 0; i < use->state.n; i++)
        weight->args[2 + i] = use->state_init.at[i];
}

static void steps(Page *page, SxPool *sx, const OptimizerUse *use)
{
    static const double gradients[] = {1e-3, 0.1, 1, 100};
    page_heading(page, "How far a weight at 0 goes under a gradient that stays the same");
    text_printf(page->out, "  %10s%14s%14s%14s\n", "gradient", "step 1", "step 10", "step 100");
    for (unsigned i = 0; i < sizeof gradients / sizeof gradients[0]; i++) {
        Weight weight;
        start(use, &weight);
        text_printf(page->out, "  %10.4g", gradients[i]);
        for (unsigned n = 1; n <= 100; n++) {
            double moved = step_once(sx, use, &weight, gradients[i], n);
            if (n == 1 || n == 10 || n == 100)
                text_printf(page->out, "%14.3g", moved);
        }
        text_putc(page->out, '\n');
    }
}

static void updates(Page *page, SxPool *sx, const OptimizerUse *use)
{
    Arena *arena = page->out->arena;
    const char *names[64] = {"w", "g"};
    for (uint32_t i = 0; i < use->state.n; i++)
        names[2 + i] = str_c(arena, use->state.at[i]);
    names[2 + use->state.n] = "step";
    names[3 + use->state.n] = "rate_scale";
    page_heading(page, "Updates with the defaults, in order (rate_scale is the schedule's factor)");
    for (uint32_t i = 0; i < use->update.n; i++) {
        uint32_t target = use->update.at[i].target;
        page_row(page, target ? names[1 + target] : "w", "= " STR_FMT,
                 STR_ARG(page_formula(sx, use->update.at[i].value, names, arena)));
    }
}

static void state_row(Page *page, const OptimizerUse *use, const char *label)
{
    Text text = {.arena = page->out->arena};
    for (uint32_t i = 0; i < use->state.n; i++)
        text_printf(&text, "%s" STR_FMT, i ? ", " : ": ", STR_ARG(use->state.at[i]));
    page_row(page, label, "%u bytes per parameter" STR_FMT, 4 * use->state.n, STR_ARG(text_str(&text)));
}

/* An argument that is off by default may bring a state of its own. */
static void states(Page *page, const Def *def, const OptimizerUse *use)
{
    page_heading(page, "Memory for its states, beside 4 bytes of weight and 4 of gradient");
    state_row(page, use, "defaults");
    for (uint32_t i = 0; i < use->number.n; i++) {
        Str name = use->number.at[i].name;
        if (use->number.at[i].value != 0)
            continue;
        Str other = str_printf(page->out->arena, STR_FMT "(" STR_FMT " = 0.9)", STR_ARG(def->name), STR_ARG(name));
        const OptimizerUse *with = probe_optimizer(page, other);
        if (with && with->state.n != use->state.n)
            state_row(page, with, str_c(page->out->arena, str_printf(page->out->arena, STR_FMT, STR_ARG(name))));
    }
}

void explain_optimizer(Page *page, const Def *def)
{
    page_definition(page, def, "optimizer");
    page_parameters(page, def->ast);
    Str name = def->name;
    const OptimizerUse *use = probe_optimizer(page, name);
    if (!use)
        return;
    Program *program = probe_program(page,
                                     "model explained {\n    input x : f32[4]\n    target y : f32[2]\n"
                                     "    loss mse(x |> linear(2), y)\n}\ntrain explained {\n    epochs 1\n"
                                     "    optimizer " STR_FMT "\n}\n",
                                     STR_ARG(name));
    const Model *model = program->models.at[program->models.n - 1];
    use = model->train->optimizers.at[0];
    SxPool *sx = program->sx;
    if (use->state.n > 20)
        return;
    updates(page, sx, use);
    states(page, def, use);
    steps(page, sx, use);
}

/* ── schedules ── */
typedef struct Rate {
    SxPool *sx;
    Sx fn;
    double total;
} Rate;

static double rate_at(const void *context, double x)
{
    const Rate *rate = context;
    return sx_eval(rate->sx, rate->fn, (double[]){fmax(1, floor(x)), rate->total});
}

void explain_schedule(Page *page, const Def *def)
{
    enum { TOTAL = 3000 };
    page_definition(page, def, "schedule");
    Program *program = probe_program(page,
                                     "model explained {\n    input x : f32[4]\n    target y : f32[2]\n"
                                     "    loss mse(x |> linear(2), y)\n}\ntrain explained {\n    epochs 1\n"
                                     "    schedule " STR_FMT "(warmup = %d)\n}\n",
                                     STR_ARG(def->name), TOTAL / 10);
    bool warm = program != NULL;
    if (!program)
        program = probe_program(page,
                                "model explained {\n    input x : f32[4]\n    target y : f32[2]\n"
                                "    loss mse(x |> linear(2), y)\n}\ntrain explained {\n    epochs 1\n"
                                "    schedule " STR_FMT "\n}\n",
                                STR_ARG(def->name));
    page_parameters(page, def->ast);
    const TrainUse *train = program && program->models.n ? program->models.at[program->models.n - 1]->train : NULL;
    if (!train || !train->schedule)
        return;
    Rate rate = {program->sx, train->schedule, TOTAL};
    page_heading(
        page, "The factor on the rate over %d steps%s", TOTAL,
        warm ? str_c(page->out->arena, str_printf(page->out->arena, ", the first %d of them warm-up", TOTAL / 10))
             : "");
    PlotCurve curve = {"factor by step", rate_at, &rate};
    plot_curves(page->out, &curve, 1, 0, TOTAL, page->width, page->unicode);
    page_row(page, "in step", "1: %.4g, %d: %.4g, %d: %.4g, %d: %.4g", rate_at(&rate, 1), TOTAL / 10,
             rate_at(&rate, TOTAL / 10), TOTAL / 2, rate_at(&rate, TOTAL / 2), TOTAL, rate_at(&rate, TOTAL));
}
