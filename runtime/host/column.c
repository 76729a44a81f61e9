#include "column.h"

#include "tensor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void act_column_free(ActColumn *column)
{
    act_table_free(&column->table);
    free(column->path);
    memset(column, 0, sizeof *column);
}

static ActStatus check_numbers(const ActColumn *column, ActError *error)
{
    const ActTable *table = &column->table;
    uint64_t n = table->rows * table->width;
    for (uint64_t i = 0; i < n; i++)
        if (!isfinite(table->values[i]))
            return act_error(error, ACT_E_DATA, "`%s`, row %s: value %s of `%s` is %s; repair it, or remove the row",
                             column->path, act_text_count(i / table->width + 1).text,
                             act_text_count(i % table->width + 1).text, column->field->name,
                             isnan(table->values[i]) ? "not a number (NaN)" : "infinite");
    return ACT_OK;
}

ActStatus act_column_read(ActColumn *column, const char *base, const ActRun *run, ActFact *fact, ActError *error)
{
    const ActField *field = column->field;
    const ActReader *reader = act_reader_find(field->reader, error);
    if (!reader) return ACT_E_ARGUMENT;
    if (field->columns && *field->columns && !reader->columns)
        return act_error(error, ACT_E_ARGUMENT, "the reader `%s` knows no columns; `%s` asks for `%s`", reader->name,
                         field->name, field->columns);
    column->path = act_file_find(field->path, base, run->data, run->n_data, error);
    if (!column->path) return ACT_E_IO;
    ActRequest request = { column->path, field->columns ? field->columns : "", fact->class_name, fact->n_class };
    ActStatus status = reader->read(&request, &column->table, error);
    if (status != ACT_OK) return status;
    if (!fact->n_class && column->table.n_class) {
        fact->class_name = column->table.class_name;
        fact->n_class = column->table.n_class;
        column->table.class_name = NULL;
        column->table.n_class = 0;
    }
    return check_numbers(column, error);
}

/* Mean and deviation (population) per feature over the chosen rows; a constant feature gets the deviation 1, and
 * becomes 0. */
