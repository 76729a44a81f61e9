/* The writing half of safetensors.h. */
#include "safetensors.h"

#include "core/layout.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static const char unknown_sum[] = "00000000";

static int add_entry(cJSON *header, const ActStoreEntry *from, uint64_t begin, uint64_t bytes)
{
    const ActTensor *tensor = from->tensor;
    const char *prefix = from->prefix ? from->prefix : "";
    uint32_t dim[ACT_MAX_RANK];
    act_layout_file_shape(tensor, dim);
    size_t length = strlen(prefix) + strlen(tensor->name) + 1;
    char *name = malloc(length);
    if (!name) return 0;
    snprintf(name, length, "%s%s", prefix, tensor->name);
    cJSON *entry = cJSON_AddObjectToObject(header, name);
    free(name);
    int good = cJSON_AddStringToObject(entry, "dtype", tensor->type == ACT_I32 ? "I32" : "F32") != NULL;
    cJSON *shape = cJSON_AddArrayToObject(entry, "shape"), *offsets = cJSON_AddArrayToObject(entry, "data_offsets");
    for (uint32_t i = 0; i < tensor->rank; i++) good = good && cJSON_AddItemToArray(shape, cJSON_CreateNumber(dim[i]));
    good = good && cJSON_AddItemToArray(offsets, cJSON_CreateNumber((double)begin));
    return good && cJSON_AddItemToArray(offsets, cJSON_CreateNumber((double)(begin + bytes)));
}

/* The header, padded with blanks so that the data behind it is aligned to 64 bytes; NULL without memory. */
static char *make_header(const ActStoreEntry *entry, size_t n, const ActNote *note, size_t n_note, uint64_t *length)
{
    cJSON *header = cJSON_CreateObject(), *notes = n_note ? cJSON_AddObjectToObject(header, "__metadata__") : NULL;
    int good = header && (notes || !n_note);
    for (size_t i = 0; good && i < n_note; i++)
        good = cJSON_AddStringToObject(notes, note[i].key, note[i].value ? note[i].value : unknown_sum) != NULL;
    uint64_t at = 0;
    for (size_t i = 0; good && i < n; i++) {
        uint64_t bytes = act_layout_elements(entry[i].tensor) * 4;
        good = add_entry(header, &entry[i], at, bytes);
        at += bytes;
    }
    char *text = good ? cJSON_PrintUnformatted(header) : NULL;
    cJSON_Delete(header);
    if (!text) return NULL;
    uint64_t used = strlen(text);
    *length = (used + 8 + 63) / 64 * 64 - 8;
    char *padded = malloc(*length + 1);
    if (padded) {
        memset(padded, ' ', *length);
        memcpy(padded, text, used);
        padded[*length] = 0;
    }
    cJSON_free(text);
    return padded;
}

/* In pieces: a second copy of a large tensor would be the most memory a run ever takes. */
static void write_tensor(const ActStoreEntry *entry, ActFileOut *out, uLong *sum)
{
    uint32_t piece[4096];
    const char *from = (const char *)entry->block + entry->tensor->offset;
    uint64_t n = act_layout_elements(entry->tensor), count = 0;
    ActWalk walk;
    act_layout_walk(&walk, entry->tensor);
    for (uint64_t e = 0; e < n && !out->why; e += count) {
        count = n - e < sizeof piece / sizeof *piece ? n - e : sizeof piece / sizeof *piece;
        for (uint64_t i = 0; i < count; i++) memcpy(&piece[i], from + 4 * act_layout_next(&walk), 4);
        act_file_put(out, piece, 4 * count);
        if (sum) *sum = crc32_z(*sum, (const Bytef *)piece, 4 * count);
    }
}

/* Puts the sum where the header says zeros: the metadata is the header's first object, and the key stands there once. */
static void write_sum(ActFileOut *out, const char *header, const char *key, uLong sum)
{
    char digits[16];
    size_t n = strlen(key);
    for (const char *at = header; (at = strstr(at, key)); at += n)
        if (at[-1] == '"' && strncmp(at + n, "\":\"", 3) == 0 && strncmp(at + n + 3, unknown_sum, 8) == 0) {
            snprintf(digits, sizeof digits, "%08lx", sum);
            act_file_patch(out, 8 + (uint64_t)(at + n + 3 - header), digits, 8);
            return;
        }
}

ActStatus act_safetensors_write(const char *path, const ActStoreEntry *entry, size_t n, const ActNote *note,
                                size_t n_note, ActError *error)
{
    uint64_t length = 0;
    const char *sum_key = NULL;
    uLong sum = crc32(0, NULL, 0);
    char *header = make_header(entry, n, note, n_note, &length);
    ActFileOut out;
    ActStatus status = header ? act_file_begin(&out, path, error) : act_error_memory(error);
    for (size_t i = 0; i < n_note; i++) {
        if (!note[i].value) {
            sum_key = note[i].key;
            continue;
        }
        sum = crc32_z(sum, (const Bytef *)note[i].key, strlen(note[i].key) + 1);
        sum = crc32_z(sum, (const Bytef *)note[i].value, strlen(note[i].value) + 1);
    }
    if (status == ACT_OK) {
        act_file_put(&out, &length, 8);
        act_file_put(&out, header, length);
        for (size_t i = 0; i < n; i++) write_tensor(&entry[i], &out, sum_key ? &sum : NULL);
        if (sum_key) write_sum(&out, header, sum_key, sum);
        status = act_file_finish(&out, error);
    }
    free(header);
    return status;
}
