#include "act/act.h"

#include "evaluate.h"
#include "generate.h"
#include "grid.h"
#include "tensor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DRAWN_ROWS = 16 }; /* where nobody says how many, and no data does */

/* A way of writing predictions. `row` gets row r of the outputs, in the order of the model. */
typedef struct Prediction {
    const ActModel *model;
    FILE *out;
    int digits;
    uint64_t rows;
    void **output;              /* per output: a batch of rows */
    const void **value;
    void **room;
    ActGrid *grid;              /* png: what is shown */
    const ActFact *names;       /* of the classes that the first output scores; NULL when they have none */
} Prediction;

typedef struct Format {
    const char *name;
    void (*begin)(const Prediction *p);
    void (*row)(const Prediction *p, uint64_t r, size_t in_batch);
    void (*end)(const Prediction *p);
    int single;                 /* holds one output only */
} Format;

static double element(const ActTensor *tensor, const void *values, uint64_t i)
{
    return tensor->type == ACT_I32 ? (double)((const int32_t *)values)[i] : (double)((const float *)values)[i];
}

static const char *number(const ActTensor *tensor, double x, int digits, char *room, size_t size)
{
    snprintf(room, size, "%.*f", tensor->type == ACT_I32 ? 0 : digits, x);
    const char *text = room;
    if (*text == '-' && !text[strspn(text, "-0.")]) text++; /* no "-0.000" */
    return text;
}

/* The target that the first output speaks of, if its classes have names: one score for each, or one probability for the
 * second of two. */
static const ActFact *find_names(const ActModel *model, const ActFacts *facts)
{
    const ActTensor *output = &model->output[0];
    uint64_t width = act_tensor_width(output);
    int probability = width == 1 && output->low <= output->high && output->low >= 0 && output->high <= 1;
    for (size_t v = model->n_input; output->rank <= 1 && v < facts->n; v++)
        if (facts->fact[v].n_class && (facts->fact[v].n_class == width || (probability && facts->fact[v].n_class == 2)))
            return &facts->fact[v];
    return NULL;
}

/* the likeliest class of a row, or NULL */
static const char *class_name(const Prediction *p, size_t at)
{
    if (!p->names) return NULL;
    const ActTensor *tensor = &p->model->output[0];
    uint64_t width = act_tensor_width(tensor), best = 0;
    if (width == 1) return p->names->class_name[element(tensor, p->output[0], at) > 0.5];
    for (uint64_t i = 1; i < width; i++)
        if (element(tensor, p->output[0], at * width + i) > element(tensor, p->output[0], at * width + best)) best = i;
    return p->names->class_name[best];
}

