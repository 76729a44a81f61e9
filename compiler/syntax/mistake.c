/* A syntax error as a sentence: what would have fitted, what stands there, and a way out. */
#include "syntax/build.h"

#include "syntax/act_parse.h"
#include "syntax/words.h"

/* The token as the user sees it; TERM stands for what ended the line. */
static Str describe(const ParseCtx *cx, const Token *token)
{
    int kind = token->made ? cx->raw[token->raw].kind : token->kind;
    if (kind == TOK_YYEOF)
        return STR("the end of the file");
    if (kind == RAW_NEWLINE || kind == RAW_COMMENT || kind == RAW_DOC)
        return STR("the end of the line");
    Str text = token_text(cx->source, &cx->raw[token->raw]);
    if (kind == TOK_STRING)
        return text.n <= 24 ? text : STR("a text");
    return str_printf(cx->arena, "`" STR_FMT "`", STR_ARG(text));
}

typedef struct Phrase {
    Text text;
    unsigned n;
    const char *last;
} Phrase;

static void phrase_add(Phrase *phrase, const char *item)
{
    if (phrase->last) {
        if (phrase->n++)
            text_add(&phrase->text, STR(", "));
        text_add(&phrase->text, str_of(phrase->last));
    }
    phrase->last = item;
}

static Str phrase_end(Phrase *phrase)
{
    if (phrase->n)
        text_add(&phrase->text, STR(" or "));
    text_add(&phrase->text, str_of(phrase->last));
    return text_str(&phrase->text);
}

static Str describe_expected(const ParseCtx *cx, unsigned expected)
{
    static const struct {
        unsigned bit;
        const char *words;
    } plain[] = {
        {EXPECT_COLON, "`:`"},   {EXPECT_ASSIGN, "`=`"},    {EXPECT_COMMA, "`,`"},
        {EXPECT_RPAREN, "`)`"},  {EXPECT_RBRACKET, "`]`"},  {EXPECT_LPAREN, "`(`"},
        {EXPECT_LBRACKET, "`[`"}, {EXPECT_LBRACE, "`{`"},   {EXPECT_THEN, "`then`"},
        {EXPECT_ELSE, "`else`"}, {EXPECT_END, "the end of the line"},
    };
    Phrase phrase = {.text = {.arena = cx->arena}};
    Context context = cx->tokens.at[cx->seen].context;
    if (expected & EXPECT_STATEMENT)
        return context == CONTEXT_FILE ? STR("a definition") : STR("a statement");
    if (expected & (EXPECT_OPERATOR | EXPECT_VALUE)) /* brackets of a call, a list or a group: not worth a word */
        expected &= ~(unsigned)(EXPECT_LPAREN | EXPECT_LBRACKET);
    if (expected & EXPECT_OPERATOR) /* behind the first name of an argument */
        expected &= ~(unsigned)EXPECT_ASSIGN;
    if (expected & EXPECT_VALUE)
        phrase_add(&phrase, "a value");
    else if ((expected & EXPECT_NAME) && (expected & EXPECT_LPAREN))
        phrase_add(&phrase, "a layer");
    else if (expected & EXPECT_NAME)
        phrase_add(&phrase, "a name");
    else if (expected & EXPECT_TEXT)
        phrase_add(&phrase, "a text in quotes");
    if ((expected & EXPECT_NAME) && !(expected & EXPECT_VALUE))
        expected &= ~(unsigned)EXPECT_LPAREN;
    for (unsigned i = 0; i < sizeof plain / sizeof *plain; i++)
        if (expected & plain[i].bit)
            phrase_add(&phrase, plain[i].words);
    if (!phrase.last)
        phrase_add(&phrase, expected & EXPECT_OPERATOR ? "an operator" : "something else");
    return phrase_end(&phrase);
}

/* The first token of the statement that is being read, behind its @allow. */
static uint32_t statement_head(const ParseCtx *cx)
{
    uint32_t at = cx->seen, allow = cx->seen;
    while (at > 0) {
        int kind = cx->tokens.at[at - 1].kind;
        if (kind == TOK_TERM || kind == TOK_LBRACE || kind == TOK_RBRACE)
            break;
        at--;
    }
    while (at < cx->seen && cx->tokens.at[at].kind == TOK_ALLOW) {
        for (allow = at; allow < cx->seen && cx->tokens.at[allow].kind != TOK_RPAREN;)
            allow++;
        if (allow == cx->seen)
            break;
        at = allow + 1;
    }
    return at;
}

