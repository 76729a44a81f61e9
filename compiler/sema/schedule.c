/* Learning-rate schedules: a scale between 0 and 1 as an expression of the step now and the total of steps. */
#include "sema/sema.h"
#include "syntax/parse.h"

#include <math.h>

static void candidates(Sema *s, DefKind kind, void *out)
{
    VEC(Str) *names = out;
    for (uint32_t i = 0; i < s->by_kind[kind].n; i++)
        *vec_push(s->arena, names) = s->by_kind[kind].item[i].key;
}

/* NAME or NAME(arguments): the definition of this kind. */
Item *setting_item(Sema *s, Frame *f, const Ast *e, DefKind kind, const char *what, Args *pos, Args *named)
{
    e = ast_ungroup(e);
    const Ast *name = e->kind == AST_CALL ? ast_ungroup(e->kid[0]) : e;
    if (name->kind != AST_NAME) {
        if (name->kind != AST_ERROR)
            sema_error(s, CODE_wrong_argument, e->span, "the name of a %s is due here", what);
        return NULL;
    }
    if (e->kind == AST_CALL)
        args_read(s, f, e, pos, named);
    for (uint32_t depth = 0; depth < 16; depth++) {
        Item *item = item_find(s, kind, name->text);
        if (!item) {
            VEC(Str) names = {0};
            candidates(s, kind, &names);
            sema_unknown(s, name->span, what, name->text, names.at, names.n);
            return NULL;
        }
        const Ast *alias =
            item->def.ast->kind == AST_FUNCTION && !item->params ? ast_ungroup(item->def.ast->kid[1]) : NULL;
        if (!alias)
            return item;
        if (alias->kind == AST_CALL) {
            Args first = {0};
            args_read(s, s->global, alias, &first, named);
            alias = ast_ungroup(alias->kid[0]);
        }
        name = alias;
    }
    return NULL;
}

static bool given_time(Sema *s, void *context, Str name, Value *out)
{
    const Item *item = context;
    for (unsigned i = 0; i < 2 && item->params && i < item->params->n_kid; i++)
        if (str_eq(item->params->kid[i]->text, name)) {
            *out = value_sx(sx_arg(s->sx, i), item->params->kid[i]->span);
            return true;
        }
    return false;
}

/* Positional arguments follow the first `skip` parameters, which the compiler gives. */
Args setting_args(Sema *s, const Item *item, const Args *pos, Args *named, uint32_t skip)
{
    Args none = {0};
    if (!item->params || pos->n + skip > item->params->n_kid)
        return *pos;
    for (uint32_t i = 0; i < pos->n; i++) {
        Arg arg = pos->at[i];
        arg.name = item->params->kid[i + skip]->text;
        arg.name_span = arg.ast ? arg.ast->span : (Span){0};
        *vec_push(s->arena, named) = arg;
    }
    return none;
}

/* A rate that is no number makes every weight one that is none. */
static bool finite_rates(Sema *s, const Ast *expr, Sx rate)
{
    static const double times[][2] = {{1, 1}, {1, 1000}, {2, 1000}, {500, 1000}, {1000, 1000}};
    for (uint32_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        double value = sx_eval(s->sx, rate, times[i]);
        if (isfinite(value))
            continue;
        sema_error(s, CODE_wrong_argument, expr->span, "in step %g of %g this schedule is %s", times[i][0], times[i][1],
                   isnan(value) ? "not a number" : "infinite");
        return false;
    }
    return true;
}

Sx schedule_build(Sema *s, Frame *f, const Ast *expr, Str *text)
{
    Args pos = {0}, named = {0};
    Item *item = setting_item(s, f, expr, DEF_SCHEDULE, "schedule", &pos, &named);
    if (!item || item->poisoned)
        return 0;
    *text = format_expr(s->arena, expr);
    Frame *body = frame_new(s, s->global, FRAME_SCALAR);
    body->item = item;
    Args rest = setting_args(s, item, &pos, &named, 2);
    Span outer = s->outer;
    s->outer = expr->span;
    Value v = args_bind(s, item, &rest, &named, expr->span, body, given_time, item) ? eval(s, body, item->body)
                                                                                    : value_none();
    s->outer = outer;
    if (v.kind == V_NUMBER)
        v = value_sx(sx_num(s->sx, v.number), v.span);
    if (v.kind == V_SX)
        return finite_rates(s, expr, v.sx) ? v.sx : 0;
    if (v.kind != V_NONE)
        sema_error(s, CODE_wrong_argument, item->def.ast->span, "the schedule `" STR_FMT "` gives no number",
                   STR_ARG(item->def.name));
    return 0;
}

/* Arguments without a default stand for some number. */
static bool given_number(Sema *s, void *context, Str name, Value *out)
{
    const Item *item = context;
    for (uint32_t i = 0; i < item->params->n_kid; i++)
        if (str_eq(item->params->kid[i]->text, name) && item->params->kid[i]->n_kid && item->params->kid[i]->kid[0])
            return false;
    bool time = item->def.kind == DEF_SCHEDULE && given_time(s, context, name, out);
    if (!time)
        *out = value_number(0.5, (Span){0});
    return true;
}

void scalar_check(Sema *s, Item *item)
{
    if (!item->params)
        return; /* an alias: its target is checked */
    uint32_t errors = s->diags->list.n;
    Frame *body = frame_new(s, s->global, FRAME_SCALAR);
    body->item = item;
    Args none = {0}, no_names = {0};
    Value v = value_none();
    if (args_bind(s, item, &none, &no_names, item->def.ast->span, body, given_number, item))
        v = eval(s, body, item->body);
    bool initializer = item->def.kind == DEF_INITIALIZER;
    for (uint32_t i = 0; init_is(v) && i < v.fn->pos.n; i++)
        arg_value(s, &v.fn->pos.at[i]);
    bool right = v.kind == V_NONE || (initializer ? init_is(v) : v.kind == V_NUMBER || v.kind == V_SX);
    if (!right)
        sema_error(s, CODE_not_a_value, item->body->span, "%s",
                   initializer ? "an initializer ends in a distribution" : "a schedule gives a number");
    if (s->diags->list.n > errors)
        item->poisoned = true;
}
