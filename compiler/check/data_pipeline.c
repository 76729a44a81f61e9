/* What happens to data on its way: 1102 double_normalisation, 1103 target_kind, 1106 constant_feature,
 * 1107 split_pipelines. */
#include "check/edit.h"
#include "check/example.h"

#include "act/abi.h"

#include <math.h>

static const double least_deviation = 0.01; /* of an input, taken as uniform over its range: scaled twice */

static const Ast *ungroup(const Ast *e)
{
    while (e && e->kind == AST_GROUP)
        e = e->kid[0];
    return e;
}

/* Visits every field of the model's data. */
typedef void (*Visit)(CheckContext *cx, const PartUse *part, const FieldUse *field, const Tensor *tensor);
static void visit_fields(CheckContext *cx, Visit visit)
{
    const DataUse *data = cx->model->train ? cx->model->train->data : NULL;
    for (uint32_t p = 0; data && p < data->parts.n; p++)
        for (uint32_t i = 0; i < data->parts.at[p].fields.n; i++) {
            const FieldUse *field = &data->parts.at[p].fields.at[i];
            if (field->tensor)
                visit(cx, &data->parts.at[p], field, &cx->g->tensors.at[field->tensor - 1]);
        }
}

static bool is_normalize(const TransformUse *t) { return t->kind == ACT_T_NORMALIZE || t->kind == ACT_T_STANDARD; }

/* ── ACT1102 ── */
/* The outermost `… / number` or `… * number` around another; NULL: none. */
static const Ast *second_scale(const Ast *e)
{
    e = ungroup(e);
    if (e && e->kind == AST_PIPE)
        return second_scale(e->kid[0]);
    if (e == NULL || e->kind != AST_BINARY || (e->text.p[0] != '/' && e->text.p[0] != '*'))
        return NULL;
    const Ast *inner = ungroup(e->kid[0]);
    return inner->kind == AST_BINARY && (inner->text.p[0] == '/' || inner->text.p[0] == '*') ? e : NULL;
}

/* The whole expression without its last step. */
static void fix_drop(Diag *diag, const Ast *e)
{
    if (e)
        diag_fix(diag, FIX_SAFE, (Span){e->span.source, e->kid[0]->span.end, e->span.end}, "%s", "");
}

/* The step alone. */
static void fix_stage(const CheckContext *cx, Diag *diag, const TransformUse *t)
{
    const Ast *stage = edit_find(cx, t->span), *pipe = stage ? edit_parent(cx, stage) : NULL;
    if (pipe && pipe->kind == AST_PIPE && pipe->kid[1] == stage)
        fix_drop(diag, pipe);
}

static void normalised_twice(CheckContext *cx, const FieldUse *field)
{
    for (uint32_t i = 1; i < field->transforms.n; i++) {
        const TransformUse *first = &field->transforms.at[i - 1], *second = &field->transforms.at[i];
        if (!is_normalize(first) || !is_normalize(second))
            continue;
        Diag *diag = check_report(cx, LEVEL_WARN, second->span, "`" STR_FMT "` is normalised twice",
                                  STR_ARG(field->name));
        check_spot_tensor(cx, field->tensor - 1);
        diag_primary(diag, second->kind == ACT_T_STANDARD ? "shifts and scales what has mean 0 and deviation 1 already"
                                                          : "measures what the first has made");
        diag_label(diag, first->span, "the first time");
        diag_help(diag, "keep one of the two");
        fix_stage(cx, diag, second);
    }
}

static void shrunk_field(CheckContext *cx, const PartUse *part, const FieldUse *field, const Tensor *tensor)
{
    double low, high;
    normalised_twice(cx, field);
    if (!str_is(part->name, "train") || tensor->role != ROLE_INPUT || tensor->type.dtype != DT_F32 ||
        !sema_field_range(field, &low, &high) || !(high > low) || (high - low) / sqrt(12) >= least_deviation)
        return;
    Diag *diag = check_report(cx, LEVEL_WARN, field->value->span, "`" STR_FMT "` is scaled down to [%.3g, %.3g]",
                              STR_ARG(field->name), low, high);
    check_spot_tensor(cx, field->tensor - 1);
    diag_primary(diag, "a deviation of about %.2g: every value looks the same", (high - low) / sqrt(12));
    diag_note(diag, "an 8-bit file holds 0 to 255");
    diag_help(diag, "scale once: `/ 255`");
    fix_drop(diag, second_scale(field->value));
}

