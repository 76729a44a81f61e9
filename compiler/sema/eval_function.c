/* Functions of numbers: activations and scalar functions. Applied to values of the network, the body becomes one
 * expression and one map node; a body that needs rows or whole values is evaluated on the nodes themselves. */
#include "sema/sema.h"

#include <math.h>
#include <string.h>

static bool any_kind(const Frame *body, ValueKind kind)
{
    for (uint32_t i = 0; i < body->names.n; i++)
        if (((const Binding *)body->names.item[i].value)->value.kind == kind)
            return true;
    return false;
}

/* The body as one expression of `o`; 0 when it is not pointwise. Nothing is reported. */
Sx pointwise_body(Sema *s, const Item *item, const Frame *bound, Operands *o)
{
    Frame *scalar = frame_new(s, s->global, FRAME_SCALAR);
    scalar->item = item;
    for (uint32_t i = 0; i < bound->names.n; i++) {
        const Binding *b = bound->names.item[i].value;
        Value v = b->value;
        if (value_is_graph(v)) {
            if (!operand_fits(o))
                return 0;
            v = value_sx(operand_sx(s, o, v), v.span);
        }
        frame_set(s, scalar, b->name, v);
    }
    bool failed = s->failed;
    s->failed = false;
    s->trial++;
    Value v = eval(s, scalar, item->body);
    s->trial--;
    bool ok = !s->failed;
    s->failed = failed;
    if (!ok || (v.kind != V_SX && v.kind != V_NUMBER))
        return 0;
    return v.kind == V_SX ? v.sx : sx_num(s->sx, v.number);
}

uint32_t use_begin(Sema *s, Str name, Str kind, bool activation, Span span, const Ast *call, NodeId in)
{
    LayerUse *use = vec_push(s->arena, &s->model->layers);
    *use = (LayerUse){.name = name, .kind = kind, .activation = activation, .span = span, .in = in, .call = call};
    use->outer = s->outer.source ? s->outer : span;
    use->repeat = s->repeat;
    s->layer = s->model->layers.n;
    return s->model->layers.n - 1;
}

void use_end(Sema *s, uint32_t use, NodeId out, uint32_t outer_layer)
{
    s->model->layers.at[use].out = out;
    s->layer = outer_layer;
}

static Value on_graph(Sema *s, Frame *f, Closure *fn, Frame *body, const Ast *call, Span span, Str path)
{
    const Item *item = fn->item;
    Operands o = {0};
    Sx sx = pointwise_body(s, item, body, &o);
    bool activation = item->def.kind == DEF_ACTIVATION && f->scope && !(f->item && f->item->def.kind == DEF_LOSS);
    uint32_t outer = s->layer, use = 0;
    if (activation) {
        Str name = path.n ? path : scope_name(s, f->scope, fn->name, fn->label, fn->label_span);
        NodeId in = value_to_node(s, ((const Binding *)body->names.item[0].value)->value);
        use = use_begin(s, name, fn->name, true, span, call, in);
    }
    NodeId from = s->g->nodes.n;
    Value result;
    if (sx && o.n) {
        result = value_node(operands_map(s, f, &o, sx, span, fn->name), span);
    } else {
        body->kind = FRAME_GRAPH;
        body->scope = f->scope;
        body->loss = f->loss;
        result = eval(s, body, item->body);
        origin_set(s, from, span, fn->name);
        if (result.kind != V_NONE)
            result.span = span;
    }
    if (activation)
        use_end(s, use, value_is_graph(result) ? value_to_node(s, result) : 0, outer);
    return result;
}

/* A call with numbers only: the body is evaluated once for the same literals, and the symbolic arguments are put into
 * it. So functions that call each other several times cost what they say, not what they multiply to. */
static bool on_numbers(Sema *s, Item *item, const Frame *body, Span span, Value *out)
{
    Sx to[8];
    double fixed[8];
    uint32_t n = body->names.n, symbolic = 0;
    for (uint32_t i = 0; i < n && n <= 8; i++) {
        Value v = ((const Binding *)body->names.item[i].value)->value;
        if (v.kind != V_SX && v.kind != V_NUMBER)
            return false;
        symbolic += v.kind == V_SX;
        fixed[i] = v.kind == V_NUMBER ? v.number : NAN;
        to[i] = v.kind == V_SX ? v.sx : sx_num(s->sx, v.number);
    }
    if (n > 8 || !symbolic)
        return false;
    if (!item->known || memcmp(fixed, item->fixed, n * sizeof *fixed) != 0) {
        Frame *generic = frame_new(s, s->global, FRAME_SCALAR);
        generic->item = item;
        for (uint32_t i = 0; i < n; i++) {
            const Binding *b = body->names.item[i].value;
            frame_set(s, generic, b->name, isnan(fixed[i]) ? value_sx(sx_arg(s->sx, i), b->span) : b->value);
        }
        Value v = eval(s, generic, item->body);
        if (v.kind != V_SX)
            return *out = v, true;
        item->known = v.sx;
        memcpy(item->fixed, fixed, sizeof fixed);
    }
    *out = value_sx(sx_substitute(s->sx, item->known, to, n), span);
    return true;
}

