/* ACT215: a loss summed over the batch. */
#include "check/edit.h"
#include "check/example.h"
#include "check/optimiser.h"

static bool covers(Span outer, Span inner)
{
    return outer.source == inner.source && outer.begin <= inner.begin && inner.end <= outer.end;
}

/* Is the loss multiplied or divided where it is used? Then its size has been thought of. */
static bool is_scaled(const CheckContext *cx, const LossCall *loss)
{
    for (const Ast *e = edit_find(cx, loss->span); e; e = edit_parent(cx, e)) {
        if (e->kind == AST_BINARY && (e->text.p[0] == '*' || e->text.p[0] == '/'))
            return true;
        if (e->kind == AST_LOSS || !covers(loss->statement, e->span))
            return false;
    }
    return true; /* not in the user's text */
}

/* Weights that are values may add up to one, and the sum is then a mean. */
static bool is_weighted(const Ast *call)
{
    const Ast *weight = edit_argument(call, "weight");
    return weight && weight->kid[0]->kind != AST_LIST;
}

/* Adam's steps do not depend on the size of the gradient; clipping, which looks at it, does. */
static bool is_indifferent(const CheckContext *cx)
{
    const TrainUse *train = cx->model->train;
    if (train == NULL || train->optimizers.n == 0 || train->clip_norm > 0 || train->clip_value > 0)
        return false;
    for (uint32_t i = 0; i < train->optimizers.n; i++)
        if (!optimiser_of(cx, train->optimizers.at[i]).invariant)
            return false;
    return true;
}

static void sum_reduction(CheckContext *cx)
{
    for (uint32_t i = 0; i < cx->model->losses.n; i++) {
        const LossCall *loss = &cx->model->losses.at[i];
        const Ast *call = edit_find(cx, loss->span), *argument = edit_argument(call, "reduction");
        if (loss->mean || argument == NULL || is_weighted(call) || is_scaled(cx, loss))
            continue;
        const TrainUse *train = cx->model->train;
        bool indifferent = is_indifferent(cx);
        Diag *diag = check_report(cx, indifferent ? LEVEL_NOTE : LEVEL_WARN, argument->span,
                                  "the loss is summed over the batch, so its gradient grows with the batch");
        check_spot_loss(cx, loss);
        diag_primary(diag, "a batch of twice as many rows has a gradient twice as large");
        if (indifferent) {
            diag_note(diag, "the optimizer divides by the gradient's size, so steps are not larger here");
        } else if (train && train->optimizers.n && train->optimizers.at[0]->lr > 0 && train->clip_norm == 0 &&
                   train->clip_value == 0) {
            double lr = train->optimizers.at[0]->lr;
            diag_note(diag, "with %u rows a batch the rate of %g acts like %g on the mean", train->batch, lr,
                      lr * train->batch);
        }
        diag_help(diag, "use `reduction = mean`, which is the default, or divide the sum by a number of your own");
        diag_fix(diag, FIX_UNSAFE, argument->kid[0]->span, "mean");
    }
}

ACT_CHECK(sum_reduction) = {
    .code = "ACT215",
    .name = "sum_reduction",
    .group = "output",
    .level = LEVEL_WARN,
    .summary = "a loss summed over the batch: the rate depends on its size",
    .doc =
        "A loss with `reduction = sum` adds up over the batch and over the elements of a row. Its gradient is as "
        "many times larger than that of the mean as there are rows, so the learning rate means something else with "
        "every batch size: gradient descent with rate 0.1 and 64 rows takes the steps of rate 6.4 on the mean. The "
        "last, smaller batch of an epoch takes smaller steps, and a penalty beside the loss weighs less the larger "
        "the batch.\n\n"
        "Under an optimizer that divides by the gradient's size (Adam, RMSprop) without clipping the steps stay as "
        "they are: a note. A sum that is multiplied or divided in the `loss` statement, or weighted by values, is "
        "not reported.",
    .wrong = EXAMPLE_HOUSE("    p = x |> linear(32) |> relu |> linear(1)\n"
                           "    loss mse(p, y, reduction = sum)\n")
             "train house {\n"
             "    batch     64\n"
             "    optimizer sgd(lr = 0.01)\n"
             "}\n",
    .right = EXAMPLE_HOUSE("    p = x |> linear(32) |> relu |> linear(1)\n"
                           "    loss mse(p, y)\n")
             "train house {\n"
             "    batch     64\n"
             "    optimizer sgd(lr = 0.01)\n"
             "}\n",
    .run = sum_reduction,
};
