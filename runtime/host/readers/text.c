/* Plain text as one long sequence of characters (UTF-8) or bytes. host/sequence.c cuts it into what the model takes.
 *
 * A character's index is its place among the distinct ones of the training part, sorted by their bytes; they go with the weights as the
 * class names of a value do, so that a text read later means the same. With `bytes` a byte is its own index, below 256. */
#include "host/reader.h"

#include <stdlib.h>
#include <string.h>

typedef struct Mark { /* one character */
    const unsigned char *at;
    uint32_t length;
} Mark;

/* Length of the character at `at`; 0: no UTF-8. */
static uint32_t length_of(const unsigned char *at, const unsigned char *end)
{
    uint32_t n = *at < 0x80 ? 1 : *at >= 0xC2 && *at < 0xE0 ? 2 : *at >= 0xE0 && *at < 0xF0 ? 3 : *at >= 0xF0 && *at < 0xF5 ? 4 : 0;
    if (n == 0 || at + n > end) return 0;
    for (uint32_t i = 1; i < n; i++)
        if ((at[i] & 0xC0) != 0x80) return 0;
    return n;
}

static int compare(const Mark *a, const unsigned char *b, size_t n)
{
    size_t common = a->length < n ? a->length : n;
    int order = memcmp(a->at, b, common);
    return order ? order : (a->length > n) - (a->length < n);
}

static int by_bytes(const void *a, const void *b)
{
    const Mark *x = a, *y = b;
    return compare(x, y->at, y->length);
}

/* The place of a character among sorted ones; n: it is not there. */
static size_t find(const Mark *sorted, size_t n, const Mark *mark)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t mid = (low + high) / 2;
        int order = compare(mark, sorted[mid].at, sorted[mid].length);
        if (order == 0) return mid;
        if (order < 0) high = mid;
        else low = mid + 1;
    }
    return n;
}

static ActStatus unknown(const ActRequest *request, const unsigned char *text, const Mark *mark, ActError *error)
{
    unsigned long long line = 1, column = 1;
    for (; text < mark->at; text++) {
        column = *text == '\n' ? 1 : column + ((*text & 0xC0) != 0x80);
        line += *text == '\n';
    }
    return act_error(error, ACT_E_DATA, "%s:%llu:%llu: the character `%.*s` does not occur in the training text", request->path,
                     line, column, (int)mark->length, (const char *)mark->at);
}

/* The distinct characters of the text, sorted; the caller frees it. NULL: no memory. */
static Mark *distinct(const Mark *all, uint64_t n, size_t *count)
{
    Mark *sorted = malloc((n + 1) * sizeof *sorted);
    *count = 0;
    if (!sorted) return NULL;
    memcpy(sorted, all, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_bytes);
    for (uint64_t i = 0; i < n; i++)
        if (*count == 0 || by_bytes(&sorted[*count - 1], &sorted[i]) != 0) sorted[(*count)++] = sorted[i];
    return sorted;
}

/* The characters known already, or those of this text, which are then handed back as names. */
static Mark *vocabulary(const ActRequest *request, const Mark *all, uint64_t n, ActTable *table, size_t *count, ActError *error)
{
    Mark *known = request->n_class ? malloc(request->n_class * sizeof *known) : distinct(all, n, count);
    if (!known) {
        act_error_memory(error);
        return NULL;
    }
    if (request->n_class) {
        *count = request->n_class;
        for (size_t i = 0; i < *count; i++)
            known[i] = (Mark){ (const unsigned char *)request->class_name[i], (uint32_t)strlen(request->class_name[i]) };
        return known;
    }
    table->class_name = calloc(*count + 1, sizeof *table->class_name);
    for (size_t i = 0; table->class_name && i < *count; i++)
        if ((table->class_name[table->n_class] = act_text_copy((const char *)known[i].at, known[i].length))) table->n_class++;
    if (table->class_name && table->n_class == *count) return known;
    act_error_memory(error);
    free(known);
    return NULL;
}

static ActStatus characters(const ActRequest *request, const ActBytes *bytes, ActTable *table, ActError *error)
{
    const unsigned char *at = bytes->data, *end = at + bytes->size;
    Mark *all = malloc((bytes->size + 1) * sizeof *all);
    if (!all) return act_error_memory(error);
    uint64_t n = 0;
    for (; at < end; at += all[n++].length) {
        all[n] = (Mark){ at, length_of(at, end) };
        if (all[n].length) continue;
        free(all);
        return act_error(error, ACT_E_FORMAT, "`%s` is no UTF-8 text: byte %llu; read its bytes, `unit = bytes`, into token(256)",
                         request->path, (unsigned long long)(at - bytes->data));
    }
    size_t count = 0;
    ActStatus status = act_table_shape(table, request->path, &n, 1, error);
    Mark *known = status == ACT_OK ? vocabulary(request, all, n, table, &count, error) : NULL;
    if (status == ACT_OK && !known) status = ACT_E_MEMORY;
    for (uint64_t i = 0; status == ACT_OK && i < n; i++) {
        size_t place = find(known, count, &all[i]);
        table->values[i] = (float)place;
        if (place == count) status = unknown(request, bytes->data, &all[i], error);
    }
    free(known);
    free(all);
    return status;
}

static ActStatus read_text(const ActRequest *request, ActTable *table, ActError *error)
{
    ActBytes bytes;
    ActStatus status = act_file_read(request->path, &bytes, error);
    if (status != ACT_OK) return status;
    if (bytes.size == 0) {
        status = act_error(error, ACT_E_DATA, "`%s` is empty", request->path);
    } else if (strstr(request->columns, "bytes")) {
        uint64_t n = bytes.size;
        status = act_table_shape(table, request->path, &n, 1, error);
        for (uint64_t i = 0; status == ACT_OK && i < n; i++) table->values[i] = (float)((const unsigned char *)bytes.data)[i];
    } else {
        status = characters(request, &bytes, table, error);
    }
    free(bytes.data);
    return status;
}

ACT_READER(text) = {
    .name = "text",
    .doc = "Plain text, UTF-8, .gz too: a long sequence of characters, or of bytes (`unit = bytes`), cut into sequences as long as the "
           "value, one behind the other or every `stride`.",
    .endings = ".txt .text",
    .columns = 1,
    .stream = 1,
    .read = read_text,
};
