/* ACT301: two linear layers with nothing non-linear between them. */
#include "check/edit.h"
#include "check/example.h"
#include "check/flow.h"

/* By tensor: how many products use it. */
static uint32_t *count_sharers(const CheckContext *cx)
{
    uint32_t *count = arena_array(cx->arena, uint32_t, cx->g->tensors.n + 1);
    for (NodeId id = 1; id < cx->g->nodes.n; id++) {
        int tensor = cx->facts->live[id] ? facts_weight(cx->g, id) : -1;
        if (tensor >= 0)
            count[tensor]++;
    }
    return count;
}

/* The product that `b` reads through linear steps that nobody else reads; 0: none. */
static NodeId linear_source(const CheckContext *cx, NodeId b)
{
    const Facts *f = cx->facts;
    NodeId at = graph_node(f->g, b)->in[0];
    const Type *wanted = graph_type(f->g, at);
    for (;;) {
        const Node *node = graph_node(f->g, at);
        if (facts_uses(f, at) != 1 || f->root[at])
            return 0; /* its value is wanted for itself */
        if (facts_weight(f->g, at) >= 0) {
            /* A layer applied at every position and then read across positions shares its weights: no single layer
             * replaces both. */
            bool same =
                type_last(&node->type) == type_last(wanted) && type_elements(&node->type) == type_elements(wanted);
            return same ? at : 0;
        }
        NodeId next = 0;
        if (node->op->kind == OP_MAP) {
            for (uint32_t i = 0; i < node->n_in; i++)
                if (graph_type(f->g, node->in[i])->batch) {
                    if (next || facts_read(f, at, i) != READ_AFFINE)
                        return 0;
                    next = node->in[i];
                }
        } else if (node->op->kind == OP_VIEW || facts_is(node, "dropout") || facts_norm(node) == NORM_BATCH) {
            next = node->in[0];
        }
        if (next == 0)
            return 0;
        at = next;
    }
}

static bool was_reported(const CheckContext *cx, Span span)
{
    for (uint32_t i = 0; i < cx->findings.n; i++)
        if (cx->findings.at[i].rule == cx->rule && cx->findings.at[i].diag->primary.span.source == span.source &&
            cx->findings.at[i].diag->primary.span.begin == span.begin)
            return true;
    return false;
}

static void collapsed_linear(CheckContext *cx)
{
    const Graph *g = cx->g;
    const uint32_t *sharers = count_sharers(cx);
    for (NodeId b = 1; b < g->nodes.n; b++) {
        int second = cx->facts->live[b] ? facts_weight(g, b) : -1;
        NodeId a = second >= 0 ? linear_source(cx, b) : 0;
        if (a == 0)
            continue;
        int first = facts_weight(g, a);
        bool trained = g->tensors.at[first].trainable && g->tensors.at[second].trainable;
        Span span = check_span(cx, a);
        if (!trained || sharers[first] > 1 || sharers[second] > 1 || was_reported(cx, span))
            continue;
        uint64_t in = type_last(graph_type(g, graph_node(g, a)->in[0])), inner = type_last(graph_type(g, a));
        uint64_t out = type_last(graph_type(g, b));
        bool narrow = inner < in && inner < out; /* a factorisation of low rank: usually meant */
        Str before = check_name(cx, a), after = check_name(cx, b);
        Diag *diag =
            check_report(cx, narrow ? LEVEL_NOTE : LEVEL_WARN, span,
                         "`" STR_FMT "` and `" STR_FMT "` are one linear map: nothing non-linear stands between them",
                         STR_ARG(before), STR_ARG(after));
        check_spot_node(cx, a);
        diag_primary(diag, "from %llu to %llu", (unsigned long long)in, (unsigned long long)inner);
        Span other = check_span(cx, b);
        if (other.begin != span.begin || other.source != span.source)
            diag_label(diag, other, "from %llu to %llu", (unsigned long long)inner, (unsigned long long)out);
        check_label_outer(cx, diag, a, "in this use");
        unsigned long long both = in * inner + inner * out, one = in * out;
        if (narrow)
            diag_note(
                diag,
                "together they are a map from %llu to %llu of rank at most %llu, with %llu weights instead of %llu",
                (unsigned long long)in, (unsigned long long)out, (unsigned long long)inner, both, one);
        else
            diag_note(diag, "together their %llu weights can say no more than one layer from %llu to %llu with %llu",
                      both, (unsigned long long)in, (unsigned long long)out, one);
        Str activation = flow_hidden_activation(cx);
        diag_help(diag, "put an activation between them, such as `" STR_FMT "`, or make them one layer",
                  STR_ARG(activation));
        edit_insert_after(cx, diag, FIX_UNSAFE, span, activation);
    }
}

ACT_CHECK(collapsed_linear) = {
    .code = "ACT301",
    .name = "collapsed_linear",
    .group = "hidden",
    .level = LEVEL_WARN,
    .summary = "two linear layers with no activation between them",
    .doc =
        "The product of two matrices is a matrix: two linear layers in a row, with nothing but biases, scales, "
        "dropout, batch norm or a change of shape between them, compute exactly what one layer from the first's input to the "
        "second's output can compute. The depth is only on paper. Usually an activation was forgotten.\n\n"
        "Not meant, and not reported: a value that something else reads as well (an output, a skip connection), "
        "weights shared with another place, frozen weights, and a layer applied at each position whose results are "
        "then read across positions. When the inner width is smaller than both others the pair is a factorisation of "
        "low rank, which is often intended: a note.",
    .wrong = EXAMPLE_DIGITS("    z = image |> linear(32) |> linear(10)\n"
                            "    loss cross_entropy(z, label)\n"),
    .right = EXAMPLE_DIGITS("    z = image |> linear(32) |> relu |> linear(10)\n"
                            "    loss cross_entropy(z, label)\n"),
    .run = collapsed_linear,
};
