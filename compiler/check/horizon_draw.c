/* Recurrent layers drawn at random, and what is left of a gradient behind their steps: the formula and why are in the header. */
#include "check/horizon.h"

#include "ops/build.h"

#include <math.h>
#include <string.h>

enum { NETWORKS = 11, SAMPLES = 8, MAX_IN = 16, MAX_FN = 8 };
enum { UNITS = 128, FEWEST_UNITS = 32, MOST_WORK = 4000000 }; /* work: products of the weights with a sample, over all steps */

static const double nine_of_ten = 2.1; /* deviations: Student's 1.81 of ten degrees, and the wandering of a mean of eleven, rounded up */

/* Whose random numbers: the samples' own are OWN and above. */
enum { WEIGHT, INPUTS, COMMON, OWN };

/* The gradient of one function; all steps of a layer share it. */
typedef struct Slopes {
    Sx fn, d[MAX_IN];
} Slopes;

typedef struct Drawn {
    const Facts *f;
    const Signal *signal;
    const Horizon *h;
    uint32_t units, width; /* of the drawn layer and of the real one */
    uint32_t outputs;      /* of the product between the steps, drawn */
    NodeId *node;          /* what the end is made of, in order */
    uint32_t n;
    bool *known;           /* by node: computed, and not drawn */
    double **value, **gradient; /* by node: [sample][element] */
    double *weight;        /* [units][outputs] */
    double *input_weight;  /* [inputs][elements of input_root], in units of its deviation */
    NodeId input_root;     /* 0: not drawn yet */
    double *scratch;       /* of a node's size */
    Slopes slopes[MAX_FN];
    uint32_t n_slopes;
    uint64_t network;
} Drawn;

/* ── numbers ── */

