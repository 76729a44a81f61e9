/* What is opened and closed. The parser only sees brackets that balance: a missing one is reported where it was opened,
 * with the place where it was missed, and put in; so one slip costs one message and one statement at most. */
#include "syntax/filter.h"

#include "syntax/act_parse.h"

static bool is_open(int kind)
{
    return kind == TOK_LPAREN || kind == TOK_LBRACKET;
}

static bool is_close(int kind)
{
    return kind == TOK_RPAREN || kind == TOK_RBRACKET;
}

static int closer_of(int open)
{
    return open == TOK_LPAREN ? TOK_RPAREN : TOK_RBRACKET;
}

static const char *bracket_name(int kind)
{
    switch (kind) {
    case TOK_LPAREN:
        return "(";
    case TOK_RPAREN:
        return ")";
    case TOK_LBRACKET:
        return "[";
    case TOK_RBRACKET:
        return "]";
    case TOK_LBRACE:
        return "{";
    default:
        return "}";
    }
}

/* --- ( and [ ----------------------------------------------------------------------------------------------------- */

typedef VEC(uint32_t) Opens;

/* Does a line break inside brackets separate two values that nothing joins? Then a closing bracket is missing; unless
 * the line is set in deeper than its statement (`column`), for then it belongs to it, and only a comma is missing. */
static bool line_breaks_group(const Filter *f, uint32_t before, uint32_t next, uint32_t column)
{
    if (words_joins(f, next) || filter_column(f, next) > column)
        return false;
    int kind = f->raw[next].kind;
    bool value = kind == TOK_NAME || kind == TOK_NUMBER || kind == TOK_STRING || kind == TOK_LBRACKET ||
                 kind == TOK_ALLOW;
    if (value && token_ends_operand(f->raw[before].kind))
        return true;
    uint32_t end; /* `loss f(x)` cannot stand inside brackets, `name = value` can */
    return !words_bind(f, next, &end) && words_begin_statement(f, next);
}

/* A character or text on the way was reported already, and may have hidden the bracket. */
static bool group_is_reported(const Filter *f, uint32_t begin, uint32_t end)
{
    for (uint32_t i = begin; i < end; i++)
        if (f->raw[i].kind == RAW_BAD || f->raw[i].broken)
            return true;
    return false;
}

typedef struct Group {
    bool closed;
    uint32_t end;  /* the closer; or the token in front of which it must have ended */
    uint32_t deep; /* brackets open at once */
} Group;

/* Follows the group opened at `raw`, up to `limit` at most. */
static Group group_follow(const Filter *f, uint32_t raw, uint32_t limit, Opens *open)
{
    Group group = {0};
    uint32_t before = raw; /* the last token that is not space */
    uint32_t column = filter_column(f, f->start ? raw : f->head_raw);
    for (uint32_t i = raw; i < limit; i++) {
        int kind = f->raw[i].kind;
        group.end = i;
        if (is_open(kind)) {
            *vec_push(f->arena, open) = i;
            group.deep = open->n > group.deep ? open->n : group.deep;
        } else if (is_close(kind)) {
            uint32_t n = open->n;
            while (n > 0 && closer_of(f->raw[open->at[n - 1]].kind) != kind)
                n--;
            open->n = n ? n - 1 : open->n - 1; /* a closer of the wrong kind closes the innermost */
            if (!open->n) {
                group.closed = true;
                return group;
            }
        } else if (kind == TOK_LBRACE || kind == TOK_RBRACE || kind == RAW_SEMICOLON || kind == TOK_YYEOF) {
            return group;
        } else if (kind == RAW_NEWLINE) {
            uint32_t next = filter_significant(f, i);
            if (!f->raw[before].broken && line_breaks_group(f, before, next, column))
                return group;
            i = next - 1;
            continue;
        } else if (kind == RAW_COMMENT || kind == RAW_DOC) {
            continue;
        }
        before = i;
    }
    return group;
}

/* Where a group that never ends is made to end: before the first line that is no deeper than the statement. */
static uint32_t group_resume(const Filter *f, uint32_t raw, const Group *group)
{
    uint32_t column = filter_column(f, f->start ? raw : f->head_raw);
    if (group->deep > NESTING_LIMIT)
        return group->end;
    for (uint32_t i = raw; i < group->end; i++) {
        if (f->raw[i].kind != RAW_NEWLINE)
            continue;
        uint32_t next = filter_significant(f, i);
        if (!is_close(f->raw[next].kind) && filter_column(f, next) <= column)
            return i;
        i = next - 1;
    }
    return group->end;
}

