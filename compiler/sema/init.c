/* Initializers: from a name and arguments to how a tensor is filled, and the parameters that wait for it. */
#include "ops/build.h"
#include "sema/sema.h"

#include <math.h>

typedef struct Native {
    const char *name, *doc;
    FillKind kind;
    const char *param[2];
    double value[2]; /* defaults */
} Native;

/* The distributions everything else is defined by. */
static const Native natives[] = {
    {"constant", "The same number everywhere.", FILL_CONSTANT, {"value", NULL}, {NAN, 0}},
    {"normal", "Normal numbers.", FILL_NORMAL, {"mean", "std"}, {0, 1}},
    {"uniform", "Numbers spread evenly between `low` and `high`.", FILL_UNIFORM, {"low", "high"}, {0, 1}},
    {"truncated_normal",
     "Normal numbers, drawn again while they lie more than two deviations from the mean.",
     FILL_TRUNCATED_NORMAL,
     {"mean", "std"},
     {0, 1}},
    {"orthogonal",
     "A matrix whose rows or columns are orthogonal, times `gain`.",
     FILL_ORTHOGONAL,
     {"gain", NULL},
     {1, 0}},
};
enum { N_NATIVE = sizeof natives / sizeof natives[0], MAX_NESTED = 16 };

unsigned init_native_count(void) { return N_NATIVE; }
const char *init_native_name(unsigned i) { return natives[i].name; }
const char *init_native_doc(unsigned i) { return natives[i].doc; }

static const Native *native_find(Str name)
{
    for (unsigned i = 0; i < N_NATIVE; i++)
        if (str_is(name, natives[i].name))
            return &natives[i];
    return NULL;
}

bool init_is(Value v)
{
    return v.kind == V_FN && v.fn->kind == CLOSURE_ITEM && v.fn->item->def.kind == DEF_INITIALIZER;
}

Str init_fill_text(Arena *arena, const Fill *fill)
{
    Text text = {.arena = arena};
    for (unsigned i = 0; i < N_NATIVE; i++)
        if (natives[i].kind == fill->kind) {
            text_printf(&text, "%s(", natives[i].name);
            text_number(&text, fill->a);
            if (natives[i].param[1]) {
                text_add(&text, STR(", "));
                text_number(&text, fill->b);
            }
            text_putc(&text, ')');
            break;
        }
    return text_str(&text);
}

/* ── the native ones ── */
static double deviation_of(const Fill *fill, const Fans *fans)
{
    switch (fill->kind) {
    case FILL_NORMAL:
        return fill->b;
    case FILL_UNIFORM:
        return (fill->b - fill->a) / sqrt(12);
    case FILL_TRUNCATED_NORMAL:
        return fill->b * 0.8796256610342398; /* of a normal number within two deviations */
    case FILL_ORTHOGONAL:
        return fill->a / sqrt(fmax(fmax(fans->in, fans->out), 1));
    default:
        return 0;
    }
}

static bool resolve_native(Sema *s, const Native *native, Closure *fn, Span span, const Fans *fans, Dist *out)
{
    double value[2] = {native->value[0], native->value[1]};
    uint32_t n = native->param[1] ? 2 : 1;
    bool given[2] = {false, false};
    Str names[2] = {str_of(native->param[0]), str_of(native->param[1])};
    const char *who = str_c(s->arena, str_printf(s->arena, "an argument of `%s`", native->name));
    if (fn->pos.n > n) {
        sema_error(s, CODE_wrong_argument, fn->span, "`%s` takes %u argument%s, not %u", native->name, n,
                   n == 1 ? "" : "s", fn->pos.n);
        return false;
    }
    for (uint32_t i = 0; i < fn->pos.n; i++) {
        given[i] = true;
        Arg *arg = &fn->pos.at[i];
        if (!value_real(s, arg_value(s, arg), arg->ast ? arg->ast->span : span, who, &value[i]))
            return false;
    }
    for (uint32_t i = 0; i < fn->named.n; i++) {
        Arg *arg = &fn->named.at[i];
        uint32_t at = 0;
        while (at < n && !str_eq(arg->name, names[at]))
            at++;
        if (at == n) {
            sema_unknown(s, arg->name_span, str_c(s->arena, str_printf(s->arena, "argument of `%s`", native->name)),
                         arg->name, names, n);
            return false;
        }
        given[at] = true;
        if (!value_real(s, arg_value(s, arg), arg->ast ? arg->ast->span : span, who, &value[at]))
            return false;
    }
    if (isnan(value[0]) && !given[0]) {
        sema_error(s, CODE_missing_argument, span, "`%s` needs `%s`", native->name, native->param[0]);
        return false;
    }
    out->fill = (Fill){native->kind, value[0], value[1]};
    bool spread = native->kind == FILL_NORMAL || native->kind == FILL_TRUNCATED_NORMAL;
    if (!isfinite(value[0]) || !isfinite(value[1]) || (spread && value[1] < 0) ||
        (native->kind == FILL_UNIFORM && value[0] > value[1])) {
        Diag *diag = sema_error(s, CODE_wrong_argument, span, "`%s` can't be drawn with these numbers", native->name);
        diag_note(diag, "`%s` is %g%s%s%s", native->param[0], value[0], n > 1 ? ", `" : "",
                  n > 1 ? native->param[1] : "",
                  n > 1 ? str_c(s->arena, str_printf(s->arena, "` is %g", value[1])) : "");
        return false;
    }
    out->deviation = deviation_of(&out->fill, fans);
    if (native->kind == FILL_ORTHOGONAL)
        out->gain = value[0];
    return true;
}

