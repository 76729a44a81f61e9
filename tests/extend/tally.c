/* Counts as people scratch them: every line a row, every word of it a number, as many as the word has strokes. */
#include "host/reader.h"

#include <stdlib.h>
#include <string.h>

static ActStatus parse(const char *text, const char *path, ActTable *table, ActError *error)
{
    uint64_t shape[2] = { 0, 0 }, words = 0, n = 0;
    int inside = 0;
    for (const char *at = text; *at; at++) {
        words += *at == '|' && !inside;
        inside = *at == '|';
        shape[0] += *at == '\n';
        if (!inside && *at != ' ' && *at != '\n') return act_error(error, ACT_E_FORMAT, "`%s` holds more than strokes", path);
    }
    shape[1] = shape[0] ? words / shape[0] : 0;
    ActStatus status = act_table_shape(table, path, shape, 2, error);
    for (const char *at = text; status == ACT_OK && n < shape[0] * shape[1]; n++) {
        while (*at != '|') at++;
        size_t strokes = strspn(at, "|");
        table->values[n] = (float)strokes;
        at += strokes;
    }
    return status;
}

static ActStatus read_tally(const ActRequest *request, ActTable *table, ActError *error)
{
    ActBytes bytes;
    ActStatus status = act_file_read(request->path, &bytes, error);
    if (status == ACT_OK) status = parse((const char *)bytes.data, request->path, table, error);
    free(bytes.data);
    return status;
}

ACT_READER(tally) = {
    .name = "tally",
    .doc = "Strokes in groups, a row on each line.",
    .endings = ".tally",
    .read = read_tally,
};
