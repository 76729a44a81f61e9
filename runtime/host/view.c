#include "view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LOOK_FEATURES = 64 };

void act_view_begin(ActView *view, ActTable *table)
{
    view->table = *table;
    *table = (ActTable){ 0 };
    const ActTable *t = &view->table;
    view->width = t->width;
    view->rank = t->rank;
    memcpy(view->dim, t->dim, sizeof view->dim);
    view->shaped = t->shaped;
}

void act_view_free(ActView *view)
{
    for (size_t s = 0; s < view->n_step; s++) {
        free(view->step[s].mean);
        free(view->step[s].std);
    }
    free(view->step);
    free(view->look);
    free(view->path);
    act_table_free(&view->table);
    *view = (ActView){ 0 };
}

static double *copy(const double *x, size_t n)
{
    double *out = malloc(n * sizeof *out);
    if (out) memcpy(out, x, n * sizeof *out);
    return out;
}

ActStatus act_view_add(ActView *view, const ActViewStep *step, ActError *error)
{
    ActViewStep *larger = realloc(view->step, (view->n_step + 1) * sizeof *larger);
    if (!larger) return act_error_memory(error);
    view->step = larger;
    ActViewStep *added = &view->step[view->n_step++];
    *added = *step;
    if (step->mean) {
        added->mean = copy(step->mean, step->features);
        added->std = copy(step->std, step->features);
        if (!added->mean || !added->std) return act_error_memory(error);
    }
    if (step->kind == ACT_T_ONE_HOT) {
        view->width *= (uint64_t)step->a;
        view->dim[view->rank++] = (uint32_t)step->a;
    }
    return ACT_OK;
}

/* The step on n numbers in place, the first of a row. Each result is rounded to a float, as a file of them would hold it. */
static void apply(const ActViewStep *step, float *x, size_t n)
{
    size_t f = 0;
    switch (step->kind) {
    case ACT_T_AFFINE:
        for (size_t i = 0; i < n; i++) x[i] = (float)((double)x[i] * step->a + step->b);
        break;
    case ACT_T_STANDARD:
        for (size_t i = 0; i < n; i++) x[i] = (float)(((double)x[i] - step->a) / step->b);
        break;
    default:
        for (size_t i = 0; i < n; i++, f = f + 1 == step->features ? 0 : f + 1)
            x[i] = (float)(((double)x[i] - step->mean[f]) / step->std[f]);
    }
}

/* From `from` (n numbers) to `to`: the first that is no class, or SIZE_MAX. */
static size_t spread(const ActViewStep *step, const float *from, size_t n, float *to)
{
    size_t k = (size_t)step->a;
    memset(to, 0, n * k * sizeof *to);
    for (size_t i = 0; i < n; i++) {
        double c = (double)from[i];
        if (c < 0 || c >= step->a || c != floor(c)) return i;
        to[i * k + (size_t)c] = 1;
    }
    return SIZE_MAX;
}

/* Bytes that go through steps which look at nothing else: 256 results, for each feature. */
static ActStatus tabulate(ActView *view, ActError *error)
{
    size_t features = 1;
    for (size_t s = 0; s < view->n_step; s++) {
        if (view->step[s].kind == ACT_T_ONE_HOT) return ACT_OK;
        if (view->step[s].mean) features = view->step[s].features;
    }
    if (features > LOOK_FEATURES || (view->table.element != ACT_ELEMENT_U8 && view->table.element != ACT_ELEMENT_I8)) return ACT_OK;
    if (view->n_step == 0 || view->whole) return ACT_OK;
    view->look = malloc(features * 256 * sizeof *view->look);
    float *column = malloc(features * sizeof *column);
    if (!view->look || !column) {
        free(column);
        return act_error_memory(error);
    }
    view->look_features = features;
    for (size_t byte = 0; byte < 256; byte++) {
        unsigned char at = (unsigned char)byte;
        for (size_t f = 0; f < features; f++) act_element_floats(view->table.element, &at, 1, &column[f]);
        for (size_t s = 0; s < view->n_step; s++) apply(&view->step[s], column, features);
        for (size_t f = 0; f < features; f++) view->look[f * 256 + byte] = column[f];
    }
    free(column);
    return ACT_OK;
}

ActStatus act_view_end(ActView *view, int whole, ActError *error)
{
    view->whole = whole;
    return tabulate(view, error);
}

