/* Files that are there as a whole or not at all. What is written goes to a new file in the same folder, `<path>.<process>.part`, is
 * synced to the disk, and renamed onto `path`; then the folder is synced. A process that dies on the way leaves `path` as it was. */
#ifndef ACT_HOST_OUTPUT_H
#define ACT_HOST_OUTPUT_H

#include "text.h"

typedef struct ActFileOut {
    int fd, why;              /* why: errno of the first failure; nothing is written after it */
    char *path, *temporary;
    unsigned char *buffer;
    size_t used;
} ActFileOut;

/* Refuses a `path` that is a directory, or a file that nobody may write: who protects a file means it. After a failure there is
 * nothing to finish. */
ActStatus act_file_begin(ActFileOut *out, const char *path, ActError *error);
void act_file_put(ActFileOut *out, const void *data, size_t n);
/* Replaces n bytes at `at` of what was put before. */
void act_file_patch(ActFileOut *out, uint64_t at, const void *data, size_t n);
/* On any failure removes what was written and says why. */
ActStatus act_file_finish(ActFileOut *out, ActError *error);

/* Could act_file_begin replace `path`? Nothing is written. */
ActStatus act_file_replaceable(const char *path, ActError *error);
/* Removes what killed processes left of files whose names begin with `prefix`. A file that a living process writes is locked, and stays. */
void act_file_tidy(const char *directory, const char *prefix);

#endif
