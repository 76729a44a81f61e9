/* Optimizers: the statements of the definition become updates of w and of the states, one after the other, each an expression of the
 * values as they are when it runs. A state that nothing depends on (momentum = 0) is left out. */
#include "sema/sema.h"
#include "syntax/parse.h"

#include <math.h>

typedef struct Statements {
    const Item *item;
    Frame *frame;          /* parameters and local names */
    VEC(Str) state;        /* all declared */
    VEC(double) init;
    VEC(bool) live;
} Statements;

static bool given_arguments(Sema *s, void *context, Str name, Value *out)
{
    const Item *item = context;
    for (unsigned i = 0; i < 2 && item->params && i < item->params->n_kid; i++)
        if (str_eq(item->params->kid[i]->text, name)) {
            *out = value_sx(sx_arg(s->sx, i), (Span){0});
            return true;
        }
    return false;
}

static int find_state(const Statements *st, Str name)
{
    for (uint32_t i = 0; i < st->state.n; i++)
        if (str_eq(st->state.at[i], name))
            return (int)i;
    return -1;
}

static void read_states(Sema *s, Statements *st)
{
    const Ast *ast = st->item->def.ast;
    for (uint32_t i = 0; i < ast->n_kid; i++) {
        const Ast *kid = ast->kid[i];
        if (!kid || kid->kind != AST_STATE)
            continue;
        double init = 0;
        value_real(s, eval(s, st->frame, kid->kid[0]), kid->kid[0]->span, "the start of a state", &init);
        if (find_state(st, kid->text) >= 0 || map_has(&st->frame->names, kid->text)) {
            sema_error(s, CODE_duplicate_name, kid->name_span, "`" STR_FMT "` is defined twice", STR_ARG(kid->text));
            continue;
        }
        *vec_push(s->arena, &st->state) = kid->text;
        *vec_push(s->arena, &st->init) = init;
        *vec_push(s->arena, &st->live) = true;
    }
}

static Sx as_sx(Sema *s, Value v, Span span)
{
    if (v.kind == V_SX)
        return v.sx;
    if (v.kind == V_NUMBER)
        return sx_num(s->sx, v.number);
    if (v.kind != V_NONE)
        sema_error(s, CODE_wrong_argument, span, "an update is a number, and this is " STR_FMT, STR_ARG(value_describe(s, v)));
    return 0;
}

typedef VEC(OptimizerUpdate) Updates;

/* Runs the body. With `old`, names keep the values they had at the start (old[0] of w, old[1 + i] of state i get the new ones);
 * without, live states and w are read as they are. False after saying what is wrong. */
static bool run(Sema *s, Statements *st, Sx *now, Updates *updates)
{
    const Ast *ast = st->item->def.ast;
    Str w = st->item->params->kid[0]->text;
    unsigned n_live = 0;
    Frame *f = frame_new(s, st->frame, FRAME_SCALAR);
    f->item = st->item;
    for (uint32_t i = 0; i < st->state.n; i++)
        if (now || st->live.at[i])
            frame_set(s, f, st->state.at[i], value_sx(sx_arg(s->sx, 2 + n_live++), ast->span));
        else
            frame_set(s, f, st->state.at[i], value_number(st->init.at[i], ast->span));
    frame_set(s, f, w, value_sx(sx_arg(s->sx, 0), ast->span));
    frame_set(s, f, STR("step"), value_sx(sx_arg(s->sx, 2 + n_live), ast->span));
    for (uint32_t i = 0; i < ast->n_kid; i++) {
        const Ast *kid = ast->kid[i];
        if (!kid || kid->kind == AST_STATE || kid->kind == AST_PARAMETERS)
            continue;
        if (kid->kind != AST_ASSIGN || kid->kid[0]->n_kid != 1) {
            if (kid->kind != AST_ERROR)
                sema_error(s, CODE_wrong_argument, kid->span, "an optimizer is a list of updates: `name = ...`");
            return false;
        }
        Str name = kid->kid[0]->kid[0]->text;
        Sx x = as_sx(s, eval(s, f, kid->kid[2]), kid->kid[2]->span);
        if (!x)
            return false;
        int state = find_state(st, name);
        bool is_w = str_eq(name, w);
        bool stored = updates && (is_w || (state >= 0 && st->live.at[state]));
        if (stored) {
            uint32_t target = 0;
            for (int k = 0; k < state; k++)
                target += st->live.at[k];
            *vec_push(s->arena, updates) = (OptimizerUpdate){is_w ? 0 : 1 + target, x};
        } else {
            frame_set(s, f, name, value_sx(x, kid->kid[2]->span));
        }
    }
    if (now) {
        now[0] = ((Binding *)map_get(&f->names, w))->value.sx;
        for (uint32_t i = 0; i < st->state.n; i++) {
            Value v = ((Binding *)map_get(&f->names, st->state.at[i]))->value;
            now[1 + i] = v.kind == V_SX ? v.sx : sx_num(s->sx, v.number);
        }
    }
    return true;
}

