/* The files a command line names: directories stand for every .act file below them. */
#ifndef ACT_DRIVER_FILES_H
#define ACT_DRIVER_FILES_H

#include "driver/session.h"

typedef VEC(Str) Paths;

/* Adds the files of `path` in order of their names; hidden ones and links to directories are left out. A path that is no
 * directory stands for itself. False after a message. */
bool files_expand(Session *s, Str path, Paths *files);

#endif
