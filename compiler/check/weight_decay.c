/* ACT607: weight decay that is too strong, or that Adam divides away. */
#include "check/edit.h"
#include "check/example.h"
#include "check/optimiser.h"

#include <math.h>

/* Limits are exclusive. Added to the gradient: DeepChecker's limit for over-regularisation. Apart from it: the largest
 * in well-known recipes (vision transformers trained from scratch with AdamW). */
static const double most_in_gradient = 0.1, most_apart = 0.3;

static void report_strong(CheckContext *cx, const OptimizerUse *use, const Optimiser *o, bool mixed, Diag **diag)
{
    *diag = check_report(cx, LEVEL_WARN, optimiser_span(cx, use, "weight_decay"),
                         "a weight decay of %g leaves little for the loss to decide", use->weight_decay);
    diag_primary(*diag, mixed ? "added to every gradient" : "pulls every weight to zero");
    if (!mixed && o->decay > 0 && o->decay < 1)
        diag_note(*diag, "a weight that the loss does not hold is halved every %s steps",
                  str_c(cx->arena, check_number(cx->arena, ceil(log(2) / o->decay))));
    diag_help(*diag, "values from 1e-4 (added to the gradient) to 0.1 (AdamW) are usual");
}

static void weight_decay(CheckContext *cx)
{
    const TrainUse *train = cx->model->train;
    for (uint32_t i = 0; train && i < train->optimizers.n; i++) {
        const OptimizerUse *use = train->optimizers.at[i];
        if (!(use->weight_decay > 0) || !(use->lr > 0))
            continue;
        Optimiser o = optimiser_of(cx, use);
        bool mixed = o.decay_mixed && o.invariant;
        double most = mixed || o.linear ? most_in_gradient : most_apart;
        Diag *diag;
        if (use->weight_decay > most * (1 + 1e-9)) {
            report_strong(cx, use, &o, mixed, &diag);
        } else if (mixed) {
            diag = check_report(cx, LEVEL_NOTE, optimiser_span(cx, use, "weight_decay"),
                                "`" STR_FMT "` divides the weight decay by the size of the gradient",
                                STR_ARG(use->name));
            diag_primary(diag, "added to the gradient, in front of the averages");
            diag_note(diag, "weights with large gradients hardly decay, those with small ones decay by the whole rate");
            diag_help(diag, "`adamw` keeps the decay apart from the gradient");
        } else {
            continue;
        }
        const Ast *call = edit_optimizer_call(cx, use);
        if (mixed && use->library && call && str_is(use->name, "adam") && str_is(call->kid[0]->text, "adam") &&
            use->weight_decay <= most_apart)
            diag_fix(diag, FIX_UNSAFE, call->kid[0]->span, "adamw");
    }
}

ACT_CHECK(weight_decay) = {
    .code = "ACT607",
    .name = "weight_decay",
    .group = "regularisation",
    .level = LEVEL_WARN,
    .summary = "weight decay that is too strong, or added to Adam's gradient",
    .doc =
        "Weight decay takes a share of every weight in each step. Added to the gradient (L2, as in `sgd` and `adam`) "
        "a coefficient above 0.1 outweighs the loss in most networks; kept apart, as in `adamw`, published recipes "
        "go up to 0.3. Both limits are exclusive.\n\n"
        "`adam` divides the gradient by a running average of its size, and with it the decay that was added: a "
        "weight with a large gradient hardly decays, one whose gradient is zero is moved by the whole learning rate. "
        "That is not what the coefficient says, and AdamW was made to mend it (Loshchilov and Hutter 2019); a note. "
        "Whether an optimizer adds or keeps apart is found by running it on single weights, so one's own is known "
        "too.",
    .wrong = EXAMPLE_HOUSE_RUN("    optimizer adam(lr = 1e-3, weight_decay = 0.2)\n"),
    .right = EXAMPLE_HOUSE_RUN("    optimizer adamw(lr = 1e-3, weight_decay = 0.01)\n"),
    .run = weight_decay,
};
