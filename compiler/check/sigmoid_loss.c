/* Sigmoid where the loss wants logits: 202 double_sigmoid, 204 sigmoid_with_ce. */
#include "check/edit.h"
#include "check/example.h"

#include <math.h>

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }

/* A sigmoid, or one that is scaled and shifted behind: 2 * sigmoid(z). */
static bool ends_in_sigmoid(CheckContext *cx, const Head *head)
{
    if (head->sigmoid_like || !head->activation || head->at == head->value)
        return head->sigmoid_like;
    const SxTraits *traits = check_traits(cx, cx->facts->fn[head->at]);
    return traits->monotone && traits->saturates && traits->range.low > -1e-6 && traits->range.high < 1 + 1e-6;
}

/* What a scale leaves; 10 * sigmoid(z) - 5 is a way to bound logits. */
static const double harmless = 0.05;

static void double_sigmoid(CheckContext *cx)
{
    for (uint32_t i = 0; i < cx->model->losses.n; i++) {
        const LossCall *loss = &cx->model->losses.at[i];
        Head head = check_head(cx, loss->prediction);
        if (!loss->wants_logits || loss->classes || !ends_in_sigmoid(cx, &head))
            continue;
        double low = head.range.low, high = head.range.high;
        if (log1p(exp(-high)) < harmless && log1p(exp(low)) < harmless)
            continue;
        Diag *diag = check_report(cx, LEVEL_DENY, head.span,
                                  "`" STR_FMT "` output feeds a loss that applies sigmoid itself", STR_ARG(head.name));
        check_spot_loss(cx, loss);
        check_spot_node(cx, head.value);
        diag_primary(diag, "produces probabilities");
        diag_label(diag, loss->span, "expects logits and applies a sigmoid to them");
        check_label_outer(cx, diag, head.at, "in this use");
        diag_note(
            diag,
            "its predictions stay between %.3g and %.3f: the loss cannot fall below %.4f where the target is 1, nor "
            "below %.4f where it is 0",
            sigmoid(low), sigmoid(high), log1p(exp(-high)), log1p(exp(low)));
        diag_help(diag, "give the loss the value before `" STR_FMT "`, or keep the activation and use `bce`",
                  STR_ARG(head.name));
        if (head.sigmoid_like && check_use(cx, head.at)) /* not a cut that was written out */
            edit_remove_before_loss(cx, diag, FIX_SAFE, &head, loss);
    }
}

ACT_CHECK(double_sigmoid) = {
    .code = "ACT202",
    .name = "double_sigmoid",
    .group = "output",
    .level = LEVEL_DENY,
    .summary = "sigmoid in front of a loss that applies sigmoid itself",
    .doc =
        "`bce_with_logits` applies the sigmoid itself, in a form that neither overflows nor loses digits. A sigmoid "
        "in front of it turns logits into numbers between 0 and 1 first, and the sigmoid of those lies between 0.5 "
        "and 0.731: the model answers yes to everything, the loss cannot fall below 0.3133 where the target is 1 and "
        "0.6931 where it is 0, and the gradient carries the slopes of two sigmoids.\n\n"
        "Any activation that rises between two asymptotes within [0, 1] counts, whatever it is called: a hard "
        "sigmoid, or one of your own; and so does one that is scaled, unless the scale gives back both ends (10 * "
        "sigmoid(z) - 5).",
    .wrong = "model spam {\n"
             "    input  x : f32[57]\n"
             "    target y : binary\n"
             "    p = x |> linear(16) |> relu |> linear(1) |> sigmoid\n"
             "    loss bce_with_logits(p, y)\n"
             "}\n",
    .right = "model spam {\n"
             "    input  x : f32[57]\n"
             "    target y : binary\n"
             "    z = x |> linear(16) |> relu |> linear(1)\n"
             "    loss   bce_with_logits(z, y)\n"
             "    output sigmoid(z)\n"
             "}\n",
    .run = double_sigmoid,
};

