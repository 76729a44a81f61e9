#include "syntax/build.h"

#include <stdlib.h>
#include <string.h>

/* Everything above the parser walks the tree by recursion, so its height is bounded: brackets by the filter, and the
 * chains that lean left (a |> b |> c …, a + b + c …) here. */
enum { HEIGHT_LIMIT = 2000 };

AstList *list_new(ParseCtx *cx)
{
    return arena_new_of(cx->arena, AstList);
}

AstList *list_add(ParseCtx *cx, AstList *list, Ast *node)
{
    *vec_push(cx->arena, list) = node;
    return list;
}

AstList *list_first(ParseCtx *cx, Ast *first, const AstList *rest)
{
    AstList *list = list_add(cx, list_new(cx), first);
    for (uint32_t i = 0; i < rest->n; i++)
        list_add(cx, list, rest->at[i]);
    return list;
}

static void report_height(ParseCtx *cx, Span span)
{
    if (cx->too_deep)
        return;
    cx->too_deep = true;
    Diag *d = diag_new(cx->diags, LEVEL_ERROR, "ACT0005", "too_deep", (Span){span.source, span.begin, span.begin + 1},
                       "this expression has more than %d steps in one chain", HEIGHT_LIMIT);
    diag_help(d, "give a part of it a name, or repeat a block: `repeat(100, block)`");
}

Ast *tree_node(ParseCtx *cx, AstKind kind, Span span, Str text, Span name, Ast *const *kid, size_t n)
{
    Ast *node = arena_new_of(cx->arena, Ast);
    node->kind = kind;
    node->span = span;
    node->text = text;
    node->name_span = name;
    node->height = 1;
    for (size_t i = 0; i < n; i++)
        if (kid[i] && kid[i]->height >= node->height)
            node->height = kid[i]->height + 1;
    if (node->height > HEIGHT_LIMIT && kind >= AST_NUMBER) { /* an expression */
        report_height(cx, span);
        node->kind = AST_ERROR;
        node->height = 1;
        return node;
    }
    if (n) {
        node->kid = arena_copy(cx->arena, kid, n * sizeof *kid);
        node->n_kid = (uint32_t)n;
    }
    return node;
}

Ast *tree_list(ParseCtx *cx, AstKind kind, Span span, const AstList *kids)
{
    return tree_node(cx, kind, span, STR(""), (Span){0, 0, 0}, kids->at, kids->n);
}

Ast *tree_body(ParseCtx *cx, AstKind kind, Span span, Str name, Span place, Ast *parameters, const AstList *body)
{
    const AstList *kids = parameters ? list_first(cx, parameters, body) : body;
    return tree_node(cx, kind, span, name, place, kids->at, kids->n);
}

Ast *tree_function(ParseCtx *cx, Span span, Str word, Str name, Span place, Ast *parameters, Ast *value)
{
    Ast *node = tree_node(cx, AST_FUNCTION, span, name, place, (Ast *[]){parameters, value}, 2);
    node->word = word;
    return node;
}

/* The text between the quotes; what the scanner reported is taken as it stands. */
static Str string_value(ParseCtx *cx, Str text)
{
    Text value = {.arena = cx->arena};
    uint32_t end = text.n >= 2 && text.p[text.n - 1] == text.p[0] ? text.n - 1 : text.n;
    for (uint32_t i = 1; i < end; i++) {
        char c = text.p[i];
        if (c == '\\' && i + 1 < end) {
            c = text.p[++i];
            c = c == 'n' ? '\n' : c == 't' ? '\t' : c;
        }
        text_putc(&value, c);
    }
    return text_str(&value);
}

Ast *tree_import(ParseCtx *cx, Span span, Span place, Str text)
{
    return tree_node(cx, AST_IMPORT, span, string_value(cx, text), place, NULL, 0);
}

Ast *tree_when(ParseCtx *cx, Span span, Ast *names, Ast *type, Ast *value, Str when, Span place)
{
    if (!str_is(when, "training")) {
        Diag *d = diag_new(cx->diags, LEVEL_ERROR, "ACT0002", "syntax", place,
                           "expected `training` after `when`, found `" STR_FMT "`", STR_ARG(when));
        diag_help(d, "the only condition is `when training`");
        diag_fix(d, FIX_UNSAFE, place, "training");
    }
    return tree_node(cx, AST_ASSIGN, span, STR("training"), place, (Ast *[]){names, type, value}, 3);
}

