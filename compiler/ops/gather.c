/* gather: rows of a table, chosen by indices; scatter_add, its gradient: rows added up where the indices say.
 *
 * An index outside the table means its nearest row, in both, everywhere: the readers of data refuse such a token, and what a caller
 * passes must never lead generated code outside the table. */
#include "ops/build.h"
#include "ops/index.h"

#include <math.h>
#include <string.h>

ACT_OP(gather);
ACT_OP(scatter_add);

static size_t row_of(double index, size_t rows)
{
    return !(index > 0) ? 0 : index >= (double)rows ? rows - 1 : (size_t)index;
}

static const char *gather_infer(const Graph *g, const Node *node, Type *out, Arena *arena)
{
    (void)arena;
    const Type *table = graph_type(g, node->in[0]), *index = graph_type(g, node->in[1]);
    if (table->rank != 2 || table->batch || table->dtype != DT_F32)
        return "its table is not a matrix";
    if (index->dtype != DT_I32)
        return "its indices are not whole numbers";
    if (index->rank == TYPE_MAX_RANK)
        return "its indices have too many axes";
    *out = *index;
    out->dtype = DT_F32;
    out->dim[out->rank++] = table->dim[1];
    return NULL;
}

static void gather_eval(const EvalCall *call)
{
    const Type *table = graph_type(call->g, call->node->in[0]);
    size_t columns = table->dim[1], n = index_count(&call->node->type, call->rows) / columns;
    for (size_t i = 0; i < n; i++)
        memcpy(call->out + i * columns, call->in[0] + row_of(call->in[1][i], table->dim[0]) * columns, columns * sizeof(double));
}

static void gather_vjp(Grad *grad, NodeId self, NodeId dy)
{
    Graph *g = grad->g;
    Node node = *graph_node(g, self);
    if (grad->wanted(grad, node.in[0]))
        grad->add(grad, node.in[0], build_scatter_add(g, node.in[1], build_expand(g, dy, self), graph_type(g, node.in[0])->dim[0]));
}

/* Two samples share a row as often as their indices are equal: once in V. */
static void gather_signal(const SignalCall *call)
{
    const Moments *table = call->in[0];
    double same = 1.0 / graph_type(call->g, call->node->in[0])->dim[0];
    *call->out = *table;
    double others = table->second > 0 ? fmin(1, table->mean * table->mean / table->second) : 1;
    call->out->corr = same + (1 - same) * others;
}

/* Every row of the table gets the gradients of all its places. */
static void gather_signal_back(const SignalCall *call)
{
    const Type *index = graph_type(call->g, call->node->in[1]);
    double places = (double)type_elements(index) * (index->batch ? call->g->batch : 1);
    call->grad_in[0] = call->grad_out * places / graph_type(call->g, call->node->in[0])->dim[0];
    call->grad_in[1] = 0;
}

static uint64_t no_flops(const Graph *g, const Node *node)
{
    (void)g, (void)node;
    return 0;
}

static const char *scatter_infer(const Graph *g, const Node *node, Type *out, Arena *arena)
{
    (void)arena;
    const Type *index = graph_type(g, node->in[0]);
    Type rows = *graph_type(g, node->in[1]);
    int64_t count = node_attr(node, 0)->i;
    if (index->dtype != DT_I32)
        return "its indices are not whole numbers";
    if (rows.rank == 0 || count < 1 || count > UINT32_MAX)
        return "it needs rows to add up, and a table with rows";
    uint32_t columns = rows.dim[--rows.rank];
    if (!type_same_shape(&rows, index))
        return "it needs one index for each row";
    *out = type_make(DT_F32, false, 2, (uint32_t[]){(uint32_t)count, columns});
    return NULL;
}

static void scatter_eval(const EvalCall *call)
{
    size_t columns = call->node->type.dim[1], rows = call->node->type.dim[0];
    size_t n = index_count(graph_type(call->g, call->node->in[0]), call->rows);
    memset(call->out, 0, rows * columns * sizeof(double));
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < columns; c++)
            call->out[row_of(call->in[0][i], rows) * columns + c] += call->in[1][i * columns + c];
}

