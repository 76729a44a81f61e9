/* Optimizers: the statements of the definition become updates of w and of the states, one after the other, each an
 * expression of the values as they are when it runs. A state that nothing depends on (momentum = 0) is left out. */
#include "sema/sema.h"
#include "syntax/parse.h"

#include <math.h>

typedef struct Statements {
    const Item *item;
    Frame *frame;   /* parameters */
    VEC(Str) state; /* all declared, then kept locals */
    VEC(double) init;
    VEC(bool) live;
} Statements;

enum { STALE = 40, MAX_STATE = 24 }; /* arguments from STALE on stand for locals whose ingredients have changed since */

typedef VEC(OptimizerUpdate) Updates;

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

static void add_state(Sema *s, Statements *st, Str name, double init)
{
    *vec_push(s->arena, &st->state) = name;
    *vec_push(s->arena, &st->init) = init;
    *vec_push(s->arena, &st->live) = true;
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
        add_state(s, st, kid->text, init);
    }
}

static Sx as_sx(Sema *s, Value v, Span span)
{
    if (v.kind == V_SX)
        return v.sx;
    if (v.kind == V_NUMBER)
        return sx_num(s->sx, v.number);
    if (v.kind != V_NONE)
        sema_error(s, CODE_wrong_argument, span, "an update is a number, and this is " STR_FMT,
                   STR_ARG(value_describe(s, v)));
    return 0;
}

typedef struct Run {
    Frame *f;
    Updates *updates; /* NULL: everything in terms of the values at the start */
    VEC(Str) stale;
    bool keep; /* a stale local was read: it has been made a state, run again */
} Run;

/* The value of argument `arg` has just changed: locals made of its old value can't be written down any more. */
static void make_stale(Sema *s, const Statements *st, Run *r, unsigned arg)
{
    for (uint32_t i = 0; i < r->f->names.n; i++) {
        Binding *b = r->f->names.item[i].value;
        bool lasting = str_is(b->name, "step") || str_eq(b->name, st->item->params->kid[0]->text);
        if (b->value.kind != V_SX || lasting || find_state(st, b->name) >= 0)
            continue;
        if (sx_uses_arg(s->sx, b->value.sx, arg)) {
            b->value.sx = sx_arg(s->sx, STALE + r->stale.n % 20);
            *vec_push(s->arena, &r->stale) = b->name;
        }
    }
}

static bool reads_stale(Sema *s, Statements *st, Run *r, Sx x)
{
    bool found = false;
    for (uint32_t i = 0; i < r->stale.n && i < 20; i++)
        if (sx_uses_arg(s->sx, x, STALE + i) && find_state(st, r->stale.at[i]) < 0) {
            add_state(s, st, r->stale.at[i], 0);
            found = true;
        }
    return found;
}

static unsigned live_before(const Statements *st, uint32_t state)
{
    unsigned n = 0;
    for (uint32_t i = 0; i < state; i++)
        n += st->live.at[i];
    return n;
}

static bool run_update(Sema *s, Statements *st, Run *r, const Ast *kid)
{
    if (kid->kind != AST_ASSIGN || kid->kid[0]->n_kid != 1) {
        if (kid->kind != AST_ERROR)
            sema_error(s, CODE_wrong_argument, kid->span, "an optimizer is a list of updates: `name = ...`");
        return false;
    }
    Str name = kid->kid[0]->kid[0]->text;
    Sx x = as_sx(s, eval(s, r->f, kid->kid[2]), kid->kid[2]->span);
    if (!x)
        return false;
    if (reads_stale(s, st, r, x)) {
        r->keep = true;
        return false;
    }
    int state = find_state(st, name);
    bool is_w = str_eq(name, st->item->params->kid[0]->text);
    if (r->updates && (is_w || (state >= 0 && st->live.at[state]))) {
        unsigned target = is_w ? 0 : 1 + live_before(st, (uint32_t)state);
        *vec_push(s->arena, r->updates) = (OptimizerUpdate){target, x};
        make_stale(s, st, r, is_w ? 0 : 1 + target);
    } else {
        frame_set(s, r->f, name, value_sx(x, kid->kid[2]->span));
    }
    return true;
}

/* Runs the body once. With `now`, in terms of the values at the start: now[0] the new w, now[1 + i] the new state i. */
static bool run_once(Sema *s, Statements *st, Sx *now, Run *r)
{
    const Ast *ast = st->item->def.ast;
    Str w = st->item->params->kid[0]->text;
    unsigned n_live = 0;
    r->f = frame_new(s, st->frame, FRAME_SCALAR);
    r->f->item = st->item;
    for (uint32_t i = 0; i < st->state.n; i++)
        if (now || st->live.at[i])
            frame_set(s, r->f, st->state.at[i], value_sx(sx_arg(s->sx, 2 + n_live++), ast->span));
        else
            frame_set(s, r->f, st->state.at[i], value_number(st->init.at[i], ast->span));
    frame_set(s, r->f, w, value_sx(sx_arg(s->sx, 0), ast->span));
    frame_set(s, r->f, STR("step"), value_sx(sx_arg(s->sx, 2 + n_live), ast->span));
    for (uint32_t i = 0; i < ast->n_kid; i++) {
        const Ast *kid = ast->kid[i];
        if (kid && kid->kind != AST_STATE && kid->kind != AST_PARAMETERS && !run_update(s, st, r, kid))
            return false;
    }
    if (!now)
        return true;
    now[0] = ((Binding *)map_get(&r->f->names, w))->value.sx;
    for (uint32_t i = 0; i < st->state.n; i++) {
        Value v = ((Binding *)map_get(&r->f->names, st->state.at[i]))->value;
        now[1 + i] = v.kind == V_SX ? v.sx : sx_num(s->sx, v.number);
    }
    return true;
}

