#include "check/context.h"

#include <math.h>

Diag *check_report(CheckContext *cx, Level level, Span span, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    Str message = str_vprintf(cx->arena, format, args);
    va_end(args);
    Diag *diag = diag_new(&cx->scratch, level, cx->rule->code, cx->rule->name, span, STR_FMT, STR_ARG(message));
    *vec_push(cx->arena, &cx->findings) = (Finding){.rule = cx->rule, .diag = diag};
    return diag;
}

static void spot(CheckContext *cx, int kind, uint32_t index)
{
    ACT_ASSERT(cx->findings.n > 0);
    Finding *finding = &cx->findings.at[cx->findings.n - 1];
    Spot *new_spot = vec_push(cx->arena, &finding->spots);
    new_spot->kind = kind;
    new_spot->index = index;
}

void check_spot_loss(CheckContext *cx, const LossCall *loss)
{
    spot(cx, SPOT_LOSS, (uint32_t)(loss - cx->model->losses.at));
}

void check_spot_node(CheckContext *cx, NodeId id) { spot(cx, SPOT_NODE, id); }

void check_spot_tensor(CheckContext *cx, uint32_t tensor) { spot(cx, SPOT_TENSOR, tensor); }

void check_spot_causes(CheckContext *cx, NodeId id)
{
    bool *behind = arena_array(cx->arena, bool, id + 1u);
    behind[id] = true;
    for (; id > 0; id--) {
        const Node *node = graph_node(cx->g, id);
        int tensor = behind[id] ? facts_tensor(node) : -1;
        if (tensor >= 0)
            check_spot_tensor(cx, (uint32_t)tensor);
        for (uint32_t i = 0; behind[id] && i < node->n_in; i++)
            behind[node->in[i]] = true;
    }
}

const SxTraits *check_traits(CheckContext *cx, Sx fn)
{
    for (uint32_t i = 0; i < cx->traits.n; i++)
        if (cx->traits.at[i].fn == fn)
            return &cx->traits.at[i].traits;
    SxTraits traits = sx_traits(cx->sx, fn);
    SxTraits *kept;
    (void)vec_push(cx->arena, &cx->traits);
    cx->traits.at[cx->traits.n - 1].fn = fn;
    kept = &cx->traits.at[cx->traits.n - 1].traits;
    *kept = traits;
    return kept;
}

const LayerUse *check_use(const CheckContext *cx, NodeId id)
{
    uint32_t layer = graph_node(cx->g, id)->layer;
    return layer > 0 && layer <= cx->model->layers.n ? &cx->model->layers.at[layer - 1] : NULL;
}

Span check_span(const CheckContext *cx, NodeId id)
{
    const LayerUse *use = check_use(cx, id);
    if (use)
        return use->span;
    Span span = graph_node(cx->g, id)->span;
    /* A value the compiler made: the nearest value before it that was written. */
    while (span.source == 0 && graph_node(cx->g, id)->n_in > 0) {
        id = graph_node(cx->g, id)->in[0];
        use = check_use(cx, id);
        span = use ? use->span : graph_node(cx->g, id)->span;
    }
    return span.source ? span : cx->model->name_span;
}

Str check_name(const CheckContext *cx, NodeId id)
{
    const LayerUse *use = check_use(cx, id);
    const Node *node = graph_node(cx->g, id);
    if (use)
        return use->n_tensor == 0 ? use->kind : use->name; /* what has weights is told apart by its number */
    if (node->fn.n)
        return node->fn;
    if (cx->facts->base[id] != id && cx->facts->base[id] != 0) {
        static const char *const names[] = {"x"};
        Text text = {.arena = cx->arena};
        sx_print_formula(cx->sx, cx->facts->fn[id], names, &text);
        return text_str(&text);
    }
    if (node->name.n)
        return node->name;
    return str_of(node->op->name);
}

void check_label_outer(const CheckContext *cx, Diag *diag, NodeId id, const char *text)
{
    const LayerUse *use = check_use(cx, id);
    if (use && (use->outer.source != use->span.source || use->outer.begin != use->span.begin))
        diag_label(diag, use->outer, "%s", text);
}

/* The activation proper: below affine steps that only scale and shift it. */
static NodeId activation_node(const Facts *f, NodeId value, NodeId source)
{
    NodeId at = value;
    double scale, shift;
    while (at != source) {
        const Node *node = graph_node(f->g, at);
        NodeId next = 0;
        bool affine = true;
        for (uint32_t i = 0; i < node->n_in; i++)
            if (f->base[node->in[i]] != 0) {
                affine = affine && next == 0 && sx_is_affine(f->sx, node_attr(node, 0)->sx, i, &scale, &shift);
                next = node->in[i];
            }
        if (!affine || next == 0)
            return at;
        at = next;
    }
    return value;
}

