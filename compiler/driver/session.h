/* One run of the front end over some files: sources, diagnostics and how they are shown. */
#ifndef ACT_DRIVER_SESSION_H
#define ACT_DRIVER_SESSION_H

#include "driver/command.h"

typedef struct Session {
    Arena *arena;
    const Options *options;
    Sources sources;
    Diags diags;
    DiagStyle style;
    FILE *out; /* where diagnostics go */
} Session;

void session_begin(Session *s, Arena *arena, const Options *options);
/* Reads and parses. NULL after a message when the file can't be read (EXIT_USAGE). */
const Source *session_read(Session *s, Str path);
/* Parse, names and shapes, rules. Never NULL; whether it may be compiled is session_stops(). */
Program *session_program(Session *s, const Source *source);
/* Are there errors, or lints that are denied? */
bool session_stops(const Session *s);
/* Prints what was found so far, once, and forgets it. The exit code: 0 or 1 (errors, or more warnings than
 * --max-warnings). */
int session_report(Session *s);
/* A message without a place: "error: …" and "help: …". Returns `code`. */
int session_fail(const Session *s, int code, Str message, Str help);

#endif
