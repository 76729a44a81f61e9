#include "column.h"

#include "stream.h"
#include "tensor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 1 << 16 }; /* numbers that are looked at together */

void act_column_free(ActColumn *column)
{
    act_view_free(&column->view);
    act_table_free(&column->table);
    free(column->finished);
    free(column->path);
    memset(column, 0, sizeof *column);
}

static size_t block_rows(uint64_t width, uint64_t rows)
{
    uint64_t n = width < BLOCK ? BLOCK / width : 1;
    return (size_t)(n < rows ? n : rows);
}

/* Files of real numbers may hold some that are none. */
static ActStatus check_numbers(const ActColumn *column, FILE *log, ActError *error)
{
    const ActTable *table = &column->table;
    if (!act_element_is_real(table->element)) return ACT_OK;
    size_t block = block_rows(table->width, table->rows);
    ActView view = { .width = table->width, .table = *table };
    float *x = malloc(block * table->width * sizeof *x);
    if (!x) return act_error_memory(error);
    ActBar bar = act_bar(log, "checking", column->path);
    ActStatus status = ACT_OK;
    for (uint64_t r = 0; status == ACT_OK && r < table->rows; r += block) {
        size_t n = (size_t)(table->rows - r < block ? table->rows - r : block) * table->width;
        status = act_view_rows(&view, NULL, r, n / table->width, x, error);
        int good = 1;
        for (size_t i = 0; status == ACT_OK && i < n; i++) good &= isfinite(x[i]) != 0;
        for (size_t i = 0; status == ACT_OK && !good && i < n; i++)
            if (!isfinite(x[i]))
                status = act_error(error, ACT_E_DATA, "`%s`, row %s: value %s of `%s` is %s; repair it, or remove the row",
                                   column->path, act_text_count(r + i / table->width + 1).text,
                                   act_text_count(i % table->width + 1).text, column->field->name,
                                   isnan(x[i]) ? "not a number (NaN)" : "infinite");
        act_bar_show(&bar, (double)r / (double)table->rows);
    }
    act_bar_end(&bar);
    free(x);
    return status;
}

ActStatus act_column_read(ActColumn *column, const char *base, const ActRun *run, ActFact *fact, ActError *error)
{
    const ActField *field = column->field;
    const ActReader *reader = act_reader_find(field->reader, error);
    if (!reader) return ACT_E_ARGUMENT;
    if (field->columns && *field->columns && !reader->columns)
        return act_error(error, ACT_E_ARGUMENT, "the reader `%s` knows no columns; `%s` asks for `%s`", reader->name,
                         field->name, field->columns);
    column->reader = reader;
    column->path = act_file_find(field->path, base, run->data, run->n_data, reader->folder, error);
    if (!column->path) return ACT_E_IO;
    ActRequest request = { column->path, field->columns ? field->columns : "", fact->class_name, fact->n_class,
                           column->tensor, run->out, run->log };
    ActStatus status = reader->read(&request, &column->table, error);
    if (status != ACT_OK) return status;
    act_table_settle(&column->table);
    if (!fact->n_class && column->table.n_class) {
        fact->class_name = column->table.class_name;
        fact->n_class = column->table.n_class;
        column->table.class_name = NULL;
        column->table.n_class = 0;
    }
    return check_numbers(column, run->log, error);
}

/* Mean and deviation (population) per feature over the chosen rows; a constant feature gets the deviation 1, and
 * becomes 0. */
