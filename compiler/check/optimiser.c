#include "check/optimiser.h"

#include "check/edit.h"

#include <math.h>

enum { SETTLING = 200, MEASURED = 50 }; /* steps until momentum runs steadily, and steps that are averaged then */

/* One weight under a constant gradient; w moves from `start`. */
typedef struct Walk {
    double w;
    double first;  /* after the first step */
    double steady; /* mean change of a step at the end */
} Walk;

static Walk walk(const CheckContext *cx, const OptimizerUse *use, double start, double gradient, uint32_t steps)
{
    uint32_t n = use->state.n;
    double *a = arena_array(cx->arena, double, n + 4);
    Walk walk = {.first = start};
    a[0] = start;
    for (uint32_t i = 0; i < n; i++)
        a[2 + i] = use->state_init.at[i];
    a[3 + n] = 1;
    double before = start;
    for (uint32_t step = 1; step <= steps; step++) {
        a[1] = gradient;
        a[2 + n] = step;
        if (step + MEASURED == steps + 1)
            before = a[0];
        for (uint32_t i = 0; i < use->update.n; i++) {
            const OptimizerUpdate *update = &use->update.at[i];
            a[update->target ? 1 + update->target : 0] = sx_eval(cx->sx, update->value, a);
        }
        if (step == 1)
            walk.first = a[0];
    }
    walk.w = a[0];
    walk.steady = (a[0] - before) / MEASURED;
    return walk;
}

static bool near(double a, double b) { return fabs(a - b) <= 0.01 * fabs(b); }

Optimiser optimiser_of(const CheckContext *cx, const OptimizerUse *use)
{
    Optimiser o = {0};
    double one = walk(cx, use, 0, 1, 3).w, many = walk(cx, use, 0, 1000, 3).w;
    o.linear = near(many, 1000 * one);
    o.invariant = near(many, one);
    Walk steady = walk(cx, use, 0, 1, SETTLING + MEASURED);
    o.first = steady.first;
    o.step = steady.steady;
    o.memory = o.linear && use->lr != 0 ? fabs(o.step / use->lr) : 1;
    double large = 1 - walk(cx, use, 1, 0, 1).first, small = 0.01 - walk(cx, use, 0.01, 0, 1).first;
    o.decay = large;
    o.decay_mixed = large > 0 && small > 0.5 * large; /* in proportion it would be a hundredth */
    return o;
}

static double peak_of(const CheckContext *cx, Sx schedule, double total)
{
    enum { SAMPLES = 1000 };
    double most = 0;
    for (uint32_t i = 0; i <= SAMPLES; i++) {
        double now = 1 + floor((total - 1) * i / SAMPLES);
        most = fmax(most, sx_eval(cx->sx, schedule, (double[]){now, total}));
    }
    return most;
}

double optimiser_peak(const CheckContext *cx, double total)
{
    Sx schedule = cx->model->train ? cx->model->train->schedule : 0;
    if (schedule == 0)
        return 1;
    if (total > 0)
        return peak_of(cx, schedule, total);
    double least = INFINITY;
    for (double steps = 100; steps <= 1e5; steps *= 10)
        least = fmin(least, peak_of(cx, schedule, steps));
    return least;
}

double optimiser_number(const OptimizerUse *use, const char *name)
{
    for (uint32_t i = 0; i < use->number.n; i++)
        if (str_is(use->number.at[i].name, name))
            return use->number.at[i].value;
    return NAN;
}

Span optimiser_span(const CheckContext *cx, const OptimizerUse *use, const char *name)
{
    const Ast *arg = edit_argument(edit_optimizer_call(cx, use), name);
    if (arg)
        return arg->span;
    const Source *source = source_get(cx->program->sources, use->span.source);
    return source && !source->library ? use->span : cx->model->train->span;
}
