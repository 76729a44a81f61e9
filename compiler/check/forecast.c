#include "check/forecast.h"

#include "ops/sample.h"

#include <math.h>

enum { WINDOW = 256, STEPS = 512 };

static const double reach = 8;      /* deviations */
static const double far_apart = 24; /* of logits: then the greatest is the sum, within a part in a thousand */

static double density(double t) { return exp(-t * t / 2) * 0.39894228040143267794; }
static double below(double t) { return 0.5 * erfc(-t * M_SQRT1_2); }

uint32_t forecast_window(const Model *model)
{
    uint32_t batch = model->train ? model->train->batch : model->graph->batch;
    return batch > WINDOW ? batch : WINDOW;
}

/* All of so many samples below `cut`, samples sharing `shared` of the variance. */
static double all_below(double cut, double mean, double variance, double shared, uint32_t samples)
{
    double sum = 0, own = sqrt(fmax(1e-12, 1 - shared) * variance);
    if (variance <= 0)
        return cut >= mean;
    for (unsigned i = 0; i <= STEPS; i++) {
        double t = reach * (2.0 * i / STEPS - 1);
        sum += density(t) * pow(below((cut - mean - sqrt(shared * variance) * t) / own), samples);
    }
    return fmin(1, sum * 2 * reach / STEPS);
}

bool forecast_flat_side(SxPool *sx, Sx f, int side, double *end)
{
    static const double beyond[] = {1e-6, 0.1, 1, 10, 1e3};
    double kink[64];
    unsigned n = sx_kinks(sx, f, 0, -1e6, 1e6, kink, 64);
    if (n == 0 || n > 64)
        return false;
    *end = side < 0 ? kink[0] : kink[n - 1];
    Sx slope;
    sx_gradient(sx, f, 1, &slope);
    for (unsigned i = 0; i < sizeof beyond / sizeof beyond[0]; i++)
        if (sx_eval(sx, slope, (double[]){*end + side * beyond[i]}) != 0)
            return false;
    return true;
}

double forecast_dead(const Signal *signal, NodeId id, uint32_t samples)
{
    const Facts *f = signal->facts;
    NodeId base = f->base[id];
    double end, dead = 0;
    if (base == id || base == 0)
        return 0;
    const Moments *m = &signal->value[base];
    double variance = fmax(0, m->second - m->mean * m->mean);
    double shared = variance > 0 ? fmin(1, fmax(0, (m->corr * m->second - m->mean * m->mean) / variance)) : 1;
    if (forecast_flat_side(f->sx, f->fn[id], -1, &end))
        dead += all_below(end, m->mean, variance, shared, samples);
    if (forecast_flat_side(f->sx, f->fn[id], 1, &end))
        dead += all_below(-end, -m->mean, variance, shared, samples);
    return fmin(1, dead);
}

double forecast_flat(SxPool *sx, Sx f, double max_slope, double mean, double deviation)
{
    Sx slope;
    double sum = 0;
    sx_gradient(sx, f, 1, &slope);
    for (unsigned i = 0; i <= STEPS; i++) {
        double t = reach * (2.0 * i / STEPS - 1);
        double at = fabs(sx_eval(sx, slope, (double[]){mean + deviation * t}));
        sum += at < 0.01 * max_slope ? density(t) : 0;
    }
    return fmin(1, sum * 2 * reach / STEPS);
}

double forecast_saturated(const Signal *signal, NodeId id, const SxTraits *traits)
{
    const Facts *f = signal->facts;
    NodeId base = f->base[id];
    if (base == id || base == 0)
        return 0;
    const Moments *m = &signal->value[base];
    return forecast_flat(f->sx, f->fn[id], traits->max_slope, m->mean, sqrt(fmax(0, m->second - m->mean * m->mean)));
}

