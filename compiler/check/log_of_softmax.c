/* ACT1001: the logarithm of a softmax or a sigmoid, formed in two steps. */
#include "check/edit.h"
#include "check/example.h"
#include "check/flow.h"

#include <math.h>

enum { MAX_IN = 16, MAX_LOGS = 8 };

/* The logarithms of an expression. */
typedef struct Logs {
    Sx operand[MAX_LOGS];
    uint32_t n;
    SxPool *sx;
} Logs;

static void collect(void *context, Sx node, const SxNode *what)
{
    Logs *logs = context;
    (void)node;
    if (logs->n < MAX_LOGS && (what->op == SX_LOG || what->op == SX_LOG1P))
        logs->operand[logs->n++] =
            what->op == SX_LOG ? what->in[0] : sx_add(logs->sx, sx_num(logs->sx, 1), what->in[0]);
}

/* What is in a logarithm: a probability, or one minus a probability. */
typedef struct Inside {
    uint32_t input; /* of the map */
    NodeId maker;   /* the softmax, or the value that a sigmoid made */
    bool softmax;
    bool plain, counter; /* the probability p itself, 1 - p; neither: another formula for one */
    double end;          /* a sigmoid's argument, far out on the side where the operand is 0 */
    double zero;         /* the input's value there */
} Inside;

/* The value behind views, cuts and picks. */
static NodeId picked_from(const CheckContext *cx, NodeId id)
{
    for (;;) {
        const Node *node = graph_node(cx->g, id);
        if (!facts_passes(node) && !facts_is(node, "pick") && !facts_is(node, "slice"))
            return id;
        id = node->in[0];
    }
}

/* `f` rises or falls from 0 to 1 or back, and only reaches the ends far out. */
static bool is_probability(CheckContext *cx, Sx f)
{
    double far = 1000, back = -1000, near = 8, other = -8;
    const SxTraits *traits = check_traits(cx, f);
    double a = sx_eval(cx->sx, f, &far), b = sx_eval(cx->sx, f, &back);
    double low = sx_eval(cx->sx, f, &other), high = sx_eval(cx->sx, f, &near);
    return traits->saturates && fabs(a + b - 1) < 1e-9 && fabs(a - b) > 0.999 && low > 0 && low < 1 && high > 0 &&
           high < 1;
}

static bool look_inside(CheckContext *cx, const Node *node, Sx operand, Inside *out)
{
    const Facts *f = cx->facts;
    *out = (Inside){.input = MAX_IN};
    for (uint32_t i = 0; i < node->n_in; i++)
        if (sx_uses_arg(cx->sx, operand, i) && f->base[node->in[i]] != 0) {
            if (out->input != MAX_IN && node->in[out->input] != node->in[i])
                return false;
            out->input = i;
        }
    if (out->input == MAX_IN)
        return false;
    NodeId in = node->in[out->input], from = picked_from(cx, in);
    double args[MAX_IN] = {0}, *p = &args[out->input];
    if (facts_is_softmax(f, from)) {
        out->maker = from;
        out->softmax = true;
        out->counter = sx_eval(cx->sx, operand, (*p = 1, args)) == 0;
        out->plain = !out->counter;
        out->zero = out->counter ? 1 : 0;
        return out->counter || sx_eval(cx->sx, operand, (*p = 0, args)) == 0;
    }
    Sx to[MAX_IN] = {0};
    to[out->input] = f->fn[in];
    Sx whole = sx_substitute(cx->sx, operand, to, node->n_in);
    if (f->base[in] == 0 || sx_args_used(cx->sx, whole) != 1 || !is_probability(cx, whole))
        return false;
    double far = 1000, back = -1000;
    Sx made = f->fn[in];
    /* which end of the sigmoid is the zero of the operand */
    double end = sx_eval(cx->sx, whole, &far) == 0 ? far : back;
    const SxNode *root = sx_node(cx->sx, whole);
    double one;
    out->maker = in;
    out->end = end;
    out->zero = sx_eval(cx->sx, made, &end);
    out->plain = root->op == SX_SIGMOID;
    out->counter = root->op == SX_SUB && sx_is_num(cx->sx, root->in[0], &one) && one == 1 &&
                   sx_node(cx->sx, root->in[1])->op == SX_SIGMOID;
    return sx_eval(cx->sx, whole, &end) == 0;
}

/* A formula that takes another value there (`if p < 1e-37 then -100 else log(p)`) is guarded. */
static bool is_guarded(CheckContext *cx, const Node *node, const Inside *inside)
{
    double args[MAX_IN];
    for (uint32_t i = 0; i < node->n_in; i++)
        args[i] = node->in[i] == node->in[inside->input] ? inside->zero : 0.5;
    return isfinite(sx_eval(cx->sx, node_attr(node, 0)->sx, args));
}

/* How far apart logits are when single precision makes the operand 0: of p = sigmoid(-d), or of 1 - sigmoid(d). */
static double breaking_point(bool counter)
{
    double low = 0, high = 200;
    for (unsigned i = 0; i < 60; i++) {
        double d = (low + high) / 2;
        float p = (float)(1 / (1 + exp(counter ? -d : d))), operand = counter ? 1 - p : p;
        *(operand > 0 ? &low : &high) = d;
    }
    return high;
}

