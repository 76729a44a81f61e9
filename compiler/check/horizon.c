#include "check/horizon.h"

#include "ops/build.h"
#include "ops/sample.h"

#include <math.h>

enum { MAX_IN = 64 };

/* A gate: node = f(…) in which an earlier state of the same shape, input `from`, is multiplied with something between 0 and 1 that
 * depends on other data alone: *slope. */
static bool gate_of(const Facts *f, NodeId id, uint32_t from, Sx *slope)
{
    const Graph *g = f->g;
    const Node *node = graph_node(g, id), *state = graph_node(g, node->in[from]);
    if (state->op->kind != OP_MAP || state->layer != node->layer || !type_equal(&state->type, &node->type) ||
        facts_read(f, id, from) != READ_GATE)
        return false;
    Sx d[MAX_IN];
    SxInterval box[MAX_IN];
    sx_gradient(f->sx, build_fn(node), node->n_in, d);
    *slope = sx_simplify(f->sx, d[from]);
    for (uint32_t i = 0; i < node->n_in; i++)
        box[i] = (SxInterval){-INFINITY, INFINITY, false};
    SxInterval range = sx_bounds(f->sx, *slope, box, node->n_in);
    return !sx_uses_arg(f->sx, *slope, from) && range.low >= 0 && range.high <= 1;
}

/* Is the value read by a product with weights, as it is? */
static bool is_multiplied(const Facts *f, NodeId id)
{
    for (uint32_t k = f->first[id]; k < f->first[id + 1]; k++) {
        NodeId reader = f->consumer[k];
        if (facts_weight(f->g, reader) >= 0 || (graph_node(f->g, reader)->op->kind == OP_VIEW && is_multiplied(f, reader)))
            return true;
    }
    return false;
}

static void find_gates(const Facts *f, const Signal *signal, Horizon *h)
{
    double kept = 0, gate = 0;
    uint32_t n = 0;
    for (NodeId id = h->first; id <= h->end; id++) {
        const Node *node = graph_node(f->g, id);
        if (node->op->kind != OP_MAP || node->layer != h->use + 1 || node->n_in > MAX_IN || !f->live[id])
            continue;
        for (uint32_t i = 0; i < node->n_in; i++) {
            Sx slope;
            if (!gate_of(f, id, i, &slope))
                continue;
            const Moments *in[MAX_IN];
            Moments part;
            double sum = 0;
            uint32_t used = 0;
            for (uint32_t k = 0; k < node->n_in; k++) {
                in[k] = &signal->value[node->in[k]];
                if (sx_uses_arg(f->sx, slope, k)) {
                    sum += in[k]->mean;
                    used++;
                }
            }
            sample_forward(&(Sample){.sx = f->sx, .in = in, .n = node->n_in}, slope, &part);
            kept += log(part.mean);
            gate += used ? sum : NAN;
            n++;
            h->apart = h->apart || !is_multiplied(f, node->in[i]);
        }
    }
    h->gated = n > 0;
    h->keep = n ? exp(kept / n) : 0;
    h->gate = n ? gate / n : NAN;
}

/* The last value of the layer that the last product leads to and that has a state's shape. */
static NodeId end_of(const Facts *f, const Horizon *h)
{
    const Type *state = graph_type(f->g, facts_skip(f, graph_node(f->g, h->last)->in[0]));
    NodeId end = 0;
    bool *behind = arena_array(f->arena, bool, f->g->nodes.n);
    behind[h->last] = true;
    for (NodeId id = h->last + 1; id < f->g->nodes.n; id++) {
        const Node *node = graph_node(f->g, id);
        for (uint32_t i = 0; i < node->n_in && node->layer == h->use + 1; i++)
            behind[id] = behind[id] || behind[node->in[i]];
        if (behind[id] && node->op->kind == OP_MAP && type_equal(&node->type, state))
            end = id;
    }
    return end;
}

/* All that is to be known of products with one weight; false: they are no steps of one state. */
static bool complete(const Facts *f, const Model *model, const Signal *signal, Horizon *h)
{
    const LayerUse *use = &model->layers.at[h->use];
    if (h->steps < 3 || !facts_reaches(f, h->first, h->last))
        return false;
    h->end = end_of(f, h);
    h->end_only = use->out && graph_type(f->g, use->out)->rank == 1;
    if (h->end)
        find_gates(f, signal, h);
    return h->end != 0;
}

uint32_t horizon_find(const Facts *f, const Model *model, const Signal *signal, Horizon *out, uint32_t most)
{
    uint32_t n = 0;
    for (NodeId id = 1; id < f->g->nodes.n; id++) {
        const Node *node = graph_node(f->g, id);
        int weight = f->live[id] && node->layer ? facts_weight(f->g, id) : -1;
        if (weight < 0)
            continue;
        uint32_t k = 0;
        while (k < n && (out[k].use + 1 != node->layer || out[k].weight != (uint32_t)weight))
            k++;
        if (k < n) {
            out[k].last = id;
            out[k].steps++;
        } else if (n < most) {
            out[n++] = (Horizon){.use = node->layer - 1, .weight = (uint32_t)weight, .first = id, .last = id, .steps = 2};
        }
    }
    uint32_t kept = 0;
    for (uint32_t k = 0; k < n; k++)
        if (complete(f, model, signal, &out[k]))
            out[kept++] = out[k];
    return kept;
}

double horizon_half_life(const Horizon *horizon)
{
    return horizon->gated ? log(2) / -log(fmin(1 - 1e-12, horizon->keep)) : 0;
}
