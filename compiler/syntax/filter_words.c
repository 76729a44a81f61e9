/* Which word is reserved where. It is a keyword only in a place where it means something and cannot be a name. */
#include "syntax/filter.h"

#include "syntax/act_parse.h"
#include "syntax/words.h"

#include <string.h>

static int raw_kind(const Filter *f, uint32_t raw)
{
    return f->raw[raw].kind;
}

static Str raw_text(const Filter *f, uint32_t raw)
{
    return token_text(f->source, &f->raw[raw]);
}

static bool raw_is(const Filter *f, uint32_t raw, const char *word)
{
    return raw_kind(f, raw) == TOK_NAME && str_is(raw_text(f, raw), word);
}

const Word words_table[] = {
#define X(text, token, places, follow, doc) {text, TOK_##token, places, follow, doc},
    WORDS(X)
#undef X
};

const unsigned words_count = sizeof words_table / sizeof *words_table;

static const Word *words_find(Str text, unsigned places)
{
    for (unsigned i = 0; i < words_count; i++)
        if ((words_table[i].places & places) && str_is(text, words_table[i].text))
            return &words_table[i];
    return NULL;
}

bool words_joins(const Filter *f, uint32_t raw)
{
    static const char *const joins[] = {"as", "in", "when", "for", "then", "else"};
    for (unsigned i = 0; i < sizeof joins / sizeof *joins; i++)
        if (raw_is(f, raw, joins[i]))
            return true;
    return false;
}

bool words_bind(const Filter *f, uint32_t raw, uint32_t *end)
{
    uint32_t i = raw;
    for (;; i = filter_significant(f, i + 1)) {
        if (raw_kind(f, i) != TOK_NAME)
            return false;
        i = filter_on_line(f, i + 1);
        if (raw_kind(f, i) != TOK_COMMA)
            break;
    }
    *end = i;
    return raw_kind(f, i) == TOK_ASSIGN || raw_kind(f, i) == TOK_COLON;
}

/* Behind a keyword stands what it is about; anything else makes the word a name: `input |> relu`, `loss, x`. */
static bool words_follow(const Filter *f, uint32_t raw, Follow follow)
{
    uint32_t next = filter_on_line(f, raw + 1);
    int kind = raw_kind(f, next);
    switch (follow) {
    case FOLLOW_NAME:
        return kind == TOK_NAME && !words_joins(f, next);
    case FOLLOW_TEXT:
        return kind == TOK_STRING;
    case FOLLOW_VALUE:
        return (kind == TOK_NAME && (!words_joins(f, next) || raw_is(f, next, "for"))) || kind == TOK_NUMBER ||
               kind == TOK_STRING || kind == TOK_LPAREN || kind == TOK_LBRACKET || kind == TOK_MINUS;
    }
    return false;
}

static unsigned words_places(Context context)
{
    static const unsigned places[] = {
        [CONTEXT_FILE] = IN_FILE, [CONTEXT_BODY] = IN_BODY, [CONTEXT_SETTINGS] = 0, [CONTEXT_DATA] = 0};
    return places[context];
}

bool words_begin_statement(const Filter *f, uint32_t raw)
{
    uint32_t end;
    if (raw_kind(f, raw) == TOK_ALLOW)
        return true;
    if (raw_kind(f, raw) != TOK_NAME)
        return false;
    if (words_bind(f, raw, &end))
        return true;
    const Word *word = words_find(raw_text(f, raw), IN_FILE | IN_BODY);
    return word && words_follow(f, raw, FOLLOW_NAME);
}

bool words_continue_line(const Filter *f, uint32_t raw)
{
    int kind = raw_kind(f, raw);
    if (kind == TOK_LBRACE) /* nothing else begins with it */
        return f->head != TOK_TERM;
    return token_joins_operands(kind) || raw_is(f, raw, "then") || raw_is(f, raw, "else");
}