static void report_unclosed(Filter *f, uint32_t open, uint32_t before)
{
    const char *name = bracket_name(f->raw[open].kind), *closer = bracket_name(closer_of(f->raw[open].kind));
    if (f->raw[open].kind == TOK_LBRACE)
        closer = "}";
    Diag *d =
        diag_new(f->diags, LEVEL_ERROR, "ACT0006", "unclosed", f->raw[open].span, "this `%s` is never closed", name);
    uint32_t end = f->raw[before].span.begin;
    for (uint32_t i = before; i > open; i--)
        if (f->raw[i - 1].kind < RAW_NEWLINE) { /* behind the last token: that is where one would type */
            end = f->raw[i - 1].span.end;
            break;
        }
    if (f->raw[open].kind == TOK_LBRACE && f->raw[before].kind != TOK_YYEOF)
        diag_label(d, f->raw[before].span, "a `%s` is missing before this", closer);
    else
        diag_label(d, (Span){f->source->id, end, end}, "`%s` is missing here", closer);
}

static void levels_pop(Filter *f)
{
    const Bracket *level = &f->levels.at[--f->levels.n];
    f->nesting -= 1 + level->ifs + level->tight;
}

/* Puts in the closers of all but the first `keep` levels. An empty or unfinished inside cannot be saved. */
static void levels_close(Filter *f, uint32_t keep, uint32_t raw)
{
    for (; f->levels.n > keep; levels_pop(f)) {
        const Bracket *level = &f->levels.at[f->levels.n - 1];
        if (token_ends_operand(f->prev) && !f->allow) {
            filter_make(f, closer_of(f->raw[level->open].kind), raw);
        } else if (!f->mute) {
            filter_make(f, TOK_ACT_YYerror, raw);
            f->mute = true;
        }
    }
    if (keep == 1)
        f->allow = false;
}

void brackets_open(Filter *f, uint32_t raw)
{
    int kind = f->raw[raw].kind;
    if (f->levels.n == 1) {
        Opens open = {0};
        Group group = group_follow(f, raw, f->n_raw, &open);
        f->close_at = NO_TOKEN;
        if (!group.closed) {
            f->close_at = group_resume(f, raw, &group);
            open.n = 0;
            group_follow(f, raw, f->close_at, &open);
            if (!group_is_reported(f, raw, f->close_at) && open.n && !f->mute && group.deep <= NESTING_LIMIT)
                report_unclosed(f, open.at[open.n - 1], f->close_at);
        }
    }
    *vec_push(f->arena, &f->levels) = (Bracket){raw, 0, 0};
    f->nesting++;
    if (f->nesting > NESTING_LIMIT)
        filter_too_deep(f, raw);
    filter_emit(f, kind, raw);
}

void brackets_close_group(Filter *f, uint32_t raw)
{
    f->close_at = NO_TOKEN;
    levels_close(f, 1, raw);
}

void brackets_close(Filter *f, uint32_t raw)
{
    int kind = f->raw[raw].kind;
    if (f->levels.n == 1) {
        if (!f->mute)
            diag_help(diag_new(f->diags, LEVEL_ERROR, "ACT0006", "unclosed", f->raw[raw].span,
                               "this `%s` closes nothing", bracket_name(kind)),
                      "remove it, or open it with `%s` earlier in the statement", kind == TOK_RPAREN ? "(" : "[");
        return;
    }
    uint32_t match = f->levels.n;
    while (match > 1 && closer_of(f->raw[f->levels.at[match - 1].open].kind) != kind)
        match--;
    uint32_t top = f->levels.at[f->levels.n - 1].open;
    if (match > 1 && match < f->levels.n) {
        if (!f->mute)
            report_unclosed(f, top, raw);
        levels_close(f, match, raw);
    } else if (match == 1) {
        if (!f->mute) {
            Diag *d = diag_new(f->diags, LEVEL_ERROR, "ACT0006", "unclosed", f->raw[raw].span,
                               "this `%s` closes a `%s`", bracket_name(kind), bracket_name(f->raw[top].kind));
            diag_label(d, f->raw[top].span, "opened here");
            diag_help(d, "close it with `%s`", bracket_name(closer_of(f->raw[top].kind)));
        }
        kind = closer_of(f->raw[top].kind);
    }
    filter_emit(f, kind, raw);
    levels_pop(f);
    if (f->levels.n == 1 && f->allow) { /* the statement that is meant follows, on this line or the next */
        f->allow = false;
        f->start = !f->mute;
    }
}

/* --- { ----------------------------------------------------------------------------------------------------------- */

int32_t braces_missing(const Filter *f)
{
    int32_t n = 0;
    for (uint32_t i = 0; i < f->n_raw; i++)
        n += (f->raw[i].kind == TOK_LBRACE) - (f->raw[i].kind == TOK_RBRACE);
    return n;
}

