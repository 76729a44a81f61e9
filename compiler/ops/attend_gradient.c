/* The gradient of attention. With p the weights, o the result and do its gradient:
 *     dv = p' do      ds = p (do v' - sum(do o)) scale      dq = ds k      dk = ds' q
 * The sum over a row of p (do v') is the sum of do o, so nothing of the size of the weights is reduced. */
#include "ops/attend.h"

static NodeId product(Graph *g, const AttendShape *s, ContractForm form, uint32_t depth, NodeId a, NodeId b)
{
    return build_product(g, (Contract){.form = form, .outer = s->outer, .depth = depth, .each = s->each}, a, b);
}

/* sum(do o) of every query, as [Z…, G, T, 1] */
static NodeId row_dot(Graph *g, NodeId dy, NodeId y) { return build_sum_last(g, build_mul(g, dy, y), true); }

/* Few queries: their weights are still there. They are e / sum; the division is done to do, which is smaller. */
static void whole(Grad *grad, const Node *node, NodeId self, NodeId dy)
{
    Graph *g = grad->g;
    SxPool *sx = g->sx;
    AttendShape s = attend_shape(g, node);
    Attend attend = attend_of(node);
    NodeId q = node->in[0], k = node->in[1], v = node->in[2];
    NodeId e = attend_part(g, ATTEND_WEIGHTS, &attend, q, k);
    NodeId share = build_div(g, dy, attend_part(g, ATTEND_TOTAL, &attend, q, k));
    if (grad->wanted(grad, v))
        grad->add(grad, v, product(g, &s, CONTRACT_TN, 1, e, share));
    if (!grad->wanted(grad, q) && !grad->wanted(grad, k))
        return;
    NodeId in[3] = {e, product(g, &s, CONTRACT_NT, 1, share, v), row_dot(g, share, self)};
    Sx f = sx_mul(sx, sx_arg(sx, 0), sx_sub(sx, sx_arg(sx, 1), sx_arg(sx, 2)));
    NodeId ds = build_map(g, sx_mul(sx, f, sx_num(sx, attend.scale)), in, 3);
    if (grad->wanted(grad, q))
        grad->add(grad, q, product(g, &s, CONTRACT_NN, 1, ds, k));
    if (grad->wanted(grad, k))
        grad->add(grad, k, product(g, &s, CONTRACT_TN, 1, ds, q));
}

/* A value for each query, [Z…, G, T, 1], as it lies beside weights that are turned: [Z…, 1, G, T] */
static NodeId turned_row(Graph *g, const AttendShape *s, NodeId row)
{
    Type type = *graph_type(g, row);
    for (uint32_t i = type.rank - 1; i > s->outer; i--)
        type.dim[i] = type.dim[i - 1];
    type.dim[s->outer] = 1;
    return build_reshape(g, row, type.rank, type.dim);
}

typedef struct Parts {
    NodeId q, k, v, y, dy;
} Parts;

/* A block of queries: the weights are computed again from the scores, turned ([Z…, S, G, T], so that they are not taken for those of the
 * forward pass and kept), and the logarithm of their sum. */
static Parts block(Graph *g, const AttendShape *s, const Attend *attend, const Parts *in)
{
    SxPool *sx = g->sx;
    uint32_t depth = 1 + s->groups, rank = graph_type(g, in->q)->rank;
    uint32_t rows = graph_type(g, in->q)->dim[rank - 2], keys = graph_type(g, in->k)->dim[s->outer];
    NodeId logsum = turned_row(g, s, attend_part(g, ATTEND_LOGSUM, attend, in->q, in->k));
    NodeId args[4] = {product(g, s, CONTRACT_NT, depth, in->k, in->q), logsum};
    uint32_t n = 2;
    Sx p = sx_un(sx, SX_EXP, sx_sub(sx, sx_mul(sx, sx_arg(sx, 0), sx_num(sx, attend->scale)), sx_arg(sx, 1)));
    if (attend->causal) {
        args[n++] = attend_places(g, rows, 0, 1);
        args[n++] = attend_places(g, keys, 0, 2 + s->groups);
        p = sx_select(sx, attend_sees(g, attend, 2, 3), p, sx_num(sx, 0));
    }
    NodeId weights = build_map(g, p, args, n);
    NodeId dot = turned_row(g, s, row_dot(g, in->dy, in->y));
    NodeId ds_in[3] = {weights, product(g, s, CONTRACT_NT, depth, in->v, in->dy), dot};
    Sx f = sx_mul(sx, sx_arg(sx, 0), sx_sub(sx, sx_arg(sx, 1), sx_arg(sx, 2)));
    NodeId ds = build_map(g, sx_mul(sx, f, sx_num(sx, attend->scale)), ds_in, 3);
    return (Parts){.q = product(g, s, CONTRACT_TN, depth, ds, in->k),
                   .k = product(g, s, CONTRACT_NN, depth, ds, in->q),
                   .v = product(g, s, CONTRACT_NN, depth, weights, in->dy)};
}

static void in_blocks(Grad *grad, const Node *node, NodeId self, NodeId dy)
{
    Graph *g = grad->g;
    AttendShape s = attend_shape(g, node);
    Attend attend = attend_of(node), own = attend;
    uint32_t rows, n = attend_blocks(s.queries, &rows), axis = node->type.rank - 2;
    NodeId dq[ATTEND_BLOCKS];
    for (uint32_t i = 0; i < n; i++) {
        uint32_t start = i * rows, stop = i + 1 < n ? start + rows : s.queries, seen = attend_seen(&s, &attend, stop);
        own.start = attend.start + start;
        Parts in = {build_slice(g, node->in[0], axis, start, stop), build_slice(g, node->in[1], s.outer, 0, seen),
                    build_slice(g, node->in[2], s.outer, 0, seen), build_slice(g, self, axis, start, stop),
                    build_slice(g, dy, axis, start, stop)};
        Parts d = block(g, &s, &own, &in);
        dq[i] = d.q;
        grad->add(grad, node->in[1], build_pad(g, d.k, s.outer, 0, s.keys - seen));
        grad->add(grad, node->in[2], build_pad(g, d.v, s.outer, 0, s.keys - seen));
    }
    grad->add(grad, node->in[0], build_concat(g, dq, n, axis));
}

void attend_vjp(Grad *grad, NodeId self, NodeId dy)
{
    uint32_t rows;
    Node node = *graph_node(grad->g, self);
    dy = build_expand(grad->g, dy, self);
    if (attend_blocks(attend_shape(grad->g, &node).queries, &rows) == 1)
        whole(grad, &node, self, dy);
    else
        in_blocks(grad, &node, self, dy);
}