Value function_call(Sema *s, Frame *f, Closure *fn, Args *pos, Args *named, const Ast *call, Span span, Str path)
{
    const Item *item = fn->item;
    Frame *body = frame_new(s, s->global, FRAME_SCALAR);
    body->item = item;
    if (!args_bind(s, item, pos, named, span, body, NULL, NULL) || any_kind(body, V_NONE))
        return value_none();
    if (!any_kind(body, V_NODE) && !any_kind(body, V_TENSOR)) {
        if (item->def.kind == DEF_ACTIVATION && f->kind == FRAME_GRAPH && pos->n && body->names.n) {
            Value x = ((const Binding *)body->names.item[0].value)->value;
            if (x.kind == V_FN || x.kind == V_LIST || x.kind == V_WORD || x.kind == V_FLAG) {
                value_want_node(s, x, x.span.source ? x.span : span,
                                str_c(s->arena, str_printf(s->arena, "`" STR_FMT "`", STR_ARG(fn->name))));
                return value_none();
            }
        }
        Value v;
        if (!on_numbers(s, (Item *)(uintptr_t)item, body, span, &v))
            v = eval(s, body, item->body);
        if (v.kind != V_NONE)
            v.span = span;
        return v;
    }
    return on_graph(s, f, fn, body, call, span, path);
}

/* ── definitions by themselves ── */
static bool given_argument(Sema *s, void *context, Str name, Value *out)
{
    const Item *item = context;
    unsigned index = 0;
    for (uint32_t i = 0; i < item->params->n_kid; i++) {
        const Ast *param = item->params->kid[i];
        bool fixed = param->n_kid && param->kid[0];
        if (str_eq(param->text, name)) {
            *out = value_sx(sx_arg(s->sx, index), param->span);
            return !fixed;
        }
        index += !fixed;
    }
    return false;
}

Sx function_sx(Sema *s, const Item *item, bool quiet)
{
    if (item->poisoned || !item->def.ast || item->def.ast->kind != AST_FUNCTION)
        return 0;
    if (!item->params) { /* an alias is the function it names, its further arguments filled in */
        Frame *f = frame_new(s, s->global, FRAME_GRAPH);
        f->item = item;
        s->trial += quiet;
        Value v = eval(s, f, item->def.ast->kid[1]);
        s->trial -= quiet;
        if (v.kind != V_FN)
            return 0;
        f->kind = FRAME_SCALAR;
        Args pos = {0}, none = {0};
        *vec_push(s->arena, &pos) = arg_of_value(value_sx(sx_arg(s->sx, 0), item->def.ast->span));
        Value r = closure_apply(s, f, v.fn, &pos, &none, item->def.ast, item->def.ast->span, (Str){0});
        return r.kind == V_SX ? r.sx : r.kind == V_NUMBER ? sx_num(s->sx, r.number) : 0;
    }
    Frame *body = frame_new(s, s->global, FRAME_SCALAR);
    body->item = item;
    Args none = {0}, no_names = {0};
    bool failed = s->failed, rows = s->row_op;
    s->failed = s->row_op = false;
    s->trial += quiet;
    bool bound =
        args_bind(s, item, &none, &no_names, item->def.ast->span, body, given_argument, (void *)(uintptr_t)item);
    Value v = bound ? eval(s, body, item->body) : value_none();
    s->trial -= quiet;
    bool ok = !s->failed;
    ((Item *)(uintptr_t)item)->row_op = s->row_op;
    s->failed = failed;
    s->row_op = rows;
    if (!ok)
        return 0;
    return v.kind == V_SX ? v.sx : v.kind == V_NUMBER ? sx_num(s->sx, v.number) : 0;
}

void function_check(Sema *s, Item *item)
{
    uint32_t errors = s->diags->list.n, tried = s->scratch.list.n;
    if (function_sx(s, item, true) || item->poisoned)
        return;
    if (item->def.kind == DEF_ACTIVATION) {
        function_sx(s, item, false);
    } else { /* a parameter may be a function, or a value with rows: only names are certain */
        for (uint32_t i = tried; i < s->scratch.list.n; i++)
            if (str_is(str_of(s->scratch.list.at[i]->code), "ACT1206"))
                *vec_push(s->arena, &s->diags->list) = s->scratch.list.at[i];
    }
    if (s->diags->list.n > errors)
        item->poisoned = true;
}
