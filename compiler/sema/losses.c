/* Loss functions. A body per element or per row is reduced here: the mean over batch and elements (rows), the sum, with
 * weights and ignored entries as PyTorch has them. A body that reduces by itself is the whole loss. */
#include "ops/build.h"
#include "sema/sema.h"

#include <math.h>

typedef struct LossForm {
    bool sum;             /* reduction = sum */
    Value weight, ignore; /* V_NONE: not given */
    bool balanced;        /* weight = balanced */
    Span weight_span, ignore_span, reduction_span;
    bool given; /* any of them */
    double smoothing; /* of labels, where classes have weights: then PyTorch weighs the other classes' part by theirs */
} LossForm;

void loss_mark(Sema *s, NodeId from)
{
    while (s->loss_node.n < s->g->nodes.n)
        *vec_push(s->arena, &s->loss_node) = 0;
    for (NodeId id = from; id < s->g->nodes.n; id++)
        s->loss_node.at[id] = 1;
}

/* ── reductions ── */
/* The sum over everything, or the mean: divided by the rows of this call and the elements of a row. */
static NodeId reduce_all(Sema *s, NodeId value, bool mean)
{
    Type type = *graph_type(s->g, value);
    NodeId sum = build_sum_all(s->g, value);
    double elements = (double)type_elements(&type);
    if (!mean)
        return sum;
    if (!type.batch)
        return elements == 1 ? sum : build_scale(s->g, sum, 1 / elements);
    Sx count = sx_mul(s->sx, sx_arg(s->sx, 2), sx_num(s->sx, elements));
    NodeId share = build_uniform(s->g, sx_div(s->sx, sx_num(s->sx, 1), count));
    return build_mul(s->g, sum, share);
}

Value loss_reduce_all(Sema *s, NodeId value, bool mean, Span span, Str fn)
{
    NodeId from = s->g->nodes.n;
    NodeId node = reduce_all(s, value, mean);
    origin_set(s, from, span, fn);
    loss_mark(s, from);
    return value_node(node, span);
}

/* ── what the compiler owns ── */
static bool declares(const Item *item, Str name)
{
    for (uint32_t i = 0; item->params && i < item->params->n_kid; i++)
        if (str_eq(item->params->kid[i]->text, name))
            return true;
    return false;
}

static bool take_form(Sema *s, const Item *item, const Args *named, Args *rest, LossForm *form)
{
    static const Str reductions[] = {{"mean", 4}, {"sum", 3}};
    bool ok = true;
    for (uint32_t i = 0; i < named->n; i++) {
        Arg *arg = &named->at[i];
        Span span = arg->ast ? arg->ast->span : arg->name_span;
        bool own = !declares(item, arg->name);
        if (own && str_is(arg->name, "reduction")) {
            Str word = arg->ast && arg->ast->kind == AST_NAME ? arg->ast->text : (Str){0};
            form->sum = str_is(word, "sum");
            form->reduction_span = arg->name_span;
            if (!form->sum && !str_is(word, "mean")) {
                sema_unknown(s, span, "reduction", word.n ? word : STR("?"), reductions, 2);
                ok = false;
            }
        } else if (own && str_is(arg->name, "weight") && arg->ast && arg->ast->kind == AST_NAME &&
                   str_is(arg->ast->text, "balanced")) {
            form->balanced = true;
            form->weight_span = span;
        } else if (own && str_is(arg->name, "weight")) {
            form->weight = arg_value(s, arg);
            form->weight_span = span;
            ok = ok && form->weight.kind != V_NONE;
        } else if (str_is(arg->name, "ignore")) {
            form->ignore = arg_value(s, arg);
            form->ignore_span = span;
            int64_t whole;
            ok = value_whole(s, form->ignore, span, "`ignore`", INT32_MIN, INT32_MAX, &whole) && ok;
        } else {
            *vec_push(s->arena, rest) = *arg;
            continue;
        }
        form->given = true;
        if (!form->reduction_span.source)
            form->reduction_span = arg->name_span;
    }
    return ok;
}

