#include "lsp/cursor.h"

#include "syntax/token.h"
#include "syntax/words.h"

typedef struct Bracket {
    char open;
    Str callee; /* of a call */
    bool piped, allow;
    uint32_t index;
    Str argument;
    VEC(Str) given;
    /* { */
    Body body;
    uint32_t begin;
    Str name;
} Bracket;

typedef struct Reader {
    Arena *arena;
    Str text;
    VEC(Str) statement; /* its tokens so far, brackets and all */
    uint32_t begin;     /* of its first one */
    VEC(Bracket) open;
} Reader;

static bool is_word(Str token)
{
    char c = token.n ? token.p[0] : 0;
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static Str at_end(const Reader *r, uint32_t back)
{
    return r->statement.n > back ? r->statement.at[r->statement.n - 1 - back] : (Str){"", 0};
}

static Str head(const Reader *r) { return r->statement.n ? r->statement.at[0] : (Str){"", 0}; }

static Bracket *top(Reader *r) { return r->open.n ? &r->open.at[r->open.n - 1] : NULL; }

static Body innermost_body(const Reader *r, const Bracket **bracket)
{
    *bracket = NULL;
    for (uint32_t i = r->open.n; i-- > 0;)
        if (r->open.at[i].open == '{') {
            *bracket = &r->open.at[i];
            return r->open.at[i].body;
        }
    return BODY_FILE;
}

static Body body_of(const Reader *r, Body around)
{
    Str word = head(r);
    if (around == BODY_DATA)
        return BODY_PART;
    return str_is(word, "model")       ? BODY_MODEL
           : str_is(word, "block")     ? BODY_BLOCK
           : str_is(word, "train")     ? BODY_TRAIN
           : str_is(word, "data")      ? BODY_DATA
           : str_is(word, "optimizer") ? BODY_OPTIMIZER
                                       : BODY_FILE;
}

static bool continues(Str token)
{
    static const char *const operators[] = {"|>", "+", "*", "/", "^", "<", "<=", ">", ">=", "==", "!=", "then", "else"};
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
        if (str_is(token, operators[i]))
            return true;
    return false;
}

static bool wants_more(Str token)
{
    return continues(token) || str_is(token, "=") || str_is(token, ",") || str_is(token, "-") || str_is(token, ":") ||
           str_is(token, "if");
}

/* A word that only begins statements, with a word behind it: brackets still open before it were forgotten. */
static bool begins_statement(const Tokens *tokens, uint32_t i, Str text)
{
    Str word = {text.p + tokens->at[i].span.begin, tokens->at[i].span.end - tokens->at[i].span.begin};
    if (i + 1 >= tokens->n)
        return false;
    Str next = {text.p + tokens->at[i + 1].span.begin, tokens->at[i + 1].span.end - tokens->at[i + 1].span.begin};
    for (unsigned k = 0; k < words_count; k++)
        if (str_is(word, words_table[k].text) && (is_word(next) || !next.n || next.p[0] == '\n'))
            return true;
    return false;
}

static void end_statement(Reader *r)
{
    while (r->open.n && top(r)->open != '{')
        r->open.n--;
    r->statement.n = 0;
}

static void open_bracket(Reader *r, char c)
{
    Bracket bracket = {.open = c};
    if (c == '(') {
        Str callee = at_end(r, 0);
        bracket.allow = str_is(callee, "@allow");
        bracket.callee = is_word(callee) ? callee : (Str){"", 0};
        bracket.piped = str_is(at_end(r, 1), "|>");
    } else if (c == '{') {
        const Bracket *outer;
        Body around = innermost_body(r, &outer);
        bracket.body = body_of(r, around);
        bracket.begin = r->begin;
        bracket.name = r->statement.n > 1 ? r->statement.at[1] : (Str){"", 0};
        if (around == BODY_DATA) /* a part belongs to its data */
            bracket.name = outer->name;
    }
    *vec_push(r->arena, &r->open) = bracket;
    if (c == '{')
        r->statement.n = 0;
}

static void close_bracket(Reader *r, char c)
{
    char open = c == ')' ? '(' : c == ']' ? '[' : '{';
    for (uint32_t i = r->open.n; i-- > 0;) {
        if (r->open.at[i].open == open) {
            r->open.n = i;
            break;
        }
        if (r->open.at[i].open == '{') /* no bracket reaches out of a body */
            break;
    }
    if (c == '}')
        r->statement.n = 0;
}

static void take(Reader *r, Str token, uint32_t begin)
{
    char c = token.n == 1 ? token.p[0] : 0;
    if (!r->statement.n && (c == ')' || c == ']')) /* closes nothing, and no statement begins so */
        return;
    if (!r->statement.n)
        r->begin = begin;
    Bracket *inner = top(r);
    if (c == '(' || c == '[' || c == '{') {
        open_bracket(r, c);
        if (c == '{')
            return;
    } else if (c == ')' || c == ']' || c == '}') {
        close_bracket(r, c);
        if (c == '}')
            return;
    } else if (inner && inner->open == '(' && c == ',') {
        inner->index++;
        inner->argument = (Str){"", 0};
    } else if (inner && inner->open == '(' && c == '=' && is_word(at_end(r, 0))) {
        inner->argument = at_end(r, 0);
        *vec_push(r->arena, &inner->given) = inner->argument;
    }
    *vec_push(r->arena, &r->statement) = token;
}

static CursorPlace place_of_head(const Reader *r, const Cursor *cx)
{
    Str word = head(r);
    static const char *const makes_name[] = {"model",    "data",        "block", "optimizer", "activation",
                                             "function", "initializer", "param", "input",     "target",
                                             "share",    "state",       "import"};
    if (cx->body == BODY_TRAIN)
        return PLACE_SETTING;
    if (str_is(word, "train") && cx->body == BODY_FILE)
        return PLACE_MODEL;
    if (str_is(word, "metric"))
        return PLACE_METRIC;
    if (str_is(word, "loss"))
        return cx->body == BODY_FILE ? PLACE_NOTHING : PLACE_LOSS;
    for (size_t i = 0; i < sizeof makes_name / sizeof *makes_name; i++)
        if (str_is(word, makes_name[i]))
            return PLACE_NOTHING;
    return PLACE_VALUE;
}

/* `block residual(x, width`: names are made up here, except behind `=`. */
static bool in_parameters(const Reader *r, const Cursor *cx)
{
    Str word = head(r);
    bool defines = str_is(word, "block") || (cx->body == BODY_FILE && is_word(word) && r->statement.n > 2 &&
                                             is_word(r->statement.at[1]) && str_is(r->statement.at[2], "("));
    uint32_t level = 0;
    for (uint32_t i = r->open.n; i-- > 0 && r->open.at[i].open != '{';)
        level++;
    return defines && level == 1 && str_eq(cx->callee, r->statement.n > 1 ? r->statement.at[1] : (Str){"", 0});
}

static CursorPlace place_of(Reader *r, Cursor *cx)
{
    const Bracket *inner = top(r);
    Str last = at_end(r, 0);
    if (inner && inner->allow)
        return inner->argument.n ? PLACE_NOTHING : PLACE_RULE;
    if (str_is(last, ".")) {
        cx->object = at_end(r, 1);
        return PLACE_FIELD;
    }
    if (str_is(last, "|>"))
        return PLACE_STAGE;
    if (!r->statement.n)
        return PLACE_STATEMENT;
    if (str_is(last, "as"))
        return PLACE_NOTHING;
    if (str_is(last, "for"))
        return PLACE_GROUP;
    if (cx->callee.n && in_parameters(r, cx))
        return str_is(last, "=") ? PLACE_VALUE : PLACE_NOTHING;
    if (inner && inner->open == '(' && cx->callee.n)
        return PLACE_ARGUMENT;
    if (str_is(last, ":") && !str_is(head(r), "loss"))
        return PLACE_TYPE;
    if (r->statement.n == 1)
        return place_of_head(r, cx);
    if (cx->body == BODY_TRAIN)
        return PLACE_SETTING;
    if (str_is(head(r), "loss") && cx->body != BODY_FILE)
        return PLACE_LOSS;
    if (str_is(head(r), "metric") && str_is(last, "="))
        return PLACE_METRIC;
    bool operand =
        is_word(last) || str_is(last, ")") || str_is(last, "]") || (last.n && last.p[0] >= '0' && last.p[0] <= '9');
    return operand && !wants_more(last) ? PLACE_NOTHING : PLACE_VALUE;
}

static void finish(Reader *r, Cursor *cx)
{
    const Bracket *inner = top(r), *body;
    cx->body = innermost_body(r, &body);
    cx->body_begin = body ? body->begin : 0;
    cx->body_name = body ? body->name : (Str){"", 0};
    cx->setting = cx->body == BODY_TRAIN ? head(r) : (Str){"", 0};
    cx->metric = str_is(head(r), "metric");
    for (uint32_t i = r->open.n; i-- > 0 && r->open.at[i].open != '{';)
        if (r->open.at[i].open == '(' && r->open.at[i].callee.n) {
            inner = &r->open.at[i];
            cx->callee = inner->callee;
            cx->piped = inner->piped;
            cx->index = inner->index;
            cx->argument = inner->argument;
            for (uint32_t k = 0; k < inner->given.n; k++)
                *vec_push(r->arena, &cx->given) = inner->given.at[k];
            break;
        }
    cx->place = place_of(r, cx);
}

Cursor cursor_at(Arena *arena, Str text, uint32_t offset)
{
    Cursor cx = {.place = PLACE_NOTHING, .prefix = {"", 0}};
    Sources sources = {.arena = arena};
    Diags diags = {.arena = arena, .sources = &sources};
    const Source *source = source_add(&sources, STR("cursor"), text, false);
    Tokens tokens = scan_source(arena, &diags, source);
    Reader r = {.arena = arena, .text = source->text};
    bool silent = false; /* in a comment or a text */
    for (uint32_t i = 0; i < tokens.n; i++) {
        Token *token = &tokens.at[i];
        Span span = token->span;
        Str word = {source->text.p + span.begin, span.end - span.begin};
        bool comment = token->kind == RAW_COMMENT || token->kind == RAW_DOC;
        if (span.begin >= offset || !word.n)
            break;
        bool quoted = word.p[0] == '"';
        if ((comment && span.end >= offset) || (quoted && (span.end > offset || token->broken)))
            silent = true;
        if (silent)
            break;
        if (is_word(word) && span.end >= offset) {
            cx.prefix = (Str){word.p, offset - span.begin};
            break;
        }
        if (comment)
            continue;
        if (token->kind == RAW_SEMICOLON) {
            end_statement(&r);
        } else if (token->kind == RAW_NEWLINE) {
            uint32_t next = i + 1;
            while (next < tokens.n && (tokens.at[next].kind == RAW_NEWLINE || tokens.at[next].kind == RAW_COMMENT ||
                                       tokens.at[next].kind == RAW_DOC))
                next++;
            Span ahead = next < tokens.n ? tokens.at[next].span : span;
            bool before = ahead.begin <= offset;
            Str first = before ? (Str){source->text.p + ahead.begin, ahead.end - ahead.begin} : (Str){"", 0};
            bool bracket =
                r.open.n && top(&r)->open != '{' && !(before && begins_statement(&tokens, next, source->text));
            if (!bracket && !wants_more(at_end(&r, 0)) && !continues(first))
                end_statement(&r);
        } else {
            take(&r, word, span.begin);
        }
    }
    finish(&r, &cx);
    if (silent)
        cx.place = PLACE_NOTHING;
    return cx;
}
