#include "runlog.h"

#include "file.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_CLASSES = 4096, MOST_BINS = 65536 };

void act_runlog_free(ActRunLog *log)
{
    for (size_t i = 0; i < log->n; i++) cJSON_Delete(log->line[i]);
    free(log->line);
    *log = (ActRunLog){ 0 };
}

static ActStatus keep(ActRunLog *log, cJSON *line, ActError *error)
{
    if (log->n == log->room) {
        size_t room = log->room ? 2 * log->room : 64;
        cJSON **longer = line ? realloc(log->line, room * sizeof *longer) : NULL;
        if (!longer) {
            cJSON_Delete(line);
            return act_error_memory(error);
        }
        log->line = longer;
        log->room = room;
    }
    log->line[log->n++] = line;
    return ACT_OK;
}

/* ── what a line may say ── */

const char *act_runlog_event(const cJSON *line)
{
    const cJSON *event = cJSON_GetObjectItemCaseSensitive(line, "event");
    return event ? event->valuestring : "epoch";
}

double act_runlog_number(const cJSON *line, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(line, key);
    return cJSON_IsNumber(item) ? item->valuedouble : NAN;
}

const char *act_runlog_text(const cJSON *line, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(line, key);
    return cJSON_IsString(item) ? item->valuestring : NULL;
}

static int is_text(const cJSON *item) { return cJSON_IsString(item) && item->valuestring; }
static int is_number(const cJSON *item) { return cJSON_IsNumber(item) || cJSON_IsNull(item); }
static int is_count(const cJSON *item) { return cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble <= 9007199254740992.0; }
static int is_finite(const cJSON *item) { return cJSON_IsNumber(item) && isfinite(item->valuedouble); }
static int is_line(const cJSON *item) { return is_count(item) && item->valuedouble <= 4294967295.0; }

static int is_settings(const cJSON *item)
{
    const cJSON *one;
    if (!cJSON_IsObject(item)) return 0;
    cJSON_ArrayForEach(one, item) if (!is_text(one)) return 0;
    return 1;
}

static int are_counts(const cJSON *item)
{
    const cJSON *one;
    size_t n = 0;
    if (!cJSON_IsArray(item)) return 0;
    cJSON_ArrayForEach(one, item) if (!is_count(one) || ++n > MOST_BINS * 256u) return 0;
    return n > 0;
}

static int are_texts(const cJSON *item)
{
    const cJSON *one;
    size_t n = 0;
    if (!cJSON_IsArray(item)) return 0;
    cJSON_ArrayForEach(one, item) if (!is_text(one) || ++n > MOST_CLASSES) return 0;
    return 1;
}

/* A part: its losses and metrics. */
static int is_part(const cJSON *item)
{
    const cJSON *one;
    if (!cJSON_IsObject(item)) return 0;
    cJSON_ArrayForEach(one, item) if (!is_number(one)) return 0;
    return 1;
}

typedef struct Field { const char *name; int (*fits)(const cJSON *item); int needed; const char *wanted; } Field;

