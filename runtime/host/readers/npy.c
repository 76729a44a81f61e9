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

static const struct { const char *descr; ActElement element; } types[] = {
    { "<f4", ACT_ELEMENT_F32 }, { "<f8", ACT_ELEMENT_F64 }, { "|u1", ACT_ELEMENT_U8 },  { "|i1", ACT_ELEMENT_I8 },
    { "|b1", ACT_ELEMENT_U8 },  { "<i4", ACT_ELEMENT_I32 }, { "<i8", ACT_ELEMENT_I64 },
};

static ActStatus take_header(ActTable *table, const char *path, const Header *header, ActError *error)
{
    size_t type = 0, n_type = sizeof types / sizeof *types;
    while (type < n_type && strcmp(types[type].descr, header->descr) != 0) type++;
    if (type == n_type)
        return act_error(error, ACT_E_FORMAT,
                         "`%s` holds `%s`; <f4, <f8, |u1, |i1, |b1, <i4 and <i8 are read: convert with .astype('<f4')",
                         path, header->descr);
    if (header->fortran && header->rank > 1)
        return act_error(error, ACT_E_FORMAT, "`%s` is in Fortran order; convert with numpy.ascontiguousarray", path);
    table->element = types[type].element;
    ActStatus status = act_table_size(table, path, header->shape, header->rank, error);
    return status == ACT_OK ? act_table_holds(table, path, "its shape wants", error) : status;
}

static ActStatus read_npy(const ActRequest *request, ActTable *table, ActError *error)
{
    const char *path = request->path;
    unsigned char room[12];
    Header header = { .rank = 0 };
    ActStatus status = act_table_open(table, request, error);
    if (status != ACT_OK) return status;
    const ActSource *source = &table->source;
    uint64_t first = table->start, size = source->size - first; /* unpacked ones have a header of ours */
    const unsigned char *at = act_source_bytes(source, first, size < sizeof room ? (size_t)size : sizeof room, room, error);
    if (!at) return ACT_E_IO;
    if (size < 10 || memcmp(at, "\x93NUMPY", 6) != 0)
        return act_error(error, ACT_E_FORMAT, "`%s` is not an .npy file", path);
    if (at[6] != 1 && at[6] != 2)
        return act_error(error, ACT_E_FORMAT, "`%s` is of .npy version %d; 1 and 2 are read", path, at[6]);
    uint64_t start = at[6] == 1 ? 10 : 12, length = at[8] | (uint64_t)at[9] << 8;
    if (at[6] == 2 && size >= 12) length |= (uint64_t)at[10] << 16 | (uint64_t)at[11] << 24;
    if (start + length > size) return act_error(error, ACT_E_FORMAT, "`%s` is cut off inside its header", path);
    char *text = malloc(length + 1);
    if (!text) return act_error_memory(error);
    at = act_source_bytes(source, first + start, length, text, error);
    if (at && at != (const unsigned char *)text) memcpy(text, at, length);
    text[length] = 0;
    int good = at && strlen(text) == length && parse_header(text, &header);
    free(text);
    if (!at) return ACT_E_IO;
    if (!good)
        return act_error(error, ACT_E_FORMAT, "`%s` has a header that can't be read; write it with numpy.save", path);
    table->start = first + start + length;
    return take_header(table, path, &header, error);
}

ACT_READER(npy) = {
    .name = "npy",
    .doc =
        "NumPy's .npy, versions 1 and 2: float32, float64, int8, uint8, bool, int32, int64 in C order; "
           ".gz too. Axis 0 counts the rows.",
    .endings = ".npy",
    .read = read_npy,
};
