/* Healthy, well-known dense networks: not an error, not a warning. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness.h"

static const char *const networks[] = {
    /* the classifier of every introduction */
    "param hidden = relu\n"
    "model classifier {\n"
    "    input  image : f32[28, 28, 1]\n"
    "    target label : class(10)\n"
    "    logits = image |> flatten |> linear(128) |> hidden |> linear(128) |> hidden |> linear(10)\n"
    "    loss   cross_entropy(logits, label)\n"
    "    metric accuracy(logits, label)\n"
    "    output softmax(logits)\n"
    "}\n",
    /* B1: a small tanh network */
    "model spiral {\n"
    "    input  p : f32[2]\n"
    "    target y : binary\n"
    "    z = p |> linear(32) |> tanh |> linear(32) |> tanh |> linear(1)\n"
    "    loss   bce_with_logits(z, y)\n"
    "    metric accuracy(z, y)\n"
    "    output sigmoid(z)\n"
    "}\n",
    /* regression, tabular */
    "model diabetes {\n"
    "    input  x : f32[10]\n"
    "    target y : f32[1]\n"
    "    p = x |> linear(64) |> elu |> linear(32) |> elu |> linear(1)\n"
    "    loss   huber(p, y, delta = 1)\n"
    "    metric r2(p, y)\n"
    "    output p\n"
    "}\n",
    /* B5: an autoencoder of sigmoids that imitates pixels */
    "model autoencoder {\n"
    "    input image : f32[784] in [0, 1]\n"
    "    code = image |> linear(256) |> relu |> linear(64) |> sigmoid\n"
    "    copy = code |> linear(256) |> relu |> linear(784) |> sigmoid\n"
    "    loss   mse(copy, image)\n"
    "    output copy\n"
    "}\n",
    /* the same under a binary cross-entropy */
    "model autoencoder {\n"
    "    input image : f32[784] in [0, 1]\n"
    "    copy = image |> linear(128) |> relu |> linear(32) |> relu |> linear(128) |> relu |> linear(784) |> sigmoid\n"
    "    loss   bce(copy, image)\n"
    "    output copy\n"
    "}\n",
    /* an undeclared range: a decoder of sigmoids may well be right */
    "model autoencoder {\n"
    "    input image : f32[64]\n"
    "    copy = image |> linear(16) |> relu |> linear(64) |> sigmoid\n"
    "    loss   mse(copy, image)\n"
    "    output copy\n"
    "}\n",
    /* principal components: two linear layers, meant */
    "model pca {\n"
    "    input  x : f32[64]\n"
    "    code = x |> linear(8, bias = false)\n"
    "    loss   mse(code |> linear(64, bias = false), x)\n"
    "    output code\n"
    "}\n",
    /* self-normalising */
    "block layer(x) { x |> linear(64, weight = lecun_normal) |> selu }\n"
    "model snn {\n"
    "    input  x : f32[30]\n"
    "    target y : class(3)\n"
    "    z = x |> linear(64, weight = lecun_normal) |> selu |> repeat(8, layer) |> linear(3, weight = lecun_normal)\n"
    "    loss cross_entropy(z, y)\n"
    "}\n",
    /* residual, with the last layer of each branch at zero */
    "block residual(x, width) {\n"
    "    x + (x |> linear(width) |> gelu |> linear(x.features, weight = zeros))\n"
    "}\n"
    "model resmlp {\n"
    "    input  x : f32[32]\n"
    "    target y : class(5)\n"
    "    h = x |> linear(64) |> repeat(6, residual(width = 128))\n"
    "    loss cross_entropy(h |> linear(5), y)\n"
    "}\n",
    /* gated: a sigmoid that multiplies */
    "model gated {\n"
    "    input  x : f32[16]\n"
    "    target y : f32[1]\n"
    "    gate = x |> linear(64) |> sigmoid\n"
    "    h    = (x |> linear(64)) * gate\n"
    "    g2   = h |> linear(64) |> sigmoid\n"
    "    h2   = (h |> linear(64)) * g2\n"
    "    loss mse(h2 |> linear(1), y)\n"
    "}\n",
    /* a silu written as what it is */
    "block swish_by_hand(x) { x * sigmoid(x) }\n"
    "model handmade {\n"
    "    input  x : f32[16]\n"
    "    target y : class(4)\n"
    "    z = x |> linear(32) |> swish_by_hand |> linear(32) |> swish_by_hand |> linear(4)\n"
    "    loss cross_entropy(z, y)\n"
    "}\n",
    /* deep relu, twenty layers */
    "block layer(x) { x |> linear(128, weight = kaiming_normal) |> relu }\n"
    "model deep {\n"
    "    input  x : f32[128]\n"
    "    target y : class(10)\n"
    "    h = x |> repeat(12, layer)\n"
    "    loss cross_entropy(h |> linear(10), y)\n"
    "}\n",
    /* dropout between the layers */
    "model regularised {\n"
    "    input  x : f32[100]\n"
    "    target y : class(20)\n"
    "    z = x |> linear(256) |> relu |> dropout(0.5) |> linear(256) |> relu |> dropout(0.5) |> linear(20)\n"
    "    loss cross_entropy(z, y)\n"
    "    metric accuracy(z, y)\n"
    "}\n",
    /* many labels */
    "model tags {\n"
    "    input  x : f32[300]\n"
    "    target y : binary[20]\n"
    "    z = x |> linear(128) |> gelu |> dropout(0.1) |> linear(20)\n"
    "    loss   bce_with_logits(z, y)\n"
    "    output sigmoid(z)\n"
    "}\n",
    /* a probability under a loss for probabilities */
    "model yes_or_no {\n"
    "    input  x : f32[30]\n"
    "    target y : binary\n"
    "    p = x |> linear(16) |> relu |> linear(1) |> sigmoid\n"
    "    loss   bce(p, y)\n"
    "    output p\n"
    "}\n",
    /* log-probabilities under nll */
    "model counted {\n"
    "    input  x : f32[30]\n"
    "    target y : class(7)\n"
    "    lp = x |> linear(16) |> leaky_relu(0.1) |> linear(7) |> log_softmax\n"
    "    loss nll(lp, y)\n"
    "}\n",
    /* distillation: soft labels from a teacher that comes as input */
    "model student {\n"
    "    input  x : f32[64]\n"
    "    input  teacher : f32[10]\n"
    "    target y : class(10)\n"
    "    z = x |> linear(32) |> relu |> linear(10)\n"
    "    loss cross_entropy(z, y) + 0.5 * kl(log_softmax(z / 4), softmax(teacher / 4))\n"
    "}\n",
    /* soft labels that say what they are */
    "model soft {\n"
    "    input  x : f32[64]\n"
    "    target y : f32[10] in [0, 1]\n"
    "    p = x |> linear(32) |> silu |> linear(10) |> sigmoid\n"
    "    loss bce(p, y)\n"
    "}\n",
    /* an action bounded by tanh, and declared so */
    "model policy {\n"
    "    input  state  : f32[8]\n"
    "    target action : f32[2] in [-1, 1]\n"
    "    a = state |> linear(64) |> tanh |> linear(64) |> tanh |> linear(2, weight = uniform(-0.003, 0.003)) |> tanh\n"
    "    loss mse(a, action)\n"
    "}\n",
    /* two towers and a concatenation */
    "model wide_and_deep {\n"
    "    input  x : f32[40]\n"
    "    input  c : f32[12]\n"
    "    target y : binary\n"
    "    deep = x |> linear(64) |> relu |> linear(32) |> relu\n"
    "    z = concat(deep, c) |> linear(1)\n"
    "    loss bce_with_logits(z, y)\n"
    "}\n",
    /* a mixture of experts: a softmax that weighs */
    "model mixture {\n"
    "    input  x : f32[16]\n"
    "    target y : f32[8]\n"
    "    w = x |> linear(8) |> softmax\n"
    "    e = x |> linear(32) |> relu |> linear(8)\n"
    "    h = w * e\n"
    "    loss mse(h |> linear(8), y)\n"
    "}\n",
    /* a shared layer, twice */
    "model siamese {\n"
    "    input  a : f32[16]\n"
    "    input  b : f32[16]\n"
    "    target y : binary\n"
    "    share proj = linear(32)\n"
    "    d = abs((a |> proj) - (b |> proj))\n"
    "    loss bce_with_logits(d |> linear(1), y)\n"
    "}\n",
    /* a positive quantity */
    "model counts {\n"
    "    input  x : f32[16]\n"
    "    target y : f32[1]\n"
    "    loss mse(x |> linear(32) |> relu |> linear(1) |> softplus, y)\n"
    "}\n",
    /* a plain linear model, and logistic regression */
    "model straight {\n"
    "    input  x : f32[10]\n"
    "    target y : f32[1]\n"
    "    loss mse(x |> linear(1, weight = zeros), y)\n"
    "}\n",
    "model logistic {\n"
    "    input  x : f32[10]\n"
    "    target y : class(3)\n"
    "    loss cross_entropy(x |> linear(3, weight = zeros), y)\n"
    "}\n",
    /* an adversarial pair: tanh at the end of the generator */
    "block g(z) { z |> linear(64) |> leaky_relu(0.2) |> linear(28) |> tanh }\n"
    "block d(x) { x |> linear(64) |> leaky_relu(0.2) |> linear(1) }\n"
    "model gan {\n"
    "    input noise : f32[16] = normal(0, 1)\n"
    "    input image : f32[28] in [-1, 1]\n"
    "    share gen = g\n"
    "    share dis = d\n"
    "    fake = noise |> gen\n"
    "    loss for dis : bce_with_logits(image |> dis, 1) + bce_with_logits(fake |> dis, 0)\n"
    "    loss for gen : bce_with_logits(fake |> dis, 1)\n"
    "}\n",
    /* two towers compared */
    "model contrastive {\n"
    "    input a : f32[16]\n"
    "    input b : f32[16]\n"
    "    target same_class : binary\n"
    "    share enc = linear(32)\n"
    "    za = a |> enc |> relu |> linear(16)\n"
    "    zb = b |> enc |> relu |> linear(16)\n"
    "    score = sum(za * zb, axis = -1)\n"
    "    loss bce_with_logits(10 * score |> reshape(1), same_class)\n"
    "}\n",
    /* a variational autoencoder: heads and draws */
    "model vae {\n"
    "    input x : f32[64] in [0, 1]\n"
    "    h = x |> linear(32) |> relu\n"
    "    mu = h |> linear(8)\n"
    "    logvar = h |> linear(8)\n"
    "    eps = normal(0, 1) when training\n"
    "    z = mu + exp(0.5 * logvar) * eps\n"
    "    y = z |> linear(32) |> relu |> linear(64)\n"
    "    loss bce_with_logits(y, x) + 0.01 * mean(mu^2 + exp(logvar) - 1 - logvar)\n"
    "    output sigmoid(y)\n"
    "}\n",
    /* additive attention: a tanh and a softmax that weigh */
    "model attention_pool {\n"
    "    input x : f32[10, 16]\n"
    "    target y : class(3)\n"
    "    w = x |> linear(16) |> tanh |> linear(1) |> reshape(10) |> softmax |> reshape(10, 1)\n"
    "    v = sum(x * w, axis = 0)\n"
    "    z = v |> linear(3)\n"
    "    loss cross_entropy(z, y)\n"
    "}\n",
    /* label smoothing, several losses, a penalty */
    "model several {\n"
    "    input  x : f32[10]\n"
    "    target y : class(3)\n"
    "    h = x |> linear(32) as fc1 |> relu\n"
    "    z = h |> linear(3)\n"
    "    loss cross_entropy(z, y, label_smoothing = 0.1) + 1e-4 * sum(fc1.weight^2)\n"
    "}\n",
};

static void test_clean(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof networks / sizeof networks[0]; i++)
        assert_clean(networks[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_clean)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
