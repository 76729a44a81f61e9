#include "driver/watch.h"

#include "check/forecast.h"

#include <math.h>

enum { EVERY = 50 /* steps, where nobody said */, SCAN = 64 /* points a unit */ };

static const double reach = 5;         /* deviations that the histogram shows on each side */
static const double flat = 0.01;       /* of the greatest slope */
static const double scanned = 40;      /* where an activation that saturates is looked at */

typedef struct Planner {
    Arena *arena;
    const Sources *sources;
    const Model *model;
    Facts *facts;
    Signal *signal;
    bool *needed; /* by node: a loss depends on it */
    double last;  /* norm of the gradient at the output layer */
    Watch *watch;
} Planner;

static uint32_t line_of(const Sources *sources, const LayerUse *use)
{
    const Source *source = source_get(sources, use->span.source);
    bool inside = source && !source->library;
    source = inside ? source : source_get(sources, use->outer.source);
    return source ? source_place(source, inside ? use->span.begin : use->outer.begin).line : 0;
}

static bool *needed_nodes(Arena *arena, const Graph *g)
{
    bool *needed = arena_array(arena, bool, g->nodes.n);
    for (uint32_t i = 0; i < g->roots.n; i++)
        needed[g->roots.at[i].node] |= g->roots.at[i].kind == ROOT_LOSS;
    for (NodeId id = g->nodes.n; id-- > 1;)
        for (uint32_t i = 0; i < graph_node(g, id)->n_in && needed[id]; i++)
            needed[graph_node(g, id)->in[i]] = true;
    return needed;
}

static bool can_be_watched(const Planner *p, NodeId id)
{
    return id != 0 && p->needed[id] && graph_type(p->model->graph, id)->batch && graph_type(p->model->graph, id)->dtype == DT_F32;
}

/* Beyond which inputs on each side the slope is small. Functions with small slopes in between do not saturate in this sense. */
static bool saturation(SxPool *sx, Sx f, double most, double *low, double *high)
{
    Sx slope;
    sx_gradient(sx, f, 1, &slope);
    int n = (int)(2 * scanned * SCAN), first = -1, last = -1;
    for (int i = 0; i <= n; i++) {
        double x = -scanned + (double)i / SCAN;
        if (fabs(sx_eval(sx, slope, &x)) < flat * most)
            continue;
        if (first >= 0 && last != i - 1)
            return false;
        first = first < 0 ? i : first;
        last = i;
    }
    *low = first > 0 ? -scanned + (double)(first - 1) / SCAN : -INFINITY;
    *high = last >= 0 && last < n ? -scanned + (double)(last + 1) / SCAN : INFINITY;
    return first >= 0 && (isfinite(*low) || isfinite(*high));
}

/* The point of value `id`, or a new one. Values are in the order of computation. */
static WatchPoint *point_at(Planner *p, NodeId id)
{
    Watch *watch = p->watch;
    while (graph_node(p->model->graph, id)->op->kind == OP_VIEW)
        id = graph_node(p->model->graph, id)->in[0];
    uint32_t at = 0;
    while (at < watch->points.n && watch->points.at[at].value < id)
        at++;
    if (at < watch->points.n && watch->points.at[at].value == id)
        return &watch->points.at[at];
    (void)vec_push(p->arena, &watch->points);
    for (uint32_t i = watch->points.n - 1; i > at; i--)
        watch->points.at[i] = watch->points.at[i - 1];
    WatchPoint *point = &watch->points.at[at];
    double deviation = signal_deviation(p->signal, id), mean = p->signal->value[id].mean, norm = signal_gradient_norm(p->signal, id);
    double wide = deviation > 0 && isfinite(deviation) ? reach * deviation : reach;
    mean = isfinite(mean) ? mean : 0;
    *point = (WatchPoint){.value = id,
                          .low = mean - wide,
                          .high = mean + wide,
                          .dead_low = -INFINITY,
                          .dead_high = INFINITY,
                          .flat_low = NAN,
                          .flat_high = NAN,
                          .deviation = deviation > 0 ? deviation : NAN,
                          .gradient = norm > 0 && p->last > 0 ? norm / p->last : NAN,
                          .dead = NAN,
                          .saturated = NAN,
                          .update = NAN};
    return point;
}

static void add_layer(Planner *p, const LayerUse *use)
{
    uint32_t weight = 0;
    for (uint32_t k = 0; k < use->n_tensor && weight == 0; k++)
        weight = p->model->graph->tensors.at[use->tensor[k]].weight ? 1 + use->tensor[k] : 0;
    if (weight == 0 || !can_be_watched(p, use->out))
        return;
    WatchPoint *point = point_at(p, use->out);
    point->layer = use->name;
    point->kind = use->kind;
    point->line = line_of(p->sources, use);
    point->weight = weight;
    point->update = forecast_update(p->model, p->facts, p->signal, weight - 1);
}