/* A vector of numbers as a value: literals chosen by position. */
static NodeId vector(Sema *s, const List *list)
{
    SxPool *p = s->sx;
    uint32_t n = list->item.n;
    Sx x = sx_num(p, list->item.at[n - 1].number);
    for (uint32_t i = n - 1; i-- > 0;)
        x = sx_select(p, sx_bin(p, SX_EQ, sx_arg(p, 0), sx_num(p, i)), sx_num(p, list->item.at[i].number), x);
    NodeId iota = build_iota(s->g, n);
    return build_map(s->g, x, &iota, 1);
}

static bool numbers(Sema *s, Value v, Span span, uint64_t want)
{
    bool ok = v.list->item.n == want && want <= 4096;
    if (!ok) {
        sema_error(s, CODE_wrong_argument, span, "`weight` has %u numbers for %llu classes", v.list->item.n,
                   (unsigned long long)want);
        return false;
    }
    for (uint32_t i = 0; i < v.list->item.n; i++) {
        double x;
        Span at = v.list->item.at[i].span.source ? v.list->item.at[i].span : span;
        if (!value_real(s, v.list->item.at[i], at, "a weight", &x))
            return false;
        if (!(x >= 0)) {
            sema_error(s, CODE_wrong_argument, at, "a weight is not negative: this loss would fall without end");
            return false;
        }
    }
    return true;
}

/* weight = balanced: a constant of the model that a training measures, rows / (classes * rows of the class). */
static NodeId balance(Sema *s, uint32_t target_tensor, uint32_t n_classes)
{
    const Tensor *label = &s->g->tensors.at[target_tensor - 1];
    Tensor t = {.role = ROLE_CONSTANT, .span = label->span, .low = 1, .high = 0};
    t.name = str_printf(s->g->arena, STR_FMT ".balance", STR_ARG(label->name));
    t.type = (Type){DT_F32, false, 1, {n_classes}};
    t.fill = (Fill){FILL_CONSTANT, 1, 0};
    t.init = STR("constant");
    int found = graph_tensor_find(s->g, t.name); /* two losses of one target */
    return build_tensor(s->g, found >= 0 ? (uint32_t)found : graph_tensor_add(s->g, &t));
}

/* The weights of the classes as a vector; 0 after a message. */
static NodeId class_weights(Sema *s, const LossForm *form, uint32_t target_tensor, uint32_t n_classes)
{
    if (form->balanced)
        return balance(s, target_tensor, n_classes);
    return numbers(s, form->weight, form->weight_span, n_classes) ? vector(s, form->weight.list) : 0;
}

/* A value per sample beside a loss with more axes: trailing axes of size 1. */
static NodeId per_sample(Sema *s, NodeId weight, NodeId value)
{
    Type type = *graph_type(s->g, weight);
    const Type *of = graph_type(s->g, value);
    bool one = type.rank <= 1 && type_elements(&type) == 1;
    if (!one || of->rank == type.rank)
        return weight;
    uint32_t ones[TYPE_MAX_RANK] = {1, 1, 1, 1, 1, 1};
    return build_reshape(s->g, weight, of->rank, ones);
}

/* The weight of every entry of `value`, as something that multiplies it. */
static NodeId weights(Sema *s, const LossForm *form, NodeId value)
{
    Value w = form->weight;
    if (w.kind == V_LIST) {
        const Type *type = graph_type(s->g, value);
        return numbers(s, w, form->weight_span, type_last(type)) ? vector(s, w.list) : 0;
    }
    NodeId node = value_want_node(s, w, form->weight_span, "`weight`");
    if (!node)
        return 0;
    node = per_sample(s, node, value);
    Type both;
    if (!type_broadcast(graph_type(s->g, node), graph_type(s->g, value), &both) ||
        !type_same_shape(&both, graph_type(s->g, value))) {
        sema_error(s, CODE_shape_mismatch, form->weight_span, "`weight` has shape " STR_FMT ", the loss has " STR_FMT,
                   STR_ARG(sema_shape(s, node)), STR_ARG(sema_shape(s, value)));
        return 0;
    }
    return node;
}

/* What the labels of a loss are: NONE for targets of reals. */
typedef struct Labels {
    NodeId node, prediction;
    uint32_t tensor, n_classes;
} Labels;

/* Weights looked up by class. With labels smoothed by e, PyTorch's term is (1 - e) w_y (-log p_y) + e / K sum_c w_c (-log p_c), over
 * sum w_y. The second part from the first: mean(w) (-log p_y) + sum_c z_c (mean(w) [c = y] - w_c / K). */