/* ── the defined ones ── */
static bool given_fans(Sema *s, void *context, Str name, Value *out)
{
    Fans *fans = context;
    double x;
    if (str_is(name, "fan_in"))
        x = fans->in;
    else if (str_is(name, "fan_out"))
        x = fans->out;
    else if (str_is(name, "gain"))
        x = fans->tensor ? auto_gain(s, fans->tensor - 1) : 1;
    else
        return false;
    *out = value_number(x, (Span){0});
    return true;
}

static bool declares(const Item *item, const char *name)
{
    for (uint32_t i = 0; item->params && i < item->params->n_kid; i++)
        if (str_is(item->params->kid[i]->text, name))
            return true;
    return false;
}

/* `mode = fan_out` lets the family scale by another fan. */
static bool take_mode(Sema *s, const Closure *fn, Args *named, Fans *fans)
{
    static const Str modes[] = {{"fan_in", 6}, {"fan_out", 7}, {"fan_avg", 7}};
    for (uint32_t i = 0; i < fn->named.n; i++) {
        Arg *arg = &fn->named.at[i];
        if (!str_is(arg->name, "mode") || declares(fn->item, "mode")) {
            *vec_push(s->arena, named) = *arg;
            continue;
        }
        Str word = arg->ast && arg->ast->kind == AST_NAME ? arg->ast->text : (Str){0};
        uint32_t mode = 0;
        while (mode < 3 && !str_eq(word, modes[mode]))
            mode++;
        if (mode == 3) {
            sema_unknown(s, arg->ast ? arg->ast->span : arg->name_span, "mode", word, modes, 3);
            return false;
        }
        double fan = mode == 0 ? fans->in : mode == 1 ? fans->out : (fans->in + fans->out) / 2;
        fans->in = fans->out = fan;
    }
    return true;
}

/* Positional arguments are for what the caller decides: the fans come from the tensor. */
static Args skip_fans(Sema *s, const Item *item, const Args *pos, Args *named)
{
    Args none = {0};
    uint32_t at = 0;
    for (uint32_t i = 0; i < pos->n; i++) {
        while (item->params && at < item->params->n_kid &&
               (str_is(item->params->kid[at]->text, "fan_in") || str_is(item->params->kid[at]->text, "fan_out")))
            at++;
        if (!item->params || at >= item->params->n_kid)
            return *pos; /* too many: args_bind says so */
        Arg arg = pos->at[i];
        arg.name = item->params->kid[at++]->text;
        arg.name_span = arg.ast ? arg.ast->span : (Span){0};
        *vec_push(s->arena, named) = arg;
    }
    return none;
}

