/* attention: every place of a sequence looks at others (or at those of another sequence) and takes from each as much as its key fits its
 * query. Weights as in PyTorch's nn.MultiheadAttention; those with key-value heads or rotary positions as four projections of their own. */
#include "ops/layer.h"

#include <math.h>

enum { HEADS, KV_HEADS, CAUSAL, CONTEXT, POSITION, WEIGHT, BIAS };

typedef struct Heads {
    LayerCall *call;
    NodeId x, context;      /* the same value in self-attention */
    uint32_t lead;          /* axes in front of the places */
    uint32_t n, kv, width;  /* heads, key-value heads, numbers of a head */
    uint32_t features, context_features;
} Heads;

/* ── what the user wrote ── */
static Diag *wrong(LayerCall *call, uint32_t arg, const char *format, ...) __attribute__((format(printf, 3, 4)));
static Diag *wrong(LayerCall *call, uint32_t arg, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    Str text = str_vprintf(call->arena, format, args);
    va_end(args);
    Span span = call->arg[arg].span.source ? call->arg[arg].span : call->span;
    return diag_new(call->diags, LEVEL_ERROR, "ACT1209", "wrong_argument", span, STR_FMT, STR_ARG(text));
}

/* "1, 2, 4, 8": the divisors of n up to `most`. */
static Str divisors(LayerCall *call, uint32_t n, uint32_t most)
{
    Text text = {.arena = call->arena};
    for (uint32_t d = 1; d <= n && d <= most; d++)
        if (n % d == 0)
            text_printf(&text, "%s%u", d > 1 ? ", " : "", d);
    return text_str(&text);
}

static bool divides(Heads *h)
{
    LayerCall *call = h->call;
    int64_t heads = call->arg[HEADS].i, kv = call->arg[KV_HEADS].kind == ARG_NONE ? heads : call->arg[KV_HEADS].i;
    if (heads < 1 || kv < 1) {
        wrong(call, heads < 1 ? HEADS : KV_HEADS, "attention has at least one head");
        return false;
    }
    if (heads > h->features || h->features % heads != 0) {
        Diag *diag = layer_error(call, "ACT803", "head_divisibility", 0, "%u features can't be shared out to %lld heads",
                                 h->features, (long long)heads);
        diag_note(diag, "every head works on its part of the features, and all parts are equal");
        diag_help(diag, "choose one of " STR_FMT " heads, or another number of features",
                  STR_ARG(divisors(call, h->features, 64)));
        return false;
    }
    if (kv > heads || heads % kv != 0) {
        Diag *diag = layer_error(call, "ACT803", "head_divisibility", 0, "%lld heads can't share %lld key-value heads",
                                 (long long)heads, (long long)kv);
        diag_note(diag, "every key-value head serves the same number of heads");
        diag_help(diag, "choose one of " STR_FMT, STR_ARG(divisors(call, (uint32_t)heads, (uint32_t)heads)));
        return false;
    }
    h->n = (uint32_t)heads;
    h->kv = (uint32_t)kv;
    h->width = h->features / h->n;
    return true;
}

static bool context_fits(Heads *h)
{
    LayerCall *call = h->call;
    const Type *x = graph_type(call->g, h->x), *y = graph_type(call->g, h->context);
    bool fits = y->rank == x->rank && y->dtype == DT_F32;
    for (uint32_t i = 0; fits && i < h->lead; i++)
        fits = x->dim[i] == y->dim[i];
    if (!fits) {
        Diag *diag = layer_error(call, "ACT101", "shape_mismatch", 0, "this context can't be attended to");
        diag_label(diag, call->arg[CONTEXT].span, "this has shape " STR_FMT, STR_ARG(layer_shape(call, h->context)));
        diag_note(diag, "a context is a sequence of numbers, [time, features], as the value itself");
        return false;
    }
    if (call->arg[CAUSAL].flag && x->dim[h->lead] != y->dim[h->lead]) {
        Diag *diag = wrong(call, CAUSAL, "`causal` compares places, and these sequences have %u and %u", x->dim[h->lead],
                           y->dim[h->lead]);
        diag_help(diag, "leave it out: every place may look at the whole context");
        return false;
    }
    return true;
}