static const Field epoch_fields[] = {
    { "epoch", is_count, 1, "a count" }, { "step", is_count, 1, "a count" }, { "seconds", is_number, 0, "a number" },
    { "rows_per_second", is_number, 0, "a number" }, { "train", is_part, 0, "an object of numbers" },
    { "validation", is_part, 0, "an object of numbers" }, { "test", is_part, 0, "an object of numbers" }, { NULL, NULL, 0, NULL },
};
static const Field layer_fields[] = {
    { "layer", is_text, 1, "a text" }, { "line", is_line, 0, "a line number" }, { "step", is_count, 0, "a count" }, { "epoch", is_count, 0, "a count" },
    { "mean", is_number, 0, "a number" }, { "deviation", is_number, 0, "a number" }, { "zeros", is_number, 0, "a number" },
    { "dead", is_number, 0, "a number" }, { "saturated", is_number, 0, "a number" }, { "gradient", is_number, 0, "a number" },
    { "update", is_number, 0, "a number" }, { NULL, NULL, 0, NULL },
};
static const Field histogram_fields[] = {
    { "layer", is_text, 1, "a text" }, { "what", is_text, 1, "a text" }, { "step", is_count, 1, "a count" }, { "low", is_finite, 1, "a finite number" },
    { "high", is_finite, 1, "a finite number" }, { "counts", are_counts, 1, "an array of counts" }, { NULL, NULL, 0, NULL },
};
static const Field finding_fields[] = {
    { "code", is_text, 1, "a text" }, { "level", is_text, 1, "a text" }, { "message", is_text, 1, "a text" }, { "line", is_line, 0, "a line number" },
    { "step", is_count, 0, "a count" }, { NULL, NULL, 0, NULL },
};
static const Field rate_fields[] = {
    { "step", is_count, 1, "a count" }, { "lr", is_finite, 1, "a finite number" }, { "loss", is_number, 1, "a number" },
    { "smoothed", is_number, 0, "a number" }, { NULL, NULL, 0, NULL },
};
static const Field run_fields[] = { { "step", is_count, 1, "a count" }, { "settings", is_settings, 1, "an object of texts" }, { NULL, NULL, 0, NULL } };
static const Field confusion_fields[] = {
    { "step", is_count, 1, "a count" }, { "part", is_text, 1, "a text" }, { "value", is_text, 1, "a text" }, { "counts", are_counts, 1, "an array of counts" },
    { "names", are_texts, 1, "an array of texts" }, { NULL, NULL, 0, NULL },
};
static const Field example_fields[] = {
    { "step", is_count, 1, "a count" }, { "row", is_count, 1, "a count" }, { "shape", are_counts, 1, "an array of counts" },
    { "pixels", is_text, 1, "a text" }, { "actual", is_text, 1, "a text" }, { "answered", is_text, 1, "a text" }, { NULL, NULL, 0, NULL },
};

static const Field check_fields[] = {
    { "step", is_count, 1, "a count" }, { "code", is_text, 1, "a text" }, { "name", is_text, 1, "a text" }, { "message", is_text, 1, "a text" },
    { "line", is_line, 0, "a line number" }, { "verdict", is_text, 1, "a text" }, { "why", is_text, 1, "a text" }, { NULL, NULL, 0, NULL },
};
static const Field range_fields[] = {
    { "model", is_text, 1, "a text" }, { "steepest", is_number, 0, "a number" }, { "lowest", is_number, 0, "a number" }, { NULL, NULL, 0, NULL },
};
static const Field fold_fields[] = { { "fold", is_count, 1, "a count" }, { NULL, NULL, 0, NULL } }, no_fields[] = { { NULL, NULL, 0, NULL } };
static const Field level_fields[] = {
    { "of", is_text, 1, "a text" }, { "name", is_text, 1, "a text" }, { "value", is_finite, 1, "a finite number" }, { NULL, NULL, 0, NULL },
};

static const struct { const char *name; const Field *field; } events[] = {
    { "epoch", epoch_fields }, { "layer", layer_fields }, { "forecast", layer_fields }, { "histogram", histogram_fields }, { "finding", finding_fields },
    { "lr", rate_fields }, { "run", run_fields }, { "confusion", confusion_fields }, { "example", example_fields },
    { "level", level_fields }, { "check", check_fields }, { "lr_range", range_fields },
    { "fold", fold_fields }, { "mean", no_fields }, { "deviation", no_fields },
};

/* 1: keep it, 0: an event of another version, -1: `why` says what is wrong with it. */
static int judge(const cJSON *line, char why[160])
{
    const cJSON *event = cJSON_GetObjectItemCaseSensitive(line, "event");
    if (!cJSON_IsObject(line)) return snprintf(why, 160, "it is no JSON object"), -1;
    if (event && !is_text(event)) return snprintf(why, 160, "its \"event\" is no text"), -1;
    for (size_t e = 0; e < sizeof events / sizeof *events; e++) {
        if (strcmp(events[e].name, act_runlog_event(line)) != 0) continue;
        for (const Field *field = events[e].field; field->name; field++) {
            const cJSON *item = cJSON_GetObjectItemCaseSensitive(line, field->name);
            if (!item && field->needed) return snprintf(why, 160, "it has no \"%s\"", field->name), -1;
            if (item && !field->fits(item)) return snprintf(why, 160, "its \"%s\" is not %s", field->name, field->wanted), -1;
        }
        return 1;
    }
    return 0;
}

