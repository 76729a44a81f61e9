/* The canonical form: one statement a line, four spaces a level, one way to put spaces, at most one blank line.
 *
 * It works on tokens, not on the tree, because the tree knows no comments and no line breaks: where a statement is
 * broken into lines stays the author's choice, everything else is settled here. Keywords of neighbouring statements and
 * the comments of neighbouring lines line up. */
#include "syntax/parse.h"

#include "base/utf8.h"
#include "syntax/act_parse.h"
#include "syntax/token.h"

enum { INDENT = 4 };

typedef struct Line {
    Text text;
    Str comment; /* behind the text, or alone when the text is empty */
    bool blank;  /* a blank line stands above */
} Line;

/* An open bracket, or the statement itself at the bottom. */
typedef struct Open {
    unsigned base;   /* indentation of the line it was opened on */
    unsigned column; /* of what follows it */
    unsigned pipe;   /* column of its first `|>`; 0: none yet */
    bool hanging;    /* nothing follows it on its line */
} Open;

typedef struct Format {
    Arena *arena;
    const Source *source;
    const Token *raw;
    Tokens tokens;
    unsigned *pad; /* for each token: spaces behind it, so that what follows lines up */
    VEC(Line) lines;
    VEC(Open) open;
    unsigned depth; /* of braces */
    bool one_line;  /* inside `{ … }` that stays on its line */
} Format;

static unsigned cells(Str text)
{
    unsigned n = 0;
    for (uint32_t i = 0; i < text.n;) {
        uint32_t code;
        i += utf8_decode(text.p + i, text.n - i, &code, NULL);
        n += utf8_cells(code);
    }
    return n;
}

static Line *last_line(Format *f)
{
    return f->lines.n ? &f->lines.at[f->lines.n - 1] : NULL;
}

static unsigned column_now(Format *f)
{
    return cells(text_str(&last_line(f)->text));
}

static void line_begin(Format *f, unsigned indent, bool blank)
{
    Line *line = vec_push(f->arena, &f->lines);
    *line = (Line){.text = {.arena = f->arena}, .blank = blank && f->lines.n > 1};
    text_printf(&line->text, "%*s", (int)indent, "");
}

/* --- what lies between two tokens -------------------------------------------------------------------------------- */

static Str comment_text(const Format *f, uint32_t raw)
{
    Str text = token_text(f->source, &f->raw[raw]);
    while (text.n && (text.p[text.n - 1] == ' ' || text.p[text.n - 1] == '\t' || text.p[text.n - 1] == '\r'))
        text.n--;
    return text;
}

static bool is_comment(const Format *f, uint32_t raw)
{
    return f->raw[raw].kind == RAW_COMMENT || f->raw[raw].kind == RAW_DOC;
}

/* Writes the comments in [begin, end): the first, if its line has code, behind that code; the others on lines of their
 * own. Returns how many newlines stand at the end, so that the caller knows whether a blank line follows. */
static unsigned write_comments(Format *f, uint32_t begin, uint32_t end, unsigned indent, bool blanks)
{
    unsigned newlines = 0;
    for (uint32_t i = begin; i < end; i++) {
        if (f->raw[i].kind == RAW_NEWLINE) {
            newlines++;
        } else if (is_comment(f, i)) {
            Line *line = last_line(f);
            if (newlines == 0 && line && !line->comment.n) {
                line->comment = comment_text(f, i);
                continue;
            }
            bool first = !f->lines.n;
            line_begin(f, indent, blanks && newlines > 1 && !first);
            last_line(f)->comment = comment_text(f, i);
            newlines = 0;
        }
    }
    return newlines;
}

static bool breaks_line(const Format *f, uint32_t begin, uint32_t end)
{
    for (uint32_t i = begin; i < end; i++)
        if (f->raw[i].kind == RAW_NEWLINE)
            return true;
    return false;
}

/* --- spaces ------------------------------------------------------------------------------------------------------ */

