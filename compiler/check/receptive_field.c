/* ACT706: a prediction that sees only a part of the input: one for the whole of it, or one for each place that sees little around it. */
#include "check/sight.h"

#include <string.h>

/* A prediction for a place is meant to be local; one that sees less than this part of the input is worth saying. */
enum { local = 8 };

/* The part of a value that the prediction is computed from: along each axis a range. */
typedef struct Part {
    bool any;
    uint32_t low[TYPE_MAX_RANK], high[TYPE_MAX_RANK]; /* both belong to it */
} Part;

static void join(Part *part, const Part *other, uint32_t rank)
{
    for (uint32_t i = 0; i < rank; i++) {
        part->low[i] = part->any && part->low[i] < other->low[i] ? part->low[i] : other->low[i];
        part->high[i] = part->any && part->high[i] > other->high[i] ? part->high[i] : other->high[i];
    }
    part->any = true;
}

static Part whole(const Type *type)
{
    Part part = {.any = true};
    for (uint32_t i = 0; i < type->rank; i++)
        part.high[i] = type->dim[i] - 1;
    return part;
}

/* What of input `which` a node needs for the part `out` of its value; all of it where that is not known. */
static Part behind(const Graph *g, const Node *node, uint32_t which, const Part *out)
{
    const Type *in = graph_type(g, node->in[which]), *type = &node->type;
    Part part = whole(in);
    Window w;
    uint32_t axis, before, after;
    int64_t start, stop;
    if (build_is_window(node, &w) || build_is_window_max(node, &w)) {
        bool maximum = type->rank == in->rank;
        for (uint32_t i = 0; i < in->rank; i++) {
            uint32_t first = maximum || i >= w.n ? 0 : out->low[w.n + i], last = maximum || i >= w.n ? 0 : out->high[w.n + i];
            uint32_t from = i < w.n || maximum ? i : i + w.n;
            part.low[i] = out->low[from] * (i < w.n ? w.stride[i] : 1);
            part.high[i] = out->high[from] * (i < w.n ? w.stride[i] : 1);
            if (i < w.n) {
                part.low[i] += first * w.dilation[i];
                part.high[i] += (maximum ? w.kernel[i] - 1 : last) * w.dilation[i];
            }
        }
    } else if (build_is_slice(node, &axis, &start, &stop)) {
        memcpy(part.low, out->low, sizeof part.low);
        memcpy(part.high, out->high, sizeof part.high);
        part.low[axis] += (uint32_t)start;
        part.high[axis] += (uint32_t)start;
    } else if (build_is_pad(node, &axis, &before, &after)) {
        uint32_t last = in->dim[axis] - 1;
        memcpy(part.low, out->low, sizeof part.low);
        memcpy(part.high, out->high, sizeof part.high);
        part.low[axis] = out->low[axis] < before ? 0 : out->low[axis] - before > last ? last : out->low[axis] - before;
        part.high[axis] = out->high[axis] < before ? 0 : out->high[axis] - before > last ? last : out->high[axis] - before;
    } else if (node->op->kind == OP_MAP || facts_is(node, "dropout") || facts_is(node, "batch_norm")) {
        for (uint32_t i = 0; i < in->rank && in->rank <= type->rank; i++) {
            uint32_t at = type->rank - in->rank + i;
            part.low[i] = in->dim[i] == 1 ? 0 : out->low[at];
            part.high[i] = in->dim[i] == 1 ? 0 : out->high[at];
        }
    } else if (node->op->kind == OP_VIEW) { /* leading axes that stay, and what joins behind them */
        for (uint32_t i = 0; i < in->rank && i < type->rank && in->dim[i] == type->dim[i]; i++) {
            part.low[i] = out->low[i];
            part.high[i] = out->high[i];
        }
        if (in->rank > type->rank && in->dim[0] == 1) /* one place taken out of a sequence */
            part.low[0] = part.high[0] = 0;
    } else if (node->op->kind == OP_CONTRACT && which == 0 && build_form(node) != CONTRACT_TN && build_contract_of(node).outer == 0) {
        uint32_t summed = build_form(node) == CONTRACT_NN ? build_contract_of(node).depth : 1;
        for (uint32_t i = 0; i + summed < in->rank; i++) {
            part.low[i] = out->low[i];
            part.high[i] = out->high[i];
        }
    } else if (facts_is(node, "gather") && which == 1) { /* a row for each place */
        memcpy(part.low, out->low, in->rank * sizeof part.low[0]);
        memcpy(part.high, out->high, in->rank * sizeof part.high[0]);
    }
    return part;
}

