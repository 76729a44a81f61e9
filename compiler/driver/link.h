/* The system's compiler driver as a linker: executables and shared objects. */
#ifndef ACT_DRIVER_LINK_H
#define ACT_DRIVER_LINK_H

#include "base/str.h"

typedef enum LinkKind { LINK_PROGRAM, LINK_SHARED } LinkKind;

/* Links the object `bytes` with libactrt.a into `out`, all or nothing; with `images` also libactimages.a and what it needs, for models
 * whose data is pictures. False with a sentence in *why, and in *help what
 * to do. */
bool link_output(Arena *arena, LinkKind kind, bool images, Str bytes, Str out, Str *why, Str *help);

#endif