static ActStatus measure_normalize(const ActColumn *column, const uint32_t *index, size_t n, size_t features, FILE *log,
                                   ActFact *fact, ActError *error)
{
    const ActView *view = &column->view;
    fact->mean = calloc(features, sizeof *fact->mean);
    fact->std = calloc(features, sizeof *fact->std);
    size_t rows = index ? n : view->table.rows, block = block_rows(view->width, rows);
    float *room = malloc(block * view->width * sizeof *room);
    if (!fact->mean || !fact->std || !room) {
        free(room);
        return act_error_memory(error);
    }
    fact->n_feature = features;
    double count = (double)rows * (double)(view->width / features);
    ActStatus status = ACT_OK;
    ActBar bar = act_bar(log, "measuring", column->path);
    for (int pass = 0; status == ACT_OK && pass < 2; pass++) {
        for (size_t r = 0; status == ACT_OK && r < rows; r += block) {
            size_t some = rows - r < block ? rows - r : block;
            status = act_view_rows(view, index ? index + r : NULL, r, some, room, error);
            uint64_t all = status == ACT_OK ? some * view->width : 0;
            for (uint64_t e = 0, f = 0; e < all; e++, f = f + 1 == features ? 0 : f + 1) {
                double d = (double)room[e] - (pass ? fact->mean[f] : 0);
                if (pass) fact->std[f] += d * d;
                else fact->mean[f] += d;
            }
            act_bar_show(&bar, (double)r / (double)rows / 2 + 0.5 * pass);
        }
        for (size_t f = 0; f < features; f++) {
            if (!pass) fact->mean[f] /= count;
            else fact->std[f] = sqrt(fact->std[f] / count);
        }
    }
    act_bar_end(&bar);
    free(room);
    /* rounding leaves a constant feature a deviation of about 1e-16 of its mean, not 0 */
    for (size_t f = 0; f < features; f++)
        if (fact->std[f] <= 1e-12 * fabs(fact->mean[f])) fact->std[f] = 1;
    return status;
}

/* the model's own constant for this value, or NULL */
static const ActTensor *model_constant(const ActModel *model, const char *value, const char *which, size_t features)
{
    size_t length = strlen(value);
    for (uint32_t i = 0; i < model->n_param; i++) {
        const ActTensor *t = &model->param[i];
        if (t->role == ACT_CONSTANT && strncmp(t->name, value, length) == 0 && t->name[length] == '.' &&
            strcmp(t->name + length + 1, which) == 0 && act_tensor_width(t) == features)
            return t;
    }
    return NULL;
}

static ActStatus write_constant(const ActTensor *tensor, void *block, const double *x, ActError *error)
{
    uint64_t n = act_tensor_width(tensor);
    float *narrow = malloc(n * sizeof *narrow);
    if (!narrow) return act_error_memory(error);
    for (uint64_t i = 0; i < n; i++) narrow[i] = (float)x[i];
    act_tensor_from_file(tensor, narrow, block);
    free(narrow);
    return ACT_OK;
}

/* Equal axes, apart from axes of size 1 at the end of either. */
static int same_shape(const ActView *view, const ActTensor *tensor)
{
    uint32_t longest = view->rank > tensor->rank ? view->rank : tensor->rank;
    for (uint32_t i = 0; i < longest; i++)
        if ((i < view->rank ? view->dim[i] : 1) != (i < tensor->rank ? tensor->dim[i] : 1)) return 0;
    return 1;
}

static ActText label_of(const ActTensor *tensor)
{
    ActText out;
    if (tensor->label && *tensor->label) snprintf(out.text, sizeof out.text, "%s", tensor->label);
    else out = act_text_shape(act_tensor_type(tensor), tensor->dim, tensor->rank);
    return out;
}

static ActStatus check_shape(const ActColumn *column, ActError *error)
{
    const ActView *view = &column->view;
    const ActTensor *tensor = column->tensor;
    ActText label = label_of(tensor), wanted = act_text_count(act_tensor_width(tensor)),
            found = act_text_count(view->width);
    if (view->shaped ? same_shape(view, tensor) : view->width == act_tensor_width(tensor)) return ACT_OK;
    if (!view->shaped)
        return act_error(error, ACT_E_DATA, "`%s: %s` needs %s value%s a row, `%s` has %s column%s", tensor->name,
                         label.text, wanted.text, act_tensor_width(tensor) == 1 ? "" : "s", column->path, found.text,
                         view->width == 1 ? "" : "s");
    act_error(error, ACT_E_DATA, "`%s: %s` needs %s value%s a row, `%s` has rows of shape %s", tensor->name, label.text,
              wanted.text, act_tensor_width(tensor) == 1 ? "" : "s", column->path,
              view->rank ? act_text_shape("", view->dim, view->rank).text : "[]");
    if (view->width == act_tensor_width(tensor))
        act_error_more(error, ": the same count, but only axes of size 1 may be added at the end");
    return ACT_E_DATA;
}

