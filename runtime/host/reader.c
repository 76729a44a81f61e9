#include "reader.h"

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
    memset(table, 0, sizeof *table);
}

ActStatus act_table_shape(ActTable *table, const char *path, const uint64_t *shape, uint32_t rank, ActError *error)
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
    table->width = total / shape[0];
    table->rank = rank - 1;
    for (uint32_t i = 1; i < rank; i++) table->dim[i - 1] = (uint32_t)shape[i];
    table->shaped = 1;
    table->values = malloc(total * sizeof *table->values);
    return table->values ? ACT_OK : act_error_memory(error);
}
