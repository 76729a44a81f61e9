/* Comma-separated values as in RFC 4180: quotes, doubled quotes, line ends inside quotes, CRLF. The separator is the
 * comma, or the semicolon or tab where the first line holds none. Spaces around a cell don't count; blank lines are
 * passed over.
 *
 * The first line is a header when none of its cells is a number. A column of text is allowed alone: when the first cell
 * below the header is no number, the column's texts are class names, and their indices go by the sorted order of the
 * distinct names (by bytes), or by the order of the training part's names when those are known. */
#include "host/reader.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct Cell { char *text; uint64_t line, column; } Cell;

typedef struct Csv {
    const char *path;
    char *at, *end, separator;
    uint64_t line, column;         /* of `at`; columns count characters */
    Cell *cell; size_t n, room;    /* the record read last */
    Cell *name; size_t n_name;     /* the header; NULL when there is none */
    size_t *chosen, n_chosen;      /* indices of the columns to read */
} Csv;

static ActStatus fail(const Csv *csv, const Cell *cell, ActError *error, const char *what)
{
    return act_error(error, ACT_E_DATA, "%s:%llu:%llu: %s", csv->path, (unsigned long long)cell->line,
                     (unsigned long long)cell->column, what);
}

static char step(Csv *csv)
{
    char c = *csv->at++;
    if (c == '\n') csv->line++, csv->column = 1;
    else if (((unsigned char)c & 0xC0) != 0x80) csv->column++; /* not inside a UTF-8 character */
    return c;
}

static int is_blank(char c) { return c == ' ' || c == '\r'; }

/* One cell, ended with a zero in place; `more`: another follows on this record. */
static ActStatus read_cell(Csv *csv, Cell *cell, int *more, ActError *error)
{
    while (csv->at < csv->end && *csv->at == ' ') step(csv);
    cell->line = csv->line;
    cell->column = csv->column;
    char *out = cell->text = csv->at;
    if (csv->at < csv->end && *csv->at == '"') {
        step(csv);
        for (;;) {
            if (csv->at == csv->end) return fail(csv, cell, error, "this quote is never closed");
            char c = step(csv);
            if (c != '"') *out++ = c;
            else if (csv->at < csv->end && *csv->at == '"') *out++ = step(csv);
            else break;
        }
        while (csv->at < csv->end && is_blank(*csv->at)) step(csv);
        if (csv->at < csv->end && *csv->at != csv->separator && *csv->at != '\n')
            return fail(csv, cell, error,
                        "there is text behind the closing quote; a quote inside quotes is written twice");
    } else {
        while (csv->at < csv->end && *csv->at != csv->separator && *csv->at != '\n') out++, step(csv);
        while (out > cell->text && (is_blank(out[-1]) || out[-1] == '\t')) out--;
    }
    *more = csv->at < csv->end && *csv->at == csv->separator;
    if (csv->at < csv->end) step(csv);
    *out = 0;
    return ACT_OK;
}

/* The next record that is not blank; n = 0 at the end of the file. */
static ActStatus read_record(Csv *csv, ActError *error)
{
    do {
        csv->n = 0;
        if (csv->at >= csv->end) return ACT_OK;
        int more = 1;
        while (more) {
            if (csv->n == csv->room) {
                Cell *larger = realloc(csv->cell, (csv->room * 2 + 16) * sizeof *larger);
                if (!larger) return act_error_memory(error);
                csv->cell = larger;
                csv->room = csv->room * 2 + 16;
            }
            ActStatus status = read_cell(csv, &csv->cell[csv->n++], &more, error);
            if (status != ACT_OK) return status;
        }
    } while (csv->n == 1 && !csv->cell[0].text[0]);
    return ACT_OK;
}

/* digits, sign, point and exponent only: strtod alone would also take "inf", "nan" and hexadecimal numbers */
static int as_number(const char *text, double *value)
{
    char *end;
    if (!*text || text[strspn(text, "0123456789+-.eE")]) return 0;
    *value = strtod(text, &end);
    return end != text && !*end;
}

