/* ACT901: a learning rate that cannot work, by its sign, by its optimizer's family, or by the curvature predicted for
 * the last layer. */
#include "check/edit.h"
#include "check/example.h"
#include "check/optimiser.h"

#include <math.h>

/* Limits are exclusive: published recipes use Adam at 0.01 and gradient descent at 0.1, and more with large batches. */
static const double most_adam = 1e-2, least_adaptive = 1e-7;  /* UMLAUT's limits for Adam */
static const double most_other_adaptive = 0.1;                /* RMSprop, where steps of 0.045 are published */
static const double most_descent = 1;
static const double recipe_batch = 256; /* rates grow in proportion beyond it (Goyal et al. 2017) */
static const double most_ratio = 0.1;   /* of a step to a weight; healthy ones are near 1e-3 */
static const double beyond_bound = 10;  /* times the bound: past what a network recovers from by itself */

static Diag *report(CheckContext *cx, const OptimizerUse *use, Level level, const char *text)
{
    return check_report(cx, level, optimiser_span(cx, use, "lr"), "the learning rate %g %s", use->lr, text);
}

static void fix(CheckContext *cx, Diag *diag, const OptimizerUse *use, double rate)
{
    const Ast *call = edit_optimizer_call(cx, use), *arg = edit_argument(call, "lr");
    const Ast *value = arg ? arg->kid[0] : NULL;
    if (value == NULL && call && call->n_kid > 1 && call->kid[1]->kind == AST_ARG && call->kid[1]->text.n == 0)
        value = call->kid[1]->kid[0]; /* sgd(0.1) */
    if (value)
        diag_fix(diag, FIX_UNSAFE, value->span, "%g", rate);
}

/* ── the bound of the last layer ── */
typedef struct Bound {
    double rate;     /* the greatest at which the last layer can settle; NaN: not known */
    NodeId product;
    double features, size, common; /* of the layer's input: how many, E h², the share two samples have in common */
} Bound;

/* Second derivative of the loss, averaged as it is, with respect to one output of an untrained network. */
static double curvature(const CheckContext *cx, const LossCall *loss)
{
    const Type *type = graph_type(cx->g, loss->prediction);
    if (loss->classes)
        return loss->wants_logits ? 1 / (double)type_last(type) : NAN; /* diag(p) - p pᵀ at p = 1 / K */
    Sx term = facts_loss_term(cx->facts, loss), first[2], second[2];
    if (term == 0 || loss->wants_probabilities || loss->wants_log_probabilities)
        return NAN;
    sx_gradient(cx->sx, term, 2, first);
    sx_gradient(cx->sx, first[0], 2, second);
    return sx_eval(cx->sx, second[0], (double[]){0, 0.5}) / (double)type_elements(type);
}

/* The one loss of the model, taken as it is: not summed, not scaled, not added to another. */
static const LossCall *only_loss(const CheckContext *cx)
{
    if (cx->model->losses.n != 1 || cx->model->loss_uses.n != 1 || !cx->model->losses.at[0].mean)
        return NULL;
    const LossCall *loss = &cx->model->losses.at[0];
    const Ast *call = edit_find(cx, loss->span), *parent = call ? edit_parent(cx, call) : NULL;
    return parent && parent->kind == AST_LOSS && !edit_argument(call, "weight") ? loss : NULL;
}

/* Gradient descent on the last layer alone: with h its n inputs, the greatest eigenvalue of the loss's second
 * derivative is about curvature * (n E h² c + 1), c being what two samples have in common (and 1 the bias), and steps
 * above 2 (1 + momentum) over it grow. */
