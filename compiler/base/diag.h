/* Diagnostics: what the user did, where, why it matters, what to try.
 *
 *     Diag *d = diag_new(diags, LEVEL_ERROR, "ACT101", "shape_mismatch", span, "expected %s, found %s", a, b);
 *     diag_label(d, other, "this value has 256 features");
 *     diag_note(d, "…");  diag_help(d, "…");  diag_fix(d, FIX_SAFE, span, "|> flatten");
 *
 * Messages start in lower case and have no full stop; identifiers stand in backticks; the message says what is wrong,
 * `help` alone says what to do. All formats copy their text into the arena of the list. */
#ifndef ACT_BASE_DIAG_H
#define ACT_BASE_DIAG_H

#include "base/source.h"

#include <stdio.h>

typedef enum Level { LEVEL_ALLOW, LEVEL_NOTE, LEVEL_WARN, LEVEL_DENY, LEVEL_ERROR } Level;
/* DENY: a lint whose level stops code generation, printed as "error". ERROR: a hard error that no flag can allow. */

typedef enum FixKind { FIX_NONE, FIX_SAFE, FIX_UNSAFE } FixKind;
/* SAFE: certain to be what is meant. UNSAFE: a good guess that changes what the network computes. */

typedef struct DiagLabel {
    Span span;
    Str text;
} DiagLabel;

typedef struct DiagEdit {
    Span span; /* replaced; empty to insert */
    Str text;
} DiagEdit;

typedef struct Diag {
    struct Diags *list;
    Level level;
    const char *code; /* "ACT201" */
    const char *name; /* "double_softmax" */
    Str message;
    DiagLabel primary; /* label text may be empty */
    VEC(DiagLabel) labels;
    VEC(Str) notes;
    VEC(Str) helps;
    FixKind fix;
    VEC(DiagEdit) edits;
    Str reason; /* of the @allow that silences it; only in Diags.allowed */
} Diag;

typedef struct Diags {
    Arena *arena;
    Sources *sources;
    VEC(Diag *) list;
    VEC(Diag *) allowed; /* silenced in the source, with a reason; only SARIF shows them */
} Diags;

Diag *diag_new(Diags *diags, Level level, const char *code, const char *name, Span span, const char *format, ...)
    __attribute__((format(printf, 6, 7)));
/* The text beside the carets. */
void diag_primary(Diag *diag, const char *format, ...) __attribute__((format(printf, 2, 3)));
void diag_label(Diag *diag, Span span, const char *format, ...) __attribute__((format(printf, 3, 4)));
void diag_note(Diag *diag, const char *format, ...) __attribute__((format(printf, 2, 3)));
void diag_help(Diag *diag, const char *format, ...) __attribute__((format(printf, 2, 3)));
void diag_fix(Diag *diag, FixKind kind, Span span, const char *format, ...) __attribute__((format(printf, 4, 5)));

unsigned diag_count(const Diags *diags, Level at_least);
/* Stable order by source, offset, code; exact doubles removed. */
void diag_sort(Diags *diags);

typedef enum DiagFormat { DIAG_HUMAN, DIAG_SHORT, DIAG_JSON, DIAG_GITHUB, DIAG_SARIF } DiagFormat;

typedef struct DiagStyle {
    DiagFormat format;
    bool colour;
    bool notes;            /* show LEVEL_NOTE */
    unsigned columns;      /* of the terminal; 0: not known, only very long lines are cut */
    unsigned error_limit;  /* nothing is printed behind so many errors; 0: any number */
    FixKind fixing;        /* fixes of this kind were applied already: the summary does not offer them */
    unsigned fixed, files; /* … so many, in so many files */
} DiagStyle;

/* Is it shown? Not what is allowed, and notes only when asked for. */
bool diag_shown(const Diag *diag, const DiagStyle *style);
/* How many of the list are printed: what stands in front of the first error beyond the limit. */
uint32_t diag_printed(const Diags *diags, const DiagStyle *style);

typedef struct DiagTally {
    unsigned errors, warnings, notes;
    unsigned safe, unsafe; /* of these, with a fix */
    const char *code;      /* of the first of the worst; NULL: none */
} DiagTally;
DiagTally diag_tally(const Diags *diags, const DiagStyle *style);
/* "2 errors, 1 warning (1 fixable with `--fix`); `actc explain ACT201` says more", without a line end; empty when there
 * is nothing to say. */
Str diag_summary(Arena *arena, const DiagTally *tally, const DiagStyle *style);

/* One diagnostic as text, ending in a newline. JSON: one object on one line, for programs. GITHUB: one workflow
 * command. SARIF has no form for one: the empty text. */
Str diag_render(Arena *arena, const Diag *diag, const DiagStyle *style);
/* All of them in order, then (human) the summary. For SARIF see base/sarif.h. */
void diag_print_all(const Diags *diags, const DiagStyle *style, FILE *out);

#endif
