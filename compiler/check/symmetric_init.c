/* ACT401: weights of a hidden layer that all start equal. */
#include "check/edit.h"
#include "check/example.h"
#include "check/flow.h"

#include <math.h>

/* What follows from equal weights in this place. */
typedef enum Verdict {
    SYMMETRY_FINE,
    SYMMETRY_START,   /* the units start as one and are only told apart by the weights behind them */
    SYMMETRY_FOREVER, /* the weights behind them are equal too: no step can tell them apart */
    SYMMETRY_DEAD     /* the activation is flat there: no gradient, ever */
} Verdict;

static bool biases_constant(const CheckContext *cx, NodeId product)
{
    const LayerUse *use = check_use(cx, product);
    for (uint32_t i = 0; use && i < use->n_tensor; i++)
        if (!flow_is_constant(&cx->g->tensors.at[use->tensor[i]]))
            return false;
    return true;
}

static Verdict judge(CheckContext *cx, NodeId product, Follow *follow)
{
    *follow = flow_follow(cx, product);
    NodeId hidden = follow->end == FOLLOW_LAYER ? follow->before : follow->node;
    if (follow->end != FOLLOW_ACTIVATION && follow->end != FOLLOW_LAYER)
        return SYMMETRY_FINE; /* the last layer, of the network or of a residual branch, and gates may start at zero */
    Reach reach = flow_reach(cx, hidden);
    if (!reach.layer || reach.gate)
        return SYMMETRY_FINE;
    if (follow->end == FOLLOW_ACTIVATION && signal_deviation(cx->signal, follow->before) == 0) {
        Sx slope;
        double at = cx->signal->value[follow->before].mean;
        sx_gradient(cx->sx, follow->fn, 1, &slope);
        if (sx_eval(cx->sx, slope, &at) == 0)
            return SYMMETRY_DEAD;
    }
    bool equal = reach.constant && !reach.random && !follow->random && biases_constant(cx, product);
    return equal ? SYMMETRY_FOREVER : SYMMETRY_START;
}

static void symmetric_init(CheckContext *cx)
{
    for (NodeId id = 1; id < cx->g->nodes.n; id++) {
        int index = cx->facts->live[id] ? facts_weight(cx->g, id) : -1;
        uint64_t units = type_last(graph_type(cx->g, id));
        if (index < 0 || units < 2 || !cx->g->tensors.at[index].trainable ||
            !flow_is_constant(&cx->g->tensors.at[index]))
            continue;
        const Tensor *tensor = &cx->g->tensors.at[index];
        Follow follow;
        Verdict verdict = judge(cx, id, &follow);
        if (verdict == SYMMETRY_FINE)
            continue;
        Str name = check_name(cx, id);
        Diag *diag = check_report(
            cx, verdict == SYMMETRY_START ? LEVEL_WARN : LEVEL_DENY, check_span(cx, id),
            verdict == SYMMETRY_DEAD      ? "the %llu units of `" STR_FMT "` never learn: all weights start at %g"
            : verdict == SYMMETRY_FOREVER ? "the %llu units of `" STR_FMT "` stay identical: all weights start at %g"
                                          : "the %llu units of `" STR_FMT "` start identical: all weights are %g",
            (unsigned long long)units, STR_ARG(name), tensor->fill.a);
        check_spot_tensor(cx, (uint32_t)index);
        diag_primary(diag, "every unit computes the same value");
        check_label_outer(cx, diag, id, "in this use");
        if (verdict == SYMMETRY_DEAD) {
            diag_label(diag, check_span(cx, follow.node), "its slope is 0 at %g, where every unit stands",
                       cx->signal->value[follow.before].mean);
            diag_note(diag, "no gradient reaches the weights, so no step changes them");
        } else if (verdict == SYMMETRY_FOREVER) {
            diag_note(
                diag,
                "the weights behind them are equal too, so every unit gets the same gradient and takes the same step");
        } else {
            diag_note(diag,
                      "only the weights behind them tell the units apart: the layer starts as one unit, %llu times",
                      (unsigned long long)units);
        }
        const char *fitting = follow.end == FOLLOW_ACTIVATION ? flow_initializer(cx, follow.fn, false) : "auto";
        diag_help(diag, "start from random weights: `%s`", fitting);
        edit_initializer(cx, diag, FIX_SAFE, tensor, fitting);
    }
}

ACT_CHECK(symmetric_init) = {
    .code = "ACT401",
    .name = "symmetric_init",
    .group = "init",
    .level = LEVEL_DENY,
    .summary = "weights of a hidden layer that all start equal",
    .doc =
        "When all weights of a layer start equal, all its units compute the same value. What comes of it depends on "
        "the rest. Behind them equal weights as well: every unit gets the same gradient, takes the same step and "
        "stays the same for ever; the layer is one unit wide, whatever is written. Zero weights in front of a relu: "
        "the slope at 0 is 0, no gradient comes back, and the layer never learns. Both are certain, so they are "
        "errors. With random weights behind them the units do part, from a bad start: a warning.\n\n"
        "Where zeros are good practice nothing is said: the last layer, the last layer of a residual branch, a gate.",
    .wrong = EXAMPLE_DIGITS("    z = image |> linear(32, weight = zeros) |> relu |> linear(10)\n"
                            "    loss cross_entropy(z, label)\n"),
    .right = EXAMPLE_DIGITS("    z = image |> linear(32, weight = kaiming_normal) |> relu |> linear(10, weight = zeros)\n"
                            "    loss cross_entropy(z, label)\n"),
    .silences = {"ACT304", "ACT305", "ACT306", "ACT307", "ACT308", "ACT402", "ACT407"},
    .run = symmetric_init,
};
