/* The system's compiler driver as a linker: executables and shared objects. */
#ifndef ACT_DRIVER_LINK_H
#define ACT_DRIVER_LINK_H

#include "base/str.h"

typedef enum LinkKind { LINK_PROGRAM, LINK_SHARED } LinkKind;

/* Links the object `bytes` with libactrt.a into `out`, all or nothing. False with a sentence in *why, and in *help what
 * to do. */
bool link_output(Arena *arena, LinkKind kind, Str bytes, Str out, Str *why, Str *help);

#endif
