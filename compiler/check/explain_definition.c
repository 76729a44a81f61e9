/* Pages of losses, initializers, optimizers, schedules, blocks and layers. */
#include "check/explain.h"
#include "check/flow.h"

#include <math.h>
#include <string.h>

static const char *const kinds[] = {
    [DEF_ACTIVATION] = "activation",
    [DEF_FUNCTION] = "function",
    [DEF_LOSS] = "loss",
    [DEF_INITIALIZER] = "initializer",
    [DEF_OPTIMIZER] = "optimizer",
    [DEF_SCHEDULE] = "schedule",
    [DEF_BLOCK] = "block",
    [DEF_LAYER] = "layer",
    [DEF_PARAM] = "param",
    [DEF_MODEL] = "model",
    [DEF_DATA] = "data",
    [DEF_METRIC] = "metric",
};

/* The activations of the program for which this initializer is the fitting one. */
static void fitting_activations(Program *program, Str name, Text *out)
{
    bool uniform = name.n > 8 && memcmp(name.p + name.n - 8, "_uniform", 8) == 0, any = false;
    for (uint32_t i = 0; i < program->defs.n; i++) {
        const Def *def = &program->defs.at[i];
        Sx fn = def->kind == DEF_ACTIVATION ? sema_activation(program, def) : 0;
        if (fn == 0)
            continue;
        SxTraits traits = sx_traits(program->sx, fn);
        if (!str_is(name, flow_fitting(&traits, uniform)))
            continue;
        text_printf(out, any ? ", " : "\nFits, by the gain 1 / sqrt(E f(Z)^2) of the activation behind the layer:\n  ");
        text_printf(out, STR_FMT " (%.4f)", STR_ARG(def->name), traits.gain);
        any = true;
    }
    if (any)
        text_putc(out, '\n');
}

static void loss_notes(Text *out)
{
    text_printf(out, "\n");
    explain_paragraphs(
        out,
        STR("The compiler reduces it: `reduction = mean` (the default, over batch and elements) or `sum`, with "
            "`weight` (a number per class, or a value per sample). Nothing is broadcast between prediction and target. "
            "`actc explain output_and_loss` shows which output goes with which loss."),
        0);
}

static void parameters(Program *program, const Ast *ast, Text *out)
{
    for (uint32_t i = 0; ast && i < ast->n_kid; i++) {
        const Ast *list = ast->kid[i];
        if (list == NULL || list->kind != AST_PARAMETERS || list->n_kid == 0)
            continue;
        text_printf(out, "\nParameters:\n");
        for (uint32_t k = 0; k < list->n_kid; k++) {
            const Ast *p = list->kid[k];
            text_printf(out, "  " STR_FMT, STR_ARG(p->text));
            if (p->n_kid > 0 && p->kid[0])
                text_printf(out, " = " STR_FMT, STR_ARG(source_slice(program->sources, p->kid[0]->span)));
            text_putc(out, '\n');
        }
    }
}

void explain_definition(Program *program, const Def *def, Text *out)
{
    text_printf(out, STR_FMT " (%s%s)\n", STR_ARG(def->name), kinds[def->kind], def->library ? "" : ", defined here");
    if (def->doc.n)
        explain_paragraphs(out, def->doc, 0);
    if (def->ast) {
        text_putc(out, '\n');
        explain_code(out, source_slice(program->sources, def->ast->span));
        parameters(program, def->ast, out);
    }
    if (def->kind == DEF_LOSS)
        loss_notes(out);
    if (def->kind == DEF_INITIALIZER)
        fitting_activations(program, def->name, out);
}

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

void explain_layer(const Layer *layer, Text *out)
{
    text_printf(out, "%s (layer%s)\n", layer->name, layer->weighted ? ", has parameters" : "");
    explain_paragraphs(out, str_of(layer->doc), 0);
    text_printf(out, "\n    x |> %s", layer->name);
    bool open = false;
    for (uint32_t i = 0; i < layer->n_param; i++) {
        const LayerParam *p = &layer->param[i];
        bool required = p->def == NULL && !p->optional;
        if (required) {
            text_printf(out, "%s%s", open ? ", " : "(", p->name);
            open = true;
        }
    }
    text_printf(out, open ? ")\n" : "\n");
    if (layer->max_value > 1)
        text_printf(out, "\nTakes %u to %u values.\n", layer->min_value, layer->max_value);
    if (layer->n_param)
        text_printf(out, "\nParameters:\n");
    for (uint32_t i = 0; i < layer->n_param; i++) {
        const LayerParam *p = &layer->param[i];
        text_printf(out, "  %-14s %s", p->name, p->words ? p->words : arg_kinds[p->kind]);
        if (p->def)
            text_printf(out, ", default %s", p->def);
        else
            text_printf(out, p->optional ? ", optional" : ", required");
        text_printf(out, "%s%s\n", p->doc && p->doc[0] ? ": " : "", p->doc ? p->doc : "");
    }
}
