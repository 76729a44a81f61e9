#include "syntax/parse.h"

#include "syntax/act_parse.h"
#include "syntax/build.h"
#include "syntax/token.h"

int act_yylex(ACT_YYSTYPE *value, Span *place, ParseCtx *cx)
{
    const Token *token = &cx->tokens.at[cx->next];
    cx->seen = cx->next;
    if (cx->next + 1 < cx->tokens.n)
        cx->next++;
    *place = token->span;
    value->TOK_NAME = token->made ? STR("") : token_text(cx->source, token);
    return token->kind;
}

Ast *parse_source(Arena *arena, Diags *diags, const Source *source)
{
    ParseCtx cx = {.arena = arena, .diags = diags, .source = source};
    uint32_t before = diags->list.n;
    Tokens raw = scan_source(arena, diags, source);
    cx.raw = raw.at;
    cx.tokens = filter_tokens(arena, diags, source, &raw, &cx.docs);
    act_yyparse(&cx);
    if (!cx.root) { /* the parser gave up, which it has said */
        AstList broken = {0};
        tree_broken(&cx, &broken, (Span){source->id, 0, source->text.n});
        tree_file(&cx, (Span){source->id, 0, 0}, &broken);
    }
    placement_check(diags, source, cx.root);
    ACT_ASSERT(cx.root->kind == AST_FILE && diags->list.n >= before);
    return cx.root;
}
