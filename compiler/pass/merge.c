/* merge: where a gradient is a sum over the places that read a value, many small parts become one large one.
 *
 *   parts of a value, padded to its size and added up            one concat
 *   weight gradients x' g of the same weight                     one product over all their rows
 *   sums over rows of gradients of the same bias                 one sum over all their rows
 *
 * The steps of a recurrent layer share their weights: its weight gradient is one product over steps and samples, as large as a linear
 * layer's, instead of T small ones that each read and write the whole sum. A shared layer's uses come together in the same way. */
#include "ops/build.h"
#include "pass/pass.h"

typedef struct Part {
    NodeId node;          /* in the new graph */
    bool taken;
} Part;

typedef struct Merge {
    Arena *arena;
    const Graph *from;
    Graph *g;
    const uint32_t *uses;
    NodeId *map;
    bool *inside;         /* by old node: part of the sum that a later node ends */
    bool *plain;          /* by old node: a sum without anything to join */
    uint32_t *beside, n_beside; /* by new node, of so many: 1 + its place in a concatenation; 0: it is in none */
} Merge;

static bool is_sum(const Graph *g, const Node *node)
{
    if (node->op->kind != OP_MAP || node->n_in != 2)
        return false;
    return build_fn(node) == sx_add(g->sx, sx_arg(g->sx, 0), sx_arg(g->sx, 1)) &&
           type_equal(graph_type(g, node->in[0]), &node->type) && type_equal(graph_type(g, node->in[1]), &node->type);
}

/* Sums that only another sum reads belong to that one. */
static void find_inside(Merge *m)
{
    for (NodeId id = 1; id < m->from->nodes.n; id++) {
        const Node *node = graph_node(m->from, id);
        for (uint32_t i = 0; i < node->n_in && is_sum(m->from, node); i++)
            m->inside[node->in[i]] = m->uses[node->in[i]] == 1 && is_sum(m->from, graph_node(m->from, node->in[i]));
    }
}

typedef VEC(Part) Parts;
typedef VEC(NodeId) Nodes;

/* The terms of the sum, in order. Its sums lean to one side, as deep as there are terms: no recursion. */
static Nodes terms_of(Merge *m, NodeId sum, Nodes *sums)
{
    Nodes terms = {0}, open = {0};
    *vec_push(m->arena, &open) = sum;
    while (open.n > 0) {
        NodeId id = open.at[--open.n];
        const Node *node = graph_node(m->from, id);
        bool term = id != sum && !m->inside[id];
        *vec_push(m->arena, term ? &terms : sums) = id;
        if (term)
            continue;
        *vec_push(m->arena, &open) = node->in[1];
        *vec_push(m->arena, &open) = node->in[0];
    }
    return terms;
}

/* ── padded parts ── */

/* Is the node a value with zeros around it along one axis? */
static bool padded(const Graph *g, NodeId id, uint32_t *axis, int64_t *before)
{
    uint32_t start, after;
    bool is = build_is_pad(graph_node(g, id), axis, &start, &after);
    *before = is ? start : 0;
    return is;
}

static void sort_parts(Merge *m, uint32_t *order, uint32_t n, const int64_t *key)
{
    uint32_t *other = arena_array(m->arena, uint32_t, n + 1);
    for (uint32_t width = 1; width < n; width *= 2) { /* merge sort: stable, and linear when there is nothing to do */
        for (uint32_t low = 0; low < n; low += 2 * width) {
            uint32_t mid = low + width < n ? low + width : n, high = mid + width < n ? mid + width : n;
            for (uint32_t a = low, b = mid, k = low; k < high; k++)
                other[k] = a < mid && (b == high || key[order[a]] <= key[order[b]]) ? order[a++] : order[b++];
        }
        for (uint32_t k = 0; k < n; k++)
            order[k] = other[k];
    }
}

