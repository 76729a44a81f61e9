/* Inputs and targets of the wrong size: 1101 unnormalised_input, 1104 target_scale. */
#include "check/edit.h"

#include <math.h>

/* Standardised data lies within three deviations; pictures of bytes are scaled to [0, 1] or [-1, 1]. */
static const double farthest = 3, farthest_image = 1;
static const double largest_target = 10; /* standard deviation of a quantity to predict */
static const double deviations_in_range = 10; /* a bell whose bounds are five deviations away: a cautious guess */

static bool is_image(const Type *type)
{
    return type->rank == 3 && (type->dim[2] == 1 || type->dim[2] == 3 || type->dim[2] == 4);
}

static bool is_far(const Tensor *input, ValueRange range)
{
    if (!range.known || !isfinite(range.low) || !isfinite(range.high))
        return false;
    /* below zero too: the picture was standardised, and then bright pixels lie near 2.7 */
    double most = is_image(&input->type) && range.low >= 0 ? farthest_image : farthest;
    return fmax(fabs(range.low), fabs(range.high)) > most * (1 + 1e-6);
}

/* Marks the inputs whose far range arrives at `id` through steps that keep elements apart. */
static void find_far(const CheckContext *cx, NodeId id, bool *far)
{
    const Facts *f = cx->facts;
    const Node *node = graph_node(cx->g, id);
    int tensor = facts_tensor(node);
    if (tensor >= 0) {
        const Tensor *t = &cx->g->tensors.at[tensor];
        far[tensor] = far[tensor] || (t->role == ROLE_INPUT && t->type.dtype == DT_F32 && is_far(t, f->range[id]));
    } else if (f->base[id] != id && f->base[id] != 0) {
        int from = facts_tensor(graph_node(cx->g, facts_skip(f, f->base[id])));
        if (from < 0 || is_far(&cx->g->tensors.at[from], f->range[id]))
            find_far(cx, f->base[id], far);
    } else if (facts_passes(node) || facts_is(node, "slice") || facts_is(node, "pad") || facts_is(node, "concat") ||
               facts_is(node, "dropout")) {
        for (uint32_t i = 0; i < node->n_in; i++)
            find_far(cx, node->in[i], far);
    }
}

/* ── the fix: a scale in the data pipeline, where there is one, else where the model reads the value ── */
static Str scaled(const CheckContext *cx, const char *value, ValueRange range, double *low, double *high)
{
    double most = fmax(fabs(range.low), fabs(range.high)), middle = (range.low + range.high) / 2;
    if (range.low == -range.high || (range.low >= 0 && range.low <= 0.5 * range.high)) {
        *low = range.low / most;
        *high = range.high / most;
        return str_printf(cx->arena, "%s / " STR_FMT, value, STR_ARG(edit_number(cx->arena, most)));
    }
    *low = -1;
    *high = 1;
    return str_printf(cx->arena, "(%s %c " STR_FMT ") / " STR_FMT, value, middle < 0 ? '+' : '-',
                      STR_ARG(edit_number(cx->arena, fabs(middle))),
                      STR_ARG(edit_number(cx->arena, range.high - middle)));
}

static const Ast *declared_range(const CheckContext *cx, const Tensor *input)
{
    for (uint32_t i = 0; i < cx->model->ast->n_kid; i++) {
        const Ast *st = cx->model->ast->kid[i];
        if (st && st->kind == AST_INPUT && str_eq(st->text, input->name))
            for (uint32_t k = 0; k < st->kid[0]->n_kid; k++)
                if (st->kid[0]->kid[k] && st->kid[0]->kid[k]->kind == AST_RANGE)
                    return st->kid[0]->kid[k];
    }
    return NULL;
}

static bool fix_pipeline(const CheckContext *cx, Diag *diag, uint32_t tensor, ValueRange range)
{
    const DataUse *data = cx->model->train ? cx->model->train->data : NULL;
    double low, high;
    uint32_t fields = 0;
    for (uint32_t p = 0; data && p < data->parts.n; p++)
        for (uint32_t i = 0; i < data->parts.at[p].fields.n; i++) {
            const FieldUse *field = &data->parts.at[p].fields.at[i];
            if (field->tensor != tensor + 1)
                continue;
            const char *text = str_c(cx->arena, edit_text(cx, field->value->span));
            if (field->value->kind != AST_CALL)
                text = str_c(cx->arena, str_printf(cx->arena, "(%s)", text));
            diag_fix(diag, FIX_SAFE, field->value->span, STR_FMT, STR_ARG(scaled(cx, text, range, &low, &high)));
            fields++;
        }
    const Ast *declared = declared_range(cx, &cx->g->tensors.at[tensor]);
    if (fields && declared) {
        diag_fix(diag, FIX_SAFE, declared->kid[0]->span, "%g", low);
        diag_fix(diag, FIX_SAFE, declared->kid[1]->span, "%g", high);
    }
    return fields > 0;
}