/* E max of k normal numbers: what is left of log Σ e^z when they lie far apart. */
static double expected_maximum(double k)
{
    double sum = 0, step = 2 * reach / STEPS;
    for (unsigned i = 0; i <= STEPS; i++) {
        double z = -reach + step * i, all = pow(below(z), k);
        sum += step * (z > 0 ? 1 - all : z < 0 ? -all : 0.5 - all);
    }
    return sum;
}

double forecast_logsumexp(double k, double deviation)
{
    enum { MAX_INNER = 640 };
    if (deviation > far_apart)
        return deviation * expected_maximum(k);
    double from = -8 - 8 * deviation, to = log(k) + 8 * deviation + 20, sum = 0, total = 0;
    double z[MAX_INNER + 1], weight[MAX_INNER + 1];
    /* both integrands have features of size 1 */
    unsigned inner = (unsigned)fmin(MAX_INNER, fmax(48, 2 * reach * deviation / 0.3));
    unsigned outer = (unsigned)fmin(4000, (to - from) / 0.2);
    double step = (to - from) / outer;
    for (unsigned i = 0; i <= inner; i++) {
        double t = reach * (2.0 * i / inner - 1);
        z[i] = deviation * t;
        total += weight[i] = density(t);
    }
    for (unsigned o = 0; o <= outer; o++) {
        double u = from + step * o, one = 0;
        for (unsigned i = 0; i <= inner; i++)
            one += weight[i] / total * -expm1(-exp(-u + z[i])); /* 1 - E exp(-t e^z), with t = e^-u */
        /* e^-t - (1 - one)^k; what is common far out cancels in this form */
        double part = -expm1(k * log1p(-fmin(one, 1 - 1e-16))) + expm1(-exp(-u));
        sum += part * (o == 0 || o == outer ? step / 2 : step);
    }
    return sum;
}

/* The positions of one row that have a loss of their own, and the numbers of each. */
static double loss_count(const Graph *g, const LossCall *loss)
{
    const Type *type = graph_type(g, loss->prediction);
    double elements = (double)type_elements(type);
    return loss->classes ? elements / (double)type_last(type) : elements;
}

typedef struct Expected {
    double value, slope2; /* of one term; slope2: of its derivative by one number of the prediction */
    double common;        /* E of the product of that derivative in two samples */
} Expected;

/* The part of a value's variance that two samples share. */
static double shared_part(const Moments *m)
{
    double variance = m->second - m->mean * m->mean;
    return variance > 0 ? fmin(1, fmax(0, (m->corr * m->second - m->mean * m->mean) / variance)) : 1;
}

/* E f(Z) f(Z') of two samples' Z. */
static double cross(SxPool *sx, Sx f, const Moments *m, double *second)
{
    double deviation = sqrt(fmax(0, m->second - m->mean * m->mean));
    SxSpread spread = sx_spread(sx, f, 0, NULL, m->mean, deviation, shared_part(m));
    *second = spread.second;
    return spread.cross;
}

/* E p² of one number of the softmax over k independent normal numbers: for a normal z of deviation σ the derivative of
 * E log Σ e^z by σ is σ E Σ p (1 - p). */
static double square_of_softmax(double k, double deviation)
{
    if (deviation < 0.05)
        return exp(deviation * deviation) / (k * k);
    double h = 0.02 * deviation;
    double slope = (forecast_logsumexp(k, deviation + h) - forecast_logsumexp(k, deviation - h)) / (2 * h);
    return fmin(1 / k, fmax(1 / (k * k), (1 - slope / deviation) / k));
}

static Expected expect_classes(const Signal *signal, const LossCall *loss)
{
    const Moments *z = &signal->value[loss->prediction];
    double k = (double)type_last(graph_type(signal->facts->g, loss->prediction));
    double variance = fmax(0, z->second - z->mean * z->mean), shared = shared_part(z);
    /* Two samples: what they do not share blurs the softmax of what they do (MacKay 1992). */
    double both = sqrt(shared * variance / (1 + M_PI / 8 * (1 - shared) * variance));
    /* softmax minus one-hot, of which it knows nothing */
    return (Expected){forecast_logsumexp(k, sqrt(variance)),
                      square_of_softmax(k, sqrt(variance)) - 2 / (k * k) + 1 / k,
                      square_of_softmax(k, both) - 1 / (k * k)};
}