static size_t column_named(const Csv *csv, const char *name, size_t n)
{
    for (size_t i = 0; i < csv->n_name; i++)
        if (strlen(csv->name[i].text) == n && memcmp(csv->name[i].text, name, n) == 0) return i;
    return SIZE_MAX;
}

/* One end of a range, or a single column: its number from 1, or its name. */
static ActStatus choose_column(const Csv *csv, const char *text, size_t n, size_t count, size_t *column,
                               ActError *error)
{
    while (n > 0 && *text == ' ') text++, n--;
    while (n > 0 && text[n - 1] == ' ') n--;
    *column = column_named(csv, text, n);
    if (*column != SIZE_MAX) return ACT_OK;
    if (n > 0 && n < 10 && strspn(text, "0123456789") >= n) {
        unsigned long number = strtoul(text, NULL, 10);
        *column = number - 1;
        if (number >= 1 && number <= count) return ACT_OK;
        return act_error(error, ACT_E_DATA, "`%s` has no column %lu: it has %zu, counted from 1", csv->path, number,
                         count);
    }
    if (!csv->n_name)
        return act_error(error, ACT_E_DATA,
                         "`%s` has no header, so that no column is called `%.*s`; give its number, 1 to %zu", csv->path,
                         (int)n, text, count);
    char wanted[80];
    snprintf(wanted, sizeof wanted, "%.*s", (int)n, text);
    const char *near =
        act_text_nearest(wanted, (const char *const *)&csv->name[0].text, csv->n_name, sizeof *csv->name);
    act_error(error, ACT_E_DATA, "`%s` has no column `%s`", csv->path, wanted);
    if (near) act_error_more(error, "; there is `%s`", near);
    else
        for (size_t i = 0; i < csv->n_name && i < 20; i++)
            act_error_more(error, "%s`%s`", i ? ", " : "; its columns are ", csv->name[i].text);
    return ACT_E_DATA;
}

/* "", "species", "1..4", "1, 3, petal length..species" */
static ActStatus choose(Csv *csv, const char *columns, size_t count, ActError *error)
{
    size_t room = count;
    for (const char *c = columns; *c; c++) if (*c == ',') room += count;
    csv->chosen = calloc(room, sizeof *csv->chosen);
    if (!csv->chosen) return act_error_memory(error);
    size_t whole = column_named(csv, columns, strlen(columns)); /* a name may hold commas and points */
    if (!*columns || whole != SIZE_MAX) {
        csv->n_chosen = *columns ? 1 : count;
        for (size_t i = 0; i < csv->n_chosen; i++) csv->chosen[i] = *columns ? whole : i;
        return ACT_OK;
    }
    for (const char *at = columns; *at;) {
        size_t n = strcspn(at, ","), first, last;
        const char *dots = strstr(at, "..");
        size_t left = dots && dots < at + n ? (size_t)(dots - at) : n;
        ActStatus status = choose_column(csv, at, left, count, &first, error);
        last = first;
        if (status == ACT_OK && left < n) status = choose_column(csv, dots + 2, n - left - 2, count, &last, error);
        if (status != ACT_OK) return status;
        if (last < first)
            return act_error(error, ACT_E_DATA, "`%s`: the range of columns `%.*s` runs backwards", csv->path, (int)n,
                             at);
        while (first <= last) csv->chosen[csv->n_chosen++] = first++;
        at += n + (at[n] == ',');
    }
    return ACT_OK;
}

static void describe_column(const Csv *csv, size_t column, ActError *error)
{
    if (csv->n_name) act_error_more(error, " (column `%s`)", csv->name[column].text);
    else act_error_more(error, " (column %zu)", column + 1);
}

