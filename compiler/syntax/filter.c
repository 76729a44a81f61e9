#include "syntax/filter.h"

#include "syntax/act_parse.h"

Context filter_context(const Filter *f)
{
    return f->frames.n ? f->frames.at[f->frames.n - 1].context : CONTEXT_FILE;
}

bool token_ends_operand(int kind)
{
    return kind == TOK_NAME || kind == TOK_NUMBER || kind == TOK_STRING || kind == TOK_RPAREN || kind == TOK_RBRACKET;
}

bool token_joins_operands(int kind)
{
    switch (kind) {
    case TOK_PLUS:
    case TOK_STAR:
    case TOK_SLASH:
    case TOK_CARET:
    case TOK_LT:
    case TOK_LE:
    case TOK_GT:
    case TOK_GE:
    case TOK_EQ:
    case TOK_NE:
    case TOK_PIPE:
        return true;
    default:
        return false;
    }
}

static bool is_space(int kind)
{
    return kind == RAW_NEWLINE || kind == RAW_COMMENT || kind == RAW_DOC;
}

uint32_t filter_significant(const Filter *f, uint32_t raw)
{
    while (is_space(f->raw[raw].kind))
        raw++;
    return raw;
}

uint32_t filter_on_line(const Filter *f, uint32_t raw)
{
    while (f->raw[raw].kind == RAW_COMMENT || f->raw[raw].kind == RAW_DOC)
        raw++;
    return raw;
}

uint32_t filter_column(const Filter *f, uint32_t raw)
{
    return token_column(f->source, &f->raw[raw]);
}

bool filter_first_on_line(const Filter *f, uint32_t raw)
{
    return raw == 0 || f->raw[raw - 1].kind == RAW_NEWLINE;
}

/* --- tokens out -------------------------------------------------------------------------------------------------- */

static void filter_attach_doc(Filter *f, uint32_t raw)
{
    if (f->doc_begin == NO_TOKEN)
        return;
    Text text = {.arena = f->arena};
    for (uint32_t i = f->doc_begin; i < f->doc_end; i++) {
        if (f->raw[i].kind != RAW_DOC)
            continue;
        Str line = token_text(f->source, &f->raw[i]);
        uint32_t skip = line.n > 2 && line.p[2] == ' ' ? 3 : 2;
        while (line.n > skip && (line.p[line.n - 1] == ' ' || line.p[line.n - 1] == '\r'))
            line.n--;
        if (i > f->doc_begin)
            text_putc(&text, '\n');
        text_add(&text, (Str){line.p + skip, line.n - skip});
    }
    *vec_push(f->arena, f->docs) = (Doc){f->raw[raw].span.begin, text_str(&text)};
    f->doc_begin = NO_TOKEN;
}

static void filter_push(Filter *f, Token token)
{
    token.context = filter_context(f);
    if (!f->skip)
        *vec_push(f->arena, &f->out) = token;
    f->prev = token.kind;
}

static void filter_begin_statement(Filter *f, int kind, uint32_t raw)
{
    filter_attach_doc(f, raw);
    f->start = false;
    f->head = kind;
    f->head_raw = raw;
}

void filter_emit(Filter *f, int kind, uint32_t raw)
{
    if (f->start && kind != TOK_TERM && kind != TOK_RBRACE && kind != TOK_YYEOF)
        filter_begin_statement(f, kind, raw);
    if (f->mute)
        return;
    /* Words of a setting stand side by side: `every 1 epoch`. */
    bool operand = kind == TOK_NAME || kind == TOK_NUMBER || kind == TOK_STRING || kind == TOK_LBRACKET;
    bool uncalled = kind == TOK_LPAREN && (f->prev == TOK_NUMBER || f->prev == TOK_STRING || f->prev == TOK_RBRACKET);
    uint32_t levels = f->levels.n - (kind == TOK_LBRACKET || kind == TOK_LPAREN); /* the bracket has been entered */
    if (f->head == TOK_KEY && (operand || uncalled) && levels == 1 && token_ends_operand(f->prev))
        filter_make(f, TOK_JUXT, raw);
    filter_push(f, (Token){.kind = kind, .span = f->raw[raw].span, .raw = raw});
}

void filter_make(Filter *f, int kind, uint32_t raw)
{
    if (f->mute && kind != TOK_TERM && kind != TOK_LBRACE && kind != TOK_RBRACE)
        return;
    uint32_t at = f->out.n ? f->out.at[f->out.n - 1].span.end : 0;
    filter_push(f, (Token){.kind = kind, .span = {f->source->id, at, at}, .raw = raw, .made = true});
}

void filter_end_statement(Filter *f, uint32_t raw)
{
    if (f->start && f->prev == TOK_TERM)
        return;
    if (f->out.n == 0 || (f->start && f->prev == TOK_LBRACE))
        return;
    filter_make(f, TOK_TERM, raw);
    f->nesting -= f->levels.at[0].ifs + f->levels.at[0].tight;
    f->levels.at[0] = (Bracket){NO_TOKEN, 0, 0};
    f->start = true;
    f->mute = false;
    f->head = TOK_TERM;
    f->binds_end = 0;
}

