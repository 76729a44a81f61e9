/* A run as one SARIF 2.1.0 document, the form that code hosts and editors collect findings in.
 *
 * The rules of the document are those that have a result in it. Findings that an @allow silences are results with a
 * suppression. Fingerprints are made of the rule and the marked text, so that a finding keeps its own when lines are
 * added above it. Paths stay as they were written, relative to where actc ran. */
#ifndef ACT_BASE_SARIF_H
#define ACT_BASE_SARIF_H

#include "base/diag.h"

/* What a document says of a rule. */
typedef struct SarifRule {
    const char *group;
    Str summary;    /* one line */
    Str doc;        /* paragraphs */
    Str help;       /* doc with a wrong and a right example, as plain text */
    Str markdown;   /* the same as Markdown */
    Level level;    /* without flags */
} SarifRule;

typedef struct SarifTool {
    const char *name, *version, *uri;
    /* False: nothing is known of this code. */
    bool (*rule)(Arena *arena, const char *code, SarifRule *rule);
    bool failed; /* a file could not be read or written */
} SarifTool;

/* Diagnostics that `style` shows, up to its error limit, and the silenced ones. Ends in a newline. */
Str sarif_document(Arena *arena, const Diags *diags, const DiagStyle *style, const SarifTool *tool);

#endif