static bool is_all(const Part *part, const Type *type, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (part->low[i] > 0 || part->high[i] + 1 < type->dim[i])
            return false;
    return true;
}

/* By node: is a window behind it (or the node itself one)? */
static bool *windowed(const CheckContext *cx, NodeId last)
{
    bool *is = arena_array(cx->arena, bool, last + 1);
    for (NodeId id = 1; id <= last; id++) {
        const Node *node = graph_node(cx->g, id);
        Window w;
        is[id] = build_is_window(node, &w) || build_is_window_max(node, &w);
        for (uint32_t i = 0; i < node->n_in; i++)
            is[id] = is[id] || is[node->in[i]];
    }
    return is;
}

/* Is there more that the windows reach? What no window reaches is another finding's. */
static bool is_short(const Part *part, const Sight *sight)
{
    for (uint32_t i = 0; i < sight->n; i++)
        if (part->low[i] > 0 || part->high[i] + 1 + sight->axis[i].tail < sight->axis[i].size)
            return true;
    return false;
}

/* What a prediction was followed back to. */
typedef struct Trace {
    NodeId last, first; /* windows nearest to the prediction and nearest to the input; first is 0 when everything is seen */
    Sight nearest, widest; /* their geometry */
    Part seen;          /* of what the first ones look at */
    uint32_t axis;      /* along which least is seen */
} Trace;

static uint32_t extent(const Trace *trace) { return trace->seen.high[trace->axis] - trace->seen.low[trace->axis] + 1; }

static void report(CheckContext *cx, NodeId prediction, const Trace *trace, bool dense)
{
    const Type *type = graph_type(cx->g, trace->widest.source);
    uint32_t low = trace->seen.low[trace->axis], high = trace->seen.high[trace->axis], size = type->dim[trace->axis];
    const char *word = sight_word(trace->widest.n, trace->axis);
    Diag *diag = check_report(cx, LEVEL_NOTE, check_span(cx, trace->last), "%s prediction sees %u of %u %ss", dense ? "each" : "the",
                              extent(trace), size, word);
    check_spot_node(cx, prediction);
    diag_primary(diag, dense ? "a place in the midst of this value sees %ss %u to %u" : "one place of this value sees %ss %u to %u", word, low, high);
    if (check_span(cx, trace->first).begin != check_span(cx, trace->last).begin)
        diag_label(diag, check_span(cx, trace->first), "takes in all %u", size);
    diag_note(diag, "the others have no influence on it: each layer of windows widens what a place sees by (k - 1) d times the strides "
                    "in front");
    diag_help(diag, dense ? "add layers, double the dilation from one to the next, or go through a coarser level and back (a pool, `upsample`)"
                          : "add layers, double the dilation from one to the next, or take a mean over all places");
}

/* What stands in front of the windows has a place for each of theirs; is more of it seen, because something there looks at all places, as a
 * recurrent layer does? */
static bool is_short_in_front(const CheckContext *cx, const Part *part, NodeId source, const Sight *sight)
{
    const Type *type = graph_type(cx->g, source);
    for (NodeId id = source; id > 0; id--) {
        const Type *in = graph_type(cx->g, id);
        bool like = part[id].any && in->batch && in->rank >= sight->n;
        for (uint32_t i = 0; like && i < sight->n; i++)
            like = in->dim[i] == type->dim[i];
        if (like && is_all(&part[id], in, sight->n))
            return false;
    }
    return true;
}

/* Follows the part `start` of a prediction back. */
static Trace follow(CheckContext *cx, NodeId prediction, const Part *start)
{
    Part *part = arena_array(cx->arena, Part, prediction + 1);
    const bool *deep = windowed(cx, prediction);
    Trace trace = {0};
    Sight sight;
    bool all = false;
    part[prediction] = *start;
    for (NodeId id = prediction; id > 0; id--) {
        const Node *node = graph_node(cx->g, id);
        for (uint32_t i = 0; part[id].any && i < node->n_in; i++)
            if (graph_type(cx->g, node->in[i])->batch) {
                Part in = behind(cx->g, node, i, &part[id]);
                join(&part[node->in[i]], &in, graph_type(cx->g, node->in[i])->rank);
            }
        if (trace.last || !part[id].any || !sight_of(cx, id, &sight))
            continue;
        all = is_all(&part[id], graph_type(cx->g, id), sight.n);
        trace.last = id;
        trace.nearest = sight;
    }
    for (NodeId id = trace.last; id > 0 && !all && !trace.first; id--)
        if (part[id].any && sight_of(cx, id, &sight) && !deep[sight.source] && is_short(&part[sight.source], &sight) &&
            is_short_in_front(cx, part, sight.source, &sight)) {
            trace.first = id;
            trace.widest = sight;
            trace.seen = part[sight.source];
        }
    const Type *type = trace.first ? graph_type(cx->g, trace.widest.source) : NULL;
    for (uint32_t i = 1; type && i < trace.widest.n; i++)
        if ((trace.seen.high[i] - trace.seen.low[i] + 1) * (uint64_t)type->dim[trace.axis] < extent(&trace) * (uint64_t)type->dim[i])
            trace.axis = i;
    return trace;
}

