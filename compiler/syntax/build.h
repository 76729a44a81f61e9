/* What the grammar's actions call: one node, or one list, each. Private to this floor. */
#ifndef ACT_SYNTAX_BUILD_H
#define ACT_SYNTAX_BUILD_H

#include "syntax/ast.h"
#include "syntax/token.h"

/* One run of the parser. */
typedef struct ParseCtx {
    Arena *arena;
    Diags *diags;
    const Source *source;
    Tokens tokens;       /* filtered */
    const Token *raw;    /* what they were made of */
    uint32_t seen, next; /* the last one the parser took, and the one after */
    Docs docs;           /* in the order of the text */
    Ast *root;
    bool too_deep;       /* this statement was already reported as too deeply nested */
} ParseCtx;

typedef struct AstList {
    Ast **at;
    uint32_t n, cap;
} AstList;

AstList *list_new(ParseCtx *cx);
AstList *list_add(ParseCtx *cx, AstList *list, Ast *node);
AstList *list_first(ParseCtx *cx, Ast *first, const AstList *rest);

Ast *tree_node(ParseCtx *cx, AstKind kind, Span span, Str text, Span name, Ast *const *kid, size_t n);
Ast *tree_list(ParseCtx *cx, AstKind kind, Span span, const AstList *kids);
/* A definition with a body; `parameters` may be NULL. */
Ast *tree_body(ParseCtx *cx, AstKind kind, Span span, Str name, Span place, Ast *parameters, const AstList *body);
Ast *tree_function(ParseCtx *cx, Span span, Str word, Str name, Span place, Ast *parameters, Ast *value);
Ast *tree_import(ParseCtx *cx, Span span, Span place, Str text);
Ast *tree_when(ParseCtx *cx, Span span, Ast *names, Ast *type, Ast *value, Str when, Span place);
Ast *tree_setting(ParseCtx *cx, Span span, Str key, Span place, AstList *words, Ast *for_names);
Ast *tree_after_comma(Ast *word); /* remembers the comma for the printer */
Ast *tree_call(ParseCtx *cx, Span span, Ast *callee, const AstList *arguments);
Ast *tree_name(ParseCtx *cx, Span span, Str text);
Ast *tree_number(ParseCtx *cx, Span span, Str text);
Ast *tree_string(ParseCtx *cx, Span span, Str text);
Ast *tree_allow(ParseCtx *cx, Span span, const AstList *arguments);
Ast *tree_allowed(ParseCtx *cx, const AstList *allows, Ast *statement);

AstList *tree_statement(ParseCtx *cx, AstList *list, Ast *statement); /* hangs its documentation on it */
AstList *tree_broken(ParseCtx *cx, AstList *list, Span span);         /* an ERROR in its place */
void tree_file(ParseCtx *cx, Span span, const AstList *statements);

/* --- what the parser expected, for the message (mistake.c) ------------------------------------------------------- */

enum {
    EXPECT_VALUE = 1 << 0, /* a number: so any expression */
    EXPECT_NAME = 1 << 1,
    EXPECT_TEXT = 1 << 2,
    EXPECT_END = 1 << 3, /* of the statement */
    EXPECT_COMMA = 1 << 4,
    EXPECT_RPAREN = 1 << 5,
    EXPECT_RBRACKET = 1 << 6,
    EXPECT_LPAREN = 1 << 7,
    EXPECT_LBRACKET = 1 << 8,
    EXPECT_LBRACE = 1 << 9,
    EXPECT_COLON = 1 << 10,
    EXPECT_ASSIGN = 1 << 11,
    EXPECT_THEN = 1 << 12,
    EXPECT_ELSE = 1 << 13,
    EXPECT_OPERATOR = 1 << 14,
    EXPECT_RELATION = 1 << 15,
    EXPECT_STATEMENT = 1 << 16,
};

/* Reports the token that the parser stumbled over, the last it took. */
void mistake_report(ParseCtx *cx, unsigned expected);

/* Statements in bodies where they mean nothing (placement.c). */
void placement_check(Diags *diags, const Source *source, const Ast *root);

#endif
