#include "lsp/describe.h"

#include "check/explain.h"
#include "lsp/names.h"
#include "syntax/parse.h"

#include <math.h>
#include <string.h>

/* ── parameters ── */
static const Ast *parameters_of(const Def *def)
{
    for (uint32_t i = 0; def->ast && i < def->ast->n_kid; i++)
        if (def->ast->kid[i] && def->ast->kid[i]->kind == AST_PARAMETERS)
            return def->ast->kid[i];
    return NULL;
}

static Str str_or_empty(const char *text) { return text ? str_of(text) : STR(""); }

static void add_layer_params(Arena *arena, const Layer *layer, ParamTexts *out)
{
    for (uint32_t i = 0; i < layer->n_param; i++) {
        const LayerParam *p = &layer->param[i];
        *vec_push(arena, out) = (ParamText){.name = str_of(p->name),
                                            .def = str_or_empty(p->def),
                                            .doc = str_or_empty(p->doc),
                                            .words = str_or_empty(p->words),
                                            .flag = p->kind == ARG_FLAG,
                                            .init = p->kind == ARG_INIT};
    }
    if (layer->weighted)
        *vec_push(arena, out) = (ParamText){.name = STR("trainable"),
                                            .def = STR("true"),
                                            .doc = STR("whether training changes the weights"),
                                            .flag = true};
}

ParamTexts describe_params(Arena *arena, const Program *program, const Def *def)
{
    ParamTexts out = {0};
    if (def->layer) {
        add_layer_params(arena, def->layer, &out);
        return out;
    }
    const Ast *params = parameters_of(def);
    const Ast *body = def->ast && def->ast->kind == AST_FUNCTION && def->ast->n_kid > 1 ? def->ast->kid[1] : NULL;
    if (!params && body && body->kind == AST_NAME) { /* activation swish = silu */
        const Def *target = sema_find(program, def->kind, body->text);
        return target && target != def && parameters_of(target) ? describe_params(arena, program, target) : out;
    }
    for (uint32_t i = 0; params && i < params->n_kid; i++) {
        const Ast *p = params->kid[i], *value = p->n_kid ? p->kid[0] : NULL;
        bool flag = value && value->kind == AST_NAME && (str_is(value->text, "true") || str_is(value->text, "false"));
        *vec_push(arena, &out) = (ParamText){
            .name = p->text, .def = value ? format_expr(arena, value) : STR(""), .doc = STR(""), .flag = flag};
    }
    return out;
}

uint32_t describe_piped(const Def *def)
{
    switch (def->kind) {
    case DEF_ACTIVATION:
    case DEF_FUNCTION:
    case DEF_BLOCK:
        return 1;
    case DEF_OPTIMIZER:
        return 2; /* w, g: given by the compiler */
    default:
        return 0;
    }
}

Str describe_signature(Arena *arena, const Program *program, const Def *def)
{
    Text text = {.arena = arena};
    ParamTexts params = describe_params(arena, program, def);
    uint32_t first = def->kind == DEF_OPTIMIZER && params.n >= 2 ? 2 : 0;
    text_add(&text, def->name);
    if (params.n <= first)
        return text_str(&text);
    text_putc(&text, '(');
    for (uint32_t i = first; i < params.n; i++) {
        text_printf(&text, "%s" STR_FMT, i > first ? ", " : "", STR_ARG(params.at[i].name));
        if (params.at[i].def.n)
            text_printf(&text, " = " STR_FMT, STR_ARG(params.at[i].def));
    }
    text_putc(&text, ')');
    return text_str(&text);
}

/* ── pages ── */
static void code(Text *out, Str text) { text_printf(out, "```act\n" STR_FMT "\n```\n", STR_ARG(text)); }

static void paragraph(Text *out, Str doc)
{
    if (doc.n)
        text_printf(out, "\n" STR_FMT "\n", STR_ARG(doc));
}

