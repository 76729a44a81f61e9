/* fuse: puts nodes that can share one loop nest into groups, one kernel each.
 *
 * Nodes are taken in order; each joins the group of one of its producers if that group's loops can compute it too and no
 * cycle between groups would arise, else it starts a group. In-place updates add an edge: the group that overwrites a tensor
 * runs after every group that reads its old value. */
#include "ops/build.h"
#include "ops/index.h"
#include "pass/access.h"
#include "pass/pass.h"
#include "pass/views.h"

/* A kernel's expressions have at most 64 arguments. */
enum { MOST_NODES = 32, MOST_INPUTS = 60 };

typedef VEC(uint32_t) GroupList;

typedef struct Fuse {
    Arena *arena;
    const Graph *g;
    Plan *plan;
    /* By group (1-based): the groups it needs and those that need it, directly; its level is greater than those of all it needs. */
    GroupList *on, *by;
    uint32_t *level;
    uint32_t *seen, walk;    /* by group: the walk that saw it last */
    GroupList open;
    uint32_t *update_tensor; /* by node: 1 + tensor it is the new value of */
    NodeId *sink;            /* by node: the fold or scatter that takes it in; 0: it goes where its inputs are */
    uint32_t *of_parts;      /* by node: the group of rows that maps of its parts opened; 0: none */
    const bool *watched;     /* by node: only the monitor asks for it; such nodes have kernels of their own. NULL: nobody watches */
    GroupList *readers;      /* by tensor: 1 + group of every group that reads its old value */
} Fuse;

/* Group `from` (1-based) needs group `to`, directly or not. Only groups of a level above its own can need `to`, so the walk stays short:
 * most questions are about neighbours. */
static bool needs(Fuse *f, uint32_t from, uint32_t to)
{
    if (f->level[from] <= f->level[to])
        return false;
    f->walk++;
    f->open.n = 0;
    *vec_push(f->arena, &f->open) = from;
    while (f->open.n > 0) {
        const GroupList *on = &f->on[f->open.at[--f->open.n]];
        for (uint32_t i = 0; i < on->n; i++) {
            uint32_t group = on->at[i];
            if (group == to)
                return true;
            if (f->level[group] <= f->level[to] || f->seen[group] == f->walk)
                continue;
            f->seen[group] = f->walk;
            *vec_push(f->arena, &f->open) = group;
        }
    }
    return false;
}

/* The caller has made sure that `on` does not need `group`. Levels rise where they must. */
static void add_need(Fuse *f, uint32_t group, uint32_t on)
{
    GroupList *list = &f->on[group];
    if (group == on || (list->n > 0 && list->at[list->n - 1] == on))
        return;
    *vec_push(f->arena, list) = on;
    *vec_push(f->arena, &f->by[on]) = group;
    f->open.n = 0;
    if (f->level[group] <= f->level[on]) {
        f->level[group] = f->level[on] + 1;
        *vec_push(f->arena, &f->open) = group;
    }
    while (f->open.n > 0) {
        uint32_t low = f->open.at[--f->open.n];
        for (uint32_t i = 0; i < f->by[low].n; i++) {
            uint32_t above = f->by[low].at[i];
            if (f->level[above] > f->level[low])
                continue;
            f->level[above] = f->level[low] + 1;
            *vec_push(f->arena, &f->open) = above;
        }
    }
}

static uint32_t group_of(const Fuse *f, NodeId id) { return f->plan->group_of[f->plan->storage[id]]; }