static NodeId weigh_classes(Sema *s, const LossForm *form, NodeId value, const Labels *labels, NodeId *divisor)
{
    Graph *g = s->g;
    NodeId vector = class_weights(s, form, labels->tensor, labels->n_classes);
    if (!vector)
        return 0;
    NodeId hot = build_one_hot(g, labels->node, labels->n_classes);
    *divisor = build_sum_last(g, build_mul(g, hot, vector), false);
    NodeId weighed = build_mul(g, value, *divisor);
    if (!(form->smoothing > 0))
        return weighed;
    NodeId part = build_scale(g, vector, 1.0 / labels->n_classes), mean = build_sum_last(g, part, false);
    NodeId lacking = build_mul(g, labels->prediction, build_sub(g, build_mul(g, hot, mean), part));
    NodeId others = build_add(g, build_mul(g, value, mean), build_sum_last(g, lacking, false));
    return build_add(g, build_scale(g, weighed, 1 - form->smoothing), build_scale(g, others, form->smoothing));
}

static bool weighs_classes(const LossForm *form, const Labels *labels)
{
    return form->balanced || (form->weight.kind == V_LIST && labels->node);
}

/* sum(w l) / sum(w) over the entries that count, or / n where the weights are no class weights. */
static NodeId reduce_loss(Sema *s, const LossForm *form, NodeId value, const Labels *labels)
{
    SxPool *p = s->sx;
    NodeId divisor = 0, label = labels->node;
    if (form->balanced && (!label || !labels->tensor)) {
        sema_error(s, CODE_wrong_argument, form->weight_span, "`weight = balanced` weighs the classes of a target, and there are none");
        return 0;
    }
    if (weighs_classes(form, labels)) {
        value = weigh_classes(s, form, value, labels, &divisor);
        if (!value)
            return 0;
    } else if (form->weight.kind != V_NONE) {
        NodeId w = weights(s, form, value);
        if (!w)
            return 0;
        value = build_mul(s->g, value, w);
    }
    if (form->ignore.kind == V_NUMBER) {
        if (!label) {
            sema_error(s, CODE_wrong_argument, form->ignore_span,
                       "`ignore` names a class, and the target has no classes");
            return 0;
        }
        Sx hit = sx_bin(p, SX_EQ, sx_arg(p, 0), sx_num(p, form->ignore.number));
        NodeId in[2] = {label, value};
        value = build_map(s->g, sx_select(p, hit, sx_num(p, 0), sx_arg(p, 1)), in, 2);
        in[1] = divisor;
        Sx counts = divisor ? sx_arg(p, 1) : sx_num(p, 1);
        divisor = build_map(s->g, sx_select(p, hit, sx_num(p, 0), counts), in, divisor ? 2 : 1);
    }
    if (form->sum || !divisor)
        return reduce_all(s, value, !form->sum);
    return build_div(s->g, build_sum_all(s->g, value), build_sum_all(s->g, divisor));
}

/* ── the call ── */
static bool target_shape_fits(Sema *s, NodeId prediction, NodeId label)
{
    const Type *p = graph_type(s->g, prediction), *t = graph_type(s->g, label);
    if (p->rank != t->rank + 1 || p->batch != t->batch)
        return false;
    for (uint32_t i = 0; i < t->rank; i++)
        if (p->dim[i] != t->dim[i])
            return false;
    return true;
}

/* A class target under a loss for reals is its one-hot vector. */
static void one_hot_targets(Sema *s, Frame *bound)
{
    for (uint32_t i = 0; i < bound->names.n; i++) {
        Binding *b = bound->names.item[i].value;
        uint32_t target = b->value.kind == V_NODE ? target_of(s, b->value.node) : 0;
        const Tensor *t = target ? &s->g->tensors.at[target - 1] : NULL;
        if (t && t->type.dtype == DT_I32 && t->type.rank < TYPE_MAX_RANK)
            b->value.node = build_one_hot(s->g, b->value.node, t->classes);
    }
}

