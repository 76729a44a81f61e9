/* Comma-separated values as in RFC 4180: quotes, doubled quotes, line ends inside quotes, CRLF. The separator is the
 * comma, or the semicolon or tab where the first line holds none. Spaces around a cell don't count; blank lines are
 * passed over.
 *
 * The first line is a header when none of its cells is a number. A column of text is allowed alone: when the first cell
 * below the header is no number, the column's texts are class names, and their indices go by the sorted order of the
 * distinct names (by bytes), or by the order of the training part's names when those are known. Then the file is read twice, for the
 * names and for their indices: nothing but a row is ever kept. */
#include "host/convert.h"
#include "host/names.h"
#include "host/stream.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct Cell { size_t text; uint64_t line, column; } Cell;

typedef struct Csv {
    const char *path;
    ActStream stream;
    ActError *error;
    char separator;
    uint64_t line, column;         /* of what is read next; columns count characters */
    char *text; size_t used, size; /* of the record's cells, each with a zero behind it */
    Cell *cell; size_t n, room;    /* the record read last */
    char **name; size_t n_name;    /* the header; NULL when there is none */
    size_t *chosen, n_chosen;      /* indices of the columns to read */
    ActNames classes;
    uint64_t row; /* rows that were read before this one */
} Csv;

/* ── cells and records ── */

static ActStatus fail(const Csv *csv, const Cell *cell, ActError *error, const char *what)
{
    return act_error(error, ACT_E_DATA, "%s:%llu:%llu: %s", csv->path, (unsigned long long)cell->line,
                     (unsigned long long)cell->column, what);
}

static const char *text_of(const Csv *csv, size_t cell) { return csv->text + csv->cell[cell].text; }

enum { END = -1 };

static int peek(Csv *csv)
{
    return csv->stream.at < csv->stream.end || act_stream_more(&csv->stream, csv->error) ? csv->stream.buffer[csv->stream.at] : END;
}

static int step(Csv *csv)
{
    int c = peek(csv);
    if (c == END) return END;
    csv->stream.at++;
    if (c == '\n') csv->line++, csv->column = 1;
    else if ((c & 0xC0) != 0x80) csv->column++; /* not inside a UTF-8 character */
    return c;
}

static int is_blank(int c) { return c == ' ' || c == '\r'; }

static ActStatus add(Csv *csv, int c)
{
    if (c == 0) return act_error(csv->error, ACT_E_FORMAT, "`%s` is not a text file: there is a zero byte in line %llu", csv->path,
                                 (unsigned long long)csv->line);
    if (csv->used + 1 >= csv->size) {
        char *larger = realloc(csv->text, csv->size * 2 + 256);
        if (!larger) return act_error_memory(csv->error);
        csv->text = larger;
        csv->size = csv->size * 2 + 256;
    }
    csv->text[csv->used++] = (char)c;
    return ACT_OK;
}

static ActStatus quoted(Csv *csv, const Cell *cell)
{
    ActStatus status = ACT_OK;
    step(csv);
    while (status == ACT_OK) {
        int c = step(csv);
        if (c == END) return csv->stream.status != ACT_OK ? csv->stream.status : fail(csv, cell, csv->error, "this quote is never closed");
        if (c != '"') status = add(csv, c);
        else if (peek(csv) == '"') status = add(csv, step(csv));
        else break;
    }
    while (is_blank(peek(csv))) step(csv);
    int c = peek(csv);
    if (status == ACT_OK && c != END && c != csv->separator && c != '\n')
        return fail(csv, cell, csv->error, "there is text behind the closing quote; a quote inside quotes is written twice");
    return status;
}

