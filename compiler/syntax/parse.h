/* The one caller of the generated parser. */
#ifndef ACT_SYNTAX_PARSE_H
#define ACT_SYNTAX_PARSE_H

#include "base/diag.h"
#include "syntax/ast.h"

/* The tree of a file; never NULL. Mistakes go to `diags` (ACT0002 syntax, ACT0003 text that is no token …) and leave
 * ERROR nodes. Nesting deeper than 200 levels is a diagnostic, not a crash. */
Ast *parse_source(Arena *arena, Diags *diags, const Source *source);

/* The canonical form (`actc fmt`), comments kept. Only for a source that parses without an error. */
Str format_source(Arena *arena, const Source *source, const Ast *root);
/* An expression or statement on one line, canonical (explain pages, notes, fixes). */
Str format_expr(Arena *arena, const Ast *expr);

#endif
