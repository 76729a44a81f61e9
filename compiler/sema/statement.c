/* Statements that give a name its value: assignments, shares, blocks inside models, params. */
#include "ops/build.h"
#include "sema/sema.h"
#include "syntax/parse.h"

static void set_binding(Sema *s, Frame *f, Str name, const Ast *statement, Value v)
{
    Binding *b = map_get(&f->names, name);
    if (b && b->statement == statement) {
        b->value = v;
        b->state = BIND_DONE;
        mark_value(s, b->span, v);
    }
}

static bool parameter_call(Sema *s, Frame *f, const Ast *e)
{
    e = ast_ungroup(e);
    if (e->kind != AST_CALL)
        return false;
    const Ast *callee = ast_ungroup(e->kid[0]);
    return callee->kind == AST_NAME && str_is(callee->text, "parameter") && !frame_find(f, callee->text) &&
           !item_callable(s, f, callee->text);
}

/* `name : f32[64] = …` asserts a shape; to numbers that are drawn it gives one. */
static Value assert_type(Sema *s, Frame *f, const Ast *type, const Ast *e, Value v)
{
    TypeInfo info;
    if (!type_eval(s, f, type, true, &info) || v.kind == V_NONE)
        return v;
    if (init_is(v)) {
        NodeId drawn = random_draw(s, v.fn, &info.type, e->span);
        return drawn ? value_node(drawn, e->span) : value_none();
    }
    NodeId node = value_want_node(s, v, e->span, "a declared shape");
    if (!node)
        return value_none();
    const Type *found = graph_type(s->g, node);
    bool same = found->rank == info.type.rank;
    for (uint32_t i = 0; same && i < found->rank; i++)
        same = found->dim[i] == info.type.dim[i];
    if (same)
        return v;
    Text declared = {.arena = s->arena};
    type_print_shape(&info.type, &declared);
    Str is = sema_shape(s, node);
    Diag *diag =
        sema_error(s, CODE_shape_mismatch, type->span, "the declared shape is " STR_FMT ", the value's is " STR_FMT,
                   STR_ARG(text_str(&declared)), STR_ARG(is));
    diag_label(diag, sema_place(s, e->span), "this has shape " STR_FMT, STR_ARG(is));
    return value_none();
}

/* Drawn or computed while training only; zero otherwise. */
static Value only_training(Sema *s, const Ast *e, Value v)
{
    if (v.kind == V_NONE)
        return v;
    if (init_is(v)) {
        Closure *fn = arena_copy(s->arena, v.fn, sizeof *v.fn);
        fn->training = true;
        return value_fn(fn, v.span);
    }
    NodeId node = value_want_node(s, v, e->span, "`when training`");
    if (!node)
        return value_none();
    NodeId from = s->g->nodes.n;
    NodeId zero = build_map(s->g, sx_num(s->sx, 0), &node, 1);
    NodeId chosen = build_when_training(s->g, node, zero);
    origin_set(s, from, e->span, (Str){0});
    return value_node(chosen, e->span);
}

static void name_node(Sema *s, Value v, Str name)
{
    if (v.kind == V_NODE && !graph_node(s->g, v.node)->name.n)
        graph_node(s->g, v.node)->name = name;
}

static void run_assign(Sema *s, Frame *f, const Ast *st)
{
    const Ast *names = st->kid[0], *type = st->kid[1], *e = st->kid[2];
    for (uint32_t i = 0; i < names->n_kid; i++) {
        Binding *b = map_get(&f->names, names->kid[i]->text);
        if (b && b->statement == st)
            b->state = BIND_BUSY;
    }
    Value v = parameter_call(s, f, e) ? parameter_make(s, f, ast_ungroup(e), names->kid[0]->text) : eval(s, f, e);
    if (str_is(st->text, "training"))
        v = only_training(s, e, v);
    if (names->n_kid == 1) {
        if (type)
            v = assert_type(s, f, type, e, v);
        if (v.kind == V_LIST && v.list->results) {
            Diag *diag = sema_error(s, CODE_result_count, e->span, "these are %u values for one name", v.list->item.n);
            diag_label(diag, names->span, "one name");
            v = value_none();
        }
        name_node(s, v, names->kid[0]->text);
        set_binding(s, f, names->kid[0]->text, st, v);
        return;
    }
    bool fits = v.kind == V_LIST && v.list->item.n == names->n_kid;
    if (!fits && v.kind != V_NONE) {
        uint32_t n = v.kind == V_LIST ? v.list->item.n : 1;
        Diag *diag = sema_error(s, CODE_result_count, names->span, "%u names for %u value%s", names->n_kid, n,
                                n == 1 ? "" : "s");
        diag_label(diag, e->span, "this gives %u", n);
    }
    for (uint32_t i = 0; i < names->n_kid; i++) {
        Value one = fits ? v.list->item.at[i] : value_none();
        name_node(s, one, names->kid[i]->text);
        set_binding(s, f, names->kid[i]->text, st, one);
    }
}

