/* contract: the matrix product in its three directions; each one's gradients are the other two. */
#include "ops/build.h"
#include "ops/index.h"

#include <math.h>
#include <string.h>

ACT_OP(contract);

static const char *mismatch(const Graph *g, const Node *node, Arena *arena)
{
    Text text = {.arena = arena};
    text_printf(&text, "the shapes ");
    type_print(graph_type(g, node->in[0]), &text);
    text_printf(&text, " and ");
    type_print(graph_type(g, node->in[1]), &text);
    text_printf(&text, " do not contract");
    return text_str(&text).p;
}

static const char *infer(const Graph *g, const Node *node, Type *out, Arena *arena)
{
    const Type *a = graph_type(g, node->in[0]), *b = graph_type(g, node->in[1]);
    int64_t form = node_attr(node, 0)->i;
    if (form == CONTRACT_TN) {
        if (a->rank < 1 || b->rank != a->rank || a->batch != b->batch)
            return mismatch(g, node, arena);
        for (uint32_t i = 0; i + 1 < a->rank; i++)
            if (a->dim[i] != b->dim[i])
                return mismatch(g, node, arena);
        *out = (Type){DT_F32, false, 2, {a->dim[a->rank - 1], b->dim[b->rank - 1]}};
        return NULL;
    }
    uint32_t k = form == CONTRACT_NN ? 0 : 1;
    if (form != CONTRACT_NN && form != CONTRACT_NT)
        return "it has an unknown form";
    if (a->rank < 1 || b->rank != 2 || b->batch || a->dim[a->rank - 1] != b->dim[k])
        return mismatch(g, node, arena);
    *out = *a;
    out->dtype = DT_F32;
    out->dim[out->rank - 1] = b->dim[1 - k];
    return NULL;
}

/* rows, depth and columns of the product as one matrix product */
static void extents(const EvalCall *call, size_t *rows, size_t *k, size_t *n)
{
    const Type *a = graph_type(call->g, call->node->in[0]), *b = graph_type(call->g, call->node->in[1]);
    *k = type_last(a);
    *rows = index_count(a, call->rows) / *k;
    *n = node_attr(call->node, 0)->i == CONTRACT_NT ? b->dim[0] : type_last(b);
}

static void eval(const EvalCall *call)
{
    size_t rows, k, n;
    const double *a = call->in[0], *b = call->in[1];
    extents(call, &rows, &k, &n);
    int64_t form = node_attr(call->node, 0)->i;
    memset(call->out, 0, index_count(&call->node->type, call->rows) * sizeof(double));
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < k; i++)
            for (size_t j = 0; j < n; j++)
                switch (form) {
                case CONTRACT_NN: call->out[r * n + j] += a[r * k + i] * b[i * n + j]; break;
                case CONTRACT_NT: call->out[r * n + j] += a[r * k + i] * b[j * k + i]; break;
                default: call->out[i * n + j] += a[r * k + i] * b[r * n + j]; break;
                }
}

static void vjp(Grad *grad, NodeId self, NodeId dy)
{
    Graph *g = grad->g;
    Node node = *graph_node(g, self);
    NodeId a = node.in[0], b = node.in[1];
    dy = build_expand(g, dy, self);
    bool da = grad->wanted(grad, a), db = grad->wanted(grad, b);
    switch (node_attr(&node, 0)->i) {
    case CONTRACT_NN: /* y = a b */
        if (da)
            grad->add(grad, a, build_contract(g, CONTRACT_NT, dy, b));
        if (db)
            grad->add(grad, b, build_contract(g, CONTRACT_TN, a, dy));
        break;
    case CONTRACT_NT: /* y = a b' */
        if (da)
            grad->add(grad, a, build_contract(g, CONTRACT_NN, dy, b));
        if (db)
            grad->add(grad, b, build_contract(g, CONTRACT_TN, dy, a));
        break;
    default: /* y = a' b */
        if (da)
            grad->add(grad, a, build_contract(g, CONTRACT_NT, b, dy));
        if (db)
            grad->add(grad, b, build_contract(g, CONTRACT_NN, a, dy));
        break;
    }
}

static uint64_t depth(const Graph *g, const Node *node)
{
    const Type *a = graph_type(g, node->in[0]);
    return node_attr(node, 0)->i == CONTRACT_TN ? type_elements(a) / type_last(a) * (a->batch ? g->batch : 1)
                                                : type_last(a);
}

/* Fresh weights are independent of the data and of each other: q = K E[x²] E[w²] plus what their means add. */
static void signal(const SignalCall *call)
{
    const Moments *x = call->in[0], *w = call->in[1];
    double k = (double)depth(call->g, call->node);
    double mean = k * x->mean * w->mean;
    double second = k * (x->second * w->second - x->mean * x->mean * w->mean * w->mean) + mean * mean;
    double cross = k * (x->corr * x->second * w->second - x->mean * x->mean * w->mean * w->mean) + mean * mean;
    *call->out = (Moments){mean, second, second > 0 ? fmin(1, fmax(0, cross / second)) : 1, second, second};
}

static void signal_back(const SignalCall *call)
{
    const Type *a = graph_type(call->g, call->node->in[0]);
    double columns = (double)type_last(&call->node->type);
    double positions = (double)(type_elements(a) / type_last(a)) * (a->batch ? call->g->batch : 1);
    call->grad_in[0] = call->grad_out * call->in[1]->second * columns;
    call->grad_in[1] = call->grad_out * call->in[0]->second * positions;
}

static uint64_t flops(const Graph *g, const Node *node)
{
    const Type *a = graph_type(g, node->in[0]), *b = graph_type(g, node->in[1]);
    uint64_t n = node_attr(node, 0)->i == CONTRACT_NT ? b->dim[0] : type_last(b);
    return 2 * type_elements(a) * n;
}

ContractForm build_form(const Node *contract)
{
    ACT_ASSERT(contract->op == &op_contract);
    return (ContractForm)node_attr(contract, 0)->i;
}

NodeId build_contract(Graph *g, ContractForm form, NodeId a, NodeId b)
{
    AttrValue attr = {.i = form};
    NodeId in[2] = {a, b};
    return graph_add(g, &op_contract, in, 2, &attr);
}

static const char *const examples[] = {
    "graph a batch 3\n"
    "tensor \"x\" input f32[B, 2, 5]\n"
    "tensor \"w\" param f32[5, 4] fill normal 0 1\n"
    "%1 = tensor {tensor = 0} : f32[B, 2, 5]\n"
    "%2 = tensor {tensor = 1} : f32[5, 4]\n"
    "%3 = contract %1, %2 {form = 0} : f32[B, 2, 4]\n"
    "%4 = contract %3, %2 {form = 1} : f32[B, 2, 5]\n"
    "%5 = contract %1, %3 {form = 2} : f32[5, 4]\n"
    "%6 = contract %1, %5 {form = 0} : f32[B, 2, 4]\n"
    "output 0 \"a\" %3\noutput 1 \"b\" %4\noutput 2 \"c\" %6\n",
    NULL};

ACT_OP(contract) = {
    .name = "contract",
    .doc = "The matrix product: form 0 x·w, form 1 g·w transposed, form 2 x transposed·g summed over all leading axes.",
    .kind = OP_CONTRACT,
    .min_in = 2,
    .max_in = 2,
    .n_attr = 1,
    .attr = {{"form", ATTR_INT}},
    .infer = infer,
    .vjp = vjp,
    .eval = eval,
    .signal = signal,
    .signal_back = signal_back,
    .flops = flops,
    .examples = examples,
};
