/* memory: where each value lies. Values that leave their kernel get a place in the work block; place.c shares it out. */
#include "ops/build.h"
#include "pass/access.h"
#include "pass/pass.h"
#include "pass/place.h"

enum { DEAR = 8 /* additions: what is cheaper is computed again in a later loop of the row instead of kept */ };

static uint64_t value_bytes(const Graph *g, const Plan *plan, NodeId id)
{
    const Type *type = graph_type(g, id);
    const Slot *slot = &plan->slot[id];
    uint64_t elements = type_elements(type);
    if (slot->layout == LAYOUT_PANELS)
        elements = elements / type_last(type) * ((type_last(type) + slot->panel - 1) / slot->panel) * slot->panel;
    return 4 * (elements + slot->pad) * (type->batch ? g->batch : 1);
}

/* ── layouts of matrices that are not tensors ── */

static bool matrix(const Type *type) { return !type->batch && type->rank >= 2; }

static void take_layout(Slot *slot, const Slot *from)
{
    slot->layout = from->layout;
    slot->panel = from->panel;
}

static bool in_panels(const Plan *plan, NodeId id) { return plan->slot[plan->storage[id]].layout == LAYOUT_PANELS; }

/* By node: its memory is read in a way that panels do not allow. */
static bool *wanted_in_rows(const PassState *state, const Graph *g, const Plan *plan)
{
    bool *rows = arena_array(state->arena, bool, g->nodes.n);
    for (NodeId id = 1; id < g->nodes.n; id++)
        for (uint32_t i = 0; i < graph_node(g, id)->n_in; i++)
            if (access_wants_rows(g, graph_node(g, id), i))
                rows[plan->storage[graph_node(g, id)->in[i]]] = true;
    return rows;
}

static bool can_be_panels(const Graph *g, const Node *node)
{
    return matrix(&node->type) &&
           (node->op->kind == OP_MAP || node->op->kind == OP_CONTRACT || access_is_transpose(g, node));
}

/* A map of panels is in panels; what is combined with panels should be, too; so should the right side of a product. */
static void layouts(const PassState *state, const Graph *g, Plan *plan)
{
    const bool *rows = wanted_in_rows(state, g, plan);
    for (NodeId id = 1; id < g->nodes.n; id++) {
        const Node *node = graph_node(g, id);
        uint32_t tensor;
        if (build_is_tensor(node, &tensor)) {
            plan->slot[id].layout = g->tensors.at[tensor].layout;
            plan->slot[id].panel = g->tensors.at[tensor].panel;
        }
        for (uint32_t i = 0; i < node->n_in && node->op->kind == OP_MAP && matrix(&node->type) && !rows[id]; i++)
            if (in_panels(plan, node->in[i]) && type_same_shape(graph_type(g, node->in[i]), &node->type))
                take_layout(&plan->slot[id], &plan->slot[plan->storage[node->in[i]]]);
    }
    for (NodeId id = g->nodes.n; id-- > 1;) {
        const Node *node = graph_node(g, id);
        for (uint32_t i = 0; i < node->n_in; i++) {
            NodeId in = node->in[i];
            const Node *input = graph_node(g, in);
            if (!can_be_panels(g, input) || rows[in] || in_panels(plan, in))
                continue;
            if (node->op->kind == OP_MAP && plan->slot[id].layout == LAYOUT_PANELS &&
                type_same_shape(&input->type, &node->type))
                take_layout(&plan->slot[in], &plan->slot[id]);
            if (node->op->kind == OP_CONTRACT && i == 1 && build_form(node) == CONTRACT_NN) {
                plan->slot[in].layout = LAYOUT_PANELS;
                plan->slot[in].panel = layout_panel(state->target, type_last(&input->type));
            }
        }
    }
}

/* ── which values need memory ── */

