#include "dataset.h"

#include "column.h"
#include "core/random.h"
#include "directory.h"
#include "sequence.h"
#include "shuffle.h"
#include "tensor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const act_part_name[ACT_PARTS] = { "train", "validation", "test" };

/* What loading holds on to, besides the dataset. */
typedef struct Load {
    ActDataset *set;
    ActInstance *instance;
    const ActRun *run;
    const ActWanted *wanted;
    ActFacts *facts;
    const ActData *data;
    ActData *directory;       /* made for this run; NULL when the model names its data */
    ActField *field;          /* of --input */
    ActColumn *column[ACT_PARTS]; /* per value; field NULL where it is not loaded */
    ActError *error;
} Load;

static const ActTensor *value_tensor(const ActModel *model, size_t v)
{
    return v < model->n_input ? &model->input[v] : &model->target_value[v - model->n_input];
}

static const ActPart *find_part(const ActData *data, const char *name)
{
    for (uint32_t p = 0; data && p < data->n_part; p++)
        if (strcmp(data->part[p].name, name) == 0) return &data->part[p];
    return NULL;
}

static const ActField *find_field(const ActPart *part, const char *name)
{
    for (uint32_t f = 0; part && f < part->n_field; f++)
        if (strcmp(part->field[f].name, name) == 0) return &part->field[f];
    return NULL;
}

/* Does anything remain that only the training part tells? */
static int wants_measuring(const Load *load)
{
    const ActPart *train = find_part(load->data, "train");
    if (load->facts->known || !train) return 0;
    for (uint32_t f = 0; f < train->n_field; f++) {
        const ActReader *reader = act_reader_find(train->field[f].reader, NULL);
        if (reader && reader->columns) return 1; /* its texts may be classes */
        for (uint32_t t = 0; t < train->field[f].n_transform; t++)
            if (train->field[f].transform[t].kind == ACT_T_NORMALIZE) return 1;
    }
    return 0;
}

/* The fields of --input FILE: as in the test or training part, but from that file. */
static ActStatus input_fields(Load *load)
{
    const ActModel *model = load->set->model;
    const ActReader *by_name = act_reader_of_file(load->wanted->input);
    load->field = calloc(model->n_input + 1, sizeof *load->field);
    if (!load->field) return act_error_memory(load->error);
    for (uint32_t v = 0; v < model->n_input; v++) {
        ActField *field = &load->field[v];
        const ActField *like = find_field(find_part(load->data, "test"), model->input[v].name);
        if (!like) like = find_field(find_part(load->data, "train"), model->input[v].name);
        if (like) *field = *like;
        field->name = model->input[v].name;
        field->path = load->wanted->input;
        if (by_name && (!like || strcmp(like->reader, by_name->name) != 0)) {
            field->reader = by_name->name;
            field->columns = "";
        }
        if (!field->reader)
            return act_error(load->error, ACT_E_ARGUMENT,
                             "`%s` does not tell its format by its ending; .csv, .npy and .idx do", field->path);
    }
    return ACT_OK;
}

