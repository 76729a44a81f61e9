/* Calls: which function is meant, whether it has its value yet, and how arguments reach parameters. */
#include "sema/sema.h"

Value arg_value(Sema *s, Arg *arg)
{
    if (!arg->done) {
        arg->done = true;
        arg->value = eval(s, arg->frame, arg->ast);
        if (arg->value.kind != V_NONE)
            arg->value.span = arg->ast->span;
    }
    return arg->value;
}

Arg arg_of_value(Value v) { return (Arg){.value = v, .done = true}; }

void args_read(Sema *s, Frame *f, const Ast *call, Args *pos, Args *named)
{
    for (uint32_t i = 1; i < call->n_kid; i++) {
        const Ast *arg = call->kid[i];
        if (!arg || arg->kind != AST_ARG)
            continue;
        Args *to = arg->text.n ? named : pos;
        *vec_push(s->arena, to) = (Arg){.name = arg->text, .name_span = arg->name_span, .ast = arg->kid[0], .frame = f};
    }
}

static Span arg_span(const Arg *arg) { return arg->ast ? arg->ast->span : arg->value.span; }

/* ── binding ── */
static Arg *find_named(Args *named, Str name)
{
    for (uint32_t i = 0; i < named->n; i++)
        if (str_eq(named->at[i].name, name))
            return &named->at[i];
    return NULL;
}

static bool check_named(Sema *s, const Item *item, Args *pos, Args *named)
{
    VEC(Str) names = {0};
    bool ok = true;
    uint32_t n = item->params ? item->params->n_kid : 0;
    for (uint32_t i = 0; i < n; i++)
        *vec_push(s->arena, &names) = item->params->kid[i]->text;
    for (uint32_t i = 0; i < named->n; i++) {
        const Arg *arg = &named->at[i];
        uint32_t at = 0;
        while (at < n && !str_eq(names.at[at], arg->name))
            at++;
        const char *what = str_c(s->arena, str_printf(s->arena, "argument of `" STR_FMT "`", STR_ARG(item->def.name)));
        if (at == n) {
            sema_unknown(s, arg->name_span, str_c(s->arena, str_of(what)), arg->name, names.at, names.n);
            ok = false;
        } else if (at < pos->n || find_named(named, arg->name) != arg) {
            sema_error(s, CODE_duplicate_name, arg->name_span, "`" STR_FMT "` is given twice", STR_ARG(arg->name));
            ok = false;
        }
    }
    if (pos->n > n) {
        Diag *diag =
            sema_error(s, CODE_wrong_argument, arg_span(&pos->at[n]), "`" STR_FMT "` takes %u argument%s, not %u",
                       STR_ARG(item->def.name), n, n == 1 ? "" : "s", pos->n);
        if (item->def.ast && !item->def.library)
            diag_label(diag, item->def.ast->name_span, "defined here");
        ok = false;
    }
    return ok;
}

bool args_bind(Sema *s, const Item *item, Args *pos, Args *named, Span span, Frame *into, GivenFn given, void *context)
{
    bool ok = check_named(s, item, pos, named);
    for (uint32_t i = 0; item->params && i < item->params->n_kid; i++) {
        const Ast *param = item->params->kid[i];
        if (param->kind != AST_PARAMETER)
            continue;
        Arg *arg = i < pos->n ? &pos->at[i] : find_named(named, param->text);
        Value v = value_none();
        /* An initializer that states a gain of its own (Xavier's is 1) means it; only a bare `gain` is computed. */
        bool own = item->def.kind == DEF_INITIALIZER && param->n_kid && param->kid[0];
        if (arg) {
            v = arg_value(s, arg);
        } else if (given && !own && given(s, context, param->text, &v)) {
            /* the compiler knows it: fan_in, now, w … */
        } else if (param->n_kid && param->kid[0]) {
            v = eval(s, into, param->kid[0]);
        } else {
            Diag *diag = sema_error(s, CODE_missing_argument, span, "`" STR_FMT "` needs `" STR_FMT "`",
                                    STR_ARG(item->def.name), STR_ARG(param->text));
            diag_help(diag, "write `" STR_FMT "(" STR_FMT " = ...)`", STR_ARG(item->def.name), STR_ARG(param->text));
            ok = false;
        }
        frame_set(s, into, param->text, v);
        mark_value(s, param->name_span, v);
        ((Binding *)map_get(&into->names, param->text))->span = param->name_span;
    }
    return ok;
}