/* Calls back for every group that must run before the one that computes `id`. */
static bool each_need(Fuse *f, NodeId id, uint32_t self, bool add)
{
    const Node *node = graph_node(f->g, id);
    for (uint32_t i = 0; i < node->n_in; i++) {
        uint32_t group = group_of(f, node->in[i]);
        if (group == 0 || group == self)
            continue;
        if (!add && needs(f, group, self))
            return false;
        if (add)
            add_need(f, self, group);
    }
    uint32_t tensor = f->update_tensor[id];
    for (uint32_t i = 0; tensor != 0 && i < f->readers[tensor - 1].n; i++) {
        uint32_t group = f->readers[tensor - 1].at[i];
        if (group == self)
            continue;
        if (!add && needs(f, group, self))
            return false;
        if (add)
            add_need(f, self, group);
    }
    return true;
}

/* May `id` be computed by group `group` as far as order goes? */
static bool acyclic(Fuse *f, NodeId id, uint32_t group)
{
    const Node *node = graph_node(f->g, id);
    if (!each_need(f, id, group, false))
        return false;
    for (uint32_t i = 0; i < node->n_in; i++) { /* reading a tensor whose update stands in a group this one needs */
        uint32_t tensor;
        const Node *leaf = graph_node(f->g, f->plan->storage[node->in[i]]);
        if (!build_is_tensor(leaf, &tensor) || f->plan->update_of[tensor] == 0)
            continue;
        uint32_t writer = f->plan->group_of[f->plan->update_of[tensor]];
        if (writer != 0 && writer != group && needs(f, group, writer))
            return false;
    }
    /* an anchor that reads a tensor as a whole can't share a kernel with the tensor's update */
    uint32_t tensor = f->update_tensor[id], read;
    const Group *g = &f->plan->groups.at[group - 1];
    for (uint32_t k = 0; tensor != 0 && g->anchor != 0 && k < g->nodes.n; k++) {
        NodeId member = g->nodes.at[k];
        const Node *whole = graph_node(f->g, member);
        for (uint32_t i = 0; i < whole->n_in && (f->sink[member] != 0 || whole->op->kind != OP_MAP); i++)
            if (build_is_tensor(graph_node(f->g, f->plan->storage[whole->in[i]]), &read) && read == tensor - 1)
                return false;
    }
    return true;
}

/* ── would the loops of the group compute it? ── */

static bool is_member(const Fuse *f, NodeId id, uint32_t group) { return group_of(f, id) == group; }

static bool full_member(const Fuse *f, const Group *g, NodeId id)
{
    return type_same_shape(graph_type(f->g, f->plan->storage[id]), &g->space);
}

static bool fits_rows(const Fuse *f, NodeId id, uint32_t group)
{
    const Group *g = &f->plan->groups.at[group - 1];
    const Node *node = graph_node(f->g, id);
    bool map = node->op->kind == OP_MAP, full = map && type_same_shape(&node->type, &g->space);
    if (node->op->kind == OP_REDUCE) {
        uint32_t columns = access_trailing(f->g, node);
        const Type *in = graph_type(f->g, node->in[0]);
        return columns != 0 && type_same_shape(in, &g->space) && (g->columns == 0 || g->columns == columns) &&
               (!is_member(f, node->in[0], group) || full_member(f, g, node->in[0]));
    }
    if (!map || (!full && (g->columns == 0 || !access_is_row(&node->type, &g->space, g->columns))))
        return false;
    for (uint32_t i = 0; i < node->n_in; i++) {
        const Type *in = graph_type(f->g, node->in[i]);
        if (!is_member(f, node->in[i], group))
            continue;
        if (full_member(f, g, node->in[i])) {
            if (!full || !access_is_dense(in, &node->type))
                return false;
        } else if (full ? !access_is_row(in, &g->space, g->columns) || !access_row_strides(in, &g->space, g->columns)
                        : !access_is_dense(in, &node->type)) {
            return false;
        }
    }
    return true;
}

/* The same axes, but for those of length one. */
static bool same_long_axes(const Type *a, const Type *b)
{
    uint32_t i = 0, k = 0;
    for (;; i++, k++) {
        while (i < a->rank && a->dim[i] == 1)
            i++;
        while (k < b->rank && b->dim[k] == 1)
            k++;
        if (i == a->rank || k == b->rank)
            return i == a->rank && k == b->rank && a->batch == b->batch;
        if (a->dim[i] != b->dim[k])
            return false;
    }
}