static bool resolve(Sema *s, Closure *fn, Span span, Fans fans, Dist *out, uint32_t depth)
{
    const Item *item = fn->item;
    if (item->poisoned)
        return false;
    if (!item->def.ast || depth > MAX_NESTED)
        return resolve_native(s, native_find(item->def.name), fn, span, &fans, out);
    Frame *body = frame_new(s, s->global, FRAME_SCALAR);
    body->item = item;
    Args named = {0};
    if (!take_mode(s, fn, &named, &fans))
        return false;
    Value v;
    if (item->params) {
        Args pos = skip_fans(s, item, &fn->pos, &named);
        if (!args_bind(s, item, &pos, &named, span, body, given_fans, &fans))
            return false;
        v = eval(s, body, item->body);
    } else {
        v = eval(s, body, item->def.ast->kid[1]);
    }
    if (v.kind == V_NONE)
        return false;
    if (!init_is(v)) {
        Diag *diag = sema_error(s, CODE_not_a_value, item->def.ast->span,
                                "the initializer `" STR_FMT "` is no distribution", STR_ARG(item->def.name));
        diag_help(diag, "end in one of constant, normal, uniform, truncated_normal, orthogonal");
        return false;
    }
    Closure *next = v.fn;
    if (!item->params) { /* an alias takes what its target takes */
        next = arena_copy(s->arena, next, sizeof *next);
        for (uint32_t i = 0; i < fn->pos.n; i++)
            *vec_push(s->arena, &next->pos) = fn->pos.at[i];
        next->named = named;
    }
    const Native *native = next->item == item ? native_find(item->def.name) : NULL;
    bool ok = native ? resolve_native(s, native, next, span, &fans, out) : resolve(s, next, span, fans, out, depth + 1);
    Binding *gain = map_get(&body->names, STR("gain"));
    if (ok && gain && gain->value.kind == V_NUMBER)
        out->gain = gain->value.number;
    return ok;
}

bool init_resolve(Sema *s, Value init, Span span, const Fans *fans, Dist *out)
{
    *out = (Dist){.gain = NAN, .name = init.fn->name};
    Span outer = s->outer;
    if (!outer.source)
        s->outer = span; /* mistakes in a library definition are shown where it is used */
    bool ok = resolve(s, init.fn, span, *fans, out, 0);
    s->outer = outer;
    return ok;
}

/* ── parameters ── */
NodeId tensor_node(Sema *s, uint32_t tensor)
{
    while (s->tensor_node.n <= tensor)
        *vec_push(s->arena, &s->tensor_node) = 0;
    if (!s->tensor_node.at[tensor]) {
        NodeId node = build_tensor(s->g, tensor);
        graph_node(s->g, node)->span = s->g->tensors.at[tensor].span;
        s->tensor_node.at[tensor] = node;
    }
    return s->tensor_node.at[tensor];
}

/* By name; only parameters. -1: none. (Searching the table would be quadratic in deep networks.) */
int tensor_find(const Sema *s, Str name)
{
    const uint32_t *index = map_get(&s->tensor_index, name);
    return index ? (int)*index : -1;
}

bool tensor_same_in_files(const Tensor *a, const Tensor *b)
{
    bool same = a->type.rank == b->type.rank && a->type.dtype == b->type.dtype;
    for (uint32_t i = 0; same && i < a->type.rank; i++)
        same = a->type.dim[a->file_axis[i]] == b->type.dim[b->file_axis[i]];
    return same;
}

Str tensor_shape(Sema *s, const Tensor *t)
{
    Text text = {.arena = s->arena};
    Type type = tensor_type(t);
    type_print_shape(&type, &text);
    return text_str(&text);
}

uint32_t param_make(Sema *s, const Tensor *like, Str name, Value init, Span init_span, bool reuse, Span span, bool *ok)
{
    int old = tensor_find(s, name);
    if (old >= 0 && reuse) {
        const Tensor *t = &s->g->tensors.at[old];
        *ok = tensor_same_in_files(t, like);
        if (!*ok) {
            Diag *diag =
                sema_error(s, CODE_shape_mismatch, span,
                           "the shared parameter `" STR_FMT "` has shape " STR_FMT ", and this use needs " STR_FMT,
                           STR_ARG(name), STR_ARG(tensor_shape(s, t)), STR_ARG(tensor_shape(s, like)));
            diag_label(diag, sema_place(s, t->span), "made here");
        }
        return (uint32_t)old;
    }
    double elements = 1;
    for (uint32_t i = 0; i < like->type.rank; i++)
        elements *= like->type.dim[i];
    if (elements > 2147483648.0) {
        sema_error(s, CODE_too_large, span, "`" STR_FMT "` would have %.0f elements; the most is 2147483648",
                   STR_ARG(name), elements);
        *ok = false;
        return 0;
    }
    Tensor tensor = *like;
    tensor.name = name;
    tensor.span = sema_place(s, span);
    tensor.role = tensor.trainable ? ROLE_PARAM : ROLE_CONSTANT;
    tensor.init_span = sema_place(s, init_span);
    tensor.low = 1;
    tensor.high = 0;
    bool fixed = str_is(like->init, "fixed");
    uint32_t index = graph_tensor_add(s->g, &tensor);
    map_set(&s->tensor_index, name, arena_copy(s->arena, &index, sizeof index));
    if (!fixed)
        *vec_push(s->arena, &s->pending) = (Pending){.tensor = index, .init = init, .span = init_span};
    *ok = true;
    return index;
}

