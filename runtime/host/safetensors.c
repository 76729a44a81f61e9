#include "safetensors.h"

#include "core/layout.h"
#include "tensor.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* numbers are copied between memory and file as they are */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "safetensors files are little-endian");

enum { MAX_HEADER = 100000000 };

static const struct { const char *name; uint32_t bytes;
} dtypes[] = {
    { "BOOL", 1 }, { "U8", 1 },  { "I8", 1 },  { "F8_E5M2", 1 }, { "F8_E4M3", 1 },
    { "I16", 2 },  { "U16", 2 }, { "F16", 2 }, { "BF16", 2 },    { "I32", 4 },
    { "U32", 4 },  { "F32", 4 }, { "F64", 8 }, { "I64", 8 },     { "U64", 8 },
};

static uint32_t dtype_bytes(const char *name)
{
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++)
        if (strcmp(dtypes[i].name, name) == 0) return dtypes[i].bytes;
    return 0;
}

static int is_count(const cJSON *item, double limit)
{
    return cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble <= limit &&
           floor(item->valuedouble) == item->valuedouble;
}

/* One entry of the header; the message names the tensor. */
static ActStatus read_entry(const cJSON *item, ActStored *out, const char *path, ActError *error)
{
    const cJSON *dtype = NULL, *shape = NULL, *offsets = NULL;
    int fields = 0;
    for (const cJSON *field = cJSON_IsObject(item) ? item->child : NULL; field; field = field->next, fields++) {
        if (strcmp(field->string, "dtype") == 0) dtype = field;
        if (strcmp(field->string, "shape") == 0) shape = field;
        if (strcmp(field->string, "data_offsets") == 0) offsets = field;
    }
    out->name = item->string;
    if (fields != 3 || !cJSON_IsString(dtype) || !cJSON_IsArray(shape) || !cJSON_IsArray(offsets))
        return act_error(error, ACT_E_FORMAT, "`%s`: tensor `%s` must have exactly dtype, shape and data_offsets", path,
                         out->name);
    out->dtype = dtype->valuestring;
    uint32_t size = dtype_bytes(out->dtype);
    if (!size)
        return act_error(error, ACT_E_FORMAT, "`%s`: tensor `%s` has the unknown dtype `%s`", path, out->name,
                         out->dtype);

    out->elements = 1;
    for (const cJSON *dim = shape->child; dim; dim = dim->next) {
        if (!is_count(dim, UINT32_MAX) || out->rank == ACT_STORED_RANK)
            return act_error(error, ACT_E_FORMAT, "`%s`: tensor `%s` has a shape that can't be", path, out->name);
        out->dim[out->rank] = (uint32_t)dim->valuedouble;
        if (out->dim[out->rank] && out->elements > (UINT64_MAX >> 4) / out->dim[out->rank])
            return act_error(error, ACT_E_FORMAT, "`%s`: tensor `%s` is larger than any memory", path, out->name);
        out->elements *= out->dim[out->rank++];
    }
    const cJSON *begin = offsets->child, *end = begin ? begin->next : NULL;
    if (!end || end->next || !is_count(begin, 0x1p53) || !is_count(end, 0x1p53))
        return act_error(error, ACT_E_FORMAT, "`%s`: tensor `%s` wants data_offsets of two counts", path, out->name);
    out->begin = (uint64_t)begin->valuedouble;
    out->end = (uint64_t)end->valuedouble;
    if (out->end < out->begin || out->end - out->begin != out->elements * size)
        return act_error(error, ACT_E_FORMAT,
                         "`%s`: tensor `%s` has %llu elements of %u bytes, but its data_offsets span %lld bytes", path,
                         out->name, (unsigned long long)out->elements, size, (long long)(out->end - out->begin));
    return ACT_OK;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const ActStored *)a)->name, ((const ActStored *)b)->name);
}

/* empty tensors share their place with a neighbour; the shorter end comes first */
static int by_place(const void *a, const void *b)
{
    const ActStored *x = a, *y = b;
    if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
    return x->end < y->end ? -1 : x->end > y->end;
}

