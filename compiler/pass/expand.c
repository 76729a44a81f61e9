/* expand: composites become maps, reductions and movements; what depends on the mode is decided here (dropout).
 * canonical: every reduction folds either the last axes of a row, or others, with or without the batch, or the batch alone. */
#include "ops/build.h"
#include "pass/pass.h"

static NodeId expanded(PassState *state, Graph *g, const Node *node, const NodeId *map)
{
    if (node->op->kind != OP_COMPOSITE)
        return 0;
    NodeId in[64];
    for (uint32_t i = 0; i < node->n_in; i++)
        in[i] = map[node->in[i]];
    NodeId first = g->nodes.n, result = node->op->expand(g, state->g, node, in, state->train);
    for (NodeId made = first; made < g->nodes.n; made++)
        graph_node(g, made)->fn = node->fn.n ? node->fn : str_of(node->op->name);
    return result;
}

static void expand_run(PassState *state) { pass_rewrite(state, expanded); }

const Pass pass_expand = {
    .name = "expand",
    .doc = "Write composite ops (softmax, dropout, pick) in terms of maps and reductions.",
    .needs = FACT_TYPED,
    .keeps = FACT_TYPED | FACT_GRADIENTS,
    .gives = FACT_EXPANDED,
    .run = expand_run,
};

/* A sum over the batch and over many places of each sample is taken within the samples first: these are rows, which threads share and
 * the kernels around keep near; few columns alone would leave all of it to one thread. What is kept of a sample must be little beside what
 * is read of it. */
static bool within_samples(const Type *type, const Fold *fold, uint32_t axes)
{
    enum { LEAST_PLACES = 16, LEAST_LANES = 4, TIMES_KEPT = 4 };
    uint64_t places = 1, kept = 1;
    uint32_t last = type->rank;
    while (last > 0 && type->dim[last - 1] == 1)
        last--;
    for (uint32_t axis = 0; axis + 1 < last; axis++)
        *(axes >> axis & 1 ? &places : &kept) *= type->dim[axis];
    return fold->op == REDUCE_SUM && fold->batch && last > 0 && !(axes >> (last - 1) & 1) && type->dim[last - 1] >= LEAST_LANES &&
           places >= LEAST_PLACES && places >= TIMES_KEPT * kept;
}

/* First the last axes of a row, then all others at once, with the batch: the kernel generator has loops for both. An axis of length one
 * may count as folded; alone it is no fold. A matrix without a batch folds its columns first: its rows may lie in panels. */
static NodeId canonical(PassState *state, Graph *g, const Node *node, const NodeId *map)
{
    (void)state;
    if (node->op->kind != OP_REDUCE)
        return 0;
    NodeId in = map[node->in[0]];
    Type type = *graph_type(g, in);
    Fold fold = build_fold(node);
    bool matrix = !type.batch && type.rank == 2;
    uint32_t start = type.rank, left = fold.axes;
    NodeId value = in;
    for (uint32_t axis = 0; axis < type.rank; axis++)
        left &= type.dim[axis] == 1 ? ~(1u << axis) : ~0u; /* nothing to add */
    while (start > 0 && (left >> (start - 1) & 1 || type.dim[start - 1] == 1) && !(matrix && start < type.rank))
        start--;
    uint32_t last = ((1u << type.rank) - 1) & ~((1u << start) - 1);
    if ((left & last) != 0) {
        value = build_reduce(g, fold.op, value, last, false, true);
        left &= ~last;
    }
    if (within_samples(graph_type(g, value), &fold, left)) {
        value = build_reduce(g, fold.op, value, left, false, true);
        left = 0;
    }
    if (left != 0 || fold.batch)
        value = build_reduce(g, fold.op, value, left, fold.batch, true);
    return build_reshape(g, value, node->type.rank, node->type.dim);
}

static void canonical_run(PassState *state) { pass_rewrite(state, canonical); }

const Pass pass_canonical = {
    .name = "canonical",
    .doc = "Split reductions so that each folds either the last axes of a row, or others, with or without the batch.",
    .needs = FACT_EXPANDED,
    .keeps = FACT_TYPED | FACT_GRADIENTS | FACT_EXPANDED,
    .gives = FACT_CANONICAL,
    .run = canonical_run,
};