Value parameter_make(Sema *s, Frame *f, const Ast *call, Str name)
{
    if (!s->g || !f->scope || f->kind == FRAME_SCALAR) {
        s->row_op = true;
        sema_error(s, CODE_not_a_value, call->span, "a parameter belongs into a model or a block");
        return value_none();
    }
    Args pos = {0}, named = {0};
    args_read(s, f, call, &pos, &named);
    static const Str names[] = {{"shape", 5}, {"init", 4}, {"trainable", 9}};
    Arg *given[3] = {NULL};
    for (uint32_t i = 0; i < pos.n && i < 2; i++)
        given[i] = &pos.at[i];
    for (uint32_t i = 0; i < named.n; i++) {
        uint32_t at = 0;
        while (at < 3 && !str_eq(named.at[i].name, names[at]))
            at++;
        if (at == 3) {
            sema_unknown(s, named.at[i].name_span, "argument of `parameter`", named.at[i].name, names, 3);
            return value_none();
        }
        given[at] = &named.at[i];
    }
    if (!given[0] || !given[1] || pos.n > 2) {
        Diag *diag = sema_error(s, pos.n > 2 ? CODE_wrong_argument : CODE_missing_argument, call->span,
                                "`parameter` takes a shape and an initializer");
        diag_help(diag, "write `parameter([1, 64], normal(0, 0.02))`");
        return value_none();
    }
    Dims dims = {0};
    Value shape = arg_value(s, given[0]), init = arg_value(s, given[1]);
    Value trainable = given[2] ? arg_value(s, given[2]) : value_flag(true, call->span);
    if (!value_dims(s, shape, given[0]->ast->span, "the shape of `parameter`", &dims) || init.kind == V_NONE)
        return value_none();
    if (!init_is(init) || trainable.kind != V_FLAG) {
        const Arg *wrong = init_is(init) ? given[2] : given[1];
        sema_error(s, CODE_wrong_argument, wrong->ast->span, "this must be %s, and it is " STR_FMT,
                   init_is(init) ? "`true` or `false`" : "an initializer", STR_ARG(value_describe(s, wrong->value)));
        return value_none();
    }
    Tensor like = {.type = {.dtype = DT_F32, .rank = dims.n}, .fan_in = 1, .fan_out = 1};
    for (uint32_t i = 0; i < dims.n; i++) {
        if (dims.at[i] < 1) {
            sema_error(s, CODE_wrong_argument, given[0]->ast->span, "a size is at least 1");
            return value_none();
        }
        like.type.dim[i] = (uint32_t)dims.at[i];
        like.file_axis[i] = i;
        *(i + 1 < dims.n ? &like.fan_in : &like.fan_out) *= (double)dims.at[i];
    }
    like.trainable = trainable.flag && !f->scope->frozen;
    Str full = scope_name(s, f->scope, name.n ? name : STR("parameter"), name, call->span);
    bool ok;
    uint32_t index = param_make(s, &like, full, init, given[1]->ast->span, f->scope->reuse, call->span, &ok);
    return ok ? (Value){.kind = V_TENSOR, .span = call->span, .tensor = index} : value_none();
}

void init_finish(Sema *s)
{
    for (uint32_t i = 0; i < s->pending.n; i++) {
        const Pending *p = &s->pending.at[i];
        Tensor *t = &s->g->tensors.at[p->tensor];
        Fans fans = {t->fan_in, t->fan_out, p->tensor + 1};
        Dist dist = {.gain = NAN, .name = STR("auto")};
        Item *by_default = item_find(s, DEF_INITIALIZER, STR("auto"));
        if (p->init.kind == V_FN || by_default) {
            Closure *fn = arena_new_of(s->arena, Closure);
            fn->item = by_default;
            fn->name = STR("auto");
            fn->span = p->span;
            if (!init_resolve(s, p->init.kind == V_FN ? p->init : value_fn(fn, p->span), p->span, &fans, &dist))
                continue;
        } else {
            dist.gain = auto_gain(s, p->tensor);
            dist.fill = (Fill){FILL_NORMAL, 0, dist.gain / sqrt(fmax(fans.in, 1))};
            dist.deviation = dist.fill.b;
        }
        t = &s->g->tensors.at[p->tensor];
        t->fill = dist.fill;
        t->init = dist.name;
        t->deviation = dist.deviation;
        t->gain = isnan(dist.gain) ? dist.deviation * sqrt(fmax(fans.in, 1)) : dist.gain;
    }
}
