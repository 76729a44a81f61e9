/* Files as the runtime meets them: read whole, found in a list of places. Written: output.h. */
#ifndef ACT_HOST_FILE_H
#define ACT_HOST_FILE_H

#include "text.h"

typedef struct ActBytes {
    unsigned char *data; /* one zero byte stands behind the last */
    size_t size;
} ActBytes;

/* The whole file, unpacked when it is gzip. Free data with free(). */
ActStatus act_file_read(const char *path, ActBytes *bytes, ActError *error);

/* Where a data file is: `path` as it stands when absolute; else below `base` (may be NULL), then below each directory
 * of `dir` (also by its last component alone), then the same below each directory of the environment's ACT_DATA_PATH
 * (separated by `:`). Every place is tried as named, with .gz added, and with .gz taken away. NULL and a message that
 * lists the places when it is nowhere. `folder`: it may be one. The caller frees the result. */
char *act_file_find(const char *path, const char *base, const char *const *dir, size_t n_dir, int folder, ActError *error);
int act_file_exists(const char *path); /* and is no directory */
int act_file_is_directory(const char *path);

/* The directory and all above it. */
ActStatus act_file_make_directory(const char *path, ActError *error);

#endif