static Expected expect_elements(const Model *model, const Signal *signal, const LossCall *loss)
{
    SxPool *sx = signal->facts->sx;
    Sx term = facts_loss_term(signal->facts, loss);
    Expected sum = {NAN, NAN, NAN};
    if (term == 0)
        return sum;
    const Tensor *target = loss->target_tensor ? &model->graph->tensors.at[loss->target_tensor - 1] : NULL;
    Moments y = {0, 1, 0, 1, 1}, out;
    if (target && target->role == ROLE_TARGET && !target->binary)
        y = signal_input(model->graph, loss->target_tensor - 1, model->train);
    bool binary = target && target->binary;
    sum = (Expected){0, 0, 0};
    Sx slope[2], middle = 0; /* the derivative on average over targets, which say nothing of each other */
    sx_gradient(sx, term, 2, slope);
    for (int i = 0; i < (binary ? 2 : 1); i++) { /* yes and no, evenly */
        if (binary)
            y = (Moments){i, i, 1, i, i};
        const Moments *in[2] = {&signal->value[loss->prediction], &y};
        Sample sample = {.sx = sx, .in = in, .n = 2};
        double slope2[2];
        sample_forward(&sample, term, &out);
        sample_slopes(&sample, term, slope2);
        sum.value += out.mean / (binary ? 2 : 1);
        sum.slope2 += slope2[0] / (binary ? 2 : 1);
        Sx to[2] = {sx_arg(sx, 0), sx_num(sx, y.mean)};
        Sx part = sx_mul(sx, sx_substitute(sx, slope[0], to, 2), sx_num(sx, binary ? 0.5 : 1));
        middle = i ? sx_add(sx, middle, part) : part;
    }
    double unused;
    sum.common = cross(sx, sx_simplify(sx, middle), &signal->value[loss->prediction], &unused);
    return sum;
}

static Expected expect(const Model *model, const Signal *signal, const LossCall *loss)
{
    bool probabilities = loss->classes && !loss->wants_logits;
    return probabilities   ? (Expected){NAN, NAN, NAN}
           : loss->classes ? expect_classes(signal, loss)
                           : expect_elements(model, signal, loss);
}

double forecast_loss(const Model *model, const Facts *facts, const Signal *signal, const LossCall *loss)
{
    if (!loss->prediction)
        return NAN;
    return expect(model, signal, loss).value * (loss->mean ? 1 : loss_count(facts->g, loss) * facts->g->batch);
}

/* The optimizer that updates the tensor: the one that names its prefix, else the first. */
static const OptimizerUse *optimizer_of(const Model *model, const Tensor *tensor)
{
    for (uint32_t i = 0; model->train && i < model->train->optimizers.n; i++) {
        const OptimizerUse *use = model->train->optimizers.at[i];
        for (uint32_t k = 0; k < use->group.n; k++) {
            Str prefix = use->group.at[k];
            if (str_starts(tensor->name, prefix) && tensor->name.n > prefix.n && tensor->name.p[prefix.n] == '.')
                return use;
        }
    }
    return model->train && model->train->optimizers.n && model->train->optimizers.at[0]->group.n == 0
               ? model->train->optimizers.at[0]
               : NULL;
}

/* What node `id` leaves of the likeness of two samples' gradients: slopes differ where the values do, and each sample
 * drops other elements. */
static double keeps_alike(const Signal *signal, NodeId id)
{
    const Facts *f = signal->facts;
    const Node *node = graph_node(f->g, id);
    double scale, shift, second;
    Sx slope;
    if (facts_is(node, "dropout"))
        return 1 - node_attr(node, 0)->f;
    if (node->op->kind != OP_MAP || f->base[id] == 0 || f->base[id] == id ||
        (node->n_in == 1 && sx_is_affine(f->sx, node_attr(node, 0)->sx, 0, &scale, &shift)))
        return 1;
    sx_gradient(f->sx, f->fn[id], 1, &slope);
    double both = cross(f->sx, slope, &signal->value[f->base[id]], &second);
    return second > 0 && isfinite(both) ? fmin(1, fmax(0, both / second)) : 1;
}