/* Names once, data without hole or overlap up to the end of the file. */
static ActStatus check_whole(ActSafetensors *file, uint64_t data_bytes, const char *path, ActError *error)
{
    if (file->n) qsort(file->tensor, file->n, sizeof *file->tensor, by_name);
    for (size_t i = 1; i < file->n; i++)
        if (strcmp(file->tensor[i - 1].name, file->tensor[i].name) == 0)
            return act_error(error, ACT_E_FORMAT, "`%s`: tensor `%s` is there twice", path, file->tensor[i].name);
    if (file->n) qsort(file->tensor, file->n, sizeof *file->tensor, by_place);
    uint64_t at = 0;
    for (size_t i = 0; i < file->n; i++) {
        const ActStored *t = &file->tensor[i];
        if (t->begin != at)
            return act_error(error, ACT_E_FORMAT, "`%s`: the data of tensor `%s` %s", path, t->name,
                             t->begin < at ? "overlaps another's" : "has unused bytes before it");
        at = t->end;
    }
    if (at > data_bytes)
        return act_error(error, ACT_E_FORMAT, "`%s` is cut off: %llu bytes of data, its header speaks of %llu", path,
                         (unsigned long long)data_bytes, (unsigned long long)at);
    if (at < data_bytes)
        return act_error(error, ACT_E_FORMAT, "`%s` has %llu bytes behind its last tensor", path,
                         (unsigned long long)(data_bytes - at));
    return ACT_OK;
}

static ActStatus read_header(ActSafetensors *file, uint64_t length, const char *path, ActError *error)
{
    const char *text = (const char *)file->bytes.data + 8, *end = NULL;
    if (length == 0 || text[0] != '{' || memchr(text, 0, length))
        return act_error(error, ACT_E_FORMAT, "`%s` is not a safetensors file: its header is not JSON", path);
    cJSON *json = cJSON_ParseWithLengthOpts(text, length, &end, 0);
    file->header = json;
    while (json && end < text + length && *end == ' ') end++;
    if (!cJSON_IsObject(json) || end != text + length)
        return act_error(error, ACT_E_FORMAT, "`%s` is not a safetensors file: its header is not JSON (at byte %lld)",
                         path, (long long)(json ? end - (const char *)file->bytes.data : 8));
    size_t n = 0, notes = 0;
    for (const cJSON *item = json->child; item; item = item->next) n++;
    file->tensor = calloc(n + 1, sizeof *file->tensor);
    if (!file->tensor) return act_error_memory(error);
    for (const cJSON *item = json->child; item; item = item->next) {
        if (strcmp(item->string, "__metadata__") == 0) {
            int texts = cJSON_IsObject(item) && notes++ == 0;
            for (const cJSON *note = texts ? item->child : NULL; note; note = note->next)
                texts = texts && cJSON_IsString(note);
            if (!texts) return act_error(error, ACT_E_FORMAT, "`%s`: __metadata__ must be one object of strings", path);
            continue;
        }
        ActStored *t = &file->tensor[file->n];
        ActStatus status = read_entry(item, t, path, error);
        if (status != ACT_OK) return status;
        file->n++;
    }
    return ACT_OK;
}

ActStatus act_safetensors_read(const char *path, ActSafetensors *file, ActError *error)
{
    memset(file, 0, sizeof *file);
    ActStatus status = act_file_read(path, &file->bytes, error);
    if (status != ACT_OK) return status;
    uint64_t size = file->bytes.size, length = 0;
    if (size < 8) {
        status = act_error(error, ACT_E_FORMAT, "`%s` is not a safetensors file: %llu bytes are too few", path,
                           (unsigned long long)size);
    } else {
        memcpy(&length, file->bytes.data, 8);
        if (length > MAX_HEADER || length > size - 8)
            status = act_error(error, ACT_E_FORMAT,
                               "`%s` is not a safetensors file, or cut off: a header of %llu bytes in a file of %llu",
                               path, (unsigned long long)length, (unsigned long long)size);
    }
    if (status == ACT_OK) status = read_header(file, length, path, error);
    if (status == ACT_OK) status = check_whole(file, size - 8 - length, path, error);
    for (size_t i = 0; status == ACT_OK && i < file->n; i++)
        file->tensor[i].data = file->bytes.data + 8 + length + file->tensor[i].begin;
    if (status != ACT_OK) act_safetensors_free(file);
    return status;
}