/* nll of log(sigmoid(z)): of all labels only the right one is looked at, and all can be 1. */
static void logarithm_of_sigmoid(CheckContext *cx)
{
    for (uint32_t i = 0; i < cx->model->losses.n; i++) {
        const LossCall *loss = &cx->model->losses.at[i];
        Head head = check_head(cx, loss->prediction);
        if (!loss->classes || loss->wants_logits || head.units < 2 || !head.activation)
            continue;
        Sx p = loss->wants_log_probabilities ? sx_un(cx->sx, SX_EXP, head.fn) : head.fn;
        const SxTraits *traits = check_traits(cx, p);
        if (!traits->monotone || !traits->saturates || traits->range.low < -1e-6 || traits->range.low > 1e-3 ||
            fabs(traits->range.high - 1) > 1e-3)
            continue;
        Diag *diag =
            check_report(cx, LEVEL_DENY, head.span,
                         "`" STR_FMT "` output feeds `" STR_FMT "`, which compares classes by their probabilities",
                         STR_ARG(head.name), STR_ARG(loss->fn));
        check_spot_loss(cx, loss);
        check_spot_node(cx, head.value);
        diag_primary(diag, "each value for itself: their probabilities do not add up to 1");
        diag_label(diag, loss->span, "looks at the right class only");
        check_label_outer(cx, diag, head.at, "in this use");
        diag_note(diag, "the loss is least, 0, where every class has probability 1 for every input");
        diag_help(diag, "one class of %u wants `cross_entropy` on the value before it; many labels want a target "
                        "`binary[%u]` and `bce_with_logits`", head.units, head.units);
    }
}

static void sigmoid_with_ce(CheckContext *cx)
{
    logarithm_of_sigmoid(cx);
    for (uint32_t i = 0; i < cx->model->losses.n; i++) {
        const LossCall *loss = &cx->model->losses.at[i];
        Head head = check_head(cx, loss->prediction);
        double k = head.units, span = head.range.high - head.range.low, least = log(exp(span) + k - 1) - span;
        bool flat = head.activation && isfinite(span) && check_traits(cx, cx->facts->fn[head.at])->saturates;
        bool bounded = flat && head.range.known && least > 0.25 * log(k); /* tanh, and not 10 * tanh */
        if (!loss->wants_logits || !loss->classes || head.units < 2 || (!head.sigmoid_like && !bounded))
            continue;
        Diag *diag = check_report(cx, head.sigmoid_like ? LEVEL_DENY : LEVEL_WARN, head.span,
                                  "`" STR_FMT "` output feeds `" STR_FMT "`, which compares classes by their logits",
                                  STR_ARG(head.name), STR_ARG(loss->fn));
        check_spot_loss(cx, loss);
        check_spot_node(cx, head.value);
        diag_primary(diag, "confines every logit to [%g, %g]", round(head.range.low * 1e4) / 1e4,
                     round(head.range.high * 1e4) / 1e4);
        diag_label(diag, loss->span, "expects logits and applies softmax to them");
        check_label_outer(cx, diag, head.at, "in this use");
        diag_note(diag, "with %u classes the loss cannot fall below %.4f (an untrained model scores %.4f)", head.units,
                  least, log(k));
        if (head.sigmoid_like)
            diag_help(diag,
                      "for one class of %u remove the activation; for several labels at once declare the target as "
                      "`binary[%u]` and use `bce`",
                      head.units, head.units);
        else
            diag_help(diag, "remove the activation, or scale its values so that they can tell the classes apart");
        edit_remove_before_loss(cx, diag, FIX_UNSAFE, &head, loss);
    }
}

ACT_CHECK(sigmoid_with_ce) = {
    .code = "ACT204",
    .name = "sigmoid_with_ce",
    .group = "output",
    .level = LEVEL_DENY,
    .summary = "sigmoid in front of a cross-entropy over classes",
    .doc =
        "`cross_entropy` takes logits and makes them compete through a softmax. A sigmoid confines every logit to "
        "(0, 1), so that even the best prediction leaves the right class a share of only e / (e + K - 1): with 10 "
        "classes the loss cannot fall below 1.4612. Either the task is one class of many, and the sigmoid goes, or "
        "several labels can be present at once, and then each wants its own sigmoid under a binary cross-entropy.\n\n"
        "Another activation with two ends, such as tanh, confines the logits as well: a warning, unless it is scaled "
        "so far that the floor is low (10 * tanh(z), which some decoders use).\n\n"
        "Written as `nll(log(p), label)` the sigmoid is worse: nothing competes any more, and the loss is least where "
        "every class has probability 1 for every input.",
    .wrong = EXAMPLE_DIGITS("    p = image |> linear(32) |> relu |> linear(10) |> sigmoid\n"
                            "    loss cross_entropy(p, label)\n"),
    .right = EXAMPLE_DIGITS("    z = image |> linear(32) |> relu |> linear(10)\n"
                            "    loss cross_entropy(z, label)\n"),
    .silences = {"ACT208", "ACT1001"},
    .run = sigmoid_with_ce,
};