static void keep(const Graph *g, Plan *plan, bool *kept)
{
    for (NodeId id = 1; id < g->nodes.n; id++) {
        const Node *node = graph_node(g, id);
        uint32_t group = plan->group_of[id];
        for (uint32_t i = 0; i < node->n_in && group != 0; i++) {
            NodeId in = plan->storage[node->in[i]];
            kept[plan->home[in]] |= plan->home[in] != in;
            uint32_t from = plan->group_of[in];
            const Node *input = graph_node(g, in);
            if (from == 0)
                continue;
            bool row_value = plan->groups.at[from - 1].kind == GROUP_ROWS && input->op->kind == OP_REDUCE;
            uint32_t used = node->op->kind == OP_REDUCE ? plan->stage[id] - 1 : plan->stage[id];
            if (from != group)
                kept[in] = true;
            else if (!row_value && used > plan->stage[in] && input->op->kind == OP_MAP &&
                     sx_cost(g->sx, build_fn(input)) > DEAR &&
                     type_same_shape(&input->type, &plan->groups.at[from - 1].space))
                kept[in] = true;
        }
    }
}

static void roots(const Graph *g, Plan *plan, bool *kept)
{
    for (uint32_t i = 0; i < g->roots.n; i++) {
        const Root *root = &g->roots.at[i];
        NodeId id = plan->storage[root->node];
        Slot *slot = &plan->slot[id];
        static const Space space[] = {[ROOT_OUTPUT] = SPACE_OUTPUT, [ROOT_LOSS] = SPACE_LOSS,
                                      [ROOT_PREDICTION] = SPACE_PREDICTION, [ROOT_UPDATE] = SPACE_TENSOR,
                                      [ROOT_WATCH] = SPACE_WATCH};
        slot->space = space[root->kind];
        slot->index = root->index;
        if (root->kind == ROOT_UPDATE) {
            slot->layout = g->tensors.at[root->index].layout;
            slot->panel = g->tensors.at[root->index].panel;
        } else {
            slot->layout = LAYOUT_ROWS;
        }
        kept[id] = false;
    }
}

/* ── rows apart ──
 * Rows a multiple of 1 KiB long all begin in the same few sets of the first-level cache: a register tile that walks a dozen of them
 * side by side, and as many of each value that its body reads, or a weight gradient that walks down the batch, evicts what it is about to
 * read. A line of padding behind each
 * row spreads them. Only values whose readers and writers all take a stride are padded: [B, F], and longer ones of which products take a
 * part of each row, the steps of a sequence. Where a product takes rows of several axes at once, it wants them without gaps. Whether a
 * product reads a value [B, F] or not makes no difference, since only equal rows take turns in the same bytes. */

enum { CONFLICT_BYTES = 1024, PAD_ELEMENTS = 16 };

/* Products, copies and loops over rows address by strides; a sum over the batch does so for what it sums. */
static bool takes_stride(const Plan *plan, NodeId id)
{
    uint32_t group = plan->group_of[id];
    if (group == 0)
        return false;
    const Group *g = &plan->groups.at[group - 1];
    return g->kind == GROUP_CONTRACT || g->kind == GROUP_ROWS || g->kind == GROUP_MOVE ||
           (g->kind == GROUP_COLUMNS && g->anchor == id);
}

/* Does a node of a product's group take one row of features of each sample out of longer ones? */
static bool takes_part(const Graph *g, const Plan *plan, NodeId id, NodeId in)
{
    uint32_t group = plan->group_of[id];
    return group != 0 && plan->groups.at[group - 1].kind == GROUP_CONTRACT && graph_node(g, id)->type.batch &&
           graph_type(g, in)->rank == 1 && graph_type(g, plan->home[plan->storage[in]])->rank > 1;
}

static void pads(PassState *state, const Graph *g, Plan *plan, const bool *kept)
{
    bool *dense = arena_array(state->arena, bool, g->nodes.n); /* by home */
    bool *part = arena_array(state->arena, bool, g->nodes.n);
    for (NodeId id = 1; id < g->nodes.n; id++) {
        const Node *node = graph_node(g, id);
        dense[plan->home[id]] |= plan->storage[id] == id && !takes_stride(plan, id);
        for (uint32_t i = 0; i < node->n_in; i++) {
            NodeId home = plan->home[plan->storage[node->in[i]]];
            dense[home] |= plan->group_of[id] != 0 && !takes_stride(plan, id);
            part[home] |= takes_part(g, plan, id, node->in[i]);
        }
    }
    for (NodeId id = 1; id < g->nodes.n; id++) {
        const Node *node = graph_node(g, id);
        bool padded = kept[id] && plan->home[id] == id && !dense[id] && node->op->kind != OP_REDUCE && node->type.batch &&
                      (node->type.rank == 1 || part[id]);
        if (padded && 4 * type_elements(&node->type) % CONFLICT_BYTES == 0)
            plan->slot[id].pad = PAD_ELEMENTS;
    }
}

