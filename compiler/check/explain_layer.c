/* Pages of layers: arguments, and an example whose shapes and parameters are those the compiler finds. */
#include "check/explain.h"

#include "ops/registry.h"

#include <math.h>

static const char *const arg_kinds[] = {
    [ARG_NONE] = "",
    [ARG_VALUE] = "a value",
    [ARG_INT] = "whole number",
    [ARG_REAL] = "number",
    [ARG_FLAG] = "true or false",
    [ARG_WORD] = "word",
    [ARG_DIMS] = "whole numbers",
    [ARG_INIT] = "initializer",
    [ARG_TENSOR] = "another layer's parameter",
};

static void signature(Page *page, const Layer *layer)
{
    Text text = {.arena = page->out->arena};
    bool open = layer->max_value > 1 && layer->min_value > 1;
    text_printf(&text, open ? "\n%s(a, b" : "\nx |> %s", layer->name);
    for (uint32_t i = 0; i < layer->n_param; i++) {
        const LayerParam *p = &layer->param[i];
        bool required = p->def == NULL && !p->optional;
        if (!required && !p->def)
            continue;
        text_printf(&text, "%s%s", open ? ", " : "(", p->name);
        if (p->def)
            text_printf(&text, " = %s", p->def);
        open = true;
    }
    text_printf(&text, open ? ")\n" : "\n");
    page_code(page, text_str(&text));
    if (layer->max_value > 1)
        text_printf(page->out, "\nTakes %u to %u values.\n", layer->min_value, layer->max_value);
}

static void arguments(Page *page, const Layer *layer)
{
    if (layer->n_param)
        page_heading(page, "Parameters");
    for (uint32_t i = 0; i < layer->n_param; i++) {
        const LayerParam *p = &layer->param[i];
        Text text = {.arena = page->out->arena};
        text_printf(&text, "%s", p->words ? p->words : arg_kinds[p->kind]);
        if (p->def)
            text_printf(&text, ", default %s", p->def);
        else
            text_printf(&text, p->optional ? ", optional" : ", required");
        text_printf(&text, "%s%s", p->doc && p->doc[0] ? ": " : "", p->doc ? p->doc : "");
        page_row(page, p->name, STR_FMT, STR_ARG(text_str(&text)));
    }
}

static Str shape_of(Page *page, const Graph *g, NodeId id)
{
    Text text = {.arena = page->out->arena};
    type_print_shape(graph_type(g, id), &text);
    return text_str(&text);
}

static void example(Page *page, const Layer *layer)
{
    if (!layer->example)
        return;
    page_heading(page, "Example");
    text_putc(page->out, '\n');
    page_code(page, str_of(layer->example));
    Page plain = *page;
    plain.program = arena_new_of(page->out->arena, Program); /* the library's definitions, whatever the file has */
    Program *program = probe_program(&plain, "%s", layer->example);
    if (!program || !program->models.n)
        return;
    const Model *model = program->models.at[0];
    const Graph *g = model->graph;
    text_putc(page->out, '\n');
    for (uint32_t i = 0; i < model->layers.n; i++) {
        const LayerUse *use = &model->layers.at[i];
        if (!str_is(use->kind, layer->name) || !use->out)
            continue;
        uint64_t parameters = 0;
        for (uint32_t k = 0; k < use->n_tensor; k++)
            parameters += type_elements(&g->tensors.at[use->tensor[k]].type);
        Text text = {.arena = page->out->arena};
        if (use->in)
            text_printf(&text, STR_FMT " → ", STR_ARG(shape_of(page, g, use->in)));
        text_printf(&text, STR_FMT, STR_ARG(shape_of(page, g, use->out)));
        if (layer->weighted)
            text_printf(&text, ", %llu parameters", (unsigned long long)parameters);
        page_row(page, str_c(page->out->arena, use->name), STR_FMT, STR_ARG(text_str(&text)));
    }
}

void explain_layer(Page *page, const Layer *layer)
{
    text_printf(page->out, "%s (layer%s)\n", layer->name, layer->weighted ? ", has parameters" : "");
    page_paragraphs(page, str_of(layer->doc), 0);
    signature(page, layer);
    arguments(page, layer);
    example(page, layer);
    if (layer_find(STR("softmax")) == layer || layer_find(STR("log_softmax")) == layer)
        explain_softmax(page, layer);
}