static void fix_input(const CheckContext *cx, Diag *diag, uint32_t tensor, ValueRange range)
{
    const Tensor *input = &cx->g->tensors.at[tensor];
    double low, high;
    if (fix_pipeline(cx, diag, tensor, range))
        return;
    const Ast *reader = edit_only_reader(cx, input->name), *parent = reader ? edit_parent(cx, reader) : NULL;
    bool alone = parent && ((parent->kind == AST_PIPE && parent->kid[0] == reader) || parent->kind == AST_ASSIGN ||
                            parent->kind == AST_ARG);
    if (alone) {
        Str text = scaled(cx, str_c(cx->arena, input->name), range, &low, &high);
        diag_fix(diag, FIX_SAFE, reader->span, STR_FMT, STR_ARG(text));
    }
}

static void report_far(CheckContext *cx, uint32_t tensor, NodeId product)
{
    const Tensor *input = &cx->g->tensors.at[tensor];
    ValueRange range = {input->low, input->high, false, true};
    double low, high;
    Diag *diag = check_report(cx, LEVEL_WARN, input->span, "`" STR_FMT "` reaches the first layer in [%g, %g]",
                              STR_ARG(input->name), range.low, range.high);
    check_spot_tensor(cx, tensor);
    for (uint32_t i = 0; i < cx->model->losses.n; i++)
        check_spot_loss(cx, &cx->model->losses.at[i]);
    diag_primary(diag, "not scaled");
    diag_label(diag, check_span(cx, product), "its pre-activations start with a deviation of %.3g",
               signal_rms(cx->signal, product));
    check_label_outer(cx, diag, product, "in this use");
    diag_note(diag, "an initializer makes them about 1 for inputs of about 1; gradients grow by the same factor");
    Str text = scaled(cx, str_c(cx->arena, input->name), range, &low, &high);
    diag_help(diag, "scale it to about one: `" STR_FMT "`, or `|> normalize` in the data pipeline", STR_ARG(text));
    fix_input(cx, diag, tensor, range);
}

static void unnormalised_input(CheckContext *cx)
{
    bool *said = arena_array(cx->arena, bool, cx->g->tensors.n + 1);
    for (NodeId id = 1; id < cx->g->nodes.n; id++) {
        int weight = cx->facts->live[id] ? facts_weight(cx->g, id) : -1;
        NodeId data = weight >= 0 ? graph_node(cx->g, id)->in[0] : 0;
        if (data == 0 || cx->facts->weighted[data] != 0)
            continue;
        bool *far = arena_array(cx->arena, bool, cx->g->tensors.n + 1);
        find_far(cx, data, far);
        for (uint32_t i = 0; i < cx->g->tensors.n; i++)
            if (far[i] && !said[i]) {
                said[i] = true;
                report_far(cx, i, id);
            }
    }
}

ACT_CHECK(unnormalised_input) = {
    .code = "ACT1101",
    .name = "unnormalised_input",
    .group = "data",
    .level = LEVEL_WARN,
    .summary = "an input that reaches the first layer far from one",
    .doc =
        "Initializers are made for inputs of about one: then pre-activations are about one, activations work where "
        "they bend, and a usual learning rate fits. Bytes from 0 to 255 make the first pre-activations more than a "
        "hundred times larger; a sigmoid or tanh is saturated from the start, and the gradient of the first weights "
        "is larger by the same factor than that of all others, so that no rate fits both. It is the most frequent "
        "fault that studies of failing programs find.\n\n"
        "Reported are ranges that are declared, or known from the file (8-bit `idx`) and the arithmetic behind it, "
        "when they go beyond [-3, 3]; for pictures that are nowhere negative beyond [0, 1]. [0, 1] itself is fine, "
        "and so is anything behind `normalize`. Data of unknown range says nothing here; the run measures it.",
    .wrong = "model digits {\n"
             "    input  image : f32[28, 28, 1] in [0, 255]\n"
             "    target label : class(10)\n"
             "    z = image |> flatten |> linear(64) |> relu |> linear(10)\n"
             "    loss cross_entropy(z, label)\n"
             "}\n",
    .right = "model digits {\n"
             "    input  image : f32[28, 28, 1] in [0, 255]\n"
             "    target label : class(10)\n"
             "    z = image / 255 |> flatten |> linear(64) |> relu |> linear(10)\n"
             "    loss cross_entropy(z, label)\n"
             "}\n",
    .silences = {"ACT304", "ACT305", "ACT306", "ACT307", "ACT308", "ACT407", "ACT901"},
    .run = unnormalised_input,
};

