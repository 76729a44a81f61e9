#include "reader.h"

#include "convert.h"
#include "stream.h"

#include <stdlib.h>
#include <string.h>

#define READER(name) extern const ActReader act_reader_##name;
#include "readers.inc"
#undef READER

static const ActReader *const readers[] = {
#define READER(name) &act_reader_##name,
#include "readers.inc"
#undef READER
};

enum { READERS = sizeof readers / sizeof *readers };

const ActReader *act_reader_at(size_t i)
{
    return i < READERS ? readers[i] : NULL;
}

const ActReader *act_reader_find(const char *name, ActError *error)
{
    const char *names[READERS];
    for (size_t i = 0; i < READERS; i++) {
        if (strcmp(readers[i]->name, name) == 0) return readers[i];
        names[i] = readers[i]->name;
    }
    const char *near = act_text_nearest(name, names, READERS, sizeof *names);
    act_error(error, ACT_E_ARGUMENT, "there is no data reader `%s`", name);
    if (near) act_error_more(error, "; there is `%s`", near);
    act_error_more(error, " (readers:");
    for (size_t i = 0; i < READERS; i++) act_error_more(error, "%s %s", i ? "," : "", names[i]);
    act_error_more(error, ")");
    return NULL;
}

const ActReader *act_reader_of_file(const char *path)
{
    size_t length = strlen(path);
    if (length > 3 && strcmp(path + length - 3, ".gz") == 0) length -= 3;
    for (size_t i = 0; i < READERS; i++)
        for (const char *at = readers[i]->endings; *at;) {
            size_t n = strcspn(at, " ");
            if (n > 0 && length > n && memcmp(path + length - n, at, n) == 0) return readers[i];
            at += n + (at[n] == ' ');
        }
    return NULL;
}

void act_table_free(ActTable *table)
{
    for (size_t i = 0; i < table->n_class; i++) free(table->class_name[i]);
    free(table->class_name);
    free(table->values);
    act_source_close(&table->source);
    memset(table, 0, sizeof *table);
}

void act_table_settle(ActTable *table)
{
    if (!table->values) return;
    act_source_take(&table->source, table->values, table->rows * table->width * sizeof *table->values);
    table->values = NULL;
    table->start = 0;
    table->stride = table->width;
    table->element = ACT_ELEMENT_F32;
}

ActStatus act_table_size(ActTable *table, const char *path, const uint64_t *shape, uint32_t rank, ActError *error)
{
    if (rank == 0) return act_error(error, ACT_E_FORMAT, "`%s` holds a single number; rows are wanted", path);
    if (rank - 1 > ACT_MAX_RANK)
        return act_error(error, ACT_E_FORMAT, "`%s` has %u axes; at most %d are supported", path, rank,
                         ACT_MAX_RANK + 1);
    uint64_t total = 1;
    for (uint32_t i = 0; i < rank; i++) {
        if (shape[i] == 0) return act_error(error, ACT_E_DATA, "`%s` is empty: axis %u has length 0", path, i);
        if (shape[i] > UINT32_MAX || total > (SIZE_MAX >> 4) / shape[i])
            return act_error(error, ACT_E_FORMAT, "`%s` claims a size that can't be", path);
        total *= shape[i];
    }
    table->rows = shape[0];
    table->width = table->stride = total / shape[0];
    table->rank = rank - 1;
    for (uint32_t i = 1; i < rank; i++) table->dim[i - 1] = (uint32_t)shape[i];
    table->shaped = 1;
    return ACT_OK;
}

ActStatus act_table_shape(ActTable *table, const char *path, const uint64_t *shape, uint32_t rank, ActError *error)
{
    ActStatus status = act_table_size(table, path, shape, rank, error);
    if (status != ACT_OK) return status;
    table->values = malloc(table->rows * table->width * sizeof *table->values);
    return table->values ? ACT_OK : act_error_memory(error);
}

ActStatus act_table_holds(const ActTable *table, const char *path, const char *who, ActError *error)
{
    uint64_t wanted = table->rows * table->width * act_element_size(table->element), found = table->source.size - table->start;
    if (found == wanted) return ACT_OK;
    return act_error(error, ACT_E_FORMAT, "`%s` %s: %s %s bytes of data, there are %s", path,
                     found < wanted ? "is cut off" : "has bytes behind its end", who, act_text_count(wanted).text, act_text_count(found).text);
}

static ActStatus unpack(ActConversion *conversion, const ActRequest *request, ActTable *table, ActError *error)
{
    ActStream stream;
    ActStatus status = act_stream_open(&stream, request->path, request->log, "unpacking", error);
    if (status != ACT_OK) return status;
    while (conversion->status == ACT_OK && act_stream_more(&stream, error)) {
        act_convert_put(conversion, stream.buffer + stream.at, stream.end - stream.at);
        stream.at = stream.end;
    }
    status = stream.status;
    act_stream_close(&stream);
    if (status != ACT_OK) return status;
    table->element = ACT_ELEMENT_U8;
    table->rows = conversion->written;
    table->width = 1;
    return act_convert_finish(conversion, table);
}

ActStatus act_table_open(ActTable *table, const ActRequest *request, ActError *error)
{
    if (!act_file_is_gzip(request->path)) return act_source_open(&table->source, request->path, error);
    ActConversion conversion;
    act_convert_begin(&conversion, request, "gzip", &request->path, 1, error);
    ActStatus status = act_convert_found(&conversion, table) ? ACT_OK : unpack(&conversion, request, table, error);
    act_convert_end(&conversion);
    return status;
}
