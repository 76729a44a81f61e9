/* What the runs of a sweep came to, from their logs. */
#include "driver/sweep.h"

#include "base/file.h"
#include "driver/table.h"

#include <cjson/cJSON.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { METRICS = 4 };

/* The epoch that counts: the one with the least validation loss, whose weights are kept; without a validation part the last. */
typedef struct Outcome {
    const SweepRun *run;
    uint32_t epoch;
    double trained;            /* the training loss */
    const char *part;          /* that judges: "validation", "test" or "train" */
    double loss;
    uint32_t n;
    Str metric[METRICS];
    double value[METRICS];
} Outcome;

static double number(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(item) ? item->valuedouble : NAN;
}

/* Takes over the epoch of a line when it is the one that counts so far. */
static void take(Arena *arena, const cJSON *line, Outcome *o)
{
    static const char *const parts[] = {"validation", "test", "train"};
    const cJSON *train = cJSON_GetObjectItemCaseSensitive(line, "train"), *part = NULL;
    if (!cJSON_IsObject(train) || cJSON_GetObjectItemCaseSensitive(line, "event"))
        return;
    unsigned which = 0;
    while (which < 3 && !cJSON_IsObject(part = cJSON_GetObjectItemCaseSensitive(line, parts[which])))
        which++;
    if (which == 3 || (which == 0 && o->part && !(number(part, "loss") < o->loss)))
        return;
    *o = (Outcome){.run = o->run, .part = parts[which], .loss = number(part, "loss"), .trained = number(train, "loss")};
    o->epoch = (uint32_t)fmax(0, number(line, "epoch"));
    for (const cJSON *item = part->child; item && o->n < METRICS; item = item->next)
        if (strcmp(item->string, "loss") != 0 && cJSON_IsNumber(item)) {
            o->metric[o->n] = str_copy(arena, str_of(item->string));
            o->value[o->n++] = item->valuedouble;
        }
}

static Outcome outcome_of(Arena *arena, const SweepRun *run)
{
    Outcome o = {.run = run, .loss = NAN};
    Str text, why;
    if (!file_read(arena, run->log, &text, &why))
        return o;
    char *line = (char *)(uintptr_t)str_c(arena, text);
    for (char *end; (end = strchr(line, '\n')); line = end + 1) {
        *end = 0;
        cJSON *object = cJSON_Parse(line);
        take(arena, object, &o);
        cJSON_Delete(object);
    }
    return o;
}

Str sweep_result_path(Arena *arena, const SweepRun *run) { return str_printf(arena, STR_FMT "/done.txt", STR_ARG(run->folder)); }

Str sweep_result(Arena *arena, const SweepRun *run)
{
    Outcome o = outcome_of(arena, run);
    Text text = {.arena = arena};
    if (!o.part)
        return STR("done");
    text_printf(&text, "%s: loss %.4g", o.part, o.loss);
    for (uint32_t i = 0; i < o.n; i++)
        text_printf(&text, ", " STR_FMT " %.4g", STR_ARG(o.metric[i]), o.value[i]);
    text_printf(&text, " (epoch %u)", o.epoch);
    return text_str(&text);
}

Str sweep_last_words(Arena *arena, const SweepRun *run)
{
    Str text, why, last = STR("it said nothing");
    if (!file_read(arena, run->said, &text, &why))
        return last;
    bool error = false;
    for (uint32_t begin = 0, i = 0; i <= text.n; i++) {
        if (i < text.n && text.p[i] != '\n')
            continue;
        Str line = {text.p + begin, i - begin};
        bool is_error = str_starts(line, STR("error"));
        if (line.n && !(error && !is_error)) /* the last error, or the last line where there is none */
            last = line, error = error || is_error;
        begin = i + 1;
    }
    for (uint32_t i = 0; i + 1 < last.n; i++) /* its first sentence */
        if (last.p[i] == '.' && last.p[i + 1] == ' ')
            last.n = i;
    return last;
}

/* The least loss first; what has none behind. Equal ones as they were begun. */
static int by_loss(const void *a, const void *b)
{
    const Outcome *x = a, *y = b;
    bool nx = isnan(x->loss), ny = isnan(y->loss);
    if (nx != ny)
        return nx - ny;
    if (!nx && x->loss != y->loss)
        return x->loss < y->loss ? -1 : 1;
    return (x->run > y->run) - (x->run < y->run);
}

static void print_best(const Sweep *sweep, const Outcome *best, Text *out)
{
    text_printf(out, "best:");
    for (uint32_t i = 0; i < sweep->params.n; i++)
        text_printf(out, " --set " STR_FMT "=" STR_FMT, STR_ARG(sweep->params.at[i].name), STR_ARG(best->run->value[i]));
    text_printf(out, " (weights in `" STR_FMT "`)\n", STR_ARG(best->run->folder));
    if (strcmp(best->part, "test") == 0)
        text_printf(out, "note: there is no validation part, so this is sorted by the test part, which says too much good of what it chose; "
                         "`validation = split(0.1)` makes one\n");
}

void sweep_print_table(const Sweep *sweep, Text *out)
{
    Arena *arena = sweep->session.arena;
    Outcome *all = arena_array(arena, Outcome, sweep->runs.n + 1);
    uint32_t n = 0;
    for (uint32_t i = 0; i < sweep->runs.n; i++) {
        const SweepRun *run = &sweep->runs.at[i];
        if (run->state == SWEEP_DONE || run->state == SWEEP_SKIPPED)
            all[n++] = outcome_of(arena, run);
    }
    qsort(all, n, sizeof *all, by_loss);
    if (n == 0 || !all[0].part)
        return;
    bool judged = strcmp(all[0].part, "train") != 0;
    Table table = table_new(arena, n);
    table_column(&table, "run", true);
    table_column(&table, "epoch", false);
    table_column(&table, "train loss", false);
    if (judged)
        table_column(&table, str_c(arena, str_printf(arena, "%s loss", all[0].part)), false);
    uint32_t first = judged ? 4 : 3, metrics = first + all[0].n <= TABLE_COLUMNS ? all[0].n : TABLE_COLUMNS - first;
    for (uint32_t i = 0; i < metrics; i++)
        table_column(&table, str_c(arena, all[0].metric[i]), false);
    for (uint32_t r = 0; r < n; r++) {
        const Outcome *o = &all[r];
        *table_cell(&table, r, 0) = o->run->name;
        *table_cell(&table, r, 1) = str_printf(arena, "%u", o->epoch);
        *table_cell(&table, r, 2) = str_printf(arena, "%.4g", o->trained);
        if (judged)
            *table_cell(&table, r, 3) = str_printf(arena, "%.4g", o->loss);
        for (uint32_t i = 0; i < metrics && i < o->n; i++)
            *table_cell(&table, r, first + i) = str_printf(arena, "%.4g", o->value[i]);
    }
    text_printf(out, "\n");
    table_print(&table, out);
    print_best(sweep, &all[0], out);
}
