#include "check/signal_inner.h"

#include "act/abi.h"
#include "ops/registry.h"

#include <math.h>
#include <string.h>

enum { MAX_IN = 64 };

static Moments uniform_between(double low, double high)
{
    double mean = (low + high) / 2, variance = (high - low) * (high - low) / 12;
    double second = mean * mean + variance;
    return (Moments){mean, second, second > 0 ? mean * mean / second : 0, second, second};
}

static const FieldUse *find_field(const TrainUse *train, uint32_t tensor)
{
    for (uint32_t i = 0; train && train->data && i < train->data->parts.n; i++) {
        const PartUse *part = &train->data->parts.at[i];
        for (uint32_t k = 0; str_is(part->name, "train") && k < part->fields.n; k++)
            if (part->fields.at[k].tensor == tensor + 1)
                return &part->fields.at[k];
    }
    return NULL;
}

Moments signal_input(const Graph *g, uint32_t tensor, const TrainUse *train)
{
    const Tensor *input = &g->tensors.at[tensor];
    const FieldUse *field = find_field(train, tensor);
    double mean = 0, deviation = 1;
    bool normalised = false;
    for (uint32_t i = 0; field && i < field->transforms.n; i++) {
        const TransformUse *transform = &field->transforms.at[i];
        if (transform->kind == ACT_T_NORMALIZE || transform->kind == ACT_T_STANDARD) {
            mean = 0;
            deviation = 1;
            normalised = true;
        } else if (transform->kind == ACT_T_AFFINE) {
            mean = mean * transform->a + transform->b;
            deviation *= fabs(transform->a);
        }
    }
    if (!normalised && input->low <= input->high && isfinite(input->low) && isfinite(input->high))
        return uniform_between(input->low, input->high);
    if (!normalised)
        mean = 0, deviation = 1;
    double second = mean * mean + deviation * deviation;
    return (Moments){mean, second, second > 0 ? mean * mean / second : 0, second, second};
}

/* A map that reads several values which are functions of one (x and sigmoid(x) in x * sigmoid(x)) is asked as that one
 * function: the op's formula for several inputs takes them as independent. */
static Node joined(const Facts *f, NodeId id, AttrValue *attr, NodeId *in)
{
    Node node = *graph_node(f->g, id);
    uint32_t data = 0;
    for (uint32_t i = 0; i < node.n_in; i++)
        data += graph_type(f->g, node.in[i])->batch;
    if (node.op->kind == OP_MAP && data > 1 && f->base[id] != id && f->base[id] != 0) {
        *attr = (AttrValue){.sx = f->fn[id]};
        *in = f->base[id];
        node.attr = attr;
        node.in = in;
        node.n_in = 1;
    }
    return node;
}

static SignalCall call_of(const Signal *s, const Node *node, const Moments **in, const SignalOptions *options)
{
    for (uint32_t i = 0; i < node->n_in && i < MAX_IN; i++)
        in[i] = &s->value[node->in[i]];
    return (SignalCall){.g = s->facts->g,
                        .node = node,
                        .in = in,
                        .sx = s->facts->sx,
                        .inference = options->inference,
                        .near = options->draw != NULL};
}

/* What formulas for independent values make too wide (a softmax written by hand) stays within what is possible: a value
 * in [a, b] with mean m has a variance of at most (b - m) (m - a). */
static void bound_value(Moments *m, const ValueRange *range)
{
    if (!isfinite(range->low) || !isfinite(range->high))
        return;
    m->mean = fmin(fmax(m->mean, range->low), range->high);
    double most = m->mean * m->mean + (range->high - m->mean) * (m->mean - range->low);
    if (m->second > most)
        m->second = m->second_low = m->second_high = most;
}

static void forward(Signal *s, NodeId id, const SignalOptions *options)
{
    const Graph *g = s->facts->g;
    const Moments *in[MAX_IN];
    AttrValue attr;
    NodeId base;
    Node node = joined(s->facts, id, &attr, &base);
    Moments *out = &s->value[id];
    int tensor = facts_tensor(&node);
    *out = (Moments){0, 1, 0, 1, 1};
    if (tensor >= 0 && (g->tensors.at[tensor].role == ROLE_INPUT || g->tensors.at[tensor].role == ROLE_TARGET))
        *out = signal_input(g, (uint32_t)tensor, options->train);
    else if (node.n_in > 0)
        *out = s->value[node.in[0]];
    s->parted[id] = signal_parts(s, id, &node, options);
    if (!s->parted[id] && node.op->signal && node.n_in <= MAX_IN) {
        SignalCall call = call_of(s, &node, in, options);
        call.out = out;
        node.op->signal(&call);
    }
    bound_value(out, &s->facts->range[id]);
    if (options->draw)
        signal_draw_value(s, id, options->draw);
    if (tensor >= 0 && options->deviation && !isnan(options->deviation[tensor])) {
        double deviation = options->deviation[tensor], mean = out->mean;
        out->second = out->second_low = out->second_high = mean * mean + deviation * deviation;
    }
}

static void backward(Signal *s, NodeId id, const SignalOptions *options)
{
    const Moments *in[MAX_IN];
    double grad_in[MAX_IN] = {0};
    AttrValue attr;
    NodeId base;
    Node node = joined(s->facts, id, &attr, &base);
    if (s->gradient[id] == 0 || node.n_in == 0 || node.n_in > MAX_IN ||
        (node.op->vjp == NULL && node.op->signal_back == NULL))
        return;
    if (node.op->signal_back) {
        SignalCall call = call_of(s, &node, in, options);
        call.grad_out = s->gradient[id];
        call.grad_in = grad_in;
        node.op->signal_back(&call);
    } else {
        grad_in[0] = s->gradient[id];
    }
    if (options->draw)
        grad_in[0] *= signal_draw_gradient(s, id, options->draw);
    for (uint32_t i = 0; i < node.n_in; i++)
        s->gradient[node.in[i]] += grad_in[i];
}