static bool accepts(Heads *h)
{
    LayerCall *call = h->call;
    const Type *x = layer_type(call, 0);
    bool context = call->arg[CONTEXT].kind == ARG_VALUE, rotary = str_is(call->arg[POSITION].word, "rotary");
    h->x = call->value[0].value;
    h->context = context ? call->arg[CONTEXT].value : h->x;
    if (!layer_real(call, 0))
        return false;
    bool grouped = call->arg[KV_HEADS].kind != ARG_NONE;
    uint32_t most = TYPE_MAX_RANK - (grouped ? 2 : 1); /* heads and what they share take axes of their own */
    if (x->rank < 2 || x->rank > most) {
        Diag *diag = layer_error(call, "ACT101", "shape_mismatch", 0, "`attention` works on sequences, [time, features]");
        if (x->rank < 2)
            diag_help(diag, "a row of numbers becomes a sequence by `|> reshape(time, features)`");
        else
            diag_help(diag, "at most %u axes may stand in front; join some by `|> reshape(...)`", most - 2);
        return false;
    }
    h->lead = x->rank - 2;
    h->features = x->dim[x->rank - 1];
    if (!divides(h) || (context && !context_fits(h)))
        return false;
    const Type *y = graph_type(call->g, h->context);
    h->context_features = y->dim[y->rank - 1];
    if (rotary && context) {
        Diag *diag = wrong(call, POSITION, "rotary positions compare places of one sequence, and `context` is another");
        diag_help(diag, "leave `position` out, or `context`");
        return false;
    }
    if (rotary && h->width % 2) {
        Diag *diag = wrong(call, POSITION, "rotary positions turn pairs of numbers, and a head has %u", h->width);
        diag_help(diag, "choose heads or features so that features / heads is even; here it is %u / %u", h->features, h->n);
        return false;
    }
    return true;
}

/* ── projections ── */
static NodeId weight(Heads *h, const char *name, uint32_t in, uint32_t out)
{
    Tensor like = {.type = type_make(DT_F32, false, 2, (uint32_t[]){in, out}), .fan_in = in, .fan_out = out, .weight = true};
    like.file_axis[0] = 1;
    like.file_axis[1] = 0;
    return h->call->param(h->call, &like, name, &h->call->arg[WEIGHT]);
}

/* *bias 0: there is none. */
static bool bias(Heads *h, const char *name, uint32_t in, uint32_t n, NodeId *out)
{
    Tensor like = {.type = type_make(DT_F32, false, 1, &n), .fan_in = in, .fan_out = n};
    *out = 0;
    if (h->call->arg[BIAS].kind == ARG_FLAG)
        return true;
    *out = h->call->param(h->call, &like, name, &h->call->arg[BIAS]);
    return *out != 0;
}

static NodeId affine(Graph *g, NodeId x, NodeId w, NodeId b)
{
    NodeId y = build_contract(g, CONTRACT_NN, x, w);
    return b ? build_add(g, y, b) : y;
}

/* A projection with parameters of its own, NAME.weight and NAME.bias. */
static NodeId linear(Heads *h, const char *name, NodeId x, uint32_t in, uint32_t out)
{
    NodeId b, w = weight(h, str_c(h->call->arena, str_printf(h->call->arena, "%s.weight", name)), in, out);
    if (!w || !bias(h, str_c(h->call->arena, str_printf(h->call->arena, "%s.bias", name)), in, out, &b))
        return 0;
    return affine(h->call->g, x, w, b);
}

/* A projection to n heads, [..., time, n, width]. */
static NodeId apart(const Heads *h, NodeId y, uint32_t n)
{
    Type type = *graph_type(h->call->g, y);
    type.dim[h->lead + 1] = n;
    type.dim[h->lead + 2] = h->width;
    return build_reshape(h->call->g, y, h->lead + 3, type.dim);
}

/* Heads [first, first + n) of these in front of the places: [..., n, time, width]. */
static NodeId heads(const Heads *h, NodeId y, uint32_t first, uint32_t n)
{
    Graph *g = h->call->g;
    int64_t axes[TYPE_MAX_RANK];
    for (uint32_t i = 0; i < h->lead + 3; i++)
        axes[i] = i == h->lead ? i + 1 : i == h->lead + 1 ? i - 1 : i;
    return build_permute(g, build_slice(g, y, h->lead + 1, first, first + n), h->lead + 3, axes);
}