static Bound bound_of(CheckContext *cx, const Optimiser *o)
{
    const LossCall *loss = only_loss(cx);
    Bound bound = {.rate = NAN};
    if (loss == NULL)
        return bound;
    Head head = check_head(cx, loss->prediction);
    NodeId product = cx->facts->weighted[loss->prediction];
    int weight = product ? facts_weight(cx->g, product) : -1;
    if (weight < 0 || head.softmax || !cx->g->tensors.at[weight].trainable ||
        type_elements(graph_type(cx->g, product)) != type_elements(graph_type(cx->g, loss->prediction)))
        return bound;
    const Moments *h = &cx->signal->value[graph_node(cx->g, product)->in[0]];
    double passed = cx->signal->gradient[product] / cx->signal->gradient[loss->prediction];
    bound.product = product;
    bound.features = (double)type_last(graph_type(cx->g, graph_node(cx->g, product)->in[0]));
    bound.size = fmin(h->second, h->second_low);
    bound.common = fmax(h->corr, 1 / bound.features);
    double momentum = 1 - 1 / fmax(1, o->memory);
    double eigenvalue = curvature(cx, loss) * passed * (bound.features * bound.size * bound.common + 1);
    bound.rate = eigenvalue > 0 && isfinite(eigenvalue) ? 2 * (1 + momentum) / eigenvalue : NAN;
    return bound;
}

/* ── the families ── */
/* The greatest share of a layer's weights that one step of this size moves. */
static double worst_ratio(const CheckContext *cx, double step, const Tensor **worst)
{
    double most = 0;
    for (uint32_t i = 0; i < cx->g->tensors.n; i++) {
        const Tensor *t = &cx->g->tensors.at[i];
        if (t->role == ROLE_PARAM && t->trainable && t->weight && t->deviation > 0 && step / t->deviation > most) {
            most = step / t->deviation;
            *worst = t;
        }
    }
    return most;
}

static void check_adaptive(CheckContext *cx, const OptimizerUse *use, const Optimiser *o, double peak, double rows)
{
    double rate = use->lr * peak, size = fmax(1, rows / recipe_batch);
    bool adam = fabs(-o->first - use->lr) < 0.05 * use->lr; /* its first step is the rate: Adam, and signs */
    const Tensor *worst = NULL;
    double ratio = worst_ratio(cx, rate, &worst);
    if (rate < least_adaptive) {
        Diag *diag = report(cx, use, LEVEL_WARN, "is too small to change a weight in any usual run");
        diag_primary(diag, "the size of a step, whatever the gradient");
        diag_note(diag, "a weight of 0.05 wants %g steps in one direction to double", 0.05 / rate);
        diag_help(diag, "1e-3 is a good start for `" STR_FMT "`", STR_ARG(use->name));
        fix(cx, diag, use, 1e-3);
    } else if (rate > (adam ? most_adam : most_other_adaptive) * size * (1 + 1e-9) && ratio > most_ratio) {
        Diag *diag = report(cx, use, LEVEL_WARN, "is large for an optimizer whose steps do not depend on the gradient");
        diag_primary(diag, "the size of a step, whatever the gradient");
        diag_note(diag,
                  "the weights of `" STR_FMT "` start with a deviation of %.2g: one step moves each by %.2g of that",
                  STR_ARG(worst->name), worst->deviation, ratio);
        diag_help(diag, "1e-3 is a good start for `" STR_FMT "`", STR_ARG(use->name));
        fix(cx, diag, use, 1e-3);
    }
}

static double one_digit(double x)
{
    double power = pow(10, floor(log10(x)));
    return floor(x / power) * power;
}

