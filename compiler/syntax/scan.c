#include "syntax/scan.h"

#include "base/utf8.h"
#include "syntax/act_lex.h"
#include "syntax/act_parse.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int scan_next(yyscan_t scanner);

enum { LARGEST_SOURCE = 64 << 20 };

static Span scan_span(const Scan *scan)
{
    return (Span){scan->source->id, scan->begin, scan->end};
}

static Str scan_slice(const Scan *scan)
{
    return (Str){scan->source->text.p + scan->begin, scan->end - scan->begin};
}

static Diag *scan_report(Scan *scan, const char *code, const char *name, const char *message)
{
    return diag_new(scan->diags, LEVEL_ERROR, code, name, scan_span(scan), "%s", message);
}

int scan_number(Scan *scan)
{
    const char *text = str_c(scan->arena, scan_slice(scan));
    if (isinf(strtod(text, NULL))) {
        Diag *d = scan_report(scan, "ACT0008", "malformed_number", "this number is too large");
        diag_note(d, "numbers are stored in double precision, up to 1.8e308");
    }
    return TOK_NUMBER;
}

int scan_bad_number(Scan *scan)
{
    Str text = scan_slice(scan);
    Diag *d = diag_new(scan->diags, LEVEL_ERROR, "ACT0008", "malformed_number", scan_span(scan),
                       "`" STR_FMT "` is neither a number nor a name", STR_ARG(text));
    bool separators = true;
    Text plain = {.arena = scan->arena};
    for (uint32_t i = 0; i < text.n; i++) {
        separators = separators && (text.p[i] == '_' || text.p[i] == '.' || (text.p[i] >= '0' && text.p[i] <= '9'));
        if (text.p[i] != '_')
            text_putc(&plain, text.p[i]);
    }
    if (separators) {
        diag_help(d, "digits stand together");
        diag_fix(d, FIX_SAFE, scan_span(scan), STR_FMT, STR_ARG(text_str(&plain)));
    } else {
        diag_help(d, "numbers look like 12, 0.5 or 1e-3; a name starts with a letter");
    }
    return TOK_NUMBER;
}

int scan_meant(Scan *scan, int kind, const char *form, const char *help)
{
    Str text = scan_slice(scan);
    bool number = kind == TOK_NUMBER;
    Diag *d = diag_new(scan->diags, LEVEL_ERROR, number ? "ACT0008" : "ACT0003",
                       number ? "malformed_number" : "bad_character", scan_span(scan), "`" STR_FMT "` is no %s",
                       STR_ARG(text), number ? "number" : "operator");
    Text fix = {.arena = scan->arena};
    for (; *form; form++) {
        if (form[0] == '%' && form[1] == 's') {
            text_add(&fix, text);
            form++;
        } else {
            text_putc(&fix, *form);
        }
    }
    diag_help(d, "%s", help);
    diag_fix(d, FIX_SAFE, scan_span(scan), STR_FMT, STR_ARG(text_str(&fix)));
    return kind;
}

int scan_point(Scan *scan)
{
    char before = scan->begin ? scan->source->text.p[scan->begin - 1] : ' ';
    if (strchr(" \t\n\r,([{=+-*/^<>|;", before))
        return scan_meant(scan, TOK_NUMBER, "0%s", "digits stand on both sides of a decimal point");
    Str text = scan_slice(scan); /* x.3, 1.2.3: nothing that could be meant */
    Diag *d = diag_new(scan->diags, LEVEL_ERROR, "ACT0008", "malformed_number", scan_span(scan),
                       "`" STR_FMT "` is neither a number nor a field", STR_ARG(text));
    diag_help(d, "a number is `0.5`, a range `1..4`, a field `x.features`");
    return RAW_BAD;
}

int scan_string(Scan *scan)
{
    Str text = scan_slice(scan);
    for (uint32_t i = 0; i + 1 < text.n; i++) {
        if (text.p[i] != '\\')
            continue;
        i++;
        if (strchr("\"\\nt", text.p[i]))
            continue;
        Span span = {scan->source->id, scan->begin + i - 1, scan->begin + i + 1};
        Diag *d = diag_new(scan->diags, LEVEL_ERROR, "ACT0003", "bad_character", span, "this escape means nothing");
        diag_help(d, "a text knows \\\" \\\\ \\n and \\t; a backslash itself is written \\\\");
        break;
    }
    return TOK_STRING;
}

