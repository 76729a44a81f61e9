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

Contract build_contract_of(const Node *contract)
{
    ACT_ASSERT(contract->op == &op_contract);
    uint32_t more = (uint32_t)node_attr(contract, 2)->i;
    Contract c = {.form = (ContractForm)node_attr(contract, 0)->i, .outer = (uint32_t)node_attr(contract, 1)->i};
    c.depth = more ? more : 1;
    c.each = node_attr(contract, 3)->i != 0;
    for (uint32_t i = 0; i < node_attr(contract, 4)->dims.n && i < node_attr(contract, 5)->dims.n; i++) {
        c.step[i] = (uint32_t)node_attr(contract, 4)->dims.at[i];
        c.phase[i] = (uint32_t)node_attr(contract, 5)->dims.at[i];
    }
    return c;
}

uint32_t build_contract_taps(const Contract *c, uint32_t axis, uint32_t size)
{
    if (c->step[0] == 0)
        return size;
    return c->phase[axis] < size ? (size - c->phase[axis] - 1) / c->step[axis] + 1 : 0;
}

ContractForm build_form(const Node *contract) { return build_contract_of(contract).form; }

static bool same_axes(const Type *a, uint32_t from_a, const Type *b, uint32_t from_b, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (a->dim[from_a + i] != b->dim[from_b + i])
            return false;
    return true;
}

/* Does b's batch fit? Only products of their own for each sample have one on both sides. */
static bool batches_fit(const Contract *c, const Type *a, const Type *b)
{
    if (c->form == CONTRACT_TN)
        return a->batch == b->batch && (a->batch || !c->each);
    return b->batch == c->each && (a->batch || !c->each);
}

/* Steps and phases are given for all axes of taps, or for none. */
static bool taps_fit(const Node *node, uint32_t taps)
{
    const Dims *step = &node_attr(node, 4)->dims, *phase = &node_attr(node, 5)->dims;
    bool fit = step->n == phase->n && (step->n == 0 || step->n == taps);
    for (uint32_t i = 0; fit && i < step->n; i++)
        fit = step->at[i] >= 1 && step->at[i] <= INT32_MAX && phase->at[i] >= 0 && phase->at[i] < step->at[i];
    return fit;
}

static const char *infer(const Graph *g, const Node *node, Type *out, Arena *arena)
{
    const Type *a = graph_type(g, node->in[0]), *b = graph_type(g, node->in[1]);
    Contract c = build_contract_of(node);
    uint32_t z = c.outer, k = c.depth;
    if (node_attr(node, 0)->i < 0 || node_attr(node, 0)->i > CONTRACT_FLIPPED)
        return "it has an unknown form";
    if (z > TYPE_MAX_RANK || k > TYPE_MAX_RANK || !batches_fit(&c, a, b) || !same_axes(a, 0, b, 0, z))
        return mismatch(g, node, arena);
    *out = (Type){.dtype = DT_F32, .batch = c.form == CONTRACT_TN ? c.each : a->batch};
    uint32_t lead;
    if (c.form == CONTRACT_TN) {
        if (a->rank < z + k || b->rank + k != a->rank + 1 || !same_axes(a, 0, b, 0, a->rank - k))
            return mismatch(g, node, arena);
        lead = z;
        out->rank = z + k + 1;
        for (uint32_t i = 0; i < k; i++)
            out->dim[lead + i] = a->dim[a->rank - k + i];
        out->dim[lead + k] = b->dim[b->rank - 1];
    } else if (c.form == CONTRACT_NN) {
        if (b->rank != z + k + 1 || a->rank < z + k || !same_axes(a, a->rank - k, b, z, k))
            return mismatch(g, node, arena);
        lead = a->rank - k;
        out->rank = lead + 1;
        out->dim[lead] = b->dim[z + k];
    } else if (c.form == CONTRACT_FLIPPED) {
        if (b->rank != z + k + 1 || a->rank < z + k || type_last(a) != type_last(b) || !taps_fit(node, k - 1))
            return mismatch(g, node, arena);
        lead = a->rank - k;
        for (uint32_t i = 0; i + 1 < k; i++)
            if (a->dim[lead + i] != build_contract_taps(&c, i, b->dim[z + i]))
                return mismatch(g, node, arena);
        out->rank = lead + 1;
        out->dim[lead] = b->dim[z + k - 1];
    } else {
        if (b->rank != z + k + 1 || a->rank < z + 1 || a->dim[a->rank - 1] != b->dim[z + k])
            return mismatch(g, node, arena);
        lead = a->rank - 1;
        out->rank = lead + k;
        if (out->rank > TYPE_MAX_RANK)
            return mismatch(g, node, arena);
        for (uint32_t i = 0; i < k; i++)
            out->dim[lead + i] = b->dim[z + i];
    }
    for (uint32_t i = 0; i < lead; i++)
        out->dim[i] = a->dim[i];
    return NULL;
}