/* A state lives when the new w, or the new value of a living state, depends on its old value. */
static bool find_live(Sema *s, Statements *st)
{
    Sx *now = arena_array(s->arena, Sx, st->state.n + 1);
    if (st->state.n > 32) {
        sema_error(s, CODE_too_large, st->item->def.ast->name_span, "an optimizer has at most 32 states");
        return false;
    }
    if (!run(s, st, now, NULL))
        return false;
    uint64_t live = sx_args_used(s->sx, now[0]) >> 2, before;
    do {
        before = live;
        for (uint32_t i = 0; i < st->state.n; i++)
            if (live >> i & 1)
                live |= sx_args_used(s->sx, now[1 + i]) >> 2;
    } while (live != before);
    for (uint32_t i = 0; i < st->state.n; i++)
        st->live.at[i] = live >> i & 1;
    return true;
}

/* ── binding lr ── */
static double number_of(Frame *f, const char *name)
{
    Binding *b = map_get(&f->names, str_of(name));
    return b && b->value.kind == V_NUMBER ? b->value.number : NAN;
}

static unsigned live_count(const Statements *st)
{
    unsigned n = 0;
    for (uint32_t i = 0; i < st->live.n; i++)
        n += st->live.at[i];
    return n;
}

/* lr becomes lr * lr_scale, an argument that stands behind w, g, the states and step. */
static bool updates_of(Sema *s, Statements *st, double lr, Updates *out)
{
    if (!isnan(lr))
        frame_set(s, st->frame, STR("lr"), value_sx(sx_mul(s->sx, sx_num(s->sx, lr), sx_arg(s->sx, 3 + st->state.n)), (Span){0}));
    if (!find_live(s, st))
        return false;
    if (!isnan(lr))
        frame_set(s, st->frame, STR("lr"), value_sx(sx_mul(s->sx, sx_num(s->sx, lr), sx_arg(s->sx, 3 + live_count(st))), (Span){0}));
    return run(s, st, NULL, out);
}

/* `decay_on = all | matrices`, which every optimizer with a weight_decay takes. */
static bool take_decay_on(Sema *s, const Item *item, const Args *named, Args *rest, bool *matrices)
{
    static const Str words[] = {{"all", 3}, {"matrices", 8}};
    bool own = false, ok = true;
    for (uint32_t i = 0; item->params && i < item->params->n_kid; i++)
        own = own || str_is(item->params->kid[i]->text, "weight_decay");
    for (uint32_t i = 0; i < named->n; i++) {
        const Arg *arg = &named->at[i];
        if (!own || !str_is(arg->name, "decay_on")) {
            *vec_push(s->arena, rest) = *arg;
            continue;
        }
        Str word = arg->ast->kind == AST_NAME ? arg->ast->text : (Str){0};
        *matrices = str_is(word, "matrices");
        if (!*matrices && !str_is(word, "all")) {
            sema_unknown(s, arg->ast->span, "choice for `decay_on`", word, words, 2);
            ok = false;
        }
    }
    return ok;
}

