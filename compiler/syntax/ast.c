#include "syntax/ast.h"

static const char *const kind_names[AST_KIND_COUNT] = {
#define X(kind, text, kids) [AST_##kind] = #kind,
    AST_KINDS(X)
#undef X
};

const char *ast_kind_name(AstKind kind)
{
    ACT_ASSERT(kind < AST_KIND_COUNT);
    return kind_names[kind];
}

/* Parentheses only group: the tree says the same without them. */
static const Ast *ungrouped(const Ast *node)
{
    while (node && node->kind == AST_GROUP && node->n_kid == 1)
        node = node->kid[0];
    return node;
}

bool ast_equal(const Ast *a, const Ast *b)
{
    a = ungrouped(a);
    b = ungrouped(b);
    if (!a || !b)
        return a == b;
    if (a->kind != b->kind || a->n_kid != b->n_kid || a->number != b->number || !str_eq(a->text, b->text))
        return false;
    if (a->kind == AST_FUNCTION && !str_eq(a->word, b->word))
        return false;
    if (!ast_equal(a->allow, b->allow))
        return false;
    for (uint32_t i = 0; i < a->n_kid; i++)
        if (!ast_equal(a->kid[i], b->kid[i]))
            return false;
    return true;
}

static void dump_text(Text *out, Str text)
{
    text_putc(out, '"');
    for (uint32_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '"' || c == '\\')
            text_putc(out, '\\');
        if (c == '\n')
            text_add(out, STR("\\n"));
        else
            text_putc(out, c);
    }
    text_putc(out, '"');
}

static void dump_node(Text *out, const Ast *node, int depth)
{
    text_printf(out, "%*s", 2 * depth, "");
    if (!node) {
        text_add(out, STR("-\n"));
        return;
    }
    text_add(out, str_of(ast_kind_name(node->kind)));
    if (node->kind == AST_FUNCTION)
        text_printf(out, " " STR_FMT, STR_ARG(node->word));
    if (node->kind == AST_STRING || node->kind == AST_IMPORT || node->kind == AST_ALLOW) {
        text_putc(out, ' ');
        dump_text(out, node->text);
    } else if (node->text.n) {
        text_printf(out, " " STR_FMT, STR_ARG(node->text));
    }
    if (node->doc.n) {
        text_add(out, STR("  ## "));
        dump_text(out, node->doc);
    }
    text_putc(out, '\n');
    if (node->allow)
        dump_node(out, node->allow, depth + 1);
    for (uint32_t i = 0; i < node->n_kid; i++)
        dump_node(out, node->kid[i], depth + 1);
}

Str ast_dump(Arena *arena, const Ast *root)
{
    Text out = {.arena = arena};
    dump_node(&out, root, 0);
    return text_str(&out);
}