/* Element counts: products z (the batch not counted), rows or sums r (likewise), depth k, columns n. */
typedef struct Extents {
    size_t z, r, k, n;
} Extents;

static Extents extents(const Graph *g, const Node *node)
{
    const Type *a = graph_type(g, node->in[0]), *b = graph_type(g, node->in[1]);
    Contract c = build_contract_of(node);
    Extents e = {1, 1, 1, type_last(b)};
    uint32_t inner = c.form == CONTRACT_NT ? 1 : c.depth;
    for (uint32_t i = 0; i < c.outer; i++)
        e.z *= a->dim[i];
    for (uint32_t i = c.outer; i + inner < a->rank; i++)
        e.r *= a->dim[i];
    if (c.form == CONTRACT_FLIPPED) { /* a tap's rows are the columns, its columns terms */
        e.n = b->dim[b->rank - 2];
        e.k = type_elements(a) / e.z / e.r;
        return e;
    }
    e.k = c.form == CONTRACT_NT ? type_elements(b) / e.z / e.n : type_elements(a) / e.z / e.r;
    return e;
}

/* Term i of column j: its tap from the end. */
static size_t flipped(const EvalCall *call, const Extents *e, size_t i, size_t j)
{
    const Type *a = graph_type(call->g, call->node->in[0]), *b = graph_type(call->g, call->node->in[1]);
    Contract c = build_contract_of(call->node);
    uint32_t taps = c.depth - 1, first = a->rank - c.depth;
    size_t last = type_last(b), left = i / last, at = 0, size = 1;
    for (uint32_t axis = taps; axis-- > 0;) {
        uint32_t count = a->dim[first + axis], tap = count - 1 - (uint32_t)(left % count);
        at += size * (c.step[0] ? c.phase[axis] + c.step[axis] * tap : tap);
        left /= count;
        size *= b->dim[c.outer + axis];
    }
    return (at * e->n + j) * last + i % last;
}

static void eval(const EvalCall *call)
{
    Contract c = build_contract_of(call->node);
    Extents e = extents(call->g, call->node);
    size_t samples = graph_type(call->g, call->node->in[0])->batch ? call->rows : 1;
    memset(call->out, 0, index_count(&call->node->type, call->rows) * sizeof(double));
    for (size_t s = 0; s < samples * e.z; s++) {
        size_t z = c.each ? s : s % e.z; /* which product */
        const double *a = call->in[0] + s * e.r * (c.form == CONTRACT_NT ? e.n : e.k);
        const double *b = call->in[1] + (c.form == CONTRACT_TN ? s * e.r * e.n : z * e.k * e.n);
        double *out = call->out + (c.form == CONTRACT_TN   ? z * e.k * e.n
                                   : c.form != CONTRACT_NT ? s * e.r * e.n
                                                           : s * e.r * e.k);
        for (size_t r = 0; r < e.r; r++)
            for (size_t i = 0; i < e.k; i++)
                for (size_t j = 0; j < e.n; j++)
                    switch (c.form) {
                    case CONTRACT_NN: out[r * e.n + j] += a[r * e.k + i] * b[i * e.n + j]; break;
                    case CONTRACT_NT: out[r * e.k + i] += a[r * e.n + j] * b[i * e.n + j]; break;
                    case CONTRACT_TN: out[i * e.n + j] += a[r * e.k + i] * b[r * e.n + j]; break;
                    case CONTRACT_FLIPPED: out[r * e.n + j] += a[r * e.k + i] * b[flipped(call, &e, i, j)]; break;
                    }
    }
}