/* log(softmax(z)), z |> softmax |> log: one call in place of two. */
static void fix_fused(CheckContext *cx, Diag *diag, NodeId id, const Inside *inside)
{
    const Node *node = graph_node(cx->g, id);
    const LayerUse *use = check_use(cx, inside->maker);
    Stage log, inner;
    bool plain = node->n_in == 1 && node_attr(node, 0)->sx == sx_un(cx->sx, SX_LOG, sx_arg(cx->sx, 0)) && use &&
                 (str_is(use->kind, "softmax") || str_is(use->kind, "sigmoid"));
    if (!plain || node->in[0] != inside->maker || !edit_stage(cx, check_span(cx, id), &log) ||
        !edit_stage(cx, use->span, &inner) || !log.value || !inner.value ||
        !str_is(edit_text(cx, log.name), "log") || (log.value != inner.pipe && log.value != inner.outer) ||
        edit_given(cx, use->span).begin != use->span.begin)
        return;
    if (edit_remove(cx, diag, FIX_SAFE, use->span))
        diag_fix(diag, FIX_SAFE, log.name, "log_" STR_FMT, STR_ARG(use->kind));
}

static void report(CheckContext *cx, NodeId id, const Inside *inside)
{
    const char *what = inside->softmax ? "softmax" : "sigmoid";
    const char *fused = inside->softmax ? "log_softmax" : "log_sigmoid";
    Diag *diag = check_report(cx, LEVEL_WARN, check_span(cx, id), "the logarithm of %sa %s, formed in two steps",
                              inside->counter ? "1 minus " : "", what);
    check_spot_node(cx, id);
    for (uint32_t i = 0; i < cx->model->losses.n; i++)
        if (cx->model->losses.at[i].prediction && id > cx->model->losses.at[i].prediction &&
            facts_reaches(cx->facts, cx->model->losses.at[i].prediction, id))
            check_spot_loss(cx, &cx->model->losses.at[i]);
    diag_primary(diag, "infinite where the probability is rounded to %s", inside->counter ? "1" : "0");
    Span made = check_span(cx, inside->maker), here = check_span(cx, id);
    if (made.begin != here.begin || made.source != here.source)
        diag_label(diag, made, "gives probabilities");
    check_label_outer(cx, diag, id, "in this use");
    double at = breaking_point(inside->counter);
    if (inside->softmax)
        diag_note(diag, "in single precision that is so where logits differ by %.1f; its gradient is lost there", at);
    else if (inside->plain || inside->counter)
        diag_note(diag, "in single precision that is so for logits %s %.1f; its gradient is lost there",
                  inside->end > 0 ? "above" : "below", inside->end > 0 ? at : -at);
    if (inside->counter && inside->softmax)
        diag_help(diag, "work with `log_softmax`: 1 - p is the sum of the other classes' probabilities");
    else
        diag_help(diag, "use `%s`%s: it never forms the probability and is exact for every logit", fused,
                  inside->counter ? " of the negative value" : "");
    fix_fused(cx, diag, id, inside);
}

static void log_of_softmax(CheckContext *cx)
{
    for (NodeId id = 1; id < cx->g->nodes.n; id++) {
        const Node *node = graph_node(cx->g, id);
        if (!cx->facts->live[id] || node->op->kind != OP_MAP || node->n_in > MAX_IN)
            continue;
        Logs logs = {.sx = cx->sx};
        Inside worst = {0};
        bool found = false;
        sx_walk(cx->sx, node_attr(node, 0)->sx, collect, &logs);
        for (uint32_t i = 0; i < logs.n; i++) {
            Inside inside;
            if (!look_inside(cx, node, logs.operand[i], &inside) || is_guarded(cx, node, &inside))
                continue;
            if (!found || (inside.counter && !worst.counter)) /* 1 - p ends first */
                worst = inside;
            found = true;
        }
        if (found)
            report(cx, id, &worst);
    }
}

ACT_CHECK(log_of_softmax) = {
    .code = "ACT1001",
    .name = "log_of_softmax",
    .group = "numerics",
    .level = LEVEL_WARN,
    .summary = "the logarithm of a softmax or sigmoid, in two steps",
    .doc =
        "Probabilities become 0 or 1 long before logits are unusual. In single precision 1 - sigmoid(z) is exactly 0 "
        "from z = 17.3 on, and sigmoid(z) is exactly 0 below z = -104; the logarithm of that is infinite, and the "
        "gradient behind it is 0 times infinity or lost. Written in one step there is no such place: log softmax is "
        "z - logsumexp(z), and log sigmoid is min(z, 0) - log1p(exp(-|z|)), both exact for every logit. "
        "`log_softmax`, `log_sigmoid`, `cross_entropy` and `bce_with_logits` are written so.\n\n"
        "Found by the formulas, in your own losses too: a logarithm whose argument is 0 where a softmax or a "
        "sigmoid has reached its end. Adding a small number, log(p + 1e-8), or a branch for small p avoids the "
        "infinity, so that is not reported.",
    .wrong = EXAMPLE_DIGITS("    z = image |> linear(32) |> relu |> linear(10)\n"
                            "    loss   nll(log(softmax(z)), label)\n"
                            "    output softmax(z)\n"),
    .right = EXAMPLE_DIGITS("    z = image |> linear(32) |> relu |> linear(10)\n"
                            "    loss   nll(log_softmax(z), label)\n"
                            "    output softmax(z)\n"),
    .silences = {"ACT1002"},
    .run = log_of_softmax,
};