static NodeId pointwise_loss(Sema *s, Frame *bound, const Item *item, Span span)
{
    Operands o = {0};
    one_hot_targets(s, bound);
    Frame *inside = frame_new(s, bound, FRAME_GRAPH);
    inside->loss = true;
    Sx sx = pointwise_body(s, item, bound, &o);
    return sx ? operands_map(s, inside, &o, sx, span, item->def.name) : 0;
}

static NodeId row_loss(Sema *s, Frame *f, Frame *bound, const Item *item, Span span)
{
    Span outer = s->outer;
    if (item->def.library && !outer.source)
        s->outer = span;
    bound->kind = FRAME_GRAPH;
    bound->scope = f->scope;
    bound->loss = true;
    bound->rows = loss_works_on_rows(item);
    Value v = eval(s, bound, item->body);
    s->outer = outer;
    return value_want_node(s, v, span, "a loss");
}

static Value bound_value(const Frame *bound, uint32_t i)
{
    return i < bound->names.n ? ((const Binding *)bound->names.item[i].value)->value : value_none();
}

/* What a loss function is given is computed as anywhere in the model; only its body is inside the loss. */
static void leave_loss(Args *args)
{
    for (uint32_t i = 0; i < args->n; i++)
        while (args->at[i].frame && args->at[i].frame->loss && !args->at[i].frame->item)
            args->at[i].frame = args->at[i].frame->parent;
}

/* What the options of the library's losses mean holds in a range. */
static bool options_in_range(Sema *s, const Frame *bound, const Item *item)
{
    static const struct {
        const char *loss, *option, *must;
        double low, high; /* low <= x < high */
    } range[] = {{"cross_entropy", "label_smoothing", "lies in [0, 1)", 0, 1},
                 {"huber", "delta", "is greater than 0", 5e-324, INFINITY}};
    bool ok = true;
    for (uint32_t i = 0; i < sizeof range / sizeof range[0] && item->def.library; i++) {
        const Binding *b = map_get(&bound->names, str_of(range[i].option));
        if (!str_is(item->def.name, range[i].loss) || !b || b->value.kind != V_NUMBER ||
            (b->value.number >= range[i].low && b->value.number < range[i].high))
            continue;
        sema_error(s, CODE_wrong_argument, b->value.span, "`%s` %s, and this is %.15g", range[i].option, range[i].must,
                   b->value.number);
        ok = false;
    }
    return ok;
}

/* True when the values can be computed with; says what is wrong with the prediction. */
static bool check_values(Sema *s, const Frame *bound, const Item *item, Span span)
{
    for (uint32_t i = 0; i < bound->names.n; i++)
        if (bound_value(bound, i).kind == V_NONE)
            return false;
    const char *who = str_c(s->arena, str_printf(s->arena, "the prediction of `" STR_FMT "`", STR_ARG(item->def.name)));
    Value p = bound_value(bound, 0);
    if (value_is_graph(p))
        return true;
    value_want_node(s, p.kind == V_NUMBER ? value_sx(sx_num(s->sx, 0), p.span) : p, p.span.source ? p.span : span, who);
    return false;
}

/* The formula could not be computed from its arguments: names the one that is no value. */
static void unusable(Sema *s, const Frame *bound, const Item *item, Span span)
{
    for (uint32_t i = 1; i < bound->names.n; i++) {
        const Binding *b = bound->names.item[i].value;
        if (b->value.kind == V_NUMBER || value_is_graph(b->value))
            continue;
        sema_error(s, CODE_not_a_value, b->value.span.source ? b->value.span : span,
                   "`" STR_FMT "` of `" STR_FMT "` is a value or a number, and this is " STR_FMT, STR_ARG(b->name),
                   STR_ARG(item->def.name), STR_ARG(value_describe(s, b->value)));
        return;
    }
    sema_error(s, CODE_not_a_value, span, "`" STR_FMT "` can't be computed from these values", STR_ARG(item->def.name));
}

/* The library's losses take the prediction first; others have it second. */
static bool swapped(Sema *s, const Item *item, Value p, Value t)
{
    bool targets = item->def.library && value_is_graph(t) && target_of(s, value_to_node(s, p)) &&
                   !target_of(s, value_to_node(s, t));
    if (!targets)
        return false;
    Diag *diag = sema_error(s, CODE_wrong_argument, p.span, "the prediction comes first, then the target");
    diag_help(diag, "swap the two");
    bool apart = p.span.end <= t.span.begin || t.span.end <= p.span.begin;
    bool written = p.span.source && p.span.source == t.span.source && apart;
    if (written && !s->outer.source) {
        Str first = source_slice(s->program->sources, p.span), second = source_slice(s->program->sources, t.span);
        diag_fix(diag, FIX_SAFE, p.span, STR_FMT, STR_ARG(second));
        diag_fix(diag, FIX_SAFE, t.span, STR_FMT, STR_ARG(first));
    }
    return true;
}

