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
    VEC(Str) files; /* session_file() of every source that session_check() brought */
    /* Asked for the text of an import before the disk is: a trial of fixes. NULL: nobody. */
    bool (*unsaved)(void *owner, Str path, Str *text);
    void *owner;
    FILE *out;      /* where diagnostics go */
    bool failed;    /* something could not be read or written */
    bool reported;  /* the one SARIF document is out */
} Session;

void session_begin(Session *s, Arena *arena, const Options *options);
/* Reads and parses. NULL after a message when the file can't be read (EXIT_USAGE). */
const Source *session_read(Session *s, Str path);
/* Parse, names and shapes, rules. Never NULL; whether it may be compiled is session_stops(). */
Program *session_program(Session *s, const Source *source);
/* Are there errors, or lints that are denied? */
bool session_stops(const Session *s);
/* The same for one of many files, which know nothing of each other: their diagnostics come together here, and what
 * several of them find in a file that they all import is said once (after diag_sort). */
void session_check(Session *s, Str path, Str text);
/* Prints what was found so far, once, and forgets it. The exit code: 0 or 1 (errors, or more warnings than
 * --max-warnings). */
int session_report(Session *s);
/* A message without a place: "error: …" and "help: …". Returns `code`. */
int session_fail(const Session *s, int code, Str message, Str help);
/* The same as a warning. */
void session_warn(const Session *s, Str message);
/* Whether text for this stream is coloured. */
bool session_colour(const Options *options, FILE *out);
/* What file a path names, the same for all its spellings; the path itself when there is no such file. */
Str session_file(Arena *arena, Str path);

/* The parts of session_report(), in sarif_rules.c and statistics.c. */
void session_print_sarif(const Session *s);
void session_print_statistics(const Session *s);

#endif
