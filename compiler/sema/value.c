/* Making values and asking for the kind one needs. */
#include "sema/sema.h"

#include "ops/build.h"

#include <math.h>

Value value_number(double number, Span span) { return (Value){.kind = V_NUMBER, .span = span, .number = number}; }
Value value_flag(bool flag, Span span) { return (Value){.kind = V_FLAG, .span = span, .flag = flag}; }
Value value_sx(Sx sx, Span span) { return (Value){.kind = V_SX, .span = span, .sx = sx}; }
Value value_fn(Closure *fn, Span span) { return (Value){.kind = V_FN, .span = span, .fn = fn}; }

Value value_node(NodeId node, Span span)
{
    return node ? (Value){.kind = V_NODE, .span = span, .node = node} : value_none();
}

bool value_is_graph(Value v) { return v.kind == V_NODE || v.kind == V_TENSOR; }

NodeId value_to_node(Sema *s, Value v)
{
    if (v.kind != V_TENSOR)
        return v.node;
    NodeId node = tensor_node(s, v.tensor);
    return s->g->tensors.at[v.tensor].turned ? build_permute(s->g, node, 2, (int64_t[]){1, 0}) : node;
}

NodeId value_want_node(Sema *s, Value v, Span span, const char *who)
{
    if (v.kind == V_NONE)
        return 0;
    if (value_is_graph(v))
        return value_to_node(s, v);
    if (v.kind == V_NUMBER && s->g)
        return build_number(s->g, v.number);
    if (v.kind == V_SX)
        s->row_op = true;
    Diag *diag = sema_error(s, CODE_not_a_value, span, "%s needs a value of the network, and this is " STR_FMT, who,
                            STR_ARG(value_describe(s, v)));
    const Item *item = v.kind == V_FN && v.fn->kind == CLOSURE_ITEM ? v.fn->item : NULL;
    if (item && item->def.kind == DEF_LOSS && item->params && item->params->n_kid > 1)
        diag_help(diag, "give it its values: `" STR_FMT "(" STR_FMT ", " STR_FMT ")`", STR_ARG(v.fn->name),
                  STR_ARG(item->params->kid[0]->text), STR_ARG(item->params->kid[1]->text));
    else if (v.kind == V_FN && v.fn->kind == CLOSURE_CHAIN)
        diag_help(diag, "put the value they work on in front: `x |> ...`");
    else if (v.kind == V_FN)
        diag_help(diag, "give it its value: `x |> " STR_FMT "`", STR_ARG(v.fn->name));
    if (v.kind == V_LIST && v.list->results)
        diag_help(diag, "name the results, `a, b = ...`, and use one of them");
    return 0;
}

bool value_real(Sema *s, Value v, Span span, const char *what, double *out)
{
    if (v.kind == V_NUMBER) {
        *out = v.number;
        return true;
    }
    if (v.kind != V_NONE)
        sema_error(s, CODE_wrong_argument, span, "%s is a number, and this is " STR_FMT, what,
                   STR_ARG(value_describe(s, v)));
    return false;
}

static bool whole_in(Sema *s, double x, Span span, const char *what, int64_t low, int64_t high, int64_t *out)
{
    Text shown = {.arena = s->arena};
    text_number(&shown, x);
    Str number = text_str(&shown);
    if (!isfinite(x) || x != floor(x)) {
        Diag *diag = sema_error(s, CODE_not_whole, span, "%s must be a whole number, and this is " STR_FMT, what,
                                STR_ARG(number));
        if (!isfinite(x))
            diag_note(diag, "a division by zero has no result");
        else
            diag_note(diag, "a division in a shape or count must come out exactly");
        return false;
    }
    if (x < (double)low || x > (double)high) {
        bool huge = x > 0 && x > (double)high;
        Diag *diag = sema_error(s, huge && high > 1000 ? CODE_too_large : CODE_wrong_argument, span,
                                "%s can't be " STR_FMT, what, STR_ARG(number));
        if (huge)
            diag_note(diag, "the most is %lld", (long long)high);
        else
            diag_note(diag, "the least is %lld", (long long)low);
        return false;
    }
    *out = (int64_t)x;
    return true;
}

bool value_whole(Sema *s, Value v, Span span, const char *what, int64_t low, int64_t high, int64_t *out)
{
    double x;
    if (v.kind != V_NUMBER && v.kind != V_NONE) {
        sema_error(s, CODE_wrong_argument, span, "%s is a whole number, and this is " STR_FMT, what,
                   STR_ARG(value_describe(s, v)));
        return false;
    }
    return value_real(s, v, span, what, &x) && whole_in(s, x, span, what, low, high, out);
}

bool value_dims(Sema *s, Value v, Span span, const char *what, Dims *out)
{
    if (v.kind == V_NONE)
        return false;
    if (v.kind != V_LIST) {
        int64_t one;
        if (!value_whole(s, v, span, what, INT32_MIN, INT32_MAX, &one))
            return false;
        if (out->n == TYPE_MAX_RANK) {
            sema_error(s, CODE_wrong_argument, span, "%s has at most %d numbers", what, TYPE_MAX_RANK);
            return false;
        }
        out->at[out->n++] = one;
        return true;
    }
    for (uint32_t i = 0; i < v.list->item.n; i++)
        if (!value_dims(s, v.list->item.at[i], v.list->item.at[i].span.source ? v.list->item.at[i].span : span, what,
                        out))
            return false;
    return true;
}

bool value_small(Sema *s, NodeId node, Span span)
{
    uint64_t elements = type_elements(graph_type(s->g, node));
    if (elements <= INT32_MAX)
        return true;
    sema_error(s, CODE_too_large, span, "this has %llu numbers for each sample; the most is %d",
               (unsigned long long)elements, INT32_MAX);
    return false;
}
