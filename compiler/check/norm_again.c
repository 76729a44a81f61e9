/* 506 double_norm: a norm of what was normalised; 507 norm_params: an epsilon that does nothing, or too much. */
#include "check/edit.h"
#include "check/example.h"

#include <math.h>

/* The norm whose result `id` is, scaled, shifted, seen otherwise or thinned at random, and read by nobody else; 0: none. */
static NodeId norm_in_front(const CheckContext *cx, NodeId id)
{
    const Facts *f = cx->facts;
    while (facts_norm(graph_node(cx->g, id)) == NORM_NONE) {
        const Node *node = graph_node(cx->g, id);
        NodeId next = 0;
        if (facts_uses(f, id) != 1 || f->root[id])
            return 0;
        for (uint32_t i = 0; node->op->kind == OP_MAP && i < node->n_in; i++)
            if (graph_type(cx->g, node->in[i])->batch)
                next = next || facts_read(f, id, i) != READ_AFFINE ? 0 : node->in[i];
        if (node->op->kind == OP_VIEW || facts_is(node, "dropout"))
            next = node->in[0];
        if (next == 0)
            return 0;
        id = next;
    }
    return facts_uses(f, id) == 1 && !f->root[id] ? id : 0;
}

static void double_norm(CheckContext *cx)
{
    for (NodeId id = 1; id < cx->g->nodes.n; id++) {
        const Node *node = graph_node(cx->g, id);
        NodeId first = cx->facts->live[id] && facts_norm(node) != NORM_NONE ? norm_in_front(cx, node->in[0]) : 0;
        if (first == 0)
            continue;
        Diag *diag = check_report(cx, LEVEL_WARN, check_span(cx, id), "`" STR_FMT "` of what `" STR_FMT "` normalised already",
                                  STR_ARG(check_name(cx, id)), STR_ARG(check_name(cx, first)));
        check_spot_node(cx, id);
        diag_primary(diag, "a norm again");
        diag_label(diag, check_span(cx, first), "a norm");
        check_label_outer(cx, diag, id, "in this use");
        diag_note(diag, "no weights stand between them that could have changed mean or size");
        diag_help(diag, "remove one of the two");
        edit_remove(cx, diag, FIX_UNSAFE, check_span(cx, id));
    }
}

ACT_CHECK(double_norm) = {
    .code = "ACT506",
    .name = "double_norm",
    .group = "normalisation",
    .level = LEVEL_WARN,
    .summary = "two norms with no weights between them",
    .doc = "A norm gives values the mean 0 and the size 1, then a scale and a shift of their own. A second one right behind it takes "
           "the shift and the scale away again: two of the four sets of numbers do nothing, and both norms are paid for. "
           "Usually one block ends with a norm and the next begins with one.\n\n"
           "An activation or a layer between them, a residual sum, or another reader of the first one's value makes it "
           "another network, and nothing is said.",
    .wrong = EXAMPLE_DIGITS("    z = image |> linear(32) |> layer_norm |> layer_norm |> relu |> linear(10)\n"
                            "    loss cross_entropy(z, label)\n"),
    .right = EXAMPLE_DIGITS("    z = image |> linear(32) |> layer_norm |> relu |> linear(10)\n"
                            "    loss cross_entropy(z, label)\n"),
    .run = double_norm,
};

static void norm_params(CheckContext *cx)
{
    for (NodeId id = 1; id < cx->g->nodes.n; id++) {
        const Node *node = graph_node(cx->g, id);
        NormKind kind = cx->facts->live[id] ? facts_norm(node) : NORM_NONE;
        double eps = kind == NORM_NONE ? 1e-5 : node_attr(node, kind == NORM_BATCH ? 0 : 2)->f;
        bool channels = kind == NORM_BATCH || (kind == NORM_SAMPLE && facts_norm_channels(node));
        if (eps >= (channels ? 1e-8 : 1e-12) && eps <= 1e-2)
            continue;
        Diag *diag = check_report(cx, LEVEL_WARN, edit_argument_span(cx, check_span(cx, id), "eps"), "an `eps` of %s %s",
                                  check_number(cx->arena, eps).p, eps > 1e-2 ? "changes the norm" : "protects from nothing");
        check_spot_node(cx, id);
        if (eps > 1e-2)
            diag_note(diag, "it is added to the variance: values of variance 0.1 come out with %s instead of 1",
                      check_number(cx->arena, 0.1 / (0.1 + eps)).p);
        else
            diag_note(diag, "%s has a variance of rounding, which is then divided by: such numbers come out up to %s times as large",
                      channels ? "a channel that is the same for all values" : "a row of equal features",
                      check_number(cx->arena, 1 / sqrt(eps)).p);
        diag_help(diag, "leave it out: `1e-5` is usual");
    }
}

ACT_CHECK(norm_params) = {
    .code = "ACT507",
    .name = "norm_params",
    .group = "normalisation",
    .level = LEVEL_WARN,
    .summary = "an epsilon of a norm too small to protect, or above 0.01",
    .doc = "A norm divides by sqrt(variance + eps). The variance of a channel that says nothing is not 0 but what rounding leaves, some "
           "1e-14 for values around 1, more for greater ones. batch_norm and instance_norm, which take each channel for itself, want an "
           "eps of at least 1e-8. The features of one position are hardly ever all equal, so layer_norm and its relatives may go down "
           "to 1e-12, as BERT's do. Below that, rounding is blown up to the size of a signal. With an eps of the size of the variance "
           "the norm does not bring values to size 1 any more, and what the layers behind it see depends on the scale of those in front. "
           "1e-5 is usual; 1e-6 and 1e-3 are published too.",
    .wrong = EXAMPLE_DIGITS("    z = image |> linear(32) |> layer_norm(eps = 1) |> relu |> linear(10)\n"
                            "    loss cross_entropy(z, label)\n"),
    .right = EXAMPLE_DIGITS("    z = image |> linear(32) |> layer_norm(eps = 1e-6) |> relu |> linear(10)\n"
                            "    loss cross_entropy(z, label)\n"),
    .run = norm_params,
};
