/* ACT501: a bias that the norm behind it takes away again. */
#include "check/edit.h"
#include "check/example.h"

/* Does the norm take away what is added to a whole channel? */
static bool takes_shift(const Node *norm)
{
    return facts_norm(norm) == NORM_BATCH ||
           (facts_norm(norm) == NORM_SAMPLE && node_attr(norm, 1)->i && facts_norm_channels(norm));
}

/* The product in `product + bias`, a bias for each channel; 0: `id` is no such sum. */
static NodeId biased_product(const CheckContext *cx, NodeId id, uint32_t *bias)
{
    const Node *node = graph_node(cx->g, id);
    if (node->op->kind != OP_MAP || node->n_in != 2 ||
        node_attr(node, 0)->sx != sx_add(cx->sx, sx_arg(cx->sx, 0), sx_arg(cx->sx, 1)))
        return 0;
    for (uint32_t i = 0; i < 2; i++) {
        int tensor = facts_tensor(graph_node(cx->g, node->in[1 - i]));
        if (facts_weight(cx->g, node->in[i]) < 0 || tensor < 0 || cx->g->tensors.at[tensor].type.rank != 1)
            continue;
        *bias = (uint32_t)tensor;
        return node->in[i];
    }
    return 0;
}

static void bias_before_norm(CheckContext *cx)
{
    const Facts *f = cx->facts;
    for (NodeId id = 1; id < cx->g->nodes.n; id++) {
        const Node *norm = graph_node(cx->g, id);
        if (!f->live[id] || !takes_shift(norm))
            continue;
        NodeId at = norm->in[0];
        while (graph_node(cx->g, at)->op->kind == OP_VIEW && facts_uses(f, at) == 1 && !f->root[at] &&
               type_last(graph_type(cx->g, graph_node(cx->g, at)->in[0])) == type_last(&norm->type))
            at = graph_node(cx->g, at)->in[0];
        uint32_t bias;
        if (facts_uses(f, at) != 1 || f->root[at] || !biased_product(cx, at, &bias))
            continue;
        const Tensor *tensor = &cx->g->tensors.at[bias];
        unsigned long long n = type_elements(&tensor->type);
        Diag *diag = check_report(cx, LEVEL_NOTE, check_span(cx, at), "the bias of `" STR_FMT "` is taken away again",
                                  STR_ARG(check_name(cx, at)));
        check_spot_node(cx, at);
        diag_primary(diag, "adds a number to each channel");
        diag_label(diag, check_span(cx, id), "takes from each channel its mean");
        check_label_outer(cx, diag, at, "in this use");
        diag_note(diag, "%llu parameter%s without any effect, and without a gradient", n, n == 1 ? "" : "s");
        diag_help(diag, "leave it out: `bias = false`; the norm has a bias of its own");
        edit_set_argument(cx, diag, FIX_SAFE, check_span(cx, at), "bias", STR("false"));
    }
}

ACT_CHECK(bias_before_norm) = {
    .code = "ACT501",
    .name = "bias_before_norm",
    .group = "normalisation",
    .level = LEVEL_NOTE,
    .summary = "a bias that the norm behind it takes away again",
    .doc =
        "Batch norm and instance norm take from every channel its mean, and with it whatever was added to the whole channel "
        "before. A bias there changes nothing in training, has no gradient but rounding, and the norm adds one of its "
        "own. It costs parameters and a little time.\n\n"
        "Layer norm and group norm take one mean from several channels, so a bias in front of them means something. "
        "A bias is not reported either when its layer's value goes elsewhere too, or through an activation first.",
    .wrong = EXAMPLE_DIGITS("    z = image |> linear(32) |> batch_norm |> relu |> linear(10)\n"
                            "    loss cross_entropy(z, label)\n"),
    .right = EXAMPLE_DIGITS("    z = image |> linear(32, bias = false) |> batch_norm |> relu |> linear(10)\n"
                            "    loss cross_entropy(z, label)\n"),
    .run = bias_before_norm,
};
