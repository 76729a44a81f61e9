/* A plan as text: groups in order with their kind and barriers, and where each value lies. */
#include "ops/build.h"
#include "pass/pass.h"

static const char *const kind_name[] = {[GROUP_ROWS] = "rows", [GROUP_COLUMNS] = "columns",
                                        [GROUP_CONTRACT] = "contract", [GROUP_MOVE] = "move",
                                        [GROUP_SCATTER] = "scatter", [GROUP_TABLE] = "table"};

static void print_slot(const Plan *plan, NodeId id, Text *out)
{
    const Slot *slot = &plan->slot[id];
    switch (slot->space) {
    case SPACE_NONE: text_printf(out, "inlined"); break;
    case SPACE_TENSOR: text_printf(out, "tensor \"" STR_FMT "\"", STR_ARG(plan->g->tensors.at[slot->index].name)); break;
    case SPACE_WORK: text_printf(out, "work at %llu", (unsigned long long)slot->offset); break;
    case SPACE_OUTPUT: text_printf(out, "output %u", slot->index); break;
    case SPACE_LOSS: text_printf(out, "loss %u", slot->index); break;
    case SPACE_WATCH: text_printf(out, "watch %u", slot->index); break;
    case SPACE_PREDICTION: text_printf(out, "prediction %u", slot->index); break;
    }
    if (slot->layout == LAYOUT_PANELS)
        text_printf(out, ", panels of %u", slot->panel);
}

void plan_print(const Plan *plan, Text *out)
{
    for (uint32_t k = 0; k < plan->groups.n; k++) {
        const Group *group = &plan->groups.at[k];
        text_printf(out, "group %u %s%s%s\n", k, kind_name[group->kind], group->by_rows ? " by rows" : group->by_tiles ? " by tiles" : "",
                    group->barrier ? " after a barrier" : "");
        for (uint32_t i = 0; i < group->nodes.n; i++) {
            NodeId id = group->nodes.at[i];
            const Node *node = graph_node(plan->g, id);
            text_printf(out, "  %%%u = %s", id, node->op->name);
            for (uint32_t j = 0; j < node->n_in; j++)
                text_printf(out, "%s%%%u", j ? ", " : " ", plan->storage[node->in[j]]);
            text_printf(out, " : ");
            type_print(&node->type, out);
            if (plan->stage != NULL && plan->stage[id] != 0)
                text_printf(out, " stage %u", plan->stage[id]);
            if (plan->slot != NULL) {
                text_printf(out, "  -> ");
                print_slot(plan, id, out);
            }
            text_putc(out, '\n');
        }
    }
    if (plan->slot != NULL)
        text_printf(out, "work %llu bytes\n", (unsigned long long)plan->work_bytes);
}