static ActStatus normalize(ActColumn *column, ActInstance *instance, const uint32_t *index, size_t n,
                           ActMeasure measure, int last, FILE *log, ActFact *fact, ActError *error)
{
    ActView *view = &column->view;
    size_t features = act_tensor_features(column->tensor);
    if (last && check_shape(column, error) != ACT_OK) return ACT_E_DATA;
    if (features == 0 || view->width % features)
        return act_error(error, ACT_E_DATA,
                         "`%s` has %s values in a row, which `normalize` can't divide among the %zu features of `%s`",
                         column->path, act_text_count(view->width).text, features, column->tensor->name);
    const ActTensor *mean = last ? model_constant(instance->model, column->tensor->name, "mean", features) : NULL;
    const ActTensor *std = last ? model_constant(instance->model, column->tensor->name, "std", features) : NULL;
    if (mean && std) { /* the model normalizes; its constants want measuring once */
        if (measure != ACT_MEASURE_ALL) return ACT_OK;
        ActFact measured = { .value = fact->value };
        ActStatus status = measure_normalize(column, index, n, features, log, &measured, error);
        if (status == ACT_OK) status = write_constant(mean, instance->param, measured.mean, error);
        if (status == ACT_OK) status = write_constant(std, instance->param, measured.std, error);
        free(measured.mean);
        free(measured.std);
        return status;
    }
    if (!fact->mean) {
        if (measure == ACT_MEASURE_NOTHING)
            return act_error(
                error, ACT_E_DATA,
                "the constants of `normalize` for `%s` are not known: they are measured on the training part",
                column->tensor->name);
        ActStatus status = measure_normalize(column, index, n, features, log, fact, error);
        if (status != ACT_OK) return status;
    }
    if (fact->n_feature != features)
        return act_error(error, ACT_E_DATA, "the weights file has constants for %zu features of `%s`; it has %zu",
                         fact->n_feature, column->tensor->name, features);
    const ActViewStep step = { .kind = ACT_T_NORMALIZE, .mean = fact->mean, .std = fact->std, .features = features };
    return act_view_add(view, &step, error);
}

static ActStatus one_hot(ActColumn *column, const ActTransform *with, ActError *error)
{
    ActView *view = &column->view;
    if (!(with->a >= 1 && with->a <= UINT32_MAX))
        return act_error(error, ACT_E_ARGUMENT, "one_hot wants a number of classes, not %g", with->a);
    if (view->rank == ACT_MAX_RANK)
        return act_error(error, ACT_E_ARGUMENT, "`%s` has too many axes for one_hot", column->path);
    if (view->width > SIZE_MAX / 16 / (uint64_t)with->a) return act_error_memory(error);
    return act_view_add(view, &(ActViewStep){ .kind = ACT_T_ONE_HOT, .a = with->a }, error);
}

ActStatus act_column_transform(ActColumn *column, ActInstance *instance, const uint32_t *index, size_t n,
                               ActMeasure measure, FILE *log, ActFact *fact, ActError *error)
{
    ActView *view = &column->view;
    view->reader = column->reader;
    view->field = column->field;
    view->path = act_text_copy(column->path, SIZE_MAX);
    if (!view->path) return act_error_memory(error);
    act_view_begin(view, &column->table);
    for (uint32_t t = 0; t < column->field->n_transform; t++) {
        const ActTransform *with = &column->field->transform[t];
        ActStatus status = ACT_OK;
        switch (with->kind) {
        case ACT_T_AFFINE:
        case ACT_T_STANDARD: status = act_view_add(view, &(ActViewStep){ .kind = with->kind, .a = with->a, .b = with->b }, error); break;
        case ACT_T_NORMALIZE:
            status = normalize(column, instance, index, n, measure, t + 1 == column->field->n_transform, log, fact, error);
            break;
        case ACT_T_ONE_HOT: status = one_hot(column, with, error); break;
        case ACT_T_SHIFT: column->shift += column->cut ? 0 : (int64_t)with->a; break;
        default:
            status = act_error(error, ACT_E_VERSION, "`%s` wants a transform this runtime does not know (%u)",
                               column->field->name, with->kind);
        }
        if (status != ACT_OK) return status;
    }
    return ACT_OK;
}

/* ── ranges ── */

static ActStatus out_of_range(const ActColumn *column, uint64_t row, uint64_t element, float x, ActError *error)
{
    return act_error(error, ACT_E_DATA, "%s: `%s: %s` can't be %g", act_view_place(&column->view, row, element).text,
                     column->tensor->name, label_of(column->tensor).text, (double)x);
}