void filter_too_deep(Filter *f, uint32_t raw)
{
    if (f->mute || f->skip)
        return;
    Diag *d = diag_new(f->diags, LEVEL_ERROR, "ACT0005", "too_deep", f->raw[raw].span,
                       "this is nested more than %d levels deep", NESTING_LIMIT);
    diag_help(d, "give an inner part a name of its own");
    filter_make(f, TOK_ACT_YYerror, raw);
    f->mute = true;
}

/* --- lines ------------------------------------------------------------------------------------------------------- */

/* Behind these a line is not finished. */
static bool continues_after(int kind)
{
    switch (kind) {
    case TOK_MINUS:
    case TOK_DOTS:
    case TOK_DOT:
    case TOK_ASSIGN:
    case TOK_COMMA:
    case TOK_COLON:
    case TOK_IF:
    case TOK_THEN:
    case TOK_ELSE:
        return true;
    default:
        return token_joins_operands(kind);
    }
}

static void filter_newline(Filter *f, uint32_t raw)
{
    if (f->levels.n > 1 || f->start)
        return;
    uint32_t next = filter_significant(f, raw);
    if ((words_continue_line(f, next) && !f->mute) || braces_open_missing(f, raw))
        return;
    /* `a = b +` and a new statement below: the mistake is up here, so the line ends here. */
    if (continues_after(f->prev) && !f->mute && (next < f->binds_end || !words_begin_statement(f, next)))
        return;
    filter_end_statement(f, raw);
}

static void filter_doc(Filter *f, uint32_t raw)
{
    if (!filter_first_on_line(f, raw))
        return; /* behind a statement it is a comment */
    bool joins = f->doc_begin != NO_TOKEN && f->doc_end == raw - 1; /* only the newline between */
    if (!joins)
        f->doc_begin = raw;
    f->doc_end = raw + 1;
}

/* --- nesting without brackets ------------------------------------------------------------------------------------ */

static void filter_count_nesting(Filter *f, int kind, uint32_t raw)
{
    Bracket *level = &f->levels.at[f->levels.n - 1];
    uint32_t before = level->ifs + level->tight;
    bool prefix = kind == TOK_MINUS && !token_ends_operand(f->prev);
    if (kind == TOK_IF)
        level->ifs++;
    else if (kind == TOK_CARET || prefix)
        level->tight++;
    else if (kind == TOK_COMMA)
        level->ifs = level->tight = 0;
    else if (continues_after(kind))
        level->tight = 0;
    f->nesting = f->nesting + level->ifs + level->tight - before;
    if (f->nesting > NESTING_LIMIT)
        filter_too_deep(f, raw);
}

static void filter_token(Filter *f, uint32_t raw)
{
    int kind = f->raw[raw].kind;
    if (raw == f->close_at)
        brackets_close_group(f, raw);
    if (f->start && kind < RAW_NEWLINE && kind != TOK_RBRACE)
        braces_before_statement(f, raw);
    switch (kind) {
    case RAW_COMMENT:
        break;
    case RAW_DOC:
        filter_doc(f, raw);
        break;
    case RAW_NEWLINE:
        filter_newline(f, raw);
        break;
    case RAW_SEMICOLON:
        filter_end_statement(f, raw);
        break;
    case RAW_BAD:
        filter_emit(f, TOK_ACT_YYerror, raw);
        break;
    case TOK_STRING:
        if (f->raw[raw].broken && f->levels.n > 1) { /* who knows what it swallowed */
            filter_emit(f, TOK_ACT_YYerror, raw);
            f->mute = true;
            break;
        }
        filter_emit(f, kind, raw);
        break;
    case TOK_LBRACE:
        braces_open(f, raw);
        break;
    case TOK_RBRACE:
        braces_close(f, raw);
        break;
    case TOK_LPAREN:
    case TOK_LBRACKET:
        brackets_open(f, raw);
        break;
    case TOK_RPAREN:
    case TOK_RBRACKET:
        brackets_close(f, raw);
        break;
    default:
        if (kind == TOK_NAME)
            kind = words_resolve(f, raw);
        if (kind == TOK_ALLOW)
            f->allow = true;
        filter_count_nesting(f, kind, raw);
        filter_emit(f, kind, raw);
        break;
    }
}

Tokens filter_tokens(Arena *arena, Diags *diags, const Source *source, const Tokens *raw, Docs *docs)
{
    Filter f = {.arena = arena, .diags = diags, .source = source, .raw = raw->at, .n_raw = raw->n, .docs = docs};
    f.prev = f.head = TOK_TERM;
    f.start = true;
    f.close_at = f.doc_begin = NO_TOKEN;
    *vec_push(arena, &f.levels) = (Bracket){NO_TOKEN, 0, 0};
    f.missing = braces_missing(&f);
    uint32_t last = raw->n - 1;
    for (uint32_t i = 0; i < last; i++)
        filter_token(&f, i);
    if (f.close_at == last)
        brackets_close_group(&f, last);
    filter_end_statement(&f, last);
    braces_at_end(&f, last);
    filter_emit(&f, TOK_YYEOF, last);
    return f.out;
}