/* ── softmax ── */
enum { THREE = 3 };

static const Model *softmax_model(Page *page, const char *what)
{
    Program *program =
        probe_program(page, "model explained {\n    input x : f32[%d]\n    output y = %s\n}\n", THREE, what);
    return program && program->models.n ? program->models.at[program->models.n - 1] : NULL;
}

static void vector_row(Page *page, const char *label, const double *v)
{
    page_row(page, label, "[%.3f, %.3f, %.3f]", v[0], v[1], v[2]);
}

/* The derivative of every output by every input, by differences of the compiler's own interpreter. */
static void jacobian(Page *page, const Model *model, const double *x)
{
    double slope[THREE][THREE];
    for (unsigned k = 0; k < THREE; k++) {
        double moved[THREE] = {x[0], x[1], x[2]}, up[THREE], down[THREE];
        moved[k] = x[k] + 1e-6;
        probe_output(model, moved, up, THREE);
        moved[k] = x[k] - 1e-6;
        probe_output(model, moved, down, THREE);
        for (unsigned i = 0; i < THREE; i++)
            slope[i][k] = (up[i] - down[i]) / 2e-6;
    }
    for (unsigned i = 0; i < THREE; i++)
        page_row(page, i ? "" : "Jacobian", "%7.3f %7.3f %7.3f", slope[i][0], slope[i][1], slope[i][2]);
}

void explain_softmax(Page *page, const Layer *layer)
{
    static const double x[THREE] = {3.2, 1.8, 0.5}, large[THREE] = {1000, 999, 998}, same[THREE] = {7, 7, 7};
    bool logs = layer == layer_find(STR("log_softmax"));
    const Model *model = softmax_model(page, logs ? "log_softmax(x)" : "softmax(x)");
    double y[THREE];
    if (!model || !probe_output(model, x, y, THREE))
        return;
    page_heading(page, "Computed by this compiler");
    vector_row(page, "x", x);
    vector_row(page, layer->name, y);
    if (!logs)
        page_row(page, "sum", "%.3f", y[0] + y[1] + y[2]);
    jacobian(page, model, x);
    probe_output(model, same, y, THREE);
    page_row(page, "equal inputs", "[%.3f, %.3f, %.3f]", y[0], y[1], y[2]);
    text_putc(page->out, '\n');
    page_text(page,
              logs ? "Row i, column k is the derivative of output i by input k: 1 where i = k, less p_k, with p the "
                     "softmax. A rise of one input lowers every other output, so the outputs compete."
                   : "Row i, column k is the derivative of output i by input k, p_i (1 - p_k) where i = k and "
                     "-p_i p_k elsewhere: a whole matrix, because a rise of one output is a fall of the others. "
                     "Each row adds up to 0. Behind `cross_entropy` all of it collapses to p - one_hot(label), "
                     "which is why the two are computed together there.");
    probe_output(model, large, y, THREE);
    text_putc(page->out, '\n');
    page_text(page,
              "The maximum is subtracted first: it cancels in the quotient, and afterwards the greatest exponent is 0. "
              "Written as e^x / sum(e^x), inputs above %.1f overflow a float: e^1000 is no number it holds. Here "
              "[1000, 999, 998] gives [%.3f, %.3f, %.3f].",
              log(3.4028234663852886e38), y[0], y[1], y[2]);
    text_putc(page->out, '\n');
    page_text(page,
              logs ? "It is idempotent: the log-sum-exp of its output is 0, so log_softmax in front of "
                     "`cross_entropy` is superfluous and harmless, where `softmax` is a bug (ACT201). `nll` and "
                     "`kl` want it. The logarithm of a softmax that was computed first is -inf where a "
                     "probability rounds to 0; this is not."
                   : "Where it belongs: at the end, in `output softmax(z)`, for one class of many; and as a "
                     "weight, in attention or over experts. Not in front of `cross_entropy`, which applies its own "
                     "(ACT201); not for several labels at once (`multi_label`, ACT205); not over one unit, where it "
                     "is the constant 1 (ACT203); not between hidden layers (ACT303).");
}