Ast *tree_setting(ParseCtx *cx, Span span, Str key, Span place, AstList *words, Ast *for_names)
{
    if (for_names)
        list_add(cx, words, for_names);
    return tree_node(cx, AST_SETTING, span, key, place, words->at, words->n);
}

Ast *tree_after_comma(Ast *word)
{
    word->word = STR(",");
    return word;
}

Ast *tree_call(ParseCtx *cx, Span span, Ast *callee, const AstList *arguments)
{
    const AstList *kids = list_first(cx, callee, arguments);
    return tree_node(cx, AST_CALL, span, STR(""), (Span){0, 0, 0}, kids->at, kids->n);
}

Ast *tree_name(ParseCtx *cx, Span span, Str text)
{
    return tree_node(cx, AST_NAME, span, text, span, NULL, 0);
}

Ast *tree_number(ParseCtx *cx, Span span, Str text)
{
    Ast *node = tree_node(cx, AST_NUMBER, span, text, (Span){0, 0, 0}, NULL, 0);
    node->number = strtod(str_c(cx->arena, text), NULL);
    return node;
}

Ast *tree_string(ParseCtx *cx, Span span, Str text)
{
    return tree_node(cx, AST_STRING, span, string_value(cx, text), (Span){0, 0, 0}, NULL, 0);
}

static void report_allow(ParseCtx *cx, Span span, const char *message)
{
    Diag *d = diag_new(cx->diags, LEVEL_ERROR, "ACT0002", "syntax", span, "%s", message);
    diag_help(d, "write `@allow(saturating_hidden, reason = \"why it is meant\")`");
}

Ast *tree_allow(ParseCtx *cx, Span span, const AstList *arguments)
{
    AstList *rules = list_new(cx);
    Str reason = STR("");
    bool wrong = false;
    for (uint32_t i = 0; i < arguments->n && !wrong; i++) {
        const Ast *argument = arguments->at[i];
        Ast *value = argument->n_kid ? argument->kid[0] : NULL; /* none: it was too deep, and is reported */
        if (value && argument->text.n == 0 && value->kind == AST_NAME)
            list_add(cx, rules, value);
        else if (value && str_is(argument->text, "reason") && value->kind == AST_STRING)
            reason = value->text;
        else
            wrong = true;
        if (wrong)
            report_allow(cx, argument->span, "`@allow` takes names of rules and a reason in quotes");
    }
    if (!wrong && !rules->n)
        report_allow(cx, span, "`@allow` names no rule");
    else if (!wrong && !reason.n)
        report_allow(cx, span, "`@allow` gives no reason");
    Ast *node = tree_list(cx, AST_ALLOW, span, rules);
    node->text = reason;
    return node;
}

Ast *tree_allowed(ParseCtx *cx, const AstList *allows, Ast *statement)
{
    (void)cx;
    for (uint32_t i = 0; i + 1 < allows->n; i++)
        allows->at[i]->allow = allows->at[i + 1];
    statement->allow = allows->at[0];
    return statement;
}

AstList *tree_statement(ParseCtx *cx, AstList *list, Ast *statement)
{
    uint32_t begin = statement->allow ? statement->allow->span.begin : statement->span.begin;
    uint32_t low = 0, high = cx->docs.n;
    while (low < high) { /* bodies end before their own statement does, so the docs do not come in order */
        uint32_t middle = low + (high - low) / 2;
        if (cx->docs.at[middle].offset < begin)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < cx->docs.n && cx->docs.at[low].offset == begin)
        statement->doc = cx->docs.at[low].text;
    cx->too_deep = false;
    return list_add(cx, list, statement);
}

AstList *tree_broken(ParseCtx *cx, AstList *list, Span span)
{
    cx->too_deep = false;
    return list_add(cx, list, tree_node(cx, AST_ERROR, span, STR(""), (Span){0, 0, 0}, NULL, 0));
}

void tree_file(ParseCtx *cx, Span span, const AstList *statements)
{
    span.begin = 0;
    span.end = cx->source->text.n;
    cx->root = tree_list(cx, AST_FILE, span, statements);
}