/* Another fold of the same axes of the same shape, over what is in memory. */
static bool fits_columns(const Fuse *f, NodeId id, const Group *g)
{
    const Node *node = graph_node(f->g, id), *anchor = graph_node(f->g, g->anchor);
    Fold a = build_fold(node), b = build_fold(anchor);
    const Type *in = graph_type(f->g, node->in[0]);
    return a.axes == b.axes && a.batch == b.batch && type_same_shape(in, &g->space) && (in->batch || in->rank != 2);
}

/* After a contraction or a sum over columns: maps of the same shape whose other operands the tile's loops can address. */
static bool fits_epilogue(const Fuse *f, NodeId id, uint32_t group)
{
    const Group *g = &f->plan->groups.at[group - 1];
    const Node *node = graph_node(f->g, id);
    const Type *anchor = graph_type(f->g, g->anchor);
    bool tile = g->kind == GROUP_CONTRACT;
    uint32_t columns = tile ? access_columns(graph_node(f->g, g->anchor)) : 0;
    if (node->op->kind != OP_MAP || node->type.batch != anchor->batch ||
        type_elements(&node->type) != type_elements(anchor) || (tile && !type_same_shape(&node->type, anchor)))
        return false;
    for (uint32_t i = 0; i < node->n_in; i++) {
        const Type *in = graph_type(f->g, node->in[i]);
        int64_t stride[TYPE_MAX_RANK], column;
        view_broadcast(&f->plan->view[node->in[i]], in, &node->type, stride);
        uint32_t stream;
        /* random numbers count samples and elements apart: a tile's row must be a sample */
        if (build_is_random(graph_node(f->g, node->in[i]), &stream) && !(tile && in->rank == 1 && in->batch))
            return false;
        if (is_member(f, node->in[i], group) ? !access_is_dense(in, &node->type)
            : tile ? !view_columns(stride, &node->type, columns, &column)
                   : !(access_is_dense(in, &node->type) && !f->plan->view[node->in[i]].moved) && !access_is_scalar(in) &&
                         !(same_long_axes(&node->type, anchor) && (in->batch || in->rank < 2)))
            return false;
    }
    return true;
}

static bool fits(const Fuse *f, NodeId id, uint32_t group)
{
    const Group *g = &f->plan->groups.at[group - 1];
    uint32_t inputs = graph_node(f->g, id)->n_in;
    if (f->watched != NULL && f->watched[id] != f->watched[g->nodes.at[0]])
        return false;
    for (uint32_t i = 0; i < inputs; i++) { /* loops stand at one element at a time */
        NodeId in = graph_node(f->g, id)->in[i];
        if (is_member(f, in, group) && f->plan->view[in].moved)
            return false;
    }
    for (uint32_t i = 0; i < g->nodes.n; i++)
        inputs += graph_node(f->g, g->nodes.at[i])->n_in;
    if (g->nodes.n >= MOST_NODES || inputs > MOST_INPUTS)
        return false;
    switch (f->plan->groups.at[group - 1].kind) {
    case GROUP_ROWS: return fits_rows(f, id, group);
    case GROUP_COLUMNS:
        if (graph_node(f->g, id)->op->kind == OP_REDUCE)
            return fits_columns(f, id, g);
        return fits_epilogue(f, id, group);
    case GROUP_CONTRACT: return fits_epilogue(f, id, group);
    case GROUP_MOVE:
    case GROUP_SCATTER:
    case GROUP_TABLE: return false;
    }
    return false;
}

