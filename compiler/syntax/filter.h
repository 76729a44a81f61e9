/* The parts of the token filter: filter.c (lines and the order of work), filter_words.c (which word is reserved where),
 * filter_brackets.c (what is opened and closed). Private to this floor. */
#ifndef ACT_SYNTAX_FILTER_H
#define ACT_SYNTAX_FILTER_H

#include "syntax/token.h"

#define NO_TOKEN UINT32_MAX

/* An open `{` and the statement it belongs to. */
typedef struct Frame {
    Context context; /* of the statements inside */
    uint32_t open;   /* raw number of the `{` */
    uint32_t column; /* of the statement's first token */
    bool indented;   /* its body is: so a definition that is not cannot be part of it */
} Frame;

/* An open `(` or `[`; the first level of a statement is the statement itself. */
typedef struct Bracket {
    uint32_t open; /* raw number */
    uint32_t ifs;  /* `if`s that are still open on this level … */
    uint32_t tight; /* … and signs and powers: both nest without a bracket */
} Bracket;

typedef struct Filter {
    Arena *arena;
    Diags *diags;
    const Source *source;
    const Token *raw; /* ends in TOK_YYEOF */
    uint32_t n_raw;
    Tokens out;
    Docs *docs;

    VEC(Frame) frames;
    VEC(Bracket) levels;
    uint32_t nesting;  /* of all frames and levels together */
    int32_t missing;   /* more `{` than `}` in the file: then indentation decides which one is not closed */
    uint32_t skip;     /* not 0: nothing goes out until this frame is closed, it is nested too deep */

    int prev;          /* kind of the last token that went out; TOK_TERM at the start */
    bool start;        /* the next token begins a statement */
    bool mute;         /* the rest of this statement is thrown away: it is reported */
    int head;          /* kind of the statement's first token */
    uint32_t head_raw; /* its number */
    uint32_t binds_end; /* NAMEs before this raw token are given a value */
    uint32_t close_at; /* here the open brackets of the statement are closed, because nothing else closes them */
    bool allow;        /* inside the brackets of an `@allow` */
    uint32_t doc_begin, doc_end; /* raw numbers of the pending `##` lines */
} Filter;

Context filter_context(const Filter *f);
void filter_emit(Filter *f, int kind, uint32_t raw);
void filter_make(Filter *f, int kind, uint32_t raw); /* a token that has no text, before the raw one */
void filter_too_deep(Filter *f, uint32_t raw);
void filter_end_statement(Filter *f, uint32_t raw);
/* The next raw token that is no newline and no comment. */
uint32_t filter_significant(const Filter *f, uint32_t raw);
/* The next raw token on the same line; the newline itself when there is none. */
uint32_t filter_on_line(const Filter *f, uint32_t raw);
uint32_t filter_column(const Filter *f, uint32_t raw);
bool filter_first_on_line(const Filter *f, uint32_t raw);

/* --- words ------------------------------------------------------------------------------------------------------- */

/* The kind of a NAME in its place. */
int words_resolve(Filter *f, uint32_t raw);
/* Does a line that begins with this token begin a statement, whatever came before? `name =` and `loss name` do. */
bool words_begin_statement(const Filter *f, uint32_t raw);
bool words_bind(const Filter *f, uint32_t raw, uint32_t *end); /* a, b = …  or  a : … */
/* A definition that only stands at the top of a file (`block` too, and *nests tells), as far as its own line says. */
bool words_begin_definition(const Filter *f, uint32_t raw, bool *nests);
bool words_continue_line(const Filter *f, uint32_t raw); /* `|>`, `+`, `then` … at the start of a line */
bool words_joins(const Filter *f, uint32_t raw);         /* as, in, when, for, then, else */
Context words_context_inside(const Filter *f, int head, Str word);

/* --- brackets ---------------------------------------------------------------------------------------------------- */

void brackets_open(Filter *f, uint32_t raw);
void brackets_close(Filter *f, uint32_t raw);
void brackets_close_group(Filter *f, uint32_t raw); /* at close_at */
void braces_open(Filter *f, uint32_t raw);
/* A definition whose `{` was forgotten, in a file with a `}` too many: reported and put in. */
bool braces_open_missing(Filter *f, uint32_t raw);
void braces_close(Filter *f, uint32_t raw);
/* A statement begins: bodies that it cannot be part of, because it is not set in as they are, or because it is a
 * definition, are reported and closed. */
void braces_before_statement(Filter *f, uint32_t raw);
void braces_at_end(Filter *f, uint32_t raw);
int32_t braces_missing(const Filter *f); /* `{` less `}` */

#endif