/* Parts padded along `axis`, none over another: side by side, with zeros between. The first of each place stays for the sum. */
static NodeId join_padded(Merge *m, Parts *parts, uint32_t axis)
{
    Graph *g = m->g;
    uint32_t n = 0, *order = arena_array(m->arena, uint32_t, parts->n + 1), own;
    int64_t *start = arena_array(m->arena, int64_t, parts->n + 1), end = 0;
    for (uint32_t i = 0; i < parts->n; i++)
        if (!parts->at[i].taken && padded(g, parts->at[i].node, &own, &start[i]) && own == axis)
            order[n++] = i;
    sort_parts(m, order, n, start);
    NodeId *in = arena_array(m->arena, NodeId, n + 1), last = 0;
    int64_t size = 0;
    uint32_t count = 0;
    for (uint32_t k = 0; k < n; k++) {
        NodeId whole = parts->at[order[k]].node, part = graph_node(g, whole)->in[0];
        int64_t at = start[order[k]], width = graph_type(g, part)->dim[axis];
        size = graph_type(g, whole)->dim[axis];
        bool again = last != 0 && at == end - graph_type(g, last)->dim[axis] && type_equal(graph_type(g, part), graph_type(g, last));
        if (at < end && !again)
            continue;
        parts->at[order[k]].taken = true;
        if (again) { /* the same place: added up first */
            last = build_add(g, last, part);
            in[count - 1] = last;
            continue;
        }
        last = part;
        in[count++] = build_pad(g, part, axis, at - end, 0);
        if (at != end)
            last = 0; /* nothing joins what has zeros in front */
        end = at + width;
    }
    if (count > 0 && end < size)
        in[count - 1] = build_pad(g, in[count - 1], axis, 0, size - end);
    return count > 0 ? build_concat(g, in, count, axis) : 0;
}

/* ── products and sums over rows ── */

/* A value as [rows][columns], the batch apart. */
static NodeId as_rows(Graph *g, NodeId value)
{
    const Type *type = graph_type(g, value);
    uint32_t last = (uint32_t)type_last(type);
    return build_reshape(g, value, 2, (uint32_t[]){(uint32_t)(type_elements(type) / last), last});
}

/* x' g, with one axis of rows in the result? */
static bool is_weight_gradient(const Graph *g, NodeId id)
{
    const Node *node = graph_node(g, id);
    if (node->op->kind != OP_CONTRACT)
        return false;
    Contract c = build_contract_of(node);
    return c.form == CONTRACT_TN && c.outer == 0 && c.depth == 1 && !c.each && graph_type(g, node->in[0])->batch;
}

/* A sum over the batch and everything but the last axis? */
static bool is_bias_gradient(const Graph *g, NodeId id)
{
    const Node *node = graph_node(g, id);
    if (node->op->kind != OP_REDUCE)
        return false;
    Fold fold = build_fold(node);
    const Type *in = graph_type(g, node->in[0]);
    return fold.op == REDUCE_SUM && fold.batch && in->rank > 0 && node->type.rank == 1 && fold.axes == (1u << (in->rank - 1)) - 1;
}

static NodeId unshaped(const Graph *g, NodeId id)
{
    while (graph_node(g, id)->op->kind == OP_VIEW)
        id = graph_node(g, id)->in[0];
    return id;
}

static int64_t place_of(const Merge *m, NodeId id) { return id < m->n_beside ? m->beside[id] : 0; }

/* The steps' rows in the order in which a concatenation already has them, or in that of the nodes: what stands side by side twice in one
 * order is there once (pass/stack.c). */
static void sort_rows(Merge *m, const Parts *parts, uint32_t *order, uint32_t n)
{
    int64_t *key = arena_array(m->arena, int64_t, parts->n + 1);
    bool known = true;
    for (uint32_t k = 0; k < n; k++) {
        NodeId rows = unshaped(m->g, graph_node(m->g, parts->at[order[k]].node)->in[0]);
        key[order[k]] = place_of(m, rows);
        known = known && key[order[k]] != 0;
    }
    for (uint32_t k = 0; k < n && !known; k++)
        key[order[k]] = unshaped(m->g, graph_node(m->g, parts->at[order[k]].node)->in[0]);
    sort_parts(m, order, n, key);
}

/* The i-th inputs of the parts, one below the other. */
static NodeId below(Merge *m, const Parts *parts, const uint32_t *order, uint32_t n, uint32_t i)
{
    NodeId *in = arena_array(m->arena, NodeId, n + 1);
    for (uint32_t k = 0; k < n; k++)
        in[k] = as_rows(m->g, graph_node(m->g, parts->at[order[k]].node)->in[i]);
    return build_concat(m->g, in, n, 0);
}

static NodeId join_rows(Merge *m, Parts *parts, bool (*wanted)(const Graph *g, NodeId id))
{
    uint32_t n = 0, *order = arena_array(m->arena, uint32_t, parts->n + 1);
    for (uint32_t k = 0; k < parts->n; k++)
        if (!parts->at[k].taken && wanted(m->g, parts->at[k].node))
            order[n++] = k;
    if (n < 2)
        return 0;
    sort_rows(m, parts, order, n);
    NodeId x = below(m, parts, order, n, 0), sum;
    if (wanted == is_weight_gradient)
        sum = build_contract(m->g, CONTRACT_TN, x, below(m, parts, order, n, 1));
    else
        sum = build_reduce(m->g, REDUCE_SUM, x, 1, true, false);
    for (uint32_t k = 0; k < parts->n; k++)
        parts->at[k].taken = parts->at[k].taken || wanted(m->g, parts->at[k].node);
    return sum;
}

