/* Outputs and losses: 201 to 211. What fires, what stays silent beside it, what a fix makes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness.h"

#define CLASSES "    input  x : f32[8]\n    target y : class(4)\n"
#define BINARY  "    input  x : f32[8]\n    target y : binary\n"
#define LABELS  "    input  x : f32[8]\n    target y : binary[4]\n"
#define REAL    "    input  x : f32[8]\n    target y : f32[1]\n"

static void test_double_softmax(void **state)
{
    (void)state;
    assert_says("model m {\n" CLASSES
                "    z = x |> linear(4)\n    loss cross_entropy(softmax(z), y)\n    output softmax(z)\n}\n",
                "m.act:5:24: error[ACT201]: softmax output feeds a loss that applies softmax itself\n");
    /* the call form, used nowhere else */
    assert_fix("model m {\n" CLASSES
               "    z = x |> linear(4)\n    loss cross_entropy(softmax(z), y)\n    output softmax(z)\n}\n",
               "ACT201", FIX_SAFE,
               "model m {\n" CLASSES
               "    z = x |> linear(4)\n    loss cross_entropy(z, y)\n    output softmax(z)\n}\n");
    /* the value has a name: the loss takes that */
    assert_fix("model m {\n" CLASSES
               "    z = x |> linear(4)\n    p = z |> softmax\n    loss cross_entropy(p, y)\n    output p\n}\n",
               "ACT201", FIX_SAFE,
               "model m {\n" CLASSES
               "    z = x |> linear(4)\n    p = z |> softmax\n    loss cross_entropy(z, y)\n    output p\n}\n");
    /* it has none: it gets one, and what the model shows stays what it was */
    assert_fix("model m {\n" CLASSES
               "    p = x |> linear(16) |> relu\n          |> linear(4) |> softmax\n    loss cross_entropy(p, y)\n"
               "    output p\n}\n",
               "ACT201", FIX_SAFE,
               "model m {\n" CLASSES
               "    p_logits = x |> linear(16) |> relu\n          |> linear(4)\n    p = p_logits |> softmax\n"
               "    loss cross_entropy(p_logits, y)\n    output p\n}\n");
    /* the accuracy only compares: it may lose the softmax too */
    assert_fix("model m {\n" CLASSES
               "    p = x |> linear(4) |> softmax\n    loss cross_entropy(p, y)\n    metric accuracy(p, y)\n"
               "    output x\n}\n",
               "ACT201", FIX_SAFE,
               "model m {\n" CLASSES
               "    p = x |> linear(4)\n    loss cross_entropy(p, y)\n    metric accuracy(p, y)\n    output x\n}\n");
    /* the softmax also feeds a layer: only the loss may be changed */
    assert_fix("model m {\n" CLASSES "    z = x |> linear(4)\n    p = z |> softmax\n    loss cross_entropy(p, y)\n"
               "    z2 = concat(x, p) |> linear(4)\n    loss cross_entropy(z2, y)\n    output x\n}\n",
               "ACT201", FIX_SAFE,
               "model m {\n" CLASSES "    z = x |> linear(4)\n    p = z |> softmax\n    loss cross_entropy(z, y)\n"
               "    z2 = concat(x, p) |> linear(4)\n    loss cross_entropy(z2, y)\n    output x\n}\n");
    /* through a view */
    assert_says("model m {\n" CLASSES
                "    z = x |> linear(4) |> softmax |> reshape(1, 4) |> reshape(4)\n    loss cross_entropy(z, y)\n}\n",
                "m.act:4:27: error[ACT201]: softmax output feeds a loss that applies softmax itself\n");
    /* written by hand */
    assert_says("block share_of_sum(x) { e = exp(x); e / sum(e, axis = -1, keep = true) }\n"
                "model m {\n" CLASSES "    z = x |> linear(4) |> share_of_sum\n    loss cross_entropy(z, y)\n}\n",
                "m.act:1:37: error[ACT201]: softmax output feeds a loss that applies softmax itself\n");
    /* log_softmax is idempotent: superfluous, not wrong */
    assert_clean("model m {\n" CLASSES "    z = x |> linear(4) |> log_softmax\n    loss cross_entropy(z, y)\n}\n");
    assert_clean("model m {\n" CLASSES
                 "    z = x |> linear(4)\n    loss cross_entropy(z, y)\n    metric accuracy(softmax(z), y)\n"
                 "    output softmax(z)\n}\n");
    /* a scaled softmax can say what it wants */
    assert_clean("model m {\n" CLASSES "    z = x |> linear(4) |> softmax\n    loss cross_entropy(8 * z, y)\n}\n");
}