static ActStatus measure_normalize(const ActColumn *column, const uint32_t *index, size_t n, size_t features,
                                   ActFact *fact, ActError *error)
{
    const ActTable *table = &column->table;
    fact->mean = calloc(features, sizeof *fact->mean);
    fact->std = calloc(features, sizeof *fact->std);
    if (!fact->mean || !fact->std) return act_error_memory(error);
    fact->n_feature = features;
    size_t rows = index ? n : table->rows;
    double count = (double)rows * (double)(table->width / features);
    for (int pass = 0; pass < 2; pass++) {
        for (size_t r = 0; r < rows; r++) {
            const float *row = table->values + (index ? index[r] : r) * table->width;
            for (uint64_t e = 0, f = 0; e < table->width; e++, f = f + 1 == features ? 0 : f + 1) {
                double d = (double)row[e] - (pass ? fact->mean[f] : 0);
                if (pass) fact->std[f] += d * d;
                else fact->mean[f] += d;
            }
        }
        for (size_t f = 0; f < features; f++) {
            if (!pass) fact->mean[f] /= count;
            else fact->std[f] = sqrt(fact->std[f] / count);
        }
    }
    /* rounding leaves a constant feature a deviation of about 1e-16 of its mean, not 0 */
    for (size_t f = 0; f < features; f++)
        if (fact->std[f] <= 1e-12 * fabs(fact->mean[f])) fact->std[f] = 1;
    return ACT_OK;
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
static int same_shape(const ActTable *table, const ActTensor *tensor)
{
    uint32_t longest = table->rank > tensor->rank ? table->rank : tensor->rank;
    for (uint32_t i = 0; i < longest; i++)
        if ((i < table->rank ? table->dim[i] : 1) != (i < tensor->rank ? tensor->dim[i] : 1)) return 0;
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
    const ActTable *table = &column->table;
    const ActTensor *tensor = column->tensor;
    ActText label = label_of(tensor), wanted = act_text_count(act_tensor_width(tensor)),
            found = act_text_count(table->width);
    if (table->shaped ? same_shape(table, tensor) : table->width == act_tensor_width(tensor)) return ACT_OK;
    if (!table->shaped)
        return act_error(error, ACT_E_DATA, "`%s: %s` needs %s value%s a row, `%s` has %s column%s", tensor->name,
                         label.text, wanted.text, act_tensor_width(tensor) == 1 ? "" : "s", column->path, found.text,
                         table->width == 1 ? "" : "s");
    act_error(error, ACT_E_DATA, "`%s: %s` needs %s value%s a row, `%s` has rows of shape %s", tensor->name, label.text,
              wanted.text, act_tensor_width(tensor) == 1 ? "" : "s", column->path,
              table->rank ? act_text_shape("", table->dim, table->rank).text : "[]");
    if (table->width == act_tensor_width(tensor))
        act_error_more(error, ": the same count, but only axes of size 1 may be added at the end");
    return ACT_E_DATA;
}

static ActStatus normalize(ActColumn *column, ActInstance *instance, const uint32_t *index, size_t n,
                           ActMeasure measure, int last, ActFact *fact, ActError *error)
{
    ActTable *table = &column->table;
    size_t features = act_tensor_features(column->tensor);
    if (last && check_shape(column, error) != ACT_OK) return ACT_E_DATA;
    if (features == 0 || table->width % features)
        return act_error(error, ACT_E_DATA,
                         "`%s` has %s values in a row, which `normalize` can't divide among the %zu features of `%s`",
                         column->path, act_text_count(table->width).text, features, column->tensor->name);
    const ActTensor *mean = last ? model_constant(instance->model, column->tensor->name, "mean", features) : NULL;
    const ActTensor *std = last ? model_constant(instance->model, column->tensor->name, "std", features) : NULL;
    if (mean && std) { /* the model normalizes; its constants want measuring once */
        if (measure != ACT_MEASURE_ALL) return ACT_OK;
        ActFact measured = { .value = fact->value };
        ActStatus status = measure_normalize(column, index, n, features, &measured, error);
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
        ActStatus status = measure_normalize(column, index, n, features, fact, error);
        if (status != ACT_OK) return status;
    }
    if (fact->n_feature != features)
        return act_error(error, ACT_E_DATA, "the weights file has constants for %zu features of `%s`; it has %zu",
                         fact->n_feature, column->tensor->name, features);
    for (uint64_t r = 0; r < table->rows; r++)
        for (uint64_t e = 0; e < table->width; e++) {
            float *x = &table->values[r * table->width + e];
            *x = (float)(((double)*x - fact->mean[e % features]) / fact->std[e % features]);
        }
    return ACT_OK;
}

static ActStatus one_hot(ActColumn *column, double classes, ActError *error)
{
    ActTable *table = &column->table;
    uint64_t n = table->rows * table->width, k = (uint64_t)classes;
    if (!(classes >= 1 && classes <= UINT32_MAX))
        return act_error(error, ACT_E_ARGUMENT, "one_hot wants a number of classes, not %g", classes);
    if (table->rank == ACT_MAX_RANK)
        return act_error(error, ACT_E_ARGUMENT, "`%s` has too many axes for one_hot", column->path);
    float *values = n <= SIZE_MAX / 8 / k ? calloc(n * k, sizeof *values) : NULL;
    if (!values) return act_error_memory(error);
    for (uint64_t i = 0; i < n; i++) {
        double c = (double)table->values[i];
        if (c < 0 || c >= classes || c != floor(c)) {
            free(values);
            return act_error(error, ACT_E_DATA, "`%s`, row %s: %g is not one of the %g classes of one_hot, 0 to %g",
                             column->path, act_text_count(i / table->width + 1).text, c, classes, classes - 1);
        }
        values[i * k + (uint64_t)c] = 1;
    }
    free(table->values);
    table->values = values;
    table->width *= k;
    table->dim[table->rank++] = (uint32_t)k;
    return ACT_OK;
}

static void affine(ActTable *table, double a, double b)
{
    uint64_t n = table->rows * table->width;
    for (uint64_t i = 0; i < n; i++) table->values[i] = (float)((double)table->values[i] * a + b);
}

ActStatus act_column_transform(ActColumn *column, ActInstance *instance, const uint32_t *index, size_t n,
                               ActMeasure measure, ActFact *fact, ActError *error)
{
    ActTable *table = &column->table;
    for (uint32_t t = 0; t < column->field->n_transform; t++) {
        const ActTransform *with = &column->field->transform[t];
        ActStatus status = ACT_OK;
        switch (with->kind) {
        case ACT_T_AFFINE: affine(table, with->a, with->b); break;
        case ACT_T_STANDARD:
            for (uint64_t i = 0; i < table->rows * table->width; i++)
                table->values[i] = (float)(((double)table->values[i] - with->a) / with->b);
            break;
        case ACT_T_NORMALIZE:
            status = normalize(column, instance, index, n, measure, t + 1 == column->field->n_transform, fact, error);
            break;
        case ACT_T_ONE_HOT: status = one_hot(column, with->a, error); break;
        case ACT_T_SHIFT: column->shift += column->cut ? 0 : (int64_t)with->a; break;
        default:
            status = act_error(error, ACT_E_VERSION, "`%s` wants a transform this runtime does not know (%u)",
                               column->field->name, with->kind);
        }
        if (status != ACT_OK) return status;
    }
    return ACT_OK;
}

static ActStatus out_of_range(const ActColumn *column, uint64_t i, ActError *error)
{
    const ActTable *table = &column->table;
    return act_error(error, ACT_E_DATA, "`%s`, row %s: `%s: %s` can't be %g", column->path,
                     act_text_count(i / table->width + 1).text, column->tensor->name, label_of(column->tensor).text,
                     (double)table->values[i]);
}

/* Class and token indices are whole and below the number of classes; declared ranges hold, up to rounding. */
static ActStatus check_range(const ActColumn *column, ActError *error)
{
    const ActTable *table = &column->table;
    const ActTensor *tensor = column->tensor;
    uint64_t n = table->rows * table->width;
    if (tensor->classes) {
        for (uint64_t i = 0; i < n; i++) {
            float x = table->values[i];
            if (x >= 0 && x < (float)tensor->classes && x == floorf(x)) continue;
            out_of_range(column, i, error);
            if (x == floorf(x)) act_error_more(error, "; the classes are 0 to %u", tensor->classes - 1);
            else act_error_more(error, "; whole numbers 0 to %u are classes", tensor->classes - 1);
            if (x == (float)tensor->classes)
                act_error_more(error, ": do the labels count from 1? `- 1` behind the reader mends that");
            return ACT_E_DATA;
        }
        return ACT_OK;
    }
    int normalized = 0; /* then the range speaks of what the model makes of the data */
    for (uint32_t t = 0; t < column->field->n_transform; t++)
        normalized |= column->field->transform[t].kind == ACT_T_NORMALIZE;
    if (normalized || !(tensor->low <= tensor->high)) return ACT_OK;
    float slack = 1e-5f * fmaxf(fabsf(tensor->low), fabsf(tensor->high));
    for (uint64_t i = 0; i < n; i++)
        if (table->values[i] < tensor->low - slack || table->values[i] > tensor->high + slack) {
            out_of_range(column, i, error);
            act_error_more(error, "; scale the data, or declare another range");
            return ACT_E_DATA;
        }
    return ACT_OK;
}

ActStatus act_column_fit(ActColumn *column, ActError *error)
{
    ActTable *table = &column->table;
    ActStatus status = check_shape(column, error);
    if (status == ACT_OK) status = check_range(column, error);
    if (status != ACT_OK || column->tensor->type != ACT_I32) return status;
    uint64_t n = table->rows * table->width;
    for (uint64_t i = 0; i < n; i++) { /* in place: both are four bytes */
        float x = table->values[i];
        if (x != floorf(x) || fabsf(x) > 16777216.0f) return out_of_range(column, i, error);
        int32_t whole = (int32_t)x;
        memcpy(&table->values[i], &whole, 4);
    }
    return ACT_OK;
}
