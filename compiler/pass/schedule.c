/* schedule: the order of the groups, the barriers between them, and the loops inside a row group.
 *
 * Groups that threads split by rows of the batch need no barrier between each other: a thread's rows depend on its rows alone. So
 * as many of them as possible run in a stretch: forward, loss and input gradients; then, behind one barrier, weight gradients with
 * their updates. */
#include "ops/build.h"
#include "pass/pass.h"

typedef struct Schedule {
    Arena *arena;
    const Graph *g;
    Plan *plan;
    VEC(uint32_t) *before;    /* by group (0-based): groups that must run before it */
} Schedule;

/* The same need may be noted more than once: it is met as often. */
static void add_before(Schedule *s, uint32_t group, uint32_t first)
{
    if (group != first)
        *vec_push(s->arena, &s->before[group]) = first;
}

static uint32_t group_of(const Plan *plan, NodeId id) { return plan->group_of[plan->storage[id]]; }

/* The group that overwrites the tensor a leaf reads; 0 when none does. */
static uint32_t writer_of(const Schedule *s, NodeId input)
{
    uint32_t tensor;
    if (!build_is_tensor(graph_node(s->g, s->plan->storage[input]), &tensor) || s->plan->update_of[tensor] == 0)
        return 0;
    return s->plan->group_of[s->plan->update_of[tensor]];
}

static void collect(Schedule *s)
{
    for (uint32_t k = 0; k < s->plan->groups.n; k++) {
        Group *group = &s->plan->groups.at[k];
        group->by_rows = true;
        for (uint32_t i = 0; i < group->nodes.n; i++) {
            const Node *node = graph_node(s->g, group->nodes.at[i]);
            group->by_rows = group->by_rows && node->type.batch;
            for (uint32_t j = 0; j < node->n_in; j++) {
                uint32_t from = group_of(s->plan, node->in[j]), writer = writer_of(s, node->in[j]);
                if (from != 0)
                    add_before(s, k, from - 1);
                if (writer != 0)
                    add_before(s, writer - 1, k);
            }
        }
    }
}

/* ── who has which weights ──
 * A product by rows has every thread read all weights, and half of them (of two threads) were just written by the other: they must come
 * out of its cache, and be taken away from this one again before the next update. A product by tiles has a thread read the
 * panels that it updates, which stay in its cache together with the optimizer's state; then the rows of its input and its result cross
 * instead, and a barrier stands behind it. That pays where the weights are more. An input gradient sums over all panels, so weights that
 * have one are read by everybody in any case. */

enum { BARRIER_BYTES = 16 << 10 }; /* that cross in the time of a barrier */

static uint64_t value_bytes(const Schedule *s, NodeId id)
{
    const Type *type = graph_type(s->g, id);
    return 4 * type_elements(type) * (type->batch ? s->g->batch : 1);
}

/* The tensor of weights that a contraction reads in panels. */
static bool reads_weights(const Schedule *s, const Node *node, uint32_t *tensor)
{
    return node->op->kind == OP_CONTRACT && build_form(node) != CONTRACT_TN &&
           build_is_tensor(graph_node(s->g, s->plan->storage[node->in[1]]), tensor) &&
           s->g->tensors.at[*tensor].layout == LAYOUT_PANELS;
}

/* The group whose product computes the new weights in panels; NULL when none does. */
static Group *updater(const Schedule *s, uint32_t tensor)
{
    NodeId update = s->plan->update_of[tensor];
    uint32_t group = update ? s->plan->group_of[update] : 0;
    Group *found = group ? &s->plan->groups.at[group - 1] : NULL;
    return found && found->kind == GROUP_CONTRACT && !found->by_rows ? found : NULL;
}

static bool pays_by_tiles(const Schedule *s, NodeId product)
{
    const Node *node = graph_node(s->g, product);
    uint32_t from = group_of(s->plan, node->in[0]);
    uint64_t crosses = value_bytes(s, product) + (from ? value_bytes(s, node->in[0]) : 0);
    return value_bytes(s, node->in[1]) > crosses + (from ? 2 : 1) * BARRIER_BYTES;
}