/* The pipeline has scaled the input, and the model does it again. */
static void shrunk_in_model(CheckContext *cx)
{
    const Facts *f = cx->facts;
    for (NodeId id = 1; id < cx->g->nodes.n; id++) {
        NodeId base = f->base[id];
        double scale, shift;
        if (!f->live[id] || base == id || base == 0 || facts_tensor(graph_node(cx->g, base)) < 0 ||
            !sx_is_affine(cx->sx, f->fn[id], 0, &scale, &shift))
            continue;
        uint32_t tensor = (uint32_t)facts_tensor(graph_node(cx->g, base));
        const Tensor *t = &cx->g->tensors.at[tensor];
        ValueRange in = f->range[base], out = f->range[id];
        bool last = true; /* of a chain */
        for (uint32_t k = f->first[id]; k < f->first[id + 1]; k++)
            last = last && f->base[f->consumer[k]] != base;
        if (!last || t->role != ROLE_INPUT || !in.known || !out.known || !(in.high - in.low <= 2) ||
            !((in.high - in.low) / sqrt(12) >= least_deviation) || !(out.high > out.low) ||
            (out.high - out.low) / sqrt(12) >= least_deviation)
            continue;
        Diag *diag = check_report(cx, LEVEL_WARN, check_span(cx, id), "`" STR_FMT "` is scaled a second time",
                                  STR_ARG(t->name));
        check_spot_tensor(cx, tensor);
        diag_primary(diag, "from [%g, %g] to [%.3g, %.3g]", in.low, in.high, out.low, out.high);
        diag_label(diag, t->span, "comes in [%g, %g]", in.low, in.high);
        diag_help(diag, "use it as it comes");
        const Ast *e = edit_find(cx, graph_node(cx->g, id)->span);
        bool scaling = e && e->kind == AST_BINARY && (e->text.p[0] == '/' || e->text.p[0] == '*');
        if (scaling && ungroup(e->kid[0])->kind == AST_NAME)
            fix_drop(diag, e);
    }
}

static void double_normalisation(CheckContext *cx)
{
    visit_fields(cx, shrunk_field);
    shrunk_in_model(cx);
}

ACT_CHECK(double_normalisation) = {
    .code = "ACT1102",
    .name = "double_normalisation",
    .group = "data",
    .level = LEVEL_WARN,
    .summary = "data that is scaled or normalised twice",
    .doc =
        "Bytes divided by 255 twice lie between 0 and 0.004: all pictures look black, the first layer sees only its "
        "bias, and the network learns the share of each class. It happens when the pipeline scales and the model "
        "does too, or when a division is copied along with the reader. Reported are known ranges that a pipeline or "
        "the model shrinks to a deviation below 0.01, taken as uniform.\n\n"
        "Two `normalize` in a row are reported as well: the second does nothing when it measures, and spoils the "
        "first when its numbers were meant for the raw data.",
    .wrong = EXAMPLE_PICTURES("    train {\n"
                              "        image = idx(\"train-images-idx3-ubyte\") / 255 / 255\n"
                              "        label = idx(\"train-labels-idx1-ubyte\")\n"
                              "    }\n"),
    .right = EXAMPLE_PICTURES("    train {\n"
                              "        image = idx(\"train-images-idx3-ubyte\") / 255\n"
                              "        label = idx(\"train-labels-idx1-ubyte\")\n"
                              "    }\n"),
    .silences = {"ACT304", "ACT306", "ACT308"},
    .run = double_normalisation,
};

/* ── ACT1103 ── */
static Diag *report_kind(CheckContext *cx, const FieldUse *field, const Tensor *target, const TransformUse *t,
                         const char *text)
{
    Diag *diag = check_report(cx, LEVEL_DENY, t->span, "`" STR_FMT "` %s", STR_ARG(field->name), text);
    check_spot_tensor(cx, field->tensor - 1);
    diag_label(diag, target->span, "declared as " STR_FMT, STR_ARG(target->label));
    return diag;
}

static void kind_of_field(CheckContext *cx, const PartUse *part, const FieldUse *field, const Tensor *tensor)
{
    (void)part;
    bool numbered = tensor->type.dtype == DT_I32, binary = tensor->binary;
    for (uint32_t i = 0; i < field->transforms.n; i++) {
        const TransformUse *t = &field->transforms.at[i];
        if (numbered && t->kind == ACT_T_ONE_HOT) {
            Diag *diag = report_kind(cx, field, tensor, t, "takes the number of a class, and gets a vector");
            diag_primary(diag, "makes %g numbers of each", t->a);
            diag_help(diag, "leave it out: losses take class numbers");
            fix_stage(cx, diag, t);
        } else if (!numbered && t->kind == ACT_T_ONE_HOT && t->a != (double)type_last(&tensor->type)) {
            Diag *diag = report_kind(cx, field, tensor, t, "does not have as many numbers as there are classes");
            diag_primary(diag, "makes %g numbers of each", t->a);
            diag_help(diag, "make both numbers the same");
        } else if ((numbered || binary) && is_normalize(t)) {
            Diag *diag = report_kind(cx, field, tensor, t, "holds classes, and these are normalised");
            diag_primary(diag, "shifts and scales the numbers of classes");
            diag_help(diag, "leave it out: classes are names, not quantities");
            fix_stage(cx, diag, t);
        } else if (numbered && tensor->classes > 2 && t->kind == ACT_T_AFFINE && fabs(t->a - 1.0 / 255) < 1e-9) {
            Diag *diag = report_kind(cx, field, tensor, t, "holds class numbers, and these are divided by 255");
            diag_primary(diag, "class 1 becomes 0.0039, which is no class");
            diag_help(diag, "leave it out: only pixels are scaled");
            const Ast *e = edit_find(cx, t->span);
            if (e && e->kind == AST_BINARY && e->text.p[0] == '/')
                fix_drop(diag, e);
        }
    }
}

