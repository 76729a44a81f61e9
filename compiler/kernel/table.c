/* Table groups: rows of a table read where indices say, and rows added up there. */
#include "kernel/lower.h"

#include "ops/build.h"

/* One loop over the places of a sample's indices, behind the batch's if there is one. */
typedef struct Places {
    bool batch;
    int64_t count;
} Places;

static Places places_of(const Type *index) { return (Places){index->batch, (int64_t)type_elements(index)}; }

/* Opens the loops; `at` counts the places in all. Returns the number of loops. */
static uint32_t open_places(Lower *l, Places p, uint32_t depth, Affine *at, LoopStmt ***behind)
{
    *behind = NULL;
    if (p.batch) {
        *behind = lower_for(l, (Extent){.per_row = 1}, LOOP_SERIAL);
        at->coef[depth++] = p.count;
    }
    if (p.count > 1 || !p.batch) {
        LoopStmt **next = lower_for(l, (Extent){.fixed = p.count}, LOOP_SERIAL);
        *behind = *behind == NULL ? next : *behind;
        at->coef[depth++] = 1;
    }
    return depth;
}

static Affine times(const Affine *at, int64_t factor)
{
    Affine out = {.base = at->base * factor};
    for (uint32_t d = 0; d < LOOP_MAX_DEPTH; d++)
        out.coef[d] = at->coef[d] * factor;
    return out;
}

static void gather(Lower *l, NodeId id)
{
    const Node *node = graph_node(l->g, id);
    const Type *table = graph_type(l->g, node->in[0]), *index = graph_type(l->g, node->in[1]);
    int64_t columns = table->dim[1];
    Places p = places_of(index);
    Affine place = {0};
    LoopStmt **behind;
    uint32_t d = open_places(l, p, 0, &place, &behind);
    lower_for(l, (Extent){.fixed = columns}, LOOP_VECTOR);
    LoopArg arg = {.kind = LARG_ROW, .index = lower_buf(l, node->in[0])};
    arg.at.coef[d] = 1;
    arg.row = (LoopRow){.buf = lower_buf(l, node->in[1]), .count = table->dim[0], .step = columns, .at = place};
    Affine to = times(&place, columns);
    to.coef[d] = 1;
    lower_store(l, id, to, lower_arg(l, arg));
    l->tail = behind;
    lower_end(l, SPLIT_OUTER, p.batch ? (Extent){.per_row = 1} : (Extent){.fixed = p.count}, p.batch && l->group->by_rows, 1);
}

/* Columns of a wide table that are read in one go: the processor foresees the lines of 1 KiB, not those of rows far apart. */
enum { RUN = 256 };

/* Threads have columns of their own, a line or more of each row, so that the sums go in the order of the batch whatever their number. */
static void add_rows(Lower *l, NodeId id)
{
    const Node *node = graph_node(l->g, id);
    const Type *index = graph_type(l->g, node->in[0]);
    int64_t rows = node->type.dim[0], columns = node->type.dim[1], lanes = l->target->lanes;
    int64_t width = columns >= 4 * RUN ? RUN : columns > 8 * lanes ? 4 * lanes : lanes, blocks = (columns + width - 1) / width;
    lower_for(l, (Extent){.fixed = blocks}, LOOP_SERIAL);
    LoopStmt **behind = lower_for(l, (Extent){.fixed = rows}, LOOP_SERIAL);
    lower_for(l, (Extent){.fixed = width}, LOOP_VECTOR);
    l->loop->loop.clamp = columns % width ? columns : 0;
    lower_store(l, id, (Affine){.coef = {width, columns, 1}}, sx_num(l->g->sx, 0));
    l->tail = behind;
    Affine place = {0};
    uint32_t d = open_places(l, places_of(index), 1, &place, &behind);
    lower_for(l, (Extent){.fixed = width}, LOOP_VECTOR);
    l->loop->loop.clamp = columns % width ? columns : 0;
    Affine from = times(&place, columns);
    from.coef[0] = width;
    from.coef[d] = 1;
    LoopStmt *add = lower_stmt(l, LOOP_ADD);
    add->store.buf = lower_buf_of(l, id, true);
    add->store.at.coef[0] = width;
    add->store.at.coef[d] = 1;
    add->store.value = lower_load(l, node->in[1], from);
    add->store.row = (LoopRow){.buf = lower_buf(l, node->in[0]), .count = (uint32_t)rows, .step = columns, .at = place};
    lower_end(l, SPLIT_OUTER, (Extent){.fixed = blocks}, false, 1);
}

void lower_table(Lower *l)
{
    NodeId id = l->group->anchor;
    lower_begin(l, "");
    if (graph_node(l->g, id)->op->kind == OP_GATHER)
        gather(l, id);
    else
        add_rows(l, id);
}
