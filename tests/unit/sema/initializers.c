/* How parameters start: the families, the gain of the non-linearity that follows, and what is recorded about it. */
#include "sema/harness.h"

#include <math.h>

#define BEGIN "model m {\n input x : f32[64]\n target y : f32[16]\n"
#define END   " loss mse(z, y)\n}\n"

static void expect_near(double found, double wanted)
{
    if (!(fabs(found - wanted) <= 1e-9 * fmax(1, fabs(wanted))))
        fprintf(stderr, "found %.17g, wanted %.17g\n", found, wanted);
    assert_true(fabs(found - wanted) <= 1e-9 * fmax(1, fabs(wanted)));
}

/* The weight of `linear(16, weight = INIT)` behind 64 features: deviation and gain. */
static void expect_weight(const char *init, const char *behind, double deviation, double gain)
{
    char source[512];
    snprintf(source, sizeof source, BEGIN " h = x |> linear(16, weight = %s)\n z = h %s\n" END, init, behind);
    Run *run = run_text(source);
    const Tensor *t = model_tensor(run_model(run), "linear1.weight");
    expect_near(t->deviation, deviation);
    expect_near(t->gain, gain);
    assert_true(t->weight && t->trainable && t->role == ROLE_PARAM);
    assert_true(t->fan_in == 64 && t->fan_out == 16);
    assert_true(t->file_axis[0] == 1 && t->file_axis[1] == 0);
    run_end(run);
}

static void families(void **state)
{
    (void)state;
    double root2 = sqrt(2);
    expect_weight("auto", "|> relu", root2 / 8, root2);
    expect_weight("kaiming_normal", "|> relu", root2 / 8, root2);
    expect_weight("kaiming_uniform", "|> relu", root2 / 8, root2);
    expect_weight("kaiming_normal(gain = 3)", "|> relu", 3.0 / 8, 3);
    expect_weight("kaiming_normal(3)", "|> relu", 3.0 / 8, 3);
    expect_weight("kaiming_normal(mode = fan_out)", "|> relu", root2 / 4, root2);
    expect_weight("xavier_normal", "|> tanh", sqrt(2.0 / 80), 1);
    expect_weight("xavier_uniform(gain = 2)", "", 2 * sqrt(2.0 / 80), 2);
    expect_weight("lecun_normal", "|> selu", 1.0 / 8, 1);
    expect_weight("lecun_uniform", "", 1.0 / 8, 1);
    expect_weight("normal(0, 0.02)", "", 0.02, 0.16);
    expect_weight("uniform(-1, 1)", "", 1 / sqrt(3), 8 / sqrt(3));
    expect_weight("truncated_normal(0, 0.1)", "", 0.08796256610342398, 0.7037005288273918);
    expect_weight("orthogonal(2)", "", 2.0 / 8, 2);
    expect_weight("constant(0.5)", "", 0, 0);
    expect_weight("zeros", "", 0, 0);
}

/* auto: through linear operations to the next non-linearity; 1 where none follows first. */
static void the_gain_that_follows(void **state)
{
    (void)state;
    double tanh_gain = 1.5925374197228315, root2 = sqrt(2);
    expect_weight("auto", "", 1.0 / 8, 1);
    expect_weight("auto", "|> tanh", tanh_gain / 8, tanh_gain);
    expect_weight("auto", "|> dropout(0.5) |> reshape(4, 4) |> flatten |> tanh", tanh_gain / 8, tanh_gain);
    expect_weight("auto", "|> stop_gradient |> relu", root2 / 8, root2);
    expect_weight("auto", "|> linear(16) |> relu", 1.0 / 8, 1); /* another layer comes first */
    expect_weight("auto", "|> softmax", 1.0 / 8, 1);
    expect_weight("auto", "+ y |> relu", 1.0 / 8, 1);           /* a sum of branches */
    expect_weight("auto", "* y |> relu", 1.0 / 8, 1);           /* a gate */
    expect_weight("auto", "* 2 + 1 |> relu", root2 / 8, root2); /* affine */
    expect_weight("auto", "|> leaky_relu(0.2)", sqrt(2 / 1.04) / 8, sqrt(2 / 1.04));
}

