/* Dropout in front of what does not take it well: 603 dropout_before_norm, 604 dropout_before_max. */
#include "check/edit.h"
#include "check/example.h"

#include <math.h>

static bool drops(const CheckContext *cx, NodeId id)
{
    const Node *node = graph_node(cx->g, id);
    return cx->facts->live[id] && facts_is(node, "dropout") && node_attr(node, 0)->f > 0;
}

/* A dropout that reaches `id` without passing a product with weights; 0: none. The nearest in the graph's order. */
static NodeId dropout_behind(const CheckContext *cx, NodeId id)
{
    bool *seen = arena_array(cx->arena, bool, id + 1);
    seen[id] = true;
    for (NodeId at = id; at > 0; at--) {
        if (!seen[at])
            continue;
        if (drops(cx, at))
            return at;
        const Node *node = graph_node(cx->g, at);
        bool stops = facts_weight(cx->g, at) >= 0 || node->op->kind == OP_CONTRACT || (at != id && facts_norm(node) != NORM_NONE);
        for (uint32_t i = 0; !stops && i < node->n_in; i++)
            seen[node->in[i]] = true;
    }
    return 0;
}

static void dropout_before_norm(CheckContext *cx)
{
    for (NodeId id = 1; id < cx->g->nodes.n; id++) {
        bool norm = cx->facts->live[id] && facts_norm(graph_node(cx->g, id)) == NORM_BATCH;
        NodeId drop = norm ? dropout_behind(cx, id) : 0;
        if (drop == 0)
            continue;
        double p = node_attr(graph_node(cx->g, drop), 0)->f;
        Diag *diag = check_report(cx, LEVEL_WARN, check_span(cx, drop), "batch norm learns another variance from this dropout than "
                                                                       "inference will have");
        check_spot_node(cx, drop);
        diag_primary(diag, "makes the variance up to %s in training alone", check_number(cx->arena, 1 / (1 - p)).p);
        diag_label(diag, check_span(cx, id), "keeps it for inference");
        check_label_outer(cx, diag, drop, "in this use");
        diag_note(diag, "in inference nothing is dropped, and values are divided by a deviation up to %s times too large",
                  check_number(cx->arena, 1 / sqrt(1 - p)).p);
        diag_help(diag, "put the dropout behind the last batch norm, in front of the last layer, or leave it out: batch norm "
                        "regularises too");
    }
}

ACT_CHECK(dropout_before_norm) = {
    .code = "ACT603",
    .name = "dropout_before_norm",
    .group = "regularisation",
    .level = LEVEL_WARN,
    .summary = "dropout in front of a batch norm, which keeps the variance it brings",
    .doc =
        "Dropout with share p multiplies the second moment of what passes by 1 / (1 - p) while training, and "
        "leaves it alone in inference. Batch "
        "norm behind it measures the larger variance in training and keeps it as its running one, so in inference it divides by a "
        "deviation that the values do not have: the network that is tested is not the one that was trained (\"variance shift\").\n\n"
        "A layer with weights between the two averages over many inputs, which hides much of it, and published networks do so: it "
        "is not reported then. A norm over the sample itself measures anew in inference and is fine.",
    .wrong = EXAMPLE_DIGITS("    h = image |> linear(32, bias = false) |> batch_norm |> relu |> dropout(0.3) |> batch_norm\n"
                            "    loss cross_entropy(h |> linear(10), label)\n"),
    .right = EXAMPLE_DIGITS("    h = image |> linear(32, bias = false) |> batch_norm |> relu |> dropout(0.3)\n"
                            "    loss cross_entropy(h |> linear(10), label)\n"),
    .run = dropout_before_norm,
};

/* The maximum that `id` goes into, moved and cut into windows on the way; 0: it goes elsewhere, too. */
static NodeId max_behind(const CheckContext *cx, NodeId id)
{
    const Facts *f = cx->facts;
    for (;;) {
        if (facts_uses(f, id) != 1 || f->root[id])
            return 0;
        NodeId next = f->consumer[f->first[id]];
        const Node *node = graph_node(cx->g, next);
        if (facts_is(node, "reduce"))
            return node_attr(node, 0)->i == 1 && !node_attr(node, 2)->i ? next : 0;
        if (node->op->kind != OP_VIEW && node->op->kind != OP_MOVE)
            return 0;
        id = next;
    }
}

static void dropout_before_max(CheckContext *cx)
{
    for (NodeId id = 1; id < cx->g->nodes.n; id++) {
        NodeId max = drops(cx, id) && node_attr(graph_node(cx->g, id), 2)->i == 0 ? max_behind(cx, id) : 0;
        if (max == 0)
            continue;
        Diag *diag = check_report(cx, LEVEL_NOTE, check_span(cx, id), "a maximum is taken of what is left");
        check_spot_node(cx, id);
        diag_primary(diag, "drops one of the values at a time");
        diag_label(diag, check_span(cx, max), "takes the greatest of several");
        check_label_outer(cx, diag, id, "in this use");
        diag_note(diag, "where the greatest is dropped the next one takes its place: less is hidden than the share says, and the "
                        "maximum is systematically another one in inference");
        diag_help(diag, "put the dropout behind the maximum");
    }
}

ACT_CHECK(dropout_before_max) = {
    .code = "ACT604",
    .name = "dropout_before_max",
    .group = "regularisation",
    .level = LEVEL_NOTE,
    .summary = "dropout right in front of a maximum",
    .doc = "A maximum over several values of which some are dropped is simply that of the others, times 1 / (1 - p). Nothing is hidden as "
           "long as a near second is left, and the mean of the result is not that of inference, which dropout otherwise takes care of. Behind "
           "the maximum, dropout does what it says.\n\n"
           "spatial_dropout drops all the values of a channel together and is not reported.",
    .wrong = "model digits {\n"
             "    input  image : f32[16, 8]\n"
             "    target label : class(10)\n"
             "    h = image |> linear(64) |> relu |> dropout(0.3) |> max(axis = 0)\n"
             "    loss cross_entropy(h |> linear(10), label)\n"
             "}\n",
    .right = "model digits {\n"
             "    input  image : f32[16, 8]\n"
             "    target label : class(10)\n"
             "    h = image |> linear(64) |> relu |> max(axis = 0) |> dropout(0.3)\n"
             "    loss cross_entropy(h |> linear(10), label)\n"
             "}\n",
    .run = dropout_before_max,
};