/* One product for queries, keys and values: in_proj_weight, in_proj_bias. */
static bool joined(Heads *h, NodeId qkv[3])
{
    NodeId b, w = weight(h, "in_proj_weight", h->features, 3 * h->features);
    if (!w || !bias(h, "in_proj_bias", h->features, 3 * h->features, &b))
        return false;
    Graph *g = h->call->g;
    if (h->context == h->x) {
        NodeId y = apart(h, affine(g, h->x, w, b), 3 * h->n);
        for (uint32_t i = 0; i < 3; i++)
            qkv[i] = heads(h, y, i * h->n, h->n);
        return true;
    }
    /* queries from the value, keys and values from the context */
    uint32_t c = h->features;
    NodeId q = affine(g, h->x, build_slice(g, w, 1, 0, c), b ? build_slice(g, b, 0, 0, c) : 0);
    NodeId kv = affine(g, h->context, build_slice(g, w, 1, c, 3 * c), b ? build_slice(g, b, 0, c, 3 * c) : 0);
    NodeId both = apart(h, kv, 2 * h->n);
    qkv[0] = heads(h, apart(h, q, h->n), 0, h->n);
    qkv[1] = heads(h, both, 0, h->n);
    qkv[2] = heads(h, both, h->n, h->n);
    return true;
}

/* A context of another width: q_proj_weight, k_proj_weight, v_proj_weight and a common in_proj_bias. */
static bool wider(Heads *h, NodeId qkv[3])
{
    static const char *const name[3] = {"q_proj_weight", "k_proj_weight", "v_proj_weight"};
    Graph *g = h->call->g;
    NodeId w[3], b;
    uint32_t c = h->features;
    for (uint32_t i = 0; i < 3; i++)
        if (!(w[i] = weight(h, name[i], i ? h->context_features : c, c)))
            return false;
    if (!bias(h, "in_proj_bias", c, 3 * c, &b))
        return false;
    for (uint32_t i = 0; i < 3; i++) {
        NodeId own = b ? build_slice(g, b, 0, i * c, (i + 1) * c) : 0;
        qkv[i] = heads(h, apart(h, affine(g, i ? h->context : h->x, w[i], own), h->n), 0, h->n);
    }
    return true;
}

static bool separate(Heads *h, NodeId qkv[3])
{
    static const char *const name[3] = {"q_proj", "k_proj", "v_proj"};
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t n = i ? h->kv : h->n;
        NodeId y = linear(h, name[i], i ? h->context : h->x, i ? h->context_features : h->features, n * h->width);
        if (!y)
            return false;
        qkv[i] = heads(h, apart(h, y, n), 0, n);
    }
    return true;
}

/* ── rotary positions ── */
/* At place t, the pair of numbers i and i + width / 2 is turned by the angle t / 10000^(2 i / width): the product of a query and a key
 * then depends on how far apart they are. */
static NodeId turned(const Heads *h, NodeId x)
{
    enum { BASE = 10000 };
    Graph *g = h->call->g;
    SxPool *sx = g->sx;
    uint32_t rank = graph_type(g, x)->rank, last = rank - 1, half = h->width / 2, time = graph_type(g, x)->dim[last - 1];
    NodeId places[2] = {build_reshape(g, build_iota(g, time), 2, (uint32_t[]){time, 1}), build_iota(g, half)};
    Sx rate = sx_un(sx, SX_EXP, sx_mul(sx, sx_arg(sx, 1), sx_num(sx, -2 * log((double)BASE) / h->width)));
    Sx angle = sx_mul(sx, sx_arg(sx, 0), rate);
    NodeId a = build_slice(g, x, last, 0, half), b = build_slice(g, x, last, half, 2 * half);
    NodeId cos = build_map(g, sx_un(sx, SX_COS, angle), places, 2), sin = build_map(g, sx_un(sx, SX_SIN, angle), places, 2);
    NodeId in[4] = {a, b, cos, sin};
    Sx ac = sx_mul(sx, sx_arg(sx, 0), sx_arg(sx, 2)), bs = sx_mul(sx, sx_arg(sx, 1), sx_arg(sx, 3));
    Sx bc = sx_mul(sx, sx_arg(sx, 1), sx_arg(sx, 2)), as = sx_mul(sx, sx_arg(sx, 0), sx_arg(sx, 3));
    NodeId out[2] = {build_map(g, sx_sub(sx, ac, bs), in, 4), build_map(g, sx_add(sx, bc, as), in, 4)};
    return build_concat(g, out, 2, last);
}

