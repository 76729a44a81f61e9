/* Files, whole: read into an arena, written atomically (a temporary beside the target, then renamed). */
#ifndef ACT_BASE_FILE_H
#define ACT_BASE_FILE_H

#include "base/str.h"

/* At most 256 MiB. False, with a sentence in *why ("cannot read `x.act`: no such file or directory"), when the system
 * refuses. */
bool file_read(Arena *arena, Str path, Str *text, Str *why);
bool file_write(Arena *arena, Str path, const void *data, size_t size, Str *why);
/* "dir/name.act" -> "name" ; "dir/" ; ".act" */
Str path_stem(Str path);
Str path_dir(Arena *arena, Str path);    /* with a trailing slash; empty when there is none */
Str path_ending(Str path);               /* with its dot; empty when there is none */
Str path_join(Arena *arena, Str dir, Str path); /* an absolute `path` stands alone */

#endif
