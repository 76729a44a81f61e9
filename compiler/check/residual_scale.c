/* ACT406 residual_scale: residual branches that are added without a norm or a scale multiply the signal. */
#include "check/flow.h"

#include "ops/build.h"

#include <math.h>

static const double note_growth = 10,
                    warn_growth = 100; /* of the second moment, from the first sum's skip to the last */

/* Does the sum add a value to something computed from it through weights? *skip: that value, *branch: the other. */
static bool is_residual(const CheckContext *cx, NodeId id, NodeId *skip, NodeId *branch)
{
    const Facts *f = cx->facts;
    const Node *node = graph_node(cx->g, id);
    NodeId data[2];
    uint32_t n = 0;
    if (!f->live[id] || f->of_target[id] || node->op->kind != OP_MAP || f->base[id] != id)
        return false;
    for (uint32_t i = 0; i < node->n_in; i++)
        if (graph_type(cx->g, node->in[i])->batch) {
            if (n == 2)
                return false;
            data[n++] = node->in[i];
        }
    if (n != 2 || facts_read(f, id, 0) != READ_SUM)
        return false;
    *skip = data[0] < data[1] ? data[0] : data[1];
    *branch = data[0] < data[1] ? data[1] : data[0];
    NodeId from = f->base[*skip] ? f->base[*skip] : *skip;
    return f->depth[*branch] > f->depth[*skip] && facts_reaches(f, from, *branch);
}

/* Is there a norm in the branch? Then it adds as much whatever the size of the value it is added to: sums grow, but do not multiply. */
static bool has_norm(const CheckContext *cx, NodeId skip, NodeId branch)
{
    bool *behind = arena_array(cx->arena, bool, branch - skip + 1);
    behind[branch - skip] = true;
    for (NodeId id = branch; id > skip; id--) {
        const Node *node = graph_node(cx->g, id);
        if (behind[id - skip] && (build_is_standardize(node) || facts_is(node, "batch_norm")))
            return true;
        for (uint32_t i = 0; behind[id - skip] && i < node->n_in; i++)
            if (node->in[i] > skip)
                behind[node->in[i] - skip] = true;
    }
    return false;
}

static void residual_scale(CheckContext *cx)
{
    const Signal *signal = cx->signal; /* with last layers as small as they start */
    NodeId first = 0, last = 0, first_branch = 0;
    uint32_t sums = 0;
    for (NodeId id = 1; id < cx->g->nodes.n; id++) {
        NodeId skip, branch;
        if (!is_residual(cx, id, &skip, &branch) || signal->gradient[id] == 0 || has_norm(cx, skip, branch))
            continue;
        if (first == 0 || skip < last) {
            if (first != 0)
                continue; /* another chain beside this one */
            first = skip;
            first_branch = branch;
        }
        last = id;
        sums++;
    }
    if (sums < 2)
        return;
    double growth = signal->value[last].second / signal->value[first].second;
    if (!(growth > note_growth) || !isfinite(growth))
        return;
    Diag *diag = check_report(cx, growth > warn_growth ? LEVEL_WARN : LEVEL_NOTE, check_span(cx, first_branch),
                              "%u residual branches make the signal " STR_FMT " times larger", sums,
                              STR_ARG(check_number(cx->arena, sqrt(growth))));
    diag_primary(diag, "added at full size");
    check_label_outer(cx, diag, first_branch, "in this use");
    Span start = check_span(cx, first_branch), end = check_span(cx, last);
    if (end.source && (end.begin > start.end || end.end < start.begin)) /* in a repeat the sum encloses the branch */
        diag_label(diag, end, "the last of them");
    diag_note(diag,
              "predicted: a standard deviation of %.3g before the first and %.3g behind the last, a factor of %.3g per "
              "branch in the mean square; the gradient grows as much on its way back",
              signal_rms(signal, first), signal_rms(signal, last), pow(growth, 1.0 / sums));
    diag_help(diag,
              "scale each branch by 1 / sqrt(%u) = %.3g, let its last layer start at zero (`weight = zeros`), or "
              "normalise in front of it",
              sums, 1 / sqrt(sums));
    check_spot_node(cx, last);
    check_spot_causes(cx, last);
}

ACT_CHECK(residual_scale) = {
    .code = "ACT406",
    .name = "residual_scale",
    .group = "init",
    .level = LEVEL_WARN,
    .summary = "residual branches without norm or scale that multiply the signal",
    .doc =
        "x + f(x) with f at full size doubles the variance, and a chain of L such blocks makes 2^L of it: 1000 for "
        "ten. "
        "The gradient grows by the same factor on its way back. Networks with a norm in every branch do not have this; "
        "without one, scale the branches by 1 / sqrt(L), so that they add one variance together, or let the last layer "
        "of each branch start at zero (Zhang et al. 2019, Fixup), so that the network starts as the identity.\n\n"
        "The rule compares the predicted second moment behind the last sum with that in front of the first. Ten "
        "times is "
        "a note, a hundred times a warning.",
    .wrong = "block layer(x) { x + (x |> linear(64) |> relu |> linear(64)) }\n"
             "model m {\n"
             "    input  x : f32[32]\n"
             "    target y : class(10)\n"
             "    h = x |> linear(64) |> repeat(10, layer)\n"
             "    loss cross_entropy(h |> linear(10), y)\n"
             "}\n",
    .right = "block layer(x) { x + 0.2 * (x |> linear(64) |> relu |> linear(64)) }\n"
             "model m {\n"
             "    input  x : f32[32]\n"
             "    target y : class(10)\n"
             "    h = x |> linear(64) |> repeat(10, layer)\n"
             "    loss cross_entropy(h |> linear(10), y)\n"
             "}\n",
    .silences = {"ACT305", "ACT306", "ACT407"},
    .run = residual_scale,
};