/* ── applying ── */
static bool value_like(Value v) { return value_is_graph(v) || v.kind == V_SX || v.kind == V_NONE || init_is(v); }

/* Leading values, then what the function was given before, then the rest. */
static Args merge(Sema *s, const Closure *fn, const Args *pos)
{
    Args out = {0};
    uint32_t lead = pos->n ? 1 : 0;
    uint32_t most = fn->kind == CLOSURE_ITEM && fn->item->def.layer ? fn->item->def.layer->max_value : 1;
    while (lead && lead < pos->n && lead < most && value_like(arg_value(s, &pos->at[lead])))
        lead++;
    for (uint32_t i = 0; i < lead; i++)
        *vec_push(s->arena, &out) = pos->at[i];
    for (uint32_t i = 0; i < fn->pos.n; i++)
        *vec_push(s->arena, &out) = fn->pos.at[i];
    for (uint32_t i = lead; i < pos->n; i++)
        *vec_push(s->arena, &out) = pos->at[i];
    return out;
}

static Args merge_named(Sema *s, const Args *before, const Args *now)
{
    Args out = {0};
    for (uint32_t i = 0; i < before->n; i++)
        if (!find_named((Args *)(uintptr_t)now, before->at[i].name))
            *vec_push(s->arena, &out) = before->at[i];
    for (uint32_t i = 0; i < now->n; i++)
        *vec_push(s->arena, &out) = now->at[i];
    return out;
}

static Closure *alias_target(Sema *s, const Closure *fn)
{
    const Item *item = fn->item;
    Frame *f = frame_new(s, s->global, FRAME_GRAPH); /* my(3) is a partial application, not my of 3 */
    f->item = item;
    Value v = eval(s, f, item->def.ast->kid[1]);
    if (v.kind == V_NONE)
        return NULL;
    if (v.kind != V_FN) {
        sema_error(s, CODE_not_a_value, item->def.ast->kid[1]->span,
                   "`" STR_FMT "` has no parameters, so it must be another function, and this is " STR_FMT,
                   STR_ARG(item->def.name), STR_ARG(value_describe(s, v)));
        return NULL;
    }
    Closure *target = arena_copy(s->arena, v.fn, sizeof *v.fn);
    target->name = fn->name;
    target->label = fn->label.n ? fn->label : target->label;
    target->label_span = fn->label.n ? fn->label_span : target->label_span;
    target->share = fn->share ? fn->share : target->share;
    return target;
}

static Value apply_primitive(Sema *s, Frame *f, const Closure *fn, Args *pos, const Args *named, Span span)
{
    Value v[3];
    if (named->n) {
        sema_unknown(s, named->at[0].name_span, "argument of a scalar function", named->at[0].name, NULL, 0);
        return value_none();
    }
    for (uint32_t i = 0; i < pos->n; i++) {
        Value arg = arg_value(s, &pos->at[i]);
        if (i < 3)
            v[i] = arg;
    }
    return op_primitive(s, f, span, fn->primitive, v, pos->n > 3 ? 4 : pos->n);
}

