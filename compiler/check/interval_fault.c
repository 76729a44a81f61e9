/* ACT1002: a formula without a value where its inputs certainly go. */
#include "check/edit.h"
#include "check/flow.h"

#include <float.h>
#include <math.h>

enum { MAX_IN = 16, STEPS = 60 };

/* What is known of the values that one input of a map runs through. */
typedef struct Domain {
    enum { DOMAIN_NONE, DOMAIN_NORMAL /* trained: spread around a mean */, DOMAIN_RANGE /* declared */ } kind;
    double mean, deviation; /* at the start */
    double low, high;
} Domain;

static Domain domain_of(const CheckContext *cx, NodeId base)
{
    ValueRange range = cx->facts->range[base];
    const Tensor *tensor = facts_tensor(graph_node(cx->g, base)) >= 0
                               ? &cx->g->tensors.at[facts_tensor(graph_node(cx->g, base))]
                               : NULL;
    if (tensor && (tensor->role == ROLE_PARAM || tensor->role == ROLE_CONSTANT)) {
        double mean = tensor->fill.kind == FILL_UNIFORM ? (tensor->fill.a + tensor->fill.b) / 2
                      : tensor->fill.kind == FILL_ORTHOGONAL ? 0 : tensor->fill.a;
        if (tensor->fill.kind == FILL_UNIFORM)
            return (Domain){DOMAIN_RANGE, mean, tensor->deviation, tensor->fill.a, tensor->fill.b};
        return (Domain){.kind = DOMAIN_NORMAL, .mean = mean, .deviation = tensor->deviation};
    }
    const Moments *m = &cx->signal->value[base];
    double deviation = signal_deviation(cx->signal, base);
    if (range.full && m->second > 0 && isfinite(m->second) && deviation > 0)
        return (Domain){.kind = DOMAIN_NORMAL, .mean = m->mean, .deviation = deviation};
    if (range.known && isfinite(range.low) && isfinite(range.high) && range.low < range.high)
        return (Domain){DOMAIN_RANGE, (range.low + range.high) / 2, 0, range.low, range.high};
    return (Domain){0};
}

/* Point number i; *sure: values like it are met in every batch. Points are odd enough to meet no corner by chance. */
static double point(const Domain *domain, unsigned i, bool *sure)
{
    double t = 2.0 * i / STEPS - 1;
    *sure = true;
    if (domain->kind == DOMAIN_NORMAL) {
        double z = 3 * t + 0.00713;
        *sure = fabs(z) <= 1;
        return domain->mean + domain->deviation * z;
    }
    *sure = i > 0 && i < STEPS;
    return i == 0 ? domain->low
           : i == STEPS ? domain->high
                        : domain->low + (domain->high - domain->low) * ((1 + t) / 2 + 0.000713);
}

/* What goes wrong at a point. */
typedef struct Fault {
    Domain domain;
    NodeId base;
    uint32_t input;
    double at, value; /* of the base, of the formula */
    double operand;   /* of the operation that has no value there */
    SxOp op;          /* SX_OP_COUNT: none is to blame alone */
    bool sure, slope;
} Fault;

typedef struct Search {
    SxPool *sx;
    const double *args;
    Fault *fault;
} Search;

/* The first operation that makes a non-number of numbers. */
static void blame(void *context, Sx node, const SxNode *what)
{
    Search *search = context;
    unsigned n = sx_op_arity(what->op);
    if (search->fault->op != SX_OP_COUNT || what->op == SX_NUM || what->op == SX_ARG || n == 0)
        return;
    double value = sx_eval(search->sx, node, search->args);
    if (isfinite(value) && fabs(value) <= FLT_MAX)
        return;
    for (unsigned i = 0; i < n; i++)
        if (!isfinite(sx_eval(search->sx, what->in[i], search->args)))
            return;
    search->fault->op = what->op;
    search->fault->operand = sx_eval(search->sx, what->in[what->op == SX_DIV ? 1 : 0], search->args);
}

/* The other inputs stand somewhere in the middle. */
static double elsewhere(const CheckContext *cx, NodeId in)
{
    NodeId base = cx->facts->base[in];
    double at = 0.37;
    if (base) {
        Domain domain = domain_of(cx, base);
        if (domain.kind == DOMAIN_NORMAL)
            at = domain.mean + 0.37 * domain.deviation;
        else if (domain.kind == DOMAIN_RANGE)
            at = domain.low + 0.637 * (domain.high - domain.low);
    }
    return sx_eval(cx->sx, cx->facts->fn[in], &at);
}

