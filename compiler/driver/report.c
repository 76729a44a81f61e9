#include "driver/report.h"

#include "check/horizon.h"

#include "graph/op.h"

#include <math.h>

static uint64_t node_flops(const Graph *g, const Node *node)
{
    if (node->op->flops)
        return node->op->flops(g, node);
    bool free = node->op->kind == OP_LEAF || node->op->kind == OP_VIEW || node->op->kind == OP_MOVE;
    return free ? 0 : type_elements(&node->type);
}

static ReportRow row_of(const Sources *sources, const LayerUse *use)
{
    const Source *source = source_get(sources, use->outer.source ? use->outer.source : use->span.source);
    ReportRow row = {.use = use, .deviation = NAN, .gradient = NAN, .dead = NAN, .saturated = NAN, .update = NAN,
                     .horizon = {NAN, NAN, NAN}, .half_life = NAN};
    row.line = source ? source_place(source, use->outer.source ? use->outer.begin : use->span.begin).line : 0;
    return row;
}

static ReportRow static_facts(Arena *arena, const Sources *sources, const Model *model, uint32_t i, bool *counted)
{
    const Graph *g = model->graph;
    const LayerUse *use = &model->layers.at[i];
    ReportRow row = row_of(sources, use);
    Text shape = {.arena = arena};
    type_print_shape(graph_type(g, use->out), &shape);
    row.shape = text_str(&shape);
    row.bytes = type_elements(graph_type(g, use->out)) * 4;
    for (uint32_t k = 0; k < use->n_tensor; k++) {
        const Tensor *tensor = &g->tensors.at[use->tensor[k]];
        if (tensor->weight && row.initializer.n == 0)
            row.initializer = tensor->init;
        if (!counted[use->tensor[k]])
            row.parameters += type_elements(&tensor->type);
        counted[use->tensor[k]] = true;
    }
    return row;
}

/* Weights of no layer: `share t = parameter(…)`, the slope in a prelu. They have a row each, behind the layers. */
static void add_free_parameters(Arena *arena, const Sources *sources, Report *report, const bool *counted)
{
    const Graph *g = report->model->graph;
    for (uint32_t i = 0; i < g->tensors.n; i++) {
        const Tensor *tensor = &g->tensors.at[i];
        if (tensor->role != ROLE_PARAM || counted[i])
            continue;
        LayerUse *use = arena_new_of(arena, LayerUse);
        *use = (LayerUse){.name = tensor->name, .kind = STR("parameter"), .span = tensor->span};
        ReportRow *row = &report->row[report->n++];
        *row = row_of(sources, use);
        Text shape = {.arena = arena};
        Type type = tensor_type(tensor);
        type_print_shape(&type, &shape);
        row->shape = text_str(&shape);
        row->parameters = type_elements(&tensor->type);
        row->initializer = tensor->init;
    }
}

/* Nodes know their layer: one walk over them, however many layers there are. */
static void add_flops(const Model *model, ReportRow *row)
{
    const Graph *g = model->graph;
    for (NodeId id = 1; id < g->nodes.n; id++) {
        const Node *node = graph_node(g, id);
        if (node->layer > 0 && node->layer <= model->layers.n)
            row[node->layer - 1].flops += node_flops(g, node);
    }
}

static void predict(const Report *report, ReportRow *row, const Facts *facts, const Signal *signal)
{
    const Model *model = report->model;
    NodeId out = row->use->out;
    double last = report->path.last ? signal_gradient_norm(signal, report->path.last) : 0;
    if (out == 0 || !facts->live[out])
        return;
    bool reached = signal->value[out].second > 0 || signal->gradient[out] > 0; /* zero weights make zeros */
    row->deviation = reached ? signal_deviation(signal, out) : NAN;
    if (signal->gradient[out] > 0 && last > 0)
        row->gradient = signal_gradient_norm(signal, out) / last;
    double scale, shift;
    if (facts->base[out] != out && facts->base[out] != 0 && row->use->activation &&
        !sx_is_affine(facts->sx, facts->fn[out], 0, &scale, &shift)) {
        SxTraits traits = sx_traits(facts->sx, facts->fn[out]);
        row->dead = traits.dies ? forecast_dead(signal, out, report->window) : NAN;
        row->saturated = traits.saturates ? forecast_saturated(signal, out, &traits) : NAN;
    }
    for (uint32_t k = 0; k < row->use->n_tensor; k++)
        if (model->graph->tensors.at[row->use->tensor[k]].weight && isnan(row->update))
            row->update = forecast_update(model, facts, signal, row->use->tensor[k]);
}

/* The gradient behind the steps of recurrent layers; of two directions the first. */
static void look_back(const Facts *facts, const Model *model, const Signal *signal, ReportRow *row)
{
    enum { MOST = 256 };
    Horizon found[MOST];
    for (uint32_t i = horizon_find(facts, model, signal, found, MOST); i-- > 0;) {
        ReportRow *of = &row[found[i].use];
        of->horizon = horizon_ratio(facts, signal, &found[i], false);
        of->half_life = found[i].apart ? horizon_half_life(&found[i]) : NAN;
        of->steps = found[i].steps;
    }
}

static Str layer_name(const Model *model, NodeId id)
{
    uint32_t layer = id ? graph_node(model->graph, id)->layer : 0;
    return layer ? model->layers.at[layer - 1].name : STR("the product");
}

Report report_of(Arena *arena, const Sources *sources, const Model *model)
{
    Report report = {.model = model, .n = model->layers.n, .window = forecast_window(model)};
    bool *counted = arena_array(arena, bool, model->graph->tensors.n + 1u);
    Facts *facts = facts_new(arena, model->graph);
    Signal *signal = signal_of_model(arena, facts, model, NULL);
    NodeId prediction = 0;
    for (uint32_t i = 0; i < model->losses.n && !prediction; i++)
        prediction = model->losses.at[i].prediction;
    if (!prediction && model->outputs.n)
        prediction = model->outputs.at[0].value;
    report.path = prediction ? signal_path(signal, prediction) : (SignalPath){.ratio = NAN};
    report.band = (SignalBand){NAN, NAN, NAN};
    if (report.path.first != report.path.last) {
        SignalOptions options = signal_options_of(arena, model, NULL);
        report.band = signal_band(arena, facts, &options, &report.path);
    }
    report.first = layer_name(model, report.path.first);
    report.last = layer_name(model, report.path.last);
    report.row = arena_array(arena, ReportRow, model->layers.n + model->graph->tensors.n + 1u);
    for (uint32_t i = 0; i < model->layers.n; i++) {
        report.row[i] = static_facts(arena, sources, model, i, counted);
        predict(&report, &report.row[i], facts, signal);
    }
    add_flops(model, report.row);
    look_back(facts, model, signal, report.row);
    add_free_parameters(arena, sources, &report, counted);
    for (uint32_t i = 0; i < model->graph->roots.n; i++) {
        const Root *root = &model->graph->roots.at[i];
        if (root->kind == ROOT_UPDATE)
            report.running += type_elements(&model->graph->tensors.at[root->index].type);
    }
    report.loss = arena_array(arena, double, model->losses.n + 1u);
    for (uint32_t i = 0; i < model->losses.n; i++)
        report.loss[i] = forecast_loss(model, facts, signal, &model->losses.at[i]);
    return report;
}
