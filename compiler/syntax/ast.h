/* The syntax tree: one node type; the table below is its grammar.
 *
 * The parser's actions only build these nodes; the printer, the checker of names and the editor read them.
 * `kids` says which node stands where; `?` means the slot may be NULL, `…` any number of that from there on. */
#ifndef ACT_SYNTAX_AST_H
#define ACT_SYNTAX_AST_H

#include "base/source.h"

// clang-format off
#define AST_KINDS(X)                                                                                                  \
/*  kind        text holds                     kids                                                                */ \
/* definitions */                                                                                                     \
  X(FILE,       "",                            "definition…")                                                         \
  X(IMPORT,     "the path",                    "")                                                                    \
  X(PARAM,      "the name",                    "value")                                                               \
  X(MODEL,      "the name",                    "statement…")                                                          \
  X(DATA,       "the name",                    "part or statement…")                                                  \
  X(PART,       "train|validation|test|…",     "statement…  (`validation = split(0.1)` is an ASSIGN in DATA)")        \
  X(TRAIN,      "the model's name",            "setting…")                                                            \
  X(BLOCK,      "the name",                    "PARAMETERS, statement…")                                              \
  X(FUNCTION,   "the name; `word` says which", "PARAMETERS?, expr  (no PARAMETERS: `activation swish = silu`)")       \
  X(OPTIMIZER,  "the name",                    "PARAMETERS, statement…")                                              \
  X(PARAMETERS, "",                            "PARAMETER…")                                                          \
  X(PARAMETER,  "the name",                    "default?")                                                            \
/* statements */                                                                                                      \
  X(ASSIGN,     "`training` or empty",         "NAMES, TYPE?, expr   (text: `… when training`)")                      \
  X(NAMES,      "",                            "NAME…")                                                               \
  X(INPUT,      "the name",                    "TYPE, expr?")                                                         \
  X(TARGET,     "the name",                    "TYPE")                                                                \
  X(SHARE,      "the name",                    "expr")                                                                \
  X(STATE,      "the name",                    "expr")                                                                \
  X(LOSS,       "its name or empty",           "expr, NAMES?   (`loss for d : …`)")                                   \
  X(METRIC,     "its name or empty",           "expr")                                                                \
  X(OUTPUT,     "its name or empty",           "expr")                                                                \
  X(RESULT,     "",                            "expr…    (the value of a block, several with commas)")                \
  X(SETTING,    "the key: epochs, stop …",     "expr… , a FOR last?   (words are NAME: `checkpoint every 1 epoch`)")  \
  X(FOR,        "",                            "NAME…")                                                               \
  X(ALLOW,      "the reason",                  "NAME…   (hangs in `allow` of the node it precedes)")                  \
/* types */                                                                                                           \
  X(TYPE,       "f32|token|class|binary|…",    "COUNT?, SHAPE?, RANGE?   (class(10)[128], f32[3] in [0, 1])")         \
  X(COUNT,      "",                            "expr")                                                                \
  X(SHAPE,      "",                            "expr…")                                                               \
/* expressions */                                                                                                     \
  X(NUMBER,     "as written",                  "")                                                                    \
  X(STRING,     "without quotes, unescaped",   "")                                                                    \
  X(NAME,       "the name",                    "")                                                                    \
  X(LIST,       "",                            "expr…   [1, 64]")                                                     \
  X(GROUP,      "",                            "expr    (kept so that fmt prints the parentheses that were written)") \
  X(TUPLE,      "",                            "expr, expr…   (3, 5)")                                                \
  X(CALL,       "",                            "callee, ARG…")                                                        \
  X(ARG,        "its name or empty",           "expr")                                                                \
  X(PIPE,       "",                            "value, stage   (stage: NAME, CALL, FIELD, LABEL or GROUP)")           \
  X(LABEL,      "the label",                   "expr   (linear(128) as fc1)")                                         \
  X(UNARY,      "-",                           "expr")                                                                \
  X(BINARY,     "+ - * / ^ < <= > >= == !=",   "left, right")                                                         \
  X(IF,         "",                            "condition, then, else")                                               \
  X(FIELD,      "the field",                   "expr    (x.features, table.weight)")                                  \
  X(RANGE,      "",                            "low, high   (1..4, and the [0, 1] behind `in`)")                      \
  X(ERROR,      "",                            "")  /* what recovery left: sema says nothing about it */
// clang-format on

typedef enum AstKind {
#define X(kind, text, kids) AST_##kind,
    AST_KINDS(X)
#undef X
        AST_KIND_COUNT
} AstKind;

typedef struct Ast Ast;
struct Ast {
    AstKind kind;
    Span span;      /* the whole construct */
    Span name_span; /* of `text`, where it is a name */
    Str text;
    Str word;       /* FUNCTION: "activation", "function", "loss", "initializer" or "schedule";
                       a SETTING's expr: "," when a comma stands before it */
    Str doc;        /* the `##` lines above a definition, joined with newlines */
    double number;
    Ast *allow;     /* an ALLOW, or NULL; several chain through their own `allow` */
    Ast **kid;
    uint32_t n_kid;
    uint32_t height; /* levels from here down, this one included; bounded, so that recursion over a tree is safe */
};

const char *ast_kind_name(AstKind kind);
/* Structural equality: kinds, texts, numbers, children; not spans, docs or GROUPs. */
bool ast_equal(const Ast *a, const Ast *b);
/* An indented dump, one node a line (--emit=ast and golden tests). */
Str ast_dump(Arena *arena, const Ast *root);

#endif
