/* Broken statements made readable in place. */
#ifndef ACT_LSP_MEND_H
#define ACT_LSP_MEND_H

#include "syntax/parse.h"

/* The text with every ERROR of its tree cut down to the longest beginning that is a statement, the rest of it blank;
 * what has no such beginning is blank altogether. As long as before, byte for byte. Empty when nothing is broken. */
Str mend_text(Arena *arena, const Source *source, const Ast *file);

#endif