static bool is_number(double value) { return isfinite(value) && fabs(value) <= FLT_MAX; }

/* Do all that read `id`, whose value is no number at the fault, take another value there? `if z > 0 then log(z) …` */
static bool is_guarded(const CheckContext *cx, NodeId id, const Fault *fault, double value, unsigned depth)
{
    const Facts *f = cx->facts;
    if (depth == 0 || f->root[id] || facts_uses(f, id) == 0)
        return false;
    for (uint32_t k = f->first[id]; k < f->first[id + 1]; k++) {
        const Node *reader = graph_node(cx->g, f->consumer[k]);
        double args[MAX_IN];
        if (reader->op->kind != OP_MAP || reader->n_in > MAX_IN)
            return false;
        for (uint32_t i = 0; i < reader->n_in; i++)
            args[i] = reader->in[i] == id ? value
                      : f->base[reader->in[i]] == fault->base
                          ? sx_eval(cx->sx, f->fn[reader->in[i]], &fault->at)
                          : elsewhere(cx, reader->in[i]);
        double result = sx_eval(cx->sx, node_attr(reader, 0)->sx, args);
        if (!is_number(result) && !is_guarded(cx, f->consumer[k], fault, result, depth - 1))
            return false;
    }
    return true;
}

static bool try_input(CheckContext *cx, NodeId id, uint32_t input, Fault *fault)
{
    const Facts *f = cx->facts;
    const Node *node = graph_node(cx->g, id);
    NodeId base = f->base[node->in[input]];
    Domain domain = base ? domain_of(cx, base) : (Domain){0};
    double args[MAX_IN];
    Sx fn = node_attr(node, 0)->sx, slope = 0;
    bool found = false;
    if (domain.kind == DOMAIN_NONE)
        return false;
    for (uint32_t i = 0; i < node->n_in; i++)
        args[i] = elsewhere(cx, node->in[i]);
    if (f->base[id] == base && f->weighted[base] && cx->signal->gradient[id] > 0)
        sx_gradient(cx->sx, f->fn[id], 1, &slope);
    for (unsigned i = 0; i <= STEPS; i++) {
        bool sure;
        double at = point(&domain, i, &sure);
        for (uint32_t k = 0; k < node->n_in; k++)
            if (f->base[node->in[k]] == base)
                args[k] = sx_eval(cx->sx, f->fn[node->in[k]], &at);
        for (uint32_t k = 0; k < node->n_in; k++)
            if (!is_number(args[k]))
                return false; /* the fault lies further up */
        double value = sx_eval(cx->sx, fn, args);
        bool steep = is_number(value) && slope && !is_number(sx_eval(cx->sx, slope, &at));
        if ((is_number(value) && !steep) || (found && (fault->sure || !sure)))
            continue;
        found = true;
        *fault = (Fault){domain, base, input, at, value, 0, SX_OP_COUNT, sure, steep};
        Search search = {cx->sx, args, fault};
        if (!steep)
            sx_walk(cx->sx, fn, blame, &search);
    }
    return found;
}

static void explain(CheckContext *cx, Diag *diag, NodeId id, const Fault *fault)
{
    const Domain *domain = &fault->domain;
    NodeId in = graph_node(cx->g, id)->in[fault->input];
    Str name = check_name(cx, fault->base);
    Span made = check_span(cx, in), here = check_span(cx, id);
    if (made.source != here.source || made.begin != here.begin || made.end != here.end)
        in == fault->base
            ? diag_label(diag, made, "may be %s", check_number(cx->arena, fault->at).p)
            : diag_label(diag, made, "gives %s for `" STR_FMT "` = %s",
                   check_number(cx->arena, sx_eval(cx->sx, cx->facts->fn[in], &fault->at)).p, STR_ARG(name),
                   check_number(cx->arena, fault->at).p);
    if (domain->kind == DOMAIN_RANGE)
        diag_note(diag, "`" STR_FMT "` lies in [%g, %g]", STR_ARG(name), domain->low, domain->high);
    else
        diag_note(diag, "at the start `" STR_FMT "` has mean %s and deviation %s, and training can move it anywhere",
                  STR_ARG(name), check_number(cx->arena, domain->mean).p,
                  check_number(cx->arena, domain->deviation).p);
}