static void add_activation(Planner *p, const LayerUse *use)
{
    NodeId z = p->facts->base[use->out];
    double scale, shift;
    if (!can_be_watched(p, use->out) || z == 0 || z == use->out || !can_be_watched(p, z) ||
        sx_is_affine(p->facts->sx, p->facts->fn[use->out], 0, &scale, &shift))
        return;
    WatchPoint *point = point_at(p, z);
    if (point->result != 0)
        return;
    SxPool *sx = p->facts->sx;
    Sx f = p->facts->fn[use->out];
    SxTraits traits = sx_traits(sx, f);
    point->function = use->kind;
    point->function_line = line_of(p->sources, use);
    point->result = use->out;
    if (point->layer.n == 0) {
        point->layer = use->name;
        point->kind = use->kind;
        point->line = point->function_line;
    }
    if (traits.dies) {
        double end;
        point->dead_low = forecast_flat_side(sx, f, -1, &end) ? end : -INFINITY;
        point->dead_high = forecast_flat_side(sx, f, 1, &end) ? end : INFINITY;
        point->dead = forecast_dead(p->signal, use->out, p->watch->window);
    }
    if (traits.saturates && saturation(sx, f, traits.max_slope, &point->flat_low, &point->flat_high))
        point->saturated = forecast_saturated(p->signal, use->out, &traits);
    else
        point->flat_low = point->flat_high = NAN;
}

/* 1 + the point of the layer that node `id` belongs to. */
static uint32_t point_of(const Planner *p, NodeId id)
{
    const Graph *g = p->model->graph;
    for (uint32_t i = 0; id != 0 && i < p->watch->points.n; i++)
        if (graph_node(g, p->watch->points.at[i].value)->layer == graph_node(g, id)->layer)
            return 1 + i;
    return 0;
}

static void add_path(Planner *p, NodeId prediction)
{
    Watch *watch = p->watch;
    SignalPath path = signal_path(p->signal, prediction);
    watch->first = point_of(p, path.first);
    watch->last = point_of(p, path.last);
    if (watch->first == 0 || watch->last == 0 || watch->first == watch->last)
        return;
    watch->ratio = watch->points.at[watch->first - 1].gradient / watch->points.at[watch->last - 1].gradient;
    if (!(fabs(watch->ratio / path.ratio - 1) < 0.01))
        return; /* the path begins inside a recurrent layer, and what is watched is its result: another band */
    SignalOptions options = signal_options_of(p->arena, p->model, NULL);
    SignalBand band = signal_band(p->arena, p->facts, &options, &path);
    watch->ratio_low = band.low;
    watch->ratio_high = band.high;
}

static bool inside(Span span, Span whole) { return span.source == whole.source && span.begin >= whole.begin && span.end <= whole.end; }

/* Findings in the model's text, or in none: a block that it uses, its train block. */
static void add_warnings(Planner *p, const Program *program, const Diags *diags)
{
    for (uint32_t i = 0; i < diags->list.n; i++) {
        const Diag *diag = diags->list.at[i];
        bool elsewhere = false;
        for (uint32_t k = 0; k < program->models.n; k++)
            elsewhere = elsewhere || (program->models.at[k] != p->model && inside(diag->primary.span, program->models.at[k]->span));
        if (diag->level != LEVEL_WARN || elsewhere)
            continue;
        const Source *source = source_get(p->sources, diag->primary.span.source);
        *vec_push(p->arena, &p->watch->warnings) =
            (WatchWarning){.code = str_of(diag->code),
                           .name = str_of(diag->name),
                           .message = diag->message,
                           .line = source ? source_place(source, diag->primary.span.begin).line : 0};
    }
}

static Watch *watch_model(Session *s, const Program *program, const Model *model)
{
    Arena *arena = s->arena;
    Watch *watch = arena_new_of(arena, Watch);
    Planner p = {.arena = arena, .sources = &s->sources, .model = model, .watch = watch};
    p.facts = facts_new(arena, model->graph);
    p.signal = signal_of_model(arena, p.facts, model, NULL);
    p.needed = needed_nodes(arena, model->graph);
    NodeId prediction = 0;
    for (uint32_t i = 0; i < model->losses.n && prediction == 0; i++)
        prediction = model->losses.at[i].prediction;
    SignalPath path = prediction ? signal_path(p.signal, prediction) : (SignalPath){.ratio = NAN};
    p.last = path.last ? signal_gradient_norm(p.signal, path.last) : 0;
    *watch = (Watch){.every = model->train && model->train->monitor_every ? model->train->monitor_every : EVERY,
                     .ratio = NAN,
                     .ratio_low = NAN,
                     .ratio_high = NAN,
                     .loss = NAN,
                     .clip = WATCH_NONE,
                     .clip_norm = model->train ? model->train->clip_norm : 0,
                     .window = forecast_window(model)};
    for (uint32_t i = 0; i < model->layers.n; i++)
        if (!model->layers.at[i].activation)
            add_layer(&p, &model->layers.at[i]);
    for (uint32_t i = 0; i < model->layers.n; i++)
        if (model->layers.at[i].activation)
            add_activation(&p, &model->layers.at[i]);
    if (prediction)
        add_path(&p, prediction);
    if (model->losses.n == 1 && model->loss_uses.n == 1)
        watch->loss = forecast_loss(model, p.facts, p.signal, &model->losses.at[0]);
    add_warnings(&p, program, &s->diags);
    return watch->points.n ? watch : NULL;
}

Watch **watch_plan(Session *s, const Program *program, bool everyone)
{
    Watch **watch = arena_array(s->arena, Watch *, program->models.n + 1);
    for (uint32_t i = 0; i < program->models.n; i++) {
        const Model *model = program->models.at[i];
        bool wanted = everyone || (model->train && model->train->monitor_every);
        if (!model->poisoned && wanted && model->loss_uses.n > 0)
            watch[i] = watch_model(s, program, model);
    }
    return watch;
}
