/* Hidden layers and initializers: 301, 302, 303, 401, 402. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness.h"

#define HEAD "    input  x : f32[16]\n    target y : class(4)\n"
#define TAIL "    z = h |> linear(4)\n    loss cross_entropy(z, y)\n}\n"

static void test_collapsed_linear(void **state)
{
    (void)state;
    const char *says =
        "m.act:4:14: warning[ACT301]: `linear1` and `linear2` are one linear map: nothing non-linear stands between "
        "them\n";
    assert_says("model m {\n" HEAD "    h = x |> linear(16)\n" TAIL, says);
    /* bias, scale, dropout and a change of shape that is none leave it linear */
    assert_says(
        "model m {\n" HEAD "    h = 2 * (x |> linear(16, bias = false) |> dropout(0.5)) |> reshape(4, 4) |> reshape(16)\n" TAIL,
        "m.act:4:19: warning[ACT301]: `linear1` and `linear2` are one linear map: nothing non-linear stands between "
        "them\n");
    /* narrower than both: a factorisation, a note */
    assert_notes(
        "model m {\n" HEAD "    h = x |> linear(2)\n" TAIL,
        "m.act:4:14: note[ACT301]: `linear1` and `linear2` are one linear map: nothing non-linear stands between "
        "them\n");
    /* three in a row: two places where something is missing */
    assert_says(
        "model m {\n" HEAD "    h = x |> linear(16) |> linear(16)\n" TAIL,
        "m.act:4:14: warning[ACT301]: `linear1` and `linear2` are one linear map: nothing non-linear stands between "
        "them\n"
        "m.act:4:28: warning[ACT301]: `linear2` and `linear3` are one linear map: nothing non-linear stands between "
        "them\n");
    assert_fix("model m {\n" HEAD "    h = x |> linear(16) as first\n" TAIL, "ACT301", FIX_UNSAFE,
               "model m {\n" HEAD "    h = x |> linear(16) as first |> relu\n" TAIL);
    /* what the network uses elsewhere */
    assert_fix("model m {\n" HEAD "    h = x |> linear(16) |> gelu |> linear(16)\n" TAIL, "ACT301", FIX_UNSAFE,
               "model m {\n" HEAD "    h = x |> linear(16) |> gelu |> linear(16) |> gelu\n" TAIL);
    assert_fix("model m {\n" HEAD "    h = linear(x, 16)\n" TAIL, "ACT301", FIX_UNSAFE,
               "model m {\n" HEAD "    h = relu(linear(x, 16))\n" TAIL);
    /* in a block: the line of the block, once */
    assert_says(
        "block wide(x) { x |> linear(16) |> linear(16) |> relu }\nmodel m {\n" HEAD
        "    h = x |> repeat(3, wide)\n" TAIL,
        "m.act:1:22: warning[ACT301]: `wide1.0.linear1` and `wide1.0.linear2` are one linear map: nothing non-linear "
        "stands "
        "between them\n");
}

static void test_not_collapsed(void **state)
{
    (void)state;
    assert_clean("model m {\n" HEAD "    h = x |> linear(16) |> relu\n" TAIL);
    /* the value between is wanted for itself, or by others */
    assert_clean("model m {\n" HEAD "    h = x |> linear(16)\n    output h\n" TAIL);
    assert_clean("model m {\n" HEAD "    e = x |> linear(16)\n    h = e + (e |> linear(16) |> relu)\n" TAIL);
    /* applied at each position, then read across positions */
    assert_clean(
        "model m {\n    input x : f32[5, 8]\n    target y : class(4)\n    h = x |> linear(3) |> flatten\n" TAIL);
    /* shared, and frozen */
    assert_clean("model m {\n" HEAD "    share p = linear(16)\n    h = x |> p |> p |> relu\n" TAIL);
    assert_clean("model m {\n" HEAD "    h = x |> linear(32, trainable = false)\n" TAIL);
    /* a function of two values is no scale */
    assert_clean("model m {\n" HEAD "    h = (x |> linear(16)) * (x |> linear(16))\n" TAIL);
}

#define SIX(f)                                                                                                         \
    "    h = x |> linear(16) |> " f " |> linear(16) |> " f " |> linear(16) |> " f " |> linear(16) |> " f               \
    " |> linear(16) |> " f " |> linear(16) |> " f "\n"

