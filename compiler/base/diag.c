#include "base/diag.h"

#include <stdlib.h>

Diag *diag_new(Diags *diags, Level level, const char *code, const char *name, Span span, const char *format, ...)
{
    Diag *diag = arena_new_of(diags->arena, Diag);
    diag->list = diags;
    diag->level = level;
    diag->code = code;
    diag->name = name;
    diag->primary.span = span;
    diag->primary.text = STR("");
    va_list args;
    va_start(args, format);
    diag->message = str_vprintf(diags->arena, format, args);
    va_end(args);
    *vec_push(diags->arena, &diags->list) = diag;
    return diag;
}

void diag_primary(Diag *diag, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    diag->primary.text = str_vprintf(diag->list->arena, format, args);
    va_end(args);
}

void diag_label(Diag *diag, Span span, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    DiagLabel label = {span, str_vprintf(diag->list->arena, format, args)};
    va_end(args);
    *vec_push(diag->list->arena, &diag->labels) = label;
}

void diag_note(Diag *diag, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    Str text = str_vprintf(diag->list->arena, format, args);
    va_end(args);
    *vec_push(diag->list->arena, &diag->notes) = text;
}

void diag_help(Diag *diag, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    Str text = str_vprintf(diag->list->arena, format, args);
    va_end(args);
    *vec_push(diag->list->arena, &diag->helps) = text;
}

void diag_fix(Diag *diag, FixKind kind, Span span, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    DiagEdit edit = {span, str_vprintf(diag->list->arena, format, args)};
    va_end(args);
    diag->fix = kind;
    *vec_push(diag->list->arena, &diag->edits) = edit;
}

unsigned diag_count(const Diags *diags, Level at_least)
{
    unsigned n = 0;
    for (uint32_t i = 0; i < diags->list.n; i++)
        n += diags->list.at[i]->level >= at_least;
    return n;
}

typedef struct Ranked {
    Diag *diag;
    uint32_t rank;
} Ranked;

static int ranked_compare_place(const void *left, const void *right)
{
    const Ranked *a = left, *b = right;
    const Span *s = &a->diag->primary.span, *t = &b->diag->primary.span;
    if (s->source != t->source)
        return s->source < t->source ? -1 : 1;
    if (s->begin != t->begin)
        return s->begin < t->begin ? -1 : 1;
    int order = str_compare(str_of(a->diag->code), str_of(b->diag->code));
    return order ? order : a->rank < b->rank ? -1 : 1;
}

static bool diag_same(const Diag *a, const Diag *b)
{
    const Span *s = &a->primary.span, *t = &b->primary.span;
    return s->source == t->source && s->begin == t->begin && s->end == t->end && a->level == b->level &&
           str_eq(str_of(a->code), str_of(b->code)) && str_eq(a->message, b->message);
}

/* In place; returns how many are left without doubles. */
static uint32_t sort_list(Arena *arena, Diag **at, uint32_t n)
{
    Ranked *ranked = arena_array(arena, Ranked, n);
    for (uint32_t i = 0; i < n; i++)
        ranked[i] = (Ranked){at[i], i};
    if (n)
        qsort(ranked, n, sizeof *ranked, ranked_compare_place);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n; i++) {
        bool seen = false;
        for (uint32_t k = kept; k > 0 && !seen; k--) {
            if (at[k - 1]->primary.span.begin != ranked[i].diag->primary.span.begin)
                break;
            seen = diag_same(at[k - 1], ranked[i].diag);
        }
        if (!seen)
            at[kept++] = ranked[i].diag;
    }
    return kept;
}

void diag_sort(Diags *diags)
{
    diags->list.n = sort_list(diags->arena, diags->list.at, diags->list.n);
    diags->allowed.n = sort_list(diags->arena, diags->allowed.at, diags->allowed.n);
}
