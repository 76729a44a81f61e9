/* A movement is read where its source lies when all its readers can do that: registers hold lanes along the last axis, so that must
 * have stride 1, except on the left side of a product, of which one number at a time is broadcast. */
#include "pass/views.h"

#include "ops/build.h"
#include "pass/access.h"

#include <string.h>

typedef VEC(NodeId) Users;

typedef struct Views {
    const Graph *g;
    Plan *plan;
    Users *users;   /* by node */
    bool *root;     /* by node */
    NodeId *holder; /* by node: the movement it was moved into; 0: none */
} Views;

View view_dense(const Type *type)
{
    View v = {0};
    int64_t step = 1;
    for (uint32_t i = type->rank; i-- > 0; step *= type->dim[i])
        v.stride[i] = step;
    return v;
}

bool view_reshape(const View *view, const Type *from, const Type *to, View *out)
{
    View v = {.base = view->base, .moved = view->moved};
    uint32_t i = from->rank, k = to->rank;
    while (i > 0 || k > 0) { /* from the last axis: runs of axes with equally many elements */
        uint64_t in = i > 0 ? from->dim[--i] : 1, made = k > 0 ? to->dim[k - 1] : 1;
        int64_t step = in == 1 ? 1 : view->stride[i], next = step * (int64_t)in;
        uint32_t end = k;
        k -= k > 0;
        while (in != made) {
            if (in < made) {
                if (i == 0)
                    return false;
                uint32_t dim = from->dim[--i];
                if (dim != 1 && in != 1 && view->stride[i] != next)
                    return false;
                step = in == 1 ? view->stride[i] : step;
                in *= dim;
                next = step * (int64_t)in;
            } else {
                if (k == 0)
                    return false;
                made *= to->dim[--k];
            }
        }
        for (uint32_t axis = end; axis-- > k; step *= to->dim[axis])
            v.stride[axis] = step;
    }
    *out = v;
    return true;
}

void view_broadcast(const View *view, const Type *type, const Type *user, int64_t stride[TYPE_MAX_RANK])
{
    memset(stride, 0, sizeof *stride * TYPE_MAX_RANK);
    for (uint32_t k = 1; k <= type->rank; k++) {
        uint32_t axis = type->rank - k;
        if (type->dim[axis] != 1)
            stride[user->rank - k] = view->stride[axis];
    }
}

bool view_columns(const int64_t *stride, const Type *type, uint32_t columns, int64_t *out)
{
    bool found = false;
    int64_t next = 0;
    *out = 0;
    for (uint32_t i = type->rank; i-- > type->rank - columns;) {
        if (type->dim[i] == 1)
            continue;
        if (found && stride[i] != next)
            return false;
        *out = found ? *out : stride[i];
        next = stride[i] * type->dim[i];
        found = true;
    }
    return true;
}

/* Where an affine movement's elements lie, its source seen through `from`. */
static View moved(const Graph *g, const Node *node, const View *from)
{
    const Type *source = graph_type(g, node->in[0]);
    uint32_t corner[TYPE_MAX_RANK] = {0}, index[TYPE_MAX_RANK] = {0}, at[TYPE_MAX_RANK] = {0}, which = 0;
    node->op->locate(g, node, index, &which, corner);
    View v = {.base = from->base, .moved = true};
    for (uint32_t s = 0; s < source->rank; s++)
        v.base += corner[s] * from->stride[s];
    for (uint32_t axis = 0; axis < node->type.rank; axis++) {
        if (node->type.dim[axis] == 1)
            continue;
        index[axis] = 1;
        node->op->locate(g, node, index, &which, at);
        index[axis] = 0;
        for (uint32_t s = 0; s < source->rank; s++)
            v.stride[axis] += ((int64_t)at[s] - corner[s]) * from->stride[s];
    }
    return v;
}

static bool lanes_along(const View *view, const Type *type)
{
    return type->rank == 0 || type->dim[type->rank - 1] == 1 || view->stride[type->rank - 1] == 1;
}

static bool right_side(const Contract *c, const View *view, const Type *type)
{
    int64_t column;
    if (!lanes_along(view, type))
        return false;
    Type rows = *type; /* turned: the columns of the product are its rows */
    rows.rank--;
    return c->form != CONTRACT_NT || view_columns(view->stride, &rows, c->depth, &column);
}

static bool all_read(const Views *v, NodeId id, const View *view);

/* How each kind of op reads: `self` reads value `id` through the view. A kind without an entry wants memory of its own. */
typedef bool Reads(const Views *v, NodeId self, NodeId id, const View *view);

