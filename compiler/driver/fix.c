#include "driver/fix.h"

#include <stdlib.h>

typedef struct Edit {
    uint32_t begin, end, order;
    Str text;
} Edit;

typedef VEC(Edit) Edits;

static int edit_compare(const void *left, const void *right)
{
    const Edit *a = left, *b = right;
    if (a->begin != b->begin)
        return a->begin < b->begin ? -1 : 1;
    if (a->end != b->end)
        return a->end < b->end ? -1 : 1;
    return a->order < b->order ? -1 : 1;
}

/* Two insertions at one place do not overlap when they belong to one fix; two of different fixes might repeat each
 * other. */
static bool edits_clash(const Edits *taken, const Diag *diag)
{
    for (uint32_t i = 0; i < diag->edits.n; i++) {
        Span span = diag->edits.at[i].span;
        for (uint32_t k = 0; k < taken->n; k++)
            if (span.begin <= taken->at[k].end && taken->at[k].begin <= span.end)
                return true;
    }
    return false;
}

/* All edits of the fix lie in this source. */
static bool edits_within(const Diag *diag, const Source *source)
{
    for (uint32_t i = 0; i < diag->edits.n; i++) {
        Span span = diag->edits.at[i].span;
        if (span.source != source->id || span.begin > span.end || span.end > source->text.n)
            return false;
    }
    return diag->edits.n > 0;
}

Str fix_apply(Arena *arena, const Diags *diags, const Source *source, bool unsafe, unsigned *applied)
{
    Edits taken = {0};
    for (uint32_t i = 0; i < diags->list.n; i++) {
        const Diag *diag = diags->list.at[i];
        bool wanted = diag->fix == FIX_SAFE || (unsafe && diag->fix == FIX_UNSAFE);
        if (!wanted || diag->level == LEVEL_ALLOW || !edits_within(diag, source) || edits_clash(&taken, diag))
            continue;
        for (uint32_t k = 0; k < diag->edits.n; k++) {
            const DiagEdit *edit = &diag->edits.at[k];
            *vec_push(arena, &taken) = (Edit){edit->span.begin, edit->span.end, taken.n, edit->text};
        }
        ++*applied;
    }
    if (taken.n)
        qsort(taken.at, taken.n, sizeof *taken.at, edit_compare);
    Text text = {.arena = arena};
    uint32_t at = 0;
    for (uint32_t i = 0; i < taken.n; i++) {
        const Edit *edit = &taken.at[i];
        if (edit->begin < at) /* two edits of one fix that overlap: the first stands */
            continue;
        text_add(&text, (Str){source->text.p + at, edit->begin - at});
        text_add(&text, edit->text);
        at = edit->end;
    }
    text_add(&text, (Str){source->text.p + at, source->text.n - at});
    return text_str(&text);
}