/* ── lives ── */

/* The last group that reads each value, 1-based, and whether a group that does not go by rows reads it in that group's stretch. */
static void lives(PassState *state, const Graph *g, Plan *plan, const bool *kept)
{
    uint32_t *last = arena_array(state->arena, uint32_t, g->nodes.n);
    uint32_t *first = arena_array(state->arena, uint32_t, g->nodes.n); /* the first group that writes it, 1-based */
    bool *apart = arena_array(state->arena, bool, g->nodes.n);         /* one that writes it does not go by rows */
    for (NodeId id = 1; id < g->nodes.n; id++) {
        NodeId home = plan->home[id];
        uint32_t group = plan->group_of[id];
        if (group == 0)
            continue;
        first[home] = first[home] == 0 || group < first[home] ? group : first[home];
        apart[home] |= !plan->groups.at[group - 1].by_rows;
    }
    uint32_t *mixed = arena_array(state->arena, uint32_t, g->nodes.n); /* 1 + the last stretch with such a reader */
    for (uint32_t k = 0; k < plan->groups.n; k++)
        for (uint32_t m = 0; m < plan->groups.at[k].nodes.n; m++) {
            const Node *node = graph_node(g, plan->groups.at[k].nodes.at[m]);
            for (uint32_t i = 0; i < node->n_in; i++) {
                NodeId in = plan->home[plan->storage[node->in[i]]];
                last[in] = k + 1;
                if (!plan->groups.at[k].by_rows)
                    mixed[in] = 1 + plan->epoch[k];
            }
        }
    for (NodeId id = 1; id < g->nodes.n; id++) {
        if (!kept[id] || plan->home[id] != id)
            continue;
        const Type *type = graph_type(g, id);
        WorkValue *value = vec_push(state->arena, &plan->work);
        *value = (WorkValue){.id = id, .first = first[id] - 1, .bytes = value_bytes(g, plan, id)};
        value->last = last[id] > plan->group_of[id] ? last[id] - 1 : plan->group_of[id] - 1;
        value->row_bytes = type->batch ? value->bytes / g->batch : 0;
        value->by_rows = type->batch && !apart[id];
        value->owned = type->batch && mixed[id] != 1 + plan->epoch[value->last] &&
                       (value->by_rows || plan->epoch[value->first] != plan->epoch[value->last]);
    }
}

static void run(PassState *state)
{
    const Graph *g = state->g;
    Plan *plan = state->plan;
    plan->slot = arena_array(state->arena, Slot, g->nodes.n);
    bool *kept = arena_array(state->arena, bool, g->nodes.n);
    layouts(state, g, plan);
    keep(g, plan, kept);
    roots(g, plan, kept);
    pads(state, g, plan, kept);
    lives(state, g, plan, kept);
    plan->work_bytes = place_values(state->arena, plan, plan->work.at, plan->work.n, g->batch);
    for (uint32_t i = 0; i < plan->work.n; i++) {
        plan->slot[plan->work.at[i].id].space = SPACE_WORK;
        plan->slot[plan->work.at[i].id].offset = plan->work.at[i].offset;
    }
    for (NodeId id = 1; id < g->nodes.n; id++)
        if (plan->home[id] != id)
            plan->slot[id] = plan->slot[plan->home[id]];
}

const Pass pass_memory = {
    .name = "memory",
    .doc = "Give every value that leaves its kernel a place; share places between values that do not live together.",
    .needs = FACT_SCHEDULED,
    .keeps = FACT_TYPED | FACT_GRADIENTS | FACT_EXPANDED | FACT_CANONICAL | FACT_LAYOUT | FACT_GROUPED | FACT_SCHEDULED,
    .gives = FACT_PLANNED,
    .run = run,
};