/* ── JSON lines ── */

static ActStatus refuse(ActRunLog *log, const char *path, size_t line, size_t column, const char *why, ActError *error)
{
    act_runlog_free(log);
    return act_error(error, ACT_E_FORMAT, "%s:%zu:%zu: this is no line of a training's log: %s", path, line, column, why);
}

static ActStatus parse_lines(ActRunLog *log, const char *text, size_t n, const char *path, ActError *error)
{
    size_t number = 0;
    double epoch = 0;
    for (const char *at = text, *end = text + n; at < end; number++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at)), *failed = NULL;
        size_t length = (size_t)((stop ? stop : end) - at);
        char why[160] = "it is not JSON";
        if (length > 0 && at[length - 1] == '\r') length--;
        if (!stop) {
            log->unfinished = length > 0;
            break;
        }
        cJSON *line = length ? cJSON_ParseWithLengthOpts(at, length, &failed, 0) : NULL;
        if (line && failed)
            while (failed < at + length && (*failed == ' ' || *failed == '\t')) failed++;
        int good = line && failed == at + length ? judge(line, why) : -1;
        if (good > 0 && strcmp(act_runlog_event(line), "epoch") == 0) {
            double here = act_runlog_number(line, "epoch");
            if (here <= epoch) good = -1, snprintf(why, sizeof why, "epoch %g stands behind epoch %g; are these two logs?", here, epoch);
            epoch = here;
        }
        if (good <= 0) cJSON_Delete(line);
        if (good < 0) return refuse(log, path, number + 1, line || !failed || failed < at ? 1 : (size_t)(failed - at) + 1, length ? why : "it is empty", error);
        ActStatus status = good ? keep(log, line, error) : ACT_OK;
        if (status != ACT_OK) return act_runlog_free(log), status;
        at = stop + 1;
    }
    return ACT_OK;
}

/* ── tables ── */

typedef struct Column { const char *part; char name[128]; /* "": of another version */ } Column;

/* "test_top_k" is top_k of test; four columns have no part. */
static Column column_of(const char *text, size_t n)
{
    static const char *const parts[] = { "train", "validation", "test" }, *const plain[] = { "epoch", "step", "seconds", "rows_per_second" };
    Column column = { NULL, "" };
    for (size_t i = 0; i < 4; i++)
        if (strlen(plain[i]) == n && memcmp(plain[i], text, n) == 0) strcpy(column.name, plain[i]);
    for (size_t p = 0; p < 3; p++) {
        size_t length = strlen(parts[p]);
        if (n > length + 1 && memcmp(text, parts[p], length) == 0 && text[length] == '_') {
            column.part = parts[p];
            text += length + 1;
            n -= length + 1;
            break;
        }
    }
    if (column.part) snprintf(column.name, sizeof column.name, "%.*s", (int)(n < 100 ? n : 100), text);
    return column;
}

static int put_cell(cJSON *line, const Column *column, double value)
{
    if (!*column->name) return 1;
    cJSON *of = column->part ? cJSON_GetObjectItemCaseSensitive(line, column->part) : line;
    if (!of) of = cJSON_AddObjectToObject(line, column->part);
    return of && cJSON_AddNumberToObject(of, column->name, value);
}

enum { MOST_COLUMNS = 256 };

/* The cells of a line: where each begins, and behind the last. 0 when there are too many. */
static size_t cells_of(const char *at, size_t length, const char *cell[MOST_COLUMNS + 1])
{
    size_t n = 0;
    cell[n++] = at;
    for (size_t i = 0; i < length; i++) {
        if (at[i] != ',') continue;
        if (n == MOST_COLUMNS) return 0;
        cell[n++] = at + i + 1;
    }
    cell[n] = at + length + 1;
    return n;
}

static int number_of(const char *text, size_t n, double *value)
{
    char copy[64], *end;
    if (n == 0 || n >= sizeof copy) return 0;
    memcpy(copy, text, n);
    copy[n] = 0;
    errno = 0;
    if (strspn(copy, "0123456789+-.eEnaif") != n) return 0;
    *value = strtod(copy, &end);
    return end == copy + n;
}