/* By node: E g g' / E g², g and g' the gradients of two samples of a batch. Samples that are wrong alike pull a weight
 * the same way, and a batch of them does not average out. */
static const double *alike(const Facts *facts, const Signal *signal, NodeId prediction, double at)
{
    double *part = signal->alike, *weight = arena_array(facts->arena, double, facts->g->nodes.n + 1);
    if (part[0] != 0) /* asked before */
        return part;
    part[0] = 1;
    part[prediction] = at;
    weight[prediction] = 1;
    for (NodeId id = prediction; id > 0; id--) {
        const Node *node = graph_node(facts->g, id);
        if (weight[id] == 0 || !(signal->gradient[id] > 0))
            continue;
        part[id] /= weight[id];
        double left = part[id] * keeps_alike(signal, id), size = signal->gradient[id];
        for (uint32_t i = 0; i < node->n_in; i++) {
            part[node->in[i]] += size * left;
            weight[node->in[i]] += size;
        }
    }
    return part;
}

double forecast_update(const Model *model, const Facts *facts, const Signal *signal, uint32_t tensor)
{
    enum { MAX_STATE = 24 };
    const Tensor *weight = &model->graph->tensors.at[tensor];
    const OptimizerUse *use = optimizer_of(model, weight);
    double gradient2 = 0, args[MAX_STATE + 4];
    if (use == NULL || model->losses.n != 1 || !model->losses.at[0].prediction || use->state.n > MAX_STATE)
        return NAN;
    const LossCall *loss = &model->losses.at[0];
    double count = loss->mean ? loss_count(facts->g, loss) * facts->g->batch : 1;
    for (NodeId id = 1; id < facts->g->nodes.n; id++)
        if (facts->live[id] && facts_tensor(graph_node(facts->g, id)) == (int)tensor)
            gradient2 += signal->gradient[id];
    Expected term = expect(model, signal, loss);
    gradient2 *= term.slope2 / (count * count);
    /* The sum of squares and what the samples of a batch have in common: 1 + (B - 1) E g g' / E g² E h h' / E h². */
    if (term.common > 0 && term.slope2 > 0 && signal->alike) {
        const double *part = alike(facts, signal, loss->prediction, fmin(1, term.common / term.slope2));
        double common = 0, uses = 0;
        for (NodeId id = 1; id < facts->g->nodes.n; id++)
            if (facts->live[id] && facts_weight(facts->g, id) == (int)tensor) {
                common += part[id] * fmax(0, signal->value[graph_node(facts->g, id)->in[0]].corr);
                uses++;
            }
        gradient2 *= uses > 0 ? 1 + (facts->g->batch - 1.0) * common / uses : 1;
    }
    double rms = sqrt(weight->deviation * weight->deviation +
                      weight->fill.a * weight->fill.a *
                          (weight->fill.kind == FILL_CONSTANT || weight->fill.kind == FILL_NORMAL));
    if (!(gradient2 > 0) || !(rms > 0) || !isfinite(gradient2))
        return NAN;
    uint32_t n = use->state.n;
    args[0] = rms;
    args[1] = sqrt(gradient2);
    for (uint32_t i = 0; i < n; i++)
        args[2 + i] = use->state_init.at[i];
    args[2 + n] = args[3 + n] = 1; /* step, rate */
    for (uint32_t i = 0; i < use->update.n; i++) {
        const OptimizerUpdate *update = &use->update.at[i];
        double value = sx_eval(facts->sx, update->value, args);
        args[update->target == 0 ? 0 : 1 + update->target] = value;
    }
    return fabs(args[0] - rms) / rms;
}
