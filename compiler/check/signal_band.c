/* Networks of finite width, drawn at random: the band in which a predicted ratio lies. */
#include "check/signal_inner.h"

#include <math.h>
#include <stdlib.h>

enum { MEMBERS = 40, SAMPLES = 8, LAYERS = 320 /* of all samples: a deep network gets fewer */ };

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
static double wander(const SignalDraw *draw, NodeId id, uint32_t what, double part)
{
    return sqrt(part) * drawn(draw->member, 0, id, what) + sqrt(1 - part) * drawn(draw->member, draw->sample, id, what);
}

void signal_draw_value(Signal *s, NodeId id, const SignalDraw *draw)
{
    Moments *out = &s->value[id];
    double n = draw->inputs[id], value, slope;
    if (n > 0) {
        NodeId in = graph_node(s->facts->g, id)->in[0];
        kurtosis(s, in, &value, &slope);
        out->second *= factor(fmax(0, value - 1) / n, wander(draw, id, 0, draw->common[in]));
    } else if (out->second_low < out->second_high && out->second_low > 0) { /* a band of the op's own */
        double share = 0.5 * erfc(-drawn(draw->member, 0, id, 0) / M_SQRT2);
        out->second = out->second_low * pow(out->second_high / out->second_low, share);
    }
    out->second_low = out->second_high = out->second = fmax(out->second, out->mean * out->mean);
}

double signal_draw_gradient(const Signal *s, NodeId id, const SignalDraw *draw)
{
    double n = draw->inputs[id], value, slope;
    if (n == 0)
        return 1;
    /* Directions are shared by samples that are wrong alike, slopes as the values are. */
    NodeId in = graph_node(s->facts->g, id)->in[0];
    double common = draw->common[in];
    kurtosis(s, in, &value, &slope);
    return factor(2 * slope / n, wander(draw, id, 1, common * draw->direction)) *
           factor(fmax(0, slope - 1) / n, wander(draw, id, 2, common));
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double *all_inputs(Arena *arena, const Facts *facts)
{
    const Graph *g = facts->g;
    double *inputs = arena_array(arena, double, g->nodes.n);
    for (NodeId id = 1; id < g->nodes.n; id++) {
        int weight = facts_weight(g, id);
        inputs[id] = weight >= 0 ? g->tensors.at[weight].fan_in : 0;
    }
    return inputs;
}

static double *all_common(Arena *arena, const Signal *expected, const double *inputs)
{
    const Graph *g = expected->facts->g;
    double *common = arena_array(arena, double, g->nodes.n);
    for (NodeId id = 1; id < g->nodes.n; id++)
        if (expected->gradient[id] > 0 && inputs[id] > 0)
            common[graph_node(g, id)->in[0]] = common_part(expected, graph_node(g, id)->in[0]);
    return common;
}

SignalBand signal_band(Arena *arena, const Facts *facts, const SignalOptions *options, const SignalPath *path)
{
    double value[MEMBERS];
    SignalDraw draw = {.inputs = all_inputs(arena, facts)};
    SignalOptions drawn_options = *options;
    const bool *needed = signal_needed(arena, facts->g, options);
    uint32_t samples = path->layers * SAMPLES > LAYERS ? 1 + LAYERS / path->layers / 2 : SAMPLES;
    draw.common = samples > 1 ? all_common(arena, signal_run(arena, facts, options), draw.inputs)
                              : arena_array(arena, double, facts->g->nodes.n);
    /* Gradients at a prediction of k numbers point anywhere in their space; that of a softmax has one dimension less.
     */
    double k = options->n_prediction ? (double)type_last(graph_type(facts->g, options->prediction[0])) : 1;
    draw.direction = k > 2 ? 1 / (k - 1) : 1;
    drawn_options.draw = &draw;
    Signal *s = signal_new(arena, facts);
    for (uint32_t i = 0; i < MEMBERS; i++) {
        double first = 0, last = 0; /* squared norms over the samples */
        for (uint32_t sample = 1; sample <= samples; sample++) {
            draw.member = 1 + i;
            draw.sample = sample;
            signal_propagate(s, needed, &drawn_options);
            first += pow(signal_gradient_norm(s, path->first), 2);
            last += pow(signal_gradient_norm(s, path->last), 2);
        }
        value[i] = path->first == path->last ? 1 : sqrt(first / last);
    }
    qsort(value, MEMBERS, sizeof *value, by_size);
    /* The factors are of first order in 1 / n: real networks scatter a little more, and the outermost of forty drawn
     * ones bound nine real ones of ten (measured by tests/e2e/predictions). */
    return (SignalBand){value[0], value[MEMBERS - 1], value[MEMBERS / 2]};
}