/* Does the prediction have a place for each place of the windows nearest to it? */
static bool is_dense(const Type *type, const Sight *nearest)
{
    bool same = nearest->n > 0 && nearest->n <= type->rank;
    for (uint32_t i = 0; same && i < nearest->n; i++)
        same = type->dim[i] == nearest->axis[i].places && type->dim[i] > 1;
    return same;
}

/* One place of a dense prediction: the middle one, or the last one, which sees most of a causal network's input. */
static Trace follow_place(CheckContext *cx, NodeId prediction, uint32_t axes)
{
    const Type *type = graph_type(cx->g, prediction);
    Trace most = {0};
    for (int last = 0; last < 2; last++) {
        Part place = whole(type);
        for (uint32_t i = 0; i < axes; i++)
            place.low[i] = place.high[i] = last ? type->dim[i] - 1 : type->dim[i] / 2;
        Trace trace = follow(cx, prediction, &place);
        if (!trace.first)
            return trace;
        if (!most.first || extent(&trace) > extent(&most))
            most = trace;
    }
    return most;
}

static void judge(CheckContext *cx, NodeId prediction)
{
    const Type *type = graph_type(cx->g, prediction);
    Part all = whole(type);
    Trace trace = follow(cx, prediction, &all);
    if (trace.first) {
        report(cx, prediction, &trace, false);
    } else if (trace.last && is_dense(type, &trace.nearest)) {
        trace = follow_place(cx, prediction, trace.nearest.n);
        if (trace.first && extent(&trace) * local < graph_type(cx->g, trace.widest.source)->dim[trace.axis])
            report(cx, prediction, &trace, true);
    }
}

static void receptive_field(CheckContext *cx)
{
    for (uint32_t k = 0; k < cx->model->losses.n; k++) {
        const LossCall *loss = &cx->model->losses.at[k];
        const Tensor *target;
        TargetKind kind = loss->prediction ? check_target(cx, loss, &target) : TARGET_NONE;
        bool again = k > 0 && cx->model->losses.at[k - 1].prediction == loss->prediction;
        if ((kind == TARGET_CLASS || kind == TARGET_BINARY) && !again)
            judge(cx, loss->prediction);
    }
}

#define EXAMPLE(third)                                                                                                  \
    "model heart {\n"                                                                                                   \
    "    input  signal : f32[64, 1]\n"                                                                                  \
    "    target rhythm : class(4)\n"                                                                                    \
    "    a = signal |> conv1d(16, 8, padding = causal) |> relu\n"                                                       \
    "    b = a |> conv1d(16, 8, padding = causal, dilation = " third ") |> relu\n"                                      \
    "    z = b |> slice(63, 64) |> flatten |> linear(4)\n"                                                              \
    "    loss cross_entropy(z, rhythm)\n"                                                                               \
    "}\n"

ACT_CHECK(receptive_field) = {
    .code = "ACT706",
    .name = "receptive_field",
    .group = "convolution",
    .level = LEVEL_NOTE,
    .summary = "a prediction for the whole input that sees only a part of it, or one for a place that sees next to nothing around it",
    .doc =
        "One place behind windows of k elements sees k of them; each layer more adds (k - 1) d times the strides in front of it, d its dilation. "
        "Where a network takes a single place and predicts from it, as temporal convolutional networks do with the last step, what lies "
        "further back has no influence, however long it is trained: three layers of 3 steps see 7, with dilations 1, 2 and 4 they see 15.\n\n"
        "The rule follows what the prediction of a class is computed from back to the input. A flatten or a mean over all places sees "
        "everything and is not reported. A prediction for every place (segmentation, the next step) is meant to be local: it is reported where "
        "the place that sees most sees less than an eighth of the rows, columns or steps. Networks that go through a coarser level and "
        "back, or look at all places once (attention, a recurrent layer), see more.",
    .wrong = EXAMPLE("2"),
    .right = EXAMPLE("8"),
    .run = receptive_field,
};