static void check_descent(CheckContext *cx, const OptimizerUse *use, const Optimiser *o, double peak, double rows)
{
    double rate = use->lr * peak;
    if (cx->model->train->clip_norm > 0 || cx->model->train->clip_value > 0)
        return; /* then the clipped norm says how far a step goes */
    Bound bound = bound_of(cx, o);
    double most = most_descent * fmax(1, rows / recipe_batch) * (1 + 1e-9);
    if (rate > beyond_bound * bound.rate) {
        Diag *diag = report(cx, use, LEVEL_WARN, "is far above what the last layer can settle at");
        if (rate <= most) /* else it is too large whatever makes the inputs large */
            check_spot_loss(cx, &cx->model->losses.at[0]);
        diag_primary(diag, "%.2g times the predicted bound of %.2g", rate / bound.rate, bound.rate);
        diag_label(diag, check_span(cx, bound.product),
                   "gets %g values of mean square %.2g, of which samples share %.2g", bound.features, bound.size,
                   bound.common);
        diag_note(diag, "beyond the bound each step overshoots by more than it mends, and the loss grows");
        diag_help(diag, "start at or below the bound, or warm up to it with a schedule");
        fix(cx, diag, use, one_digit(bound.rate));
    } else if (rate > most && !(rate <= bound.rate)) {
        Diag *diag = report(cx, use, LEVEL_WARN, "is large for gradient descent");
        diag_primary(diag, "above 1");
        diag_help(diag, "0.1 with normalised layers, 0.01 without, are good starts; `clip norm(1.0)` bounds the steps");
        fix(cx, diag, use, 0.1);
    }
}

static void check_one(CheckContext *cx, const OptimizerUse *use)
{
    const TrainUse *train = cx->model->train;
    Optimiser o = optimiser_of(cx, use);
    double rows = (double)train->batch * train->accumulate, peak = optimiser_peak(cx, 0);
    if (isnan(use->lr))
        return;
    if (use->lr <= 0 && !(o.step < 0)) {
        bool uphill = o.step > 0;
        Diag *diag = report(cx, use, use->group.n && !uphill ? LEVEL_WARN : LEVEL_DENY,
                            uphill ? "walks up the gradient" : "changes nothing");
        diag_primary(diag, uphill ? "every step makes the loss larger" : "every step is zero");
        diag_help(diag, uphill ? "a learning rate is positive: the optimizer subtracts by itself"
                               : "a learning rate is positive; `trainable = false` freezes a layer");
        if (uphill)
            fix(cx, diag, use, -use->lr);
    } else if (o.invariant && use->lr > 0 && peak > 0) {
        check_adaptive(cx, use, &o, peak, rows);
    } else if (o.linear && use->lr > 0) {
        check_descent(cx, use, &o, peak, rows);
    }
}

static void lr_range(CheckContext *cx)
{
    const TrainUse *train = cx->model->train;
    for (uint32_t i = 0; train && i < train->optimizers.n; i++)
        check_one(cx, train->optimizers.at[i]);
}

ACT_CHECK(lr_range) = {
    .code = "ACT901",
    .name = "lr_range",
    .group = "optimiser",
    .level = LEVEL_WARN,
    .summary = "a learning rate that is not positive, far too large or far too small",
    .doc =
        "A rate of zero changes nothing and a negative one climbs: errors. Beyond that it depends on the optimizer, "
        "whose family is found by running it on single weights.\n\n"
        "Adam's steps are as large as the rate, whatever the gradient. Above 0.01 and more than a tenth of the "
        "deviation with which some layer's weights start, the first steps overwrite the initialization; below 1e-7 "
        "nothing changes in any usual run. Plain gradient descent scales with the gradient, and how far it can go is "
        "set by the curvature of the loss. For the last layer that can be predicted: with n inputs h the largest "
        "eigenvalue is about k (n E h² c + 1), where c is what two samples have in common and k the loss's second "
        "derivative in one output (2 / K for a mean squared error over K outputs, 1 / K for an untrained softmax "
        "over K classes). Steps above 2 over that grow. The rule speaks from ten times this bound, or above 1 where "
        "it is not known.\n\n"
        "All limits are exclusive and grow with batches beyond 256. The largest factor of the schedule counts. "
        "Clipped gradients, and losses that are scaled or added, have no predicted bound.",
    .wrong = EXAMPLE_HOUSE("    loss mse(x |> linear(64) |> relu |> linear(1), y)\n")
             "train house {\n"
             "    optimizer sgd(lr = 3)\n"
             "}\n",
    .right = EXAMPLE_HOUSE("    loss mse(x |> linear(64) |> relu |> linear(1), y)\n")
             "train house {\n"
             "    optimizer sgd(lr = 0.03)\n"
             "}\n",
    .run = lr_range,
};