static uint32_t new_group(Fuse *f, NodeId id)
{
    const Node *node = graph_node(f->g, id);
    Group g = {.kind = GROUP_ROWS};
    if (node->op->kind == OP_CONTRACT)
        g.kind = GROUP_CONTRACT;
    else if (node->op->kind == OP_MOVE)
        g.kind = GROUP_MOVE;
    else if (node->op->kind == OP_SCATTER)
        g.kind = GROUP_SCATTER;
    else if (node->op->kind == OP_GATHER || node->op->kind == OP_ADD_ROWS)
        g.kind = GROUP_TABLE;
    else if (node->op->kind == OP_REDUCE && access_trailing(f->g, node) == 0)
        g.kind = GROUP_COLUMNS;
    g.anchor = g.kind == GROUP_ROWS ? 0 : id;
    g.space = node->op->kind == OP_REDUCE ? *graph_type(f->g, node->in[0]) : node->type;
    *vec_push(f->arena, &f->plan->groups) = g;
    return f->plan->groups.n;
}

static void join(Fuse *f, NodeId id, uint32_t group)
{
    Group *g = &f->plan->groups.at[group - 1];
    const Node *node = graph_node(f->g, id);
    *vec_push(f->arena, &g->nodes) = id;
    f->plan->group_of[id] = group;
    if (g->kind == GROUP_ROWS && node->op->kind == OP_REDUCE)
        g->columns = access_trailing(f->g, node);
    each_need(f, id, group, true);
    for (uint32_t i = 0; i < node->n_in; i++) {
        uint32_t tensor;
        if (!build_is_tensor(graph_node(f->g, f->plan->storage[node->in[i]]), &tensor))
            continue;
        *vec_push(f->arena, &f->readers[tensor]) = group;
        NodeId update = f->plan->update_of[tensor];
        uint32_t writer = update == 0 ? 0 : f->plan->group_of[update];
        if (writer != 0 && writer != group) {
            ACT_ASSERT(!needs(f, group, writer)); /* the old value is read after it is gone */
            add_need(f, writer, group);
        }
    }
}

static bool is_columns(const Fuse *f, const Node *node)
{
    return node->op->kind == OP_REDUCE && access_trailing(f->g, node) == 0;
}

/* ── maps go to the fold that is all their use ──
 * A product with the weights of a depthwise convolution, the squares of a variance, the mask of a maximum: as wide as what is folded,
 * and nobody else wants it. It is computed inside the fold. */

enum { LEAST_LANES = 4 };

static bool takes_in(const Fuse *f, const Node *node)
{
    if (node->op->kind == OP_SCATTER)
        return true;
    if (!is_columns(f, node))
        return false;
    const Type *in = graph_type(f->g, node->in[0]), *out = &node->type;
    Fold fold = build_fold(node);
    uint32_t last = in->rank; /* the axis that becomes lanes */
    while (last > 0 && (in->dim[last - 1] == 1 || fold.axes >> (last - 1) & 1))
        last--;
    return last > 0 && in->dim[last - 1] >= LEAST_LANES && type_elements(out) >= LEAST_LANES;
}

/* Read by strides: no panels, no random numbers. */
static bool plain_operands(const Fuse *f, const Node *node)
{
    for (uint32_t i = 0; i < node->n_in; i++) {
        const Node *leaf = graph_node(f->g, f->plan->storage[node->in[i]]);
        uint32_t tensor, stream;
        if (build_is_random(leaf, &stream))
            return false;
        if (leaf->type.batch || leaf->type.rank < 2)
            continue;
        if (!build_is_tensor(leaf, &tensor) || f->g->tensors.at[tensor].layout == LAYOUT_PANELS)
            return false;
    }
    return true;
}

