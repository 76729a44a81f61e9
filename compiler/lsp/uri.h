/* file: URIs and paths. */
#ifndef ACT_LSP_URI_H
#define ACT_LSP_URI_H

#include "base/str.h"

/* The path of a file: URI, decoded and without `.`, `..` and doubled slashes; another URI stands for itself. */
Str uri_path(Arena *arena, Str uri);
Str uri_of_path(Arena *arena, Str path);

#endif
