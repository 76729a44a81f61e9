/* A model: its statements in order, each name evaluated when it is first needed; then roots and initializers. */
#include "ops/build.h"
#include "sema/sema.h"

#include <math.h>

enum { DEFAULT_BATCH = 32 };

/* ── inputs and targets ── */
static uint32_t add_tensor(Sema *s, Role role, const Ast *st, const TypeInfo *info)
{
    Tensor tensor = {.name = st->text, .label = info->label, .role = role, .type = info->type, .span = st->name_span};
    tensor.classes = info->classes;
    tensor.binary = info->binary;
    tensor.low = info->low;
    tensor.high = info->high;
    for (uint32_t i = 0; i < info->type.rank; i++)
        tensor.file_axis[i] = i;
    uint32_t index = graph_tensor_add(s->g, &tensor);
    while (s->declared.n <= index)
        *vec_push(s->arena, &s->declared) = NULL;
    s->declared.at[index] = st->kid[0];
    return index;
}

/* What is drawn lies where the type says that it does. */
static void check_drawn_range(Sema *s, const Ast *st, const TypeInfo *info, const DrawUse *draw)
{
    if (info->low > info->high || (draw->low >= info->low && draw->high <= info->high))
        return;
    Diag *diag;
    if (isinf(draw->high))
        diag = sema_error(s, CODE_range_contradiction, st->kid[1]->span,
                          "`" STR_FMT "` is declared in [%g, %g], and `" STR_FMT "` draws numbers of any size", STR_ARG(st->text),
                          info->low, info->high, STR_ARG(draw->text));
    else
        diag = sema_error(s, CODE_range_contradiction, st->kid[1]->span,
                          "`" STR_FMT "` is declared in [%g, %g], and what is drawn lies in [%g, %g]", STR_ARG(st->text), info->low,
                          info->high, draw->low, draw->high);
    diag_label(diag, st->kid[0]->span, "declared here");
    diag_help(diag, "leave the range out, or draw from `uniform(%g, %g)`", info->low, info->high);
}

static Value drawn_input(Sema *s, Frame *f, const Ast *st, const TypeInfo *info)
{
    Value v = eval(s, f, st->kid[1]);
    if (v.kind == V_NONE)
        return v;
    if (!init_is(v)) {
        Diag *diag = sema_error(s, CODE_wrong_argument, st->kid[1]->span,
                                "an input is read or drawn from a distribution, and this is " STR_FMT,
                                STR_ARG(value_describe(s, v)));
        diag_help(diag, "write `= normal(0, 1)`, or leave it out");
        return value_none();
    }
    if (info->classes || info->type.dtype != DT_F32) {
        Diag *diag = sema_error(s, CODE_wrong_argument, st->kid[1]->span,
                                "what is drawn is real, and `" STR_FMT "` is declared as " STR_FMT, STR_ARG(st->text),
                                STR_ARG(info->label));
        diag_label(diag, st->kid[0]->span, "whole numbers");
        diag_help(diag, "draw an `f32`, or read it from the data");
        return value_none();
    }
    uint32_t before = s->model->draws.n;
    NodeId node = random_draw(s, v.fn, &info->type, st->kid[1]->span);
    if (s->model->draws.n > before) {
        s->model->draws.at[before].input = true;
        check_drawn_range(s, st, info, &s->model->draws.at[before]);
    }
    return value_node(node, st->name_span);
}

void model_statement(Sema *s, Frame *f, const Ast *st)
{
    Binding *b = map_get(&f->names, st->text);
    bool mine = b && b->statement == st;
    Value v = value_none();
    TypeInfo info;
    const Ast *expr = st->kind == AST_INPUT && st->n_kid > 1 ? st->kid[1] : NULL;
    if (!mine && b) {
        type_eval(s, f, st->kid[0], true, &info); /* a second definition of the name: only its mistakes */
    } else if (type_eval(s, f, st->kid[0], true, &info)) {
        if (expr) {
            v = drawn_input(s, f, st, &info);
        } else {
            uint32_t index = add_tensor(s, st->kind == AST_INPUT ? ROLE_INPUT : ROLE_TARGET, st, &info);
            v = value_node(tensor_node(s, index), st->name_span);
        }
        if (v.kind == V_NODE)
            graph_node(s->g, v.node)->name = st->text;
        mark_value(s, st->name_span, v);
    }
    if (mine) {
        b->value = v;
        b->state = BIND_DONE;
    }
}