static void target_kind(CheckContext *cx) { visit_fields(cx, kind_of_field); }

ACT_CHECK(target_kind) = {
    .code = "ACT1103",
    .name = "target_kind",
    .group = "data",
    .level = LEVEL_DENY,
    .summary = "data of another kind than the input or target it fills",
    .doc =
        "A `class(10)` or `token(65)` takes whole numbers below its count. `one_hot` makes a vector of each, "
        "`normalize` and a division by 255 make fractions of them: no row would be a class any more, and the run "
        "would stop at the first. Losses over classes take the numbers themselves and never want one-hot vectors.\n\n"
        "Where one-hot vectors are meant, the target is real, `f32[10] in [0, 1]`, and `one_hot` must make as many "
        "numbers as it has. That labels lie below the number of classes is known only when the data is read, and the "
        "run says so with file and row.",
    .wrong = EXAMPLE_PICTURES("    train {\n"
                              "        image = idx(\"train-images-idx3-ubyte\") / 255\n"
                              "        label = idx(\"train-labels-idx1-ubyte\") |> one_hot(10)\n"
                              "    }\n"),
    .right = EXAMPLE_PICTURES("    train {\n"
                              "        image = idx(\"train-images-idx3-ubyte\") / 255\n"
                              "        label = idx(\"train-labels-idx1-ubyte\")\n"
                              "    }\n"),
    .run = target_kind,
};

/* ── ACT1106 ── */
static void constant_field(CheckContext *cx, const PartUse *part, const FieldUse *field, const Tensor *tensor)
{
    (void)part;
    for (uint32_t i = 0; i < field->transforms.n; i++) {
        const TransformUse *t = &field->transforms.at[i];
        if (t->kind != ACT_T_AFFINE || t->a != 0)
            continue;
        Diag *diag = check_report(cx, LEVEL_WARN, t->span, "`" STR_FMT "` is %g in every row", STR_ARG(field->name),
                                  t->b);
        check_spot_tensor(cx, field->tensor - 1);
        diag_primary(diag, "multiplied by 0");
        diag_label(diag, tensor->span, tensor->role == ROLE_TARGET ? "the target" : "the input");
        diag_help(diag, "leave the input out, or mend the factor");
    }
}

static void constant_feature(CheckContext *cx) { visit_fields(cx, constant_field); }

ACT_CHECK(constant_feature) = {
    .code = "ACT1106",
    .name = "constant_feature",
    .group = "data",
    .level = LEVEL_WARN,
    .summary = "data that is the same in every row",
    .doc =
        "A value that never changes tells a network nothing: as an input it is a second bias, as a target it is "
        "learned by the bias of the last layer alone. Before a run this is known only when the pipeline multiplies "
        "by zero; a declared range of no width is an error of its own.\n\n"
        "What stands in the files is seen when they are read: a cell that is no number stops the run with file, row "
        "and column, and `normalize` leaves a column that is constant in the training part as it is, instead of "
        "dividing by zero.",
    .wrong = "model house {\n"
             "    input  x : f32[4]\n"
             "    target y : f32[1]\n"
             "    loss mse(x |> linear(16) |> relu |> linear(1), y)\n"
             "}\n"
             "data sales {\n"
             "    train {\n"
             "        x = csv(\"sales.csv\", columns = 1..4) * 0\n"
             "        y = csv(\"sales.csv\", column = \"price\")\n"
             "    }\n"
             "}\n"
             "train house {\n"
             "    data sales\n"
             "}\n",
    .right = "model house {\n"
             "    input  x : f32[4]\n"
             "    target y : f32[1]\n"
             "    loss mse(x |> linear(16) |> relu |> linear(1), y)\n"
             "}\n"
             "data sales {\n"
             "    train {\n"
             "        x = csv(\"sales.csv\", columns = 1..4) * 0.01\n"
             "        y = csv(\"sales.csv\", column = \"price\")\n"
             "    }\n"
             "}\n"
             "train house {\n"
             "    data sales\n"
             "}\n",
    .silences = {"ACT304", "ACT306", "ACT308"},
    .run = constant_feature,
};
