/* Blocks and repetitions: the body is evaluated anew at every use, under its own name. */
#include "sema/sema.h"

enum { MAX_REPEAT = 10000 };

/* Takes `trainable = false` out of the arguments, unless the block has a parameter of that name. */
static bool take_frozen(Sema *s, const Item *item, const Args *named, Args *rest)
{
    bool frozen = false, own = false;
    for (uint32_t i = 0; item->params && i < item->params->n_kid; i++)
        own = own || str_is(item->params->kid[i]->text, "trainable");
    for (uint32_t i = 0; i < named->n; i++) {
        if (own || !str_is(named->at[i].name, "trainable")) {
            *vec_push(s->arena, rest) = named->at[i];
            continue;
        }
        Value v = arg_value(s, &named->at[i]);
        if (v.kind != V_FLAG && v.kind != V_NONE)
            sema_error(s, CODE_wrong_argument, named->at[i].ast->span,
                       "`trainable` is `true` or `false`, and this is " STR_FMT, STR_ARG(value_describe(s, v)));
        frozen = v.kind == V_FLAG && !v.flag;
    }
    return frozen;
}

static Value block_result(Sema *s, Frame *f, const Ast *result, Span span)
{
    if (result->n_kid == 1) {
        Value v = eval(s, f, result->kid[0]);
        if (v.kind != V_NONE && v.kind != V_LIST)
            v.span = span;
        return v;
    }
    Value v = {.kind = V_LIST, .span = span};
    v.list = arena_new_of(s->arena, List);
    v.list->results = true;
    for (uint32_t i = 0; i < result->n_kid; i++)
        *vec_push(s->arena, &v.list->item) = eval(s, f, result->kid[i]);
    return v;
}

static Value run_body(Sema *s, Frame *f, const Item *item, Span span)
{
    const Ast *ast = item->def.ast;
    Value result = value_none();
    frame_declare(s, f, (const Ast *const *)ast->kid, ast->n_kid);
    for (uint32_t i = 0; i < ast->n_kid; i++) {
        const Ast *st = ast->kid[i];
        if (!st || st->kind == AST_PARAMETERS)
            continue;
        if (st->kind == AST_ASSIGN) {
            for (uint32_t k = 0; k < st->kid[0]->n_kid; k++)
                binding_value(s, map_get(&f->names, st->kid[0]->kid[k]->text), (Span){0});
        } else if (st->kind == AST_SHARE || st->kind == AST_BLOCK) {
            binding_value(s, map_get(&f->names, st->text), (Span){0});
        } else if (st->kind == AST_RESULT) {
            result = block_result(s, f, st, span);
        } else { /* the parser has said that it does not belong here */
            s->model->poisoned = true;
        }
    }
    return result;
}

Value block_call(Sema *s, Frame *f, Closure *fn, Args *pos, Args *named, const Ast *call, Span span, Str path)
{
    (void)call;
    const Item *item = fn->item;
    if (f->kind == FRAME_SCALAR || !s->g || !f->scope) {
        s->row_op = true;
        sema_error(s, CODE_not_a_value, span,
                   "the block `" STR_FMT "` works on values of a network, not on single numbers", STR_ARG(fn->name));
        return value_none();
    }
    Args rest = {0};
    bool frozen = take_frozen(s, item, named, &rest);
    Share *share = fn->share;
    Str name = path.n && !share ? path
               : share          ? share->path
                                : scope_name(s, f->scope, fn->name, fn->label, fn->label_span);
    Span outer = s->outer;
    if (!outer.source)
        s->outer = span;
    Frame *body = frame_new(s, item->env, FRAME_GRAPH);
    body->item = item;
    body->scope = scope_new(s, f->scope, name);
    body->scope->reuse = f->scope->reuse || (share && share->used);
    body->scope->frozen = f->scope->frozen || frozen;
    ((Item *)(uintptr_t)item)->used = true;
    Value result = value_none();
    if (args_bind(s, item, pos, &rest, span, body, NULL, NULL))
        result = run_body(s, body, item, span);
    s->outer = outer;
    if (result.kind == V_NONE)
        broken_layer(s, name);
    if (share)
        share->used = true;
    return result;
}

/* What a parameter will be is not known: a poisoned value, which says nothing. */
static bool given_nothing(Sema *s, void *context, Str name, Value *out)
{
    (void)s, (void)context, (void)name;
    *out = value_none();
    return true;
}

void block_check(Sema *s, Item *item)
{
    /* The graph is a copy that is thrown away; a block inside a model sees the model's values. */
    Graph *g = s->g;
    Model *model = s->model, nobody = {.arena = s->arena, .poisoned = true};
    Graph scratch = g ? *g : *graph_new(s->arena, s->sx, item->def.name, 1);
    NodeId *nodes = arena_copy(s->arena, s->tensor_node.at, s->tensor_node.n * sizeof(NodeId));
    uint32_t n_nodes = g ? s->tensor_node.n : 0, n_pending = s->pending.n, layer = s->layer;
    Map index = s->tensor_index, lost = s->lost;
    s->model = &nobody;
    s->g = &scratch;
    s->tensor_node.n = n_nodes;
    s->tensor_index = s->lost = (Map){.arena = s->arena};
    Frame *body = frame_new(s, item->env, FRAME_GRAPH);
    body->item = item;
    body->scope = scope_new(s, NULL, item->def.name);
    Args none = {0}, no_names = {0};
    args_bind(s, item, &none, &no_names, item->def.ast->span, body, given_nothing, NULL);
    run_body(s, body, item, item->def.ast->span);
    s->model = model;
    s->g = g;
    s->tensor_index = index;
    s->lost = lost;
    s->pending.n = n_pending;
    s->layer = layer;
    s->tensor_node.n = n_nodes;
    for (uint32_t i = 0; i < n_nodes; i++)
        s->tensor_node.at[i] = nodes[i];
}