Value closure_apply(Sema *s, Frame *f, Closure *fn, Args *given_pos, Args *given_named, const Ast *call, Span span,
                    Str path)
{
    if (eval_spent(s, span))
        return value_none();
    Args pos = merge(s, fn, given_pos), named = merge_named(s, &fn->named, given_named);
    if (fn->kind == CLOSURE_PRIMITIVE)
        return apply_primitive(s, f, fn, &pos, &named, span);
    if (fn->kind == CLOSURE_REPEAT)
        return repeat_call(s, f, fn, &pos, &named, call, span, path);
    if (fn->kind == CLOSURE_CHAIN)
        return chain_call(s, f, fn, &pos, &named, call, span, path);
    const Item *item = fn->item;
    if (item->poisoned)
        return value_none();
    if (item->def.ast && item->def.ast->kind == AST_FUNCTION && !item->params && item->def.kind != DEF_INITIALIZER) {
        Closure *target = alias_target(s, fn);
        return target ? closure_apply(s, f, target, &pos, &named, call, span, path) : value_none();
    }
    switch (item->def.kind) {
    case DEF_LAYER:
        return layer_call(s, f, fn, &pos, &named, call, span, path);
    case DEF_BLOCK:
        return block_call(s, f, fn, &pos, &named, call, span, path);
    case DEF_LOSS:
        return loss_call(s, f, fn, &pos, &named, call, span);
    case DEF_INITIALIZER:
        sema_error(s, CODE_not_a_value, span, "the initializer `" STR_FMT "` takes no value", STR_ARG(fn->name));
        return value_none();
    default:
        return function_call(s, f, fn, &pos, &named, call, span, path);
    }
}

/* ── the two forms of a call ── */
/* Has the function its value, or is it a partial application, `linear(128)`? */
static bool applies(Sema *s, const Frame *f, const Closure *fn, Args *pos, Args *named)
{
    if (fn->kind == CLOSURE_PRIMITIVE)
        return true;
    if (fn->kind == CLOSURE_REPEAT || fn->kind == CLOSURE_CHAIN)
        return pos->n > 0 && value_like(arg_value(s, &pos->at[0]));
    DefKind kind = fn->item->def.kind;
    if (kind == DEF_INITIALIZER)
        return false;
    if (kind == DEF_FUNCTION || kind == DEF_LOSS)
        return true;
    if (pos->n && (f->kind == FRAME_SCALAR || value_like(arg_value(s, &pos->at[0]))))
        return true;
    const Ast *params = fn->item->params;
    if (params && params->n_kid && find_named(named, params->kid[0]->text))
        return true;
    for (uint32_t i = 1; kind == DEF_BLOCK && i < pos->n; i++)
        if (value_is_graph(arg_value(s, &pos->at[i])))
            return true;
    return false;
}

static Value partial(Sema *s, const Closure *fn, const Args *pos, const Args *named, Span span)
{
    Closure *more = arena_copy(s->arena, fn, sizeof *fn);
    more->pos = (Args){0};
    for (uint32_t i = 0; i < fn->pos.n; i++)
        *vec_push(s->arena, &more->pos) = fn->pos.at[i];
    for (uint32_t i = 0; i < pos->n; i++)
        *vec_push(s->arena, &more->pos) = pos->at[i];
    more->named = merge_named(s, &fn->named, named);
    more->span = span;
    return value_fn(more, span);
}

static bool is_special(Sema *s, Frame *f, const Ast *callee, const char *word)
{
    return callee->kind == AST_NAME && str_is(callee->text, word) && !item_callable(s, f, callee->text) &&
           !frame_find(f, callee->text);
}

/* What would have been called `label`, else `kind` and a number, is not made. */
static void call_broken(Sema *s, const Frame *f, Str kind, const Ast *label)
{
    if (f->kind == FRAME_GRAPH && f->scope && (kind.n || label))
        broken_layer(s, label ? scope_path(s, f->scope, label->text) : scope_name(s, f->scope, kind, (Str){0}, (Span){0}));
}

/* The function in front of `(` or behind `|>`. */
static Closure *callee_of(Sema *s, Frame *f, const Ast *callee, uint32_t pos)
{
    if (callee->kind == AST_NAME)
        return name_callee(s, f, callee, pos, f->kind == FRAME_SCALAR);
    Value v = callee->kind == AST_FIELD ? eval_field(s, f, callee, true) : eval(s, f, callee);
    if (v.kind == V_FN)
        return v.fn;
    if (v.kind != V_NONE)
        sema_error(s, CODE_not_a_value, callee->span, "a function or layer is due here, and this is " STR_FMT,
                   STR_ARG(value_describe(s, v)));
    return NULL;
}