static Value share_value(Sema *s, Frame *f, const Ast *st)
{
    if (parameter_call(s, f, st->kid[0]))
        return parameter_make(s, f, ast_ungroup(st->kid[0]), st->text);
    Value v = eval(s, f, st->kid[0]);
    if (v.kind == V_NONE || v.kind == V_TENSOR)
        return v;
    if (v.kind != V_FN || init_is(v)) {
        Diag *diag = sema_error(s, CODE_not_a_value, st->kid[0]->span,
                                "`share` takes a layer, a block or a parameter, and this is " STR_FMT,
                                STR_ARG(value_describe(s, v)));
        if (value_is_graph(v))
            diag_help(diag, "a value can be used several times without it: write `" STR_FMT " = ...`",
                      STR_ARG(st->text));
        return value_none();
    }
    Closure *fn = arena_copy(s->arena, v.fn, sizeof *v.fn);
    Str name = fn->label.n ? fn->label : st->text;
    fn->share = arena_new_of(s->arena, Share);
    fn->share->path = scope_name(s, f->scope, name, name, fn->label.n ? fn->label_span : st->name_span);
    fn->share->used = f->scope->reuse;
    return value_fn(fn, v.span);
}

static void run_block(Sema *s, Frame *f, const Ast *st)
{
    Item *item = item_add(s, DEF_BLOCK, st, f, false);
    Closure *fn = arena_new_of(s->arena, Closure);
    fn->item = item;
    fn->name = st->text;
    fn->span = st->name_span;
    set_binding(s, f, st->text, st, item && !item->poisoned ? value_fn(fn, st->name_span) : value_none());
}

/* The value of --set NAME=VALUE, read like the file's own text. */
static const Ast *setting(Sema *s, Str name)
{
    const Ast *found = NULL;
    for (uint32_t i = 0; s->options && i < s->options->set.n; i++) {
        Str set = s->options->set.at[i];
        if (!str_starts(set, name) || set.n <= name.n || set.p[name.n] != '=')
            continue;
        Str text = str_printf(s->arena, "param " STR_FMT " = " STR_FMT "\n", STR_ARG(name),
                              STR_ARG(((Str){set.p + name.n + 1, set.n - name.n - 1})));
        const Source *source =
            source_add(s->program->sources, str_printf(s->arena, "--set " STR_FMT, STR_ARG(set)), text, false);
        const Ast *file = parse_source(s->arena, s->diags, source);
        found = file->n_kid == 1 && file->kid[0]->kind == AST_PARAM ? file->kid[0]->kid[0] : NULL;
    }
    return found;
}

void statement_run(Sema *s, Frame *f, const Ast *st)
{
    Binding *b = st->text.n ? map_get(&f->names, st->text) : NULL;
    if (b && b->statement == st)
        b->state = BIND_BUSY;
    if (st->kind == AST_ASSIGN)
        run_assign(s, f, st);
    else if (st->kind == AST_SHARE)
        set_binding(s, f, st->text, st, share_value(s, f, st));
    else if (st->kind == AST_BLOCK)
        run_block(s, f, st);
    else if (st->kind == AST_PARAM) {
        const Ast *given = setting(s, st->text);
        set_binding(s, f, st->text, st, eval(s, f, given ? given : st->kid[0]));
    } else
        model_statement(s, f, st);
}