static const Word *word_of(Str text, unsigned places)
{
    for (unsigned i = 0; i < words_count; i++)
        if ((words_table[i].places & places) && str_is(text, words_table[i].text))
            return &words_table[i];
    return NULL;
}

static const Word *word_near(Str text, unsigned places)
{
    Str names[64];
    const Word *words[64];
    unsigned n = 0;
    ACT_ASSERT(words_count <= 64);
    for (unsigned i = 0; i < words_count; i++) {
        if (!(words_table[i].places & places))
            continue;
        names[n] = str_of(words_table[i].text);
        words[n++] = &words_table[i];
    }
    int nearest = str_nearest(text, names, n);
    return nearest >= 0 ? words[nearest] : NULL;
}

/* `modle m {`, `imput x : …`, `return y`: the mistake is the first word, not where the parser stumbled. */
static bool report_head(ParseCtx *cx, const Token *head)
{
    static const struct {
        const char *text, *help;
    } foreign[] = {
        {"return", "the last line of a block is its value: leave `return` out"},
        {"let", "a value is named by `name = …` alone"},
        {"var", "a value is named by `name = …` alone"},
        {"const", "a value is named by `name = …` alone"},
        {"for", "a layer is repeated by `x |> repeat(3, layer)`"},
        {"while", "a layer is repeated by `x |> repeat(3, layer)`"},
        {"def", "functions are defined by `activation`, `function`, `loss`, `initializer`, `schedule` or `block`"},
        {"fn", "functions are defined by `activation`, `function`, `loss`, `initializer`, `schedule` or `block`"},
        {"class", "a network is a `model`, a part of one a `block`"},
        {"layer", "a part of a network is a `block`"},
        {"network", "a network is a `model`"},
        {"include", "another file is read by `import \"file.act\"`"},
        {"from", "another file is read by `import \"file.act\"`"},
    };
    const Token *found = &cx->tokens.at[cx->seen];
    bool file = head->context == CONTEXT_FILE;
    if (head->kind != TOK_NAME || (!file && (head->context != CONTEXT_BODY || found != head + 1)))
        return false;
    if (!file && found->kind != TOK_NAME)
        return false;
    Str text = token_text(cx->source, head);
    const char *help = NULL;
    for (unsigned i = 0; i < sizeof foreign / sizeof *foreign; i++)
        if (str_is(text, foreign[i].text))
            help = foreign[i].help;
    const Word *near = help ? NULL : word_near(text, file ? IN_FILE : IN_BODY);
    if (!file && !help && !near)
        return false;
    Diag *d = diag_new(cx->diags, LEVEL_ERROR, "ACT0002", "syntax", head->span, "`" STR_FMT "` begins no %s",
                       STR_ARG(text), file ? "definition" : "statement");
    if (help) {
        diag_help(d, "%s", help);
    } else if (near) {
        diag_help(d, "there is a similar word: `%s`", near->text);
        diag_fix(d, FIX_UNSAFE, head->span, "%s", near->text);
    } else {
        diag_help(d, "a file holds `param`, `model`, `block`, `data`, `train`, `import` and definitions of functions");
    }
    return true;
}

static bool is_relation(int kind)
{
    return kind == TOK_LT || kind == TOK_LE || kind == TOK_GT || kind == TOK_GE || kind == TOK_EQ || kind == TOK_NE;
}

/* Words of other languages between two conditions or values. */
static const char *help_for_word(Str text)
{
    static const struct {
        const char *text, *help;
    } table[] = {
        {"and", "a condition is one comparison; write `if a then (if b then x else y) else y`"},
        {"or", "a condition is one comparison; write `if a then x else (if b then x else y)`"},
        {"not", "a condition is one comparison: turn it round"},
        {"is", "values are compared with `==`"},
        {"if", "a choice is written `if condition then value else value`"},
    };
    for (unsigned i = 0; i < sizeof table / sizeof *table; i++)
        if (str_is(text, table[i].text))
            return table[i].help;
    return NULL;
}

/* Does the statement stand in a model, and not in a block inside? */
static bool in_model(const ParseCtx *cx, const Token *head)
{
    uint32_t at = (uint32_t)(head - cx->tokens.at), open = 0;
    for (; at > 0; at--) {
        int kind = cx->tokens.at[at - 1].kind;
        if (kind == TOK_LBRACE && open-- == 0)
            break;
        open += kind == TOK_RBRACE;
    }
    return at > 2 && str_is(token_text(cx->source, &cx->tokens.at[at - 3]), "model");
}

