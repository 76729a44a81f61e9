/* place: greatest first, at the lowest offset that is free.
 *
 * Threads may be anywhere inside a stretch between barriers, so in general two values may lie in the same bytes only when one is
 * dead a barrier before the other is born. There is one exception. In groups by rows a thread touches only its own rows, in the
 * order of the groups, whatever the others do. So when a value's last stretch has only such groups, and one of them writes another
 * value later in that stretch, a thread may write its rows of the new value over its rows of the old. These are the same bytes only
 * if both values begin at the same place and have equally long rows: then no cut between threads makes one's rows meet another's.
 *
 * A kernel reads an element before it writes it, so the group that reads the old value last may be the one that writes the new,
 * if it touches both element by element. */
#include "pass/place.h"

#include "ops/build.h"

typedef struct Placing {
    const Plan *plan;
    WorkValue **at;      /* placed, by offset */
    uint32_t n;
} Placing;

/* ── who may share ── */

/* The loop of the row that runs last (kernel/rows.c stores nothing behind it but row values). */
static uint32_t last_loop(const Plan *plan, const Group *group)
{
    uint32_t last = 0;
    for (uint32_t i = 0; i < group->nodes.n; i++) {
        NodeId id = group->nodes.at[i];
        const Node *node = graph_node(plan->g, id);
        uint32_t loop = node->op->kind == OP_REDUCE                     ? plan->stage[id] - 1
                        : type_same_shape(&node->type, &group->space) ? plan->stage[id]
                                                                       : 0;
        last = loop > last ? loop : last;
    }
    return last;
}

/* Does the group touch every element of `from` only where it computes the same element of `to`, and before it stores that? */
static bool element_by_element(const Plan *plan, const Group *group, NodeId from, NodeId to)
{
    const Type *type = graph_type(plan->g, to);
    bool rows = group->kind == GROUP_ROWS;
    if (graph_node(plan->g, to)->op->kind != OP_MAP || (!rows && group->kind != GROUP_CONTRACT))
        return false;
    if (rows && (!type_same_shape(type, &group->space) || plan->stage[to] != last_loop(plan, group)))
        return false;
    for (uint32_t i = 0; i < group->nodes.n; i++) {
        const Node *node = graph_node(plan->g, group->nodes.at[i]);
        for (uint32_t k = 0; k < node->n_in; k++) {
            if (plan->home[plan->storage[node->in[k]]] != from)
                continue;
            if (plan->view[node->in[k]].moved || plan->storage[node->in[k]] != from)
                return false;
            bool folded = rows && node->op->kind == OP_REDUCE;
            if (!type_same_shape(graph_type(plan->g, node->in[k]), type) ||
                (!folded && (node->op->kind != OP_MAP || !type_same_shape(&node->type, type))))
                return false;
        }
    }
    return true;
}

/* `old` dies in the stretch in which `new` is born: may a thread write its rows of the one over its rows of the other? */
static bool takes_over(const Plan *plan, const WorkValue *old, const WorkValue *new)
{
    if (plan->epoch[old->last] != plan->epoch[new->first] || !old->owned || !new->by_rows ||
        old->row_bytes != new->row_bytes || old->first >= new->first)
        return false;
    return old->last < new->first ||
           (old->last == new->first && element_by_element(plan, &plan->groups.at[new->first], old->id, new->id));
}

static bool apart(const Plan *plan, const WorkValue *a, const WorkValue *b)
{
    return plan->epoch[a->last] < plan->epoch[b->first] || plan->epoch[b->last] < plan->epoch[a->first];
}

/* ── where ── */

static uint64_t lowest(const Placing *p, const WorkValue *value)
{
    uint64_t at = 0;
    uint32_t again = p->n; /* the first of those that begin at `at` and take turns with the value */
    for (uint32_t k = 0; k < p->n;) {
        const WorkValue *other = p->at[k];
        uint64_t end = other->offset + other->bytes;
        if (other->offset >= at + value->bytes)
            break;
        if (end <= at || apart(p->plan, other, value)) {
            k++;
            continue;
        }
        bool turns = takes_over(p->plan, other, value) || takes_over(p->plan, value, other);
        if (turns && other->offset == at) {
            again = again == p->n ? k : again;
            k++;
            continue;
        }
        at = turns && other->offset > at ? other->offset : end;
        k = again < k ? again : k;
        again = p->n;
    }
    return at;
}

static void insert(Placing *p, WorkValue *value)
{
    uint32_t k = p->n++;
    for (; k > 0 && p->at[k - 1]->offset > value->offset; k--)
        p->at[k] = p->at[k - 1];
    p->at[k] = value;
}

static bool goes_first(const WorkValue *a, const WorkValue *b)
{
    return a->bytes != b->bytes ? a->bytes > b->bytes : a->id < b->id;
}

static WorkValue **by_size(Arena *arena, WorkValue *value, uint32_t n)
{
    WorkValue **order = arena_array(arena, WorkValue *, n + 1);
    for (uint32_t i = 0; i < n; i++)
        order[i] = &value[i];
    for (uint32_t gap = n / 2; gap > 0; gap /= 2)
        for (uint32_t i = gap; i < n; i++) {
            WorkValue *item = order[i];
            uint32_t k = i;
            for (; k >= gap && goes_first(item, order[k - gap]); k -= gap)
                order[k] = order[k - gap];
            order[k] = item;
        }
    return order;
}

uint64_t place_values(Arena *arena, const Plan *plan, WorkValue *value, uint32_t n, uint32_t batch)
{
    Placing p = {.plan = plan, .at = arena_array(arena, WorkValue *, n + 1)};
    uint64_t total = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t bytes = value[i].row_bytes ? value[i].row_bytes * batch : value[i].bytes;
        value[i].bytes = (bytes + PLACE_ALIGN - 1) / PLACE_ALIGN * PLACE_ALIGN;
    }
    WorkValue **order = by_size(arena, value, n);
    for (uint32_t i = 0; i < n; i++) {
        order[i]->offset = lowest(&p, order[i]);
        insert(&p, order[i]);
        uint64_t end = order[i]->offset + order[i]->bytes;
        total = end > total ? end : total;
    }
    return total;
}

uint64_t place_bytes(Arena *arena, const Plan *plan, uint32_t batch)
{
    WorkValue *value = arena_array(arena, WorkValue, plan->work.n + 1u);
    for (uint32_t i = 0; i < plan->work.n; i++)
        value[i] = plan->work.at[i];
    return place_values(arena, plan, value, plan->work.n, batch);
}
