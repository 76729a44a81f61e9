/* Too much dropout: 602 dropout_high, 605 dropout_wipeout, 606 dropout_twice. */
#include "check/edit.h"
#include "check/example.h"
#include "check/flow.h"

#include <math.h>

static bool is_dropout(const CheckContext *cx, NodeId id)
{
    return cx->facts->live[id] && facts_is(graph_node(cx->g, id), "dropout");
}

/* How many values of a sample are drawn for, one by one. */
static uint64_t drawn_of(const CheckContext *cx, NodeId id)
{
    const Node *node = graph_node(cx->g, id);
    uint64_t n = 1;
    for (uint32_t axis = 0; axis < node->type.rank; axis++)
        n *= node_attr(node, 2)->i >> axis & 1 ? 1 : node->type.dim[axis];
    return n;
}

static double share_of(const CheckContext *cx, NodeId id) { return node_attr(graph_node(cx->g, id), 0)->f; }

/* Where the share is written, else the call. */
static Span share_span(const CheckContext *cx, NodeId id) { return edit_given(cx, check_span(cx, id)); }

/* Hiding most of an input that is then to be restored is the task itself, not a regulariser. */
static bool is_masking(const CheckContext *cx, NodeId id)
{
    const Facts *f = cx->facts;
    NodeId source = graph_node(cx->g, id)->in[0];
    for (uint32_t i = 0; !f->weighted[id] && i < cx->model->losses.n; i++) {
        const LossCall *loss = &cx->model->losses.at[i];
        if (loss->target_tensor == 0 && loss->target && loss->prediction && facts_reaches(f, id, loss->prediction) &&
            facts_reaches(f, facts_skip(f, source), loss->target))
            return true;
    }
    return false;
}

static void dropout_high(CheckContext *cx)
{
    for (NodeId id = 1; id < cx->g->nodes.n; id++) {
        double p = is_dropout(cx, id) ? share_of(cx, id) : 0;
        if (p <= 0.5 || is_masking(cx, id))
            continue;
        uint64_t n = type_last(graph_type(cx->g, id));
        Diag *diag = check_report(cx, LEVEL_WARN, share_span(cx, id), "`dropout` keeps only %g %% of the values",
                                  round((1 - p) * 1e4) / 100);
        check_spot_node(cx, id);
        diag_primary(diag, "of %llu values about %.0f are left in a step", (unsigned long long)n, (1 - p) * (double)n);
        check_label_outer(cx, diag, id, "in this use");
        diag_note(diag, "what is left is divided by %s: the size of the signal in training grows by a factor of %s",
                  check_number(cx->arena, 1 - p).p, check_number(cx->arena, 1 / sqrt(1 - p)).p);
        if (p > 0.7)
            diag_note(diag, "in some libraries the argument is the share that is kept; here it is the share dropped");
        diag_help(diag, "drop at most half: 0.1 to 0.3 is usual between hidden layers, 0.5 for wide ones");
    }
}

ACT_CHECK(dropout_high) = {
    .code = "ACT602",
    .name = "dropout_high",
    .group = "regularisation",
    .level = LEVEL_WARN,
    .summary = "dropout that takes away more than half of the values",
    .doc =
        "Dropout with share p sets each value to zero with probability p while training and divides the others by 1 - "
        "p, so that the mean stays. The noise this brings is largest per value kept when p is large: the second "
        "moment of the signal grows by 1 / (1 - p), twice at 0.5, five times at 0.8. Beyond one half most of what a "
        "layer computes is thrown away in every step and training crawls. Above 0.7 it is often a mistake of "
        "convention: some libraries ask for the share that is kept.\n\n"
        "One half itself, the value of the original paper, is not reported, and neither is an input that is mostly "
        "hidden because the network is to restore it.",
    .wrong = EXAMPLE_DIGITS("    z = image |> linear(256) |> relu |> dropout(0.8) |> linear(10)\n"
                            "    loss cross_entropy(z, label)\n"),
    .right = EXAMPLE_DIGITS("    z = image |> linear(256) |> relu |> dropout(0.2) |> linear(10)\n"
                            "    loss cross_entropy(z, label)\n"),
    .run = dropout_high,
};

/* Does any data reach the prediction on a way around `id`? */
static bool has_way_around(const CheckContext *cx, NodeId id, NodeId prediction)
{
    const Graph *g = cx->g;
    bool *reached = arena_array(cx->arena, bool, prediction + 1);
    for (NodeId at = 1; at <= prediction; at++) {
        const Node *node = graph_node(g, at);
        int tensor = facts_tensor(node);
        reached[at] = tensor >= 0 && g->tensors.at[tensor].role == ROLE_INPUT;
        for (uint32_t i = 0; at != id && i < node->n_in; i++)
            reached[at] |= reached[node->in[i]];
    }
    return reached[prediction];
}

static void dropout_wipeout(CheckContext *cx)
{
    for (NodeId id = 1; id < cx->g->nodes.n; id++) {
        NodeId prediction = is_dropout(cx, id) ? flow_prediction(cx, id) : 0;
        uint64_t n = prediction ? drawn_of(cx, id) : 1;
        double p = prediction ? share_of(cx, id) : 0, all = pow(p, (double)n);
        if (!(all > 1e-3) || has_way_around(cx, id, prediction))
            continue;
        Diag *diag =
            check_report(cx, LEVEL_WARN, share_span(cx, id), "`dropout` takes all %llu value%s of %s %% of the samples",
                         (unsigned long long)n, n == 1 ? "" : "s", check_number(cx->arena, 100 * all).p);
        check_spot_node(cx, id);
        diag_primary(diag, "%llu value%s, each dropped with probability %g", (unsigned long long)n, n == 1 ? "" : "s",
                     p);
        check_label_outer(cx, diag, id, "in this use");
        diag_note(diag, "%g^%llu = %s: for these samples the network sees nothing, and the gradient teaches it nothing",
                  p, (unsigned long long)n, check_number(cx->arena, all).p);
        diag_help(diag, "dropout is for wide layers: leave it out here, or widen the layer to at least %.0f units",
                  ceil(log(1e-3) / log(p)));
    }
}

