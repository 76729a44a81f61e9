/* The bytes of a data file without a copy of them: small files in memory, large ones mapped, and where the address space has no room for
 * that, read piece by piece. */
#ifndef ACT_HOST_SOURCE_H
#define ACT_HOST_SOURCE_H

#include "text.h"

typedef struct ActSource {
    const unsigned char *at;  /* all of it; NULL: piece by piece */
    uint64_t size;
    void *memory;             /* owned */
    int mapped, fd;           /* fd: 0 when there is none */
    char *path;
} ActSource;

/* What may be kept in memory of one value of one part, in bytes: a sixteenth of what the process may have. */
uint64_t act_source_share(void);
/* The same, and not what takes longer than a moment to make of a file: at most 64 MiB. For both the environment's ACT_DATA_MEMORY (MiB) may
 * say otherwise. */
uint64_t act_source_limit(void);

/* `path` as it stands. */
ActStatus act_source_open(ActSource *source, const char *path, ActError *error);
/* Takes memory from malloc. */
void act_source_take(ActSource *source, void *memory, uint64_t size);
/* n bytes at `offset`: where they lie, or copied to `room`. NULL and a message when they can't be read. Any number of threads may ask. */
const unsigned char *act_source_bytes(const ActSource *source, uint64_t offset, size_t n, void *room, ActError *error);
void act_source_close(ActSource *source);

#endif
