/* ACT804: scores of an attention written by hand, without the scale. */
#include "check/context.h"

#include "ops/build.h"

#include <math.h>

enum { LEAST_WIDTH = 8 }; /* below, a missing scale hardly shows */

/* The sum over products of two learnt values that scores are a function of; *width: its terms. 0: they are none. */
static NodeId dot_product(const CheckContext *cx, NodeId scores, uint32_t *width)
{
    const Facts *f = cx->facts;
    NodeId sum = facts_skip(f, f->base[scores]);
    const Node *node = sum ? graph_node(cx->g, sum) : NULL;
    if (node == NULL || node->op->kind != OP_REDUCE || build_fold(node).op != REDUCE_SUM || build_fold(node).batch)
        return 0;
    const Node *product = graph_node(cx->g, facts_skip(f, node->in[0]));
    if (product->op->kind != OP_MAP || product->n_in != 2 ||
        build_fn(product) != sx_mul(cx->sx, sx_arg(cx->sx, 0), sx_arg(cx->sx, 1)))
        return 0;
    for (uint32_t i = 0; i < 2; i++)
        if (!graph_type(cx->g, product->in[i])->batch || !f->weighted[product->in[i]])
            return 0;
    *width = (uint32_t)(type_elements(&product->type) / type_elements(&node->type));
    return *width >= LEAST_WIDTH ? sum : 0;
}

static void attention_unscaled(CheckContext *cx)
{
    static const double WIDE = 3; /* e^3 apart at one deviation: a few keys have all the weight */
    for (NodeId id = 1; id < cx->g->nodes.n; id++) {
        if (!cx->facts->live[id] || !facts_is(graph_node(cx->g, id), "softmax"))
            continue;
        uint32_t width;
        NodeId scores = facts_skip(cx->facts, graph_node(cx->g, id)->in[0]), sum = dot_product(cx, scores, &width);
        double deviation = sum ? signal_deviation(cx->signal, scores) : 0;
        if (deviation <= WIDE)
            continue;
        Str wide = check_number(cx->arena, deviation);
        Diag *diag = check_report(cx, LEVEL_WARN, check_span(cx, id), "softmax over products of queries and keys that are not scaled");
        check_spot_node(cx, id);
        diag_primary(diag, "reads scores with a deviation of " STR_FMT, STR_ARG(wide));
        diag_label(diag, check_span(cx, sum), "adds up %u products", width);
        check_label_outer(cx, diag, id, "in this use");
        diag_note(diag, "a sum of %u products of unit size is about %.3g wide; one key then gets nearly all the weight, and hardly a "
                        "gradient passes", width, sqrt(width));
        diag_help(diag, "divide the scores by sqrt(%u); the layer `attention` does", width);
    }
}

#define EXAMPLE(scores)                                                                                                 \
    "model by_hand {\n"                                                                                                \
    "    input  x : f32[16, 64]\n"                                                                                     \
    "    target y : f32[16, 4]\n"                                                                                      \
    "    q = x |> linear(64)\n"                                                                                        \
    "    k = x |> linear(64)\n"                                                                                        \
    "    v = x |> linear(64)\n"                                                                                        \
    "    products = (q |> reshape(16, 1, 64)) * (k |> reshape(1, 16, 64))\n"                                           \
    scores                                                                                                             \
    "    w = scores |> softmax(axis = 1)\n"                                                                            \
    "    h = (w |> reshape(16, 16, 1)) * (v |> reshape(1, 16, 64)) |> sum(axis = 1)\n"                                 \
    "    loss mse(h |> relu |> linear(4), y)\n"                                                                        \
    "}\n"

ACT_CHECK(attention_unscaled) = {
    .code = "ACT804",
    .name = "attention_unscaled",
    .group = "attention",
    .level = LEVEL_WARN,
    .summary = "attention scores without 1 / sqrt(width)",
    .doc = "A score is the product of a query and a key, a sum over the width of a head. The wider the head, the wider the scores: "
           "sqrt(64) = 8 for a width of 64. Softmax of numbers that lie 8 apart gives one of them all the weight, whichever is "
           "largest by chance, and its gradient is next to nothing, so the choice is not learnt. Divided by the square root of the "
           "width the scores have a deviation of about 1 whatever the width is.\n\n"
           "The layer `attention` scales by itself. Reported is a softmax over sums of products of two learnt values, at least eight "
           "terms each, whose predicted deviation is above 3.",
    .wrong = EXAMPLE("    scores = products |> sum(axis = 2)\n"),
    .right = EXAMPLE("    scores = (products |> sum(axis = 2)) / sqrt(64)\n"),
    .silences = {"ACT307"},
    .run = attention_unscaled,
};