ACT_CHECK(dropout_wipeout) = {
    .code = "ACT605",
    .name = "dropout_wipeout",
    .group = "regularisation",
    .level = LEVEL_WARN,
    .summary = "dropout on so few values that often none is left",
    .doc =
        "With n values that are each dropped with probability p, all of them are dropped in a share p^n of the "
        "samples: 0.25 of them for two values at one half. For these samples nothing of the input passes, the "
        "prediction is the same whatever they are, and their gradient only teaches the biases behind.\n\n"
        "Reported above one in a thousand. All numbers of a sample count, not only the last axis, and a value that "
        "has another way to the prediction (a skip connection, a second branch) is not reported.",
    .wrong = "model diagnosis {\n"
             "    input  x : f32[30]\n"
             "    target y : binary\n"
             "    z = x |> linear(4) |> relu |> dropout(0.5) |> linear(1)\n"
             "    loss bce_with_logits(z, y)\n"
             "}\n",
    .right = "model diagnosis {\n"
             "    input  x : f32[30]\n"
             "    target y : binary\n"
             "    z = x |> linear(64) |> relu |> dropout(0.5) |> linear(1)\n"
             "    loss bce_with_logits(z, y)\n"
             "}\n",
    .silences = {"ACT602"},
    .run = dropout_wipeout,
};

/* The share as a number in the text, or the default; NaN when it is computed. */
static double literal_share(const CheckContext *cx, const Stage *stage, NodeId id)
{
    Span span = share_span(cx, id);
    if (stage->call->kind != AST_CALL || (span.begin == stage->call->span.begin && span.end == stage->call->span.end))
        return share_of(cx, id);
    const Ast *arg = edit_find(cx, span);
    if (arg && arg->kind == AST_ARG)
        arg = arg->kid[0];
    return arg && arg->kind == AST_NUMBER ? share_of(cx, id) : NAN;
}

/* `… |> dropout(0.2) |> dropout(0.3)`, side by side in the text: one with the share of both. */
static void fix_twice(CheckContext *cx, Diag *diag, NodeId first, NodeId second, double both)
{
    Stage a, b;
    if (!edit_stage(cx, check_span(cx, first), &a) || !edit_stage(cx, check_span(cx, second), &b) || !a.pipe ||
        b.value != a.pipe || isnan(literal_share(cx, &a, first)) || isnan(literal_share(cx, &b, second)))
        return;
    diag_fix(diag, FIX_SAFE, a.call->span, "dropout(%.9g)", both);
    edit_remove(cx, diag, FIX_SAFE, check_span(cx, second));
}

static void dropout_twice(CheckContext *cx)
{
    const Facts *f = cx->facts;
    for (NodeId id = 1; id < cx->g->nodes.n; id++) {
        NodeId first = is_dropout(cx, id) ? graph_node(cx->g, id)->in[0] : 0;
        while (first && facts_passes(graph_node(cx->g, first)) && facts_uses(f, first) == 1 && !f->root[first])
            first = graph_node(cx->g, first)->in[0];
        if (first == 0 || !is_dropout(cx, first) || facts_uses(f, first) != 1 || f->root[first])
            continue;
        double p = share_of(cx, first), q = share_of(cx, id);
        double both = round((1 - (1 - p) * (1 - q)) * 1e9) / 1e9;
        if (p <= 0 || q <= 0 || drawn_of(cx, first) != drawn_of(cx, id))
            continue;
        Diag *diag = check_report(cx, LEVEL_WARN, check_span(cx, id), "dropout of what was dropped already");
        check_spot_node(cx, id);
        diag_primary(diag, "drops %g of what is left", q);
        diag_label(diag, check_span(cx, first), "drops %g", p);
        check_label_outer(cx, diag, id, "in this use");
        Str share = str_printf(cx->arena, "%.9g", both);
        diag_note(diag, "together they drop 1 - (1 - %g)(1 - %g) = " STR_FMT, p, q, STR_ARG(share));
        diag_help(diag, "use one, `dropout(" STR_FMT ")`, or the one that was meant", STR_ARG(share));
        fix_twice(cx, diag, first, id, both);
    }
}

ACT_CHECK(dropout_twice) = {
    .code = "ACT606",
    .name = "dropout_twice",
    .group = "regularisation",
    .level = LEVEL_WARN,
    .summary = "two dropouts in a row",
    .doc =
        "Two dropouts with nothing between them are one with a larger share: a value survives both with probability "
        "(1 - p)(1 - q), so they drop 1 - (1 - p)(1 - q). 0.2 and 0.3 together drop 0.44. The scales, 1 / (1 - p) and "
        "1 / (1 - q), multiply to that of the single one, so the two forms are exactly the same network; but "
        "the share that acts stands nowhere in the text. Usually a block ends with a dropout and what follows begins "
        "with another.",
    .wrong = EXAMPLE_DIGITS("    z = image |> linear(256) |> relu |> dropout(0.2) |> dropout(0.3) |> linear(10)\n"
                            "    loss cross_entropy(z, label)\n"),
    .right = EXAMPLE_DIGITS("    z = image |> linear(256) |> relu |> dropout(0.44) |> linear(10)\n"
                            "    loss cross_entropy(z, label)\n"),
    .run = dropout_twice,
};