static void look_up(const ActView *view, const unsigned char *at, size_t n, float *out)
{
    const float *look = view->look;
    size_t features = view->look_features;
    if (features == 1)
        for (size_t i = 0; i < n; i++) out[i] = look[at[i]];
    else
        for (size_t i = 0; i < n; i += features)
            for (size_t f = 0; f < features; f++) out[i + f] = look[f * 256 + at[i + f]];
}

static void make_whole(float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) { /* in place: both are four bytes */
        int32_t number = (int32_t)x[i];
        memcpy(&x[i], &number, 4);
    }
}

/* One row; SIZE_MAX, or the number that one_hot can't take. `spare`: two rows, where there is a one_hot. */
static size_t finish_row(const ActView *view, const unsigned char *bytes, float *out, float *spare)
{
    const ActTable *table = &view->table;
    size_t n = (size_t)table->width, bad = SIZE_MAX;
    if (view->look) {
        look_up(view, bytes, n, out);
        return SIZE_MAX;
    }
    float *x = spare ? spare : out;
    act_element_floats(table->element, bytes, n, x);
    for (size_t s = 0; s < view->n_step && bad == SIZE_MAX; s++) {
        const ActViewStep *step = &view->step[s];
        if (step->kind != ACT_T_ONE_HOT) {
            apply(step, x, n);
            continue;
        }
        float *to = x == spare ? spare + view->width : spare;
        bad = spread(step, x, n, to);
        n *= (size_t)step->a;
        x = to;
    }
    if (bad != SIZE_MAX) return bad;
    if (view->whole) make_whole(x, n);
    if (spare) memcpy(out, x, n * sizeof *out);
    return SIZE_MAX;
}

ActText act_view_place(const ActView *view, uint64_t row, uint64_t element)
{
    ActText out;
    const ActField *field = view->field;
    const ActRequest request = { .path = view->path, .columns = field && field->columns ? field->columns : "" };
    char *place = view->reader && view->reader->place ? view->reader->place(&request, row, element) : NULL;
    if (place) snprintf(out.text, sizeof out.text, "%s", place);
    else snprintf(out.text, sizeof out.text, "`%.300s`, row %.40s", view->path, act_text_count(row + 1).text);
    free(place);
    return out;
}

static ActStatus no_class(const ActView *view, uint64_t row, size_t element, const unsigned char *bytes, float *spare, ActError *error)
{
    ActView before = *view; /* the steps up to that one_hot */
    before.whole = 0;
    for (before.n_step = 0; view->step[before.n_step].kind != ACT_T_ONE_HOT;) before.n_step++;
    const ActViewStep *step = &view->step[before.n_step];
    finish_row(&before, bytes, spare, NULL);
    return act_error(error, ACT_E_DATA, "%s: %g is not one of the %g classes of one_hot, 0 to %g",
                     act_view_place(view, row, element).text, (double)spare[element], step->a, step->a - 1);
}

ActStatus act_view_rows(const ActView *view, const uint32_t *pick, uint64_t first, size_t n, void *out, ActError *error)
{
    const ActTable *table = &view->table;
    size_t size = act_element_size(table->element), bytes = (size_t)table->width * size;
    unsigned char *raw = NULL;
    float *spare = NULL;
    int spread_out = 0;
    for (size_t s = 0; s < view->n_step; s++) spread_out |= view->step[s].kind == ACT_T_ONE_HOT;
    if (!table->source.at && !(raw = malloc(bytes))) return act_error_memory(error);
    if (spread_out && !(spare = malloc(2 * view->width * sizeof *spare))) {
        free(raw);
        return act_error_memory(error);
    }
    ActStatus status = ACT_OK;
    for (size_t i = 0; status == ACT_OK && i < n; i++) {
        uint64_t row = pick ? pick[i] : first + i;
        const unsigned char *at = act_source_bytes(&table->source, table->start + row * table->stride * size, bytes, raw, error);
        if (!at) {
            status = ACT_E_IO;
            break;
        }
        size_t bad = finish_row(view, at, (float *)out + i * view->width, spare);
        if (bad != SIZE_MAX) status = no_class(view, row, bad, at, spare, error);
    }
    free(spare);
    free(raw);
    return status;
}

const void *act_view_ready(const ActView *view)
{
    const ActTable *table = &view->table;
    if (table->element != ACT_ELEMENT_F32 || view->n_step || view->whole || table->stride != table->width || !table->source.at) return NULL;
    const unsigned char *at = table->source.at + table->start;
    return (uintptr_t)at % 4 ? NULL : at;
}

void act_view_skip(ActView *view, uint64_t rows)
{
    ActTable *table = &view->table;
    table->start += rows * table->stride * act_element_size(table->element);
    table->rows -= rows;
}
