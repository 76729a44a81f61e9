/* Row groups: loops over rows, and in each row one vector loop a stage. A stage computes what can be computed before the sums of
 * the row are known; the next one uses them. Without sums a group is one plain nest over all its elements. */
#include "kernel/nest.h"

#include "ops/build.h"
#include "pass/access.h"

#include <string.h>

typedef enum OperandKind { OPERAND_LOAD, OPERAND_INDEX, OPERAND_RANDOM, OPERAND_STORE } OperandKind;

typedef struct Operand {
    OperandKind kind;
    NodeId value;         /* as the user names it (a view, perhaps) */
    bool full;            /* read by a full member (else by a row value) */
    Reach at, sample;
} Operand;

typedef struct Rows {
    Frame frame;
    VEC(Operand) operand;
    uint32_t stage;
} Rows;

static bool is_full(const Lower *l, NodeId id) { return type_same_shape(graph_type(l->g, id), &l->group->space); }

static bool is_member(const Lower *l, NodeId value) { return l->plan->group_of[l->plan->storage[value]] == l->number; }

static const Operand *find(const Rows *rows, OperandKind kind, NodeId value, bool full)
{
    for (uint32_t i = 0; i < rows->operand.n; i++) {
        const Operand *o = &rows->operand.at[i];
        if (o->value == value && o->full == full && (o->kind == OPERAND_STORE) == (kind == OPERAND_STORE))
            return o;
    }
    return NULL;
}

/* Which panel width the group's matrices have; 0 when all lie in rows. */
static uint32_t group_panel(const Lower *l)
{
    for (uint32_t i = 0; i < l->group->nodes.n; i++) {
        NodeId id = l->group->nodes.at[i];
        const Node *node = graph_node(l->g, id);
        uint32_t panel = 0;
        if (lower_stored(l, id) && lower_layout(l, id, &panel) == LAYOUT_PANELS)
            return panel;
        for (uint32_t k = 0; k < node->n_in; k++)
            if (!is_member(l, node->in[k]) && lower_layout(l, node->in[k], &panel) == LAYOUT_PANELS)
                return panel;
    }
    return 0;
}

static void add_operand(Lower *l, Rows *rows, OperandKind kind, NodeId value, const Type *user, bool full)
{
    if (find(rows, kind, value, full) != NULL)
        return;
    Operand o = {.kind = kind, .value = value, .full = full};
    bool memory = kind == OPERAND_LOAD || kind == OPERAND_STORE;
    o.at = memory ? frame_reach_value(l, &rows->frame, value, user)
                  : frame_reach(&rows->frame, graph_type(l->g, value), user, 0);
    uint32_t batch = rows->frame.loop[0];
    if (kind == OPERAND_RANDOM && batch != 0) {
        o.at.stride[batch - 1] = 0;
        o.sample.stride[batch - 1] = 1;
    }
    *vec_push(l->arena, &rows->operand) = o;
}

static void collect(Lower *l, Rows *rows)
{
    for (uint32_t i = 0; i < l->group->nodes.n; i++) {
        NodeId id = l->group->nodes.at[i];
        const Node *node = graph_node(l->g, id);
        bool reduce = node->op->kind == OP_REDUCE, full = is_full(l, id) && !reduce;
        const Type *user = reduce ? graph_type(l->g, node->in[0]) : &node->type;
        if (lower_stored(l, id))
            add_operand(l, rows, OPERAND_STORE, id, full ? &l->group->space : &node->type, full);
        for (uint32_t k = 0; k < node->n_in; k++) {
            const Node *leaf = graph_node(l->g, l->plan->storage[node->in[k]]);
            Sx uniform;
            double number;
            if (is_member(l, node->in[k]) || build_is_number(leaf, &number) || build_is_uniform(leaf, &uniform))
                continue;
            if (!reduce && !sx_uses_arg(l->g->sx, build_fn(node), k))
                continue;
            uint32_t stream;
            OperandKind kind = build_is_iota(leaf)              ? OPERAND_INDEX
                               : build_is_random(leaf, &stream) ? OPERAND_RANDOM
                                                                : OPERAND_LOAD;
            add_operand(l, rows, kind, node->in[k], user, full || reduce);
        }
    }
}