static void scatter_vjp(Grad *grad, NodeId self, NodeId dy)
{
    Node node = *graph_node(grad->g, self);
    if (grad->wanted(grad, node.in[1]))
        grad->add(grad, node.in[1], build_gather(grad->g, build_expand(grad->g, dy, self), node.in[0]));
}

static void scatter_signal(const SignalCall *call)
{
    const Type *index = graph_type(call->g, call->node->in[0]);
    double places = (double)type_elements(index) * (index->batch ? call->g->batch : 1);
    double second = call->in[1]->second * places / call->node->type.dim[0];
    *call->out = (Moments){call->in[1]->mean * places / call->node->type.dim[0], second, 1, second, second};
}

static uint64_t scatter_flops(const Graph *g, const Node *node) { return type_elements(graph_type(g, node->in[1])); }

NodeId build_gather(Graph *g, NodeId table, NodeId index)
{
    return graph_add(g, &op_gather, (NodeId[]){table, index}, 2, NULL);
}

NodeId build_scatter_add(Graph *g, NodeId index, NodeId rows, uint32_t count)
{
    return graph_add(g, &op_scatter_add, (NodeId[]){index, rows}, 2, &(AttrValue){.i = count});
}

static const char *const gather_examples[] = {"graph a batch 3\n"
                                              "tensor \"x\" input i32[B, 4] classes 5\n"
                                              "tensor \"table\" param f32[5, 19] fill normal 0 1\n"
                                              "%1 = tensor {tensor = 0} : i32[B, 4]\n"
                                              "%2 = tensor {tensor = 1} : f32[5, 19]\n"
                                              "%3 = gather %2, %1 : f32[B, 4, 19]\n"
                                              "output 0 \"y\" %3\n",
                                              "graph a batch 2\n"
                                              "tensor \"x\" input i32[B] classes 3\n"
                                              "tensor \"table\" param f32[3, 1] fill normal 0 1\n"
                                              "%1 = tensor {tensor = 0} : i32[B]\n"
                                              "%2 = tensor {tensor = 1} : f32[3, 1]\n"
                                              "%3 = gather %2, %1 : f32[B, 1]\n"
                                              "output 0 \"y\" %3\n",
                                              NULL};
static const char *const scatter_examples[] = {"graph a batch 3\n"
                                               "tensor \"x\" input i32[B, 4] classes 5\n"
                                               "tensor \"dy\" input f32[B, 4, 35]\n"
                                               "%1 = tensor {tensor = 0} : i32[B, 4]\n"
                                               "%2 = tensor {tensor = 1} : f32[B, 4, 35]\n"
                                               "%3 = scatter_add %1, %2 {rows = 5} : f32[5, 35]\n"
                                               "%4 = gather %3, %1 : f32[B, 4, 35]\n"
                                               "output 0 \"y\" %4\n",
                                               NULL};

ACT_OP(gather) = {
    .name = "gather",
    .doc = "Rows of a table at indices, one for each index; appends an axis. An index outside the table means its nearest row.",
    .kind = OP_GATHER,
    .min_in = 2,
    .max_in = 2,
    .infer = gather_infer,
    .vjp = gather_vjp,
    .eval = gather_eval,
    .signal = gather_signal,
    .signal_back = gather_signal_back,
    .flops = no_flops,
    .examples = gather_examples,
};

ACT_OP(scatter_add) = {
    .name = "scatter_add",
    .doc = "A table of `rows` rows: each row of the second input, of all samples, added to the row that its index names.",
    .kind = OP_ADD_ROWS,
    .min_in = 2,
    .max_in = 2,
    .n_attr = 1,
    .attr = {{"rows", ATTR_INT}},
    .infer = scatter_infer,
    .vjp = scatter_vjp,
    .eval = scatter_eval,
    .signal = scatter_signal,
    .flops = scatter_flops,
    .examples = scatter_examples,
};