static bool map_reads(const Views *v, NodeId self, NodeId id, const View *view)
{
    return graph_type(v->g, self)->batch && lanes_along(view, graph_type(v->g, id));
}

static bool lanes_read(const Views *v, NodeId self, NodeId id, const View *view)
{
    (void)self;
    return lanes_along(view, graph_type(v->g, id));
}

static bool move_reads(const Views *v, NodeId self, NodeId id, const View *view)
{
    (void)v, (void)self, (void)id, (void)view;
    return true;
}

static bool view_reads(const Views *v, NodeId self, NodeId id, const View *view)
{
    View inner;
    return view_reshape(view, graph_type(v->g, id), graph_type(v->g, self), &inner) && all_read(v, self, &inner);
}

static bool contract_reads(const Views *v, NodeId self, NodeId id, const View *view)
{
    Contract c = build_contract_of(graph_node(v->g, self));
    return graph_node(v->g, self)->in[1] != id || right_side(&c, view, graph_type(v->g, id));
}

static Reads *const reads[OP_KINDS] = {[OP_MAP] = map_reads,   [OP_REDUCE] = lanes_read, [OP_SCATTER] = lanes_read,
                                       [OP_MOVE] = move_reads, [OP_VIEW] = view_reads,   [OP_CONTRACT] = contract_reads};

static bool all_read(const Views *v, NodeId id, const View *view)
{
    if (v->root[id])
        return false;
    for (uint32_t i = 0; i < v->users[id].n; i++) {
        NodeId user = v->users[id].at[i];
        Reads *way = reads[graph_node(v->g, user)->op->kind];
        if (way == NULL || !way(v, user, id, view))
            return false;
    }
    return true;
}

static Views uses_of(Arena *arena, const Graph *g, Plan *plan)
{
    Views v = {.g = g, .plan = plan};
    v.users = arena_alloc(arena, sizeof *v.users * g->nodes.n);
    v.root = arena_array(arena, bool, g->nodes.n);
    for (uint32_t i = 0; i < g->roots.n; i++)
        v.root[g->roots.at[i].node] = true;
    for (NodeId id = 1; id < g->nodes.n; id++)
        for (uint32_t i = 0; i < graph_node(g, id)->n_in; i++)
            *vec_push(arena, &v.users[graph_node(g, id)->in[i]]) = id;
    return v;
}

void views_find(Arena *arena, const Graph *g, Plan *plan)
{
    Views v = uses_of(arena, g, plan);
    plan->storage = arena_array(arena, NodeId, g->nodes.n);
    plan->home = arena_array(arena, NodeId, g->nodes.n);
    plan->view = arena_array(arena, View, g->nodes.n);
    for (NodeId id = 1; id < g->nodes.n; id++) {
        const Node *node = graph_node(g, id);
        plan->storage[id] = plan->home[id] = id;
        plan->view[id] = view_dense(&node->type);
        if (node->op->kind == OP_VIEW) {
            bool fits = view_reshape(&plan->view[node->in[0]], graph_type(g, node->in[0]), &node->type, &plan->view[id]);
            ACT_ASSERT(fits);
            plan->storage[id] = plan->storage[node->in[0]];
        } else if (node->op->kind == OP_MOVE && node->op->affine && node->type.batch) {
            View view = moved(g, node, &plan->view[node->in[0]]);
            if (!all_read(&v, id, &view))
                continue;
            plan->view[id] = view;
            plan->storage[id] = plan->storage[node->in[0]];
        }
    }
}

/* ── homes ── */

/* Where the holder has its input `which`, which is the whole of the value returned, in the value's own shape; 0: it is only a part of one. */
static NodeId place_inside(const Graph *g, const Plan *plan, NodeId holder, uint32_t which, View *view)
{
    const Node *node = graph_node(g, holder);
    NodeId id = node->in[which], value = plan->storage[id];
    uint32_t corner[TYPE_MAX_RANK], step[TYPE_MAX_RANK];
    *view = plan->view[holder];
    node->op->inside(g, node, which, corner, step);
    for (uint32_t axis = 0; axis < node->type.rank; axis++) {
        view->base += corner[axis] * view->stride[axis];
        view->stride[axis] *= step[axis];
    }
    if (id == value)
        return id;
    bool fits = !plan->view[id].moved && view_reshape(view, graph_type(g, id), graph_type(g, value), view);
    return fits ? value : 0;
}

