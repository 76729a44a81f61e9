/* The safetensors format: 8 bytes of header length (little-endian), a JSON header, the data. Reading is strict: what
 * the reference implementation refuses is refused. In files we write the data starts at a multiple of 64 bytes. */
#ifndef ACT_HOST_SAFETENSORS_H
#define ACT_HOST_SAFETENSORS_H

#include "file.h"
#include "output.h"

enum { ACT_STORED_RANK = 8 };

typedef struct ActStored {
    const char *name;
    const char *dtype;            /* "F32", "BF16" … */
    uint32_t rank;
    uint32_t dim[ACT_STORED_RANK];
    uint64_t elements, begin, end; /* begin and end in the data section, bytes */
    const unsigned char *data;
} ActStored;

typedef struct ActSafetensors {
    ActBytes bytes;
    void *header;                 /* the parsed JSON, which owns the names */
    ActStored *tensor; size_t n;  /* in the order of their data */
} ActSafetensors;

ActStatus act_safetensors_read(const char *path, ActSafetensors *file, ActError *error);
void act_safetensors_free(ActSafetensors *file);
/* The text of `__metadata__`'s key, or NULL. */
const char *act_safetensors_note(const ActSafetensors *file, const char *key);
/* Converts to float (F32, F64, F16, BF16; I32, I64: counts) or, for to_int, int32 (I32, I64). 0 when the type can't become that. */
int act_stored_convert(const ActStored *stored, int to_int, void *out);

/* What to write: tensors in their blocks, under their names or with `prefix` before them, and metadata. */
typedef struct ActStoreEntry { const ActTensor *tensor; const void *block; const char *prefix; /* NULL: none */ } ActStoreEntry;
typedef struct ActNote { const char *key, *value; } ActNote;
/* A note without a value becomes the checksum of everything else, eight hexadecimal digits: act_safetensors_sum. */
ActStatus act_safetensors_write(const char *path, const ActStoreEntry *entry, size_t n, const ActNote *note,
                                size_t n_note, ActError *error);
/* CRC-32 (zlib's) of every note but `except`, key and value each with the zero behind it, in the order of the file; then of the data. */
uint32_t act_safetensors_sum(const ActSafetensors *file, const char *except);

#endif