/* Reads the columns of one part and agrees on its rows. */
static ActStatus read_part(Load *load, ActPartKind kind, const ActPart *part, const ActField *input, size_t values)
{
    ActDataset *set = load->set;
    ActColumn *columns = load->column[kind] = calloc(set->n_value + 1, sizeof *columns);
    if (!columns) return act_error_memory(load->error);
    const ActColumn *first = NULL;
    for (size_t v = 0; v < values; v++) {
        const ActTensor *tensor = value_tensor(set->model, v);
        ActColumn *column = &columns[v];
        if (!load->wanted->targets && tensor->unread) continue; /* no output needs it */
        column->field = input ? &input[v] : find_field(part, tensor->name);
        column->tensor = tensor;
        column->part = act_part_name[kind];
        if (!column->field)
            return act_error(load->error, ACT_E_DATA,
                             "the `%s` part of data `%s` gives no `%s`, which model `%s` needs", act_part_name[kind],
                             load->data->name, tensor->name, set->model->name);
        ActStatus status =
            act_column_read(column, input ? "." : load->data->base, load->run, &load->facts->fact[v], load->error);
        if (status != ACT_OK) return status;
        for (uint32_t t = 0; t < column->field->n_transform; t++)
            if (column->field->transform[t].kind == ACT_T_SHIFT &&
                (fabs(column->field->transform[t].a) >= (double)column->table.rows))
                return act_error(load->error, ACT_E_DATA, "`%s` has %s rows; shift(%g) leaves none of `%s`",
                                 column->path, act_text_count(column->table.rows).text, column->field->transform[t].a,
                                 tensor->name);
        first = first ? first : column;
        if (column->table.rows != first->table.rows)
            return act_error(load->error, ACT_E_DATA,
                             "the `%s` part does not fit together: `%s` has %s rows (`%s`), `%s` has %s (`%s`)",
                             act_part_name[kind], first->tensor->name, act_text_count(first->table.rows).text,
                             first->path, tensor->name, act_text_count(column->table.rows).text, column->path);
        if (column->table.rows > UINT32_MAX)
            return act_error(load->error, ACT_E_DATA, "`%s` has more rows than the 4,294,967,295 that are supported",
                             column->path);
    }
    if (act_sequence_is(columns, values)) {
        ActStatus status = act_sequence_cut(columns, values, load->error);
        if (status != ACT_OK) return status;
    }
    set->part[kind].rows = first ? (size_t)first->table.rows : 0;
    return ACT_OK;
}

static void *own(ActDataset *set, void *memory)
{
    if (memory) set->owned[set->n_owned++] = memory;
    return memory;
}

