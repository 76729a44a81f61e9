/* What nobody reads: 1201 unused_definition, 1203 dead_end. Names are looked for in the text, and a name that occurs
 * anywhere else counts as read: silence where it is not sure. */
#include "check/edit.h"
#include "check/example.h"

static const char *kind_of(const Ast *def)
{
    switch (def->kind) {
    case AST_PARAM:
        return "param";
    case AST_BLOCK:
        return "block";
    case AST_DATA:
        return "data block";
    case AST_OPTIMIZER:
        return "optimizer";
    case AST_FUNCTION:
        return str_is(def->word, "activation")    ? "activation"
               : str_is(def->word, "loss")        ? "loss"
               : str_is(def->word, "initializer") ? "initializer"
               : str_is(def->word, "schedule")    ? "schedule"
                                                  : "function";
    default:
        return NULL;
    }
}

/* ── ACT1201 ── */
static bool is_used(const Program *program, const Ast *def)
{
    for (uint32_t f = 0; f < program->files.n; f++)
        for (uint32_t i = 0; i < program->files.at[f]->n_kid; i++) {
            const Ast *other = program->files.at[f]->kid[i];
            if (other && other != def && edit_mentions(other, def->text))
                return true;
        }
    /* the optimizer that is taken when none is written */
    return def->kind == AST_OPTIMIZER && str_is(def->text, "sgd");
}

static void report_unused(CheckContext *cx, const Ast *def)
{
    Diag *diag = check_report(cx, LEVEL_WARN, def->name_span, "the %s `" STR_FMT "` is never used", kind_of(def),
                              STR_ARG(def->text));
    diag_primary(diag, "nothing in the program names it");
    diag_help(diag, "remove it, or use it");
    edit_delete_statement(cx, diag, FIX_SAFE, def->span);
}

static void unused_definition(CheckContext *cx)
{
    const Ast *file = cx->program->files.n ? cx->program->files.at[cx->program->files.n - 1] : NULL;
    bool model = false; /* a file without one is a library for others */
    for (uint32_t i = 0; file && i < file->n_kid; i++)
        model = model || (file->kid[i] && file->kid[i]->kind == AST_MODEL);
    for (uint32_t i = 0; model && i < file->n_kid; i++) {
        const Ast *def = file->kid[i];
        if (def && kind_of(def) && !is_used(cx->program, def))
            report_unused(cx, def);
    }
}

ACT_CHECK(unused_definition) = {
    .code = "ACT1201",
    .name = "unused_definition",
    .group = "graph",
    .level = LEVEL_WARN,
    .summary = "a definition that nothing in the program uses",
    .doc =
        "A block, function, param, data block, optimizer or schedule is defined and never named again. Often it was "
        "meant to be: the new activation is written, and the layers still use the old one; the data block is there, "
        "and the `train` block has none. A param that nothing reads can be set with `--set` and changes nothing.\n\n"
        "Only the file given is asked, and only when it has a model: definitions of imported files are a library, "
        "used or not. Models need no use. What only an unused definition uses is not reported as well.",
    .wrong = "activation bent(x) = if x > 0 then x else 0.2 * x\n"
             "model house {\n"
             "    input  x : f32[12]\n"
             "    target y : f32[1]\n"
             "    loss mse(x |> linear(32) |> relu |> linear(1), y)\n"
             "}\n",
    .right = "activation bent(x) = if x > 0 then x else 0.2 * x\n"
             "model house {\n"
             "    input  x : f32[12]\n"
             "    target y : f32[1]\n"
             "    loss mse(x |> linear(32) |> bent |> linear(1), y)\n"
             "}\n",
    .run_program = unused_definition,
};

/* ── ACT1203 ── */
/* The layers with weights that stand in this statement. */
static uint32_t layers_in(const CheckContext *cx, Span span)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < cx->model->layers.n; i++) {
        const LayerUse *use = &cx->model->layers.at[i];
        n += use->n_tensor > 0 && use->outer.source == span.source && use->outer.begin >= span.begin &&
             use->outer.end <= span.end;
    }
    return n;
}

