/* --statistics: how often each rule speaks. */
#include "driver/session.h"

#include <stdlib.h>
#include <string.h>

typedef struct Row {
    const Diag *first;
    unsigned count, safe, unsafe;
} Row;

/* The most frequent first, then by code. */
static int compare_rows(const void *left, const void *right)
{
    const Row *a = left, *b = right;
    if (a->count != b->count)
        return a->count > b->count ? -1 : 1;
    int order = strcmp(a->first->code, b->first->code);
    return order ? order : a->first->level > b->first->level ? -1 : 1;
}

static const char *word_of(Level level)
{
    return level >= LEVEL_DENY ? "error" : level == LEVEL_WARN ? "warning" : "note";
}

void session_print_statistics(const Session *s)
{
    VEC(Row) rows = {0};
    for (uint32_t i = 0; i < s->diags.list.n; i++) {
        const Diag *diag = s->diags.list.at[i];
        if (!diag_shown(diag, &s->style))
            continue;
        uint32_t k = 0;
        while (k < rows.n &&
               (strcmp(rows.at[k].first->code, diag->code) != 0 || rows.at[k].first->level != diag->level))
            k++;
        if (k == rows.n)
            vec_push(s->arena, &rows)->first = diag;
        rows.at[k].count++;
        rows.at[k].safe += diag->fix == FIX_SAFE;
        rows.at[k].unsafe += diag->fix == FIX_UNSAFE;
    }
    if (rows.n)
        qsort(rows.at, rows.n, sizeof *rows.at, compare_rows);
    for (uint32_t i = 0; i < rows.n; i++) {
        const Row *row = &rows.at[i];
        const Diag *diag = row->first;
        if (s->style.format == DIAG_JSON) {
            printf("{\"code\":\"%s\",\"name\":\"%s\",\"level\":\"%s\",\"count\":%u,\"safe_fixes\":%u,"
                   "\"unsafe_fixes\":%u}\n",
                   diag->code, diag->name, word_of(diag->level), row->count, row->safe, row->unsafe);
            continue;
        }
        printf("%6u  %-8s %-26s %s", row->count, diag->code, diag->name, word_of(diag->level));
        if (row->safe)
            printf("  %u fixable with `--fix`", row->safe);
        if (row->unsafe)
            printf("%s %u %swith `--unsafe-fixes`", row->safe ? "," : " ", row->unsafe, row->safe ? "more " : "fixable ");
        putchar('\n');
    }
    fflush(stdout);
    if (s->style.format != DIAG_HUMAN)
        return;
    DiagTally tally = diag_tally(&s->diags, &s->style);
    Str summary = diag_summary(s->arena, &tally, &s->style);
    if (summary.n)
        fprintf(stderr, STR_FMT "\n", STR_ARG(summary));
}