static NodeId like(Graph *g, Contract c, ContractForm form, NodeId a, NodeId b)
{
    c.form = form;
    return build_product(g, c, a, b);
}

static void vjp(Grad *grad, NodeId self, NodeId dy)
{
    Graph *g = grad->g;
    Node node = *graph_node(g, self);
    NodeId a = node.in[0], b = node.in[1];
    Contract c = build_contract_of(&node);
    dy = build_expand(g, dy, self);
    bool da = grad->wanted(grad, a), db = grad->wanted(grad, b);
    switch (c.form) {
    case CONTRACT_NN: /* y = a b */
        if (da)
            grad->add(grad, a, like(g, c, CONTRACT_NT, dy, b));
        if (db)
            grad->add(grad, b, like(g, c, CONTRACT_TN, a, dy));
        break;
    case CONTRACT_NT: /* y = a b' */
        if (da)
            grad->add(grad, a, like(g, c, CONTRACT_NN, dy, b));
        if (db)
            grad->add(grad, b, like(g, c, CONTRACT_TN, dy, a));
        break;
    case CONTRACT_FLIPPED: { /* y = a f, f: w with its taps from their ends and each of them turned */
        ACT_ASSERT(c.step[0] == 0); /* made after gradients are */
        uint32_t lead = c.outer + c.depth - 1, taps = ((1u << lead) - 1) & ~((1u << c.outer) - 1);
        int64_t turn[TYPE_MAX_RANK];
        for (uint32_t i = 0; i < lead; i++)
            turn[i] = i;
        turn[lead] = lead + 1, turn[lead + 1] = lead;
        NodeId f = build_permute(g, build_reverse(g, b, taps), lead + 2, turn);
        if (da)
            grad->add(grad, a, like(g, c, CONTRACT_NT, dy, f));
        if (db)
            grad->add(grad, b, build_reverse(g, build_permute(g, like(g, c, CONTRACT_TN, a, dy), lead + 2, turn), taps));
        break;
    }
    case CONTRACT_TN: /* y = a' b */
        if (da)
            grad->add(grad, a, like(g, c, CONTRACT_NT, b, dy));
        if (db)
            grad->add(grad, b, like(g, c, CONTRACT_NN, a, dy));
        break;
    }
}

/* How many terms one element of the result adds up. */
static uint64_t terms(const Graph *g, const Node *node)
{
    Contract c = build_contract_of(node);
    Extents e = extents(g, node);
    bool summed = graph_type(g, node->in[0])->batch && !c.each;
    return c.form == CONTRACT_NN || c.form == CONTRACT_FLIPPED ? e.k : c.form == CONTRACT_NT ? e.n : e.r * (summed ? g->batch : 1);
}

/* Fresh weights are independent of the data and of each other: q = K E[x²] E[w²] plus what their means add. Two samples share the
 * weights, and two values of the data (attention) as much as they are correlated. */
static void signal(const SignalCall *call)
{
    const Moments *x = call->in[0], *w = call->in[1];
    double k = (double)terms(call->g, call->node), both = graph_type(call->g, call->node->in[1])->batch ? w->corr : 1;
    double mean = k * x->mean * w->mean;
    double second = k * (x->second * w->second - x->mean * x->mean * w->mean * w->mean) + mean * mean;
    double cross = k * (x->corr * x->second * both * w->second - x->mean * x->mean * w->mean * w->mean) + mean * mean;
    *call->out = (Moments){mean, second, second > 0 ? fmin(1, fmax(0, cross / second)) : 1, second, second};
}

/* Every element of an input goes into as many products as there are multiplications for each of its elements. */
static void signal_back(const SignalCall *call)
{
    for (uint32_t i = 0; i < 2; i++) {
        const Type *in = graph_type(call->g, call->node->in[i]);
        Extents e = extents(call->g, call->node);
        double batch = graph_type(call->g, call->node->in[0])->batch ? call->g->batch : 1;
        double uses = (double)(e.z * e.r * e.k * e.n) * batch / (double)type_elements(in) / (in->batch ? call->g->batch : 1);
        call->grad_in[i] = call->grad_out * call->in[1 - i]->second * uses;
    }
}

static uint64_t flops(const Graph *g, const Node *node)
{
    Extents e = extents(g, node);
    return 2 * e.z * e.r * e.k * e.n;
}

