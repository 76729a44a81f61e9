/* Where names live and what they mean: the place decides (a value, or a function behind `|>` and in front of `(`). */
#include "sema/sema.h"

typedef VEC(Str) Names;

Frame *frame_new(Sema *s, Frame *parent, FrameKind kind)
{
    Frame *f = arena_new_of(s->arena, Frame);
    f->parent = parent;
    f->kind = kind;
    f->names.arena = f->labels.arena = s->arena;
    f->outer = s->outer;
    if (parent && kind == FRAME_GRAPH)
        f->scope = parent->scope;
    return f;
}

Binding *frame_bind(Sema *s, Frame *f, Str name, Span span)
{
    Binding *old = map_get(&f->names, name);
    if (old) {
        Diag *diag = sema_error(s, CODE_duplicate_name, span, "`" STR_FMT "` is defined twice", STR_ARG(name));
        if (old->span.source)
            diag_label(diag, old->span, "first defined here");
        if (old->statement && f->kind == FRAME_GRAPH)
            diag_help(diag, "every value has a name of its own: `" STR_FMT "2 = ...`", STR_ARG(name));
    }
    Binding *b = arena_new_of(s->arena, Binding);
    b->name = name;
    b->span = span;
    b->frame = f;
    if (!old)
        map_set(&f->names, name, b);
    return b; /* of a duplicate: evaluated all the same, found by nobody */
}

void frame_set(Sema *s, Frame *f, Str name, Value value)
{
    Binding *b = arena_new_of(s->arena, Binding);
    b->name = name;
    b->span = value.span;
    b->frame = f;
    b->callable = true;
    b->state = BIND_DONE;
    b->value = value;
    map_set(&f->names, name, b);
}

/* ── declaring ── */
static void declare_labels(Sema *s, Frame *f, const Ast *e, const Ast *statement)
{
    if (!e)
        return;
    if (e->kind == AST_LABEL && !map_has(&f->labels, e->text)) {
        Binding *b = arena_new_of(s->arena, Binding);
        b->name = e->text;
        b->span = e->name_span;
        b->statement = statement;
        b->frame = f;
        map_set(&f->labels, e->text, b);
    }
    for (uint32_t i = 0; i < e->n_kid; i++)
        declare_labels(s, f, e->kid[i], statement);
}

static void declare_name(Sema *s, Frame *f, Str name, Span span, const Ast *statement)
{
    Binding *b = frame_bind(s, f, name, span);
    b->statement = statement;
    b->callable = statement->kind == AST_SHARE || statement->kind == AST_BLOCK;
}

void frame_declare(Sema *s, Frame *f, const Ast *const *statement, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        const Ast *st = statement[i];
        if (!st)
            continue;
        if (st->kind == AST_ASSIGN)
            for (uint32_t k = 0; k < st->kid[0]->n_kid; k++)
                declare_name(s, f, st->kid[0]->kid[k]->text, st->kid[0]->kid[k]->span, st);
        else if (st->kind == AST_INPUT || st->kind == AST_TARGET || st->kind == AST_SHARE || st->kind == AST_BLOCK)
            declare_name(s, f, st->text, st->name_span, st);
        if (st->kind != AST_BLOCK)
            declare_labels(s, f, st, st);
    }
}

/* ── looking up ── */
Binding *frame_find(Frame *f, Str name)
{
    for (; f; f = f->parent) {
        Binding *b = map_get(&f->names, name);
        if (b)
            return b;
    }
    return NULL;
}

Value binding_value(Sema *s, Binding *b, Span use)
{
    if (b->state == BIND_BUSY) {
        Diag *diag = sema_error(s, CODE_cycle, b->span, "`" STR_FMT "` needs its own value", STR_ARG(b->name));
        if (use.source && (use.begin != b->span.begin || use.source != b->span.source))
            diag_label(diag, use, "needed here");
        return value_none();
    }
    if (b->state == BIND_WAITING) {
        /* What a name means does not depend on who asks first: the statement runs in its own surroundings. */
        uint32_t trial = s->trial, layer = s->layer, repeat = s->repeat;
        int32_t loss = s->loss;
        Span outer = s->outer;
        s->outer = b->frame->outer;
        s->trial = s->layer = s->repeat = 0;
        s->loss = -1;
        statement_run(s, b->frame, b->statement);
        s->trial = trial;
        s->layer = layer;
        s->repeat = repeat;
        s->loss = loss;
        s->outer = outer;
        if (b->state != BIND_DONE) { /* a duplicate's second statement */
            b->state = BIND_DONE;
            b->value = value_none();
        }
    }
    return b->value;
}

Item *item_find(const Sema *s, DefKind kind, Str name) { return map_get(&s->by_kind[kind], name); }

/* The library means its own definitions, whatever the user calls his. */
static Item *item_seen(const Sema *s, const Frame *f, DefKind kind, Str name)
{
    while (f && !f->item)
        f = f->parent;
    return map_get(f && f->item->def.library ? &s->library[kind] : &s->by_kind[kind], name);
}

/* The user's definitions stand before the library's of the same name, also of another kind. */
Item *item_callable(const Sema *s, const Frame *f, Str name)
{
    static const DefKind kinds[] = {DEF_ACTIVATION, DEF_FUNCTION, DEF_BLOCK, DEF_LOSS, DEF_LAYER};
    Item *library = NULL;
    for (uint32_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        Item *item = item_seen(s, f, kinds[i], name);
        if (item && !item->def.library)
            return item;
        library = library ? library : item;
    }
    return library;
}

static Item *item_any(const Sema *s, const Frame *f, Str name)
{
    Item *item = item_callable(s, f, name);
    return item ? item : item_seen(s, f, DEF_INITIALIZER, name);
}