static void test_double_softmax_human(void **state)
{
    (void)state;
    Checked c = check_text("model m {\n" CLASSES
                           "    z = x |> linear(4)\n    loss cross_entropy(softmax(z), y)\n    output z\n}\n");
    const Diag *diag = checked_find(&c, "ACT201");
    assert_non_null(diag);
    Str text = diag_render(c.arena, diag, &(DiagStyle){.format = DIAG_HUMAN});
    assert_string_equal(
        text.p, "error[ACT201]: softmax output feeds a loss that applies softmax itself\n"
                " --> m.act:5:24\n"
                "  |\n"
                "5 |     loss cross_entropy(softmax(z), y)\n"
                "  |          --------------^^^^^^^^^^----\n"
                "  |          |             |\n"
                "  |          |             produces probabilities\n"
                "  |          expects logits and normalises them again\n"
                "  |\n"
                "  = note: with 4 classes the loss cannot fall below 0.7437 (an untrained model scores 1.3863)\n"
                "help: give the loss the value before the softmax; `output softmax(…)` still reports probabilities\n"
                "  |\n"
                "5 -     loss cross_entropy(softmax(z), y)\n"
                "5 +     loss cross_entropy(z, y)\n");
    arena_free(c.arena);
}

static void test_double_sigmoid(void **state)
{
    (void)state;
    assert_says("model m {\n" BINARY "    p = x |> linear(1) |> sigmoid\n    loss bce_with_logits(p, y)\n}\n",
                "m.act:4:27: error[ACT202]: `sigmoid` output feeds a loss that applies sigmoid itself\n");
    /* one's own, and a hard one: known by their shape */
    assert_says("activation squash(x) = 0.5 + 0.5 * x / (1 + abs(x))\n"
                "model m {\n" BINARY "    p = x |> linear(1) |> squash\n    loss bce_with_logits(p, y)\n}\n",
                "m.act:5:27: error[ACT202]: `squash` output feeds a loss that applies sigmoid itself\n");
    assert_says("model m {\n" LABELS "    p = x |> linear(4) |> hard_sigmoid\n    loss bce_with_logits(p, y)\n}\n",
                "m.act:4:27: error[ACT202]: `hard_sigmoid` output feeds a loss that applies sigmoid itself\n");
    assert_fix("model m {\n" BINARY
               "    z = x |> linear(1)\n    p = sigmoid(z)\n    loss bce_with_logits(p, y)\n    output p\n}\n",
               "ACT202", FIX_SAFE,
               "model m {\n" BINARY
               "    z = x |> linear(1)\n    p = sigmoid(z)\n    loss bce_with_logits(z, y)\n    output p\n}\n");
    assert_clean("model m {\n" BINARY "    p = x |> linear(1) |> sigmoid\n    loss bce(p, y)\n}\n");
    assert_clean("model m {\n" BINARY
                 "    z = x |> linear(1)\n    loss bce_with_logits(z, y)\n    output sigmoid(z)\n}\n");
    /* clipped logits reach far enough */
    assert_clean("model m {\n" BINARY "    z = x |> linear(1) |> tanh\n    loss bce_with_logits(10 * z, y)\n}\n");
}