NodeId build_product(Graph *g, Contract c, NodeId a, NodeId b)
{
    AttrValue attr[6] = {{.i = c.form}, {.i = c.outer}, {.i = c.depth > 1 ? c.depth : 0}, {.i = c.each}};
    attr[4].dims = attr[5].dims = (Dims){.n = c.step[0] ? c.depth - 1 : 0};
    for (uint32_t i = 0; i < attr[4].dims.n; i++) {
        attr[4].dims.at[i] = c.step[i];
        attr[5].dims.at[i] = c.phase[i];
    }
    return graph_add(g, &op_contract, (NodeId[]){a, b}, 2, attr);
}

NodeId build_contract(Graph *g, ContractForm form, NodeId a, NodeId b)
{
    return build_product(g, (Contract){.form = form, .depth = 1}, a, b);
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
    "graph attention batch 2\n"
    "tensor \"q\" input f32[B, 2, 3, 5]\n"
    "tensor \"k\" input f32[B, 2, 4, 5]\n"
    "%1 = tensor {tensor = 0} : f32[B, 2, 3, 5]\n"
    "%2 = tensor {tensor = 1} : f32[B, 2, 4, 5]\n"
    "%3 = contract %1, %2 {form = 1, outer = 1, each = 1} : f32[B, 2, 3, 4]\n"
    "%4 = contract %3, %2 {form = 0, outer = 1, each = 1} : f32[B, 2, 3, 5]\n"
    "%5 = contract %3, %4 {form = 2, outer = 1, each = 1} : f32[B, 2, 4, 5]\n"
    "output 0 \"a\" %4\noutput 1 \"b\" %5\n",
    "graph convolution batch 3\n"
    "tensor \"x\" input f32[B, 2, 4, 3, 5]\n"
    "tensor \"w\" param f32[2, 3, 5, 4] fill normal 0 1\n"
    "%1 = tensor {tensor = 0} : f32[B, 2, 4, 3, 5]\n"
    "%2 = tensor {tensor = 1} : f32[2, 3, 5, 4]\n"
    "%3 = contract %1, %2 {form = 0, outer = 1, depth = 2} : f32[B, 2, 4, 4]\n"
    "%4 = contract %3, %2 {form = 1, outer = 1, depth = 2} : f32[B, 2, 4, 3, 5]\n"
    "%5 = contract %1, %3 {form = 2, outer = 1, depth = 2} : f32[2, 3, 5, 4]\n"
    "%6 = contract %4, %5 {form = 0, outer = 1, depth = 2} : f32[B, 2, 4, 4]\n"
    "output 0 \"a\" %3\noutput 1 \"b\" %6\n",
    "graph flipped batch 3\n"
    "tensor \"x\" input f32[B, 2, 3, 2, 3, 5]\n"
    "tensor \"w\" param f32[2, 3, 4, 5] fill normal 0 1\n"
    "%1 = tensor {tensor = 0} : f32[B, 2, 3, 2, 3, 5]\n"
    "%2 = tensor {tensor = 1} : f32[2, 3, 4, 5]\n"
    "%3 = contract %1, %2 {form = 3, depth = 3} : f32[B, 2, 3, 4]\n"
    "output 0 \"a\" %3\n",
    NULL};

ACT_OP(contract) = {
    .name = "contract",
    .doc = "The matrix product: form 0 x·w, form 1 g·w transposed, form 2 x transposed·g summed over all leading axes, form 3 x·w with the "
           "taps of w from their ends and each of them transposed. `outer` leading axes have products of their own, and so has each sample "
           "if `each`; `depth` axes of w together are its rows.",
    .kind = OP_CONTRACT,
    .min_in = 2,
    .max_in = 2,
    .n_attr = 6,
    .attr = {{"form", ATTR_INT}, {"outer", ATTR_INT, true}, {"depth", ATTR_INT, true}, {"each", ATTR_INT, true},
             {"step", ATTR_DIMS, true}, {"phase", ATTR_DIMS, true}},
    .infer = infer,
    .vjp = vjp,
    .eval = eval,
    .signal = signal,
    .signal_back = signal_back,
    .flops = flops,
    .examples = examples,
};
