/* lookup: what is computed from rows of a table alone is computed once for each row of the table, and looked up then.
 *
 *   gather(T, i) W             gather(T W, i)
 *   gather(T, i) W + b         gather(T W + b, i)
 *
 * T has a row for each token of the vocabulary, i has one index for each place of each sample: the inputs of a character LSTM are 65
 * rows, not thousands. It comes before gradients, so these are small products, too, behind one scatter_add. A row's result has the same
 * bits as before, wherever it is computed; programs may decide for themselves.
 *
 * Values that the monitor may look at, layers' results and what stands in front of activations, stay values with a gradient: only a product
 * of the table with what follows in its layer is looked up, and of what stands before it only maps that are no activations. */
#include "ops/build.h"
#include "pass/pass.h"

enum {
    LOOKUP_FEWER = 2,  /* times fewer rows in the table than places, */
    LOOKUP_ONE = 2,    /* and at most so many times those of one sample, where calls may have only that */
    LOOKUP_DEPTH = 8   /* terms of the product: with fewer, it is no slower than copying rows as wide as its result */
};

/* What a node is as a function of a table's row. */
typedef struct Row {
    NodeId index;      /* chosen by this value; 0: no such function */
    uint32_t count;    /* rows of the table */
    bool product;      /* with a product in it */
    bool lifted;       /* computed on the table's rows */
} Row;

typedef struct Lookup {
    Arena *arena;
    const Graph *from;
    Graph *g;
    bool any_batch;    /* calls may have one sample */
    Row *row;          /* by node */
    NodeId *map;       /* by node: in the new graph */
    NodeId *table;     /* by node: what it is on the table's rows, there */
} Lookup;

/* Does each of these operands have one number for a column, whichever the place? */
static bool along_columns(const Type *type) { return !type->batch && type->rank <= 1; }

/* Maps without a slope of their own: shifts, scales, sums. */
static bool is_linear(SxPool *sx, const Node *map, uint64_t rows)
{
    Sx slope[64];
    if (map->n_in > 64)
        return false;
    sx_gradient(sx, build_fn(map), map->n_in, slope);
    for (uint32_t i = 0; i < map->n_in; i++)
        if (rows >> i & 1 && (sx_args_used(sx, slope[i]) & rows) != 0)
            return false;
    return true;
}

/* A map of values that the same indices have chosen, of the same layer once there is a product in it. */
static Row row_of_map(const Lookup *l, const Node *map)
{
    Row row = {0};
    uint64_t rows = 0;
    for (uint32_t i = 0; i < map->n_in; i++) {
        const Row *in = &l->row[map->in[i]];
        if (in->index != 0) {
            bool fits = row.index == 0 || (in->index == row.index && in->count == row.count);
            if (!fits || (in->product && graph_node(l->from, map->in[i])->layer != map->layer))
                return (Row){0};
            row.index = in->index, row.count = in->count, row.product |= in->product;
            rows |= 1ull << i;
        } else if (!along_columns(graph_type(l->from, map->in[i]))) {
            return (Row){0};
        }
    }
    return row.index != 0 && is_linear(l->from->sx, map, rows) ? row : (Row){0};
}

/* Is it a product of rows with a matrix that all samples share? */
static bool is_row_product(const Graph *g, const Node *node)
{
    if (node->op->kind != OP_CONTRACT || graph_type(g, node->in[1])->batch)
        return false;
    Contract c = build_contract_of(node);
    return (c.form == CONTRACT_NN || c.form == CONTRACT_NT) && c.outer == 0 && c.depth == 1 && !c.each;
}

static bool pays(const Lookup *l, const Row *row, const Node *product)
{
    const Type *index = graph_type(l->from, row->index);
    uint64_t one = type_elements(index), all = one * (index->batch ? l->from->batch : 1);
    uint64_t depth = type_last(graph_type(l->from, product->in[0])), columns = type_last(&product->type);
    if (l->any_batch && index->batch && row->count > LOOKUP_ONE * one)
        return false;
    return (uint64_t)row->count * LOOKUP_FEWER <= all && (depth >= LOOKUP_DEPTH || depth >= columns);
}

static Row row_of(const Lookup *l, const Node *node)
{
    if (node->op->kind == OP_GATHER)
        return (Row){.index = node->in[1], .count = graph_type(l->from, node->in[0])->dim[0]};
    if (node->op->kind == OP_MAP)
        return row_of_map(l, node);
    if (!is_row_product(l->from, node) || l->row[node->in[1]].index != 0)
        return (Row){0};
    Row row = l->row[node->in[0]];
    if (row.index == 0 || row.product || !pays(l, &row, node))
        return (Row){0};
    row.product = true;
    return row;
}

/* All with a product in them, and what these are made of. */
static void find(Lookup *l)
{
    uint32_t n = l->from->nodes.n;
    for (NodeId id = 1; id < n; id++)
        l->row[id] = row_of(l, graph_node(l->from, id));
    for (NodeId id = n; id-- > 1;) {
        const Node *node = graph_node(l->from, id);
        l->row[id].lifted |= l->row[id].product;
        for (uint32_t i = 0; i < node->n_in && l->row[id].lifted; i++)
            l->row[node->in[i]].lifted |= l->row[node->in[i]].index != 0;
    }
}

/* The node on the table's rows, and the rows that the indices choose. */
static NodeId lift(Lookup *l, NodeId id)
{
    const Node *node = graph_node(l->from, id);
    if (node->op->kind == OP_GATHER) {
        l->table[id] = l->map[node->in[0]];
        return graph_copy_node(l->g, l->from, id, l->map);
    }
    NodeId *in = arena_array(l->arena, NodeId, node->n_in + 1);
    for (uint32_t i = 0; i < node->n_in; i++)
        in[i] = l->row[node->in[i]].index != 0 ? l->table[node->in[i]] : l->map[node->in[i]];
    uint32_t first = l->g->nodes.n;
    l->table[id] = graph_add(l->g, node->op, in, node->n_in, node->attr);
    NodeId rows = build_gather(l->g, l->table[id], l->map[l->row[id].index]);
    for (NodeId made = first; made <= rows; made++) {
        Node *copy = graph_node(l->g, made);
        copy->span = node->span, copy->fn = node->fn, copy->layer = node->layer;
    }
    graph_node(l->g, rows)->name = node->name;
    return rows;
}

static void run(PassState *state)
{
    uint32_t n = state->g->nodes.n;
    Lookup l = {.arena = state->arena, .from = state->g, .g = graph_like(state->g), .any_batch = !state->train};
    for (uint32_t i = 0; i < l.from->roots.n; i++)
        l.any_batch &= l.from->roots.at[i].kind != ROOT_LOSS;
    l.row = arena_array(state->arena, Row, n);
    l.map = arena_array(state->arena, NodeId, n);
    l.table = arena_array(state->arena, NodeId, n);
    find(&l);
    for (NodeId id = 1; id < n; id++)
        l.map[id] = l.row[id].lifted ? lift(&l, id) : graph_copy_node(l.g, l.from, id, l.map);
    pass_copy_roots(l.g, l.from, l.map);
    state->g = l.g;
}

const Pass pass_lookup = {
    .name = "lookup",
    .doc = "What is computed from rows of an embedding's table alone is computed once for each row of the table.",
    .needs = FACT_TYPED,
    .keeps = FACT_TYPED,
    .run = run,
};
