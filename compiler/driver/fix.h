/* Applying the fixes that diagnostics carry: to all files of a run together, round after round, with a check after each
 * round. A fix that leads to an error is taken back. */
#ifndef ACT_DRIVER_FIX_H
#define ACT_DRIVER_FIX_H

#include "driver/session.h"

typedef struct FixFile {
    Str path;    /* as the user wrote it */
    Str file;    /* the same for all spellings of the path: session_file() */
    Str before;  /* as it stands on the disk */
    Str text;    /* with the fixes */
    bool asked;  /* named on the command line; else only imported */
    unsigned fixed;
} FixFile;

typedef struct FixRun {
    Arena *arena;
    const Options *options;
    VEC(FixFile) files;
    VEC(Str) refused;  /* fixes that led to errors */
    VEC(Str) remarks;  /* what to tell of them */
} FixRun;

/* Checks the files that were asked for, as FixRun.files has them, into `s`, which has begun; diagnostics in order. */
void fix_check(FixRun *run, Session *s);
/* At most ten rounds; changes FixFile.text and .fixed. */
void fix_all(FixRun *run);

/* The text of `source` with the fixes of all diagnostics that are shown, are safe (or, with `unsafe`, any) and lie in
 * this source; one of which an edit would overlap another's waits for the next round. *applied counts them. */
Str fix_apply(Arena *arena, const Diags *diags, const Source *source, bool unsafe, unsigned *applied);

#endif