static void bind_lr(Sema *s, Statements *st, double lr, unsigned n_state)
{
    if (!isnan(lr))
        frame_set(s, st->frame, STR("lr"),
                  value_sx(sx_mul(s->sx, sx_num(s->sx, lr), sx_arg(s->sx, 3 + n_state)), (Span){0}));
}

/* The updates; a local that outlives what it was made of is kept like a state. */
static bool run(Sema *s, Statements *st, double lr, Updates *updates)
{
    for (;;) {
        Run r = {.updates = updates};
        updates->n = 0;
        bind_lr(s, st, lr, live_before(st, st->state.n));
        if (run_once(s, st, NULL, &r))
            return true;
        if (!r.keep || st->state.n > MAX_STATE)
            return false;
    }
}

/* A state lives when the new w, or the new value of a living state, depends on its old value. */
static bool find_live(Sema *s, Statements *st)
{
    Sx *now = arena_array(s->arena, Sx, st->state.n + 1);
    if (st->state.n > MAX_STATE) {
        sema_error(s, CODE_too_large, st->item->def.ast->name_span, "an optimizer has at most %d states", MAX_STATE);
        return false;
    }
    Run r = {0};
    if (!run_once(s, st, now, &r))
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

static double number_of(Frame *f, const char *name)
{
    Binding *b = map_get(&f->names, str_of(name));
    return b && b->value.kind == V_NUMBER ? b->value.number : NAN;
}

/* lr becomes lr * lr_scale, an argument that stands behind w, g, the states and step. */
static bool updates_of(Sema *s, Statements *st, double lr, Updates *out)
{
    bind_lr(s, st, lr, st->state.n);
    return find_live(s, st) && run(s, st, lr, out);
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

/* The first steps of some weights: one that leaves the numbers does so for all. */
static bool finite_steps(Sema *s, const OptimizerUse *use, const Ast *expr)
{
    for (uint32_t trial = 0; trial < 3; trial++) {
        uint32_t n = use->state.n;
        double *a = arena_array(s->arena, double, n + 4);
        a[0] = 0.5;
        for (uint32_t i = 0; i < n; i++)
            a[2 + i] = use->state_init.at[i];
        a[3 + n] = 1;
        for (uint32_t step = 1; step <= 2; step++) {
            a[1] = trial == 0 ? 0.25 : trial == 1 ? -2 : 0.001;
            a[2 + n] = step;
            for (uint32_t i = 0; i < use->update.n; i++) {
                const OptimizerUpdate *update = &use->update.at[i];
                a[update->target ? 1 + update->target : 0] = sx_eval(s->sx, update->value, a);
            }
            if (isfinite(a[0]))
                continue;
            sema_error(s, CODE_wrong_argument, expr->span,
                       "step %u of this optimizer turns a weight of 0.5 with gradient %g into %s", step, a[1],
                       isnan(a[0]) ? "not a number" : "infinity");
            return false;
        }
    }
    return true;
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
        ok = run(s, &st, use->lr, &plain);
    }
    s->outer = outer;
    if (!ok)
        return NULL;
    use->name = item->def.name;
    use->text = format_expr(s->arena, expr);
    use->span = expr->span;
    use->library = item->def.library;
    use->ast = expr;
    for (uint32_t i = 0; i < st.frame->names.n; i++) {
        const Binding *b = st.frame->names.item[i].value;
        if (b->value.kind == V_NUMBER)
            *vec_push(s->arena, &use->number) = (SettingNumber){b->name, b->value.number};
    }
    for (uint32_t i = 0; i < st.state.n; i++)
        if (st.live.at[i]) {
            *vec_push(s->arena, &use->state) = st.state.at[i];
            *vec_push(s->arena, &use->state_init) = st.init.at[i];
        }
    for (uint32_t i = 0; i < updates.n; i++)
        *vec_push(s->arena, &use->update) = updates.at[i];
    for (uint32_t i = 0; i < plain.n; i++)
        *vec_push(s->arena, &use->update_plain) = plain.at[i];
    return finite_steps(s, use, expr) ? use : NULL;
}

/* A definition by itself: every parameter without a default stands for some number. */
static bool given_anything(Sema *s, void *context, Str name, Value *out)
{
    if (given_arguments(s, context, name, out))
        return true;
    const Item *item = context;
    for (uint32_t i = 2; i < item->params->n_kid; i++)
        if (str_eq(item->params->kid[i]->text, name) &&
            !(item->params->kid[i]->n_kid && item->params->kid[i]->kid[0])) {
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
        sema_error(s, CODE_missing_argument, item->def.ast->name_span,
                   "the optimizer `" STR_FMT "` never updates `" STR_FMT "`", STR_ARG(item->def.name),
                   STR_ARG(item->params->kid[0]->text));
}