static void report_dead(CheckContext *cx, const Ast *statement, Str name, Span place, const char *what)
{
    Diag *diag = check_report(cx, LEVEL_WARN, place, "%s `" STR_FMT "` is never used", what, STR_ARG(name));
    bool declared = statement->kind == AST_INPUT || statement->kind == AST_TARGET;
    diag_primary(diag, declared                    ? "read from the data, and nothing depends on it"
                       : statement->kind == AST_SHARE ? "applied nowhere"
                       : statement->kind == AST_BLOCK ? "nothing names it"
                                                      : "no loss, metric or output depends on it");
    uint32_t layers = layers_in(cx, statement->span);
    if (layers)
        diag_note(diag, "the weights of %u layer%s in it are kept and never trained", layers, layers == 1 ? "" : "s");
    diag_help(diag, declared ? "use it, or leave it out here and in the data" : "use it, or remove the line");
    if (!declared)
        edit_delete_statement(cx, diag, FIX_SAFE, statement->span);
}

/* Most values are read a line or two further on, so that is where to begin: a long network stays linear. */
static bool is_read(const Ast *body, uint32_t from, Str name)
{
    for (uint32_t i = from + 1; i < body->n_kid; i++)
        if (edit_mentions(body->kid[i], name))
            return true;
    return edit_mentions(body, name);
}

static void look_into(CheckContext *cx, const Ast *body)
{
    for (uint32_t i = 0; i < body->n_kid; i++) {
        const Ast *st = body->kid[i];
        if (st == NULL)
            continue;
        if (st->kind == AST_BLOCK) {
            look_into(cx, st);
            if (!is_read(body, i, st->text))
                report_dead(cx, st, st->text, st->name_span, "the block");
        } else if (st->kind == AST_INPUT && !is_read(body, i, st->text)) {
            report_dead(cx, st, st->text, st->name_span, "the input");
        } else if (st->kind == AST_TARGET && !is_read(body, i, st->text)) {
            report_dead(cx, st, st->text, st->name_span, "the target");
        } else if (st->kind == AST_SHARE && !is_read(body, i, st->text)) {
            bool weights = st->kid[0]->kind == AST_CALL && str_is(st->kid[0]->kid[0]->text, "parameter");
            report_dead(cx, st, st->text, st->name_span, weights ? "the parameter" : "the shared layer");
        } else if (st->kind == AST_ASSIGN) {
            bool read = false; /* one of several results is enough: the others must have a name */
            for (uint32_t k = 0; k < st->kid[0]->n_kid; k++)
                read = read || is_read(body, i, st->kid[0]->kid[k]->text);
            if (!read)
                report_dead(cx, st, st->kid[0]->kid[0]->text, st->kid[0]->span, "the value");
        }
    }
}

static void dead_end(CheckContext *cx) { look_into(cx, cx->model->ast); }

/* Blocks belong to no model. */
static void dead_end_in_blocks(CheckContext *cx)
{
    static Model nobody;
    cx->model = &nobody;
    for (uint32_t f = 0; f < cx->program->files.n; f++)
        for (uint32_t i = 0; i < cx->program->files.at[f]->n_kid; i++) {
            const Ast *def = cx->program->files.at[f]->kid[i];
            if (def && def->kind == AST_BLOCK)
                look_into(cx, def);
        }
    cx->model = NULL;
}

ACT_CHECK(dead_end) = {
    .code = "ACT1203",
    .name = "dead_end",
    .group = "graph",
    .level = LEVEL_WARN,
    .summary = "a value, input, target or shared layer that nothing reads",
    .doc =
        "A line gives a value a name, and nothing reads it. In a chain that was rewritten the next line often reads "
        "the value before it by mistake, so that a layer hangs in the air: its weights are made, saved and never "
        "trained, and the network is shallower than its text. The same goes for an input or target that is read from "
        "the data for nothing, and for a shared layer that is applied nowhere.\n\n"
        "Only the end of such a chain is reported, since what leads to it is read by it. Of several results of a "
        "block one that is read is enough.",
    .wrong = EXAMPLE_DIGITS("    h1 = image |> linear(64) |> relu\n"
                            "    h2 = h1 |> linear(64) |> relu\n"
                            "    z  = h1 |> linear(10)\n"
                            "    loss cross_entropy(z, label)\n"),
    .right = EXAMPLE_DIGITS("    h1 = image |> linear(64) |> relu\n"
                            "    h2 = h1 |> linear(64) |> relu\n"
                            "    z  = h2 |> linear(10)\n"
                            "    loss cross_entropy(z, label)\n"),
    .run = dead_end,
    .run_program = dead_end_in_blocks,
};
