#include "check/signal.h"

#include "act/abi.h"
#include "ops/registry.h"

#include <math.h>
#include <stdlib.h>

enum { MAX_IN = 64, MEMBERS = 40, SAMPLES = 8, OUTSIDE = 0 /* of the members, at each end of a band */ };

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
                        .near = options->member > 0};
}

/* A standard normal number for a place in a network, or (sample > 0) in a sample of it: the same on every run. */
static double drawn(uint32_t member, uint32_t sample, NodeId id, uint32_t what)
{
    uint64_t x = ((uint64_t)member << 44) ^ ((uint64_t)sample << 36) ^ ((uint64_t)id << 2) ^ what;
    double u[2];
    for (unsigned i = 0; i < 2; i++) { /* splitmix64 */
        x += 0x9E3779B97F4A7C15u;
        uint64_t z = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
        u[i] = (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
    }
    return sqrt(-2 * log(u[0] + 0x1p-54)) * cos(2 * M_PI * u[1]);
}

/* A factor of mean 1 whose logarithm is normal. */
static double factor(double variance, double normal) { return exp(sqrt(variance) * normal - variance / 2); }

/* E x⁴ / (E x²)² of what node `id` is, and E f'⁴ / (E f'²)² of the activation that made it. */
static void kurtosis(const Signal *s, NodeId id, double *value, double *slope)
{
    const Facts *f = s->facts;
    NodeId base = f->base[id];
    const Moments *m = &s->value[base];
    *value = 3; /* a normal number's */
    *slope = 1;
    if (base == id || base == 0)
        return;
    SxSpread spread = sx_spread_near(f->sx, f->fn[id], sqrt(fmax(1e-300, m->second - m->mean * m->mean)));
    if (spread.second > 0 && isfinite(spread.fourth))
        *value = spread.fourth / (spread.second * spread.second);
    if (spread.slope2 > 0 && isfinite(spread.slope4))
        *slope = spread.slope4 / (spread.slope2 * spread.slope2);
}

/* How much of their wandering two samples share where node `id` is read: the correlation of its squares. */
static double common_part(const Signal *expected, NodeId id)
{
    const Facts *f = expected->facts;
    NodeId base = f->base[id];
    const Moments *m = &expected->value[base];
    double variance = m->second - m->mean * m->mean;
    double shared = variance > 0 ? fmin(1, fmax(0, (m->corr * m->second - m->mean * m->mean) / variance)) : 0;
    if (base == id || base == 0 || shared == 0)
        return shared * shared; /* of normal numbers */
    SxSpread spread = sx_spread(f->sx, sx_mul(f->sx, f->fn[id], f->fn[id]), 0, NULL, m->mean, sqrt(variance), shared);
    double square = spread.mean * spread.mean, part = (spread.cross - square) / (spread.second - square);
    return part >= 0 && part <= 1 ? part : shared * shared;
}

/* A standard normal number, `part` of whose variance all samples of the network share. */
static double wander(const SignalOptions *options, NodeId id, uint32_t what, double part)
{
    return sqrt(part) * drawn(options->member, 0, id, what) +
           sqrt(1 - part) * drawn(options->member, options->sample, id, what);
}

/* The inputs that one output of a product with weights sums over; 0: it is no such product. */
static double product_inputs(const Graph *g, NodeId id)
{
    int weight = facts_weight(g, id);
    return weight >= 0 ? g->tensors.at[weight].fan_in : 0;
}

static void draw_value(Signal *s, NodeId id, const SignalOptions *options)
{
    Moments *out = &s->value[id];
    double n = product_inputs(s->facts->g, id), value, slope;
    if (n > 0) {
        NodeId in = graph_node(s->facts->g, id)->in[0];
        kurtosis(s, in, &value, &slope);
        out->second *= factor(fmax(0, value - 1) / n, wander(options, id, 0, options->common[in]));
    } else if (out->second_low < out->second_high && out->second_low > 0) { /* a band of the op's own */
        double share = 0.5 * erfc(-drawn(options->member, 0, id, 0) / M_SQRT2);
        out->second = out->second_low * pow(out->second_high / out->second_low, share);
    }
    out->second_low = out->second_high = out->second = fmax(out->second, out->mean * out->mean);
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
    if (node.op->signal && node.n_in <= MAX_IN) {
        SignalCall call = call_of(s, &node, in, options);
        call.out = out;
        node.op->signal(&call);
    }
    bound_value(out, &s->facts->range[id]);
    if (options->member > 0)
        draw_value(s, id, options);
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
    double n = options->member > 0 ? product_inputs(s->facts->g, id) : 0, value, slope;
    if (n > 0) { /* directions are shared by samples that are wrong alike, slopes as the values are */
        double common = options->common[node.in[0]];
        kurtosis(s, node.in[0], &value, &slope);
        grad_in[0] *= factor(2 * slope / n, wander(options, id, 1, common * options->direction)) *
                      factor(fmax(0, slope - 1) / n, wander(options, id, 2, common));
    }
    for (uint32_t i = 0; i < node.n_in; i++)
        s->gradient[node.in[i]] += grad_in[i];
}

Signal *signal_run(Arena *arena, const Facts *facts, const SignalOptions *options)
{
    const Graph *g = facts->g;
    Signal *s = arena_new_of(arena, Signal);
    bool *needed = arena_array(arena, bool, g->nodes.n);
    *s = (Signal){.facts = facts};
    s->value = arena_array(arena, Moments, g->nodes.n);
    s->gradient = arena_array(arena, double, g->nodes.n);
    for (uint32_t i = 0; i < options->n_prediction; i++) {
        needed[options->prediction[i]] = true;
        s->gradient[options->prediction[i]] = 1;
    }
    /* Only what the predictions are made of: the loss itself and its reductions have no say in a ratio. */
    for (NodeId id = g->nodes.n; id-- > 1;)
        for (uint32_t i = 0; needed[id] && i < g->nodes.at[id].n_in; i++)
            needed[g->nodes.at[id].in[i]] = true;
    for (NodeId id = 1; id < g->nodes.n; id++)
        if (needed[id])
            forward(s, id, options);
    for (NodeId id = g->nodes.n; id-- > 1;)
        if (needed[id])
            backward(s, id, options);
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

SignalEnsemble signal_ensemble(Arena *arena, const Facts *facts, const SignalOptions *options)
{
    SignalEnsemble ensemble = {.member = arena_array(arena, Signal *, MEMBERS * SAMPLES), MEMBERS, SAMPLES};
    SignalOptions one = *options;
    Signal *expected = signal_run(arena, facts, options);
    double *common = arena_array(arena, double, facts->g->nodes.n);
    for (NodeId id = 1; id < facts->g->nodes.n; id++)
        if (expected->gradient[id] > 0 && product_inputs(facts->g, id) > 0)
            common[graph_node(facts->g, id)->in[0]] = common_part(expected, graph_node(facts->g, id)->in[0]);
    one.common = common;
    /* Gradients at a prediction of k numbers point anywhere in their space; that of a softmax has one dimension less.
     */
    double k = options->n_prediction ? (double)type_last(graph_type(facts->g, options->prediction[0])) : 1;
    one.direction = k > 2 ? 1 / (k - 1) : 1;
    for (uint32_t i = 0; i < MEMBERS * SAMPLES; i++) {
        one.member = 1 + i / SAMPLES;
        one.sample = 1 + i % SAMPLES;
        ensemble.member[i] = signal_run(arena, facts, &one);
    }
    return ensemble;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The squared norm of the gradient at a node, over the samples of a network. */
static double norm_over(const SignalEnsemble *ensemble, uint32_t member, NodeId id)
{
    double sum = 0;
    for (uint32_t i = 0; i < ensemble->samples; i++)
        sum += ensemble->member[member * ensemble->samples + i]->gradient[id];
    return sqrt(sum * (double)type_elements(graph_type(ensemble->member[0]->facts->g, id)));
}

SignalBand signal_ratio_band(const SignalEnsemble *ensemble, const SignalPath *path)
{
    double value[MEMBERS];
    for (uint32_t i = 0; i < ensemble->n; i++)
        value[i] =
            path->first == path->last ? 1 : norm_over(ensemble, i, path->first) / norm_over(ensemble, i, path->last);
    qsort(value, ensemble->n, sizeof *value, by_size);
    /* The factors are of first order in 1 / n: real networks scatter a little more, and the outermost of forty drawn
     * ones bound nine real ones of ten (measured by tests/e2e/predictions). */
    return (SignalBand){value[OUTSIDE], value[ensemble->n - 1 - OUTSIDE], value[ensemble->n / 2]};
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