void describe_param(const Layer *layer, const LayerParam *p, Text *out)
{
    (void)layer;
    text_printf(out, "- `%s`", p->name);
    if (p->doc)
        text_printf(out, ": %s", p->doc);
    if (p->words)
        for (const char *at = p->words; *at;) {
            size_t n = strcspn(at, "|");
            text_printf(out, "%s`%.*s`", at == p->words ? " (" : ", ", (int)n, at);
            at += n + (at[n] == '|');
            if (!*at)
                text_putc(out, ')');
        }
    if (p->def)
        text_printf(out, "; default `%s`", p->def);
    text_putc(out, '\n');
}

static void number(Text *out, double value)
{
    if (fabs(value) < 5e-7)
        value = 0;
    text_printf(out, isinf(value) ? (value > 0 ? "∞" : "-∞") : "%.4g", value);
}

static void interval(Text *out, SxInterval range)
{
    text_putc(out, isinf(range.low) ? '(' : '[');
    number(out, range.low);
    text_printf(out, ", ");
    number(out, range.high);
    text_putc(out, isinf(range.high) ? ')' : ']');
}

static void activation_facts(Program *program, const Def *def, Text *out)
{
    static const char *const names[] = {"x"};
    Sx fn = sema_activation(program, def), slope;
    if (!fn)
        return;
    SxTraits t = sx_traits(program->sx, fn);
    sx_gradient(program->sx, fn, 1, &slope);
    text_printf(out, "\n| | |\n|---|---|\n| formula | `");
    sx_print_formula(program->sx, fn, names, out);
    text_printf(out, "` |\n| derivative | `");
    sx_print_formula(program->sx, sx_simplify(program->sx, slope), names, out);
    text_printf(out, "` |\n| range | ");
    interval(out, t.range);
    text_printf(out, " |\n| slope | ");
    interval(out, t.slope_range);
    text_printf(out, " |\n| under N(0, 1) | mean %.4f, E f² %.4f, E f'² %.4f |\n| gain | %.4f |\n", t.unit.mean,
                t.unit.second, t.unit.slope2, t.gain);
    text_printf(out, "| it is | %s%s%s%s |\n", t.smooth ? "smooth" : "not smooth", t.monotone ? ", monotone" : "",
                t.saturates ? ", flat at both ends" : "", t.dies ? ", flat on a half line: units can die" : "");
}

static Str header(Arena *arena, const Program *program, const Def *def)
{
    const Ast *ast = def->ast;
    if (!ast)
        return str_printf(arena, "%s " STR_FMT, def_kind_word(def), STR_ARG(describe_signature(arena, program, def)));
    Str text = source_slice(program->sources, ast->span);
    bool whole = ast->kind == AST_FUNCTION || ast->kind == AST_PARAM || def->kind == DEF_OPTIMIZER;
    if (whole && text.n < 1000)
        return text;
    return str_printf(arena, "%s " STR_FMT, def_kind_word(def), STR_ARG(describe_signature(arena, program, def)));
}

void describe_def(Program *program, const Def *def, bool facts, Text *out)
{
    code(out, header(out->arena, program, def));
    paragraph(out, def->doc);
    if (def->layer && def->layer->n_param) {
        text_putc(out, '\n');
        for (uint32_t i = 0; i < def->layer->n_param; i++)
            describe_param(def->layer, &def->layer->param[i], out);
    }
    if (facts && def->kind == DEF_ACTIVATION)
        activation_facts(program, def, out);
}

void describe_rule(const Rule *rule, Text *out)
{
    text_printf(out, "**%s** `%s`: %s\n\n%s\n", rule->code, rule->name, rule->summary, rule->doc);
    if (rule->wrong)
        text_printf(out, "\nWrong:\n```act\n%s%s```\n", rule->wrong,
                    rule->wrong[strlen(rule->wrong) - 1] == '\n' ? "" : "\n");
    if (rule->right)
        text_printf(out, "\nRight:\n```act\n%s%s```\n", rule->right,
                    rule->right[strlen(rule->right) - 1] == '\n' ? "" : "\n");
}