/* ── sums ── */
static NodeId add_up(Merge *m, NodeId sum, NodeId part) { return sum == 0 ? part : build_add(m->g, sum, part); }

static NodeId merge(Merge *m, NodeId id)
{
    Nodes sums = {0}, terms = terms_of(m, id, &sums);
    Parts parts = {0};
    for (uint32_t i = 0; i < terms.n; i++)
        *vec_push(m->arena, &parts) = (Part){.node = m->map[terms.at[i]]};
    NodeId sum = 0;
    uint32_t axis;
    int64_t before;
    for (uint32_t i = 0; i < parts.n; i++) { /* each round takes at least the part it begins with */
        if (parts.at[i].taken || !padded(m->g, parts.at[i].node, &axis, &before))
            continue;
        uint32_t n = 0, own;
        for (uint32_t k = i; k < parts.n && n < 2; k++)
            n += !parts.at[k].taken && padded(m->g, parts.at[k].node, &own, &before) && own == axis;
        if (n == 2)
            sum = add_up(m, sum, join_padded(m, &parts, axis));
    }
    NodeId product = join_rows(m, &parts, is_weight_gradient), row = join_rows(m, &parts, is_bias_gradient);
    sum = product ? add_up(m, sum, product) : sum;
    sum = row ? add_up(m, sum, row) : sum;
    for (uint32_t i = 0; i < parts.n; i++)
        sum = parts.at[i].taken ? sum : add_up(m, sum, parts.at[i].node);
    return sum;
}

/* Sums with nothing to join stay as they are written. */
static void find_plain(Merge *m)
{
    for (NodeId id = m->from->nodes.n; id-- > 1;) {
        if (m->inside[id] || m->plain[id] || !is_sum(m->from, graph_node(m->from, id)))
            continue;
        Nodes sums = {0}, terms = terms_of(m, id, &sums);
        uint32_t count[3] = {0}, axis;
        int64_t before;
        for (uint32_t i = 0; i < terms.n; i++) {
            count[0] += padded(m->from, terms.at[i], &axis, &before);
            count[1] += is_weight_gradient(m->from, terms.at[i]);
            count[2] += is_bias_gradient(m->from, terms.at[i]);
        }
        bool plain = count[0] < 2 && count[1] < 2 && count[2] < 2;
        m->plain[id] = plain;
        for (uint32_t i = 0; i < sums.n && plain; i++)
            m->inside[sums.at[i]] = false, m->plain[sums.at[i]] = true;
    }
}

static void take_place(Graph *g, uint32_t first, const Node *node)
{
    for (NodeId made = first; made < g->nodes.n; made++) {
        Node *copy = graph_node(g, made);
        copy->span = node->span, copy->layer = node->layer;
    }
}

/* The first concatenation that has a value counts. */
static void note_places(Merge *m, NodeId id)
{
    const Node *node = graph_node(m->g, id);
    uint32_t axis;
    for (uint32_t i = 0; build_is_concat(node, &axis) && i < node->n_in; i++) {
        NodeId in = unshaped(m->g, node->in[i]);
        if (in < m->n_beside && m->beside[in] == 0)
            m->beside[in] = 1 + i;
    }
}

static void run(PassState *state)
{
    Merge m = {.arena = state->arena, .from = state->g, .g = graph_like(state->g)};
    m.uses = graph_uses(m.from, state->arena);
    m.map = arena_array(state->arena, NodeId, m.from->nodes.n);
    m.inside = arena_array(state->arena, bool, m.from->nodes.n);
    m.plain = arena_array(state->arena, bool, m.from->nodes.n);
    m.n_beside = 2 * m.from->nodes.n;
    m.beside = arena_array(state->arena, uint32_t, m.n_beside);
    find_inside(&m);
    find_plain(&m);
    for (NodeId id = 1; id < m.from->nodes.n; id++) {
        Node node = *graph_node(m.from, id);
        uint32_t first = m.g->nodes.n;
        if (m.inside[id])
            continue; /* with the sum it is part of */
        if (m.plain[id] || !is_sum(m.from, &node)) {
            m.map[id] = graph_copy_node(m.g, m.from, id, m.map);
            note_places(&m, m.map[id]);
            continue;
        }
        m.map[id] = merge(&m, id);
        take_place(m.g, first, &node);
    }
    pass_copy_roots(m.g, m.from, m.map);
    state->g = m.g;
}

const Pass pass_merge = {
    .name = "merge",
    .doc = "Gradients that are sums over many places become one: parts side by side, one product or sum over all rows.",
    .needs = FACT_TYPED,
    .keeps = FACT_TYPED,
    .run = run,
};
