/* Applying the fixes that diagnostics carry. */
#ifndef ACT_DRIVER_FIX_H
#define ACT_DRIVER_FIX_H

#include "base/diag.h"

/* The text of `source` with every fix applied that is safe (or, with `unsafe`, any); a fix of which an edit would
 * overlap one already taken waits for the next round. *applied counts them. */
Str fix_apply(Arena *arena, const Diags *diags, const Source *source, bool unsafe, unsigned *applied);

#endif
