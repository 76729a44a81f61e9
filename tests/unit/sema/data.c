/* Data blocks: readers, arithmetic, ranges that are followed, parts, and what fits which model. */
#include "sema/harness.h"

#include "act/abi.h"

#include <math.h>

#define MODEL "model m {\n input x : f32[4]\n target y : class(3)\n loss cross_entropy(x |> linear(3), y)\n}\n"

static const DataUse *data(Run *run) { return run_model(run)->train->data; }

static const FieldUse *field(Run *run, uint32_t part, uint32_t i) { return &data(run)->parts.at[part].fields.at[i]; }

static void readers_and_transforms(void **state)
{
    (void)state;
    Run *run = run_text(MODEL "param half = 2\ndata d {\n"
                              " train { x = (csv(\"a.csv\", columns = 1..4) - 3) / half * 4 |> normalize\n"
                              "         y = csv(\"a.csv\", column = \"species\") }\n"
                              " test  { x = npy(\"b.npy\") |> normalize(2, 0.5)\n y = idx(\"c.gz\") }\n}\n"
                              "train m { data d }\n");
    const DataUse *d = data(run);
    assert_int_equal(d->parts.n, 2);
    assert_true(str_is(d->parts.at[0].name, "train") && str_is(d->parts.at[1].name, "test"));
    const FieldUse *x = field(run, 0, 0), *y = field(run, 0, 1);
    assert_true(str_is(x->reader, "csv") && str_is(x->path, "a.csv") && str_is(x->columns, "1..4") && x->tensor == 1);
    assert_int_equal(x->transforms.n, 2); /* the arithmetic is one step */
    assert_true(x->transforms.at[0].kind == ACT_T_AFFINE && x->transforms.at[0].a == 2 && x->transforms.at[0].b == -6);
    assert_true(x->transforms.at[1].kind == ACT_T_NORMALIZE);
    assert_true(str_is(y->columns, "species") && y->tensor == 2 && y->transforms.n == 0);
    const TransformUse *standard = &field(run, 1, 0)->transforms.at[0];
    assert_true(standard->kind == ACT_T_STANDARD && standard->a == 2 && standard->b == 0.5);
    run_end(run);
}

static void more_forms(void **state)
{
    (void)state;
    Run *run = run_text(MODEL "data d { validation = split(0.25)\n"
                              " train { x = 1 - csv(\"a\", columns = [1, 3, 4, 9])\n y = csv(\"a\", column = 5) |> shift(1) "
                              "} }\ntrain m { data d }\n");
    assert_true(data(run)->validation_split == 0.25);
    const FieldUse *x = field(run, 0, 0), *y = field(run, 0, 1);
    assert_true(str_is(x->columns, "1,3,4,9") && x->transforms.at[0].a == -1 && x->transforms.at[0].b == 1);
    assert_true(str_is(y->columns, "5") && y->transforms.at[0].kind == ACT_T_SHIFT && y->transforms.at[0].a == 1);
    run_end(run);
}

static void ranges_are_followed(void **state)
{
    (void)state;
    static const struct Case {
        const char *expression;
        double low, high;
    } cases[] = {
        {"idx(\"train-ubyte.gz\")", 0, 255},
        {"idx(\"train-ubyte.gz\") / 255", 0, 1},
        {"1 - idx(\"train-ubyte.gz\") / 127.5", -1, 1},
        {"idx(\"train-ubyte.gz\") / 255 |> normalize(0.5, 0.25)", -2, 2},
        {"idx(\"train-ubyte.gz\") |> normalize", 1, 0}, /* measured: nothing is known */
        {"idx(\"floats.idx\")", 1, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char source[512];
        snprintf(source, sizeof source,
                 "model m {\n input x : f32[4]\n output x\n}\ndata d { train { x = %s } }\ntrain m { data d }\n",
                 cases[i].expression);
        Run *run = run_text(source);
        const Tensor *x = model_tensor(run_model(run), "x");
        assert_true(fabs(x->low - cases[i].low) < 1e-12 && fabs(x->high - cases[i].high) < 1e-12);
        run_end(run);
    }
    expect_planted("model m {\n input x : f32[4] in [-1, 1]\n output x\n}\n"
                   "data d { train { «ACT1219|x = idx(\"train-ubyte.gz\") / 100» } }\ntrain m { data d }\n");
    expect_planted("model m {\n input x : f32[4] in [-1, 1]\n output x\n}\n"
                   "data d { train { x = idx(\"train-ubyte.gz\") / 127.5 - 1 } }\ntrain m { data d }\n");
}

static void mistakes(void **state)
{
    (void)state;
    expect_planted(
        MODEL "data d { train { x = csv(\"a\")\n y = csv(\"b\")\n «ACT1205|x» = csv(\"c\") } }\ntrain m { data d }\n");
    expect_planted("data d { train { x = «ACT1209|csv(\"a\") * csv(\"b\")» } }\n");
    expect_planted("data d { train { x = «ACT1209|csv(\"a\") / 0» } }\n");
    expect_planted("data d { train { x = «ACT1209|csv(\"a\") ^ 2» } }\n");
    expect_planted("data d { train { x = csv(«ACT1209|3») } }\n");
    expect_planted("data d { train { x = «ACT1210|csv()» } }\n");
    expect_planted("data d { train { x = «ACT1210|csv» } }\n");
    expect_planted("data d { train { x = «ACT1209|3» } }\n");
    expect_planted("data d { train { x = csv(\"a\") |> «ACT1210|normalize(3)» } }\n");
    expect_planted("data d { train { x = csv(\"a\") |> «ACT1209|normalize(3, 0)» } }\n");
    expect_planted("data d { train { x = csv(\"a\") |> one_hot(«ACT1215|2.5») } }\n");
    expect_planted("data d { validation = «ACT1209|0.1»\n train { x = csv(\"a\") } }\n");
    expect_planted("data d { train { x = csv(\"a\") }\n «ACT1205|train» { x = csv(\"a\") } }\n");
    expect_planted(MODEL "data d { train { x = csv(\"a\")\n y = csv(\"b\") }\n «ACT1210|test» { x = csv(\"a\") } "
                         "}\ntrain m { data d }\n");
    expect_planted("data d { train { x = csv(\"a\", columns = «ACT1206|nope»..4) } }\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_and_transforms),
        cmocka_unit_test(more_forms),
        cmocka_unit_test(ranges_are_followed),
        cmocka_unit_test(mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