uint32_t target_of(const Sema *s, NodeId node)
{
    for (uint32_t i = 0; i < s->tensor_node.n && i < s->g->tensors.n; i++)
        if (s->tensor_node.at[i] == node && s->g->tensors.at[i].role == ROLE_TARGET)
            return i + 1;
    return 0;
}

/* ── losses and outputs ── */
static bool loss_is_named(const Model *m, Str name)
{
    for (uint32_t i = 0; i < m->loss_uses.n; i++)
        if (str_eq(m->loss_uses.at[i].name, name))
            return true;
    return false;
}

/* Of a loss without a name: `loss`, or what it trains; then with a number. */
static Str free_loss_name(Sema *s, Str stem)
{
    Str name = stem;
    for (uint32_t used = 1; loss_is_named(s->model, name); used++)
        name = str_printf(s->arena, STR_FMT "%u", STR_ARG(stem), used + 1);
    return name;
}

static void check_group(Sema *s, Frame *f, const Ast *names, LossUse *use)
{
    for (uint32_t i = 0; names && i < names->n_kid; i++) {
        const Ast *name = names->kid[i];
        Binding *b = frame_find(f, name->text);
        if (!b && !map_has(&f->labels, name->text)) {
            VEC(Str) known = {0};
            names_visible(s, f, false, true, &known);
            sema_unknown(s, name->span, "group of weights", name->text, known.at, known.n);
            continue;
        }
        *vec_push(s->arena, &use->group) = name->text;
    }
}

static void run_loss(Sema *s, Frame *f, const Ast *st)
{
    Frame *inside = frame_new(s, f, FRAME_GRAPH);
    inside->scope = f->scope;
    inside->loss = true;
    LossUse use = {.span = st->span};
    s->loss = (int32_t)s->model->loss_uses.n;
    s->loss_span = st->span;
    Value v = eval(s, inside, st->kid[0]);
    s->loss = -1;
    check_group(s, f, st->n_kid > 1 ? st->kid[1] : NULL, &use);
    NodeId node = value_want_node(s, v, st->kid[0]->span, "a loss");
    s->model->poisoned = s->model->poisoned || !node;
    if (!node)
        return;
    const Type *type = graph_type(s->g, node);
    if (type->batch || type->rank) {
        Diag *diag =
            sema_error(s, CODE_not_a_loss, st->kid[0]->span, "a loss is one number, and this has shape " STR_FMT "%s",
                       STR_ARG(sema_shape(s, node)), type->batch ? " for every row" : "");
        diag_help(diag, "take its mean: `mean(...)`");
        return;
    }
    use.node = node;
    for (uint32_t i = 0; i < s->model->loss_uses.n; i++)
        if (st->text.n && str_eq(s->model->loss_uses.at[i].name, st->text)) {
            Diag *diag = sema_error(s, CODE_duplicate_name, st->name_span, "there are two losses `" STR_FMT "`", STR_ARG(st->text));
            diag_label(diag, s->model->loss_uses.at[i].span, "the first");
            diag_help(diag, "several losses are added; give this one another name, or none");
            return;
        }
    use.name = st->text.n ? st->text : free_loss_name(s, use.group.n ? use.group.at[0] : STR("loss"));
    graph_root_add(s->g, ROOT_LOSS, node, s->model->loss_uses.n, use.name);
    *vec_push(s->arena, &s->model->loss_uses) = use;
}

/* Of a value of which every sample has a row of real numbers: what an output or a prediction must be. */
static const char *no_rows(const Sema *s, NodeId node)
{
    const Type *type = graph_type(s->g, node);
    return !type->batch ? "is the same for every sample" : type->dtype != DT_F32 ? "holds whole numbers" : NULL;
}

NodeId value_want_rows(Sema *s, Value v, Span span, const char *who)
{
    NodeId node = value_want_node(s, v, span, who);
    const char *why = node ? no_rows(s, node) : NULL;
    if (!why)
        return node;
    Diag *diag = sema_error(s, CODE_not_a_value, span,
                            "%s has a row of real numbers for every sample, and " STR_FMT " %s", who,
                            STR_ARG(value_describe(s, v)), why);
    if (v.kind == V_TENSOR)
        diag_help(diag, "weights are in the weights file; training writes it");
    return 0;
}

