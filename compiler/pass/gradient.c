/* gradient: reverse mode over the graph. Every op adds its own part; this file only adds up and walks backward.
 *
 * It runs before expansion and fusion: a gradient rule wants the op, not the loop it became. */
#include "ops/build.h"
#include "pass/pass.h"

typedef struct Gradients {
    Grad base;          /* first: ops see only this */
    NodeId *of;         /* by node of the forward graph: its gradient, 0 none yet */
    bool *wanted;
    uint32_t n_forward;
} Gradients;

static bool wanted(Grad *grad, NodeId value)
{
    Gradients *self = (Gradients *)grad;
    return value < self->n_forward && self->wanted[value];
}

/* Sums `part` over the axes along which a value of `type` was broadcast to part's shape. */
static NodeId sum_to(Graph *g, NodeId part, const Type *type)
{
    Type wide = *graph_type(g, part);
    uint32_t lead = wide.rank > type->rank ? wide.rank - type->rank : 0, axes = 0;
    for (uint32_t axis = 0; axis < wide.rank; axis++)
        if (axis < lead || (type->dim[axis - lead] == 1 && wide.dim[axis] != 1))
            axes |= 1u << axis;
    bool batch = wide.batch && !type->batch;
    if (axes == 0 && !batch)
        return part;
    NodeId sum = build_reduce(g, REDUCE_SUM, part, axes, batch, false);
    uint32_t kept[TYPE_MAX_RANK], n = 0; /* bring back the axes of size one that stand inside the value's shape */
    for (uint32_t axis = lead; axis < wide.rank; axis++)
        kept[n++] = axes >> axis & 1 ? 1 : wide.dim[axis];
    return build_reshape(g, sum, n, kept);
}

static void add(Grad *grad, NodeId value, NodeId part)
{
    Gradients *self = (Gradients *)grad;
    if (!wanted(grad, value))
        return;
    part = sum_to(grad->g, part, graph_type(grad->g, value));
    NodeId *of = &self->of[value];
    *of = *of == 0 ? part : build_add(grad->g, *of, part); /* parts side by side: pass/merge.c */
}

/* A value is wanted when a trained parameter stands behind it. */
static void mark_wanted(Gradients *self, const Graph *g)
{
    for (NodeId id = 1; id < self->n_forward; id++) {
        const Node *node = graph_node(g, id);
        for (uint32_t i = 0; i < node->n_in && node->op->vjp != NULL; i++)
            self->wanted[id] = self->wanted[id] || self->wanted[node->in[i]];
    }
}

/* The prefixes of `loss for …` of a loss root; n is 0 when the loss trains everything. */
static const Str *loss_group(const PassState *state, const Root *root, uint32_t *n)
{
    const Model *model = state->model;
    *n = 0;
    if (model == NULL || root->index >= model->loss_uses.n)
        return NULL;
    *n = model->loss_uses.at[root->index].group.n;
    return model->loss_uses.at[root->index].group.at;
}

static bool same_group(const PassState *state, const Root *a, const Root *b)
{
    uint32_t n, m;
    const Str *p = loss_group(state, a, &n), *q = loss_group(state, b, &m);
    for (uint32_t i = 0; n == m && i < n; i++)
        if (!str_eq(p[i], q[i]))
            return false;
    return n == m;
}

/* What node `id` adds to the graph belongs to its layer and its line. */
static void take_place(Graph *g, uint32_t first, NodeId id)
{
    Node node = *graph_node(g, id);
    for (uint32_t k = first; k < g->nodes.n; k++) {
        Node *made = graph_node(g, k);
        made->layer = made->layer == 0 ? node.layer : made->layer;
        made->span = made->span.source == 0 ? node.span : made->span;
    }
}

/* One walk backward from the losses that share loss `first`'s group, to the parameters of that group: their gradients are added to
 * `total`, by tensor. A parameter may be read by several leaves. */
static void backward(PassState *state, Graph *g, const Graph *from, const NodeId *map, uint32_t first, NodeId *total)
{
    Gradients self = {.base = {.g = g, .add = add, .wanted = wanted}, .n_forward = map[from->nodes.n - 1] + 1};
    self.of = arena_array(state->arena, NodeId, self.n_forward);
    self.wanted = arena_array(state->arena, bool, self.n_forward);
    uint32_t n, tensor;
    const Str *group = loss_group(state, &from->roots.at[first], &n);
    for (NodeId id = 1; id < self.n_forward; id++)
        if (build_is_tensor(graph_node(g, id), &tensor))
            self.wanted[id] = g->tensors.at[tensor].trainable &&
                              (n == 0 || pass_in_group(group, n, g->tensors.at[tensor].name));
    mark_wanted(&self, g);
    for (uint32_t i = first; i < from->roots.n; i++) {
        const Root *root = &from->roots.at[i];
        if (root->kind == ROOT_LOSS && same_group(state, root, &from->roots.at[first]) && self.wanted[map[root->node]])
            add(&self.base, map[root->node], build_number(g, 1));
    }
    for (NodeId id = self.n_forward; id-- > 1;) {
        const Op *op = graph_node(g, id)->op;
        uint32_t first_new = g->nodes.n;
        if (self.of[id] != 0 && op->vjp != NULL)
            op->vjp(&self.base, id, self.of[id]);
        take_place(g, first_new, id);
    }
    for (NodeId id = 1; id < self.n_forward && state->watch != NULL; id++)
        state->gradient[id] = self.of[id] != 0 ? self.of[id] : state->gradient[id];
    for (NodeId id = 1; id < self.n_forward; id++) {
        if (self.of[id] == 0 || !build_is_tensor(graph_node(g, id), &tensor))
            continue;
        NodeId full = build_expand(g, self.of[id], id);
        total[tensor] = total[tensor] == 0 ? full : build_add(g, total[tensor], full);
    }
}

static void run(PassState *state)
{
    const Graph *from = state->g;
    Graph *g = graph_like(from);
    NodeId *map = arena_array(state->arena, NodeId, from->nodes.n);
    NodeId *total = arena_array(state->arena, NodeId, g->tensors.n);
    for (NodeId id = 1; id < from->nodes.n; id++)
        map[id] = graph_copy_node(g, from, id, map);
    pass_copy_roots(g, from, map);
    if (state->watch != NULL)
        state->gradient = arena_array(state->arena, NodeId, g->nodes.n);
    for (uint32_t i = 0; i < from->roots.n; i++) { /* each group of losses once, at its first loss */
        bool seen = from->roots.at[i].kind != ROOT_LOSS;
        for (uint32_t k = 0; k < i && !seen; k++)
            seen = from->roots.at[k].kind == ROOT_LOSS && same_group(state, &from->roots.at[k], &from->roots.at[i]);
        if (!seen)
            backward(state, g, from, map, i, total);
    }
    /* roots that the optimizer takes over */
    for (uint32_t t = 0; t < from->tensors.n; t++)
        if (total[t] != 0)
            graph_root_add(g, ROOT_UPDATE, total[t], t, from->tensors.at[t].name);
    state->g = g;
}

const Pass pass_gradient = {
    .name = "gradient",
    .doc = "Add the gradient of the losses with respect to every trained parameter, as nodes.",
    .needs = FACT_TYPED,
    .keeps = FACT_TYPED,
    .run = run,
};