static bool is_setting(Str word)
{
    static const char *const settings[] = {"optimizer", "epochs", "batch", "schedule", "seed", "clip", "accumulate"};
    for (unsigned i = 0; i < sizeof settings / sizeof *settings; i++)
        if (str_is(word, settings[i]))
            return true;
    return false;
}

/* The most useful thing to say, or nothing. */
static void add_help(ParseCtx *cx, Diag *d, const Token *head, const Token *found, unsigned expected)
{
    const Token *before = cx->seen ? &cx->tokens.at[cx->seen - 1] : found;
    Str text = token_text(cx->source, found);
    const char *word_help = found->kind == TOK_NAME || found->kind == TOK_IF ? help_for_word(text) : NULL;
    const Word *word = word_of(token_text(cx->source, head), IN_FILE | IN_BODY);
    bool in_header = cx->tokens.at + cx->seen - head <= 3 && head->kind != TOK_BIND && head->kind != TOK_KEY;
    if (word && head->kind != word->token) /* `loss` is two of them */
        word = word_of(token_text(cx->source, head), head->kind == TOK_DEFINE ? IN_FILE : IN_BODY);
    if (found->kind == TOK_ASSIGN && (expected & EXPECT_THEN)) {
        diag_help(d, "`==` compares");
        diag_fix(d, FIX_SAFE, found->span, "==");
    } else if (expected & EXPECT_THEN || expected & EXPECT_ELSE) {
        diag_help(d, "a choice is written `if condition then value else value`");
    } else if (found->kind == TOK_ASSIGN && before->kind == TOK_COLON) {
        diag_help(d, "a value is named by `name = …`; behind `:` stands a type");
    } else if (found->kind == TOK_LBRACKET && (expected & EXPECT_OPERATOR)) {
        diag_help(d, "a part of a value is taken by a layer: `x |> slice(0, 1)`");
    } else if (in_model(cx, head) && is_setting(token_text(cx->source, head))) {
        diag_help(d, "how a model is trained stands in a block of its own: `train name { … }`");
    } else if (found->kind == TOK_ASSIGN && (expected & EXPECT_OPERATOR)) {
        diag_help(d, "`=` names a value at the start of a line, or an argument; `==` compares");
    } else if (word_help && (expected & EXPECT_OPERATOR)) {
        diag_help(d, "%s", word_help);
    } else if (found->kind == TOK_COLON && (expected & EXPECT_LBRACE)) {
        diag_help(d, "a body stands in braces: `{ … }`");
    } else if (found->kind == TOK_COLON && found->context != CONTEXT_BODY) {
        diag_help(d, "a name and what belongs to it stand side by side, without `:`");
    } else if (word && in_header && head->kind == word->token) {
        diag_help(d, "it looks like this: `%s`", word->looks_like);
    } else if (before->kind == TOK_PIPE && found->kind == TOK_NUMBER) {
        diag_help(d, "behind `|>` stands a layer: `x |> linear(" STR_FMT ")`", STR_ARG(text));
    } else if (found->kind == TOK_NAME && (expected & EXPECT_OPERATOR) && (expected & EXPECT_COMMA)) {
        diag_help(d, "arguments are separated by commas");
    } else if (found->kind == TOK_NAME && (expected & EXPECT_OPERATOR)) {
        diag_help(d, "a value is passed on with `|>`: `x |> " STR_FMT "`", STR_ARG(text));
    } else if (found->kind == TOK_DOTS || found->kind == TOK_DOT) {
        diag_help(d, "a range is `1..4`, a number `0.5`, a field `x.features`");
    }
}

void mistake_report(ParseCtx *cx, unsigned expected)
{
    const Token *found = &cx->tokens.at[cx->seen], *head = &cx->tokens.at[statement_head(cx)];
    if (found->kind == TOK_JUXT) /* the word it stands in front of */
        found++;
    if (report_head(cx, head))
        return;
    if (is_relation(found->kind) && (expected & EXPECT_OPERATOR) && !(expected & EXPECT_RELATION)) {
        Diag *d = diag_new(cx->diags, LEVEL_ERROR, "ACT0002", "syntax", found->span, "comparisons do not chain");
        diag_help(d, "compare two values; choose with `if a < b then … else …`");
        return;
    }
    Str wanted = describe_expected(cx, expected), there = describe(cx, found);
    bool brace = found->made && cx->raw[found->raw].kind == TOK_RBRACE;
    Diag *d = diag_new(cx->diags, LEVEL_ERROR, "ACT0002", "syntax", brace ? cx->raw[found->raw].span : found->span,
                       "expected " STR_FMT ", found " STR_FMT, STR_ARG(wanted), STR_ARG(there));
    add_help(cx, d, head, found, expected);
}
