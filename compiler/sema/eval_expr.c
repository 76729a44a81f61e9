/* Expressions: what each kind of node of the tree evaluates to. */
#include "sema/sema.h"

enum {
    MAX_DEPTH = 1200, /* of evaluations inside each other: higher-order blocks that call themselves end here */
    MAX_FUEL = 1000 * 1000,
    MAX_NODES = 50 * 1000
};

const Ast *ast_ungroup(const Ast *e)
{
    while (e && e->kind == AST_GROUP)
        e = e->kid[0];
    return e;
}

/* ── fields ── */
/* a.b.c of NAMEs as text, empty when it is something else */
static Str dotted(Sema *s, const Ast *e)
{
    e = ast_ungroup(e);
    if (e->kind == AST_NAME || e->kind == AST_NUMBER)
        return e->text;
    if (e->kind != AST_FIELD)
        return (Str){0};
    Str base = dotted(s, e->kid[0]);
    return base.n ? str_printf(s->arena, STR_FMT "." STR_FMT, STR_ARG(base), STR_ARG(e->text)) : base;
}

static const Ast *field_root(const Ast *e)
{
    while (e->kind == AST_FIELD || e->kind == AST_GROUP)
        e = e->kid[0];
    return e;
}

/* linear1.weight, fc1.weight, encoder.0.linear1.bias: a parameter by its name in this scope, or in the model. */
static bool tensor_field(Sema *s, Frame *f, const Ast *e, Value *out)
{
    Str name = dotted(s, e);
    if (!name.n || !s->g)
        return false;
    const Ast *root = field_root(e);
    for (Frame *at = f; at; at = at->parent) {
        Binding *label = map_get(&at->labels, root->text);
        if (label && label->state == BIND_WAITING) { /* its statement makes the layer */
            label->state = BIND_DONE;
            const Ast *st = label->statement;
            Binding *b = st->kind == AST_ASSIGN  ? map_get(&at->names, st->kid[0]->kid[0]->text)
                         : st->kind == AST_SHARE ? map_get(&at->names, st->text)
                                                 : NULL;
            if (b && b->state == BIND_WAITING)
                binding_value(s, b, root->span);
        }
        if (!at->scope)
            continue;
        int found = tensor_find(s, scope_path(s, at->scope, name));
        if (found >= 0) {
            *out = (Value){.kind = V_TENSOR, .span = e->span, .tensor = (uint32_t)found};
            return true;
        }
    }
    return false;
}

static Value shape_list(Sema *s, NodeId node, Span span)
{
    Value v = {.kind = V_LIST, .span = span};
    v.list = arena_new_of(s->arena, List);
    const Type *type = graph_type(s->g, node);
    for (uint32_t i = 0; i < type->rank; i++)
        *vec_push(s->arena, &v.list->item) = value_number(type->dim[i], span);
    return v;
}

/* A parameter that is not there; what is called like a function, nn.Linear(3), is meant to be one. */
static Value unknown_field(Sema *s, Frame *f, const Ast *e, bool called)
{
    VEC(Str) names = {0};
    Str name = dotted(s, e);
    for (Frame *at = f; at; at = at->parent)
        if (at->scope && broken_parameter(s, scope_path(s, at->scope, name)))
            return value_none();
    if (called) {
        names_visible(s, f, true, false, &names);
        sema_unknown(s, e->span, "layer or function", name, names.at, names.n);
        return value_none();
    }
    for (uint32_t i = 0; s->g && i < s->g->tensors.n; i++) {
        const Tensor *tensor = &s->g->tensors.at[i];
        if (tensor->role == ROLE_PARAM || tensor->role == ROLE_CONSTANT)
            *vec_push(s->arena, &names) = tensor->name;
    }
    const Ast *root = field_root(e);
    bool label = false;
    for (Frame *at = f; at; at = at->parent)
        label = label || map_has(&at->labels, root->text) || map_has(&at->names, root->text);
    if (!label)
        for (Frame *at = f; at; at = at->parent)
            for (uint32_t i = 0; i < at->labels.n; i++) {
                Str later =
                    str_printf(s->arena, STR_FMT "." STR_FMT, STR_ARG(at->labels.item[i].key), STR_ARG(e->text));
                if (tensor_find(s, later) < 0)
                    *vec_push(s->arena, &names) = later;
            }
    sema_unknown(s, e->span, "parameter", name, names.at, names.n);
    return value_none();
}

Value eval_field(Sema *s, Frame *f, const Ast *e, bool called)
{
    static const Str fields[] = {{"features", 8}, {"channels", 8}, {"shape", 5}};
    Value v;
    const Ast *base = ast_ungroup(e->kid[0]);
    if (base->kind == AST_FIELD || base->kind == AST_NAME) {
        Binding *b = base->kind == AST_NAME ? frame_find(f, base->text) : NULL;
        bool layer = !b || (b->statement && b->statement->kind == AST_SHARE);
        if (layer && b)
            binding_value(s, b, base->span);
        if (tensor_field(s, f, e, &v))
            return v;
        if (base->kind == AST_NAME && !b)
            return unknown_field(s, f, e, called);
    }
    if (base->kind == AST_FIELD && !tensor_field(s, f, base, &v) && dotted(s, base).n &&
        !frame_find(f, field_root(base)->text))
        return unknown_field(s, f, e, called);
    v = eval(s, f, e->kid[0]);
    if (v.kind == V_NONE)
        return v;
    if (v.kind == V_FN && v.fn->share) {
        if (!v.fn->share->used) {
            Diag *diag = sema_error(s, CODE_unknown_name, e->span, "`" STR_FMT "` has no parameters yet",
                                    STR_ARG(v.fn->share->path));
            diag_note(diag, "a shared layer gets its parameters at its first use, which comes later");
            return value_none();
        }
        return unknown_field(s, f, e, called);
    }
    NodeId node = value_want_node(s, v, e->kid[0]->span, "a field");
    if (!node)
        return value_none();
    if (str_is(e->text, "shape"))
        return shape_list(s, node, e->span);
    if (!str_is(e->text, "features") && !str_is(e->text, "channels")) {
        Diag *diag = sema_unknown(s, e->name_span, "field", e->text, fields, 3);
        if (item_callable(s, f, e->text))
            diag_help(diag, "a value goes through a layer by `|>`: `x |> " STR_FMT "`", STR_ARG(e->text));
        return value_none();
    }
    if (graph_type(s->g, node)->rank == 0) {
        sema_error(s, CODE_shape_mismatch, e->span, "a value of shape [] has no axis of " STR_FMT, STR_ARG(e->text));
        return value_none();
    }
    return value_number((double)type_last(graph_type(s->g, node)), e->span);
}

