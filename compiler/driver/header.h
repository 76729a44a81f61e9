/* The C header beside an object. */
#ifndef ACT_DRIVER_HEADER_H
#define ACT_DRIVER_HEADER_H

#include "kernel/unit.h"

/* The header `file` ("fashion.h") for the unit made from `source`. */
Str header_text(Arena *arena, const Unit *unit, Str file, Str source);

#endif
