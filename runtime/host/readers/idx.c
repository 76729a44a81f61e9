/* IDX, the format of MNIST: 00 00 type rank, rank big-endian lengths, big-endian elements. Bytes are read as 0 to 255.
 */
#include "host/reader.h"

static const struct { int known; ActElement element; } types[16] = {
    [0x08] = { 1, ACT_ELEMENT_U8 },      [0x09] = { 1, ACT_ELEMENT_I8 },      [0x0B] = { 1, ACT_ELEMENT_I16_BIG },
    [0x0C] = { 1, ACT_ELEMENT_I32_BIG }, [0x0D] = { 1, ACT_ELEMENT_F32_BIG }, [0x0E] = { 1, ACT_ELEMENT_F64_BIG },
};

static ActStatus read_idx(const ActRequest *request, ActTable *table, ActError *error)
{
    const char *path = request->path;
    unsigned char room[4 + 4 * (ACT_MAX_RANK + 1)];
    uint64_t shape[ACT_MAX_RANK + 1];
    ActStatus status = act_table_open(table, request, error);
    if (status != ACT_OK) return status;
    const ActSource *source = &table->source;
    uint64_t first = table->start, size = source->size - first; /* unpacked ones have a header of ours */
    const unsigned char *at = act_source_bytes(source, first, size < sizeof room ? (size_t)size : sizeof room, room, error);
    if (!at) return ACT_E_IO;
    if (size < 4 || at[0] || at[1] || at[2] > 15 || !types[at[2]].known || !at[3])
        return act_error(error, ACT_E_FORMAT, "`%s` is not an IDX file: it must begin with 00 00, a type and a rank", path);
    uint32_t rank = at[3];
    if (rank > ACT_MAX_RANK + 1)
        return act_error(error, ACT_E_FORMAT, "`%s` has %u axes; at most %d are supported", path, rank, ACT_MAX_RANK + 1);
    if (size < 4 + 4 * (uint64_t)rank) return act_error(error, ACT_E_FORMAT, "`%s` is cut off inside its header", path);
    for (uint32_t i = 0; i < rank; i++) {
        const unsigned char *length = at + 4 + 4 * i;
        shape[i] = (uint64_t)length[0] << 24 | (uint64_t)length[1] << 16 | (uint64_t)length[2] << 8 | length[3];
    }
    table->element = types[at[2]].element;
    table->start = first + 4 + 4 * (uint64_t)rank;
    status = act_table_size(table, path, shape, rank, error);
    return status == ACT_OK ? act_table_holds(table, path, "its header promises", error) : status;
}

ACT_READER(idx) = {
    .name = "idx",
    .doc = "IDX, the format of MNIST and its relatives; .gz too. Unsigned bytes are read as 0 to 255.",
    .endings = "-ubyte .idx",
    .read = read_idx,
};