OptimizerUse *optimizer_build(Sema *s, Frame *f, const Ast *expr)
{
    Args pos = {0}, all = {0}, named = {0};
    Item *item = setting_item(s, f, expr, DEF_OPTIMIZER, "optimizer", &pos, &all);
    if (!item || item->poisoned || !item->params || item->params->n_kid < 2)
        return NULL;
    OptimizerUse *use = arena_new_of(s->arena, OptimizerUse);
    bool ok = take_decay_on(s, item, &all, &named, &use->decay_matrices_only);
    Args rest = setting_args(s, item, &pos, &named, 2);
    Statements st = {.item = item, .frame = frame_new(s, s->global, FRAME_SCALAR)};
    st.frame->item = item;
    Span outer = s->outer;
    s->outer = expr->span;
    ok = args_bind(s, item, &rest, &named, expr->span, st.frame, given_arguments, item) && ok;
    for (uint32_t i = 0; i < st.frame->names.n; i++)
        ok = ok && ((Binding *)st.frame->names.item[i].value)->value.kind != V_NONE;
    Updates updates = {0}, plain = {0};
    if (ok) {
        use->lr = number_of(st.frame, "lr");
        use->weight_decay = number_of(st.frame, "weight_decay");
        read_states(s, &st);
        ok = updates_of(s, &st, use->lr, &updates);
    }
    if (ok && use->decay_matrices_only) {
        /* the same states live, so that one layout serves both */
        frame_set(s, st.frame, STR("weight_decay"), value_number(0, expr->span));
        ok = run(s, &st, NULL, &plain);
    }
    s->outer = outer;
    if (!ok)
        return NULL;
    use->name = item->def.name;
    use->text = format_expr(s->arena, expr);
    use->span = expr->span;
    for (uint32_t i = 0; i < st.state.n; i++)
        if (st.live.at[i]) {
            *vec_push(s->arena, &use->state) = st.state.at[i];
            *vec_push(s->arena, &use->state_init) = st.init.at[i];
        }
    for (uint32_t i = 0; i < updates.n; i++)
        *vec_push(s->arena, &use->update) = updates.at[i];
    for (uint32_t i = 0; i < plain.n; i++)
        *vec_push(s->arena, &use->update_plain) = plain.at[i];
    return use;
}

/* A definition by itself: every parameter without a default stands for some number. */
static bool given_anything(Sema *s, void *context, Str name, Value *out)
{
    if (given_arguments(s, context, name, out))
        return true;
    const Item *item = context;
    for (uint32_t i = 2; i < item->params->n_kid; i++)
        if (str_eq(item->params->kid[i]->text, name) && !(item->params->kid[i]->n_kid && item->params->kid[i]->kid[0])) {
            *out = value_number(0.5, (Span){0});
            return true;
        }
    return false;
}

void optimizer_check(Sema *s, Item *item)
{
    uint32_t errors = s->diags->list.n;
    if (!item->params || item->params->n_kid < 2) {
        Diag *diag = sema_error(s, CODE_missing_argument, item->def.ast->name_span,
                                "the optimizer `" STR_FMT "` needs the weight and its gradient as parameters",
                                STR_ARG(item->def.name));
        diag_help(diag, "write `optimizer " STR_FMT "(w, g, lr = 0.01) { ... }`", STR_ARG(item->def.name));
        item->poisoned = true;
        return;
    }
    Statements st = {.item = item, .frame = frame_new(s, s->global, FRAME_SCALAR)};
    st.frame->item = item;
    Args none = {0}, no_names = {0};
    Updates updates = {0};
    if (args_bind(s, item, &none, &no_names, item->def.ast->span, st.frame, given_anything, item)) {
        read_states(s, &st);
        updates_of(s, &st, number_of(st.frame, "lr"), &updates);
    }
    bool moves = false;
    for (uint32_t i = 0; i < updates.n; i++)
        moves = moves || updates.at[i].target == 0;
    if (s->diags->list.n > errors)
        item->poisoned = true;
    else if (!moves)
        sema_error(s, CODE_missing_argument, item->def.ast->name_span, "the optimizer `" STR_FMT "` never updates `" STR_FMT "`",
                   STR_ARG(item->def.name), STR_ARG(item->params->kid[0]->text));
}