Value eval_call(Sema *s, Frame *f, const Ast *call)
{
    const Ast *callee = ast_ungroup(call->kid[0]);
    Args pos = {0}, named = {0};
    args_read(s, f, call, &pos, &named);
    if (is_special(s, f, callee, "parameter"))
        return parameter_make(s, f, call, (Str){0});
    if (is_special(s, f, callee, "repeat"))
        return repeat_make(s, f, call, &pos, &named);
    Closure *fn = callee_of(s, f, callee, pos.n);
    if (!fn) {
        call_broken(s, f, callee->kind == AST_NAME ? callee->text : (Str){0}, NULL);
        return value_none();
    }
    if (applies(s, f, fn, &pos, &named))
        return closure_apply(s, f, fn, &pos, &named, call, call->span, (Str){0});
    return partial(s, fn, &pos, &named, call->span);
}

void args_push(Sema *s, Args *pos, Value v)
{
    if (v.kind == V_LIST)
        for (uint32_t i = 0; i < v.list->item.n; i++)
            *vec_push(s->arena, pos) = arg_of_value(v.list->item.at[i]);
    else
        *vec_push(s->arena, pos) = arg_of_value(v);
}

/* linear(8) |> relu: layers that have no value yet. A bare function, `relu |> linear(8)`, has forgotten its value. */
static bool begins_chain(const Frame *f, Value v)
{
    if (v.kind != V_FN || f->kind == FRAME_SCALAR)
        return false;
    DefKind kind = v.fn->kind == CLOSURE_ITEM ? v.fn->item->def.kind : DEF_LAYER;
    return v.fn->kind != CLOSURE_PRIMITIVE && (kind == DEF_LAYER || kind == DEF_BLOCK);
}

Value eval_pipe(Sema *s, Frame *f, const Ast *pipe)
{
    Value value = eval(s, f, pipe->kid[0]);
    if (value.kind != V_NONE && value.kind != V_LIST)
        value.span = pipe->kid[0]->span;
    const Ast *stage = pipe->kid[1], *label = NULL;
    if (stage->kind == AST_LABEL) {
        label = stage;
        stage = stage->kid[0];
    }
    const Ast *call = ast_ungroup(stage);
    Args pos = {0}, named = {0}, rest = {0};
    bool chain = begins_chain(f, value);
    if (!chain)
        args_push(s, &pos, value);
    Closure *fn;
    if (call->kind == AST_CALL) {
        const Ast *callee = ast_ungroup(call->kid[0]);
        args_read(s, f, call, &rest, &named);
        if (is_special(s, f, callee, "repeat")) {
            Value repeat = repeat_make(s, f, call, &rest, &named);
            fn = repeat.kind == V_FN ? repeat.fn : NULL;
            rest = named = (Args){0};
        } else {
            fn = callee_of(s, f, callee, pos.n + chain + rest.n);
        }
    } else {
        fn = callee_of(s, f, call, pos.n + chain);
    }
    if (!fn) {
        const Ast *callee = call->kind == AST_CALL ? ast_ungroup(call->kid[0]) : call;
        call_broken(s, f, callee->kind == AST_NAME ? callee->text : (Str){0}, label);
        return value_none();
    }
    if (label) {
        fn = arena_copy(s->arena, fn, sizeof *fn);
        fn->label = label->text;
        fn->label_span = label->name_span;
    }
    if (chain) {
        Value next = partial(s, fn, &rest, &named, stage->span);
        return chain_make(s, value.fn, next.fn, pipe->span);
    }
    /* what the function was given before stands between the value and the arguments of this call */
    Args all = pos;
    for (uint32_t i = 0; i < rest.n; i++)
        *vec_push(s->arena, &all) = rest.at[i];
    Value result = closure_apply(s, f, fn, &all, &named, call, stage->span, (Str){0});
    mark_value(s, stage->span, result);
    if (label && result.kind == V_NONE)
        call_broken(s, f, (Str){0}, label);
    return result;
}