static void test_saturating_hidden(void **state)
{
    (void)state;
    assert_says(
        "model m {\n" HEAD SIX("sigmoid") TAIL,
        "m.act:4:28: warning[ACT302]: `sigmoid` in 6 hidden layers lets 0.0016 of the gradient "
        "through\n");
    assert_says(
        "model m {\n" HEAD SIX("hard_sigmoid") TAIL,
        "m.act:4:28: warning[ACT302]: `hard_sigmoid` in 6 hidden layers lets 0.00049 of the "
        "gradient through\n");
    /* one's own function */
    assert_says(
        "activation squash(x) = 1 / (1 + exp(-x))\nmodel m {\n" HEAD SIX("squash") TAIL,
        "m.act:5:28: warning[ACT302]: `squash` in 6 hidden layers lets 0.0016 of the gradient "
        "through\n");
    /* tanh keeps most of it */
    assert_clean("model m {\n" HEAD SIX("tanh") TAIL);
    assert_notes(
        "model m {\n" HEAD "    h = x |> linear(16, weight = xavier_normal) |> tanh\n" TAIL,
        "m.act:4:52: note[ACT302]: `tanh` in 1 hidden layer lets 0.681 of the gradient through\n");
}

/* The case of the guides: twenty layers of sigmoid behind Xavier weights. */
static void test_twenty_layers(void **state)
{
    (void)state;
    const char *text = "block layer(x) { x |> linear(64, weight = xavier_normal) |> sigmoid }\n"
                       "model m {\n    input x : f32[64]\n    target y : class(64)\n    h = x |> repeat(20, layer)\n"
                       "    z = h |> linear(64, weight = xavier_normal)\n    loss cross_entropy(z, y)\n}\n";
    assert_says(
        text,
        "m.act:1:61: warning[ACT302]: `sigmoid` in 20 hidden layers lets 2.6e-13 of the gradient "
        "through\n");
    /* the initializer made for it goes too */
    assert_fix(text, "ACT302", FIX_UNSAFE,
               "block layer(x) { x |> linear(64, weight = kaiming_normal) |> elu }\n"
               "model m {\n    input x : f32[64]\n    target y : class(64)\n    h = x |> repeat(20, layer)\n"
               "    z = h |> linear(64, weight = xavier_normal)\n    loss cross_entropy(z, y)\n}\n");
}

static void test_saturating_human(void **state)
{
    (void)state;
    Checked c = check_text("block layer(x) { x |> linear(16) |> sigmoid }\nmodel m {\n" HEAD
                           "    h = x |> repeat(6, layer)\n" TAIL);
    const Diag *diag = checked_find(&c, "ACT302");
    assert_non_null(diag);
    Str text = diag_render(c.arena, diag, &(DiagStyle){.format = DIAG_HUMAN});
    assert_string_equal(
        text.p,
        "warning[ACT302]: `sigmoid` in 6 hidden layers lets 0.0016 of the gradient through\n"
        " --> m.act:1:37\n"
        "  |\n"
        "1 | block layer(x) { x |> linear(16) |> sigmoid }\n"
        "  |                                     ^^^^^^^ its slope is at most 0.25 and vanishes where it saturates\n"
        "...\n"
        "5 |     h = x |> repeat(6, layer)\n"
        "  |                        ----- in this use\n"
        "  |\n"
        "  = note: predicted from the initial weights: a factor of 0.34 per layer; the first layer of the network gets "
        "0.0016 of the gradient at the last\n"
        "help: in hidden layers use `relu` or `gelu`; their gradient keeps its size\n"
        "  |\n"
        "1 - block layer(x) { x |> linear(16) |> sigmoid }\n"
        "1 + block layer(x) { x |> linear(16) |> relu }\n");
    arena_free(c.arena);
}

static void test_saturating_where_it_belongs(void **state)
{
    (void)state;
    /* gates, in any form */
    assert_notes("model m {\n" HEAD "    h = (x |> linear(16) |> sigmoid) * (x |> linear(16))\n" TAIL, "");
    assert_notes("model m {\n" HEAD
                 "    t = x |> linear(16) |> sigmoid\n    h = t * (x |> linear(16) |> relu) + (1 - t) * x\n" TAIL,
                 "");
    assert_notes("model m {\n" HEAD "    g = x |> linear(16)\n    h = tanh(x |> linear(16)) * sigmoid(g)\n" TAIL, "");
    /* a code narrower than its neighbours */
    assert_notes("model m {\n    input x : f32[32]\n    c = x |> linear(16) |> relu |> linear(4) |> sigmoid\n"
                 "    loss mse(c |> linear(16) |> relu |> linear(32), x)\n}\n",
                 "");
    /* the output */
    assert_notes(
        "model m {\n" HEAD
        "    h = x |> linear(16) |> relu\n    z = h |> linear(4)\n    loss cross_entropy(z, y)\n"
        "    output sigmoid(z)\n}\n",
        "");
    /* the input, squashed before anything is learned */
    assert_notes("model m {\n" HEAD "    h = tanh(x) |> linear(16) |> relu\n" TAIL, "");
}