static ActStatus bad_cell(const Csv *csv, size_t column, ActError *error)
{
    const Cell *cell = &csv->cell[column];
    if (!*cell->text) fail(csv, cell, error, "the cell is empty");
    else
        act_error(error, ACT_E_DATA, "%s:%llu:%llu: `%.60s` is not a number", csv->path, (unsigned long long)cell->line,
                  (unsigned long long)cell->column, cell->text);
    describe_column(csv, column, error);
    if (!*cell->text) act_error_more(error, "; fill it in, or remove the row");
    else if (csv->n_chosen > 1)
        act_error_more(error, "; choose the columns of numbers, as in `columns = 1..%zu`", column > 0 ? column : 1);
    else act_error_more(error, "; the column begins with numbers, so that texts are not taken for classes");
    return ACT_E_DATA;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Texts of a class column: their distinct names in order, and an index for each row. */
static ActStatus number_classes(ActTable *table, char **text, ActError *error)
{
    char **sorted = malloc(table->rows * sizeof *sorted);
    if (!sorted) return act_error_memory(error);
    memcpy(sorted, text, table->rows * sizeof *sorted);
    qsort(sorted, table->rows, sizeof *sorted, by_text);
    size_t distinct = 1;
    for (uint64_t i = 1; i < table->rows; i++)
        if (strcmp(sorted[i], sorted[distinct - 1]) != 0) sorted[distinct++] = sorted[i];
    table->class_name = calloc(distinct, sizeof *table->class_name);
    ActStatus status = table->class_name ? ACT_OK : act_error_memory(error);
    for (size_t i = 0; status == ACT_OK && i < distinct; i++) {
        table->class_name[i] = act_text_copy(sorted[i], SIZE_MAX);
        if (!table->class_name[i]) status = act_error_memory(error);
        else table->n_class++;
    }
    for (uint64_t r = 0; status == ACT_OK && r < table->rows; r++) {
        char **found = bsearch(&text[r], sorted, distinct, sizeof *sorted, by_text);
        table->values[r] = (float)(found - sorted);
    }
    free(sorted);
    return status;
}

static ActStatus known_class(const Csv *csv, const ActRequest *request, float *value, ActError *error)
{
    const Cell *cell = &csv->cell[csv->chosen[0]];
    for (size_t i = 0; i < request->n_class; i++)
        if (strcmp(request->class_name[i], cell->text) == 0) {
            *value = (float)i;
            return ACT_OK;
        }
    const char *near = act_text_nearest(cell->text, (const char *const *)request->class_name, request->n_class,
                                        sizeof *request->class_name);
    act_error(error, ACT_E_DATA, "%s:%llu:%llu: the class `%.60s` is not among those of the training part", csv->path,
              (unsigned long long)cell->line, (unsigned long long)cell->column, cell->text);
    if (near) act_error_more(error, "; there is `%s`", near);
    return ACT_E_DATA;
}

/* Grows values, and texts where there are any, to hold another row. */
static ActStatus make_room(ActTable *table, char ***text, uint64_t *room, ActError *error)
{
    if (table->rows < *room) return ACT_OK;
    uint64_t rows = *room * 2 + 256;
    float *values = realloc(table->values, rows * table->width * sizeof *values);
    if (!values) return act_error_memory(error);
    table->values = values;
    if (table->width == 1) {
        char **texts = realloc(*text, rows * sizeof *texts);
        if (!texts) return act_error_memory(error);
        *text = texts;
    }
    *room = rows;
    return ACT_OK;
}

static ActStatus read_rows(Csv *csv, const ActRequest *request, size_t count, ActTable *table, ActError *error)
{
    char **text = NULL; /* of a class column, pointing into the file's bytes */
    uint64_t room = 0;
    int classes = request->n_class > 0;
    double number;
    ActStatus status = ACT_OK;
    for (; csv->n > 0 && status == ACT_OK; status = status == ACT_OK ? read_record(csv, error) : status) {
        if (csv->n != count) {
            status = act_error(error, ACT_E_DATA, "%s:%llu: this row has %zu cells, the first row has %zu", csv->path,
                               (unsigned long long)csv->cell[0].line, csv->n, count);
            break;
        }
        status = make_room(table, &text, &room, error);
        if (status != ACT_OK) break;
        char *only = csv->cell[csv->chosen[0]].text;
        if (table->rows == 0 && csv->n_chosen == 1 && *only && !as_number(only, &number)) classes = 1;
        float *row = table->values + table->rows * table->width;
        for (size_t i = 0; i < csv->n_chosen && status == ACT_OK; i++) {
            size_t column = csv->chosen[i];
            if (classes && *only) {
                if (request->n_class) status = known_class(csv, request, row, error);
                else text[table->rows] = only;
                continue;
            }
            if (classes || !as_number(csv->cell[column].text, &number)) status = bad_cell(csv, column, error);
            else if (!isfinite((float)number))
                status = fail(csv, &csv->cell[column], error, "this number is beyond the range of f32");
            else row[i] = (float)number;
        }
        table->rows++;
    }
    if (status == ACT_OK && table->rows == 0) status = act_error(error, ACT_E_DATA, "`%s` has no rows", csv->path);
    if (status == ACT_OK && classes && !request->n_class) status = number_classes(table, text, error);
    free(text);
    return status;
}

static ActStatus parse(Csv *csv, const ActRequest *request, ActTable *table, ActError *error)
{
    if (csv->end - csv->at >= 3 && memcmp(csv->at, "\xEF\xBB\xBF", 3) == 0) csv->at += 3; /* byte order mark */
    csv->separator = ',';
    size_t first_line = strcspn(csv->at, "\n");
    if (!memchr(csv->at, ',', first_line))
        csv->separator = memchr(csv->at, ';', first_line) ? ';' : memchr(csv->at, '\t', first_line) ? '\t' : ',';
    ActStatus status = read_record(csv, error);
    if (status != ACT_OK) return status;
    if (csv->n == 0) return act_error(error, ACT_E_DATA, "`%s` is empty", csv->path);

    size_t count = csv->n, numbers = 0;
    double number;
    for (size_t i = 0; i < count; i++) numbers += as_number(csv->cell[i].text, &number) != 0;
    if (numbers == 0) {
        csv->name = csv->cell;
        csv->n_name = count;
        csv->cell = NULL;
        csv->n = csv->room = 0;
        status = read_record(csv, error);
    }
    if (status == ACT_OK) status = choose(csv, request->columns ? request->columns : "", count, error);
    if (status != ACT_OK) return status;
    table->width = csv->n_chosen;
    table->rank = csv->n_chosen == 1 ? 0 : 1;
    table->dim[0] = (uint32_t)csv->n_chosen;
    return read_rows(csv, request, count, table, error);
}

static ActStatus read_csv(const ActRequest *request, ActTable *table, ActError *error)
{
    ActBytes bytes;
    ActStatus status = act_file_read(request->path, &bytes, error);
    if (status != ACT_OK) return status;
    Csv csv = {
        .path = request->path, .at = (char *)bytes.data, .end = (char *)bytes.data + bytes.size, .line = 1, .column = 1
    };
    status = memchr(bytes.data, 0, bytes.size)
                 ? act_error(error, ACT_E_FORMAT, "`%s` is not a text file", request->path)
                 : parse(&csv, request, table, error);
    free(csv.cell);
    free(csv.name);
    free(csv.chosen);
    free(bytes.data);
    return status;
}

ACT_READER(csv) = {
    .name = "csv",
    .doc =
        "Comma-separated values (RFC 4180), .gz too: columns by number from 1 (`1..4`) or by name; "
           "a column of text becomes class indices.",
    .endings = ".csv .tsv",
    .columns = 1,
    .read = read_csv,
};
