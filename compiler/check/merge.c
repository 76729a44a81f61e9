/* One line of a block, several uses: one finding. */
#include "check/context.h"

/* More places than these help nobody. */
enum { MAX_LABELS = 6, MAX_NOTES = 3 };

static bool same_span(Span a, Span b) { return a.source == b.source && a.begin == b.begin && a.end == b.end; }

static bool says_same(const Finding *a, const Finding *b)
{
    return a->rule == b->rule && same_span(a->diag->primary.span, b->diag->primary.span) &&
           str_eq(a->diag->message, b->diag->message);
}

static void take_labels(Diag *diag, const Diag *other)
{
    for (uint32_t i = 0; i < other->labels.n && diag->labels.n < MAX_LABELS; i++) {
        const DiagLabel *label = &other->labels.at[i];
        bool there = false;
        for (uint32_t k = 0; k < diag->labels.n; k++)
            there |= same_span(diag->labels.at[k].span, label->span);
        if (!there)
            diag_label(diag, label->span, STR_FMT, STR_ARG(label->text));
    }
}

static void take_notes(Diag *diag, const Diag *other)
{
    for (uint32_t i = 0; i < other->notes.n && diag->notes.n < MAX_NOTES; i++) {
        bool there = false;
        for (uint32_t k = 0; k < diag->notes.n; k++)
            there |= str_eq(diag->notes.at[k], other->notes.at[i]);
        if (!there)
            diag_note(diag, STR_FMT, STR_ARG(other->notes.at[i]));
    }
}

void check_merge_uses(CheckContext *cx)
{
    for (uint32_t i = 0; i < cx->findings.n; i++)
        for (uint32_t k = 0; !cx->findings.at[i].silenced && k < i; k++) {
            Finding *first = &cx->findings.at[k], *later = &cx->findings.at[i];
            if (first->silenced || !says_same(first, later))
                continue;
            take_labels(first->diag, later->diag);
            take_notes(first->diag, later->diag);
            if (later->diag->level > first->diag->level)
                first->diag->level = later->diag->level;
            later->silenced = true;
        }
}