static Sx leaf(Lower *l, Rows *rows, NodeId value, bool full)
{
    const Node *node = graph_node(l->g, l->plan->storage[value]);
    Sx uniform;
    double number;
    uint32_t stream;
    if (build_is_number(node, &number))
        return sx_num(l->g->sx, number);
    if (build_is_uniform(node, &uniform))
        return lower_uniform(l, uniform);
    const Operand *o = find(rows, OPERAND_LOAD, value, full);
    ACT_ASSERT(o != NULL);
    Affine at = reach_affine(&rows->frame, &o->at);
    if (o->kind == OPERAND_INDEX)
        return lower_arg(l, (LoopArg){.kind = LARG_INDEX, .at = at});
    if (build_is_random(node, &stream))
        return lower_arg(l, (LoopArg){.kind = LARG_RANDOM, .index = stream,
                                      .at = reach_affine(&rows->frame, &o->sample), .at2 = at});
    return lower_load(l, value, at);
}

static Sx input(Lower *l, const Node *user, NodeId value, void *context)
{
    Rows *rows = context;
    bool full = user->op->kind == OP_REDUCE || type_same_shape(&user->type, &l->group->space);
    if (!is_member(l, value))
        return leaf(l, rows, value, full);
    NodeId id = l->plan->storage[value];
    const Node *node = graph_node(l->g, id);
    if (node->op->kind == OP_REDUCE)
        return lower_arg(l, (LoopArg){.kind = LARG_ACC, .index = l->acc[id] - 1});
    const Slot *slot = &l->plan->slot[id];
    if (is_full(l, id) && l->plan->stage[id] < rows->stage && slot->space != SPACE_NONE && slot->space != SPACE_TENSOR) {
        const Operand *o = find(rows, OPERAND_STORE, id, true); /* kept by an earlier loop of this row */
        return lower_arg(l, (LoopArg){.kind = LARG_LOAD, .index = lower_buf_of(l, id, true),
                                      .at = reach_affine(&rows->frame, &o->at)});
    }
    return lower_expr(l, id, input, context);
}

static void store(Lower *l, Rows *rows, NodeId id, bool full)
{
    const Operand *o = find(rows, OPERAND_STORE, id, full);
    lower_store(l, id, reach_affine(&rows->frame, &o->at), lower_expr(l, id, input, rows));
}

/* The loop that runs last: new values of tensors are written there, so that earlier loops read the old ones. */
static uint32_t last_stage(const Lower *l)
{
    uint32_t last = 0;
    for (uint32_t i = 0; i < l->group->nodes.n; i++) {
        NodeId id = l->group->nodes.at[i];
        bool reduce = graph_node(l->g, id)->op->kind == OP_REDUCE;
        uint32_t loop = reduce ? l->plan->stage[id] - 1 : is_full(l, id) ? l->plan->stage[id] : 0;
        last = loop > last ? loop : last;
    }
    return last;
}

static bool in_loop(const Lower *l, NodeId id, uint32_t stage, uint32_t last)
{
    uint32_t loop = l->plan->slot[id].space == SPACE_TENSOR ? last : l->plan->stage[id];
    return lower_stored(l, id) && loop == stage;
}