static void own_definitions(void **state)
{
    (void)state;
    Run *run = run_text("activation third(x) = if x > 0 then x / 3 else 0\n"
                        "initializer mine(fan_in, fan_out, gain) = normal(0, gain * sqrt(fan_out) / fan_in)\n"
                        "initializer alias = mine\n"
                        "param choice = alias(gain = 4)\n" BEGIN " a = x |> linear(4) |> third\n"
                        " b = a |> linear(4, weight = mine) |> relu\n"
                        " z = b |> linear(16, weight = choice, bias = normal(1, 0.5))\n" END);
    const Model *m = run_model(run);
    expect_near(model_tensor(m, "linear1.weight")->gain, 3 * sqrt(2));
    expect_near(model_tensor(m, "linear2.weight")->deviation, sqrt(2) * 2 / 4);
    assert_true(str_is(model_tensor(m, "linear2.weight")->init, "mine"));
    expect_near(model_tensor(m, "linear3.weight")->deviation, 4 * sqrt(16) / 4);
    const Tensor *bias = model_tensor(m, "linear3.bias");
    assert_true(!bias->weight && bias->fill.kind == FILL_NORMAL && bias->fill.a == 1 && bias->fill.b == 0.5);
    assert_true(model_tensor(m, "linear1.bias")->fill.kind == FILL_CONSTANT &&
                model_tensor(m, "linear1.bias")->fill.a == 0);
    run_end(run);
}

static void frozen_and_free(void **state)
{
    (void)state;
    Run *run = run_text(
        BEGIN " share t = parameter([1, 16], normal(0, 0.02))\n share f = parameter(16, ones, trainable = false)\n"
              " z = (x |> linear(16, trainable = false) as head) + (t |> reshape(16)) * f\n" END);
    const Model *m = run_model(run);
    assert_true(model_tensor(m, "head.weight")->role == ROLE_CONSTANT && !model_tensor(m, "head.weight")->trainable);
    assert_true(model_tensor(m, "head.bias")->role == ROLE_CONSTANT);
    const Tensor *t = model_tensor(m, "t");
    assert_true(t->role == ROLE_PARAM && t->type.rank == 2 && t->type.dim[1] == 16 && !t->type.batch);
    expect_near(t->deviation, 0.02);
    assert_true(model_tensor(m, "f")->role == ROLE_CONSTANT && model_tensor(m, "f")->fill.a == 1);
    run_end(run);
}

static void flattened_images(void **state)
{
    (void)state;
    Run *run = run_text("model m {\n input x : f32[4, 6, 3]\n input s : f32[5, 8]\n"
                        " output a = x |> flatten |> dropout(0.1) |> relu |> linear(7) as behind\n"
                        " output b = x |> linear(7) as pixels\n output c = s |> flatten |> linear(7) as rows\n}\n");
    const Model *m = run_model(run);
    const Tensor *t = model_tensor(m, "behind.weight");
    assert_true(t->flat_rank == 3 && t->flat[0] == 4 && t->flat[1] == 6 && t->flat[2] == 3);
    assert_int_equal(model_tensor(m, "pixels.weight")->flat_rank, 0);
    assert_int_equal(model_tensor(m, "rows.weight")->flat_rank, 0);
    run_end(run);
}

static void traits_of_definitions(void **state)
{
    (void)state;
    Run *run = run_text("activation mine(x, a = 2) = if x > 0 then x else a * x\nactivation other = mine(3)\n");
    const Def *mine = sema_find(run->program, DEF_ACTIVATION, STR("mine"));
    const Def *other = sema_find(run->program, DEF_ACTIVATION, STR("other"));
    assert_non_null(mine);
    double x[64] = {-1};
    assert_true(sx_eval(run->program->sx, sema_activation(run->program, mine), x) == -2);
    assert_true(sx_eval(run->program->sx, sema_activation(run->program, other), x) == -3);
    unsigned pointwise = 0;
    for (uint32_t i = 0; i < run->program->defs.n; i++)
        if (run->program->defs.at[i].kind == DEF_ACTIVATION)
            pointwise += sema_activation(run->program, &run->program->defs.at[i]) != 0;
    assert_true(pointwise >= 19); /* the library's seventeen names at least, and these two */
    run_end(run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(families),         cmocka_unit_test(the_gain_that_follows),
        cmocka_unit_test(own_definitions),  cmocka_unit_test(frozen_and_free),
        cmocka_unit_test(flattened_images), cmocka_unit_test(traits_of_definitions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
