/* IDX, the format of MNIST: 00 00 type rank, rank big-endian lengths, big-endian elements. Bytes are read as 0 to 255.
 */
#include "host/reader.h"

#include <stdlib.h>
#include <string.h>

static uint64_t big_endian(const unsigned char *at, uint32_t bytes)
{
    uint64_t x = 0;
    for (uint32_t i = 0; i < bytes; i++) x = x << 8 | at[i];
    return x;
}

static float element(unsigned char type, const unsigned char *at)
{
    uint32_t bits;
    uint64_t wide;
    float f;
    double d;
    switch (type) {
    case 0x08: return at[0];
    case 0x09: return (int8_t)at[0];
    case 0x0B: return (int16_t)big_endian(at, 2);
    case 0x0C: return (float)(int32_t)big_endian(at, 4);
    case 0x0D:
        bits = (uint32_t)big_endian(at, 4);
        memcpy(&f, &bits, 4);
        return f;
    default:
        wide = big_endian(at, 8);
        memcpy(&d, &wide, 8);
        return (float)d;
    }
}

static ActStatus parse(const ActBytes *bytes, const char *path, ActTable *table, ActError *error)
{
    static const uint32_t sizes[16] = { [0x08] = 1, [0x09] = 1, [0x0B] = 2, [0x0C] = 4, [0x0D] = 4, [0x0E] = 8 };
    const unsigned char *at = bytes->data;
    uint64_t shape[ACT_MAX_RANK + 1], wanted = 1;
    if (bytes->size < 4 || at[0] || at[1] || at[2] > 15 || !sizes[at[2]] || !at[3])
        return act_error(error, ACT_E_FORMAT, "`%s` is not an IDX file: it must begin with 00 00, a type and a rank",
                         path);
    uint32_t rank = at[3], size = sizes[at[2]];
    if (rank > ACT_MAX_RANK + 1)
        return act_error(error, ACT_E_FORMAT, "`%s` has %u axes; at most %d are supported", path, rank,
                         ACT_MAX_RANK + 1);
    if (bytes->size < 4 + 4 * (uint64_t)rank)
        return act_error(error, ACT_E_FORMAT, "`%s` is cut off inside its header", path);
    for (uint32_t i = 0; i < rank; i++) {
        shape[i] = big_endian(at + 4 + 4 * i, 4);
        if (shape[i] && wanted > UINT64_MAX / 16 / shape[i])
            return act_error(error, ACT_E_FORMAT, "`%s` claims a size that can't be", path);
        wanted *= shape[i];
    }
    uint64_t found = bytes->size - 4 - 4 * (uint64_t)rank;
    if (found != wanted * size)
        return act_error(error, ACT_E_FORMAT, "`%s` %s: its header promises %s bytes of data, there are %s", path,
                         found < wanted * size ? "is cut off" : "has bytes behind its end",
                         act_text_count(wanted * size).text, act_text_count(found).text);
    ActStatus status = act_table_shape(table, path, shape, rank, error);
    if (status != ACT_OK) return status;
    const unsigned char *data = at + 4 + 4 * (size_t)rank;
    for (uint64_t i = 0; i < wanted; i++) table->values[i] = element(at[2], data + i * size);
    return ACT_OK;
}

static ActStatus read_idx(const ActRequest *request, ActTable *table, ActError *error)
{
    ActBytes bytes;
    ActStatus status = act_file_read(request->path, &bytes, error);
    if (status == ACT_OK) status = parse(&bytes, request->path, table, error);
    free(bytes.data);
    return status;
}

ACT_READER(idx) = {
    .name = "idx",
    .doc = "IDX, the format of MNIST and its relatives; .gz too. Unsigned bytes are read as 0 to 255.",
    .endings = "-ubyte .idx",
    .read = read_idx,
};
