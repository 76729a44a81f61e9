/* NumPy's .npy, versions 1 and 2: "\x93NUMPY", version, header length, a Python dictionary, the data in C order. */
#include "host/reader.h"

#include <stdlib.h>
#include <string.h>

typedef struct Header {
    char descr[16];
    int fortran;
    uint64_t shape[ACT_MAX_RANK + 1];
    uint32_t rank;
} Header;

static const char *skip(const char *at)
{
    while (*at == ' ' || *at == '\n') at++;
    return at;
}

/* 'text' into room; the place behind it, or NULL */
static const char *quoted(const char *at, char *room, size_t size)
{
    char quote = *at;
    if (quote != '\'' && quote != '"') return NULL;
    size_t n = 0;
    for (at++; *at && *at != quote; at++) {
        if (n + 1 == size) return NULL;
        room[n++] = *at;
    }
    room[n] = 0;
    return *at ? at + 1 : NULL;
}

static const char *parse_shape(const char *at, Header *header)
{
    if (*at++ != '(') return NULL;
    for (at = skip(at); *at != ')'; at = skip(at)) {
        char *end;
        if (*at < '0' || *at > '9' || header->rank > ACT_MAX_RANK) return NULL;
        header->shape[header->rank++] = strtoull(at, &end, 10);
        at = skip(end);
        if (*at == ',') at++;
        else if (*at != ')') return NULL;
    }
    return at + 1;
}

/* {'descr': '<f4', 'fortran_order': False, 'shape': (60000, 784), } in any order; 1 when all three are there once */
static int parse_header(const char *at, Header *header)
{
    char key[24];
    int descr = 0, order = 0, shape = 0;
    at = skip(at);
    if (*at++ != '{') return 0;
    for (at = skip(at); at && *at != '}';) {
        at = quoted(at, key, sizeof key);
        at = at ? skip(at) : NULL;
        if (!at || *at != ':') return 0;
        at = skip(at + 1);
        if (strcmp(key, "descr") == 0 && !descr++) {
            at = quoted(at, header->descr, sizeof header->descr);
        } else if (strcmp(key, "fortran_order") == 0 && !order++) {
            header->fortran = strncmp(at, "True", 4) == 0;
            if (!header->fortran && strncmp(at, "False", 5) != 0) return 0;
            at += header->fortran ? 4 : 5;
        } else if (strcmp(key, "shape") == 0 && !shape++) {
            at = parse_shape(at, header);
        } else {
            return 0;
        }
        if (!at) return 0;
        at = skip(at);
        if (*at == ',') at = skip(at + 1);
        else if (*at != '}') return 0;
    }
    return at && descr && order && shape && !*skip(at + 1);
}

static const struct { const char *descr; uint32_t size; } types[] = {
    { "<f4", 4 }, { "<f8", 8 }, { "|u1", 1 }, { "|i1", 1 }, { "|b1", 1 }, { "<i4", 4 }, { "<i8", 8 },
};

static float element(size_t type, const unsigned char *at)
{
    float f;
    double d;
    int32_t i;
    int64_t wide;
    switch (type) {
    case 0: memcpy(&f, at, 4); return f;
    case 1: memcpy(&d, at, 8); return (float)d;
    case 3: return (int8_t)*at;
    case 5: memcpy(&i, at, 4); return (float)i;
    case 6: memcpy(&wide, at, 8); return (float)wide;
    default: return *at;
    }
}

static ActStatus parse(ActBytes *bytes, const char *path, ActTable *table, ActError *error)
{
    const unsigned char *at = bytes->data;
    Header header = { .rank = 0 };
    if (bytes->size < 10 || memcmp(at, "\x93NUMPY", 6) != 0)
        return act_error(error, ACT_E_FORMAT, "`%s` is not an .npy file", path);
    if (at[6] != 1 && at[6] != 2)
        return act_error(error, ACT_E_FORMAT, "`%s` is of .npy version %d; 1 and 2 are read", path, at[6]);
    uint64_t start = at[6] == 1 ? 10 : 12, length = at[8] | (uint64_t)at[9] << 8;
    if (at[6] == 2 && bytes->size >= 12) length |= (uint64_t)at[10] << 16 | (uint64_t)at[11] << 24;
    if (start + length > bytes->size) return act_error(error, ACT_E_FORMAT, "`%s` is cut off inside its header", path);
    char *text = act_text_copy((const char *)at + start, length);
    if (!text) return act_error_memory(error);
    int good = strlen(text) == length && parse_header(text, &header);
    free(text);
    if (!good)
        return act_error(error, ACT_E_FORMAT, "`%s` has a header that can't be read; write it with numpy.save", path);

    size_t type = 0, n_type = sizeof types / sizeof *types;
    while (type < n_type && strcmp(types[type].descr, header.descr) != 0) type++;
    if (type == n_type)
        return act_error(error, ACT_E_FORMAT,
                         "`%s` holds `%s`; <f4, <f8, |u1, |i1, |b1, <i4 and <i8 are read: convert with .astype('<f4')",
                         path, header.descr);
    if (header.fortran && header.rank > 1)
        return act_error(error, ACT_E_FORMAT, "`%s` is in Fortran order; convert with numpy.ascontiguousarray", path);
    ActStatus status = act_table_shape(table, path, header.shape, header.rank, error);
    if (status != ACT_OK) return status;
    uint64_t n = table->rows * table->width, wanted = n * types[type].size, found = bytes->size - start - length;
    if (found != wanted)
        return act_error(error, ACT_E_FORMAT, "`%s` %s: its shape wants %s bytes of data, there are %s", path,
                         found < wanted ? "is cut off" : "has bytes behind its end", act_text_count(wanted).text,
                         act_text_count(found).text);
    for (uint64_t i = 0; i < n; i++) table->values[i] = element(type, at + start + length + i * types[type].size);
    return ACT_OK;
}

static ActStatus read_npy(const ActRequest *request, ActTable *table, ActError *error)
{
    ActBytes bytes;
    ActStatus status = act_file_read(request->path, &bytes, error);
    if (status == ACT_OK) status = parse(&bytes, request->path, table, error);
    free(bytes.data);
    return status;
}

ACT_READER(npy) = {
    .name = "npy",
    .doc =
        "NumPy's .npy, versions 1 and 2: float32, float64, int8, uint8, bool, int32, int64 in C order; "
           ".gz too. Axis 0 counts the rows.",
    .endings = ".npy",
    .read = read_npy,
};