static int ascending(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* validation = split(f): a drawn share of the training rows, the same for every run; both parts keep the file's order. Of a text it is
 * the end: sequences drawn from between others would be half known. With --folds the share is one of K that together are all rows. */
static ActStatus split_validation(Load *load)
{
    ActDataset *set = load->set;
    ActRows *train = &set->part[ACT_TRAIN_PART], *validation = &set->part[ACT_VALIDATION_PART];
    const uint64_t fold = load->run->fold, folds = fold ? load->run->folds : 0;
    size_t n = train->rows, taken = (size_t)llround((double)n * load->data->validation_split);
    size_t first = folds ? (size_t)(n * (fold - 1) / folds) : 0;
    if (folds) taken = (size_t)(n * fold / folds) - first;
    if (folds && (taken == 0 || n < 2 * folds))
        return act_error(load->error, ACT_E_DATA, "the training part of `%s` has %s row%s, too few for %llu folds", load->data->name,
                         act_text_count(n).text, n == 1 ? "" : "s", (unsigned long long)folds);
    if (taken == 0) taken = 1;
    if (taken >= n)
        return act_error(load->error, ACT_E_DATA,
                         "the training part of `%s` has %s row%s, too few for validation = split(%g)", load->data->name,
                         act_text_count(n).text, n == 1 ? "" : "s", load->data->validation_split);
    uint32_t *index = own(set, malloc(n * sizeof *index));
    if (!index) return act_error_memory(load->error);
    for (size_t i = 0; i < n; i++) index[i] = (uint32_t)i;
    int sequence = act_sequence_is(load->column[ACT_TRAIN_PART], set->n_value);
    if (!sequence) act_shuffle(index, n, load->data->split_seed, ACT_STREAM_SPLIT, 0);
    if (sequence && !folds) first = n - taken;
    for (size_t i = 0; i < taken && first; i++) { /* the share to the front, by turns of neighbours: what lies before it moves behind */
        uint32_t moved = index[first + i];
        index[first + i] = index[i];
        index[i] = moved;
    }
    qsort(index, taken, sizeof *index, ascending);
    qsort(index + taken, n - taken, sizeof *index, ascending);
    *validation = (ActRows){ taken, index, NULL, NULL };
    *train = (ActRows){ n - taken, index + taken, NULL, NULL };
    return ACT_OK;
}

static ActStatus fit(Load *load, ActPartKind kind, ActColumn *column, const ActFact *fact)
{
    const ActRun *run = load->run;
    if (kind != ACT_TRAIN_PART || !load->wanted->judge || !run->problems) return act_column_fit(column, NULL, run->log, load->error);
    ActSurvey survey;
    ActStatus status = act_survey_begin(&survey, column->tensor, column->view.width, load->error);
    if (status == ACT_OK) status = act_column_fit(column, &survey, run->log, load->error);
    if (status == ACT_OK)
        act_survey_tell(&survey, &column->view, column->tensor, fact->class_name, fact->n_class, load->set->model, run->problems);
    act_survey_free(&survey);
    return status;
}

/* Transforms, checks and takes over the columns of a part. */
static ActStatus finish_part(Load *load, ActPartKind kind)
{
    ActDataset *set = load->set;
    ActRows *rows = &set->part[kind];
    ActColumn *columns = load->column[kind];
    ActMeasure measure = kind != ACT_TRAIN_PART || load->facts->known ? ACT_MEASURE_NOTHING
                       : load->facts->loaded ? ACT_MEASURE_MISSING : ACT_MEASURE_ALL;
    const void **value = own(set, calloc(set->n_value + 1, sizeof *value));
    ActView **view = own(set, calloc(set->n_value + 1, sizeof *view));
    if (!value || !view) return act_error_memory(load->error);
    int64_t first = 0, end = INT64_MAX; /* rows that every shifted column has */
    for (size_t v = 0; v < set->n_value; v++) {
        ActColumn *column = &columns[v];
        if (!column->field) continue;
        if (load->facts->fact[v].n_class > column->tensor->classes && column->tensor->classes) {
            act_error(load->error, ACT_E_DATA, "`%s` has %zu different names, `%s: %s` allows %u:", column->path,
                      load->facts->fact[v].n_class, column->tensor->name,
                      column->tensor->label ? column->tensor->label : "class", column->tensor->classes);
            for (size_t c = 0; c < load->facts->fact[v].n_class && c < 20; c++)
                act_error_more(load->error, "%s `%s`", c ? "," : "", load->facts->fact[v].class_name[c]);
            act_error_more(load->error, "; give it as many classes, and the last layer as many units, or take rows out");
            return ACT_E_DATA;
        }
        ActStatus status = act_column_transform(column, load->instance, rows->index, rows->rows, measure,
                                                load->run->log, &load->facts->fact[v], load->error);
        if (status == ACT_OK) status = fit(load, kind, column, &load->facts->fact[v]);
        if (status != ACT_OK) return status;
        int64_t n = (int64_t)column->view.table.rows;
        if (-column->shift > first) first = -column->shift;
        if (n - (column->shift > 0 ? column->shift : 0) < end) end = n - (column->shift > 0 ? column->shift : 0);
    }
    int shifted = 0;
    for (size_t v = 0; v < set->n_value; v++) {
        ActColumn *column = &columns[v];
        if (!column->field) continue;
        shifted |= column->shift != 0;
        view[v] = malloc(sizeof *view[v]);
        if (!view[v]) return act_error_memory(load->error);
        *view[v] = column->view;
        set->view[set->n_view++] = view[v];
        column->view = (ActView){ 0 };
        act_view_skip(view[v], (uint64_t)(first + column->shift));
        value[v] = column->finished ? (float *)column->finished + (uint64_t)(first + column->shift) * view[v]->width
                                    : act_view_ready(view[v]);
        if (column->finished) act_table_free(&view[v]->table);
        own(set, column->finished);
        column->finished = NULL;
    }
    if (shifted && rows->index)
        return act_error(load->error, ACT_E_DATA,
                         "shift and validation = split can't go together: a split takes rows out of their order");
    if (shifted && end <= first)
        return act_error(load->error, ACT_E_DATA, "the shifts of the `%s` part leave no row", act_part_name[kind]);
    if (shifted) rows->rows = (size_t)(end - first);
    rows->value = value;
    rows->view = view;
    return ACT_OK;
}

static ActStatus load_parts(Load *load)
{
    ActDataset *set = load->set;
    const ActModel *model = set->model;
    unsigned parts = load->wanted->parts;
    size_t values = load->wanted->targets ? set->n_value : model->n_input;
    const int folds = load->run->folds && load->run->fold;
    int split = load->data && (folds || (load->data->validation_split > 0 && !find_part(load->data, "validation")));
    if ((parts & 1u << ACT_VALIDATION_PART) && split) parts |= 1u << ACT_TRAIN_PART;
    if (load->data && wants_measuring(load)) parts |= 1u << ACT_TRAIN_PART;
    for (int p = 0; p < ACT_PARTS; p++) {
        const ActPart *part = folds && p == ACT_VALIDATION_PART ? NULL : find_part(load->data, act_part_name[p]);
        const ActField *input = p == ACT_TEST_PART ? load->field : NULL;
        if (!(parts & 1u << p) || !(part || input)) continue;
        ActStatus status = read_part(load, (ActPartKind)p, part, input, input ? model->n_input : values);
        if (status != ACT_OK) return status;
        if (p == ACT_TRAIN_PART && split) status = split_validation(load);
        if (status == ACT_OK) status = finish_part(load, (ActPartKind)p);
        if (status != ACT_OK) return status;
        if (p != ACT_TRAIN_PART || !split) continue;
        set->part[ACT_VALIDATION_PART].value = set->part[ACT_TRAIN_PART].value;
        set->part[ACT_VALIDATION_PART].view = set->part[ACT_TRAIN_PART].view;
    }
    return ACT_OK;
}

ActStatus act_dataset_load(ActDataset *set, ActInstance *instance, const ActRun *run, const ActWanted *wanted,
                           ActFacts *facts, ActError *error)
{
    const ActModel *model = instance->model;
    Load load = { .set = set, .instance = instance, .run = run, .wanted = wanted, .facts = facts, .error = error };
    memset(set, 0, sizeof *set);
    set->model = model;
    set->n_value = model->n_input + model->n_target;
    set->width = calloc(set->n_value + 1, sizeof *set->width);
    set->owned = calloc(ACT_PARTS * (set->n_value + 3), sizeof *set->owned);
    set->view = calloc(ACT_PARTS * (set->n_value + 1), sizeof *set->view);
    ActStatus status = set->width && set->owned && set->view ? ACT_OK : act_error_memory(error);
    for (size_t v = 0; status == ACT_OK && v < set->n_value; v++)
        set->width[v] = (size_t)act_tensor_width(value_tensor(model, v));
    load.data = model->train ? model->train->data : NULL;
    if (status == ACT_OK && !load.data && !(wanted->input && run->n_data == 0)) {
        load.data = load.directory = act_directory_data(model, run, error);
        if (!load.data) status = error ? error->status : ACT_E_IO;
    }
    if (status == ACT_OK && wanted->input) status = input_fields(&load);
    if (status == ACT_OK) status = load_parts(&load);
    for (int p = 0; p < ACT_PARTS; p++) {
        for (size_t v = 0; load.column[p] && v < set->n_value; v++) act_column_free(&load.column[p][v]);
        free(load.column[p]);
    }
    free(load.field);
    free(load.directory);
    if (status != ACT_OK) act_dataset_free(set);
    return status;
}

void act_dataset_free(ActDataset *set)
{
    for (size_t i = 0; i < set->n_owned; i++) free(set->owned[i]);
    for (size_t i = 0; i < set->n_view; i++) {
        act_view_free(set->view[i]);
        free(set->view[i]);
    }
    free(set->owned);
    free(set->view);
    free(set->width);
    memset(set, 0, sizeof *set);
}

ActStatus act_dataset_batch(const ActDataset *set, const ActRows *rows, const uint32_t *order, size_t first, size_t n,
                            size_t values, void *const *room, const void **batch, ActError *error)
{
    const uint32_t *pick = order ? order : rows->index;
    ActStatus status = ACT_OK;
    for (size_t v = 0; v < values && status == ACT_OK; v++) {
        size_t bytes = set->width[v] * 4;
        const char *from = rows->value[v];
        const ActView *view = rows->view[v];
        batch[v] = NULL;
        if (!view) continue; /* what no output needs is not loaded */
        batch[v] = pick || !from ? room[v] : from + first * bytes;
        for (size_t i = 0; pick && from && i < n; i++)
            memcpy((char *)room[v] + i * bytes, from + pick[first + i] * bytes, bytes);
        if (!from) status = act_view_rows(view, pick ? pick + first : NULL, first, n, room[v], error);
    }
    return status;
}