/* A target that `node` is computed from: 1 + its index; 0: none. */
static uint32_t target_below(Sema *s, NodeId node)
{
    bool *needed = arena_array(s->arena, bool, node + 1);
    needed[node] = true;
    for (NodeId id = node; id > 0; id--) {
        if (!needed[id])
            continue;
        uint32_t target = target_of(s, id);
        if (target)
            return target;
        for (uint32_t i = 0; i < graph_node(s->g, id)->n_in; i++)
            needed[graph_node(s->g, id)->in[i]] = true;
    }
    return 0;
}

static void add_output(Sema *s, Str name, Span span, NodeId node)
{
    for (uint32_t i = 0; i < s->model->outputs.n; i++)
        if (str_eq(s->model->outputs.at[i].name, name)) {
            Diag *diag = sema_error(s, CODE_duplicate_name, span, "there are two outputs `" STR_FMT "`", STR_ARG(name));
            diag_label(diag, s->model->outputs.at[i].span, "the first");
            diag_help(diag, "name one of them: `output other = ...`");
            return;
        }
    graph_root_add(s->g, ROOT_OUTPUT, node, s->model->outputs.n, name);
    *vec_push(s->arena, &s->model->outputs) = (OutputUse){.name = name, .span = span, .value = node};
}

static void run_output(Sema *s, Frame *f, const Ast *st)
{
    Value v = eval(s, f, st->kid[0]);
    NodeId node = value_want_rows(s, v, st->kid[0]->span, "an output");
    s->model->poisoned = s->model->poisoned || !node;
    if (!node)
        return;
    uint32_t target = target_below(s, node);
    if (target) {
        const Tensor *t = &s->g->tensors.at[target - 1];
        Diag *diag = sema_error(s, CODE_wrong_argument, st->kid[0]->span,
                                "an output is computed without targets, and this needs `" STR_FMT "`",
                                STR_ARG(t->name));
        diag_label(diag, t->span, "the target");
        diag_help(diag, "only losses and metrics see targets; declare it as `input` if it is known when predicting");
        return;
    }
    const Ast *e = ast_ungroup(st->kid[0]);
    Str name = st->text.n ? st->text : e->kind == AST_NAME ? e->text : STR("output");
    add_output(s, name, st->span, node);
}

/* What a written-out loss predicts: the last value on the way to it that no target has touched. */
static NodeId predicted(Sema *s, NodeId loss)
{
    bool *behind = arena_array(s->arena, bool, s->g->nodes.n), *touched = arena_array(s->arena, bool, s->g->nodes.n);
    for (uint32_t i = 0; i < s->tensor_node.n; i++)
        touched[s->tensor_node.at[i]] = s->g->tensors.at[i].role == ROLE_TARGET;
    for (NodeId id = 1; id <= loss; id++) {
        for (uint32_t k = 0; k < graph_node(s->g, id)->n_in; k++)
            touched[id] = touched[id] || touched[graph_node(s->g, id)->in[k]];
    }
    behind[loss] = true;
    for (NodeId id = loss; id > 0; id--) {
        if (behind[id] && !touched[id] && !no_rows(s, id))
            return id;
        for (uint32_t k = 0; behind[id] && k < graph_node(s->g, id)->n_in; k++)
            behind[graph_node(s->g, id)->in[k]] = true;
    }
    return 0;
}

/* `loss = cross_entropy(…)`, as other systems write it, only names a value. */
static void loss_that_is_none(Sema *s, const Frame *f)
{
    const Binding *b = map_get(&f->names, STR("loss"));
    const Ast *st = b ? b->statement : NULL;
    if (s->model->loss_uses.n || !st || st->kind != AST_ASSIGN || st->kid[0]->n_kid != 1 || b->value.kind != V_NODE)
        return;
    const Type *type = graph_type(s->g, b->value.node);
    if (type->batch || type->rank)
        return;
    Diag *diag = sema_error(s, CODE_empty_model, b->span, "this names a value `loss`, and the model has no loss");
    diag_help(diag, "a loss is written without `=`");
    diag_fix(diag, FIX_SAFE, (Span){st->span.source, st->kid[0]->span.begin, st->kid[2]->span.begin}, "loss ");
}

