/* Who is called what: every name of the user's text with the definition it means, found by the rules of scope alone.
 *
 * The evaluator resolves names too, but only those it comes by; renaming needs all of them, in a block that nobody
 * calls and in the branch that is not taken. */
#ifndef ACT_LSP_NAMES_H
#define ACT_LSP_NAMES_H

#include "base/map.h"
#include "sema/model.h"

typedef enum SymbolKind {
    SYMBOL_VALUE, /* x = … */
    SYMBOL_INPUT,
    SYMBOL_TARGET,
    SYMBOL_SHARE,
    SYMBOL_STATE,
    SYMBOL_PARAMETER, /* of a definition */
    SYMBOL_LABEL,     /* linear(8) as fc1 */
    SYMBOL_BLOCK,     /* inside a model */
    SYMBOL_DEF        /* of a file or of the library */
} SymbolKind;

typedef struct Symbol {
    SymbolKind kind;
    Str name;
    Span span;      /* of the name where it is defined; source 0: written in the compiler */
    const Ast *ast; /* the statement or definition; NULL: written in the compiler */
    const Def *def; /* SYMBOL_DEF */
} Symbol;

typedef struct NameUse {
    Span span;
    const Symbol *symbol;
    bool call; /* in front of `(` or behind `|>` */
} NameUse;

typedef struct NameScope {
    const struct NameScope *parent;
    const Ast *ast; /* MODEL, BLOCK, FUNCTION, OPTIMIZER; NULL: the file */
    Map symbols;    /* Symbol */
    Map labels;
} NameScope;

typedef struct Names {
    Arena *arena;
    const Program *program;
    NameScope *global; /* no symbols: definitions are looked up by kind */
    VEC(NameScope *) scopes;
    VEC(NameUse) uses; /* where a name is defined counts as one; ordered by source and place */
    const Symbol **of_def;
} Names;

Names *names_new(Arena *arena, const Program *program);
/* The name that stands at a byte, or ends there; NULL: none. */
const NameUse *names_at(const Names *names, uint32_t source, uint32_t offset);
const Symbol *names_def(Names *names, const Def *def);
/* The scope of a body; NULL: the body has none. */
const NameScope *names_scope(const Names *names, const Ast *body);
/* What a call means: a function, layer, block, loss or initializer by name, the user's before the library's. */
const Def *names_callable(const Program *program, Str name);
/* Of a kind; NULL: none. The user's hides the library's. */
bool def_is_hidden(const Program *program, const Def *def);
const char *def_kind_word(const Def *def); /* "activation", "layer" … */

#endif