static bool is_tight(int kind)
{
    return kind == TOK_CARET || kind == TOK_DOT || kind == TOK_DOTS;
}

static bool is_opener(int kind)
{
    return kind == TOK_LPAREN || kind == TOK_LBRACKET;
}

static bool is_closer(int kind)
{
    return kind == TOK_RPAREN || kind == TOK_RBRACKET;
}

/* Between two tokens of one line. `sign`: the first is a minus without a left side. */
static bool wants_space(int before, bool sign, int kind)
{
    if (is_opener(before) || is_closer(kind) || kind == TOK_COMMA || is_tight(before) || is_tight(kind) || sign)
        return false;
    if (is_opener(kind)) /* a call, a shape: `f(`, `f32[`, `class(10)[`; JUXT parts what does not belong together */
        return !(before == TOK_NAME || is_closer(before) || before == TOK_ALLOW);
    return true;
}

/* --- a token ----------------------------------------------------------------------------------------------------- */

static unsigned continuation_indent(Format *f, int kind)
{
    Open *open = &f->open.at[f->open.n - 1];
    bool statement = f->open.n == 1;
    if (is_closer(kind) && !statement)
        return open->hanging ? open->base : open->column - 1;
    unsigned indent = statement || open->hanging ? open->base + INDENT : open->column;
    if (kind != TOK_PIPE)
        return indent;
    return open->pipe ? open->pipe : indent;
}

/* Opens and closes of brackets, and the column of the first `|>`, once the token is written. */
static void track(Format *f, const Token *token, const Token *next)
{
    Open *top = &f->open.at[f->open.n - 1];
    Str line = text_str(&last_line(f)->text);
    if (token->kind == TOK_PIPE && !top->pipe)
        top->pipe = column_now(f) - 2;
    if (is_opener(token->kind)) {
        unsigned base = 0;
        while (base < line.n && line.p[base] == ' ')
            base++;
        bool hanging = breaks_line(f, token->raw + 1, next->raw);
        *vec_push(f->arena, &f->open) = (Open){.base = base, .column = column_now(f), .hanging = hanging};
    } else if (is_closer(token->kind) && f->open.n > 1) {
        f->open.n--;
    }
}

static void write_token(Format *f, uint32_t at, const Token *before, bool sign)
{
    const Token *token = &f->tokens.at[at];
    Line *line = last_line(f);
    if (before && wants_space(before->kind, sign, token->kind))
        text_putc(&line->text, ' ');
    text_add(&line->text, token_text(f->source, token));
    if (f->pad[at])
        text_printf(&line->text, "%*s", (int)f->pad[at], "");
}

/* --- bodies and statements --------------------------------------------------------------------------------------- */

/* Does the body that opens here stay on one line? It holds one plain statement and was written on one line. */
static bool body_fits(const Format *f, uint32_t at)
{
    uint32_t i = at + 1, terms = 0;
    for (; f->tokens.at[i].kind != TOK_RBRACE; i++) {
        if (f->tokens.at[i].kind == TOK_LBRACE || f->tokens.at[i].kind == TOK_ALLOW)
            return false;
        terms += f->tokens.at[i].kind == TOK_TERM;
    }
    return terms <= 1 && !breaks_line(f, f->tokens.at[at].raw, f->tokens.at[i].raw);
}

static bool lines_up(int head)
{
    return head == TOK_INPUT || head == TOK_TARGET || head == TOK_LOSS || head == TOK_METRIC || head == TOK_OUTPUT;
}

/* What a statement lines up with: 1 a statement of a model, 2 a setting, 0 nothing. */
static int alignment_class(const Format *f, uint32_t at)
{
    int kind = f->tokens.at[at].kind;
    if (kind == TOK_KEY)
        return f->tokens.at[at + 1].kind == TOK_TERM ? 0 : 2;
    return lines_up(kind) ? 1 : 0;
}