static void report(CheckContext *cx, NodeId id, const Fault *fault)
{
    bool overflow = isfinite(fault->operand) && (fault->op == SX_EXP || fault->op == SX_EXPM1);
    bool certain = fault->sure && !overflow;
    const char *what = check_number(cx->arena, fault->operand).p;
    Level level = certain ? LEVEL_DENY : LEVEL_WARN;
    Span span = check_span(cx, id);
    const char *message = fault->slope             ? "this has no slope where its input goes"
                          : overflow               ? "this overflows where its input goes"
                          : isnan(fault->value)    ? "this is not a number where its input goes"
                                                   : "this is infinite where its input goes";
    Diag *diag = check_report(cx, level, span, "%s", message);
    check_spot_node(cx, id);
    for (uint32_t i = 0; i < cx->model->losses.n; i++)
        if (cx->model->losses.at[i].prediction && id > cx->model->losses.at[i].prediction &&
            facts_reaches(cx->facts, cx->model->losses.at[i].prediction, id))
            check_spot_loss(cx, &cx->model->losses.at[i]);
    const char *help = "keep the input away from there";
    if (fault->slope) {
        diag_primary(diag, "at %s", check_number(cx->arena, fault->at).p);
    } else if (fault->op == SX_LOG || fault->op == SX_LOG1P) {
        diag_primary(diag, "the logarithm of %s", check_number(cx->arena, fault->operand + (fault->op == SX_LOG1P)).p);
        help = "make the argument positive first, by `softplus` or `exp`, or add a small number to what is at least 0";
    } else if (fault->op == SX_SQRT || fault->op == SX_POW) {
        diag_primary(diag, fault->op == SX_SQRT ? "a root of %s" : "%s to a power that is not whole", what);
        help = "make the argument positive first, by `softplus`, or take the root of a square";
    } else if (fault->op == SX_DIV) {
        diag_primary(diag, "a division by %s", what);
        help = "add a small number to the divisor, or make it positive by `softplus`";
    } else if (overflow) {
        diag_primary(diag, "e to the power of %s; single precision ends at 88.7", what);
        help = "scale the input, take the logarithm of the result where it is used, or cut the input off";
    } else {
        diag_primary(diag, "at %s", check_number(cx->arena, fault->at).p);
    }
    check_label_outer(cx, diag, id, "in this use");
    explain(cx, diag, id, fault);
    diag_help(diag, "%s", help);
}

static void interval_fault(CheckContext *cx)
{
    bool *broken = arena_array(cx->arena, bool, cx->g->nodes.n);
    for (NodeId id = 1; id < cx->g->nodes.n; id++) {
        const Node *node = graph_node(cx->g, id);
        for (uint32_t i = 0; i < node->n_in; i++)
            broken[id] |= broken[node->in[i]];
        if (broken[id] || !cx->facts->live[id] || node->op->kind != OP_MAP || node->n_in > MAX_IN)
            continue;
        for (uint32_t i = 0; i < node->n_in && !broken[id]; i++) {
            Fault fault;
            if (!try_input(cx, id, i, &fault) || (!fault.slope && is_guarded(cx, id, &fault, fault.value, 6)))
                continue;
            broken[id] = true;
            report(cx, id, &fault);
        }
    }
}

ACT_CHECK(interval_fault) = {
    .code = "ACT1002",
    .name = "interval_fault",
    .group = "numerics",
    .level = LEVEL_DENY,
    .summary = "a logarithm, root, quotient or exponential without a value where its input goes",
    .doc =
        "log(x) has no value for x below 0 and none that is finite at 0; a root has none below 0, a quotient none by "
        "0, and in single precision e^x ends at x = 88.7. One such value in one sample makes the loss, and after one "
        "step every weight, not a number. The output of a layer takes both signs in every batch, so log(z) of it "
        "fails at once, and so does 1 / relu(z), which divides by 0 for every second sample.\n\n"
        "Reported when it is certain: the input is a trained value, and some value within a standard deviation of "
        "its mean at the start has no result. A warning when it is only likely: within three deviations, at an end of "
        "a declared range, or an overflow at the size that the signal is predicted to have. The formula is evaluated "
        "as a whole, with its conditions: `if x > 0 then log(x) else 0` is fine. What merely comes near (a sigmoid "
        "near 0) belongs to log_of_softmax.",
    .wrong = "model rates {\n"
             "    input  x : f32[12]\n"
             "    target y : f32[1]\n"
             "    h = x |> linear(32) |> relu\n"
             "    loss mse(log(h |> linear(1)), y)\n"
             "}\n",
    .right = "model rates {\n"
             "    input  x : f32[12]\n"
             "    target y : f32[1]\n"
             "    h = x |> linear(32) |> relu\n"
             "    loss mse(log(0.01 + (h |> linear(1) |> softplus)), y)\n"
             "}\n",
    .silences = {"ACT208"},
    .run = interval_fault,
};