typedef struct Range {
    float low, high;
    int whole;                /* and nothing between */
    int known;
    int ignores;              /* and this one may stand there, too */
    float ignored;
} Range;

/* Class and token indices are whole and below the number of classes; declared ranges hold, up to rounding. */
static Range range_of(const ActColumn *column)
{
    const ActTensor *tensor = column->tensor;
    if (tensor->classes) return (Range){ 0, (float)tensor->classes - 1, 1, 1, tensor->ignores != 0, (float)tensor->ignored };
    Range range = { -16777216.0f, 16777216.0f, tensor->type == ACT_I32, tensor->type == ACT_I32, 0, 0 };
    for (uint32_t t = 0; t < column->field->n_transform; t++) /* then the range speaks of what the model makes of the data */
        if (column->field->transform[t].kind == ACT_T_NORMALIZE) return range;
    if (!(tensor->low <= tensor->high)) return range;
    float slack = 1e-5f * fmaxf(fabsf(tensor->low), fabsf(tensor->high));
    range.low = fmaxf(range.whole ? range.low : -INFINITY, tensor->low - slack);
    range.high = fminf(range.whole ? range.high : INFINITY, tensor->high + slack);
    range.known = 1;
    return range;
}

static int fits(const Range *range, float x)
{
    return (x >= range->low && x <= range->high && (!range->whole || x == floorf(x))) || (range->ignores && x == range->ignored);
}

static ActStatus check_rows(const ActColumn *column, const Range *range, const float *x, uint64_t row, size_t n, ActError *error)
{
    const ActTensor *tensor = column->tensor;
    uint64_t width = column->view.width;
    int good = 1;
    for (size_t i = 0; range->known && i < n * width; i++) good &= fits(range, x[i]);
    if (good) return ACT_OK;
    size_t i = 0;
    while (fits(range, x[i])) i++;
    out_of_range(column, row + i / width, i % width, x[i], error);
    if (tensor->classes) {
        if (x[i] == floorf(x[i])) act_error_more(error, "; the classes are 0 to %u", tensor->classes - 1);
        else act_error_more(error, "; whole numbers 0 to %u are classes", tensor->classes - 1);
        if (x[i] == (float)tensor->classes)
            act_error_more(error, ": do the labels count from 1? `- 1` behind the reader mends that");
        if (x[i] < 0 && x[i] == floorf(x[i]) && tensor->role == ACT_TARGET)
            act_error_more(error, "; rows that are not to count want `ignore = %g` in the loss", (double)x[i]);
    } else if (!range->whole) {
        act_error_more(error, "; scale the data, or declare another range");
    }
    return ACT_E_DATA;
}

ActStatus act_column_fit(ActColumn *column, ActSurvey *survey, FILE *log, ActError *error)
{
    ActView *view = &column->view;
    const Range range = range_of(column);
    ActStatus status = check_shape(column, error);
    if (status == ACT_OK) status = act_view_end(view, 0, error); /* floats, until they are known to be whole */
    if (status != ACT_OK) return status;
    uint64_t rows = view->table.rows, width = view->width;
    int whole = column->tensor->type == ACT_I32, keep = !act_view_ready(view) || whole;
    keep = keep && width * 4 <= act_source_share() / rows;
    size_t block = block_rows(width, rows);
    float *room = malloc((keep ? rows : block) * width * sizeof *room);
    if (!room) return act_error_memory(error);
    ActBar bar = act_bar(log, "checking", column->path);
    for (uint64_t r = 0; status == ACT_OK && r < rows; r += block) {
        size_t n = (size_t)(rows - r < block ? rows - r : block);
        float *x = keep ? room + r * width : room;
        status = act_view_rows(view, NULL, r, n, x, error);
        if (status == ACT_OK) status = check_rows(column, &range, x, r, n, error);
        if (status == ACT_OK && survey) act_survey_add(survey, x, n, width);
        act_bar_show(&bar, (double)r / (double)rows);
    }
    act_bar_end(&bar);
    free(view->look);
    view->look = NULL;
    if (status == ACT_OK) status = act_view_end(view, whole, error);
    for (uint64_t i = 0; status == ACT_OK && keep && whole && i < rows * width; i++) { /* in place: both are four bytes */
        int32_t number = (int32_t)room[i];
        memcpy(&room[i], &number, 4);
    }
    if (status == ACT_OK && keep) column->finished = room;
    else free(room);
    return status;
}