bool words_begin_definition(const Filter *f, uint32_t raw, bool *nests)
{
    const Word *word = words_find(raw_text(f, raw), IN_FILE);
    if (!word)
        return false;
    *nests = word->places & IN_BODY;
    uint32_t next = filter_on_line(f, raw + 1);
    if (word->token == TOK_IMPORT)
        return raw_kind(f, next) == TOK_STRING;
    if (raw_kind(f, next) != TOK_NAME)
        return false;
    /* `param x =`, `activation f(x) =`, `model m {`; but not `loss fit = …` and not `schedule cosine(warmup = 3)`. */
    bool brackets = false;
    uint32_t depth = 0;
    for (uint32_t i = next + 1; raw_kind(f, i) != TOK_YYEOF; i++) {
        int kind = raw_kind(f, i);
        bool opens = kind == TOK_LPAREN || kind == TOK_LBRACKET, closes = kind == TOK_RPAREN || kind == TOK_RBRACKET;
        depth += opens;
        depth -= closes && depth;
        brackets = brackets || opens;
        if (kind == TOK_LBRACE)
            return word->token != TOK_DEFINE && word->token != TOK_PARAM;
        if (kind == TOK_ASSIGN && depth == 0)
            return word->token == TOK_PARAM ||
                   (word->token == TOK_DEFINE && (brackets || !str_is(raw_text(f, raw), "loss")));
        if ((kind == RAW_NEWLINE && depth == 0 && raw_kind(f, filter_significant(f, i)) != TOK_LBRACE) ||
            kind == TOK_RBRACE || kind == RAW_SEMICOLON)
            return false;
    }
    return false;
}

Context words_context_inside(const Filter *f, int head, Str word)
{
    if (head == TOK_NAME) { /* a misspelt one: the nearest that has a body */
        static const Str bodies[] = {{"model", 5}, {"block", 5}, {"optimizer", 9}, {"train", 5}, {"data", 4}};
        static const int heads[] = {TOK_MODEL, TOK_BLOCK, TOK_OPTIMIZER, TOK_TRAIN, TOK_DATA};
        int nearest = str_nearest(word, bodies, sizeof bodies / sizeof *bodies);
        head = nearest >= 0 ? heads[nearest] : TOK_MODEL;
    }
    if (head == TOK_KEY)
        return filter_context(f);
    if (head == TOK_TRAIN)
        return CONTEXT_SETTINGS;
    if (head == TOK_DATA || head == TOK_PART)
        return CONTEXT_DATA;
    return CONTEXT_BODY;
}

/* The first word of a statement. */
static int words_first(Filter *f, uint32_t raw)
{
    Context context = filter_context(f);
    uint32_t next = filter_on_line(f, raw + 1), end;
    if (context == CONTEXT_DATA && raw_kind(f, filter_significant(f, next)) == TOK_LBRACE)
        return TOK_PART;
    bool settings = context == CONTEXT_SETTINGS || context == CONTEXT_DATA;
    if (words_bind(f, raw, &end) && !(settings && raw_kind(f, end) == TOK_COLON)) {
        f->binds_end = end;
        return TOK_BIND;
    }
    if (settings)
        return TOK_KEY;
    const Word *word = words_find(raw_text(f, raw), words_places(context));
    if (word && (context == CONTEXT_FILE || words_follow(f, raw, word->follow)))
        return word->token;
    /* A word of the other place is misplaced, and placement.c says so. */
    word = words_find(raw_text(f, raw), context == CONTEXT_FILE ? IN_BODY : IN_FILE);
    return word && words_follow(f, raw, word->follow) ? word->token : TOK_NAME;
}

int words_resolve(Filter *f, uint32_t raw)
{
    if (f->prev == TOK_DOT)
        return TOK_NAME;
    if (raw_is(f, raw, "if"))
        return TOK_IF;
    if (raw_is(f, raw, "then"))
        return TOK_THEN;
    if (raw_is(f, raw, "else"))
        return TOK_ELSE;
    if (f->start)
        return words_first(f, raw);
    if (raw < f->binds_end)
        return TOK_BIND;
    bool joins = token_ends_operand(f->prev);
    if (joins && raw_is(f, raw, "as"))
        return TOK_AS;
    if (joins && raw_is(f, raw, "in"))
        return TOK_IN;
    if (joins && raw_is(f, raw, "when"))
        return TOK_WHEN;
    if (raw_is(f, raw, "for") && (joins || f->prev == TOK_LOSS))
        return TOK_FOR;
    return TOK_NAME;
}
