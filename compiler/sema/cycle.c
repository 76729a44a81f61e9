/* Definitions that lead back to themselves through the names in their bodies. Found before anything is evaluated, so
 * that the evaluator never recurses for ever; values and params that need themselves are found when they are asked for
 * (names.c). */
#include "sema/sema.h"

typedef struct DefNode {
    const Ast *ast;
    Item *item;       /* NULL: a block inside a model */
    const Ast *model; /* … this one */
    enum { WHITE, GREY, BLACK } colour;
    uint32_t came_from;
    Span reference; /* in came_from, where this one is named */
} DefNode;

typedef struct Cycles {
    Sema *s;
    VEC(DefNode) node;
} Cycles;

static bool has_body(const Ast *ast) { return ast->kind == AST_FUNCTION || ast->kind == AST_BLOCK; }

static int find(const Cycles *c, const Ast *model, Str name)
{
    int found = -1;
    for (uint32_t i = 0; i < c->node.n; i++)
        if (str_eq(c->node.at[i].ast->text, name)) {
            if (c->node.at[i].model && c->node.at[i].model == model)
                return (int)i;
            if (!c->node.at[i].model)
                found = (int)i;
        }
    return found;
}

static bool binds(const Ast *e, Str name)
{
    if (!e)
        return false;
    bool here = e->kind == AST_PARAMETER || e->kind == AST_SHARE || e->kind == AST_STATE;
    if (here && str_eq(e->text, name))
        return true;
    if (e->kind == AST_NAMES)
        for (uint32_t i = 0; i < e->n_kid; i++)
            if (str_eq(e->kid[i]->text, name))
                return true;
    for (uint32_t i = 0; i < e->n_kid; i++)
        if (binds(e->kid[i], name))
            return true;
    return false;
}

static void visit(Cycles *c, uint32_t at);

static void report(Cycles *c, uint32_t from, uint32_t to, Span reference)
{
    const DefNode *start = &c->node.at[to];
    Diag *diag = sema_error(c->s, CODE_cycle, start->ast->name_span, "`" STR_FMT "` is defined through itself",
                            STR_ARG(start->ast->text));
    diag_label(diag, reference, "leads back to `" STR_FMT "`", STR_ARG(start->ast->text));
    for (uint32_t i = from;; i = c->node.at[i].came_from) {
        DefNode *on = &c->node.at[i];
        if (on->item)
            on->item->poisoned = true;
        else
            *vec_push(c->s->arena, &c->s->cyclic) = on->ast;
        if (i == to)
            break;
        diag_label(diag, on->reference, "needs `" STR_FMT "`", STR_ARG(on->ast->text));
    }
}

static void references(Cycles *c, uint32_t at, const Ast *e)
{
    if (!e)
        return;
    const Ast *root = c->node.at[at].ast;
    if (e->kind == AST_NAME) {
        int to = find(c, c->node.at[at].model, e->text);
        bool primitive = to == (int)at && sx_op_find(e->text) > SX_ARG;
        if (to >= 0 && !primitive && !binds(root, e->text)) {
            DefNode *next = &c->node.at[to];
            if (next->colour == GREY) {
                report(c, at, (uint32_t)to, e->span);
            } else if (next->colour == WHITE) {
                next->came_from = at;
                next->reference = e->span;
                visit(c, (uint32_t)to);
            }
        }
    }
    for (uint32_t i = 0; i < e->n_kid; i++)
        if (e->kid[i] && e->kid[i]->kind != AST_NAMES)
            references(c, at, e->kid[i]);
}

static void visit(Cycles *c, uint32_t at)
{
    const Ast *ast = c->node.at[at].ast;
    c->node.at[at].colour = GREY;
    for (uint32_t i = 0; i < ast->n_kid; i++)
        references(c, at, ast->kid[i]);
    c->node.at[at].colour = BLACK;
}

void cycle_check(Sema *s)
{
    Cycles c = {.s = s};
    for (uint32_t i = 0; i < s->items.n; i++) {
        Item *item = s->items.at[i];
        const Ast *ast = item->def.ast;
        if (!ast || item->def.library)
            continue;
        if (has_body(ast))
            *vec_push(s->arena, &c.node) = (DefNode){.ast = ast, .item = item};
        for (uint32_t k = 0; ast->kind == AST_MODEL && k < ast->n_kid; k++)
            if (ast->kid[k] && ast->kid[k]->kind == AST_BLOCK)
                *vec_push(s->arena, &c.node) = (DefNode){.ast = ast->kid[k], .model = ast};
    }
    for (uint32_t i = 0; i < c.node.n; i++)
        if (c.node.at[i].colour == WHITE)
            visit(&c, i);
}
