/* Throws damaged programs at the parser: parse_mutate --count 200000 --seed 1 FILES… (fuzz/mutate.h).
 *
 * Whatever comes out is held against what must always be true: a mistake gives a diagnostic, no diagnostic means a
 * tree without ERROR, such a tree survives its own printing, and every diagnostic can be written in every format. */
#include "mutate.h"

#include "syntax/parse.h"

static bool has_error(const Ast *node)
{
    if (!node)
        return false;
    bool found = node->kind == AST_ERROR;
    for (uint32_t i = 0; i < node->n_kid && !found; i++)
        found = has_error(node->kid[i]);
    return found;
}

/* NULL, or what is wrong with what the parser made of the text. */
static const char *judge(Arena *arena, Str text)
{
    Sources sources = {.arena = arena};
    Diags diags = {.arena = arena, .sources = &sources};
    const Source *source = source_add(&sources, STR("mutant.act"), text, false);
    const Ast *root = parse_source(arena, &diags, source);
    if (root->kind != AST_FILE)
        return "the root is no FILE";
    diag_sort(&diags);
    for (uint32_t i = 0; i < diags.list.n && i < 50; i++) {
        DiagStyle human = {.format = DIAG_HUMAN, .columns = i % 2 ? 60 : 0, .colour = i % 3};
        diag_render(arena, diags.list.at[i], &human);
        diag_render(arena, diags.list.at[i], &(DiagStyle){.format = DIAG_JSON});
    }
    ast_dump(arena, root);
    format_source(arena, source, root); /* must not crash on a broken file, whatever it gives */
    if (diags.list.n)
        return NULL;
    if (has_error(root))
        return "an ERROR without a diagnostic";
    Str canonical = format_source(arena, source, root);
    const Source *again = source_add(&sources, STR("canonical.act"), canonical, false);
    const Ast *second = parse_source(arena, &diags, again);
    if (diags.list.n || !ast_equal(root, second))
        return "the canonical form means something else";
    if (!str_eq(canonical, format_source(arena, again, second)))
        return "the canonical form is not stable";
    const Source *line = source_add(&sources, STR("line.act"), format_expr(arena, root), false);
    const Ast *third = parse_source(arena, &diags, line);
    if (diags.list.n || !ast_equal(root, third))
        return "the tree as text means something else";
    return NULL;
}

int main(int argc, char **argv) { return fuzz_main(argc, argv, "parse_mutate", judge); }