static void test_softmax_one_unit(void **state)
{
    (void)state;
    /* one cause, one message: neither 205, 206, 208, 210 nor 211 beside it */
    assert_says("model m {\n" BINARY "    p = x |> linear(1) |> softmax\n    loss bce(p, y)\n}\n",
                "m.act:4:27: error[ACT203]: softmax over a single unit always gives 1\n");
    assert_says(
        "model m {\n    input x : f32[8]\n    target y : class(2)\n    p = x |> linear(1) |> softmax\n"
        "    loss cross_entropy(p, y)\n}\n",
        "m.act:4:27: error[ACT203]: softmax over a single unit always gives 1\n");
    assert_says("model m {\n" REAL "    p = x |> linear(1) |> softmax\n    loss mse(p, y)\n}\n",
                "m.act:4:27: error[ACT203]: softmax over a single unit always gives 1\n");
    assert_fix(
        "model m {\n    input x : f32[8]\n    target y : class(2)\n    p = x |> linear(1) |> softmax\n"
        "    loss cross_entropy(p, y)\n}\n",
        "ACT203", FIX_UNSAFE,
        "model m {\n    input x : f32[8]\n    target y : binary\n    p = x |> linear(1) |> sigmoid\n"
        "    loss bce(p, y)\n}\n");
    assert_fix("model m {\n" BINARY "    p = x |> linear(1) |> softmax\n    loss bce_with_logits(p, y)\n}\n", "ACT203",
               FIX_UNSAFE, "model m {\n" BINARY "    p = x |> linear(1)\n    loss bce_with_logits(p, y)\n}\n");
    assert_clean(
        "model m {\n    input x : f32[8]\n    target y : class(2)\n    z = x |> linear(2)\n"
        "    loss cross_entropy(z, y)\n"
        "    output softmax(z)\n}\n");
}

static void test_sigmoid_with_ce(void **state)
{
    (void)state;
    assert_says(
        "model m {\n" CLASSES "    p = x |> linear(4) |> sigmoid\n    loss cross_entropy(p, y)\n    output x\n}\n",
        "m.act:4:27: error[ACT204]: `sigmoid` output feeds `cross_entropy`, which compares classes by their logits\n");
    assert_fix("model m {\n" CLASSES
               "    p = x |> linear(4) |> sigmoid\n    loss cross_entropy(p, y)\n    output x\n}\n",
               "ACT204", FIX_UNSAFE,
               "model m {\n" CLASSES "    p = x |> linear(4)\n    loss cross_entropy(p, y)\n    output x\n}\n");
    assert_clean("model m {\n" CLASSES "    p = x |> linear(4) |> leaky_relu\n    loss cross_entropy(p, y)\n}\n");
}

static void test_softmax_with_bce(void **state)
{
    (void)state;
    assert_says("model m {\n" LABELS "    p = x |> linear(4) |> softmax\n    loss bce(p, y)\n}\n",
                "m.act:4:27: error[ACT205]: softmax output feeds `bce`, which asks about each unit on its own\n");
    /* with one class of many it does train: a warning */
    assert_says("model m {\n" CLASSES "    p = x |> linear(4) |> softmax\n    loss bce(p, y)\n    output x\n}\n",
                "m.act:4:27: warning[ACT205]: softmax output feeds `bce`, which asks about each unit on its own\n");
    assert_fix("model m {\n" CLASSES "    p = x |> linear(4) |> softmax\n    loss bce(p, y)\n    output x\n}\n",
               "ACT205", FIX_UNSAFE,
               "model m {\n" CLASSES "    p = x |> linear(4)\n    loss cross_entropy(p, y)\n    output x\n}\n");
    assert_fix("model m {\n" LABELS
               "    p = x |> linear(4) |> softmax\n    loss bce_with_logits(p, y)\n    output x\n}\n",
               "ACT205", FIX_UNSAFE,
               "model m {\n" LABELS "    p = x |> linear(4)\n    loss bce_with_logits(p, y)\n    output x\n}\n");
    /* a divergence between distributions wants softmax */
    assert_clean("model m {\n    input x : f32[8]\n    input t : f32[4]\n    lp = x |> linear(4) |> log_softmax\n"
                 "    loss kl(lp, softmax(t))\n}\n");
}

