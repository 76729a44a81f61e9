/* The standard library as files that any editor can open.
 *
 * Its text is inside actc. To be read it is written, once, to the user's cache: $XDG_CACHE_HOME/actc/library-HASH/ (or
 * ~/.cache, or /tmp), read-only, where HASH is of the text, so that two versions of actc do not disturb each other.
 * Layers are written in the compiler; a page for each stands in layers.act, as comments. */
#ifndef ACT_LSP_STANDARD_H
#define ACT_LSP_STANDARD_H

#include "sema/model.h"

/* Is this the path of such a file? */
bool standard_is(Str path);
/* The file of a library source, written if it is not there. Empty when it can't be. */
Str standard_file(Arena *arena, const Program *program, const Source *source);
/* The page of a definition that is written in the compiler, and the line (from 0) on which it begins. */
Str standard_page(Arena *arena, Program *program, const Def *def, uint32_t *line);

#endif