static Closure *closure_of(Sema *s, Item *item, Str name, Span span)
{
    Closure *fn = arena_new_of(s->arena, Closure);
    fn->kind = CLOSURE_ITEM;
    fn->item = item;
    fn->name = name;
    fn->span = span;
    return fn;
}

static Closure *closure_of_primitive(Sema *s, int op, Str name, Span span)
{
    Closure *fn = closure_of(s, NULL, name, span);
    fn->kind = CLOSURE_PRIMITIVE;
    fn->primitive = (SxOp)op;
    return fn;
}

bool scalar_primitive(int op) { return op > SX_ARG && op != SX_POWI && op <= SX_SELECT; }

void names_visible(Sema *s, Frame *f, bool callables, bool values, void *out)
{
    Names *names = out;
    for (Frame *at = f; at; at = at->parent) {
        for (uint32_t i = 0; i < at->names.n; i++) {
            const Binding *b = at->names.item[i].value;
            if (values || b->callable)
                *vec_push(s->arena, names) = b->name;
        }
        for (uint32_t i = 0; values && i < at->labels.n; i++)
            *vec_push(s->arena, names) = at->labels.item[i].key;
    }
    if (!callables)
        return;
    static const DefKind kinds[] = {DEF_LAYER, DEF_ACTIVATION, DEF_FUNCTION, DEF_BLOCK, DEF_LOSS, DEF_INITIALIZER};
    for (uint32_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
        for (uint32_t i = 0; i < s->by_kind[kinds[k]].n; i++)
            *vec_push(s->arena, names) = s->by_kind[kinds[k]].item[i].key;
    for (int op = 0; op < SX_OP_COUNT; op++)
        if (scalar_primitive(op))
            *vec_push(s->arena, names) = str_of(sx_op_name((SxOp)op));
    *vec_push(s->arena, names) = STR("repeat");
    *vec_push(s->arena, names) = STR("parameter");
}

static Value item_value(Sema *s, Item *item, const Ast *name)
{
    return value_fn(closure_of(s, item, name->text, name->span), name->span);
}

Value name_value(Sema *s, Frame *f, const Ast *name)
{
    Binding *b = frame_find(f, name->text);
    if (b) {
        Value v = binding_value(s, b, name->span);
        v.span = name->span;
        return v;
    }
    if (str_is(name->text, "true") || str_is(name->text, "false"))
        return value_flag(str_is(name->text, "true"), name->span);
    if (str_is(name->text, "pi"))
        return value_number(3.141592653589793, name->span);
    Item *item = item_any(s, f, name->text);
    if (item)
        return item->poisoned ? value_none() : item_value(s, item, name);
    int op = sx_op_find(name->text);
    if (scalar_primitive(op))
        return value_fn(closure_of_primitive(s, op, name->text, name->span), name->span);
    Names names = {0};
    names_visible(s, f, true, true, &names);
    *vec_push(s->arena, &names) = STR("true");
    *vec_push(s->arena, &names) = STR("false");
    sema_unknown(s, name->span, "value", name->text, names.at, names.n);
    return value_none();
}

/* A local name can only be meant as a function when it may hold one; a value of the same name does not hide a function.
 */
static Closure *local_callee(Sema *s, Frame *f, const Ast *name, const Item *rival, bool *found)
{
    Binding *b = frame_find(f, name->text);
    *found = false;
    if (!b || b->state == BIND_BUSY)
        return NULL;
    if (rival && !b->callable && b->state != BIND_DONE)
        return NULL;
    Value v = binding_value(s, b, name->span);
    if (v.kind == V_NONE) {
        *found = !rival;
        return NULL;
    }
    if (v.kind != V_FN)
        return NULL;
    *found = true;
    if (rival && !rival->def.library && rival->def.kind != DEF_PARAM) {
        Diag *diag = sema_error(s, CODE_ambiguous_name, name->span,
                                "`" STR_FMT "` is both a definition and a name of this block", STR_ARG(name->text));
        diag_label(diag, b->span, "the name");
        if (rival->def.ast)
            diag_label(diag, rival->def.ast->name_span, "the definition");
        diag_help(diag, "give one of the two another name");
        return NULL;
    }
    return v.fn;
}

Closure *name_callee(Sema *s, Frame *f, const Ast *name, uint32_t pos, bool scalar)
{
    Item *item = item_callable(s, f, name->text);
    int op = sx_op_find(name->text);
    bool found;
    Closure *local = local_callee(s, f, name, item, &found);
    if (found)
        return local;
    bool primitive = scalar_primitive(op);
    bool inside = item && f->item == item; /* `activation tanh(x) = tanh(x)`: inside, the primitive */
    if (primitive &&
        (!item || inside || (item->def.kind == DEF_LAYER ? pos == sx_op_arity((SxOp)op) : scalar && item->def.library)))
        return closure_of_primitive(s, op, name->text, name->span);
    if (!item)
        item = item_seen(s, f, DEF_INITIALIZER, name->text);
    if (item)
        return item->poisoned ? NULL : closure_of(s, item, name->text, name->span);
    Binding *b = frame_find(f, name->text);
    if (b) {
        Value v = binding_value(s, b, name->span);
        if (v.kind != V_NONE)
            sema_error(s, CODE_not_a_value, name->span, "`" STR_FMT "` is " STR_FMT ", not a function",
                       STR_ARG(name->text), STR_ARG(value_describe(s, v)));
        return NULL;
    }
    Names names = {0};
    names_visible(s, f, true, false, &names);
    sema_unknown(s, name->span, "layer or function", name->text, names.at, names.n);
    return NULL;
}