/* One cell; `more`: another follows on this record. */
static ActStatus read_cell(Csv *csv, size_t index, int *more)
{
    ActStatus status = ACT_OK;
    while (peek(csv) == ' ') step(csv);
    Cell cell = { csv->used, csv->line, csv->column };
    csv->cell[index] = cell;
    if (peek(csv) == '"') {
        status = quoted(csv, &cell);
    } else {
        for (int c; status == ACT_OK && (c = peek(csv)) != END && c != csv->separator && c != '\n';) status = add(csv, step(csv));
        while (csv->used > cell.text && (is_blank(csv->text[csv->used - 1]) || csv->text[csv->used - 1] == '\t')) csv->used--;
    }
    if (status != ACT_OK) return status;
    *more = peek(csv) == csv->separator;
    step(csv);
    if (csv->stream.status != ACT_OK) return csv->stream.status;
    status = add(csv, ' ');
    if (status == ACT_OK) csv->text[csv->used - 1] = 0;
    return status;
}

/* The next record that is not blank; n = 0 at the end of the file. */
static ActStatus read_record(Csv *csv)
{
    do {
        csv->n = csv->used = 0;
        if (peek(csv) == END) return csv->stream.status;
        int more = 1;
        while (more) {
            if (csv->n == csv->room) {
                Cell *larger = realloc(csv->cell, (csv->room * 2 + 16) * sizeof *larger);
                if (!larger) return act_error_memory(csv->error);
                csv->cell = larger;
                csv->room = csv->room * 2 + 16;
            }
            ActStatus status = read_cell(csv, csv->n++, &more);
            if (status != ACT_OK) return status;
        }
    } while (csv->n == 1 && !text_of(csv, 0)[0]);
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

/* ── columns ── */

static size_t column_named(const Csv *csv, const char *name, size_t n)
{
    for (size_t i = 0; i < csv->n_name; i++)
        if (strlen(csv->name[i]) == n && memcmp(csv->name[i], name, n) == 0) return i;
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
        act_text_nearest(wanted, (const char *const *)csv->name, csv->n_name, sizeof *csv->name);
    act_error(error, ACT_E_DATA, "`%s` has no column `%s`", csv->path, wanted);
    if (near) act_error_more(error, "; there is `%s`", near);
    else
        for (size_t i = 0; i < csv->n_name && i < 20; i++)
            act_error_more(error, "%s`%s`", i ? ", " : "; its columns are ", csv->name[i]);
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
    if (csv->n_name) act_error_more(error, " (column `%s`)", csv->name[column]);
    else act_error_more(error, " (column %zu)", column + 1);
}

static ActStatus bad_cell(const Csv *csv, size_t column, ActError *error)
{
    const Cell *cell = &csv->cell[column];
    const char *text = text_of(csv, column);
    if (!*text) fail(csv, cell, error, "the cell is empty");
    else
        act_error(error, ACT_E_DATA, "%s:%llu:%llu: `%.60s` is not a number", csv->path, (unsigned long long)cell->line,
                  (unsigned long long)cell->column, text);
    describe_column(csv, column, error);
    if (!*text) act_error_more(error, "; fill it in, or remove the row");
    else if (csv->n_chosen == 1) act_error_more(error, "; the column begins with numbers, so that texts are not taken for classes");
    else if (csv->row > 0) act_error_more(error, "; the rows before have numbers there: mend the cell, or remove the row");
    else if (column > 0) act_error_more(error, "; choose the columns of numbers, as in `columns = 1..%zu`", column);
    else act_error_more(error, "; choose the columns of numbers, as in `columns = 2..%zu`", csv->n);
    return ACT_E_DATA;
}

/* ── rows ── */

static ActStatus known_class(const Csv *csv, float *value, ActError *error)
{
    const Cell *cell = &csv->cell[csv->chosen[0]];
    const char *text = text_of(csv, csv->chosen[0]);
    size_t found = act_names_find(&csv->classes, text);
    *value = (float)found;
    if (found != SIZE_MAX) return ACT_OK;
    const char *near = act_text_nearest(text, (const char *const *)csv->classes.name, csv->classes.n, sizeof *csv->classes.name);
    act_error(error, ACT_E_DATA, "%s:%llu:%llu: the class `%.60s` is not among those of the training part", csv->path,
              (unsigned long long)cell->line, (unsigned long long)cell->column, text);
    if (near) act_error_more(error, "; there is `%s`", near);
    else act_error_more(error, "; rows of such a class belong there, too, or out of this file");
    return ACT_E_DATA;
}

typedef enum Pass { PASS_NUMBERS, PASS_NAMES /* collects classes */, PASS_CLASSES /* their indices */ } Pass;

/* From the record that was read, as `row`. */
static ActStatus read_row(Csv *csv, size_t count, Pass pass, float *row)
{
    ActError *error = csv->error;
    double number;
    ActStatus status = ACT_OK;
    if (csv->n != count)
        return act_error(error, ACT_E_DATA, "%s:%llu: this row has %zu cells, the first row has %zu", csv->path,
                         (unsigned long long)csv->cell[0].line, csv->n, count);
    if (pass != PASS_NUMBERS) {
        const char *only = text_of(csv, csv->chosen[0]);
        if (!*only) return bad_cell(csv, csv->chosen[0], error);
        if (pass == PASS_CLASSES) return known_class(csv, row, error);
        return act_names_add(&csv->classes, only) == SIZE_MAX ? act_error_memory(error) : ACT_OK;
    }
    for (size_t i = 0; i < csv->n_chosen && status == ACT_OK; i++) {
        size_t column = csv->chosen[i];
        if (!as_number(text_of(csv, column), &number)) status = bad_cell(csv, column, error);
        else if (!isfinite((float)number)) status = fail(csv, &csv->cell[column], error, "this number is beyond the range of f32");
        else row[i] = (float)number;
    }
    return status;
}

/* All rows from the record that was read; `to` may be NULL. */
static ActStatus read_rows(Csv *csv, size_t count, Pass pass, float *row, ActTable *table, ActConversion *to)
{
    ActStatus status = ACT_OK;
    for (table->rows = 0; csv->n > 0 && status == ACT_OK; table->rows++) {
        csv->row = table->rows;
        status = read_row(csv, count, pass, row);
        if (status == ACT_OK && to) {
            act_convert_put(to, row, csv->n_chosen * sizeof *row);
            status = to->status;
        }
        if (status == ACT_OK) status = read_record(csv);
    }
    if (status == ACT_OK && table->rows == 0) status = act_error(csv->error, ACT_E_DATA, "`%s` has no rows%s", csv->path,
                                                                 csv->n_name ? " behind its line of names" : "");
    return status;
}

/* Separator, header and columns, and the first record behind them. `count`: cells of a record. */
static ActStatus begin(Csv *csv, const char *columns, size_t *count)
{
    ActStatus status = ACT_OK;
    act_stream_rewind(&csv->stream);
    csv->line = csv->column = 1;
    int known = csv->separator != 0;
    peek(csv);
    const unsigned char *at = csv->stream.buffer + csv->stream.at;
    size_t left = csv->stream.end - csv->stream.at;
    if (left >= 3 && memcmp(at, "\xEF\xBB\xBF", 3) == 0) csv->stream.at += 3, at += 3, left -= 3; /* byte order mark */
    const unsigned char *line_end = left ? memchr(at, '\n', left) : NULL;
    size_t first_line = line_end ? (size_t)(line_end - at) : left;
    if (!known) {
        csv->separator = ',';
        if (first_line && !memchr(at, ',', first_line))
            csv->separator = memchr(at, ';', first_line) ? ';' : memchr(at, '\t', first_line) ? '\t' : ',';
    }
    status = read_record(csv);
    if (status != ACT_OK) return status;
    if (csv->n == 0) return act_error(csv->error, ACT_E_DATA, "`%s` is empty: a line of names and a line for each row are wanted", csv->path);
    if (known) return csv->n_name ? read_record(csv) : ACT_OK;

    size_t numbers = 0;
    double number;
    *count = csv->n;
    for (size_t i = 0; i < csv->n; i++) numbers += as_number(text_of(csv, i), &number) != 0;
    if (numbers == 0) {
        csv->name = calloc(csv->n, sizeof *csv->name);
        if (!csv->name) return act_error_memory(csv->error);
        for (; csv->n_name < *count; csv->n_name++)
            if (!(csv->name[csv->n_name] = act_text_copy(text_of(csv, csv->n_name), SIZE_MAX))) return act_error_memory(csv->error);
        status = read_record(csv);
    }
    return status == ACT_OK ? choose(csv, columns, *count, csv->error) : status;
}

static ActStatus parse(Csv *csv, const ActRequest *request, ActTable *table, ActConversion *to)
{
    const char *columns = request->columns ? request->columns : "";
    size_t count;
    double number;
    ActStatus status = begin(csv, columns, &count);
    if (status != ACT_OK) return status;
    Pass pass = PASS_NUMBERS;
    if (request->n_class) pass = PASS_CLASSES;
    else if (csv->n_chosen == 1 && csv->n == count && *text_of(csv, csv->chosen[0]) && !as_number(text_of(csv, csv->chosen[0]), &number))
        pass = PASS_NAMES;
    float *row = calloc(csv->n_chosen, sizeof *row);
    if (!row) return act_error_memory(csv->error);
    for (size_t i = 0; status == ACT_OK && i < request->n_class; i++)
        if (act_names_add(&csv->classes, request->class_name[i]) == SIZE_MAX) status = act_error_memory(csv->error);
    if (pass == PASS_NAMES) {
        status = read_rows(csv, count, pass, row, table, NULL);
        if (status == ACT_OK && !act_names_sort(&csv->classes)) status = act_error_memory(csv->error);
        if (status == ACT_OK) status = begin(csv, columns, &count);
        pass = PASS_CLASSES;
    }
    if (status == ACT_OK) status = read_rows(csv, count, pass, row, table, to);
    free(row);
    if (status != ACT_OK) return status;
    table->element = ACT_ELEMENT_F32;
    table->width = csv->n_chosen;
    table->rank = csv->n_chosen == 1 ? 0 : 1;
    table->dim[0] = (uint32_t)csv->n_chosen;
    if (pass == PASS_CLASSES && !request->n_class) {
        table->class_name = csv->classes.name;
        table->n_class = csv->classes.n;
        csv->classes.name = NULL;
        csv->classes.n = 0;
    }
    return act_convert_finish(to, table);
}

static void release(Csv *csv)
{
    act_stream_close(&csv->stream);
    for (size_t i = 0; i < csv->n_name; i++) free(csv->name[i]);
    free(csv->name);
    free(csv->text);
    free(csv->cell);
    free(csv->chosen);
    act_names_free(&csv->classes);
}

static ActStatus read_csv(const ActRequest *request, ActTable *table, ActError *error)
{
    ActConversion to;
    Csv csv = { .path = request->path, .error = error };
    act_convert_begin(&to, request, "csv", &request->path, 1, error);
    ActStatus status = ACT_OK;
    if (!act_convert_found(&to, table)) {
        status = act_stream_open(&csv.stream, request->path, request->log, "converting", error);
        if (status == ACT_OK) status = parse(&csv, request, table, &to);
        release(&csv);
    }
    act_convert_end(&to);
    return status;
}

/* Found by reading up to it once more. */
static char *place_csv(const ActRequest *request, uint64_t row, uint64_t element)
{
    Csv csv = { .path = request->path };
    size_t count = 0, length = strlen(request->path) + 48;
    char *out = NULL;
    ActStatus status = act_stream_open(&csv.stream, request->path, NULL, "", NULL);
    if (status == ACT_OK) status = begin(&csv, request->columns ? request->columns : "", &count);
    for (uint64_t r = 0; status == ACT_OK && csv.n == count && r < row; r++) status = read_record(&csv);
    if (status == ACT_OK && csv.n == count && element < csv.n_chosen && (out = malloc(length))) {
        const Cell *cell = &csv.cell[csv.chosen[element]];
        snprintf(out, length, "%s:%llu:%llu", request->path, (unsigned long long)cell->line, (unsigned long long)cell->column);
    }
    release(&csv);
    return out;
}

ACT_READER(csv) = {
    .name = "csv",
    .doc =
        "Comma-separated values (RFC 4180), .gz too: columns by number from 1 (`1..4`) or by name; "
           "a column of text becomes class indices.",
    .endings = ".csv .tsv",
    .columns = 1,
    .read = read_csv,
    .place = place_csv,
};
