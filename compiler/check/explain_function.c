/* Pages of functions of numbers, defined or built in, of blocks, and of definitions that are what they say. */
#include "check/explain.h"

#include <math.h>

static Sx one_argument(Page *page, const Def *def)
{
    Sx fn = sema_activation(page->program, def);
    return fn && sx_uses_arg(page->program->sx, fn, 0) ? fn : 0;
}

static const char *first_parameter(const Def *def, Arena *arena)
{
    for (uint32_t i = 0; def->ast && i < def->ast->n_kid; i++)
        if (def->ast->kid[i] && def->ast->kid[i]->kind == AST_PARAMETERS && def->ast->kid[i]->n_kid)
            return str_c(arena, def->ast->kid[i]->kid[0]->text);
    return "x";
}

static void curve(Page *page, Sx fn, const char *title, const char *argument)
{
    SxPool *sx = page->program->sx;
    Sx slope;
    sx_gradient(sx, fn, 1, &slope);
    text_putc(page->out, '\n');
    page_plot(page, fn, NULL, 0, 0, title, "derivative");
    text_putc(page->out, '\n');
    page_row(page, "derivative", STR_FMT,
             STR_ARG(page_formula(sx, sx_simplify(sx, slope), &argument, page->out->arena)));
    page_row(page, "range", STR_FMT,
             STR_ARG(page_interval(page->out->arena, sx_range(sx, fn, 0, -INFINITY, INFINITY))));
    page_row(page, "cost", "%u addition%s", sx_cost(sx, fn), sx_cost(sx, fn) == 1 ? "" : "s");
}

void explain_function(Page *page, const Def *def)
{
    page_definition(page, def, "function");
    Sx fn = one_argument(page, def);
    if (fn)
        curve(page, fn, str_c(page->out->arena, def->name), first_parameter(def, page->out->arena));
    else
        page_parameters(page, def->ast);
}

bool explain_primitive(Page *page, Str name)
{
    int op = sx_op_find(name);
    if (op <= SX_ARG || op == SX_POWI)
        return false;
    SxPool *sx = page->program->sx;
    unsigned arity = sx_op_arity((SxOp)op);
    text_printf(page->out, STR_FMT " (built-in function of %s)\n", STR_ARG(name),
                arity == 1   ? "a number"
                : arity == 2 ? "two numbers"
                             : "three numbers");
    page_text(page,
              "It may stand in every formula: of an activation, a loss, an optimizer, and between the values of a "
              "network, element by element. Compiled code computes it with its own polynomials, in vectors.");
    if (arity == 1) {
        curve(page, sx_un(sx, (SxOp)op, sx_arg(sx, 0)), str_c(page->out->arena, name), "x");
    } else if (arity == 2) {
        static const char *const names[] = {"a", "b"};
        Sx slope[2], fn = sx_bin(sx, (SxOp)op, sx_arg(sx, 0), sx_arg(sx, 1));
        sx_gradient(sx, fn, 2, slope);
        text_putc(page->out, '\n');
        for (unsigned i = 0; i < 2; i++) {
            page_row(page, i ? "by b" : "by a", STR_FMT,
                     STR_ARG(page_formula(sx, sx_simplify(sx, slope[i]), names, page->out->arena)));
        }
        page_row(page, "cost", "%u addition%s", sx_cost(sx, fn), sx_cost(sx, fn) == 1 ? "" : "s");
    }
    return true;
}

/* ── blocks ── */
static void block_shapes(Page *page, const Def *def)
{
    static const unsigned sizes[] = {8, 64};
    for (unsigned i = 0; i < 2; i++) {
        Program *program =
            probe_program(page,
                          "model explained {\n    input x : f32[%u]\n    y = x |> linear(%u) |> " STR_FMT "\n"
                          "    output y\n}\n",
                          sizes[i], sizes[i], STR_ARG(def->name));
        if (!program || !program->models.n)
            return; /* it wants other values, or arguments */
        const Model *model = program->models.at[program->models.n - 1];
        const Graph *g = model->graph;
        uint64_t parameters = 0;
        for (uint32_t k = 0; k < g->tensors.n; k++)
            if (g->tensors.at[k].role == ROLE_PARAM)
                parameters += type_elements(&g->tensors.at[k].type);
        Text shape = {.arena = page->out->arena};
        type_print_shape(graph_type(g, model->outputs.at[0].value), &shape);
        if (i == 0)
            page_heading(page, "Shapes and parameters");
        page_row(page, str_c(page->out->arena, str_printf(page->out->arena, "[%u]", sizes[i])),
                 "→ " STR_FMT ", %llu parameters", STR_ARG(text_str(&shape)),
                 (unsigned long long)(parameters - sizes[i] * (sizes[i] + 1)));
    }
}

void explain_block(Page *page, const Def *def)
{
    page_definition(page, def, "block");
    page_parameters(page, def->ast);
    block_shapes(page, def);
}

void explain_plain(Page *page, const Def *def)
{
    page_definition(page, def, def->kind == DEF_PARAM ? "param" : def->kind == DEF_MODEL ? "model" : "data");
}