/* ── the layer ── */
/* The batch in front of a value that is the same for every sample. */
static NodeId for_each_sample(Graph *g, NodeId a, NodeId like)
{
    if (graph_type(g, a)->batch || !graph_type(g, like)->batch)
        return a;
    uint32_t all = (1u << graph_type(g, like)->rank) - 1;
    return build_expand(g, a, build_add(g, a, build_scale(g, build_reduce(g, REDUCE_SUM, like, all, false, false), 0)));
}

/* Queries of the heads that share keys and values: [n, time, width] as [kv, n / kv, time, width]. */
static NodeId regroup(const Heads *h, NodeId q, bool apart)
{
    Graph *g = h->call->g;
    Type type = *graph_type(g, q);
    uint32_t from = apart ? 1 : 2, to = apart ? 2 : 1, dim[TYPE_MAX_RANK];
    if (h->kv == h->n)
        return q;
    for (uint32_t i = 0; i < h->lead; i++)
        dim[i] = type.dim[i];
    dim[h->lead] = apart ? h->kv : h->n;
    dim[h->lead + 1] = h->n / h->kv;
    for (uint32_t i = 0; i < 2; i++)
        dim[h->lead + to + i] = type.dim[h->lead + from + i];
    return build_reshape(g, q, h->lead + to + 2, dim);
}

static bool build(LayerCall *call)
{
    Heads h = {.call = call};
    Graph *g = call->g;
    NodeId qkv[3];
    if (!accepts(&h))
        return false;
    bool rotary = str_is(call->arg[POSITION].word, "rotary");
    if (rotary || h.kv != h.n ? !separate(&h, qkv) : h.context_features != h.features ? !wider(&h, qkv) : !joined(&h, qkv))
        return false;
    for (uint32_t i = 0; rotary && i < 2; i++)
        qkv[i] = turned(&h, qkv[i]);
    NodeId like = graph_type(g, qkv[0])->batch ? qkv[0] : qkv[1];
    for (uint32_t i = 0; i < 3; i++)
        qkv[i] = for_each_sample(g, qkv[i], like);
    Attend attend = {.scale = 1 / sqrt(h.width), .causal = call->arg[CAUSAL].flag};
    NodeId y = regroup(&h, build_attend(g, attend, regroup(&h, qkv[0], true), qkv[1], qkv[2]), false);
    Type type = *layer_type(call, 0);
    int64_t axes[TYPE_MAX_RANK];
    for (uint32_t i = 0; i < h.lead + 3; i++)
        axes[i] = i == h.lead ? i + 1 : i == h.lead + 1 ? i - 1 : i;
    y = build_reshape(g, build_permute(g, y, h.lead + 3, axes), type.rank, type.dim);
    NodeId out = linear(&h, "out_proj", y, h.features, h.features);
    return out && layer_done(call, out);
}

ACT_LAYER(attention) = {
    .name = "attention",
    .doc = "Multi-head attention: every place of a sequence takes from all places (or from those of `context`) a mean of their values, "
           "weighed by how well its query fits their keys. Weights are named as in PyTorch's MultiheadAttention.",
    .min_value = 1,
    .max_value = 1,
    .n_param = 7,
    .param = {{.name = "heads", .kind = ARG_INT, .doc = "into how many parts the features are divided"},
              {.name = "kv_heads",
               .kind = ARG_INT,
               .doc = "the heads of keys and values, when several query heads share one",
               .optional = true,
               .named_only = true},
              {.name = "causal",
               .kind = ARG_FLAG,
               .def = "false",
               .doc = "no place sees a later one",
               .named_only = true},
              {.name = "context",
               .kind = ARG_VALUE,
               .doc = "another sequence to take keys and values from",
               .optional = true,
               .named_only = true},
              {.name = "position",
               .kind = ARG_WORD,
               .def = "none",
               .doc = "rotary: queries and keys are turned by their place, so that distances count",
               .named_only = true,
               .words = "none|rotary"},
              {.name = "weight", .kind = ARG_INIT, .def = "auto", .doc = "how the weights start", .named_only = true},
              {.name = "bias",
               .kind = ARG_INIT,
               .def = "zeros",
               .doc = "how the biases start; `false` leaves them out",
               .named_only = true}},
    .weighted = true,
    .build = build,
    .example = "model example {\n"
               "    input x : f32[32, 64]\n"
               "    h = x + (x |> attention(4, causal = true, position = rotary))\n"
               "    output y = h |> linear(8)\n"
               "}\n",
};