/* Pads the first words of statements [first, n) of `heads` to a common width. */
static void pad_run(Format *f, const uint32_t *heads, uint32_t n)
{
    unsigned widest = 0;
    for (uint32_t i = 0; i < n; i++) {
        unsigned width = cells(token_text(f->source, &f->tokens.at[heads[i]]));
        widest = width > widest ? width : widest;
    }
    for (uint32_t i = 0; i < n; i++)
        f->pad[heads[i]] = widest - cells(token_text(f->source, &f->tokens.at[heads[i]]));
}

static unsigned newlines_between(const Format *f, uint32_t begin, uint32_t end)
{
    unsigned n = 0, most = 0;
    for (uint32_t i = begin; i < end; i++) {
        n = f->raw[i].kind == RAW_NEWLINE ? n + 1 : 0;
        most = n > most ? n : most;
    }
    return most;
}

/* Runs of neighbouring statements of one class; a blank line or any other statement ends a run. */
static void find_padding(Format *f)
{
    VEC(uint32_t) run = {0};
    int class = 0;
    uint32_t last = 0; /* the real token before */
    bool start = true;
    for (uint32_t i = 0; i < f->tokens.n; i++) {
        const Token *token = &f->tokens.at[i];
        if (token->kind == TOK_TERM) {
            start = true;
            continue;
        }
        if (start || token->kind == TOK_RBRACE) {
            int mine = alignment_class(f, i);
            bool apart = newlines_between(f, f->tokens.at[last].raw + 1, token->raw) > 1;
            if (mine != class || apart || f->tokens.at[last].kind == TOK_LBRACE) {
                pad_run(f, run.at, run.n);
                run.n = 0;
                class = mine;
            }
            if (mine)
                *vec_push(f->arena, &run) = i;
        }
        start = token->kind == TOK_LBRACE;
        if (!token->made)
            last = i;
    }
    pad_run(f, run.at, run.n);
}

/* The first token of a statement, a `}` or the end: on a line of its own. */
static void begin_statement(Format *f, const Token *token, uint32_t gap, bool after_brace)
{
    bool closes = token->kind == TOK_RBRACE, end = token->kind == TOK_YYEOF;
    unsigned inside = f->depth * INDENT;
    uint32_t n_lines = f->lines.n;
    unsigned newlines = write_comments(f, gap, token->raw, inside, true);
    if (after_brace && f->lines.n > n_lines)
        f->lines.at[n_lines].blank = false;
    bool commented = f->lines.n > n_lines;
    if (end)
        return;
    line_begin(f, closes ? inside - INDENT : inside, newlines > 1 && !closes && (!after_brace || commented));
}