static void test_mse_on_classes(void **state)
{
    (void)state;
    assert_says("model m {\n" CLASSES "    loss mse(x |> linear(4), y)\n}\n",
                "m.act:4:10: warning[ACT206]: `mse` measures a distance, but `y` is a class\n");
    assert_fix("model m {\n" CLASSES "    z = x |> linear(4)\n    loss mae(z, y)\n}\n", "ACT206", FIX_UNSAFE,
               "model m {\n" CLASSES "    z = x |> linear(4)\n    loss cross_entropy(z, y)\n}\n");
    assert_fix("model m {\n" BINARY "    p = x |> linear(1) |> sigmoid\n    loss mse(p, y)\n}\n", "ACT206", FIX_UNSAFE,
               "model m {\n" BINARY "    p = x |> linear(1) |> sigmoid\n    loss bce(p, y)\n}\n");
    assert_fix("model m {\n" BINARY "    z = x |> linear(1)\n    loss mse(z, y)\n}\n", "ACT206", FIX_UNSAFE,
               "model m {\n" BINARY "    z = x |> linear(1)\n    loss bce_with_logits(z, y)\n}\n");
    /* one's own distance is one too; a focal loss is none */
    assert_says("loss fourth(p, y) = (p - y)^4\nmodel m {\n" CLASSES
                "    z = x |> linear(4)\n    loss fourth(z, y)\n}\n",
                "m.act:6:10: warning[ACT206]: `fourth` measures a distance, but `y` is a class\n");
    assert_clean("loss focal(p, y) = -y * (1 - p)^2 * log(p + 1e-6) - (1 - y) * p^2 * log(1 - p + 1e-6)\n"
                 "model m {\n" BINARY "    p = x |> linear(1) |> sigmoid\n    loss focal(p, y)\n}\n");
    assert_clean("model m {\n" REAL "    loss mse(x |> linear(1), y)\n}\n");
    /* least squares against a literal, as in some adversarial networks */
    assert_clean("model m {\n    input x : f32[8]\n    d = x |> linear(1)\n    loss mse(d, 1)\n}\n");
}

static void test_ce_on_real(void **state)
{
    (void)state;
    assert_says(
        "model m {\n" REAL "    z = x |> linear(1)\n    loss bce_with_logits(z, y)\n}\n",
        "m.act:5:10: error[ACT207]: `bce_with_logits` needs classes or probabilities, but its target is real\n");
    /* one cause: nothing about the linear output under bce */
    assert_says("model m {\n" REAL "    z = x |> linear(1)\n    loss bce(z, y)\n}\n",
                "m.act:5:10: error[ACT207]: `bce` needs classes or probabilities, but its target is real\n");
    assert_says(
        "model m {\n    input x : f32[8]\n    target y : f32[1] in [0, 5]\n    z = x |> linear(1)\n"
        "    loss bce_with_logits(z, y)\n}\n",
        "m.act:5:10: error[ACT207]: `bce_with_logits` needs classes or probabilities, but its target is real\n");
    assert_says(
        "model m {\n    input x : f32[8] in [0, 2]\n    loss bce_with_logits(x |> linear(8), x)\n}\n",
        "m.act:3:10: error[ACT207]: `bce_with_logits` needs classes or probabilities, but its target is real\n");
    assert_clean(
        "model m {\n    input x : f32[8]\n    target y : f32[1] in [0, 1]\n    z = x |> linear(1)\n"
        "    loss bce_with_logits(z, y)\n}\n");
    assert_clean("model m {\n    input x : f32[8] in [0, 1]\n    loss bce_with_logits(x |> linear(8), x)\n}\n");
    assert_clean("model m {\n    input x : f32[8]\n    loss bce_with_logits(x |> linear(8), x)\n}\n");
}