int scan_unterminated(Scan *scan)
{
    scan->broken = true;
    Span quote = {scan->source->id, scan->begin, scan->begin + 1};
    Diag *d = diag_new(scan->diags, LEVEL_ERROR, "ACT0004", "unterminated_string", quote,
                       "this text has no closing quote");
    diag_primary(d, "it starts here and has to end on the same line");
    diag_help(d, "close it with `\"`");
    return TOK_STRING;
}

int scan_single_quotes(Scan *scan)
{
    Str text = scan_slice(scan);
    Diag *d = scan_report(scan, "ACT0003", "bad_character", "a text stands in double quotes");
    diag_help(d, "replace the single quotes");
    if (!memchr(text.p, '"', text.n) && !memchr(text.p, '\\', text.n))
        diag_fix(d, FIX_SAFE, scan_span(scan), "\"" STR_FMT "\"", (int)text.n - 2, text.p + 1);
    return TOK_STRING;
}

int scan_foreign_comment(Scan *scan)
{
    Diag *d = diag_new(scan->diags, LEVEL_ERROR, "ACT0003", "bad_character",
                       (Span){scan->source->id, scan->begin, scan->begin + 2}, "`//` starts no comment");
    diag_help(d, "comments start with `#`");
    diag_fix(d, FIX_SAFE, (Span){scan->source->id, scan->begin, scan->begin + 2}, "#");
    return RAW_COMMENT;
}

int scan_bad(Scan *scan, const char *help)
{
    Str text = scan_slice(scan);
    bool visible = text.n > 1 || (text.p[0] > ' ' && text.p[0] < 0x7F);
    Str shown = visible ? str_printf(scan->arena, "`" STR_FMT "`", STR_ARG(text))
                        : str_printf(scan->arena, "the control character 0x%02X", (unsigned char)text.p[0]);
    Diag *d = diag_new(scan->diags, LEVEL_ERROR, "ACT0003", "bad_character", scan_span(scan),
                       STR_FMT " means nothing here", STR_ARG(shown));
    if (help)
        diag_help(d, "%s", help);
    return RAW_BAD;
}

/* Characters that word processors and formulas put where ASCII is meant. */
static const struct Lookalike {
    uint32_t code;
    int kind; /* 0: a space */
    const char *ascii, *help;
} lookalikes[] = {
    {0x00A0, 0, " ", "this is a space that cannot break; an ordinary one is meant"},
    {0x2009, 0, " ", "an ordinary space is meant"},
    {0x202F, 0, " ", "an ordinary space is meant"},
    {0x3000, 0, " ", "an ordinary space is meant"},
    {0x2212, TOK_MINUS, "-", "minus is written `-`"},
    {0x2013, TOK_MINUS, "-", "minus is written `-`"},
    {0x2014, TOK_MINUS, "-", "minus is written `-`"},
    {0x00D7, TOK_STAR, "*", "a product is written `*`"},
    {0x00B7, TOK_STAR, "*", "a product is written `*`"},
    {0x22C5, TOK_STAR, "*", "a product is written `*`"},
    {0x00F7, TOK_SLASH, "/", "a quotient is written `/`"},
    {0x2264, TOK_LE, "<=", "the comparison is written `<=`"},
    {0x2265, TOK_GE, ">=", "the comparison is written `>=`"},
    {0x2260, TOK_NE, "!=", "the comparison is written `!=`"},
    {0x2192, TOK_PIPE, "|>", "a value is passed on with `|>`"},
    {0x25B7, TOK_PIPE, "|>", "a value is passed on with `|>`"},
};