void signal_propagate(Signal *s, const bool *needed, const SignalOptions *options)
{
    NodeId n = s->facts->g->nodes.n;
    memset(s->gradient, 0, n * sizeof *s->gradient);
    for (uint32_t i = 0; i < options->n_prediction; i++)
        s->gradient[options->prediction[i]] = 1;
    for (NodeId id = 1; id < n; id++)
        if (needed[id])
            forward(s, id, options);
    for (NodeId id = n; id-- > 1;)
        if (needed[id])
            backward(s, id, options);
}

Signal *signal_new(Arena *arena, const Facts *facts)
{
    Signal *s = arena_new_of(arena, Signal);
    *s = (Signal){.facts = facts};
    s->value = arena_array(arena, Moments, facts->g->nodes.n);
    s->gradient = arena_array(arena, double, facts->g->nodes.n);
    s->parted = arena_array(arena, bool, facts->g->nodes.n);
    s->part = arena_array(arena, Moments, 4 * (size_t)facts->g->nodes.n);
    s->alike = arena_array(arena, double, facts->g->nodes.n + 1);
    return s;
}

/* Only what the predictions are made of: the loss itself and its reductions have no say in a ratio. */
bool *signal_needed(Arena *arena, const Graph *g, const SignalOptions *options)
{
    bool *needed = arena_array(arena, bool, g->nodes.n);
    for (uint32_t i = 0; i < options->n_prediction; i++)
        needed[options->prediction[i]] = true;
    for (NodeId id = g->nodes.n; id-- > 1;)
        for (uint32_t i = 0; needed[id] && i < g->nodes.at[id].n_in; i++)
            needed[g->nodes.at[id].in[i]] = true;
    return needed;
}

Signal *signal_run(Arena *arena, const Facts *facts, const SignalOptions *options)
{
    Signal *s = signal_new(arena, facts);
    signal_propagate(s, signal_needed(arena, facts->g, options), options);
    return s;
}

SignalOptions signal_options_of(Arena *arena, const Model *model, const double *deviation)
{
    NodeId *prediction = arena_array(arena, NodeId, model->losses.n + model->outputs.n + 1);
    uint32_t n = 0;
    for (uint32_t i = 0; i < model->losses.n; i++)
        if (model->losses.at[i].prediction)
            prediction[n++] = model->losses.at[i].prediction;
    for (uint32_t i = 0; n == 0 && i < model->outputs.n; i++)
        prediction[i] = model->outputs.at[i].value;
    if (n == 0)
        n = model->outputs.n;
    return (SignalOptions){.train = model->train, .prediction = prediction, .n_prediction = n, .deviation = deviation};
}

Signal *signal_of_model(Arena *arena, const Facts *facts, const Model *model, const double *deviation)
{
    SignalOptions options = signal_options_of(arena, model, deviation);
    return signal_run(arena, facts, &options);
}

Signal *signal_of_inference(Arena *arena, const Facts *facts, const Model *model)
{
    SignalOptions options = signal_options_of(arena, model, NULL);
    options.inference = true;
    return signal_run(arena, facts, &options);
}

double signal_rms(const Signal *signal, NodeId id) { return sqrt(fmax(0, signal->value[id].second)); }

double signal_deviation(const Signal *signal, NodeId id)
{
    const Moments *m = &signal->value[id];
    return sqrt(fmax(0, m->second - m->mean * m->mean));
}

double signal_gradient_norm(const Signal *signal, NodeId id)
{
    return sqrt(signal->gradient[id] * (double)type_elements(graph_type(signal->facts->g, id)));
}

SignalPath signal_path(const Signal *signal, NodeId prediction)
{
    const Graph *g = signal->facts->g;
    Arena *arena = signal->facts->arena;
    bool *behind = arena_array(arena, bool, prediction + 1);
    uint32_t *depth = arena_array(arena, uint32_t, prediction + 1); /* weight layers up to and with this node */
    SignalPath path = {.ratio = 1};
    behind[prediction] = true;
    for (NodeId id = prediction; id > 0; id--)
        for (uint32_t i = 0; behind[id] && i < g->nodes.at[id].n_in; i++)
            behind[g->nodes.at[id].in[i]] = true;
    double least = INFINITY;
    for (NodeId id = 1; id <= prediction; id++) {
        for (uint32_t i = 0; i < g->nodes.at[id].n_in; i++)
            if (depth[g->nodes.at[id].in[i]] > depth[id])
                depth[id] = depth[g->nodes.at[id].in[i]];
        if (!behind[id] || facts_weight(g, id) < 0)
            continue;
        depth[id]++;
        double norm = signal_gradient_norm(signal, id);
        if (depth[id] == 1 && (path.first == 0 || norm < least)) {
            path.first = id;
            least = norm;
        }
        path.last = id;
    }
    if (path.first == 0)
        return path;
    path.layers = depth[path.last];
    double last = signal_gradient_norm(signal, path.last);
    path.ratio = path.first == path.last ? 1 : isfinite(last) && last > 0 && isfinite(least) ? least / last : NAN;
    return path;
}