/* How many times steeper the loss is at this distance than at 1. */
static double steepness(const CheckContext *cx, const LossCall *loss, double distance)
{
    Sx term = facts_loss_term(cx->facts, loss), slope[2];
    if (term == 0)
        return NAN;
    sx_gradient(cx->sx, term, 2, slope);
    return sx_eval(cx->sx, slope[0], (double[]){0, -distance}) / sx_eval(cx->sx, slope[0], (double[]){0, -1});
}

static void target_scale(CheckContext *cx)
{
    for (uint32_t i = 0; i < cx->model->losses.n; i++) {
        const LossCall *loss = &cx->model->losses.at[i];
        const Tensor *target;
        ValueRange range = cx->facts->range[loss->target ? loss->target : loss->prediction];
        if (check_target(cx, loss, &target) != TARGET_REAL || !check_is_distance_loss(cx, loss) || !range.known ||
            !isfinite(range.low) || !isfinite(range.high))
            continue;
        double deviation = (range.high - range.low) / deviations_in_range, middle = (range.low + range.high) / 2;
        double size = sqrt(deviation * deviation + middle * middle);
        if (deviation <= largest_target || signal_rms(cx->signal, loss->prediction) >= size / largest_target)
            continue;
        Diag *diag =
            check_report(cx, LEVEL_WARN, target->span, "`" STR_FMT "` lies in [%g, %g], and the model starts near 0",
                         STR_ARG(target->name), range.low, range.high);
        check_spot_tensor(cx, loss->target_tensor - 1);
        check_spot_loss(cx, loss);
        diag_primary(diag, "a deviation of about %.3g", deviation);
        diag_label(diag, loss->prediction_span, "starts with values of about %.2g",
                   signal_rms(cx->signal, loss->prediction));
        double steep = steepness(cx, loss, size);
        if (steep > largest_target)
            diag_note(diag, "the first gradients are about %.2g times those of a target of size 1", steep);
        else
            diag_note(diag, "the gradient is no larger for it, so steps made for values near 1 have far to go");
        diag_help(diag, "train on a scaled target: `|> normalize(%g, %.3g)` in the data pipeline, or scale the output: "
                        "`z * %.3g + %g`", middle, deviation, deviation, middle);
    }
}

ACT_CHECK(target_scale) = {
    .code = "ACT1104",
    .name = "target_scale",
    .group = "data",
    .level = LEVEL_WARN,
    .summary = "a quantity to predict that is far larger than what the model starts with",
    .doc =
        "A fresh network puts out values of about one. Under a squared loss the gradient is proportional to the "
        "distance from the target: for prices of some hundred thousand the first steps are that much too large, and "
        "a rate that survives them is far too small for what follows; under an absolute loss usual steps need as "
        "many times longer to get there. The last layer spends its time on learning the unit of measurement.\n\n"
        "Reported are real targets under a loss of distances whose declared or known range is wider than 100 (a "
        "tenth of it is taken as the deviation), when the prediction starts more than ten times smaller. "
        "`normalize(mean, std)` in the data pipeline, or a scale behind the last layer, gives the network a target "
        "of size one; r2 and the order of predictions do not change.",
    .wrong = "model house {\n"
             "    input  x : f32[12]\n"
             "    target price : f32[1] in [0, 1000000]\n"
             "    p = x |> linear(32) |> relu |> linear(1)\n"
             "    loss mse(p, price)\n"
             "}\n",
    .right = "model house {\n"
             "    input  x : f32[12]\n"
             "    target price : f32[1] in [0, 1000000]\n"
             "    z = x |> linear(32) |> relu |> linear(1)\n"
             "    loss mse(500000 + 250000 * z, price)\n"
             "}\n",
    .silences = {"ACT901"},
    .run = target_scale,
};