/* One vector loop over the columns of the row the builder stands in. */
static void stage(Lower *l, Rows *rows, uint32_t last)
{
    memset(l->expr, 0, sizeof *l->expr * l->g->nodes.n);
    bool any = false;
    for (uint32_t i = 0; i < l->group->nodes.n; i++) {
        NodeId id = l->group->nodes.at[i];
        const Node *node = graph_node(l->g, id);
        bool reduce = node->op->kind == OP_REDUCE;
        any = any || (reduce ? l->plan->stage[id] - 1 == rows->stage : is_full(l, id) && in_loop(l, id, rows->stage, last));
        if (!reduce || l->plan->stage[id] - 1 != rows->stage)
            continue;
        LoopStmt *s = lower_stmt(l, LOOP_ACC_NEW);
        s->acc.acc = lower_new_acc(l);
        s->acc.fold = build_fold(node).op == REDUCE_MAX ? FOLD_MAX : FOLD_SUM;
        l->acc[id] = 1 + s->acc.acc;
    }
    if (!any)
        return;
    const Nest *nest = &rows->frame.nest;
    LoopStmt **behind = NULL;
    for (uint32_t d = nest->rows; d < nest->n; d++) {
        LoopStmt **next = lower_for_dim(l, &rows->frame, d, d + 1 == nest->n);
        behind = behind == NULL ? next : behind;
    }
    if (nest->rows == nest->n)
        behind = lower_for(l, (Extent){.fixed = 1}, LOOP_VECTOR);
    for (uint32_t i = 0; i < l->group->nodes.n; i++) {
        NodeId id = l->group->nodes.at[i];
        const Node *node = graph_node(l->g, id);
        if (node->op->kind == OP_REDUCE && l->plan->stage[id] - 1 == rows->stage) {
            Sx value = input(l, node, node->in[0], rows);
            LoopStmt *s = lower_stmt(l, LOOP_ACC_ADD);
            s->acc.acc = l->acc[id] - 1;
            s->acc.fold = build_fold(node).op == REDUCE_MAX ? FOLD_MAX : FOLD_SUM;
            s->acc.value = value;
        } else if (node->op->kind == OP_MAP && is_full(l, id) && in_loop(l, id, rows->stage, last)) {
            store(l, rows, id, true);
        }
    }
    l->tail = behind;
}

/* After the last loop: the values of the row itself. */
static void row_values(Lower *l, Rows *rows)
{
    memset(l->expr, 0, sizeof *l->expr * l->g->nodes.n);
    for (uint32_t i = 0; i < l->group->nodes.n; i++) {
        NodeId id = l->group->nodes.at[i];
        const Node *node = graph_node(l->g, id);
        bool reduce = node->op->kind == OP_REDUCE;
        if (!lower_stored(l, id) || (!reduce && is_full(l, id)))
            continue;
        const Operand *o = find(rows, OPERAND_STORE, id, false);
        Sx value = reduce ? lower_arg(l, (LoopArg){.kind = LARG_ACC, .index = l->acc[id] - 1})
                          : lower_expr(l, id, input, rows);
        lower_store(l, id, reach_affine(&rows->frame, &o->at), value);
    }
}

void lower_rows(Lower *l)
{
    Rows rows = {.stage = 0};
    uint32_t panel = group_panel(l);
    lower_begin(l, "");
    frame_make(&rows.frame, &l->group->space, l->group->columns, panel);
    collect(l, &rows);
    Reach **reach = arena_array(l->arena, Reach *, 2 * rows.operand.n + 1);
    uint32_t n = 0;
    bool padding = panel != 0 && l->group->columns == 0;
    for (uint32_t i = 0; i < rows.operand.n; i++) {
        Operand *o = &rows.operand.at[i];
        uint32_t own = 0;
        reach[n++] = &o->at;
        reach[n++] = &o->sample;
        if (o->kind == OPERAND_LOAD || o->kind == OPERAND_STORE)
            lower_layout(l, o->value, &own);
        for (uint32_t d = 0; d < LOOP_MAX_DEPTH; d++)
            padding = padding && (own == panel || o->at.stride[d] == 0);
    }
    frame_collapse(&rows.frame, reach, n, padding);
    const Nest *nest = &rows.frame.nest;
    bool plain = l->group->columns == 0;
    for (uint32_t d = 0; d < nest->rows; d++)
        lower_for_dim(l, &rows.frame, d, plain && d + 1 == nest->n);
    uint32_t last = last_stage(l);
    if (plain) {
        for (uint32_t i = 0; i < l->group->nodes.n; i++)
            if (lower_stored(l, l->group->nodes.at[i]))
                store(l, &rows, l->group->nodes.at[i], true);
    } else {
        for (; rows.stage <= last; rows.stage++)
            stage(l, &rows, last);
        row_values(l, &rows);
    }
    bool split = nest->rows > 0;
    ACT_ASSERT(!l->group->by_rows || (split && nest->dim[0].batch)); /* the schedule has left out barriers for it */
    bool vector = plain && nest->n == 1;
    lower_end(l, split ? SPLIT_OUTER : SPLIT_NONE, split ? frame_extent(&rows.frame, 0) : (Extent){0},
              split && nest->dim[0].batch && l->group->by_rows, vector && !nest->dim[0].batch ? l->target->lanes : 1);
}