/* Back through what moves values or drops some; `axis` is followed, -1 when a view takes it apart. */
static NodeId behind(const Facts *f, NodeId id, int64_t *axis, double *kept)
{
    for (;;) {
        const Node *node = graph_node(f->g, id);
        bool drops = facts_is(node, "dropout");
        if (!drops && !facts_passes(node))
            return id;
        NodeId first = node->in[0]; /* of views in a row, which may split an axis and join it again */
        while (node->op->kind == OP_VIEW && graph_node(f->g, first)->op->kind == OP_VIEW)
            first = graph_node(f->g, first)->in[0];
        const Type *in = graph_type(f->g, first);
        if (drops)
            *kept *= 1 - node_attr(node, 0)->f;
        else if (node->op->kind == OP_VIEW)
            *axis = *axis == (int64_t)node->type.rank - 1 && type_last(in) == type_last(&node->type)
                        ? (int64_t)in->rank - 1
                        : -1;
        else if (*axis >= 0)
            *axis = node_attr(node, 0)->dims.at[*axis];
        id = first;
    }
}

Head check_head(CheckContext *cx, NodeId prediction)
{
    const Facts *f = cx->facts;
    Head head = {.kept = 1};
    int64_t axis = (int64_t)graph_type(cx->g, prediction)->rank - 1;
    double scale, shift, unused = 1;
    head.value = behind(f, prediction, &axis, &head.kept);
    bool rows = axis >= 0 && axis == (int64_t)graph_type(cx->g, head.value)->rank - 1;
    head.source = f->base[head.value];
    head.fn = f->fn[head.value];
    head.range = f->range[head.value];
    head.units = (uint32_t)type_last(graph_type(cx->g, prediction));
    head.softmax = rows && facts_is_softmax(f, head.value);
    head.log_softmax = rows && facts_is_log_softmax(f, head.value);
    NodeId inner = head.source ? behind(f, head.source, &axis, &unused) : 0;
    rows = inner && axis >= 0 && axis == (int64_t)graph_type(cx->g, inner)->rank - 1;
    head.scaled_softmax = head.softmax ? head.value : rows && facts_is_softmax(f, inner) ? inner : 0;
    head.at = head.value;
    if (head.source != 0 && head.source != head.value && !sx_is_affine(cx->sx, head.fn, 0, &scale, &shift)) {
        const SxTraits *traits = check_traits(cx, head.fn);
        head.activation = true;
        head.at = activation_node(f, head.value, head.source);
        head.sigmoid_like =
            traits->monotone && traits->saturates && traits->range.low > -1e-6 && traits->range.high < 1 + 1e-6;
    }
    head.span = check_span(cx, head.at);
    head.name = check_name(cx, head.at);
    return head;
}

TargetKind check_target(const CheckContext *cx, const LossCall *loss, const Tensor **tensor)
{
    *tensor = NULL;
    if (loss->target_tensor == 0)
        return TARGET_NONE;
    const Tensor *target = *tensor = &cx->g->tensors.at[loss->target_tensor - 1];
    if (target->role != ROLE_TARGET)
        return TARGET_NONE;
    return target->binary ? TARGET_BINARY : target->classes > 0 ? TARGET_CLASS : TARGET_REAL;
}

bool check_is_binary_loss(const CheckContext *cx, const LossCall *loss)
{
    if (loss->classes || (!loss->wants_logits && !loss->wants_probabilities))
        return false;
    /* What is not the case counts too: the loss has a slope where the target is 0. (A divergence has none there.) */
    Sx term = facts_loss_term(cx->facts, loss), slope[2];
    if (term == 0)
        return true;
    sx_gradient(cx->sx, term, 2, slope);
    return sx_eval(cx->sx, slope[0], (double[]){0.3, 0}) > 1e-9;
}

bool check_is_distance_loss(const CheckContext *cx, const LossCall *loss)
{
    static const double at[][3] = {{0.3, 0.8, 0.5}, {-1.2, 0.4, 2.25}, {1.75, -0.5, -3}, {0.1, 0.1, 0.875}};
    if (loss->classes || loss->wants_logits || loss->wants_probabilities || loss->wants_log_probabilities)
        return false;
    Sx term = facts_loss_term(cx->facts, loss);
    if (term == 0)
        return str_is(loss->fn, "mse") || str_is(loss->fn, "mae") || str_is(loss->fn, "huber");
    for (unsigned i = 0; i < sizeof at / sizeof at[0]; i++) {
        double here = sx_eval(cx->sx, term, (double[]){at[i][0], at[i][1]});
        double there = sx_eval(cx->sx, term, (double[]){at[i][0] + at[i][2], at[i][1] + at[i][2]});
        if (!(fabs(here - there) <= 1e-9 * (1 + fabs(here))))
            return false;
    }
    return true;
}

Str check_number(Arena *arena, double value)
{
    double size = fabs(value);
    if (value == 0)
        return STR("0");
    if (isnan(value) || isinf(value))
        return str_printf(arena, "%g", value);
    if (size >= 1e5 || size < 1e-2)
        return str_printf(arena, "%.2g", value);
    if (size >= 100)
        return str_printf(arena, "%.0f", value);
    return str_printf(arena, "%.3g", value);
}

Str check_range_text(Arena *arena, double low, double high)
{
    Text text = {.arena = arena};
    text_printf(&text, isinf(low) ? "(" : "[");
    text_number(&text, isinf(low) ? low : round(low * 1e6) / 1e6);
    text_printf(&text, ", ");
    text_number(&text, isinf(high) ? high : round(high * 1e6) / 1e6);
    text_printf(&text, isinf(high) ? ")" : "]");
    return text_str(&text);
}
