/* map: a scalar expression applied to every element; the one op behind all activations, losses and optimizer updates. */
#include "ops/build.h"
#include "ops/index.h"
#include "ops/sample.h"

#include <math.h>

ACT_OP(map);

static const char *infer(const Graph *g, const Node *node, Type *out, Arena *arena)
{
    Type type = *graph_type(g, node->in[0]);
    for (uint32_t i = 1; i < node->n_in; i++)
        if (!type_broadcast(&type, graph_type(g, node->in[i]), &type)) {
            Text text = {.arena = arena};
            text_printf(&text, "the shapes of its inputs do not broadcast: ");
            for (uint32_t k = 0; k < node->n_in; k++) {
                text_printf(&text, k ? " and " : "");
                type_print(graph_type(g, node->in[k]), &text);
            }
            return text_str(&text).p;
        }
    if (sx_arg_limit(g->sx, node_attr(node, 0)->sx) > node->n_in)
        return "its expression has more arguments than it has inputs";
    type.dtype = DT_F32;
    *out = type;
    return NULL;
}

static void eval(const EvalCall *call)
{
    const Node *node = call->node;
    size_t stride[64][1 + TYPE_MAX_RANK];
    double arg[64];
    for (uint32_t i = 0; i < node->n_in; i++)
        index_broadcast(graph_type(call->g, node->in[i]), &node->type, stride[i]);
    Walk walk;
    for (walk_start(&walk, &node->type, call->rows); walk_more(&walk); walk_next(&walk)) {
        for (uint32_t i = 0; i < node->n_in; i++)
            arg[i] = call->in[i][walk_at(&walk, stride[i])];
        call->out[walk.at] = sx_eval(call->g->sx, node_attr(node, 0)->sx, arg);
    }
}

/* dx_i = dy * df/dx_i, written with the value y itself where that frees x_i (relu' from its output). */
static void vjp(Grad *grad, NodeId self, NodeId dy)
{
    SxPool *sx = grad->g->sx;
    Node node = *graph_node(grad->g, self); /* by value: adding nodes moves the table */
    Sx f = node_attr(&node, 0)->sx, slope[64];
    sx_gradient(sx, f, node.n_in, slope);
    for (uint32_t i = 0; i < node.n_in; i++) {
        double number;
        if (!grad->wanted(grad, node.in[i]) || (sx_is_num(sx, slope[i], &number) && number == 0))
            continue;
        Sx y = sx_arg(sx, node.n_in), d = sx_simplify(sx, slope[i]);
        Sx with_y = sx_simplify(sx, sx_replace(sx, d, f, y));
        if (with_y != d && !(sx_args_used(sx, with_y) & ~(1ull << node.n_in) & sx_args_used(sx, d)))
            d = with_y;
        NodeId in[64];
        Sx to[64];
        uint32_t n = 0;
        in[n++] = dy; /* a0 = dy, then what the slope reads */
        for (uint32_t k = 0; k <= node.n_in; k++) {
            to[k] = 0;
            if (sx_uses_arg(sx, d, k)) {
                to[k] = sx_arg(sx, n);
                in[n++] = k < node.n_in ? node.in[k] : self;
            }
        }
        Sx product = sx_simplify(sx, sx_mul(sx, sx_arg(sx, 0), sx_substitute(sx, d, to, node.n_in + 1)));
        NodeId part = build_map(grad->g, product, in, n);
        /* An input that was broadcast gets the sum over the value's elements: of all of them, also when dy is narrower. */
        if (!type_same_shape(graph_type(grad->g, node.in[i]), &node.type))
            part = build_expand(grad->g, part, self);
        grad->add(grad, node.in[i], part);
    }
}

static Sample sample_of(const SignalCall *call)
{
    Sample sample = {.sx = call->sx, .in = call->in, .n = call->node->n_in, .near = call->near};
    for (uint32_t i = 0; i < call->node->n_in && i < 64; i++) {
        uint32_t stream;
        sample.uniform |= (uint64_t)build_is_random(graph_node(call->g, call->node->in[i]), &stream) << i;
    }
    return sample;
}