static void split_by_tiles(Schedule *s)
{
    for (uint32_t k = 0; k < s->plan->groups.n; k++) {
        Group *group = &s->plan->groups.at[k];
        group->by_tiles = group->kind == GROUP_CONTRACT && !group->by_rows && build_form(graph_node(s->g, group->anchor)) == CONTRACT_TN;
    }
    bool *turned = arena_array(s->arena, bool, s->g->tensors.n + 1);
    uint32_t tensor;
    for (NodeId id = 1; id < s->g->nodes.n; id++) {
        const Node *node = graph_node(s->g, id);
        if (reads_weights(s, node, &tensor) ? build_form(node) != CONTRACT_NN
                                            : node->op->kind == OP_MOVE && build_is_tensor(graph_node(s->g, node->in[0]), &tensor))
            turned[tensor] = true;
    }
    for (NodeId id = 1; id < s->g->nodes.n; id++) {
        if (!reads_weights(s, graph_node(s->g, id), &tensor) || turned[tensor] || s->plan->group_of[id] == 0)
            continue;
        Group *product = &s->plan->groups.at[s->plan->group_of[id] - 1], *update = updater(s, tensor);
        if (!update || product->anchor != id || !pays_by_tiles(s, id))
            continue;
        product->by_tiles = update->by_tiles = true;
        product->by_rows = false;
    }
}

/* Groups that are ready, the earliest on top: a binary heap. */
typedef struct Ready {
    uint32_t *at, n;
} Ready;

static void ready_add(Ready *ready, uint32_t group)
{
    uint32_t i = ready->n++;
    for (; i > 0 && ready->at[(i - 1) / 2] > group; i = (i - 1) / 2)
        ready->at[i] = ready->at[(i - 1) / 2];
    ready->at[i] = group;
}

static uint32_t ready_take(Ready *ready)
{
    uint32_t top = ready->at[0], last = ready->at[--ready->n], i = 0;
    for (uint32_t child; (child = 2 * i + 1) < ready->n; i = child) {
        if (child + 1 < ready->n && ready->at[child + 1] < ready->at[child])
            child++;
        if (ready->at[child] >= last)
            break;
        ready->at[i] = ready->at[child];
    }
    ready->at[i] = last;
    return top;
}

/* List scheduling: stay with the same kind (by rows or not) as long as one is ready, the earliest first. */
static uint32_t *order(Schedule *s)
{
    uint32_t n = s->plan->groups.n, *out = arena_array(s->arena, uint32_t, n + 1);
    uint32_t *open = arena_array(s->arena, uint32_t, n + 1);
    VEC(uint32_t) *after = arena_alloc(s->arena, sizeof *after * (n + 1));
    Ready ready[2]; /* by kind */
    for (unsigned kind = 0; kind < 2; kind++)
        ready[kind] = (Ready){.at = arena_array(s->arena, uint32_t, n + 1)};
    for (uint32_t k = 0; k < n; k++) {
        open[k] = s->before[k].n;
        for (uint32_t i = 0; i < s->before[k].n; i++)
            *vec_push(s->arena, &after[s->before[k].at[i]]) = k;
        if (open[k] == 0)
            ready_add(&ready[s->plan->groups.at[k].by_rows], k);
    }
    bool rows = false;
    for (uint32_t count = 0; count < n; count++) {
        rows = ready[rows].n > 0 ? rows : !rows;
        ACT_ASSERT(ready[rows].n > 0); /* the groups form a cycle */
        uint32_t pick = out[count] = ready_take(&ready[rows]);
        for (uint32_t i = 0; i < after[pick].n; i++) {
            uint32_t k = after[pick].at[i];
            if (--open[k] == 0)
                ready_add(&ready[s->plan->groups.at[k].by_rows], k);
        }
    }
    return out;
}

/* Puts the groups into the order found. */
static void reorder(Schedule *s, const uint32_t *by)
{
    uint32_t n = s->plan->groups.n;
    Group *sorted = arena_array(s->arena, Group, n + 1);
    uint32_t *now = arena_array(s->arena, uint32_t, n + 1);
    for (uint32_t i = 0; i < n; i++) {
        sorted[i] = s->plan->groups.at[by[i]];
        now[by[i]] = i;
    }
    for (uint32_t i = 0; i < n; i++)
        s->plan->groups.at[i] = sorted[i];
    for (NodeId id = 1; id < s->g->nodes.n; id++)
        if (s->plan->group_of[id] != 0)
            s->plan->group_of[id] = 1 + now[s->plan->group_of[id] - 1];
}

