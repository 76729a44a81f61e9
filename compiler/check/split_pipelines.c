/* ACT1107: training and test data that are prepared differently. */
#include "check/edit.h"
#include "check/example.h"

#include "act/abi.h"
#include "base/file.h"

#include <math.h>

typedef VEC(TransformUse) Steps;

static bool is_affine(const TransformUse *t) { return t->kind == ACT_T_AFFINE || t->kind == ACT_T_STANDARD; }

/* The steps that act on values, in one notation: what shifts and scales is x * a + b. A `normalize` that measures, at
 * the end of the training part, belongs to the model and acts on every part, whether it is written there or not. */
static Steps steps_of(const CheckContext *cx, const FieldUse *field, bool measured)
{
    Steps steps = {0};
    for (uint32_t i = 0; i < field->transforms.n; i++) {
        TransformUse t = field->transforms.at[i];
        if (measured && t.kind == ACT_T_NORMALIZE && i + 1 == field->transforms.n)
            break;
        if (t.kind == ACT_T_STANDARD)
            t = (TransformUse){ACT_T_AFFINE, 1 / t.b, -t.a / t.b, t.span};
        TransformUse *last = steps.n ? &steps.at[steps.n - 1] : NULL;
        if (last && is_affine(last) && is_affine(&t)) {
            last->a *= t.a;
            last->b = last->b * t.a + t.b;
        } else {
            *vec_push(cx->arena, &steps) = t;
        }
    }
    return steps;
}

static bool near(double a, double b) { return fabs(a - b) <= 1e-9 * (1 + fabs(a) + fabs(b)); }

static bool same_steps(const CheckContext *cx, const FieldUse *a, const FieldUse *b)
{
    bool measured = a->transforms.n > 0 && a->transforms.at[a->transforms.n - 1].kind == ACT_T_NORMALIZE;
    Steps one = steps_of(cx, a, measured), other = steps_of(cx, b, measured);
    bool same = one.n == other.n;
    for (uint32_t i = 0; same && i < one.n; i++)
        same = one.at[i].kind == other.at[i].kind && near(one.at[i].a, other.at[i].a) &&
               near(one.at[i].b, other.at[i].b);
    return same;
}

static const FieldUse *field_of(const PartUse *part, uint32_t tensor)
{
    for (uint32_t i = 0; part && i < part->fields.n; i++)
        if (part->fields.at[i].tensor == tensor)
            return &part->fields.at[i];
    return NULL;
}

/* The same file, or two of the same kind: only then the steps say what happens to the values. */
static bool same_source(const FieldUse *a, const FieldUse *b)
{
    return str_eq(a->reader, b->reader) && str_eq(path_ending(a->path), path_ending(b->path));
}

static void compare(CheckContext *cx, const PartUse *train, const PartUse *other)
{
    for (uint32_t i = 0; i < train->fields.n; i++) {
        const FieldUse *a = &train->fields.at[i], *b = a->tensor ? field_of(other, a->tensor) : NULL;
        if (b == NULL || !same_source(a, b) || same_steps(cx, a, b))
            continue;
        Diag *diag = check_report(cx, LEVEL_WARN, b->value->span,
                                  "`" STR_FMT "` is prepared differently for `" STR_FMT "` than for training",
                                  STR_ARG(a->name), STR_ARG(other->name));
        check_spot_tensor(cx, a->tensor - 1);
        diag_primary(diag, "measured on values of this form");
        diag_label(diag, a->value->span, "trained on values of this form");
        diag_note(diag, "the model is asked about numbers of another size than those it has learned from");
        diag_help(diag, "write the same steps behind both readers");
    }
}

static void split_pipelines(CheckContext *cx)
{
    const DataUse *data = cx->model->train ? cx->model->train->data : NULL;
    const PartUse *train = NULL;
    for (uint32_t i = 0; data && i < data->parts.n; i++)
        if (str_is(data->parts.at[i].name, "train"))
            train = &data->parts.at[i];
    for (uint32_t i = 0; train && i < data->parts.n; i++)
        if (&data->parts.at[i] != train)
            compare(cx, train, &data->parts.at[i]);
}

ACT_CHECK(split_pipelines) = {
    .code = "ACT1107",
    .name = "split_pipelines",
    .group = "data",
    .level = LEVEL_WARN,
    .summary = "training and test data pass through different transforms",
    .doc =
        "What a model is tested on must have gone the way of what it was trained on. A forgotten `/ 255` in the test "
        "part shows the network pictures 255 times as bright: training looks healthy, and the accuracy on the test "
        "data is that of a guess. The steps behind the readers are compared, for `test` and for `validation`; "
        "numbers count, names of files do not.\n\n"
        "A `normalize` without numbers at the end of the training part is measured there and belongs to the model, "
        "so it acts on every part, written or not. Augmentation changes training data only and is never compared, "
        "nor are files of different kinds.",
    .wrong = "model digits {\n"
             "    input  image : f32[28, 28, 1] in [0, 255]\n"
             "    target label : class(10)\n"
             "    z = image / 255 |> flatten |> linear(64) |> relu |> linear(10)\n"
             "    loss cross_entropy(z, label)\n"
             "}\n"
             "data mnist {\n"
             "    train {\n"
             "        image = csv(\"train.csv\", columns = 1..784)\n"
             "        label = csv(\"train.csv\", column = \"label\")\n"
             "    }\n"
             "    test {\n"
             "        image = csv(\"test.csv\", columns = 1..784) / 255\n"
             "        label = csv(\"test.csv\", column = \"label\")\n"
             "    }\n"
             "}\n"
             "train digits {\n"
             "    data      mnist\n"
             "    optimizer adam\n"
             "}\n",
    .right = EXAMPLE_PICTURES("    train {\n"
                              "        image = csv(\"train.csv\", columns = 1..784) / 255\n"
                              "        label = csv(\"train.csv\", column = \"label\")\n"
                              "    }\n"
                              "    test {\n"
                              "        image = csv(\"test.csv\", columns = 1..784) / 255\n"
                              "        label = csv(\"test.csv\", column = \"label\")\n"
                              "    }\n"),
    .run = split_pipelines,
};