static uint64_t scrambled(uint64_t x) /* splitmix64's last lines */
{
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

/* Standard normal numbers, the same ones for the same three names (splitmix64, then Box and Muller). Scrambled first: places of neighbouring
 * names would be neighbours in one sequence. */
static void normals(uint64_t network, uint64_t sample, uint64_t id, double *out, size_t n)
{
    uint64_t state = scrambled((network << 48) ^ (sample << 40) ^ id);
    for (size_t i = 0; i < 2 * n; i++) {
        state += 0x9E3779B97F4A7C15u;
        double u = ((double)(scrambled(state) >> 11) + 0.5) * 0x1p-53;
        out[i / 2] = i % 2 ? out[i / 2] * cos(2 * M_PI * u) : sqrt(-2 * log(u));
    }
}

/* Rows become orthonormal, in order (Gram and Schmidt); there are no more of them than columns. */
static void orthonormal_rows(double *a, uint32_t rows, uint32_t columns)
{
    for (uint32_t i = 0; i < rows; i++) {
        double *row = a + (size_t)i * columns, square = 0;
        for (uint32_t k = 0; k < i; k++) {
            const double *other = a + (size_t)k * columns;
            double dot = 0;
            for (uint32_t j = 0; j < columns; j++)
                dot += row[j] * other[j];
            for (uint32_t j = 0; j < columns; j++)
                row[j] -= dot * other[j];
        }
        for (uint32_t j = 0; j < columns; j++)
            square += row[j] * row[j];
        for (uint32_t j = 0; j < columns; j++)
            row[j] /= sqrt(square);
    }
}

static void draw_weight(Drawn *d, bool orthogonal)
{
    const Tensor *tensor = &d->f->g->tensors.at[d->h->weight];
    size_t n = (size_t)d->units * d->outputs;
    double scale = tensor->deviation * sqrt((double)d->width / d->units);
    normals(d->network, WEIGHT, 0, d->weight, n);
    if (orthogonal || tensor->fill.kind == FILL_ORTHOGONAL) {
        orthonormal_rows(d->weight, d->units, d->outputs);
        double gain = orthogonal ? 1 : tensor->deviation * sqrt((double)type_last(&tensor->type));
        scale = gain;
    }
    for (size_t i = 0; i < n; i++)
        d->weight[i] *= scale;
}

/* ── which nodes ── */
static bool is_vector(const Drawn *d, NodeId id) { return graph_type(d->f->g, id)->rank <= 1; }

/* Elements of a drawn value: the layer's width counts as `units`. 0: it is no multiple of the width. */
static uint32_t length_of(const Drawn *d, NodeId id)
{
    const Type *type = graph_type(d->f->g, id);
    uint64_t n = type_elements(type);
    return type->rank == 0 ? 1 : n % d->width == 0 ? (uint32_t)(n / d->width * d->units) : 0;
}

/* Is it computed from other vectors of the layer? Else it is drawn: what a step gets from outside. */
static bool is_computed(const Drawn *d, NodeId id)
{
    const Node *node = graph_node(d->f->g, id);
    uint32_t axis;
    int64_t start, stop;
    bool kind = node->op->kind == OP_MAP ? node->n_in > 0 && node->n_in <= MAX_IN
                                         : node->op->kind == OP_VIEW || build_is_slice(node, &axis, &start, &stop);
    for (uint32_t i = 0; kind && i < node->n_in; i++)
        kind = is_vector(d, node->in[i]);
    return node->layer == d->h->use + 1 && (kind || facts_weight(d->f->g, id) == (int)d->h->weight);
}

/* Fills node, n and known. False: something there is no vector of the layer's width. */
static bool collect(Drawn *d, Arena *arena)
{
    bool *needed = arena_array(arena, bool, d->h->end + 1u);
    d->node = arena_array(arena, NodeId, d->h->end + 1u);
    d->known = arena_array(arena, bool, d->h->end + 1u);
    needed[d->h->end] = true;
    for (NodeId id = d->h->end; id > 0; id--) {
        if (!needed[id])
            continue;
        const Node *node = graph_node(d->f->g, id);
        d->known[id] = is_computed(d, id);
        bool product = d->known[id] && facts_weight(d->f->g, id) >= 0;
        for (uint32_t i = 0; d->known[id] && i < (product ? 1 : node->n_in); i++)
            needed[node->in[i]] = true;
    }
    for (NodeId id = 1; id <= d->h->end; id++) {
        if (!needed[id])
            continue;
        if (!is_vector(d, id) || length_of(d, id) == 0)
            return false;
        d->node[d->n++] = id;
    }
    return true;
}

/* ── forward ── */

/* What a value is taken from: all steps' values at once. */
static NodeId root_of(const Drawn *d, NodeId id)
{
    uint32_t axis;
    int64_t start, stop;
    for (const Node *node = graph_node(d->f->g, id); node->layer == d->h->use + 1; node = graph_node(d->f->g, id)) {
        if (node->op->kind != OP_VIEW && !build_is_slice(node, &axis, &start, &stop))
            break;
        id = node->in[0];
    }
    return id;
}

/* A step's part of the product of the inputs, divided by its deviation: standard normal numbers, or, where there are few inputs, sums over
 * as many, with the same weights at every step; some units stay larger than others, then. */
static void draw_inputs(Drawn *d, NodeId root, uint64_t sample, NodeId id, double *out, uint32_t n)
{
    NodeId product = d->f->weighted[root];
    bool own = product && graph_node(d->f->g, product)->layer == d->h->use + 1;
    uint32_t inputs = own ? (uint32_t)d->f->g->tensors.at[facts_weight(d->f->g, product)].fan_in : UNITS;
    double x[UNITS];
    if (inputs >= UNITS) {
        normals(d->network, sample, id, out, n);
        return;
    }
    if (d->input_root != root)
        normals(d->network, INPUTS, root, d->input_weight, (size_t)inputs * n);
    d->input_root = root;
    normals(d->network, sample, id, x, inputs);
    memset(out, 0, n * sizeof *out);
    for (uint32_t k = 0; k < inputs; k++)
        for (uint32_t i = 0; i < n; i++)
            out[i] += x[k] / sqrt(inputs) * d->input_weight[(size_t)k * n + i];
}

/* Normal numbers of the value's moments. What two samples share, all steps share. */
static void draw_value(Drawn *d, NodeId id)
{
    uint32_t n = length_of(d, id);
    double *common = d->scratch, *own = common + n;
    NodeId root = root_of(d, id);
    normals(d->network, COMMON, root, common, n);
    for (uint32_t s = 0; s < SAMPLES; s++) {
        draw_inputs(d, root, OWN + s, id, own, n);
        for (uint32_t i = 0; i < n; i++) {
            const Moments *m = d->signal->parted[id] ? &d->signal->part[4 * (size_t)id + 4 * (size_t)i / n] : &d->signal->value[id];
            double variance = fmax(0, m->second - m->mean * m->mean);
            double shared = variance > 0 ? fmin(1, fmax(0, (m->corr * m->second - m->mean * m->mean) / variance)) : 1;
            d->value[id][(size_t)s * n + i] = m->mean + sqrt(variance) * (sqrt(shared) * common[i] + sqrt(1 - shared) * own[i]);
        }
    }
}

/* The arguments of a map, each as long as its result. */
static void arguments(Drawn *d, const Node *node, size_t count, const double **arg)
{
    double *room = d->scratch;
    for (uint32_t i = 0; i < node->n_in; i++) {
        arg[i] = d->value[node->in[i]];
        size_t n = (size_t)SAMPLES * length_of(d, node->in[i]);
        if (n == count)
            continue;
        for (size_t k = 0; k < count; k++)
            room[k] = arg[i][k * n / count];
        arg[i] = room;
        room += count;
    }
}

static void multiply(const Drawn *d, NodeId id)
{
    const double *in = d->value[graph_node(d->f->g, id)->in[0]];
    double *out = d->value[id];
    memset(out, 0, SAMPLES * d->outputs * sizeof *out);
    for (uint32_t i = 0; i < d->units; i++)
        for (uint32_t s = 0; s < SAMPLES; s++)
            for (uint32_t j = 0; j < d->outputs; j++)
                out[s * d->outputs + j] += in[s * d->units + i] * d->weight[(size_t)i * d->outputs + j];
}

/* The first element of a slice or a view in its input, and how long the input is. */
static uint32_t window_of(const Drawn *d, const Node *node, uint32_t *length)
{
    uint32_t axis;
    int64_t start = 0, stop;
    *length = length_of(d, node->in[0]);
    return build_is_slice(node, &axis, &start, &stop) ? (uint32_t)((uint64_t)start * d->units / d->width) : 0;
}

static void forward(Drawn *d, NodeId id)
{
    const Node *node = graph_node(d->f->g, id);
    const double *arg[MAX_IN];
    uint32_t n = length_of(d, id), from;
    if (!d->known[id]) {
        draw_value(d, id);
    } else if (node->op->kind == OP_MAP) {
        arguments(d, node, (size_t)SAMPLES * n, arg);
        sx_eval_many(d->f->sx, build_fn(node), arg, node->n_in, (size_t)SAMPLES * n, d->value[id]);
    } else if (facts_weight(d->f->g, id) >= 0) {
        multiply(d, id);
    } else {
        uint32_t start = window_of(d, node, &from);
        for (uint32_t s = 0; s < SAMPLES; s++)
            memcpy(d->value[id] + (size_t)s * n, d->value[node->in[0]] + (size_t)s * from + start, n * sizeof(double));
    }
}

/* ── backward ── */
static const Slopes *slopes_of(Drawn *d, const Node *node)
{
    Sx fn = build_fn(node);
    uint32_t i = 0;
    while (i < d->n_slopes && d->slopes[i].fn != fn)
        i++;
    if (i < d->n_slopes)
        return &d->slopes[i];
    i = d->n_slopes < MAX_FN ? d->n_slopes++ : MAX_FN - 1;
    d->slopes[i].fn = fn;
    sx_gradient(d->f->sx, fn, node->n_in, d->slopes[i].d);
    for (uint32_t k = 0; k < node->n_in; k++)
        d->slopes[i].d[k] = sx_simplify(d->f->sx, d->slopes[i].d[k]);
    return &d->slopes[i];
}

static void backward_map(Drawn *d, const Node *node, const double *dy, uint32_t n)
{
    const double *arg[MAX_IN];
    size_t count = (size_t)SAMPLES * n;
    const Slopes *slopes = slopes_of(d, node);
    arguments(d, node, count, arg);
    double *slope = d->scratch + MAX_IN * count;
    for (uint32_t i = 0; i < node->n_in; i++) {
        NodeId in = node->in[i];
        if (!d->known[in])
            continue;
        sx_eval_many(d->f->sx, slopes->d[i], arg, node->n_in, count, slope);
        for (size_t k = 0; k < count; k++)
            d->gradient[in][k] += dy[k] * slope[k];
    }
}

static void multiply_back(const Drawn *d, const double *dy, double *dx)
{
    for (uint32_t i = 0; i < d->units; i++) {
        const double *row = d->weight + (size_t)i * d->outputs;
        for (uint32_t s = 0; s < SAMPLES; s++) {
            const double *from = dy + (size_t)s * d->outputs;
            double part[4] = {0}; /* four sums at a time: a processor waits for none */
            uint32_t j = 0;
            for (; j + 4 <= d->outputs; j += 4)
                for (uint32_t k = 0; k < 4; k++)
                    part[k] += from[j + k] * row[j + k];
            for (; j < d->outputs; j++)
                part[0] += from[j] * row[j];
            dx[s * d->units + i] += part[0] + part[1] + part[2] + part[3];
        }
    }
}

static void backward(Drawn *d, NodeId id)
{
    const Node *node = graph_node(d->f->g, id);
    const double *dy = d->gradient[id];
    uint32_t n = length_of(d, id), from;
    if (!d->known[id])
        return;
    if (node->op->kind == OP_MAP) {
        backward_map(d, node, dy, n);
    } else if (facts_weight(d->f->g, id) >= 0) {
        multiply_back(d, dy, d->gradient[node->in[0]]);
    } else {
        uint32_t start = window_of(d, node, &from);
        for (uint32_t s = 0; s < SAMPLES; s++)
            for (uint32_t k = 0; k < n; k++)
                d->gradient[node->in[0]][(size_t)s * from + start + k] += dy[(size_t)s * n + k];
    }
}

/* ln |v|, of numbers whose squares may be too small to be. */
static double log_norm(const double *v, size_t n)
{
    double most = 0, square = 0;
    for (size_t i = 0; i < n; i++)
        most = fmax(most, fabs(v[i]));
    for (size_t i = 0; i < n && most > 0; i++)
        square += (v[i] / most) * (v[i] / most);
    return log(most) + log(square) / 2;
}

static double ratio_of(Drawn *d, bool orthogonal)
{
    draw_weight(d, orthogonal);
    d->input_root = 0;
    for (uint32_t i = 0; i < d->n; i++) {
        forward(d, d->node[i]);
        memset(d->gradient[d->node[i]], 0, SAMPLES * length_of(d, d->node[i]) * sizeof(double));
    }
    for (uint32_t s = 0; s < SAMPLES; s++)
        normals(d->network, OWN + s, 0, d->gradient[d->h->end] + (size_t)s * d->units, d->units);
    for (uint32_t i = d->n; i-- > 0;)
        backward(d, d->node[i]);
    size_t n = (size_t)SAMPLES * d->outputs;
    return log_norm(d->gradient[d->h->first], n) - log_norm(d->gradient[d->h->last], n);
}

/* Of the drawn networks' logarithms. Logarithms of products of random matrices are normal; what of their variance comes from the width goes as one over it, and
 * the mean lies below the logarithm of the mean square by as much. The band of a wider layer is left as it is: few inputs scatter it, too. */
static HorizonRatio summary(const double *ratio, double part)
{
    double mean = 0, variance = 0;
    for (uint32_t i = 0; i < NETWORKS; i++)
        mean += ratio[i] / NETWORKS;
    for (uint32_t i = 0; i < NETWORKS; i++)
        variance += (ratio[i] - mean) * (ratio[i] - mean) / (NETWORKS - 1);
    mean += variance * (1 - part);
    double reach = nine_of_ten * sqrt(variance);
    return (HorizonRatio){exp(mean), exp(mean - reach), exp(mean + reach)};
}

static void make_room(Drawn *d, Arena *arena)
{
    uint32_t widest = d->outputs;
    d->value = arena_array(arena, double *, d->h->end + 1u);
    d->gradient = arena_array(arena, double *, d->h->end + 1u);
    for (uint32_t i = 0; i < d->n; i++) {
        uint32_t n = length_of(d, d->node[i]);
        d->value[d->node[i]] = arena_array(arena, double, (size_t)SAMPLES * n);
        d->gradient[d->node[i]] = arena_array(arena, double, (size_t)SAMPLES * n);
        widest = n > widest ? n : widest;
    }
    d->weight = arena_array(arena, double, (size_t)d->units * d->outputs);
    d->input_weight = arena_array(arena, double, (size_t)UNITS * widest);
    d->scratch = arena_array(arena, double, (size_t)(MAX_IN + 2) * SAMPLES * widest);
}

HorizonRatio horizon_ratio(const Facts *f, const Signal *signal, const Horizon *h, bool orthogonal)
{
    const Type *weight = &f->g->tensors.at[h->weight].type;
    HorizonRatio out = {NAN, NAN, NAN};
    Drawn d = {.f = f, .signal = signal, .h = h, .width = weight->dim[0]};
    if (weight->rank != 2 || type_last(weight) % d.width != 0)
        return out;
    Arena *arena = arena_new();
    d.units = d.width < UNITS ? d.width : UNITS;
    uint32_t gates = (uint32_t)(type_last(weight) / d.width);
    while (d.units >= 2 * FEWEST_UNITS && (uint64_t)h->steps * d.units * d.units * gates > MOST_WORK)
        d.units /= 2;
    d.outputs = gates * d.units;
    if (collect(&d, arena)) {
        double ratio[NETWORKS];
        make_room(&d, arena);
        for (d.network = 1; d.network <= NETWORKS; d.network++)
            ratio[d.network - 1] = ratio_of(&d, orthogonal);
        out = summary(ratio, (double)d.units / d.width);
    }
    arena_free(arena);
    return out;
}
