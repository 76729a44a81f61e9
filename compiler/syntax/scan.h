/* Between grammar/act.l and scan.c: the state of one scan, and the actions that are more than a return. */
#ifndef ACT_SYNTAX_SCAN_H
#define ACT_SYNTAX_SCAN_H

#include "syntax/token.h"

typedef struct Scan {
    Arena *arena;
    Diags *diags;
    const Source *source;
    uint32_t begin, end; /* of the current token */
    bool broken;         /* the current token was reported and stands for one that was meant */
} Scan;

/* Each reports what it must and returns the kind of token to go on with; 0 … is the end, as everywhere. */
int scan_number(Scan *scan);
int scan_bad_number(Scan *scan);
int scan_point(Scan *scan); /* .5 */
int scan_string(Scan *scan);
int scan_unterminated(Scan *scan);
int scan_single_quotes(Scan *scan);
int scan_foreign_comment(Scan *scan);
int scan_foreign(Scan *scan);
int scan_bad(Scan *scan, const char *help);
/* Something else was written for `kind`; `form` (with %s for what was written) is what it should be. */
int scan_meant(Scan *scan, int kind, const char *form, const char *help);

#endif