static void frames_push(Filter *f, uint32_t raw, bool made)
{
    Frame frame = {.open = raw, .column = filter_column(f, f->start ? raw : f->head_raw)};
    frame.context = f->start ? filter_context(f)
                             : words_context_inside(f, f->head, token_text(f->source, &f->raw[f->head_raw]));
    uint32_t inside = filter_significant(f, made ? raw : raw + 1);
    frame.indented = filter_first_on_line(f, inside) && filter_column(f, inside) > frame.column;
    f->nesting++;
    if (f->nesting > NESTING_LIMIT && !f->skip) {
        filter_too_deep(f, raw);
        f->skip = f->frames.n + 1; /* nothing of this body goes out */
    }
    if (!f->skip) {
        f->mute = false;
        if (made)
            filter_make(f, TOK_LBRACE, raw);
        else
            filter_emit(f, TOK_LBRACE, raw);
    }
    *vec_push(f->arena, &f->frames) = frame;
    f->nesting -= f->levels.at[0].ifs + f->levels.at[0].tight;
    f->levels.at[0] = (Bracket){NO_TOKEN, 0, 0};
    f->binds_end = 0;
    f->prev = TOK_LBRACE;
    f->start = true;
    f->head = TOK_TERM;
}

void braces_open(Filter *f, uint32_t raw)
{
    levels_close(f, 1, raw);
    frames_push(f, raw, false);
}

bool braces_open_missing(Filter *f, uint32_t raw)
{
    bool named = f->head == TOK_MODEL || f->head == TOK_DATA || f->head == TOK_TRAIN;
    bool called = f->head == TOK_BLOCK || f->head == TOK_OPTIMIZER;
    if (f->missing >= 0 || f->mute || !((named && f->prev == TOK_NAME) || (called && f->prev == TOK_RPAREN)))
        return false;
    uint32_t at = f->out.at[f->out.n - 1].span.end;
    Diag *d = diag_new(f->diags, LEVEL_ERROR, "ACT0006", "unclosed", (Span){f->source->id, at, at},
                       "expected `{`, found the end of the line");
    diag_help(d, "a body stands in braces: `{ … }`");
    f->missing++;
    frames_push(f, raw, true);
    return true;
}

/* Ends the innermost body, with the `}` of the text or without one. */
static void frames_pop(Filter *f, uint32_t raw, bool made)
{
    filter_end_statement(f, raw);
    f->mute = false;
    if (f->skip) {
        if (f->skip == f->frames.n)
            f->skip = 0;
    } else if (made) {
        filter_make(f, TOK_RBRACE, raw);
    } else {
        filter_emit(f, TOK_RBRACE, raw);
    }
    f->frames.n--;
    f->nesting--;
    f->prev = TOK_RBRACE;
    f->start = false;
    filter_end_statement(f, raw);
}

static void frames_report(Filter *f, uint32_t raw)
{
    uint32_t open = f->frames.at[f->frames.n - 1].open;
    if (f->raw[open].kind == TOK_LBRACE) /* or it was put in, and reported */
        report_unclosed(f, open, raw);
    f->missing--;
    frames_pop(f, raw, true);
}

void braces_close(Filter *f, uint32_t raw)
{
    levels_close(f, 1, raw);
    /* A `}` that stands under an outer opening means that one: an inner body was not closed. */
    while (f->missing > 0 && f->frames.n > 1 && filter_first_on_line(f, raw)) {
        uint32_t column = filter_column(f, raw);
        bool outer = false;
        for (uint32_t i = 0; i + 1 < f->frames.n; i++)
            outer = outer || f->frames.at[i].column == column;
        if (!outer || f->frames.at[f->frames.n - 1].column <= column)
            break;
        frames_report(f, raw);
    }
    if (f->frames.n) {
        frames_pop(f, raw, false);
        return;
    }
    filter_end_statement(f, raw);
    f->missing++;
    Diag *d = diag_new(f->diags, LEVEL_ERROR, "ACT0006", "unclosed", f->raw[raw].span, "this `}` closes nothing");
    diag_help(d, "remove it, or open the body it ends with `{`");
}

void braces_before_statement(Filter *f, uint32_t raw)
{
    while (f->frames.n && filter_first_on_line(f, raw)) {
        const Frame *frame = &f->frames.at[f->frames.n - 1];
        bool nests, missing = f->missing > 0;
        if (filter_column(f, raw) > frame->column)
            return;
        bool outside = missing && frame->indented;
        if (!outside) {
            if (f->raw[raw].kind != TOK_NAME || !words_begin_definition(f, raw, &nests))
                return;
            if (!missing && (nests || !frame->indented))
                return;
        }
        frames_report(f, raw);
    }
}

void braces_at_end(Filter *f, uint32_t raw)
{
    while (f->frames.n)
        frames_report(f, raw);
}
