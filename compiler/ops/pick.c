/* pick: the element at an index of the last axis; one_hot: the index as a vector. By comparing positions with the index, so that
 * a lane is either the element itself or an exact zero, and a NaN elsewhere in the row does not leak. */
#include "ops/build.h"
#include "ops/index.h"

#include <math.h>

ACT_OP(pick);
ACT_OP(one_hot);

static const char *pick_infer(const Graph *g, const Node *node, Type *out, Arena *arena)
{
    (void)arena;
    Type row = *graph_type(g, node->in[0]);
    const Type *index = graph_type(g, node->in[1]);
    if (row.rank < 1)
        return "it needs an axis to pick from";
    row.rank--;
    if (!type_same_shape(&row, index))
        return "it needs one index for each row";
    *out = row;
    out->dtype = DT_F32;
    return NULL;
}

static void pick_eval(const EvalCall *call)
{
    size_t k = (size_t)type_last(graph_type(call->g, call->node->in[0]));
    size_t count = index_count(&call->node->type, call->rows);
    for (size_t i = 0; i < count; i++) {
        double index = call->in[1][i];
        call->out[i] = index >= 0 && index < (double)k ? call->in[0][i * k + (size_t)index] : 0;
    }
}

static NodeId column(Graph *g, NodeId a)
{
    Type type = *graph_type(g, a);
    type.dim[type.rank++] = 1;
    return build_reshape(g, a, type.rank, type.dim);
}

/* select(position = index, value, 0) over the positions of an axis of `k` */
static NodeId at_index(Graph *g, NodeId index, NodeId value, uint32_t k)
{
    SxPool *sx = g->sx;
    Sx hit = sx_bin(sx, SX_EQ, sx_arg(sx, 0), sx_arg(sx, 1));
    NodeId in[3] = {build_iota(g, k), column(g, index), value};
    if (value == 0)
        return build_map(g, sx_select(sx, hit, sx_num(sx, 1), sx_num(sx, 0)), in, 2);
    return build_map(g, sx_select(sx, hit, sx_arg(sx, 2), sx_num(sx, 0)), in, 3);
}

static void pick_vjp(Grad *grad, NodeId self, NodeId dy)
{
    Graph *g = grad->g;
    Node node = *graph_node(g, self);
    uint32_t k = (uint32_t)type_last(graph_type(g, node.in[0]));
    grad->add(grad, node.in[0], at_index(g, node.in[1], column(g, build_expand(g, dy, self)), k));
}

static NodeId pick_expand(Graph *to, const Graph *from, const Node *node, const NodeId *in, bool train)
{
    (void)from, (void)node, (void)train;
    uint32_t k = (uint32_t)type_last(graph_type(to, in[0]));
    return build_sum_last(to, at_index(to, in[1], in[0], k), false);
}

static void pick_signal_back(const SignalCall *call)
{
    call->grad_in[0] = call->grad_out / (double)type_last(graph_type(call->g, call->node->in[0]));
    call->grad_in[1] = 0;
}

static const char *one_hot_infer(const Graph *g, const Node *node, Type *out, Arena *arena)
{
    (void)arena;
    *out = *graph_type(g, node->in[0]);
    int64_t classes = node_attr(node, 0)->i;
    if (classes < 1 || classes > UINT32_MAX)
        return "the number of classes must be positive";
    if (out->rank == TYPE_MAX_RANK)
        return "its input has too many axes";
    out->dtype = DT_F32;
    out->dim[out->rank++] = (uint32_t)classes;
    return NULL;
}

static void one_hot_eval(const EvalCall *call)
{
    size_t k = (size_t)node_attr(call->node, 0)->i, count = index_count(&call->node->type, call->rows);
    for (size_t i = 0; i < count; i++)
        call->out[i] = call->in[0][i / k] == (double)(i % k);
}

static NodeId one_hot_expand(Graph *to, const Graph *from, const Node *node, const NodeId *in, bool train)
{
    (void)from, (void)train;
    return at_index(to, in[0], 0, (uint32_t)node_attr(node, 0)->i);
}

static void one_hot_signal(const SignalCall *call)
{
    double p = 1 / (double)node_attr(call->node, 0)->i;
    *call->out = (Moments){p, p, p, p, p};
}

NodeId build_pick(Graph *g, NodeId a, NodeId index) { return graph_add(g, &op_pick, (NodeId[]){a, index}, 2, NULL); }

NodeId build_one_hot(Graph *g, NodeId index, uint32_t classes)
{
    AttrValue attr = {.i = classes};
    return graph_add(g, &op_one_hot, &index, 1, &attr);
}

static const char *const pick_examples[] = {"graph a batch 3\n"
                                            "tensor \"x\" input f32[B, 5]\n"
                                            "tensor \"label\" target i32[B] classes 5\n"
                                            "%1 = tensor {tensor = 0} : f32[B, 5]\n"
                                            "%2 = tensor {tensor = 1} : i32[B]\n"
                                            "%3 = pick %1, %2 : f32[B]\n"
                                            "output 0 \"y\" %3\n",
                                            NULL};
static const char *const one_hot_examples[] = {"graph a batch 3\n"
                                               "tensor \"label\" target i32[B] classes 5\n"
                                               "%1 = tensor {tensor = 0} : i32[B]\n"
                                               "%2 = one_hot %1 {classes = 5} : f32[B, 5]\n"
                                               "output 0 \"y\" %2\n",
                                               NULL};

ACT_OP(pick) = {
    .name = "pick",
    .doc = "The element of the last axis at an index, one index for each row; drops the axis.",
    .kind = OP_COMPOSITE,
    .min_in = 2,
    .max_in = 2,
    .infer = pick_infer,
    .vjp = pick_vjp,
    .eval = pick_eval,
    .expand = pick_expand,
    .signal_back = pick_signal_back,
    .examples = pick_examples,
};

ACT_OP(one_hot) = {
    .name = "one_hot",
    .doc = "An index as a vector with a one at its place; appends an axis.",
    .kind = OP_COMPOSITE,
    .min_in = 1,
    .max_in = 1,
    .n_attr = 1,
    .attr = {{"classes", ATTR_INT}},
    .infer = one_hot_infer,
    .eval = one_hot_eval,
    .expand = one_hot_expand,
    .signal = one_hot_signal,
    .examples = one_hot_examples,
};