Value loss_call(Sema *s, Frame *f, Closure *fn, Args *pos, Args *named, const Ast *call, Span span)
{
    (void)call;
    const Item *item = fn->item;
    if (f->kind == FRAME_SCALAR || !s->g || !f->scope) {
        s->row_op = true;
        sema_error(s, CODE_not_a_value, span, "the loss `" STR_FMT "` works on values of a network", STR_ARG(fn->name));
        return value_none();
    }
    LossForm form = {0};
    Args rest = {0};
    bool ok = take_form(s, item, named, &rest, &form);
    Frame *bound = frame_new(s, s->global, FRAME_SCALAR);
    bound->item = item;
    leave_loss(pos);
    leave_loss(&rest);
    if (!args_bind(s, item, pos, &rest, span, bound, NULL, NULL) || !ok || !check_values(s, bound, item, span) ||
        !options_in_range(s, bound, item))
        return value_none();
    Value p = bound_value(bound, 0), t = bound_value(bound, 1);
    if (swapped(s, item, p, t))
        return value_none();
    NodeId prediction = value_to_node(s, p), target = value_is_graph(t) ? value_to_node(s, t) : 0;
    uint32_t target_tensor = target ? target_of(s, target) : 0;
    uint32_t n_classes = target_tensor ? s->g->tensors.at[target_tensor - 1].classes : 0;
    bool class_target = target && graph_type(s->g, target)->dtype == DT_I32;
    NodeId from = s->g->nodes.n;
    Sx sx = function_sx(s, item, true);
    if (!sx && class_target && !target_shape_fits(s, prediction, target)) {
        loss_shape_error(s, prediction, p.span, target_tensor, target, t.span, span);
        return value_none();
    }
    Labels labels = {class_target && !sx ? target : 0, prediction, target_tensor, n_classes};
    Binding *smoothing = item->def.library ? map_get(&bound->names, STR("label_smoothing")) : NULL;
    if (smoothing && smoothing->value.kind == V_NUMBER && weighs_classes(&form, &labels)) {
        form.smoothing = smoothing->value.number;
        smoothing->value.number = 0;
    }
    bool failed = s->failed;
    uint32_t errors = sema_sink(s)->list.n;
    s->failed = false;
    NodeId value = sx ? pointwise_loss(s, bound, item, span) : row_loss(s, f, bound, item, span);
    if (!value && !s->failed && sema_sink(s)->list.n == errors)
        unusable(s, bound, item, span);
    s->failed = s->failed || failed;
    if (!value)
        return value_none();
    const Type *type = graph_type(s->g, value);
    bool whole = !sx && !type->batch && type->rank == 0;
    if (whole && form.given) {
        sema_error(s, CODE_wrong_argument, form.reduction_span,
                   "`" STR_FMT "` reduces by itself and takes no reduction, weight or ignore", STR_ARG(item->def.name));
        return value_none();
    }
    if (!whole)
        value = reduce_loss(s, &form, value, &labels);
    if (!value)
        return value_none();
    origin_set(s, from, span, item->def.name);
    loss_mark(s, from);
    LossCall *use = vec_push(s->arena, &s->model->losses);
    *use = (LossCall){
        .fn = item->def.name, .span = span, .statement = s->loss >= 0 ? s->loss_span : span, .prediction = prediction};
    use->loss = s->loss >= 0 ? (uint32_t)s->loss : 0;
    use->target = target;
    use->target_tensor = target_tensor;
    use->prediction_span = p.span;
    use->target_span = t.span;
    use->target_number = t.kind == V_NUMBER ? t.number : NAN;
    use->ignore = form.ignore.kind == V_NUMBER ? form.ignore.number : NAN;
    use->mean = !form.sum;
    loss_facts(s, item, sx, use);
    return value_node(value, span);
}