/* ── the rest ── */
static Value eval_list(Sema *s, Frame *f, const Ast *e)
{
    Value v = {.kind = V_LIST, .span = e->span};
    v.list = arena_new_of(s->arena, List);
    bool poisoned = false;
    for (uint32_t i = 0; i < e->n_kid; i++) {
        Value item = eval(s, f, e->kid[i]);
        poisoned = poisoned || item.kind == V_NONE;
        *vec_push(s->arena, &v.list->item) = item;
    }
    return poisoned ? value_none() : v;
}

static Value eval_if(Sema *s, Frame *f, const Ast *e)
{
    Value c = eval(s, f, e->kid[0]);
    if (c.kind == V_FLAG || c.kind == V_NUMBER) {
        Value v = eval(s, f, e->kid[c.kind == V_FLAG ? c.flag ? 1 : 2 : c.number != 0 ? 1 : 2]);
        v.span = e->span;
        return v;
    }
    Value a = eval(s, f, e->kid[1]), b = eval(s, f, e->kid[2]);
    return op_select(s, f, e, c, a, b);
}

static Value eval_range(Sema *s, Frame *f, const Ast *e)
{
    Value low = eval(s, f, e->kid[0]), high = eval(s, f, e->kid[1]);
    Value v = {.kind = V_RANGE, .span = e->span};
    if (!value_real(s, low, e->kid[0]->span, "the start of a range", &v.range[0]) ||
        !value_real(s, high, e->kid[1]->span, "the end of a range", &v.range[1]))
        return value_none();
    return v;
}

static Value eval_label(Sema *s, Frame *f, const Ast *e)
{
    Value v = eval(s, f, e->kid[0]);
    if (v.kind == V_NONE) {
        if (f->scope)
            broken_layer(s, scope_path(s, f->scope, e->text));
        return v;
    }
    if (v.kind != V_FN) {
        sema_error(s, CODE_not_a_value, e->name_span, "`as` names a layer or block, and this is " STR_FMT,
                   STR_ARG(value_describe(s, v)));
        return value_none();
    }
    Closure *fn = arena_copy(s->arena, v.fn, sizeof *v.fn);
    fn->label = e->text;
    fn->label_span = e->name_span;
    return value_fn(fn, e->span);
}

bool eval_spent(Sema *s, Span span)
{
    if (s->exhausted)
        return true;
    s->fuel++;
    const char *what = s->depth > MAX_DEPTH                ? "definitions are nested too deeply here"
                       : s->fuel > MAX_FUEL                ? "this takes too long to expand"
                       : s->g && s->g->nodes.n > MAX_NODES ? "the network has too many operations"
                                                           : NULL;
    if (!what)
        return false;
    uint32_t trial = s->trial;
    s->trial = 0;
    Span place = s->outer.source ? s->outer : span;
    const Source *source = source_get(s->program->sources, place.source);
    if (s->model && source && source->library)
        place = s->model->name_span;
    Diag *diag = sema_error(s, CODE_too_large, place, "%s", what);
    diag_note(diag, "a block may be calling itself, or repetitions multiply");
    s->trial = trial;
    s->exhausted = true; /* silent from here to the end of this model */
    return true;
}

static Value eval_kind(Sema *s, Frame *f, const Ast *e)
{
    switch (e->kind) {
    case AST_NUMBER:
        return value_number(e->number, e->span);
    case AST_STRING:
        return (Value){.kind = V_WORD, .span = e->span, .word = e->text};
    case AST_NAME:
        return name_value(s, f, e);
    case AST_LIST:
    case AST_TUPLE:
        return eval_list(s, f, e);
    case AST_GROUP:
        return eval(s, f, e->kid[0]);
    case AST_CALL:
        return eval_call(s, f, e);
    case AST_PIPE:
        return eval_pipe(s, f, e);
    case AST_LABEL:
        return eval_label(s, f, e);
    case AST_UNARY:
        return op_negate(s, f, e, eval(s, f, e->kid[0]));
    case AST_BINARY: {
        Value a = eval(s, f, e->kid[0]);
        return op_binary(s, f, e, a, eval(s, f, e->kid[1]));
    }
    case AST_IF:
        return eval_if(s, f, e);
    case AST_FIELD:
        return eval_field(s, f, e, false);
    case AST_RANGE:
        return eval_range(s, f, e);
    default: /* AST_ERROR: the parser has said it */
        if (s->model)
            s->model->poisoned = true;
        return value_none();
    }
}

Value eval(Sema *s, Frame *f, const Ast *e)
{
    if (!e || s->exhausted)
        return value_none();
    s->depth++;
    Value v = eval_spent(s, e->span) ? value_none() : eval_kind(s, f, e);
    s->depth--;
    if (s->exhausted)
        return value_none();
    mark_value(s, e->span, v);
    return v;
}