/* ── linear(8) |> relu ── */
Value chain_make(Sema *s, Closure *first, Closure *next, Span span)
{
    Closure *fn = arena_new_of(s->arena, Closure);
    *fn = (Closure){.kind = CLOSURE_CHAIN, .name = STR("repeat"), .inner = first, .next = next, .span = span};
    return value_fn(fn, span);
}

/* In place, the layers of a chain are named as if they stood there; shared, labelled or repeated, they have a scope of their own. */
Value chain_call(Sema *s, Frame *f, Closure *fn, Args *pos, Args *named, const Ast *call, Span span, Str path)
{
    Share *share = fn->share;
    if (!pos->n || named->n || !f->scope) {
        s->row_op = s->row_op || !f->scope;
        sema_error(s, CODE_missing_argument, span, "several layers, one behind the other, take one value and no argument");
        return value_none();
    }
    Frame body = *f;
    if (share || path.n || fn->label.n) {
        Str name = share ? share->path : path.n ? path : scope_name(s, f->scope, fn->name, fn->label, fn->label_span);
        body.scope = scope_new(s, f->scope, name);
        body.scope->reuse = f->scope->reuse || (share && share->used);
        body.scope->frozen = f->scope->frozen;
    }
    Args none = {0}, values = {0};
    Value v = closure_apply(s, &body, fn->inner, pos, &none, call, fn->inner->span.source ? fn->inner->span : span, (Str){0});
    if (v.kind != V_NONE) {
        args_push(s, &values, v);
        v = closure_apply(s, &body, fn->next, &values, &none, call, fn->next->span.source ? fn->next->span : span, (Str){0});
    }
    if (share)
        share->used = true;
    if (v.kind != V_NONE)
        v.span = span;
    return v;
}

/* ── repeat(n, f) ── */
Value repeat_make(Sema *s, Frame *f, const Ast *call, Args *pos, Args *named)
{
    (void)f;
    int64_t count;
    if (named->n) {
        sema_unknown(s, named->at[0].name_span, "argument of `repeat`", named->at[0].name, NULL, 0);
        return value_none();
    }
    if (pos->n != 2) {
        Diag *diag = sema_error(s, pos->n < 2 ? CODE_missing_argument : CODE_wrong_argument, call->span,
                                "`repeat` takes a number and a block or layer");
        diag_help(diag, "write `x |> repeat(3, linear(64))`");
        return value_none();
    }
    Value n = arg_value(s, &pos->at[0]), inner = arg_value(s, &pos->at[1]);
    if (!value_whole(s, n, pos->at[0].ast->span, "the count of `repeat`", 0, MAX_REPEAT, &count) ||
        inner.kind == V_NONE)
        return value_none();
    if (inner.kind != V_FN || init_is(inner)) {
        Diag *diag =
            sema_error(s, CODE_not_a_value, pos->at[1].ast->span,
                       "`repeat` repeats a block or layer, and this is " STR_FMT, STR_ARG(value_describe(s, inner)));
        if (value_is_graph(inner))
            diag_help(diag, "leave out its value: `x |> repeat(3, block(...))`");
        return value_none();
    }
    Closure *fn = arena_new_of(s->arena, Closure);
    fn->kind = CLOSURE_REPEAT;
    fn->name = STR("repeat");
    fn->inner = inner.fn;
    fn->count = (uint32_t)count;
    fn->span = call->span;
    return value_fn(fn, call->span);
}

static const Closure *innermost(const Closure *fn)
{
    while (fn->kind == CLOSURE_REPEAT)
        fn = fn->inner;
    return fn;
}

Value repeat_call(Sema *s, Frame *f, Closure *fn, Args *pos, Args *named, const Ast *call, Span span, Str path)
{
    if (!pos->n || named->n) {
        sema_error(s, CODE_missing_argument, span, "`repeat` needs the value it starts from");
        return value_none();
    }
    if (!f->scope) {
        s->row_op = true;
        sema_error(s, CODE_not_a_value, span, "`repeat` works on values of a network, not on single numbers");
        return value_none();
    }
    const Closure *inner = innermost(fn);
    Str label = fn->label.n ? fn->label : fn->inner->label;
    Span label_span = fn->label.n ? fn->label_span : fn->inner->label_span;
    Str base = path.n ? path : scope_name(s, f->scope, inner->name, label, label_span);
    uint32_t outer = s->repeat;
    Value v = arg_value(s, &pos->at[0]);
    for (uint32_t i = 0; i < fn->count; i++) {
        Args values = {0}, none = {0};
        if (i == 0)
            values = *pos;
        else
            args_push(s, &values, v);
        s->repeat = i + 1;
        Str copy = str_printf(s->arena, STR_FMT ".%u", STR_ARG(base), i);
        v = closure_apply(s, f, fn->inner, &values, &none, call, inner->span.source ? inner->span : span, copy);
        if (v.kind == V_NONE || s->exhausted)
            break;
    }
    s->repeat = outer;
    if (v.kind != V_NONE)
        v.span = span;
    return v;
}