typedef struct Masked {
    SxPool *sx;
    Sx choice, kept; /* an `if` one side of which is as low as numbers get, and its other side */
} Masked;

static void find_masked(void *context, Sx node, const SxNode *what)
{
    Masked *found = context;
    double number;
    for (int side = 1; what->op == SX_SELECT && side <= 2; side++)
        if (sx_is_num(found->sx, what->in[side], &number) && number < -1e30)
            *found = (Masked){found->sx, node, what->in[3 - side]};
}

/* What is put there so that a maximum or a softmax passes it by has no part in the size of values. */
static Sx counted(SxPool *sx, Sx f)
{
    for (;;) {
        Masked found = {.sx = sx};
        sx_walk(sx, f, find_masked, &found);
        if (found.choice == 0)
            return f;
        f = sx_replace(sx, f, found.choice, found.kept);
    }
}

static void signal(const SignalCall *call)
{
    Sample sample = sample_of(call);
    sample_forward(&sample, counted(call->sx, node_attr(call->node, 0)->sx), call->out);
}

static void signal_back(const SignalCall *call)
{
    double slope2[64];
    Sample sample = sample_of(call);
    sample_slopes(&sample, counted(call->sx, node_attr(call->node, 0)->sx), slope2);
    for (uint32_t i = 0; i < call->node->n_in; i++)
        call->grad_in[i] = call->grad_out * slope2[i];
}

static uint64_t flops(const Graph *g, const Node *node)
{
    return sx_cost(g->sx, node_attr(node, 0)->sx) * type_elements(&node->type);
}

Sx build_fn(const Node *map)
{
    ACT_ASSERT(map->op == &op_map);
    return node_attr(map, 0)->sx;
}

NodeId build_map(Graph *g, Sx sx, const NodeId *in, uint32_t n)
{
    AttrValue attr = {.sx = sx};
    return graph_add(g, &op_map, in, n, &attr);
}

NodeId build_map1(Graph *g, SxOp op, NodeId a) { return build_map(g, sx_un(g->sx, op, sx_arg(g->sx, 0)), &a, 1); }

NodeId build_map2(Graph *g, SxOp op, NodeId a, NodeId b)
{
    NodeId in[2] = {a, b};
    if (a == b) {
        Sx x = sx_arg(g->sx, 0);
        return build_map(g, sx_bin(g->sx, op, x, x), in, 1);
    }
    return build_map(g, sx_bin(g->sx, op, sx_arg(g->sx, 0), sx_arg(g->sx, 1)), in, 2);
}

NodeId build_expand(Graph *g, NodeId a, NodeId like)
{
    if (type_same_shape(graph_type(g, a), graph_type(g, like)))
        return a;
    return build_map(g, sx_arg(g->sx, 0), (NodeId[]){a, like}, 2);
}

NodeId build_scale(Graph *g, NodeId a, double factor)
{
    return build_map(g, sx_mul(g->sx, sx_arg(g->sx, 0), sx_num(g->sx, factor)), &a, 1);
}

static const char *const examples[] = {
    "graph a batch 4\n"
    "tensor \"x\" input f32[B, 5]\n"
    "tensor \"w\" param f32[5] fill normal 0 1\n"
    "%1 = tensor {tensor = 0} : f32[B, 5]\n"
    "%2 = tensor {tensor = 1} : f32[5]\n"
    "%3 = map %1, %2 {fn = (mul a1 (sigmoid a0))} : f32[B, 5]\n"
    "output 0 \"y\" %3\n",
    NULL};

ACT_OP(map) = {
    .name = "map",
    .doc = "A scalar expression of its inputs, element by element; the inputs broadcast.",
    .kind = OP_MAP,
    .min_in = 1,
    .max_in = 62,
    .n_attr = 1,
    .attr = {{"fn", ATTR_SX}},
    .infer = infer,
    .vjp = vjp,
    .eval = eval,
    .signal = signal,
    .signal_back = signal_back,
    .flops = flops,
    .examples = examples,
};