static void test_bounded_regression(void **state)
{
    (void)state;
    assert_says("model m {\n" REAL "    p = x |> linear(1) |> sigmoid\n    loss mse(p, y)\n}\n",
                "m.act:4:27: warning[ACT208]: `sigmoid` bounds the output of a regression\n");
    assert_says("model m {\n" REAL "    p = x |> linear(1) |> relu\n    loss huber(p, y)\n}\n",
                "m.act:4:27: warning[ACT208]: `relu` bounds the output of a regression\n");
    assert_says(
        "model m {\n    input x : f32[8]\n    target y : f32[3]\n    p = x |> linear(3) |> softmax\n"
        "    loss mse(p, y)\n}\n",
        "m.act:4:27: warning[ACT208]: `softmax` bounds the output of a regression\n");
    assert_says(
        "model m {\n    input x : f32[8]\n    target y : f32[1] in [-3.2, 1]\n    p = x |> linear(1) |> tanh\n"
        "    loss mse(p, y)\n}\n",
        "m.act:4:27: error[ACT208]: `tanh` output cannot be -3.2, which `y` may be\n");
    /* a scale that does not reach far enough */
    assert_says(
        "model m {\n    input x : f32[8]\n    target y : f32[1] in [-5, 5]\n    p = x |> linear(1) |> tanh\n"
        "    loss mse(3 * p, y)\n}\n",
        "m.act:4:27: error[ACT208]: `tanh` output cannot be -5, which `y` may be\n");
    assert_says(
        "model m {\n    input x : f32[8] in [0, 3]\n    p = x |> linear(8) |> sigmoid\n    loss mse(p, x)\n}\n",
        "m.act:3:27: error[ACT208]: `sigmoid` output cannot be 3, which `x` may be\n");
    assert_fix("model m {\n" REAL "    p = x |> linear(1) |> sigmoid\n    loss mse(p, y)\n    output p\n}\n", "ACT208",
               FIX_UNSAFE, "model m {\n" REAL "    p = x |> linear(1)\n    loss mse(p, y)\n    output p\n}\n");
    assert_clean(
        "model m {\n    input x : f32[8]\n    target y : f32[1] in [0, 1]\n    p = x |> linear(1) |> sigmoid\n"
        "    loss mse(p, y)\n}\n");
    assert_clean(
        "model m {\n    input x : f32[8]\n    target y : f32[1] in [0, 90]\n    p = x |> linear(1) |> relu\n"
        "    loss mse(p, y)\n}\n");
    assert_clean(
        "model m {\n    input x : f32[8]\n    target y : f32[1] in [-3, 3]\n    p = x |> linear(1) |> tanh\n"
        "    loss mse(3 * p, y)\n}\n");
    assert_clean("model m {\n" REAL "    p = x |> linear(1) |> tanh\n    loss mse(3 * p, y)\n}\n");
    assert_clean("model m {\n" REAL "    p = x |> linear(1) |> softplus\n    loss mse(p, y)\n}\n");
    assert_clean("model m {\n" REAL
                 "    p = x |> linear(4) |> relu |> linear(1) |> leaky_relu\n    loss mse(p, y)\n}\n");
}

