/* The gain a weight wants: that of the non-linearity its layer's output meets next. The output is followed through
 * everything that is linear in it; where it ends in a loss, a sum of branches, a gate or another layer first, the gain
 * is 1. */
#include "ops/build.h"
#include "sema/sema.h"

#include <math.h>

typedef struct Follow {
    Sema *s;
    const Graph *g;
    uint32_t *first, *next, *user; /* by node: its consumers as a linked list */
    Sx *found;                     /* by node: the non-linearity behind it */
    Graph *scratch;                /* where composites are tried */
    uint8_t *state;                /* 0 unknown, 1 being followed, 2 known */
} Follow;

enum { ENDS = 0 };

static bool is_parameter(const Graph *g, NodeId node)
{
    const Type *type = graph_type(g, node);
    return graph_node(g, node)->op->kind == OP_LEAF && !type->batch;
}

/* Is this node, in inference, just its input `k`? (dropout, stop_gradient) */
static bool transparent(Follow *w, const Node *node, uint32_t k)
{
    const Graph *g = w->g;
    Graph *scratch = w->scratch;
    NodeId in[16];
    if (!node->op->expand)
        return false;
    if (node->n_in > 16)
        return false;
    for (uint32_t i = 0; i < node->n_in; i++)
        in[i] = build_random(scratch, graph_type(g, node->in[i]), i);
    return node->op->expand(scratch, g, node, in, false) == in[k];
}

static Sx follow(Follow *w, NodeId value);

/* What the consumer `node` makes of the value at its input k. */
static Sx through(Follow *w, NodeId id, uint32_t k)
{
    const Node *node = graph_node(w->g, id);
    SxPool *p = w->s->sx;
    if (id < w->s->loss_node.n && w->s->loss_node.at[id])
        return ENDS;
    OpKind kind = node->op->kind;
    bool linear = kind == OP_VIEW || kind == OP_MOVE || kind == OP_REDUCE || transparent(w, node, k) ||
                  build_is_standardize(node) || build_is_batch_norm(node); /* the non-linearity behind a norm sees what it would without */
    if (linear || kind != OP_MAP)
        return linear ? follow(w, id) : ENDS;
    Sx fn = build_fn(node), slope[64];
    sx_gradient(p, fn, node->n_in, slope);
    uint64_t others = sx_args_used(p, fn) & ~(1ull << k);
    if (sx_uses_arg(p, slope[k], k)) { /* not linear in the value */
        if (others)
            return ENDS;
        Sx to[64] = {0};
        to[k] = sx_arg(p, 0);
        return sx_substitute(p, fn, to, k + 1);
    }
    for (uint32_t i = 0; i < node->n_in; i++)
        if ((others >> i & 1) && !is_parameter(w->g, node->in[i]))
            return ENDS; /* a sum of branches, or a gate */
    return follow(w, id);
}

static Sx follow(Follow *w, NodeId value)
{
    if (w->state[value])
        return w->found[value];
    w->state[value] = 1;
    Sx found = 0;
    bool ends = w->first[value] == 0;
    for (uint32_t use = w->first[value]; use; use = w->next[use]) {
        NodeId user = w->user[use];
        const Node *node = graph_node(w->g, user);
        for (uint32_t k = 0; k < node->n_in; k++) {
            if (node->in[k] != value)
                continue;
            Sx behind = through(w, user, k);
            ends = ends || behind == ENDS;
            found = found ? found : behind;
        }
    }
    w->found[value] = ends ? ENDS : found;
    w->state[value] = 2;
    return w->found[value];
}

static void start(Follow *w, Sema *s)
{
    uint32_t n = s->g->nodes.n, edges = 1;
    for (NodeId id = 1; id < n; id++)
        edges += graph_node(s->g, id)->n_in;
    *w = (Follow){.s = s, .g = s->g};
    w->first = arena_array(s->arena, uint32_t, n);
    w->next = arena_array(s->arena, uint32_t, edges);
    w->user = arena_array(s->arena, uint32_t, edges);
    w->found = arena_array(s->arena, Sx, n);
    w->state = arena_array(s->arena, uint8_t, n);
    w->scratch = graph_new(s->arena, s->sx, s->g->name, s->g->batch);
    uint32_t at = 1;
    for (NodeId id = n - 1; id > 0; id--) { /* backwards, so that each list runs forwards */
        const Node *node = graph_node(s->g, id);
        for (uint32_t k = 0; k < node->n_in; k++) {
            w->user[at] = id;
            w->next[at] = w->first[node->in[k]];
            w->first[node->in[k]] = at++;
        }
    }
}

static double gain_of(Sema *s, Sx activation)
{
    if (activation == ENDS)
        return 1;
    for (uint32_t i = 0; i < s->gains.n; i++)
        if (s->gains.at[i].activation == activation)
            return s->gains.at[i].gain;
    double gain = sx_traits(s->sx, activation).gain;
    if (!isfinite(gain) || gain <= 0)
        gain = 1;
    *vec_push(s->arena, &s->gains) = (Gain){activation, gain};
    return gain;
}

double auto_gain(Sema *s, uint32_t tensor)
{
    NodeId weight = tensor < s->tensor_node.n ? s->tensor_node.at[tensor] : 0;
    if (!weight)
        return 1;
    if (!s->follow || s->follow_nodes != s->g->nodes.n) {
        s->follow = arena_new_of(s->arena, Follow);
        s->follow_nodes = s->g->nodes.n;
        start(s->follow, s);
    }
    Follow *w = s->follow;
    for (uint32_t use = w->first[weight]; use; use = w->next[use]) {
        NodeId user = w->user[use];
        OpKind kind = graph_node(s->g, user)->op->kind;
        if (kind == OP_CONTRACT)
            return gain_of(s, follow(w, user));
    }
    return 1;
}