typedef VEC(uint32_t) GroupList;

/* By group: those that read a tensor it overwrites. */
static GroupList *old_readers(Schedule *s)
{
    GroupList *readers = arena_alloc(s->arena, sizeof *readers * (s->plan->groups.n + 1));
    for (uint32_t k = 0; k < s->plan->groups.n; k++)
        for (uint32_t i = 0; i < s->plan->groups.at[k].nodes.n; i++) {
            const Node *node = graph_node(s->g, s->plan->groups.at[k].nodes.at[i]);
            for (uint32_t j = 0; j < node->n_in; j++) {
                uint32_t writer = writer_of(s, node->in[j]);
                if (writer != 0 && writer - 1 != k)
                    *vec_push(s->arena, &readers[writer - 1]) = k;
            }
        }
    return readers;
}

/* Does group k need what another of the stretch that begins at `start` makes, or overwrite what it reads? Not if both go by rows. */
static bool needs_barrier(const Schedule *s, uint32_t k, uint32_t start, const GroupList *reader)
{
    const Group *group = &s->plan->groups.at[k];
    for (uint32_t i = 0; i < group->nodes.n; i++) {
        const Node *node = graph_node(s->g, group->nodes.at[i]);
        for (uint32_t j = 0; j < node->n_in; j++) {
            uint32_t from = group_of(s->plan, node->in[j]);
            if (from != 0 && from - 1 != k && from - 1 >= start &&
                !(group->by_rows && s->plan->groups.at[from - 1].by_rows))
                return true;
        }
    }
    for (uint32_t i = 0; i < reader->n; i++)
        if (reader->at[i] >= start && reader->at[i] < k)
            return true;
    return false;
}

static void barriers(Schedule *s)
{
    Plan *plan = s->plan;
    const GroupList *readers = old_readers(s);
    uint32_t epoch = 0, start = 0;
    plan->epoch = arena_array(s->arena, uint32_t, plan->groups.n + 1);
    for (uint32_t k = 0; k < plan->groups.n; k++) {
        plan->groups.at[k].barrier = needs_barrier(s, k, start, &readers[k]);
        if (plan->groups.at[k].barrier) {
            epoch++;
            start = k;
        }
        plan->epoch[k] = epoch;
    }
}

static void stages(Schedule *s)
{
    Plan *plan = s->plan;
    plan->stage = arena_array(s->arena, uint32_t, s->g->nodes.n);
    for (NodeId id = 1; id < s->g->nodes.n; id++) {
        const Node *node = graph_node(s->g, id);
        uint32_t group = plan->group_of[id];
        for (uint32_t i = 0; group != 0 && i < node->n_in; i++) {
            NodeId in = plan->storage[node->in[i]];
            if (plan->group_of[in] == group && plan->stage[in] > plan->stage[id])
                plan->stage[id] = plan->stage[in];
        }
        if (node->op->kind == OP_REDUCE)
            plan->stage[id]++; /* its value is there when its loop is over */
    }
}

static void run(PassState *state)
{
    Schedule s = {.arena = state->arena, .g = state->g, .plan = state->plan};
    uint32_t n = s.plan->groups.n;
    s.before = arena_alloc(state->arena, sizeof *s.before * (n + 1));
    collect(&s);
    split_by_tiles(&s);
    reorder(&s, order(&s));
    barriers(&s);
    stages(&s);
}

const Pass pass_schedule = {
    .name = "schedule",
    .doc = "Order the groups so that few barriers are needed, and the loops inside rows.",
    .needs = FACT_GROUPED,
    .keeps = FACT_TYPED | FACT_GRADIENTS | FACT_EXPANDED | FACT_CANONICAL | FACT_LAYOUT | FACT_GROUPED,
    .gives = FACT_SCHEDULED,
    .run = run,
};
