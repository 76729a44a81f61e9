#include "lsp/mend.h"

#include "syntax/token.h"

#include <string.h>

enum { MAX_TRIES = 60, MAX_STATEMENT = 20000, MAX_BROKEN = 200 };

typedef struct Mend {
    Arena *arena;
    const Source *source;
    char *text;
    uint32_t broken;
} Mend;

static bool has_error(const Ast *ast)
{
    if (!ast)
        return false;
    if (ast->kind == AST_ERROR)
        return true;
    for (uint32_t i = 0; i < ast->n_kid; i++)
        if (has_error(ast->kid[i]))
            return true;
    return false;
}

/* The body a statement is tried in. */
static const char *opening(AstKind parent)
{
    switch (parent) {
    case AST_MODEL:
        return "model m {\n";
    case AST_BLOCK:
        return "block b(x) {\n";
    case AST_OPTIMIZER:
        return "optimizer o(w, g) {\n";
    case AST_TRAIN:
        return "train m {\n";
    case AST_DATA:
        return "data d {\n";
    case AST_PART:
        return "data d {\ntrain {\n";
    default:
        return "";
    }
}

/* Is `text` one statement there, other than a stray value? */
static bool reads(Mend *m, AstKind parent, Str text)
{
    Sources sources = {.arena = m->arena};
    Diags diags = {.arena = m->arena, .sources = &sources};
    const char *before = opening(parent);
    Str all = str_printf(m->arena, "%s" STR_FMT "\n%s", before, STR_ARG(text),
                         parent == AST_PART ? "}\n}\n"
                         : *before          ? "}\n"
                                            : "");
    const Ast *at = parse_source(m->arena, &diags, source_add(&sources, STR("mend"), all, false));
    if (has_error(at))
        return false;
    for (int level = parent == AST_PART ? 2 : *before != 0; level > 0; level--) {
        if (at->n_kid != 1)
            return false;
        at = at->kid[0];
    }
    const Ast *last = at->n_kid ? at->kid[at->n_kid - 1] : NULL;
    uint32_t statements = at->n_kid - (at->n_kid && at->kid[0] && at->kid[0]->kind == AST_PARAMETERS);
    return statements == 1 && last && (last->kind != AST_RESULT || parent == AST_BLOCK);
}

static void blank(Mend *m, uint32_t begin, uint32_t end)
{
    for (uint32_t i = begin; i < end; i++)
        if (m->text[i] != '\n' && m->text[i] != '\r')
            m->text[i] = ' ';
}

static void mend_statement(Mend *m, AstKind parent, Span span)
{
    uint32_t end = span.begin;
    if (m->broken++ < MAX_BROKEN && span.end - span.begin <= MAX_STATEMENT) {
        Arena *scratch = arena_new();
        Mend trial = {.arena = scratch, .source = m->source};
        Sources sources = {.arena = scratch};
        Diags diags = {.arena = scratch, .sources = &sources};
        Str text = {m->source->text.p + span.begin, span.end - span.begin};
        Tokens tokens = scan_source(scratch, &diags, source_add(&sources, STR("mend"), text, false));
        uint32_t tries = 0;
        for (uint32_t i = tokens.n; i-- > 0 && tries < MAX_TRIES;) {
            Span token = tokens.at[i].span;
            if (tokens.at[i].kind >= RAW_NEWLINE || token.begin == token.end)
                continue;
            tries++;
            if (reads(&trial, parent, (Str){text.p, token.end})) {
                end = span.begin + token.end;
                break;
            }
        }
        arena_free(scratch);
    }
    blank(m, end, span.end);
}

static void mend_body(Mend *m, const Ast *body)
{
    for (uint32_t i = 0; i < body->n_kid; i++) {
        const Ast *kid = body->kid[i];
        if (!kid)
            continue;
        if (kid->kind == AST_ERROR)
            mend_statement(m, body->kind, kid->span);
        else if (kid->kind <= AST_OPTIMIZER)
            mend_body(m, kid);
    }
}

static bool broken_below(const Ast *body)
{
    for (uint32_t i = 0; i < body->n_kid; i++)
        if (body->kid[i] &&
            (body->kid[i]->kind == AST_ERROR || (body->kid[i]->kind <= AST_OPTIMIZER && broken_below(body->kid[i]))))
            return true;
    return false;
}

Str mend_text(Arena *arena, const Source *source, const Ast *file)
{
    if (!broken_below(file))
        return (Str){0};
    Mend m = {.arena = arena, .source = source, .text = arena_copy(arena, source->text.p, source->text.n + 1)};
    mend_body(&m, file);
    return (Str){m.text, source->text.n};
}
