/* Parts of a value whose moments differ: a bias of which one gate's quarter starts at a number of its own, until the gates part. */
#include "check/signal_inner.h"

#include "ops/build.h"

#include <math.h>
#include <string.h>

enum { PARTS = 4, MAX_IN = 64 };

/* The moments of a number taken from the parts with these shares, which add up to one. */
static Moments mix(const Moments *part, const double *share)
{
    Moments out = {0};
    double shared = 0;
    for (int k = 0; k < PARTS; k++) {
        out.mean += share[k] * part[k].mean;
        out.second += share[k] * part[k].second;
        out.second_low += share[k] * part[k].second_low;
        out.second_high += share[k] * part[k].second_high;
        shared += share[k] * part[k].corr * part[k].second;
    }
    out.corr = out.second > 0 ? fmin(1, shared / out.second) : 1;
    return out;
}

static bool tensor_parts(const Graph *g, int index, Moments *part)
{
    const Tensor *tensor = index >= 0 ? &g->tensors.at[index] : NULL;
    if (tensor == NULL || tensor->fill.kind != FILL_CONSTANT || tensor->fill.b < 1 || tensor->fill.b > PARTS)
        return false;
    for (int k = 0; k < PARTS; k++) {
        double value = k + 1 == (int)tensor->fill.b ? tensor->fill.a : 0;
        part[k] = (Moments){value, value * value, 1, value * value, value * value};
    }
    return true;
}

static bool map_parts(const Signal *s, const Node *node, const SignalOptions *options, Moments *part)
{
    const Moments *in[MAX_IN];
    bool any = false;
    for (uint32_t i = 0; i < node->n_in; i++)
        any = any || (s->parted[node->in[i]] && type_last(graph_type(s->facts->g, node->in[i])) == type_last(&node->type));
    for (int k = 0; any && k < PARTS; k++) {
        for (uint32_t i = 0; i < node->n_in; i++) {
            NodeId from = node->in[i];
            bool own = s->parted[from] && type_last(graph_type(s->facts->g, from)) == type_last(&node->type);
            in[i] = own ? &s->part[PARTS * from + (uint32_t)k] : &s->value[from];
        }
        node->op->signal(&(SignalCall){.g = s->facts->g, .node = node, .in = in, .out = &part[k], .sx = s->facts->sx,
                                       .inference = options->inference, .near = options->draw != NULL});
    }
    return any;
}

bool signal_parts(Signal *s, NodeId id, const Node *node, const SignalOptions *options)
{
    static const double even[PARTS] = {0.25, 0.25, 0.25, 0.25};
    const Graph *g = s->facts->g;
    Moments *part = &s->part[PARTS * id];
    uint32_t axis;
    int64_t start, stop;
    NodeId from = node->n_in ? node->in[0] : 0;
    if (tensor_parts(g, facts_tensor(node), part) ||
        (node->op->kind == OP_MAP && node->op->signal && node->n_in <= MAX_IN && map_parts(s, node, options, part))) {
        s->value[id] = mix(part, even);
        return true;
    }
    if (from == 0 || !s->parted[from])
        return false;
    bool slice = build_is_slice(node, &axis, &start, &stop);
    if (slice && axis + 1 == node->type.rank) { /* out of one part, or of several */
        double share[PARTS], size = (double)type_last(graph_type(g, from)) / PARTS;
        for (int k = 0; k < PARTS; k++)
            share[k] = fmax(0, fmin((double)stop, (k + 1) * size) - fmax((double)start, k * size)) / (double)(stop - start);
        s->value[id] = mix(&s->part[PARTS * from], share);
        return false;
    }
    if (!slice && (node->op->kind != OP_VIEW || type_last(&node->type) != type_last(graph_type(g, from))))
        return false;
    memcpy(part, &s->part[PARTS * from], PARTS * sizeof *part);
    s->value[id] = s->value[from];
    return true;
}
