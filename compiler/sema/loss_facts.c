/* What a loss expects of its prediction, read off its formula: a user's own loss is known as well as a built-in one. */
#include "sema/sema.h"

#include <math.h>

static bool mentions(const Ast *e, const char *name)
{
    if (!e)
        return false;
    if (e->kind == AST_NAME && str_is(e->text, name))
        return true;
    for (uint32_t i = 0; i < e->n_kid; i++)
        if (mentions(e->kid[i], name))
            return true;
    return false;
}

static double at(const Sema *s, Sx f, double z, double y)
{
    double args[64] = {z, y};
    return sx_eval(s->sx, f, args);
}

/* A sigmoid inside: the slope in z is sigmoid(z) - y, so it runs from 0 to 1 for y = 0, and one less for y = 1. */
static bool takes_logits(const Sema *s, const Sx *slope)
{
    static const double points[] = {-30, -8, -2, -0.5, 0, 0.5, 2, 8, 30};
    double before = -1;
    for (uint32_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        double none = at(s, slope[0], points[i], 0), one = at(s, slope[0], points[i], 1);
        if (!(none >= -1e-9 && none <= 1 + 1e-9) || !(fabs(none - one - 1) < 1e-9) || none < before)
            return false;
        before = none;
    }
    return at(s, slope[0], -30, 0) < 1e-6 && at(s, slope[0], 30, 0) > 1 - 1e-6;
}

/* The likelihood of a count or another positive quantity (Poisson's p - y log p) has a logarithm too, and its least value
 * inside, at p = y. */
static bool takes_quantities(const Sema *s, const Sx *slope)
{
    for (double y = 3; y < 40; y *= 3)
        if (!(at(s, slope[0], y / 100, y) < 0) || !(at(s, slope[0], y * 100, y) > 0))
            return false;
    return true;
}

/* A logarithm of the prediction: undefined outside, or growing without bound towards zero (also when it is cut off
 * there). */
static bool takes_probabilities(const Sema *s, Sx f)
{
    static const double inside[] = {0.01, 0.3, 0.5, 0.9};
    for (uint32_t i = 0; i < sizeof inside / sizeof inside[0]; i++)
        if (!isfinite(at(s, f, inside[i], 0.5)))
            return false;
    bool undefined = isnan(at(s, f, -0.01, 0.5)) && isnan(at(s, f, -0.5, 0.5)) && isnan(at(s, f, -3, 0.5));
    double near = at(s, f, 1e-3, 1), nearest = at(s, f, 1e-30, 1);
    return undefined || (nearest - near > 20 && fabs(near - at(s, f, 0.1, 1)) < 20);
}

/* sum y (log y - l): zero where l is log y, and falling with slope -y everywhere. */
static bool takes_logarithms(const Sema *s, Sx f, const Sx *slope)
{
    static const double targets[] = {0.05, 0.3, 0.8};
    for (uint32_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        double y = targets[i];
        if (!(fabs(at(s, f, log(y), y)) < 1e-9) || !(fabs(at(s, slope[0], -3, y) + y) < 1e-9) ||
            !(fabs(at(s, slope[0], 2, y) + y) < 1e-9))
            return false;
    }
    return true;
}

static const Ast *call_of(const Ast *e, const char *name)
{
    e = ast_ungroup(e);
    return e && e->kind == AST_CALL && e->n_kid > 1 && ast_ungroup(e->kid[0])->kind == AST_NAME &&
                   str_is(ast_ungroup(e->kid[0])->text, name)
               ? e
               : NULL;
}

/* log(pick(…)) or log(prediction) anywhere */
static bool log_of_prediction(const Item *item, const Ast *e)
{
    if (!e)
        return false;
    const Ast *call = call_of(e, "log");
    if (call) {
        const Ast *arg = ast_ungroup(call->kid[1]->kid[0]);
        if (call_of(arg, "pick") || (arg->kind == AST_NAME && str_eq(arg->text, item->params->kid[0]->text)))
            return true;
    }
    for (uint32_t i = 0; i < e->n_kid; i++)
        if (log_of_prediction(item, e->kid[i]))
            return true;
    return false;
}

bool loss_works_on_rows(const Item *item)
{
    return mentions(item->body, "pick") || mentions(item->body, "logsumexp") || mentions(item->body, "log_softmax") ||
           mentions(item->body, "softmax");
}

void loss_facts(Sema *s, const Item *item, Sx body, LossCall *call)
{
    if (!body) {
        const Ast *e = ast_ungroup(item->body);
        bool normalises = mentions(e, "logsumexp") || mentions(e, "log_softmax") || mentions(e, "softmax");
        call->classes = mentions(e, "pick");
        call->wants_logits = normalises;
        call->wants_probabilities = !normalises && log_of_prediction(item, e);
        call->wants_log_probabilities = e->kind == AST_UNARY && call_of(e->kid[0], "pick") != NULL;
        return;
    }
    Sx slope[2];
    sx_gradient(s->sx, body, 2, slope);
    call->wants_logits = takes_logits(s, slope);
    call->wants_log_probabilities = !call->wants_logits && takes_logarithms(s, body, slope);
    call->wants_probabilities = !call->wants_logits && !call->wants_log_probabilities &&
                                !takes_quantities(s, slope) && takes_probabilities(s, body);
}