static void find_sinks(Fuse *f)
{
    enum { MOST_OPERANDS = 6 };
    const Graph *g = f->g;
    const uint32_t *uses = graph_uses(g, f->arena);
    NodeId *reader = arena_array(f->arena, NodeId, g->nodes.n);
    uint32_t *operands = arena_array(f->arena, uint32_t, g->nodes.n); /* by fold: of all it has taken in */
    for (NodeId id = 1; id < g->nodes.n; id++)
        for (uint32_t i = 0; i < graph_node(g, id)->n_in; i++)
            reader[graph_node(g, id)->in[i]] = id;
    for (NodeId id = g->nodes.n; id-- > 1;) {
        const Node *node = graph_node(g, id);
        if (uses[id] != 1 || reader[id] == 0 || node->op->kind != OP_MAP || f->update_tensor[id] != 0)
            continue;
        const Node *user = graph_node(g, reader[id]);
        NodeId to = f->sink[reader[id]] != 0 ? f->sink[reader[id]] : takes_in(f, user) ? reader[id] : 0;
        if (to == 0 || !plain_operands(f, node) || operands[to] + node->n_in > MOST_OPERANDS ||
            !type_same_shape(&node->type, graph_type(g, graph_node(g, to)->in[0])))
            continue;
        f->sink[id] = to;
        operands[to] += node->n_in;
    }
}

/* What `id` takes in, directly or not, joins its group before it. */
static bool take_in(Fuse *f, NodeId id, uint32_t group, bool join_it)
{
    const Node *node = graph_node(f->g, id);
    for (uint32_t i = 0; i < node->n_in; i++) {
        NodeId in = node->in[i];
        if (!join_it && (is_member(f, in, group) || !acyclic(f, id, group)))
            return false;
        if (f->sink[in] == 0)
            continue;
        if (!take_in(f, in, group, join_it))
            return false;
        if (join_it)
            join(f, in, group);
    }
    return true;
}

/* Does `id`, or what it takes in, read a value that the folds of the group read? */
static bool shares_operand(const Fuse *f, NodeId id, const Group *g)
{
    const Node *node = graph_node(f->g, id);
    for (uint32_t i = 0; i < node->n_in; i++) {
        NodeId in = node->in[i];
        if (f->sink[in] != 0 && shares_operand(f, in, g))
            return true;
        for (uint32_t k = 0; k < g->nodes.n && f->sink[in] == 0 && graph_type(f->g, in)->rank > 1; k++) {
            const Node *other = graph_node(f->g, g->nodes.at[k]);
            if (f->sink[g->nodes.at[k]] == 0 && other->op->kind != OP_REDUCE)
                continue;
            for (uint32_t j = 0; j < other->n_in; j++)
                if (f->plan->storage[other->in[j]] == f->plan->storage[in])
                    return true;
        }
    }
    return false;
}

/* A fold of the same axes of the same thing, in a kernel that could take this one in; 0: none. */
static uint32_t beside(Fuse *f, NodeId id)
{
    for (uint32_t group = f->plan->groups.n; group > 0; group--) {
        const Group *g = &f->plan->groups.at[group - 1];
        if (g->kind == GROUP_COLUMNS && fits(f, id, group) && shares_operand(f, id, g) && take_in(f, id, group, false))
            return group;
    }
    return 0;
}

/* Does the map read parts of computed values, and nothing else? The latest of those values; 0: no. */
static NodeId parts_of(const Fuse *f, const Node *node)
{
    NodeId whole = 0;
    for (uint32_t i = 0; i < node->n_in; i++) {
        NodeId in = node->in[i], from = f->plan->storage[in];
        if (!f->plan->view[in].moved || f->plan->group_of[from] == 0)
            return 0;
        whole = from > whole ? from : whole;
    }
    return node->op->kind == OP_MAP ? whole : 0;
}

/* Maps of parts side by side, the gates of a recurrent layer, share one pass over the rows of what they are parts of. */
static uint32_t beside_parts(Fuse *f, NodeId id)
{
    NodeId whole = parts_of(f, graph_node(f->g, id));
    uint32_t group = whole ? f->of_parts[whole] : 0;
    return group && fits(f, id, group) && acyclic(f, id, group) ? group : 0;
}