static ActStatus parse_table(ActRunLog *log, const char *text, size_t n, const char *path, ActError *error)
{
    Column column[MOST_COLUMNS];
    const char *cell[MOST_COLUMNS + 1];
    size_t columns = 0, number = 0;
    for (const char *at = text, *end = text + n; at < end; number++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t length = (size_t)((stop ? stop : end) - at);
        char why[160];
        if (length > 0 && at[length - 1] == '\r') length--;
        if (!stop) {
            log->unfinished = length > 0;
            break;
        }
        size_t cells = cells_of(at, length, cell);
        if (number == 0) {
            if (cells < 2 || length < 10 || memcmp(at, "epoch,step", 10) != 0) return refuse(log, path, 1, 1, "a table begins with `epoch,step`", error);
            for (columns = 0; columns < cells; columns++) column[columns] = column_of(cell[columns], (size_t)(cell[columns + 1] - cell[columns]) - 1);
            at = stop + 1;
            continue;
        }
        if (cells != columns) {
            snprintf(why, sizeof why, "it has %zu cells, the headline %zu", cells, columns);
            return refuse(log, path, number + 1, 1, why, error);
        }
        cJSON *line = cJSON_CreateObject();
        for (size_t c = 0; line && c < cells; c++) {
            double value;
            if (!number_of(cell[c], (size_t)(cell[c + 1] - cell[c]) - 1, &value) || (c < 2 && !(value >= 0 && value < 1e15))) {
                cJSON_Delete(line);
                return refuse(log, path, number + 1, (size_t)(cell[c] - at) + 1, c < 2 ? "a count is wanted here" : "a number is wanted here", error);
            }
            if (put_cell(line, &column[c], value)) continue;
            cJSON_Delete(line);
            line = NULL;
        }
        if (line && log->n && act_runlog_number(line, "epoch") <= act_runlog_number(log->line[log->n - 1], "epoch")) {
            cJSON_Delete(line);
            return refuse(log, path, number + 1, 1, "its epoch is not behind the one above; are these two logs?", error);
        }
        ActStatus status = keep(log, line, error);
        if (status != ACT_OK) return act_runlog_free(log), status;
        at = stop + 1;
    }
    return ACT_OK;
}

/* ── files ── */

char *act_runlog_of_page(const char *page)
{
    const char *begin = strstr(page, ACT_RUNLOG_BEGIN), *end = begin ? strstr(begin, ACT_RUNLOG_END) : NULL;
    if (!end) return NULL;
    begin += strlen(ACT_RUNLOG_BEGIN);
    return act_text_copy(begin, (size_t)(end - begin));
}

ActStatus act_runlog_parse(ActRunLog *log, const char *text, size_t n, const char *path, ActError *error)
{
    int table = n >= 6 && memcmp(text, "epoch,", 6) == 0;
    *log = (ActRunLog){ 0 };
    return table ? parse_table(log, text, n, path, error) : parse_lines(log, text, n, path, error);
}

ActStatus act_runlog_read(ActRunLog *log, const char *path, ActError *error)
{
    ActBytes bytes = { 0 };
    *log = (ActRunLog){ 0 };
    ActStatus status = act_file_read(path, &bytes, error);
    if (status != ACT_OK) return status;
    const char *text = (const char *)bytes.data;
    if (bytes.size >= 9 && memcmp(text, "<!DOCTYPE", 9) == 0) {
        char *inside = act_runlog_of_page(text);
        if (!inside) status = act_error(error, ACT_E_FORMAT, "%s:1:1: this page has no log of a training inside", path);
        else status = act_runlog_parse(log, inside, strlen(inside), path, error);
        free(inside);
    } else {
        status = act_runlog_parse(log, text, bytes.size, path, error);
    }
    free(bytes.data);
    if (status == ACT_OK && log->n == 0)
        status = act_error(error, ACT_E_DATA, "%s:1:1: there is no line of a training's log in it%s", path, log->unfinished ? " but an unfinished one" : "");
    return status;
}

const char *act_runlog_setting(const ActRunLog *log, const char *key)
{
    for (size_t i = log->n; i-- > 0;) {
        if (strcmp(act_runlog_event(log->line[i]), "run") != 0) continue;
        const char *value = act_runlog_text(cJSON_GetObjectItemCaseSensitive(log->line[i], "settings"), key);
        if (value) return value;
    }
    return NULL;
}