/* in quotes; a quote inside is doubled in CSV, escaped in JSON */
static void write_quoted(FILE *out, const char *text, int json)
{
    fputc('"', out);
    for (; *text; text++) {
        if (json && (unsigned char)*text < 32) {
            fprintf(out, "\\u%04x", *text);
            continue;
        }
        if (*text == '"') fputc(json ? '\\' : '"', out);
        else if (json && *text == '\\') fputc('\\', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

/* brackets as the shape has axes: [[1, 2], [3, 4]] */
static void write_nested(const Prediction *p, const ActTensor *tensor, const void *values, uint64_t first)
{
    uint64_t width = act_tensor_width(tensor);
    char room[400]; /* the longest float has 39 digits before the point */
    for (uint64_t i = 0; i < width; i++) {
        uint64_t block = 1;
        uint32_t opens = 0;
        for (uint32_t a = tensor->rank; a-- > 0;) {
            block *= tensor->dim[a];
            opens += i % block == 0;
        }
        if (i > 0) fputs(", ", p->out);
        for (uint32_t o = 0; o < opens; o++) fputc('[', p->out);
        fputs(number(tensor, element(tensor, values, first + i), p->digits, room, sizeof room), p->out);
        block = 1;
        for (uint32_t a = tensor->rank; a-- > 0;) {
            block *= tensor->dim[a];
            if ((i + 1) % block == 0) fputc(']', p->out);
        }
    }
}

static void text_row(const Prediction *p, uint64_t r, size_t at)
{
    (void)r;
    for (uint32_t o = 0; o < p->model->n_output; o++) {
        const ActTensor *tensor = &p->model->output[o];
        if (p->model->n_output > 1) fprintf(p->out, "%s%s: ", o ? "  " : "", tensor->name);
        write_nested(p, tensor, p->output[o], at * act_tensor_width(tensor));
    }
    const char *name = class_name(p, at);
    if (name) fprintf(p->out, " %s", name);
    fputc('\n', p->out);
}

static void csv_begin(const Prediction *p)
{
    int column = 0;
    for (uint32_t o = 0; o < p->model->n_output; o++) {
        const ActTensor *tensor = &p->model->output[o];
        uint64_t width = act_tensor_width(tensor);
        for (uint64_t i = 0; i < width; i++) {
            fprintf(p->out, "%s%s", column++ ? "," : "", tensor->name);
            if (width > 1) fprintf(p->out, ".%llu", (unsigned long long)i);
        }
    }
    if (p->names) fprintf(p->out, ",%s", p->names->value);
    fputc('\n', p->out);
}

static void csv_row(const Prediction *p, uint64_t r, size_t at)
{
    int column = 0;
    (void)r;
    for (uint32_t o = 0; o < p->model->n_output; o++) {
        const ActTensor *tensor = &p->model->output[o];
        uint64_t width = act_tensor_width(tensor);
        for (uint64_t i = 0; i < width; i++)
            fprintf(p->out, "%s%.9g", column++ ? "," : "", element(tensor, p->output[o], at * width + i));
    }
    if (p->names) {
        fputc(',', p->out);
        write_quoted(p->out, class_name(p, at), 0);
    }
    fputc('\n', p->out);
}

static void json_begin(const Prediction *p) { fputs("[\n", p->out); }

static void json_row(const Prediction *p, uint64_t r, size_t at)
{
    fputc('{', p->out);
    for (uint32_t o = 0; o < p->model->n_output; o++) {
        const ActTensor *tensor = &p->model->output[o];
        uint64_t width = act_tensor_width(tensor);
        fprintf(p->out, "%s\"%s\": %s", o ? ", " : "", tensor->name, tensor->rank ? "[" : "");
        for (uint64_t i = 0; i < width; i++) {
            double x = element(tensor, p->output[o], at * width + i);
            if (i) fputs(", ", p->out);
            if (isfinite(x)) fprintf(p->out, "%.9g", x);
            else fputs("null", p->out); /* JSON has no NaN */
        }
        fputs(tensor->rank ? "]" : "", p->out);
    }
    if (p->names) {
        fprintf(p->out, ", \"%s\": ", p->names->value);
        write_quoted(p->out, class_name(p, at), 1);
    }
    fprintf(p->out, "}%s\n", r + 1 < p->rows ? "," : "");
}

static void json_end(const Prediction *p) { fputs("]\n", p->out); }

static void npy_begin(const Prediction *p)
{
    const ActTensor *tensor = &p->model->output[0];
    char header[512];
    size_t at = (size_t)snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': (%llu,",
                                 tensor->type == ACT_I32 ? "<i4" : "<f4", (unsigned long long)p->rows);
    for (uint32_t a = 0; a < tensor->rank; a++)
        at += (size_t)snprintf(header + at, sizeof header - at, " %u,", tensor->dim[a]);
    at += (size_t)snprintf(header + at, sizeof header - at, "), }");
    while ((10 + at + 1) % 64) header[at++] = ' ';
    header[at++] = '\n';
    const unsigned char start[10] = {
        0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (unsigned char)(at & 255), (unsigned char)(at >> 8)
    };
    fwrite(start, 1, sizeof start, p->out);
    fwrite(header, 1, at, p->out);
}

static void npy_row(const Prediction *p, uint64_t r, size_t at)
{
    uint64_t width = act_tensor_width(&p->model->output[0]);
    (void)r;
    fwrite((const char *)p->output[0] + at * width * 4, 4, width, p->out);
}

static void png_row(const Prediction *p, uint64_t r, size_t at) { act_grid_put(p->grid, r, p->output[p->grid->output], at); }

static const Format formats[] = {
    { "text", NULL, text_row, NULL, 0 },
    { "csv", csv_begin, csv_row, NULL, 0 },
    { "json", json_begin, json_row, json_end, 0 },
    { "npy", npy_begin, npy_row, NULL, 1 },
    { "png", NULL, png_row, NULL, 0 },
};

static ActStatus find_format(const ActModel *model, const ActRun *run, const Format **format, ActError *error)
{
    const char *name = run->format ? run->format : "text";
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (strcmp(formats[i].name, name) == 0) {
            *format = &formats[i];
            if (formats[i].single && model->n_output != 1)
                return act_error(error, ACT_E_ARGUMENT, "an %s file holds one output, model `%s` has %u; take json",
                                 name, model->name, model->n_output);
            return ACT_OK;
        }
    return act_error(error, ACT_E_ARGUMENT, "there is no format `%s`; there are text, csv, json, npy and png", name);
}

/* An output that needs none of the inputs is drawn, and wants no data. */
static int needs_data(const ActModel *model)
{
    for (uint32_t i = 0; i < model->n_input; i++)
        if (!model->input[i].unread) return 1;
    return 0;
}

static ActStatus run_rows(Prediction *p, ActInstance *m, const ActDataset *set, const ActRows *rows,
                          const Format *format, ActError *error)
{
    const ActModel *model = p->model;
    if (format->begin) format->begin(p);
    for (size_t at = 0; at < p->rows; at += model->batch) {
        size_t n = p->rows - at < model->batch ? p->rows - at : model->batch;
        ActStatus status = set ? act_dataset_batch(set, rows, NULL, at, n, model->n_input, p->room, p->value, error) : ACT_OK;
        if (status != ACT_OK) return status;
        m->first = at;
        status = model->entry.forward(m, p->value, n, p->output);
        if (status != ACT_OK)
            return act_error(error, status, "prediction of `%s` failed: %s", model->name, act_status_text(status));
        for (size_t i = 0; i < n; i++) format->row(p, at + i, i);
    }
    if (format->end) format->end(p);
    if (p->grid->value) {
        ActStatus status = act_grid_write(p->grid, p->out, error);
        if (status != ACT_OK) return status;
    }
    if (fflush(p->out) != 0 || ferror(p->out)) return act_error(error, ACT_E_IO, "the predictions can't be written");
    return ACT_OK;
}

ActStatus act_predict(ActInstance *instance, const ActRun *given, ActError *error)
{
    static const ActRun plain;
    const ActRun *run = given ? given : &plain;
    act_error_clear(error);
    if (!instance) return act_error(error, ACT_E_ARGUMENT, "act_predict wants an instance");
    if (run->generate) return act_generate(instance, run, error);
    const ActModel *model = instance->model;
    const Format *format = NULL;
    ActFacts facts = { 0 };
    ActDataset set = { 0 };
    ActGrid grid = { 0 };
    ActPartKind part = ACT_TEST_PART;
    Prediction p = { .model = model,
                     .out = run->output ? run->output : stdout,
                     .digits = run->has_digits ? run->digits : 3,
                     .grid = &grid };
    int data = run->input || needs_data(model);
    ActStatus status = find_format(model, run, &format, error);
    if (status == ACT_OK && (p.digits < 0 || p.digits > 100))
        status = act_error(error, ACT_E_ARGUMENT, "decimals are 0 to 100, not %d", p.digits);
    if (status == ACT_OK && model->n_output == 0)
        status = act_error(error, ACT_E_ARGUMENT,
                           "model `%s` has no `output` statement, so that there is nothing to predict", model->name);
    if (status == ACT_OK && !run->input && data) status = act_run_part(model, run, &part, error);
    if (status == ACT_OK) status = act_facts_new(&facts, model, error);
    if (status == ACT_OK) status = act_run_load(instance, run, &facts, error);
    if (status == ACT_OK) act_run_note(instance, run, &facts);
    if (status == ACT_OK && data) {
        ActWanted wanted = { 1u << part, 0, run->input, 0 };
        status = act_dataset_load(&set, instance, run, &wanted, &facts, error);
    }
    p.rows = data ? set.part[part].rows : run->rows ? run->rows : DRAWN_ROWS;
    if (status == ACT_OK) p.names = find_names(model, &facts);
    if (status == ACT_OK && p.rows == 0)
        status = act_error(error, ACT_E_DATA,
                           "the data of model `%s` has no `%s` part; `--part` or `--input FILE` names rows",
                           model->name, act_part_name[part]);
    if (status == ACT_OK) {
        int png = strcmp(format->name, "png") == 0;
        uint64_t most = run->rows ? run->rows : png ? ACT_GRID_ROWS : p.rows;
        if (png && !data) p.rows = most;
        if (most < p.rows) p.rows = most;
        instance->seed = act_run_seed(model, run);
        if (png) status = act_grid_new(&grid, model, p.rows, error);
    }
    if (status == ACT_OK) {
        p.room = act_rooms_new(model, model->batch);
        p.value = calloc(model->n_input + 1, sizeof *p.value);
        p.output = calloc(model->n_output + 1, sizeof *p.output);
        int good = p.room && p.value && p.output;
        for (uint32_t o = 0; good && o < model->n_output; o++)
            good = (p.output[o] = calloc(model->batch * act_tensor_width(&model->output[o]) + 1, 4)) != NULL;
        status = good ? run_rows(&p, instance, data ? &set : NULL, &set.part[part], format, error) : act_error_memory(error);
    }
    for (uint32_t o = 0; p.output && o < model->n_output; o++) free(p.output[o]);
    free(p.output);
    free(p.value);
    act_grid_free(&grid);
    act_rooms_free(p.room, model->n_input + model->n_target);
    act_dataset_free(&set);
    act_facts_free(&facts);
    return status;
}