int scan_foreign(Scan *scan)
{
    uint32_t code;
    bool bad;
    Str text = scan_slice(scan);
    unsigned n = utf8_decode(text.p, text.n, &code, &bad);
    if (bad || n != text.n) { /* several characters, or bytes that are none: the first decides, the rest comes again */
        scan->end = scan->begin + n;
        text.n = n;
    }
    if (bad)
        return RAW_COMMENT; /* reported for the whole file */
    for (unsigned i = 0; i < sizeof lookalikes / sizeof *lookalikes; i++) {
        if (lookalikes[i].code != code)
            continue;
        Diag *d = diag_new(scan->diags, LEVEL_ERROR, "ACT0003", "bad_character", scan_span(scan),
                           "`" STR_FMT "` (U+%04X) only looks like `%s`", STR_ARG(text), code, lookalikes[i].ascii);
        diag_help(d, "%s", lookalikes[i].help);
        diag_fix(d, FIX_SAFE, scan_span(scan), "%s", lookalikes[i].ascii);
        return lookalikes[i].kind ? lookalikes[i].kind : RAW_COMMENT;
    }
    Diag *d = diag_new(scan->diags, LEVEL_ERROR, "ACT0003", "bad_character", scan_span(scan),
                       "`" STR_FMT "` (U+%04X) cannot stand here", STR_ARG(text), code);
    bool quote = code == 0x201C || code == 0x201D || code == 0x201E || code == 0x2018 || code == 0x2019;
    diag_help(d, quote ? "a text stands in plain double quotes"
                       : "names consist of a-z, 0-9 and _; other characters belong in texts and comments");
    return RAW_BAD;
}

/* Bytes that are no text get one message for the file; false when the rest is not worth reading. */
static bool scan_check_text(Diags *diags, const Source *source)
{
    Str text = source->text;
    uint32_t first = 0, n_bad = 0;
    if (text.n > LARGEST_SOURCE) {
        diag_new(diags, LEVEL_ERROR, "ACT0003", "bad_character", (Span){source->id, 0, 0},
                 "this file is too large to be a description of a network");
        return false;
    }
    const char *nul = text.n ? memchr(text.p, 0, text.n) : NULL;
    if (nul) {
        uint32_t at = (uint32_t)(nul - text.p);
        Diag *d = diag_new(diags, LEVEL_ERROR, "ACT0003", "bad_character", (Span){source->id, at, at + 1},
                           "this is not a text file: it holds a zero byte");
        diag_help(d, "save it as UTF-8 text (files in UTF-16 look like this too)");
        return false;
    }
    for (uint32_t i = 0; i < text.n;) {
        uint32_t code;
        bool bad;
        unsigned n = utf8_decode(text.p + i, text.n - i, &code, &bad);
        if (bad && n_bad++ == 0)
            first = i;
        i += n;
    }
    if (!n_bad)
        return true;
    Diag *d = diag_new(diags, LEVEL_ERROR, "ACT0003", "bad_character", (Span){source->id, first, first + 1},
                       "the byte 0x%02X is not UTF-8 text", (unsigned char)text.p[first]);
    if (n_bad > 1)
        diag_note(d, "%u bytes of this file are not", n_bad);
    diag_help(d, "save the file as UTF-8");
    return n_bad <= 64 && n_bad <= text.n / 4;
}

Tokens scan_source(Arena *arena, Diags *diags, const Source *source)
{
    Tokens tokens = {0};
    Scan scan = {.arena = arena, .diags = diags, .source = source};
    yyscan_t scanner = NULL;
    Str text = scan_check_text(diags, source) ? source->text : STR("");
    if (act_scanlex_init_extra(&scan, &scanner) != 0)
        base_out_of_memory(text.n);
    YY_BUFFER_STATE buffer = act_scan_scan_bytes(text.p, (int)text.n, scanner);
    bool foreign = false; /* a run of foreign characters is one mistake */
    for (;;) {
        uint32_t n_diag = diags->list.n, before = scan.end;
        scan.broken = false;
        int kind = scan_next(scanner);
        Token token = {.kind = kind, .span = {source->id, scan.begin, scan.end}, .broken = scan.broken};
        if (kind == TOK_YYEOF)
            token.span.begin = token.span.end = text.n;
        bool again = kind == RAW_BAD && foreign && scan.begin == before;
        if (again)
            diags->list.n = n_diag;
        else
            *vec_push(arena, &tokens) = token;
        foreign = kind == RAW_BAD;
        if (kind == TOK_YYEOF)
            break;
    }
    act_scan_delete_buffer(buffer, scanner);
    act_scanlex_destroy(scanner);
    return tokens;
}

Str token_text(const Source *source, const Token *token)
{
    return (Str){source->text.p + token->span.begin, token->span.end - token->span.begin};
}

uint32_t token_column(const Source *source, const Token *token)
{
    uint32_t at = token->span.begin;
    while (at > 0 && source->text.p[at - 1] != '\n')
        at--;
    return token->span.begin - at;
}