/* What the first loss judges, when nothing is said. */
static void default_output(Sema *s)
{
    Model *m = s->model;
    NodeId node = m->losses.n ? m->losses.at[0].prediction : 0;
    Span span = m->losses.n ? m->losses.at[0].prediction_span : (Span){0};
    if (m->outputs.n)
        return;
    if (m->loss_uses.n && (!node || no_rows(s, node) || target_below(s, node))) {
        node = predicted(s, m->loss_uses.at[0].node);
        span = m->loss_uses.at[0].span;
    }
    if (node) {
        Str name = graph_node(s->g, node)->name;
        add_output(s, name.n ? name : STR("output"), span, node);
        return;
    }
    m->poisoned = broken_inside(s, m->span); /* unfinished: what is still to come may compute something */
    if (m->poisoned)
        return;
    Diag *diag = sema_error(s, CODE_empty_model, m->name_span, "the model `" STR_FMT "` %s nothing", STR_ARG(m->name),
                            m->loss_uses.n ? "predicts" : "computes");
    diag_help(diag, m->loss_uses.n ? "say which value it predicts: `output z`" : "give it a `loss` or an `output`");
}

static void run_statement(Sema *s, Frame *f, const Ast *st)
{
    switch (st->kind) {
    case AST_LOSS:
        run_loss(s, f, st);
        break;
    case AST_METRIC:
        metric_run(s, f, st);
        break;
    case AST_OUTPUT:
        run_output(s, f, st);
        break;
    case AST_ASSIGN:
        for (uint32_t k = 0; k < st->kid[0]->n_kid; k++) {
            Binding *b = map_get(&f->names, st->kid[0]->kid[k]->text);
            if (b->statement == st) {
                binding_value(s, b, (Span){0});
            } else { /* a second definition of the name: its mistakes are reported too */
                statement_run(s, f, st);
                break;
            }
        }
        break;
    case AST_INPUT:
    case AST_TARGET:
    case AST_SHARE:
    case AST_BLOCK: {
        Binding *b = map_get(&f->names, st->text);
        if (b->statement == st)
            binding_value(s, b, (Span){0});
        else
            statement_run(s, f, st);
        break;
    }
    default: /* AST_ERROR and what the parser has said does not belong here */
        s->model->poisoned = true;
    }
}

static void start(Sema *s, const Ast *ast)
{
    Model *m = arena_new_of(s->arena, Model);
    *m = (Model){.arena = s->arena, .name = ast->text, .span = ast->span, .name_span = ast->name_span, .ast = ast};
    m->graph =
        graph_new(s->arena, s->sx, ast->text, s->options && s->options->batch ? s->options->batch : DEFAULT_BATCH);
    *vec_push(s->arena, &s->program->models) = m;
    s->model = m;
    s->g = m->graph;
    s->tensor_node.n = s->pending.n = s->loss_node.n = s->declared.n = 0;
    s->tensor_index = s->lost = (Map){.arena = s->arena};
    s->fuel = 0;
    s->exhausted = false;
    s->loss = -1;
    s->layer = s->repeat = s->streams = 0;
    s->outer = (Span){0};
    s->follow = NULL;
}

void model_build(Sema *s, const Ast *ast)
{
    start(s, ast);
    Frame *f = frame_new(s, s->global, FRAME_GRAPH);
    f->scope = scope_new(s, NULL, (Str){0});
    frame_declare(s, f, (const Ast *const *)ast->kid, ast->n_kid);
    for (uint32_t i = 0; i < ast->n_kid; i++)
        if (ast->kid[i])
            run_statement(s, f, ast->kid[i]);
    Model *m = s->model;
    for (uint32_t i = 0; i < f->names.n; i++) {
        const Binding *b = f->names.item[i].value;
        bool block = b->statement && b->statement->kind == AST_BLOCK && b->value.kind == V_FN;
        if (block && !b->value.fn->item->used && !m->poisoned && !s->exhausted)
            block_check(s, (Item *)(uintptr_t)b->value.fn->item);
    }
    for (uint32_t i = 0; i < f->names.n; i++) { /* silent where a definition's mistake was reported */
        const Binding *b = f->names.item[i].value;
        m->poisoned = m->poisoned || b->value.kind == V_NONE;
    }
    if (!m->poisoned)
        loss_that_is_none(s, f);
    if (!m->poisoned)
        default_output(s);
    init_finish(s);
    s->model = NULL;
    s->g = NULL;
    s->exhausted = false;
}