static void test_softmax_hidden(void **state)
{
    (void)state;
    assert_says("model m {\n" HEAD "    h = x |> linear(16) |> softmax\n" TAIL,
                "m.act:4:28: warning[ACT303]: softmax between hidden layers\n");
    assert_fix("model m {\n" HEAD "    h = x |> linear(16) |> silu |> linear(16) |> softmax(axis = -1)\n" TAIL,
               "ACT303", FIX_UNSAFE, "model m {\n" HEAD "    h = x |> linear(16) |> silu |> linear(16) |> silu\n" TAIL);
    assert_fix("model m {\n" HEAD "    h = softmax(x |> linear(16), axis = -1)\n" TAIL, "ACT303", FIX_UNSAFE,
               "model m {\n" HEAD "    h = relu(x |> linear(16))\n" TAIL);
    /* weights of other values */
    assert_clean("model m {\n" HEAD "    h = (x |> linear(16) |> softmax) * (x |> linear(16))\n" TAIL);
    /* a prediction of its own that feeds the next stage */
    assert_clean("model m {\n" HEAD
                 "    p = x |> linear(4) |> softmax\n    h = concat(x, p) |> linear(16) |> relu\n    output p\n" TAIL);
    assert_clean(
        "model m {\n" HEAD
        "    h = x |> linear(16) |> relu\n    z = h |> linear(4)\n    loss cross_entropy(z, y)\n"
        "    output softmax(z)\n}\n");
}

static void test_symmetric_init(void **state)
{
    (void)state;
    assert_says("model m {\n" HEAD "    h = x |> linear(16, weight = zeros) |> relu\n" TAIL,
                "m.act:4:14: error[ACT401]: the 16 units of `linear1` never learn: all weights start at 0\n");
    assert_says("model m {\n" HEAD
                "    h = x |> linear(16, weight = constant(0.5)) |> tanh\n    z = h |> linear(4, weight = zeros)\n"
                "    loss cross_entropy(z, y)\n}\n",
                "m.act:4:14: error[ACT401]: the 16 units of `linear1` stay identical: all weights start at 0.5\n");
    assert_says("model m {\n" HEAD "    h = x |> linear(16, weight = ones) |> gelu\n" TAIL,
                "m.act:4:14: warning[ACT401]: the 16 units of `linear1` start identical: all weights are 1\n");
    /* dropout tells units apart */
    assert_says("model m {\n" HEAD "    h = x |> linear(16, weight = constant(0.5)) |> tanh |> dropout(0.5)\n"
                "    z = h |> linear(4, weight = zeros)\n    loss cross_entropy(z, y)\n}\n",
                "m.act:4:14: warning[ACT401]: the 16 units of `linear1` start identical: all weights are 0.5\n");
    assert_fix("model m {\n" HEAD "    h = x |> linear(16, weight = zeros) |> relu\n" TAIL, "ACT401", FIX_SAFE,
               "model m {\n" HEAD "    h = x |> linear(16, weight = kaiming_normal) |> relu\n" TAIL);
    assert_fix("model m {\n" HEAD "    h = x |> linear(16, weight = constant(0.1)) |> tanh\n" TAIL, "ACT401", FIX_SAFE,
               "model m {\n" HEAD "    h = x |> linear(16, weight = xavier_normal) |> tanh\n" TAIL);
}

static void test_zeros_where_they_belong(void **state)
{
    (void)state;
    assert_clean(
        "model m {\n" HEAD
        "    h = x |> linear(16) |> relu\n    z = h |> linear(4, weight = zeros)\n    loss cross_entropy(z, y)\n}\n");
    assert_clean("model m {\n" HEAD "    h = x + (x |> linear(16) |> relu |> linear(16, weight = zeros))\n" TAIL);
    assert_clean("model m {\n" HEAD "    h = x * (x |> linear(16, weight = zeros) |> sigmoid)\n" TAIL);
    assert_clean("model m {\n" HEAD
                 "    h = x |> linear(1, weight = ones) |> tanh\n" TAIL); /* one unit has nobody to be like */
}