static void format_tokens(Format *f)
{
    const Token *before = NULL; /* the real token before this one on its line */
    uint32_t gap = 0, depth_allow = 0;
    bool start = true, after_brace = false, sign = false, allow = false;
    for (uint32_t at = 0; at < f->tokens.n; at++) {
        const Token *token = &f->tokens.at[at];
        int kind = token->kind;
        if (kind == TOK_TERM) {
            start = true;
            continue;
        }
        if (token->made)
            continue;
        if (kind == TOK_COMMA && is_closer(f->tokens.at[at + 1].kind) &&
            !breaks_line(f, token->raw, f->tokens.at[at + 1].raw))
            continue; /* a comma behind the last argument */
        bool own_line = start || kind == TOK_RBRACE || kind == TOK_YYEOF;
        if (f->one_line && own_line) {
            bool empty = kind == TOK_RBRACE && f->tokens.at[at - 1].kind == TOK_LBRACE;
            text_add(&last_line(f)->text, empty ? STR("") : STR(" "));
            before = NULL;
        } else if (own_line) {
            begin_statement(f, token, gap, after_brace);
            before = NULL;
            f->open.n = 0;
            unsigned indent = f->depth * INDENT;
            *vec_push(f->arena, &f->open) = (Open){.base = indent, .column = indent};
        } else if (kind != TOK_LBRACE && breaks_line(f, gap, token->raw)) {
            unsigned indent = continuation_indent(f, kind);
            write_comments(f, gap, token->raw, indent, false);
            line_begin(f, indent, false);
            before = NULL;
        }
        if (kind == TOK_YYEOF)
            break;
        bool juxtaposed = at > 0 && f->tokens.at[at - 1].kind == TOK_JUXT && before;
        if (juxtaposed && !wants_space(before->kind, false, kind))
            text_putc(&last_line(f)->text, ' ');
        write_token(f, at, before, sign);
        track(f, token, &f->tokens.at[at + 1 < f->tokens.n ? at + 1 : at]);
        sign = kind == TOK_MINUS && !(at > 0 && token_ends_operand(f->tokens.at[at - 1].kind));
        after_brace = kind == TOK_LBRACE;
        if (kind == TOK_LBRACE) {
            f->one_line = body_fits(f, at);
            f->depth++;
            /* comments between the header and its brace go behind the brace */
            if (!f->one_line)
                write_comments(f, gap, token->raw, f->depth * INDENT, false);
        } else if (kind == TOK_RBRACE) {
            f->one_line = false;
            f->depth--;
        }
        start = after_brace;
        allow = allow || kind == TOK_ALLOW;
        depth_allow += allow && is_opener(kind);
        depth_allow -= allow && is_closer(kind);
        if (allow && depth_allow == 0 && is_closer(kind)) {
            allow = false;
            start = true;
        }
        before = token;
        gap = token->raw + 1;
    }
}

/* --- lines out --------------------------------------------------------------------------------------------------- */

static bool has_code(const Line *line)
{
    for (size_t i = 0; i < line->text.n; i++)
        if (line->text.p[i] != ' ')
            return true;
    return false;
}

static bool has_side_comment(const Line *line)
{
    return line->comment.n && has_code(line);
}

/* Its comment is about the whole body, not about a row of it. */
static bool opens_body(const Line *line)
{
    return line->text.n && line->text.p[line->text.n - 1] == '{';
}

/* The column of the comments of lines [i, …) that stand behind code without a gap: two spaces behind the widest. */
static unsigned comment_column(const Format *f, uint32_t i)
{
    unsigned column = 0;
    for (bool more = true; more && i < f->lines.n && has_side_comment(&f->lines.at[i]); i++) {
        unsigned width = cells(text_str(&f->lines.at[i].text));
        column = width > column ? width : column;
        more = !opens_body(&f->lines.at[i]) && i + 1 < f->lines.n && !f->lines.at[i + 1].blank;
    }
    return column + 2;
}

static void write_lines(const Format *f, Text *out)
{
    unsigned column = 0;
    for (uint32_t i = 0; i < f->lines.n; i++) {
        const Line *line = &f->lines.at[i];
        Str text = text_str(&line->text);
        if (line->blank)
            text_putc(out, '\n');
        text_add(out, text);
        if (!has_side_comment(line) || line->blank)
            column = 0;
        if (has_side_comment(line)) {
            column = column ? column : comment_column(f, i);
            text_printf(out, "%*s", (int)(column - cells(text)), "");
        }
        text_add(out, line->comment);
        text_putc(out, '\n');
        if (opens_body(line))
            column = 0;
    }
}

Str format_source(Arena *arena, const Source *source, const Ast *root)
{
    (void)root; /* a tree without errors: what the caller has checked */
    Sources sources = {.arena = arena};
    Diags diags = {.arena = arena, .sources = &sources};
    Docs docs = {0};
    Tokens raw = scan_source(arena, &diags, source);
    Format f = {.arena = arena, .source = source, .raw = raw.at};
    f.tokens = filter_tokens(arena, &diags, source, &raw, &docs);
    f.pad = arena_array(arena, unsigned, f.tokens.n);
    find_padding(&f);
    format_tokens(&f);
    Text out = {.arena = arena};
    write_lines(&f, &out);
    return text_str(&out);
}