/* Elements [low, high) of a row of the home lie between the first and the last of a value. */
static void span_of(const View *view, const Type *type, int64_t *low, int64_t *high)
{
    *low = view->base, *high = view->base + 1;
    for (uint32_t axis = 0; axis < type->rank; axis++)
        *(view->stride[axis] < 0 ? low : high) += view->stride[axis] * ((int64_t)type->dim[axis] - 1);
}

/* Does group `group` (1-based) read elements of `home` that lie among those of `value`, which it writes there? A movement does not touch what
 * was moved into it: a padding along two axes is two paddings, one in the other. */
static bool reads_home(const Views *v, uint32_t group, NodeId home, NodeId value)
{
    const Plan *plan = v->plan;
    const Group *g = &plan->groups.at[group - 1];
    int64_t low, high, from_low, from_high;
    span_of(&plan->view[value], graph_type(plan->g, value), &low, &high);
    for (uint32_t i = 0; i < g->nodes.n; i++) {
        const Node *node = graph_node(plan->g, g->nodes.at[i]);
        for (uint32_t k = 0; k < node->n_in; k++) {
            NodeId from = plan->storage[node->in[k]];
            if (plan->group_of[from] == group || plan->home[from] != home || v->holder[from] == g->nodes.at[i])
                continue;
            span_of(&plan->view[from], graph_type(plan->g, from), &from_low, &from_high);
            if (from_low < high && low < from_high)
                return true;
        }
    }
    return false;
}

/* Kinds of groups that store by strides. */
static bool stores_anywhere(const Plan *plan, NodeId id)
{
    GroupKind kind = plan->groups.at[plan->group_of[id] - 1].kind;
    const Node *node = graph_node(plan->g, id);
    return (kind == GROUP_CONTRACT || kind == GROUP_ROWS || kind == GROUP_MOVE) && node->op->kind != OP_REDUCE;
}

/* May a value be written where the holder of input `which` has it? */
static bool may_move_in(const Views *v, NodeId id, NodeId holder, uint32_t which, const View *view)
{
    const Plan *plan = v->plan;
    const Node *node = graph_node(v->g, holder);
    if (plan->storage[id] != id || plan->home[id] != id || plan->group_of[id] == 0 || !stores_anywhere(plan, id) ||
        !graph_type(v->g, id)->batch || !all_read(v, id, view))
        return false;
    for (uint32_t i = 0; i < node->n_in; i++)
        if (i != which && plan->storage[node->in[i]] == id)
            return false;
    return true;
}

/* Views of what moved, in order. */
static void follow(const Graph *g, Plan *plan)
{
    for (NodeId id = 1; id < g->nodes.n; id++) {
        const Node *node = graph_node(g, id);
        if (plan->storage[id] == id)
            continue;
        const View *from = &plan->view[node->in[0]];
        if (node->op->kind == OP_VIEW) {
            bool fits = view_reshape(from, graph_type(g, node->in[0]), &node->type, &plan->view[id]);
            ACT_ASSERT(fits);
        } else {
            plan->view[id] = moved(g, node, from);
        }
    }
}

/* Would a group write into what it reads? Other parts of the same it may read: other steps of a recurrent layer. */
static bool meets(const Views *v, NodeId home, const Users *inside)
{
    for (uint32_t i = 0; i < inside->n; i++)
        if (reads_home(v, v->plan->group_of[inside->at[i]], home, inside->at[i]))
            return true;
    return false;
}

void views_settle(Arena *arena, const Graph *g, Plan *plan)
{
    Views v = uses_of(arena, g, plan);
    Users *inside = arena_alloc(arena, sizeof *inside * g->nodes.n); /* by home: what has moved in */
    v.holder = arena_array(arena, NodeId, g->nodes.n);
    for (NodeId holder = g->nodes.n; holder-- > 1;) { /* outer ones first: a padding may stand in a padding */
        const Node *node = graph_node(g, holder);
        if (node->op->kind != OP_MOVE || node->op->inside == NULL || plan->storage[holder] != holder || v.root[holder] ||
            !node->type.batch)
            continue;
        for (uint32_t which = 0; which < node->n_in; which++) {
            View view;
            NodeId id = place_inside(g, plan, holder, which, &view);
            if (id == 0 || !may_move_in(&v, id, holder, which, &view))
                continue;
            plan->home[id] = plan->home[holder];
            plan->view[id] = view;
            v.holder[id] = holder;
            Users *inmates = &inside[plan->home[holder]];
            *vec_push(arena, inmates) = id;
            if (meets(&v, plan->home[holder], inmates)) {
                inmates->n--;
                v.holder[id] = 0;
                plan->home[id] = id;
                plan->view[id] = view_dense(graph_type(g, id));
            }
        }
    }
    follow(g, plan);
}