static void test_init_activation_mismatch(void **state)
{
    (void)state;
    /* a layer or two: a note */
    assert_notes(
        "model m {\n" HEAD "    h = x |> linear(16, weight = xavier_normal) |> relu\n" TAIL,
        "m.act:4:14: note[ACT402]: `xavier_normal` does not fit `relu`: each layer changes the signal by a factor of "
        "0.71\n");
    assert_notes(
        "model m {\n" HEAD "    h = x |> linear(16, weight = lecun_normal) |> gelu\n" TAIL,
        "m.act:4:14: note[ACT402]: `lecun_normal` does not fit `gelu`: each layer changes the signal by a factor of "
        "0.65\n");
    /* the framework default of variance 1 / (3 fan_in): twenty layers of 0.408 */
    const char *deep =
        "block layer(x) { x |> linear(64, weight = kaiming_uniform(gain = 0.57735)) |> relu }\n"
        "model m {\n    input x : f32[64]\n    target y : class(10)\n    h = x |> repeat(12, layer)\n"
        "    z = h |> linear(10)\n"
        "    loss cross_entropy(z, y)\n}\n";
    assert_says(
        deep,
        "m.act:1:23: warning[ACT402]: `kaiming_uniform` does not fit `relu`: each layer changes the signal by a "
        "factor of 0.41\n");
    assert_fix(
        deep, "ACT402", FIX_UNSAFE,
        "block layer(x) { x |> linear(64, weight = kaiming_uniform) |> relu }\n"
        "model m {\n    input x : f32[64]\n    target y : class(10)\n    h = x |> repeat(12, layer)\n"
        "    z = h |> linear(10)\n"
        "    loss cross_entropy(z, y)\n}\n");
    /* a plain normal that is far too wide */
    assert_says(
        "block layer(x) { x |> linear(64, weight = normal(0, 1)) |> relu }\n"
        "model m {\n    input x : f32[64]\n    target y : class(10)\n    h = x |> repeat(4, layer)\n"
        "    z = h |> linear(10)\n"
        "    loss cross_entropy(z, y)\n}\n",
        "m.act:1:23: warning[ACT403]: the weights of `layer1.0.linear1` start 5.66 times too large\n");
}

static void test_init_that_fits(void **state)
{
    (void)state;
    assert_notes("model m {\n" HEAD "    h = x |> linear(16, weight = kaiming_normal) |> relu\n" TAIL, "");
    assert_notes("model m {\n" HEAD "    h = x |> linear(16, weight = kaiming_normal) |> gelu\n" TAIL, "");
    assert_notes("model m {\n" HEAD "    h = x |> linear(16, weight = lecun_normal) |> selu\n" TAIL, "");
    assert_notes("model m {\n" HEAD "    h = x |> linear(16) |> relu\n" TAIL, "");
    assert_notes("model m {\n" HEAD "    h = x |> linear(20, weight = kaiming_normal(mode = fan_out)) |> relu\n" TAIL,
                 "");
    /* Xavier and LeCun in front of tanh and sigmoid are what the textbooks say, whatever the widths */
    assert_clean(
        "model m {\n" HEAD
        "    h = x |> linear(256, weight = xavier_uniform) |> tanh |> linear(8, weight = xavier_uniform) |> sigmoid\n"
        TAIL);
    assert_notes("activation mine(x) = x * sigmoid(1.7 * x)\nmodel m {\n" HEAD "    h = x |> linear(16) |> mine\n" TAIL,
                 "");
    /* the last layer of a branch may start small */
    assert_notes(
        "model m {\n" HEAD "    h = x + (x |> linear(16) |> relu |> linear(16, weight = normal(0, 0.001)))\n" TAIL, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_collapsed_linear),        cmocka_unit_test(test_not_collapsed),
        cmocka_unit_test(test_saturating_hidden),       cmocka_unit_test(test_twenty_layers),
        cmocka_unit_test(test_saturating_human),        cmocka_unit_test(test_saturating_where_it_belongs),
        cmocka_unit_test(test_softmax_hidden),          cmocka_unit_test(test_symmetric_init),
        cmocka_unit_test(test_zeros_where_they_belong), cmocka_unit_test(test_init_activation_mismatch),
        cmocka_unit_test(test_init_that_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
