#include "llvm/interface.h"

#include <ctype.h>
#include <math.h>

static Str port_label(Arena *arena, const Tensor *tensor)
{
    Text text = {.arena = arena};
    if (tensor->label.n)
        text_add(&text, tensor->label);
    else {
        Type row = tensor->type;
        row.batch = false;
        type_print(&row, &text);
    }
    /* A label as written names its range already. */
    bool ranged = tensor->low <= tensor->high && !tensor->classes;
    for (size_t i = 0; i + 4 <= text.n && ranged; i++)
        ranged = !str_starts((Str){text.p + i, (uint32_t)(text.n - i)}, STR(" in "));
    if (ranged) {
        text_add(&text, STR(" in ["));
        text_number(&text, tensor->low);
        text_add(&text, STR(", "));
        text_number(&text, tensor->high);
        text_putc(&text, ']');
    }
    return text_str(&text);
}

static Port port_of_tensor(Arena *arena, const Tensor *tensor)
{
    return (Port){.name = tensor->name,
                  .label = port_label(arena, tensor),
                  .type = tensor->type,
                  .row_bytes = type_elements(&tensor->type) * 4,
                  .tensor = tensor,
                  .low = tensor->low,
                  .high = tensor->high,
                  .span = tensor->span};
}

/* What a value lies between whatever its inputs are, or an interval without a number. */
static SxInterval range_of_node(Arena *arena, const Graph *g, NodeId id)
{
    const SxInterval unknown = {1, -1, false};
    const Node *node = graph_node(g, id);
    while (node->op->kind == OP_VIEW)
        node = graph_node(g, node->in[0]);
    if (node->op->kind != OP_MAP)
        return unknown;
    SxInterval *all = arena_array(arena, SxInterval, node->n_in);
    for (uint32_t i = 0; i < node->n_in; i++)
        all[i] = (SxInterval){-INFINITY, INFINITY, false};
    SxInterval out = sx_bounds(g->sx, node_attr(node, 0)->sx, all, node->n_in);
    return isfinite(out.low) && isfinite(out.high) && !out.maybe_nan ? out : unknown;
}

static Port port_of_node(Arena *arena, const Graph *g, Str name, NodeId id, Span span)
{
    SxInterval range = range_of_node(arena, g, id);
    Type type = *graph_type(g, id), row = type;
    row.batch = false;
    Text label = {.arena = arena};
    type_print(&row, &label);
    return (Port){.name = name,
                  .label = text_str(&label),
                  .type = type,
                  .row_bytes = type_elements(&type) * 4,
                  .low = range.low,
                  .high = range.high,
                  .span = span};
}

static bool reads_input(const LoopProgram *program, uint32_t input)
{
    for (uint32_t i = 0; i < program->bufs.n; i++)
        if (program->bufs.at[i].space == BUF_INPUT && program->bufs.at[i].index == input)
            return true;
    return false;
}

static bool draws(const LoopProgram *program)
{
    for (uint32_t k = 0; program && k < program->kernels.n; k++)
        for (uint32_t i = 0; i < program->kernels.at[k].n_arg; i++)
            if (program->kernels.at[k].arg[i].kind == LARG_RANDOM)
                return true;
    return false;
}

void interface_of(Arena *arena, const UnitModel *unit, Interface *out)
{
    const Model *model = unit->model;
    const Graph *g = unit->graph;
    *out = (Interface){.unit = unit};
    for (uint32_t i = 0; i < g->tensors.n; i++) {
        const Tensor *tensor = &g->tensors.at[i];
        switch (tensor->role) {
        case ROLE_INPUT:
            *vec_push(arena, &out->input) = port_of_tensor(arena, tensor);
            break;
        case ROLE_TARGET:
            *vec_push(arena, &out->target) = port_of_tensor(arena, tensor);
            break;
        case ROLE_PARAM:
        case ROLE_CONSTANT:
            *vec_push(arena, &out->param) = tensor;
            break;
        case ROLE_STATE:
            *vec_push(arena, &out->state) = tensor;
            break;
        }
    }
    for (uint32_t i = 0; i < model->outputs.n; i++) {
        const OutputUse *use = &model->outputs.at[i];
        *vec_push(arena, &out->output) = port_of_node(arena, model->graph, use->name, use->value, use->span);
    }
    for (uint32_t i = 0; i < model->metrics.n; i++) {
        const MetricUse *use = &model->metrics.at[i];
        *vec_push(arena, &out->prediction) = port_of_node(arena, model->graph, use->name, use->prediction, use->span);
    }
    for (uint32_t i = 0; i < model->graph->roots.n; i++)
        if (model->graph->roots.at[i].kind == ROOT_LOSS) {
            Str name = model->graph->roots.at[i].name;
            *vec_push(arena, &out->loss) = name.n ? name : STR("loss");
        }
    for (uint32_t i = 0; i < model->draws.n; i++) {
        const DrawUse *use = &model->draws.at[i];
        if (!use->input)
            continue;
        Port port = port_of_node(arena, model->graph, graph_node(model->graph, use->node)->name, use->node, use->span);
        port.label = str_printf(arena, STR_FMT " = " STR_FMT, STR_ARG(port.label), STR_ARG(use->text));
        *vec_push(arena, &out->drawn) = port;
    }
    for (uint32_t i = 0; unit->forward && i < out->input.n; i++)
        out->input.at[i].unread = !reads_input(unit->forward, i);
    out->draws = draws(unit->forward) || draws(unit->evaluate);
    out->forward = unit->forward && out->output.n > 0;
    out->trains = unit->train_step && out->loss.n > 0;
}

Str interface_upper(Arena *arena, Str name)
{
    char *upper = arena_alloc(arena, name.n + 1u);
    for (uint32_t i = 0; i < name.n; i++)
        upper[i] = (char)toupper((unsigned char)name.p[i]);
    return (Str){upper, name.n};
}

uint32_t interface_target(const Interface *interface, uint32_t tensor)
{
    if (!tensor || tensor > interface->unit->graph->tensors.n)
        return 0;
    const Tensor *wanted = &interface->unit->graph->tensors.at[tensor - 1];
    for (uint32_t i = 0; i < interface->target.n; i++)
        if (interface->target.at[i].tensor == wanted)
            return i;
    return 0;
}
