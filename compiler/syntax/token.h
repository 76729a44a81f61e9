/* Tokens on their way from the scanner to the parser.
 *
 *     text -> scan_source (grammar/act.l) -> filter_tokens -> act_yyparse (grammar/act.y)
 *
 * The scanner knows characters; the filter knows lines, brackets and which words are reserved where; the grammar sees
 * neither. Private to this floor. */
#ifndef ACT_SYNTAX_TOKEN_H
#define ACT_SYNTAX_TOKEN_H

#include "base/diag.h"

/* What stands around a statement decides which words mean something there. */
typedef enum Context {
    CONTEXT_FILE,     /* definitions */
    CONTEXT_BODY,     /* model, block, optimizer */
    CONTEXT_SETTINGS, /* train */
    CONTEXT_DATA,     /* data and its parts */
} Context;

typedef struct Token {
    int kind; /* TOK_… of the grammar, or RAW_… before the filter */
    Span span;
    uint32_t raw;    /* filtered: the number of the raw token it is or precedes */
    Context context; /* filtered: of its statement */
    bool made;       /* filtered: put in by the filter, has no text of its own */
    bool broken;     /* raw: an unterminated string, already reported */
} Token;

typedef VEC(Token) Tokens;

/* Raw kinds that never reach the grammar; above all that bison hands out. */
enum { RAW_NEWLINE = 10000, RAW_SEMICOLON, RAW_COMMENT, RAW_DOC, RAW_BAD };

/* The `##` lines above a statement. */
typedef struct Doc {
    uint32_t offset; /* of the statement's first token */
    Str text;
} Doc;

typedef VEC(Doc) Docs;

/* --- the scanner (scan.c around grammar/act.l) --- */

/* All tokens of a source, newlines and comments among them, ending in TOK_YYEOF. Bytes that are no text are
 * reported. */
Tokens scan_source(Arena *arena, Diags *diags, const Source *source);

/* --- the filter (filter*.c) --- */

/* Turns newlines into statement ends (TOK_TERM), reserves words by their place, and balances brackets, so that the
 * grammar never meets an unclosed one. What had to be put in or left out is reported. */
Tokens filter_tokens(Arena *arena, Diags *diags, const Source *source, const Tokens *raw, Docs *docs);

enum { NESTING_LIMIT = 200 };

bool token_ends_operand(int kind);   /* a name, a number, a string, `)` or `]` */
bool token_joins_operands(int kind); /* an operator that stands between two: not `-`, which is a sign too */
Str token_text(const Source *source, const Token *token);
/* The column (from 0, in bytes) at which a token stands. */
uint32_t token_column(const Source *source, const Token *token);

#endif