void act_safetensors_free(ActSafetensors *file)
{
    cJSON_Delete(file->header);
    free(file->tensor);
    free(file->bytes.data);
    memset(file, 0, sizeof *file);
}

const char *act_safetensors_note(const ActSafetensors *file, const char *key)
{
    const cJSON *notes = cJSON_GetObjectItemCaseSensitive(file->header, "__metadata__");
    const cJSON *note = cJSON_GetObjectItemCaseSensitive(notes, key);
    return cJSON_IsString(note) ? note->valuestring : NULL;
}

static float from_half(uint16_t h)
{
    uint32_t exponent = h >> 10 & 31, fraction = h & 1023;
    float x = exponent == 0 ? ldexpf((float)fraction, -24)
            : exponent < 31 ? ldexpf((float)(fraction + 1024), (int)exponent - 25)
            : fraction ? NAN : INFINITY;
    return h >> 15 ? -x : x;
}

int act_stored_convert(const ActStored *stored, int to_int, void *out)
{
    float *f = out;
    int32_t *n = out;
    const unsigned char *from = stored->data;
    if (strcmp(stored->dtype, to_int ? "I32" : "F32") == 0) {
        memcpy(out, from, stored->elements * 4);
        return 1;
    }
    if (to_int && strcmp(stored->dtype, "I64") == 0) {
        for (uint64_t i = 0; i < stored->elements; i++) {
            int64_t wide;
            memcpy(&wide, from + i * 8, 8);
            if (wide < INT32_MIN || wide > INT32_MAX) return 0;
            n[i] = (int32_t)wide;
        }
        return 1;
    }
    if (to_int) return 0;
    for (uint64_t i = 0; strcmp(stored->dtype, "I32") == 0 && i < stored->elements; i++) { /* a count */
        int32_t whole;
        memcpy(&whole, from + i * 4, 4);
        f[i] = (float)whole;
    }
    for (uint64_t i = 0; strcmp(stored->dtype, "I64") == 0 && i < stored->elements; i++) {
        int64_t whole;
        memcpy(&whole, from + i * 8, 8);
        f[i] = (float)whole;
    }
    if (strcmp(stored->dtype, "I32") == 0 || strcmp(stored->dtype, "I64") == 0) return 1;
    if (strcmp(stored->dtype, "F64") == 0) {
        for (uint64_t i = 0; i < stored->elements; i++) {
            double wide;
            memcpy(&wide, from + i * 8, 8);
            f[i] = (float)wide;
        }
        return 1;
    }
    int half = strcmp(stored->dtype, "F16") == 0, brain = strcmp(stored->dtype, "BF16") == 0;
    for (uint64_t i = 0; (half || brain) && i < stored->elements; i++) {
        uint16_t narrow;
        memcpy(&narrow, from + i * 2, 2);
        uint32_t bits = (uint32_t)narrow << 16;
        if (half) f[i] = from_half(narrow);
        else memcpy(&f[i], &bits, 4);
    }
    return half || brain;
}

uint32_t act_safetensors_sum(const ActSafetensors *file, const char *except)
{
    uLong sum = crc32(0, NULL, 0);
    const cJSON *notes = cJSON_GetObjectItemCaseSensitive(file->header, "__metadata__");
    for (const cJSON *note = notes ? notes->child : NULL; note; note = note->next) {
        if (strcmp(note->string, except) == 0) continue;
        sum = crc32_z(sum, (const Bytef *)note->string, strlen(note->string) + 1);
        sum = crc32_z(sum, (const Bytef *)note->valuestring, strlen(note->valuestring) + 1);
    }
    for (size_t i = 0; i < file->n; i++)
        sum = crc32_z(sum, file->tensor[i].data, file->tensor[i].end - file->tensor[i].begin);
    return (uint32_t)sum;
}