/* What the monitor takes of the same value goes over its rows once. */
static uint32_t beside_watched(Fuse *f, NodeId id)
{
    const Node *node = graph_node(f->g, id);
    for (uint32_t group = f->plan->groups.n; group > 0 && f->watched != NULL && f->watched[id]; group--) {
        const Group *g = &f->plan->groups.at[group - 1];
        const Node *first = graph_node(f->g, g->nodes.at[0]);
        bool room = node->op->kind != OP_MAP || g->nodes.n + 2 <= MOST_NODES; /* for its sum, too */
        if (g->kind == GROUP_ROWS && room && f->plan->storage[first->in[0]] == f->plan->storage[node->in[0]] &&
            fits(f, id, group) && acyclic(f, id, group))
            return group;
    }
    return 0;
}

/* The latest of the groups of its inputs that can take it in. */
static void place(Fuse *f, NodeId id)
{
    const Node *node = graph_node(f->g, id);
    uint32_t best = 0, below = f->plan->groups.n + 1;
    bool joins = node->op->kind == OP_MAP || node->op->kind == OP_REDUCE, columns = is_columns(f, node);
    if (f->sink[id] != 0)
        return; /* its turn comes with its fold's */
    while (joins && !columns && best == 0) {
        uint32_t next = 0;
        for (uint32_t i = 0; i < node->n_in; i++) {
            uint32_t group = group_of(f, node->in[i]);
            next = group < below && group > next ? group : next;
        }
        if (next == 0)
            break;
        below = next;
        best = fits(f, id, next) && acyclic(f, id, next) ? next : 0;
    }
    if (columns)
        best = beside(f, id);
    if (best == 0)
        best = beside_parts(f, id);
    if (best == 0 && !columns)
        best = beside_watched(f, id);
    if (best == 0) {
        best = new_group(f, id);
        NodeId whole = parts_of(f, node);
        if (whole)
            f->of_parts[whole] = best;
    }
    take_in(f, id, best, true);
    join(f, id, best);
}

/* ── cheap maps go to their readers ──
 * A map joined the group of what it is made from. Where only the rows of one other group read it, and what it is made from is in
 * memory anyway, it is computed there instead of stored here and loaded there: the picked logits of a cross-entropy. */

typedef struct Readers {
    uint32_t *only;   /* by node: the one group that reads it from memory as it is; 0: none */
    bool *elsewhere;  /* it is a root, or read by its own group, by several, or as a view */
    bool *leaves;     /* a group other than its own reads it */
} Readers;

static Readers readers_of(const Fuse *f)
{
    const Graph *g = f->g;
    Readers r = {arena_array(f->arena, uint32_t, g->nodes.n), arena_array(f->arena, bool, g->nodes.n),
                 arena_array(f->arena, bool, g->nodes.n)};
    for (uint32_t i = 0; i < g->roots.n; i++)
        r.elsewhere[f->plan->storage[g->roots.at[i].node]] = true;
    for (NodeId id = 1; id < g->nodes.n; id++) {
        uint32_t group = f->plan->group_of[id];
        for (uint32_t i = 0; group != 0 && i < graph_node(g, id)->n_in; i++) {
            NodeId in = graph_node(g, id)->in[i], from = f->plan->storage[in];
            bool first = r.only[from] == 0 || r.only[from] == group;
            r.elsewhere[from] |= from != in || !first || f->plan->group_of[from] == group;
            r.leaves[from] |= f->plan->group_of[from] != group;
            r.only[from] = group;
        }
    }
    return r;
}

/* Is all it reads in memory, whoever computes it, and the same whenever that is? */
static bool made_from_memory(const Fuse *f, const Readers *r, const Node *node)
{
    for (uint32_t i = 0; i < node->n_in; i++) {
        NodeId in = f->plan->storage[node->in[i]];
        uint32_t tensor;
        if (build_is_tensor(graph_node(f->g, in), &tensor) ? f->plan->update_of[tensor] != 0
                                                           : f->plan->group_of[in] != 0 && !r->leaves[in])
            return false;
    }
    return true;
}

