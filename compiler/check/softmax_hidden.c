/* ACT303: a softmax between hidden layers. */
#include "check/edit.h"
#include "check/example.h"
#include "check/flow.h"

/* Weights without a bias, and nothing non-linear behind: the softmax chooses among the rows of a table. */
static bool is_lookup(const CheckContext *cx, NodeId product)
{
    const LayerUse *use = check_use(cx, product);
    Follow follow = flow_follow(cx, product);
    return (use == NULL || use->n_tensor < 2) && follow.end != FOLLOW_ACTIVATION;
}

static void softmax_hidden(CheckContext *cx)
{
    for (NodeId id = 1; id < cx->g->nodes.n; id++) {
        if (!cx->facts->live[id] || !facts_is_softmax(cx->facts, id) || !cx->facts->weighted[id])
            continue;
        Reach reach = flow_reach(cx, id);
        const Node *node = graph_node(cx->g, id);
        /* probabilities of logits that are under a loss of their own are a prediction, not features */
        bool predicts = reach.head || flow_is_head(cx, node->in[0]);
        if (!reach.layer || reach.gate || predicts || is_lookup(cx, reach.first))
            continue;
        uint32_t units = (uint32_t)type_last(graph_type(cx->g, id));
        Diag *diag = check_report(cx, LEVEL_WARN, check_span(cx, id), "softmax between hidden layers");
        check_spot_node(cx, id);
        diag_primary(diag, "its %u values share a sum of 1", units);
        diag_label(diag, check_span(cx, reach.first), "reads them as features");
        check_label_outer(cx, diag, id, "in this use");
        double passed = cx->signal->gradient[id], given = 0;
        if (node->n_in == 1)
            given = cx->signal->gradient[node->in[0]];
        if (passed > 0 && given > 0)
            diag_note(
                diag,
                "at the start each value is about 1/%u, and the gradient that passes through shrinks by a factor of "
                "%.2g",
                units, __builtin_sqrt(given / passed));
        else
            diag_note(diag, "at the start each value is about 1/%u, whatever the input", units);
        Str activation = flow_hidden_activation(cx);
        diag_help(diag,
                  "use a hidden activation, such as `" STR_FMT "`; softmax belongs to outputs, attention and gates",
                  STR_ARG(activation));
        edit_replace(cx, diag, FIX_UNSAFE, check_span(cx, id), str_c(cx->arena, activation));
    }
}

ACT_CHECK(softmax_hidden) = {
    .code = "ACT303",
    .name = "softmax_hidden",
    .group = "hidden",
    .level = LEVEL_WARN,
    .summary = "softmax between hidden layers",
    .doc =
        "Softmax makes units compete for a sum of 1. As features for the next layer its values are tiny (1/K each, "
        "at the start), carry one direction less than the layer has units, and pass a gradient back that is smaller "
        "still, by about 1/K. Hidden layers want an activation that keeps the size of the signal.\n\n"
        "Where the values of a softmax weigh other values, they are in the right place: attention, a mixture of "
        "experts, a gate, the choice among the rows of a table (a layer without bias). So are those that are also an "
        "output or under a loss of their own. None of these is reported.",
    .wrong = EXAMPLE_DIGITS("    z = image |> linear(32) |> softmax |> linear(10)\n"
                            "    loss cross_entropy(z, label)\n"),
    .right = EXAMPLE_DIGITS("    z = image |> linear(32) |> relu |> linear(10)\n"
                            "    loss cross_entropy(z, label)\n"),
    .silences = {"ACT302"},
    .run = softmax_hidden,
};
