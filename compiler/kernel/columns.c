/* Column groups: a fold over leading axes (the batch), one lane a column, rows in order; then the maps of the result. */
#include "kernel/nest.h"

#include "ops/build.h"
#include "pass/access.h"

typedef struct Columns {
    const Node *anchor;
    Affine out;            /* the place of an element of the result, in the loops around the fold */
} Columns;

static Sx input(Lower *l, const Node *user, NodeId value, void *context)
{
    (void)user;
    const Columns *c = context;
    NodeId id = l->plan->storage[value];
    const Node *node = graph_node(l->g, id);
    double number;
    Sx uniform;
    if (id == l->group->anchor)
        return lower_arg(l, (LoopArg){.kind = LARG_ACC, .index = 0});
    if (l->plan->group_of[id] == l->number)
        return lower_expr(l, id, input, context);
    if (build_is_number(node, &number))
        return sx_num(l->g->sx, number);
    if (build_is_uniform(node, &uniform))
        return lower_uniform(l, uniform);
    Affine at = c->out;
    if (access_is_scalar(&node->type) && !access_is_scalar(&c->anchor->type))
        at = (Affine){0};
    if (build_is_iota(node))
        return lower_arg(l, (LoopArg){.kind = LARG_INDEX, .at = at});
    return lower_load(l, value, at);
}

/* The input as outer axes, folded axes, inner axes: element counts and whether the batch is in front of which. */
typedef struct Shape {
    int64_t outer, folded, inner;
    bool outer_batch, folded_batch;
} Shape;

static Shape shape_of(const Lower *l, const Node *anchor)
{
    const Type *in = graph_type(l->g, anchor->in[0]);
    Fold fold = build_fold(anchor);
    uint32_t axes = fold.axes;
    Shape s = {1, 1, 1, false, fold.batch};
    s.outer_batch = in->batch && !s.folded_batch;
    uint32_t axis = 0;
    if (!s.folded_batch || (axes & 1) == 0)
        for (; axis < in->rank && !(axes >> axis & 1) && !s.folded_batch; axis++)
            s.outer *= in->dim[axis];
    for (; axis < in->rank && axes >> axis & 1; axis++)
        s.folded *= in->dim[axis];
    for (; axis < in->rank; axis++)
        s.inner *= in->dim[axis];
    return s;
}

void lower_columns(Lower *l)
{
    const Node *anchor = graph_node(l->g, l->group->anchor);
    Shape s = shape_of(l, anchor);
    Columns c = {.anchor = anchor};
    uint32_t panel = 0;
    lower_layout(l, anchor->in[0], &panel);
    lower_begin(l, "");
    Affine from = {0};
    uint32_t d = 0;
    bool outer = s.outer_batch || s.outer > 1;
    Extent extent = {0};
    if (outer) {
        extent = s.outer_batch ? (Extent){.per_row = s.outer} : (Extent){.fixed = s.outer};
        lower_for(l, extent, LOOP_SERIAL);
        from.coef[d] = s.folded * s.inner + lower_pad(l, anchor->in[0]);
        c.out.coef[d] = s.inner;
        d++;
    }
    if (panel != 0) { /* a matrix in panels, its rows folded */
        ACT_ASSERT(!outer && !s.folded_batch);
        Extent panels = {.fixed = (s.inner + panel - 1) / panel};
        lower_for(l, panels, LOOP_SERIAL);
        extent = panels;
        from.coef[d] = s.folded * panel;
        c.out.coef[d] = panel;
        d++;
    }
    lower_for(l, (Extent){.fixed = panel != 0 ? panel : s.inner}, LOOP_VECTOR);
    if (panel != 0 && s.inner % panel != 0) {
        LoopStmt *lanes = l->loop;
        lanes->loop.clamp = s.inner;
        lanes->loop.clamp_depth = d - 1;
    }
    if (d == 0)
        extent = (Extent){.fixed = s.inner};
    from.coef[d] = 1;
    c.out.coef[d] = 1;
    d++;
    LoopStmt *acc = lower_stmt(l, LOOP_ACC_NEW);
    acc->acc.acc = lower_new_acc(l);
    acc->acc.fold = build_fold(anchor).op == REDUCE_MAX ? FOLD_MAX : FOLD_SUM;
    LoopStmt **behind = lower_for(l, s.folded_batch ? (Extent){.per_row = s.folded} : (Extent){.fixed = s.folded}, LOOP_SERIAL);
    from.coef[d] = panel != 0 ? panel : s.inner + (s.folded_batch ? lower_pad(l, anchor->in[0]) : 0);
    const Node *leaf = graph_node(l->g, l->plan->storage[anchor->in[0]]);
    Sx value = build_is_iota(leaf) ? lower_arg(l, (LoopArg){.kind = LARG_INDEX, .at = from})
                                   : lower_load(l, anchor->in[0], from);
    LoopStmt *add = lower_stmt(l, LOOP_ACC_ADD);
    add->acc.acc = acc->acc.acc;
    add->acc.fold = acc->acc.fold;
    add->acc.value = value;
    l->tail = behind;
    for (uint32_t i = 0; i < l->group->nodes.n; i++) {
        NodeId id = l->group->nodes.at[i];
        if (!lower_stored(l, id))
            continue;
        Sx what = id == l->group->anchor ? lower_arg(l, (LoopArg){.kind = LARG_ACC, .index = acc->acc.acc})
                                         : lower_expr(l, id, input, &c);
        lower_store(l, id, c.out, what);
    }
    bool by_rows = s.outer_batch && l->group->by_rows;
    lower_end(l, SPLIT_OUTER, extent, by_rows, outer || panel != 0 ? 1 : l->target->lanes);
}