static void move_to_readers(Fuse *f)
{
    enum { CHEAP = 8 /* additions */ };
    Readers r = readers_of(f);
    for (NodeId id = f->g->nodes.n; id-- > 1;) {
        const Node *node = graph_node(f->g, id);
        uint32_t from = f->plan->group_of[id], to = r.only[id];
        if (from == 0 || to == 0 || r.elsewhere[id] || node->op->kind != OP_MAP || !node->type.batch ||
            sx_cost(f->g->sx, build_fn(node)) > CHEAP)
            continue;
        Group *old = &f->plan->groups.at[from - 1], *new = &f->plan->groups.at[to - 1];
        if (new->kind != GROUP_ROWS || old->nodes.n < 2 || !type_same_shape(&node->type, &new->space) ||
            !made_from_memory(f, &r, node) || !fits(f, id, to))
            continue;
        uint32_t k = 0;
        while (old->nodes.at[k] != id)
            k++;
        for (old->nodes.n--; k < old->nodes.n; k++)
            old->nodes.at[k] = old->nodes.at[k + 1];
        *vec_push(f->arena, &new->nodes) = id;
        for (k = new->nodes.n - 1; k > 0 && new->nodes.at[k - 1] > id; k--)
            new->nodes.at[k] = new->nodes.at[k - 1];
        new->nodes.at[k] = id;
        f->plan->group_of[id] = to;
    }
}

static void run(PassState *state)
{
    const Graph *g = state->g;
    Fuse f = {.arena = state->arena, .g = g};
    f.plan = state->plan = arena_new_of(state->arena, Plan);
    f.plan->g = g;
    f.plan->group_of = arena_array(state->arena, uint32_t, g->nodes.n);
    views_find(state->arena, g, f.plan);
    f.plan->update_of = arena_array(state->arena, uint32_t, g->tensors.n + 1);
    f.update_tensor = arena_array(state->arena, uint32_t, g->nodes.n);
    f.readers = arena_alloc(state->arena, sizeof *f.readers * (g->tensors.n + 1));
    f.on = arena_alloc(state->arena, sizeof *f.on * (g->nodes.n + 1));
    f.by = arena_alloc(state->arena, sizeof *f.by * (g->nodes.n + 1));
    f.level = arena_array(state->arena, uint32_t, g->nodes.n + 1);
    f.seen = arena_array(state->arena, uint32_t, g->nodes.n + 1);
    for (uint32_t i = 0; i < g->roots.n; i++)
        if (g->roots.at[i].kind == ROOT_UPDATE) {
            NodeId value = f.plan->storage[g->roots.at[i].node];
            f.plan->update_of[g->roots.at[i].index] = value;
            f.update_tensor[value] = 1 + g->roots.at[i].index;
        }
    f.watched = state->watch == NULL ? NULL : watch_only(state->arena, g);
    f.of_parts = arena_array(state->arena, uint32_t, g->nodes.n);
    f.sink = arena_array(state->arena, NodeId, g->nodes.n);
    find_sinks(&f);
    for (NodeId id = 1; id < g->nodes.n; id++) {
        if (graph_node(g, id)->op->kind != OP_LEAF && f.plan->storage[id] == id)
            place(&f, id);
    }
    move_to_readers(&f);
    views_settle(state->arena, g, f.plan);
}

const Pass pass_fuse = {
    .name = "fuse",
    .doc = "Group nodes that share one loop nest: maps with the product, sum or row they follow.",
    .needs = FACT_EXPANDED | FACT_CANONICAL | FACT_LAYOUT,
    .keeps = FACT_TYPED | FACT_GRADIENTS | FACT_EXPANDED | FACT_CANONICAL | FACT_LAYOUT,
    .gives = FACT_GROUPED,
    .run = run,
};