static void test_missing_output_activation(void **state)
{
    (void)state;
    assert_says("model m {\n" BINARY "    z = x |> linear(1)\n    loss bce(z, y)\n}\n",
                "m.act:5:10: error[ACT210]: `bce` is given values that are not probabilities\n");
    assert_says("model m {\n" BINARY "    z = x |> linear(1) |> relu\n    loss bce(z, y)\n}\n",
                "m.act:5:10: error[ACT210]: `bce` is given values that are not probabilities\n");
    assert_says("model m {\n" BINARY "    z = x + (x |> linear(8))\n    loss bce(z |> slice(0, 1), y)\n}\n",
                "m.act:5:10: error[ACT210]: `bce` is given values that are not probabilities\n");
    assert_says("model m {\n" CLASSES "    z = x |> linear(4)\n    loss nll(z, y)\n}\n",
                "m.act:5:10: error[ACT210]: `nll` is given values that are not probabilities\n");
    assert_says("model m {\n" CLASSES "    p = x |> linear(4) |> softmax\n    loss nll(p, y)\n}\n",
                "m.act:5:10: error[ACT210]: `nll` is given probabilities instead of their logarithms\n");
    assert_fix("model m {\n" CLASSES "    z = x |> linear(4)\n    loss nll(z, y)\n}\n", "ACT210", FIX_SAFE,
               "model m {\n" CLASSES "    z = x |> linear(4)\n    loss cross_entropy(z, y)\n}\n");
    assert_fix("model m {\n" CLASSES "    p = x |> linear(4) |> softmax\n    loss nll(p, y)\n    output x\n}\n",
               "ACT210", FIX_SAFE,
               "model m {\n" CLASSES "    p = x |> linear(4) |> log_softmax\n    loss nll(p, y)\n    output x\n}\n");
    assert_fix("model m {\n" BINARY "    z = x |> linear(1) |> tanh\n    loss bce(z, y)\n}\n", "ACT210", FIX_UNSAFE,
               "model m {\n" BINARY "    z = x |> linear(1) |> sigmoid\n    loss bce(z, y)\n}\n");
    assert_clean("model m {\n" CLASSES "    p = x |> linear(4) |> softmax\n    loss nll(log(p + 1e-6), y)\n}\n");
    assert_clean("model m {\n" CLASSES "    z = x |> linear(4)\n    lp = z - logsumexp(z)\n    loss nll(lp, y)\n}\n");
    assert_clean("model m {\n" BINARY "    p = x |> linear(1) |> sigmoid\n    loss bce(1 - p, y)\n}\n");
    assert_clean("model m {\n" BINARY
                 "    p = (x |> linear(1) |> sigmoid) * (x |> linear(1) |> sigmoid)\n    loss bce(p, y)\n}\n");
}

static void test_class_count(void **state)
{
    (void)state;
    assert_says("model m {\n" CLASSES "    z = x |> linear(3)\n    loss cross_entropy(z, y)\n}\n",
                "m.act:5:10: error[ACT211]: 3 units for 4 classes\n");
    assert_says("model m {\n" CLASSES "    z = x |> linear(5)\n    loss cross_entropy(z, y)\n}\n",
                "m.act:5:10: error[ACT211]: 5 units for 4 classes\n");
    assert_says(
        "model m {\n    input x : f32[8]\n    target y : class(2)\n    z = x |> linear(1)\n"
        "    loss cross_entropy(z, y)\n}\n",
        "m.act:5:10: error[ACT211]: 1 unit for 2 classes\n");
    assert_fix("model m {\n" CLASSES
               "    z = x |> linear(16) |> relu |> linear(5, bias = false)\n    loss cross_entropy(z, y)\n}\n",
               "ACT211", FIX_SAFE,
               "model m {\n" CLASSES
               "    z = x |> linear(16) |> relu |> linear(4, bias = false)\n    loss cross_entropy(z, y)\n}\n");
    assert_clean("model m {\n" CLASSES "    z = x |> linear(4)\n    loss cross_entropy(z, y)\n}\n");
    /* a vocabulary filled up to a round number */
    assert_clean(
        "model m {\n    input x : f32[8]\n    target y : class(1005)\n    z = x |> linear(1024)\n"
        "    loss cross_entropy(z, y)\n}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_double_softmax),     cmocka_unit_test(test_double_softmax_human),
        cmocka_unit_test(test_double_sigmoid),     cmocka_unit_test(test_softmax_one_unit),
        cmocka_unit_test(test_sigmoid_with_ce),    cmocka_unit_test(test_softmax_with_bce),
        cmocka_unit_test(test_mse_on_classes),     cmocka_unit_test(test_ce_on_real),
        cmocka_unit_test(test_bounded_regression), cmocka_unit_test(test_missing_output_activation),
        cmocka_unit_test(test_class_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
