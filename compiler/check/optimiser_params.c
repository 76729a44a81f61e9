/* ACT902: optimizer arguments outside the range in which the formula means anything. */
#include "check/edit.h"
#include "check/example.h"
#include "check/optimiser.h"

#include <math.h>

/* Below this eps does nothing in single precision: it is lost beside the root of any average above 1e-12 (the limit of
 * DeepChecker is 1e-16; published recipes go down to 1e-12). */
static const double least_eps = 1e-12;

static const char *const averages[] = {"momentum", "beta1", "beta2", "alpha", "rho", "beta"};

static Diag *report(CheckContext *cx, const OptimizerUse *use, Level level, const char *name, const char *text)
{
    Str value = edit_number(cx->arena, optimiser_number(use, name));
    return check_report(cx, level, optimiser_span(cx, use, name), "`%s = " STR_FMT "` %s", name, STR_ARG(value), text);
}

static void check_averages(CheckContext *cx, const OptimizerUse *use)
{
    for (unsigned i = 0; i < sizeof averages / sizeof averages[0]; i++) {
        double value = optimiser_number(use, averages[i]);
        if (isnan(value) || (value >= 0 && value < 1))
            continue;
        Diag *diag = report(cx, use, LEVEL_DENY, averages[i], "lies outside [0, 1)");
        diag_primary(diag, value >= 1 ? "the past never fades: steps grow without end"
                                      : "every step turns back what the last one did");
        diag_help(diag, i == 0 ? "0.9 is usual" : "0.9 for a gradient's average and 0.999 for its square's are usual");
    }
}

static void check_eps(CheckContext *cx, const OptimizerUse *use)
{
    double eps = optimiser_number(use, "eps");
    if (isnan(eps) || eps >= least_eps)
        return;
    Diag *diag = eps <= 0 ? report(cx, use, LEVEL_DENY, "eps", "allows a division by zero")
                          : report(cx, use, LEVEL_WARN, "eps", "is too small to matter");
    diag_primary(diag, eps <= 0 ? "stands beside the root of the average of squares"
                                : "the step of a weight without gradient is rounding noise over rounding noise");
    if (eps <= 0)
        diag_note(diag, "a weight whose gradient is exactly 0, as behind a relu that is off, becomes not a number");
    diag_help(diag, "1e-8 is usual");
    const Ast *arg = edit_argument(edit_optimizer_call(cx, use), "eps");
    if (arg)
        diag_fix(diag, FIX_UNSAFE, arg->kid[0]->span, "1e-8");
}

static void check_decay(CheckContext *cx, const OptimizerUse *use)
{
    if (!(use->weight_decay < 0))
        return;
    Diag *diag = report(cx, use, LEVEL_WARN, "weight_decay", "is negative");
    diag_primary(diag, "weights grow, or nothing happens, as the optimizer has it");
    diag_help(diag, "weight decay is zero or greater");
}

static void optimiser_params(CheckContext *cx)
{
    const TrainUse *train = cx->model->train;
    for (uint32_t i = 0; train && i < train->optimizers.n; i++) {
        const OptimizerUse *use = train->optimizers.at[i];
        if (!use->library)
            continue; /* only the author knows what its arguments mean */
        check_averages(cx, use);
        check_eps(cx, use);
        check_decay(cx, use);
    }
}

ACT_CHECK(optimiser_params) = {
    .code = "ACT902",
    .name = "optimiser_params",
    .group = "optimiser",
    .level = LEVEL_DENY,
    .summary = "optimizer arguments outside their range",
    .doc =
        "The running averages of an optimizer keep a share of the past: `momentum`, `beta1`, `beta2` and `alpha` lie "
        "in [0, 1). At 1 the past never fades and the steps grow without end; below 0 every step turns back what the "
        "last one did.\n\n"
        "`eps` stands beside the root of the average of squared gradients. At 0 a weight whose gradient is exactly "
        "zero is divided 0 by 0, and behind a relu that is common: the weight is not a number from then on. Below "
        "1e-12 it is too small to matter in single precision: a warning, as for a weight decay below zero.",
    .wrong = EXAMPLE_HOUSE_RUN("    optimizer adam(lr = 1e-3, eps = 0)\n"),
    .right = EXAMPLE_HOUSE_RUN("    optimizer adam(lr = 1e-3)\n"),
    .run = optimiser_params,
};
