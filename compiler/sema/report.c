/* How sema speaks: one diagnostic for one mistake at one place, never into the standard library when the use can be
 * shown. */
#include "sema/sema.h"

enum { FEW = 8, MOST_ARGUMENTS = 16 }; /* names that are listed rather than guessed */

Diags *sema_sink(Sema *s) { return s->trial ? &s->scratch : s->diags; }

static bool in_library(const Sema *s, Span span)
{
    const Source *source = source_get(s->program->sources, span.source);
    return source && source->library;
}

Span sema_place(const Sema *s, Span span)
{
    return s->outer.source && (span.source == 0 || in_library(s, span)) ? s->outer : span;
}

static bool said_before(const Sema *s, const char *code, Span span)
{
    for (uint32_t i = 0; i < s->diags->list.n; i++) {
        const Diag *old = s->diags->list.at[i];
        if (old->level == LEVEL_ERROR && old->primary.span.source == span.source &&
            old->primary.span.begin == span.begin && old->primary.span.end == span.end &&
            str_is(str_of(old->code), code))
            return true;
    }
    return false;
}

Diag *sema_error(Sema *s, SemaCodeId code, Span span, const char *format, ...)
{
    const SemaCode *what = sema_code_at(code);
    Span place = sema_place(s, span);
    bool silent = s->trial > 0 || s->exhausted || said_before(s, what->code, place);
    s->failed = true;
    if (s->model && !s->trial)
        s->model->poisoned = true;
    va_list args;
    va_start(args, format);
    Str message = str_vprintf(s->arena, format, args);
    va_end(args);
    Diag *diag = diag_new(silent ? &s->scratch : s->diags, LEVEL_ERROR, what->code, what->name, place, STR_FMT,
                          STR_ARG(message));
    bool inside = span.source == s->outer.source && span.begin >= s->outer.begin && span.end <= s->outer.end;
    if (s->outer.source && !in_library(s, span) && !inside)
        diag_label(diag, s->outer, "in this use");
    return diag;
}

/* The nearest candidate, and whether it is the only one so near. A single letter is near to every other. */
static int nearest(Str name, const Str *candidates, uint32_t n, bool *only)
{
    int best = name.n > 1 ? str_nearest(name, candidates, n) : -1;
    *only = true;
    if (best < 0)
        return best;
    unsigned distance = str_distance(name, candidates[best], 3);
    for (uint32_t i = 0; i < n; i++)
        if (!str_eq(candidates[i], candidates[best]) && str_distance(name, candidates[i], 3) <= distance)
            *only = false;
    return best;
}

static bool is_argument(const char *what) { return str_starts(str_of(what), STR("argument of")); }

static void list_all(Sema *s, Diag *diag, const Str *candidates, uint32_t n)
{
    Text text = {.arena = s->arena};
    for (uint32_t i = 0; i < n; i++)
        text_printf(&text, "%s`" STR_FMT "`", !i ? "" : i + 1 < n ? ", " : " and ", STR_ARG(candidates[i]));
    diag_help(diag, "there %s " STR_FMT, n == 1 ? "is" : "are", STR_ARG(text_str(&text)));
}

/* The name that was probably meant; where there are few, all of them. */
static void suggest(Sema *s, Diag *diag, Span span, Str name, const Str *candidates, uint32_t n, uint32_t few)
{
    bool only = true;
    Str better = foreign_name(name, candidates, n);
    bool foreign = better.n > 0;
    int best = foreign ? -1 : nearest(name, candidates, n, &only);
    if (!foreign && best < 0) {
        if (n > 0 && n <= few)
            list_all(s, diag, candidates, n);
        return;
    }
    if (!foreign)
        better = candidates[best];
    diag_help(diag, foreign ? "here it is called `" STR_FMT "`" : "there is one with a similar name: `" STR_FMT "`",
              STR_ARG(better));
    const Source *source = source_get(s->program->sources, span.source);
    bool file = source && !str_starts(source->path, STR("--set")); /* the command line can't be mended */
    bool sure = foreign ? foreign_same(name, better) : str_distance(name, better, 2) <= (name.n > 6 ? 2 : 1);
    if (only && file && !in_library(s, span))
        diag_fix(diag, sure ? FIX_SAFE : FIX_UNSAFE, span, STR_FMT, STR_ARG(better));
}

Diag *sema_unknown(Sema *s, Span span, const char *what, Str name, const Str *candidates, uint32_t n)
{
    if (broken_gives(s, span, name)) { /* said by the parser, where the name should have come from */
        if (s->model && !s->trial)
            s->model->poisoned = true;
        s->failed = true;
        return diag_new(&s->scratch, LEVEL_ERROR, "", "", span, " ");
    }
    Diag *diag = sema_error(s, CODE_unknown_name, span, "there is no %s called `" STR_FMT "`", what, STR_ARG(name));
    if (n == 0 && is_argument(what))
        diag_help(diag, "it takes none by name");
    suggest(s, diag, span, name, candidates, n, is_argument(what) ? MOST_ARGUMENTS : FEW);
    return diag;
}

Str sema_shape(Sema *s, NodeId node)
{
    Text text = {.arena = s->arena};
    type_print_shape(graph_type(s->g, node), &text);
    return text_str(&text);
}

static Str kind_word(DefKind kind)
{
    static const char *const word[] = {"activation", "function", "loss",      "initializer", "optimizer",  "schedule",
                                       "block",      "layer",    "parameter", "model",       "data block", "metric"};
    return str_of(word[kind]);
}

Str value_describe(Sema *s, Value v)
{
    Text text = {.arena = s->arena};
    switch (v.kind) {
    case V_NONE:
        return STR("a value with a mistake");
    case V_NUMBER:
        text_add(&text, STR("the number "));
        text_number(&text, v.number);
        return text_str(&text);
    case V_FLAG:
        return v.flag ? STR("`true`") : STR("`false`");
    case V_WORD:
        return str_printf(s->arena, "the text \"" STR_FMT "\"", STR_ARG(v.word));
    case V_SX:
        return STR("a number known only when the network runs");
    case V_NODE:
        return str_printf(s->arena, "a value of shape " STR_FMT, STR_ARG(sema_shape(s, v.node)));
    case V_TENSOR:
        return str_printf(s->arena, "the parameter `" STR_FMT "`", STR_ARG(s->g->tensors.at[v.tensor].name));
    case V_FN:
        if (v.fn->kind == CLOSURE_REPEAT)
            return STR("a repetition");
        if (v.fn->kind == CLOSURE_CHAIN)
            return STR("several layers, one behind the other");
        if (v.fn->kind == CLOSURE_PRIMITIVE)
            return str_printf(s->arena, "the function `" STR_FMT "`", STR_ARG(v.fn->name));
        return str_printf(s->arena, "the " STR_FMT " `" STR_FMT "`", STR_ARG(kind_word(v.fn->item->def.kind)),
                          STR_ARG(v.fn->name));
    case V_LIST:
        return str_printf(s->arena, v.list->results ? "%u values" : "a list of %u", v.list->item.n);
    case V_RANGE:
        return STR("a range");
    }
    return STR("a value");
}
