#include "check/data_rows.h"

#include "act/abi.h"
#include "base/file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { HEAD = 512, LARGEST_TABLE = 16 << 20 };

/* At most `most` bytes from the start of a regular file; empty when there is none. */
static Str head_of(const CheckContext *cx, Str path, size_t most)
{
    struct stat about;
    const char *name = str_c(cx->arena, path);
    FILE *file = stat(name, &about) == 0 && S_ISREG(about.st_mode) ? fopen(name, "rb") : NULL;
    if (file == NULL)
        return (Str){0};
    size_t size = (size_t)about.st_size < most ? (size_t)about.st_size : most;
    char *text = arena_array(cx->arena, char, size + 1);
    size_t n = fread(text, 1, size, file);
    fclose(file);
    return (Str){text, (uint32_t)n};
}

/* Big-endian: 0, 0, the type, the number of axes; then the axes, rows first. */
static uint64_t rows_of_idx(Str head)
{
    const unsigned char *b = (const unsigned char *)head.p;
    if (head.n < 8 || b[0] || b[1] || b[3] == 0)
        return 0;
    return (uint64_t)b[4] << 24 | (uint64_t)b[5] << 16 | (uint64_t)b[6] << 8 | b[7];
}

/* "\x93NUMPY", version, and a dictionary with 'shape': (60000, 28, 28) */
static uint64_t rows_of_npy(Str head)
{
    static const Str magic = {"\x93NUMPY", 6}, shape = {"'shape':", 8};
    for (uint32_t i = 0; str_starts(head, magic) && i + shape.n < head.n; i++) {
        if (!str_starts((Str){head.p + i, head.n - i}, shape))
            continue;
        i += shape.n;
        while (i < head.n && (head.p[i] == ' ' || head.p[i] == '('))
            i++;
        uint64_t rows = 0;
        for (; i < head.n && head.p[i] >= '0' && head.p[i] <= '9'; i++)
            rows = rows * 10 + (uint64_t)(head.p[i] - '0');
        return rows;
    }
    return 0;
}

static bool is_number(Str cell)
{
    char text[64], *end;
    while (cell.n && (cell.p[cell.n - 1] == ' ' || cell.p[cell.n - 1] == '\r'))
        cell.n--;
    if (cell.n == 0 || cell.n >= sizeof text)
        return false;
    for (uint32_t i = 0; i < cell.n; i++)
        text[i] = cell.p[i];
    text[cell.n] = 0;
    strtod(text, &end);
    return *end == 0;
}

/* A header is a first line without a number. */
static bool is_header(Str line)
{
    uint32_t begin = 0;
    for (uint32_t i = 0; i <= line.n; i++)
        if (i == line.n || line.p[i] == ',' || line.p[i] == ';' || line.p[i] == '\t') {
            if (is_number((Str){line.p + begin, i - begin}))
                return false;
            begin = i + 1;
        }
    return true;
}

/* Lines that are not blank; 0 with quotes, inside which a line may end. */
static uint64_t rows_of_csv(Str text)
{
    uint64_t rows = 0;
    uint32_t begin = 0;
    for (uint32_t i = 0; i <= text.n; i++) {
        if (i < text.n && text.p[i] == '"')
            return 0;
        if (i < text.n && text.p[i] != '\n')
            continue;
        uint32_t end = i > begin && text.p[i - 1] == '\r' ? i - 1 : i;
        Str line = {text.p + begin, end - begin};
        if (line.n && !(rows == 0 && begin == 0 && is_header(line)))
            rows++;
        begin = i + 1;
    }
    return rows;
}

static uint64_t rows_of_field(const CheckContext *cx, const DataUse *data, const FieldUse *field)
{
    Str path = path_join(cx->arena, data->base, field->path);
    for (uint32_t i = 0; i < field->transforms.n; i++)
        if (field->transforms.at[i].kind == ACT_T_SHIFT)
            return 0;
    if (str_is(path_ending(path), ".gz"))
        return 0;
    if (str_is(field->reader, "idx"))
        return rows_of_idx(head_of(cx, path, HEAD));
    if (str_is(field->reader, "npy"))
        return rows_of_npy(head_of(cx, path, HEAD));
    if (!str_is(field->reader, "csv"))
        return 0;
    Str text = head_of(cx, path, LARGEST_TABLE + 1);
    return text.n > LARGEST_TABLE ? 0 : rows_of_csv(text);
}

uint64_t data_rows_train(const CheckContext *cx)
{
    const DataUse *data = cx->model->train ? cx->model->train->data : NULL;
    bool apart = false; /* a validation part of its own: nothing is split off */
    for (uint32_t p = 0; data && p < data->parts.n; p++)
        apart = apart || str_is(data->parts.at[p].name, "validation");
    for (uint32_t p = 0; data && p < data->parts.n; p++)
        for (uint32_t i = 0; str_is(data->parts.at[p].name, "train") && i < data->parts.at[p].fields.n; i++) {
            uint64_t rows = rows_of_field(cx, data, &data->parts.at[p].fields.at[i]);
            if (rows)
                return apart ? rows : rows - (uint64_t)llround((double)rows * data->validation_split);
        }
    return 0;
}

uint64_t data_rows_steps(const CheckContext *cx)
{
    const TrainUse *train = cx->model->train;
    uint64_t rows = data_rows_train(cx), batch = train ? train->batch : 0; /* accumulated ones count each */
    return batch ? train->epochs * ((rows + batch - 1) / batch) : 0;
}
