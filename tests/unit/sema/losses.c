/* Loss values through the interpreter, against numbers computed by hand; short batches; what each loss is known to
 * want. */
#include "sema/harness.h"

#include "graph/eval.h"

#include <math.h>

/* The value of loss root `which`; data by tensor index, inputs and targets first. */
static double loss_value(Run *run, uint32_t which, size_t rows, const double *const *data, uint32_t n)
{
    const Model *m = run_model(run);
    const double **tensor = arena_array(run->arena, const double *, m->graph->tensors.n + 1);
    for (uint32_t i = 0; i < n; i++)
        tensor[i] = data[i];
    EvalEnv env = {.rows = rows, .tensor = tensor, .step = 1, .lr_scale = 1};
    double **value = graph_eval(run->arena, m->graph, &env);
    for (uint32_t i = 0; i < m->graph->roots.n; i++)
        if (m->graph->roots.at[i].kind == ROOT_LOSS && m->graph->roots.at[i].index == which)
            return value[m->graph->roots.at[i].node][0];
    fail();
    return 0;
}

static void expect_loss(const char *statements, size_t rows, const double *x, const double *y, const char *target,
                        double wanted)
{
    char source[1024];
    snprintf(source, sizeof source, "model m {\n input z : f32[3]\n target y : %s\n%s\n}\n", target, statements);
    Run *run = run_text(source);
    const double *data[2] = {x, y};
    double found = loss_value(run, 0, rows, data, 2);
    if (!(fabs(found - wanted) < 1e-12 * fmax(1, fabs(wanted))))
        fprintf(stderr, "%s: found %.17g, wanted %.17g\n", statements, found, wanted);
    assert_true(fabs(found - wanted) < 1e-12 * fmax(1, fabs(wanted)));
    run_end(run);
}

static const double logits[6] = {1, 2, 0.5, -1, 0.25, 3};

static double ce(const double *z, int label) { return log(exp(z[0]) + exp(z[1]) + exp(z[2])) - z[label]; }

static void cross_entropies(void **state)
{
    (void)state;
    const double label[2] = {1, 0};
    double a = ce(logits, 1), b = ce(logits + 3, 0);
    expect_loss(" loss cross_entropy(z, y)", 2, logits, label, "class(3)", (a + b) / 2);
    expect_loss(" loss cross_entropy(z, y)", 1, logits, label, "class(3)",
                a); /* a short batch divides by its own rows */
    expect_loss(" loss cross_entropy(z, y, reduction = sum)", 2, logits, label, "class(3)", a + b);
    /* class weights: sum(w l) / sum(w), as PyTorch divides */
    expect_loss(" loss cross_entropy(z, y, weight = [2, 3, 7])", 2, logits, label, "class(3)", (3 * a + 2 * b) / 5);
    expect_loss(" loss cross_entropy(z, y, ignore = 0)", 2, logits, label, "class(3)", a);
    expect_loss(" loss cross_entropy(z, y, ignore = 0, weight = [2, 3, 7])", 2, logits, label, "class(3)", a);
    expect_loss(" loss cross_entropy(z, y, ignore = 0, reduction = sum)", 2, logits, label, "class(3)", a);
    const double unknown[2] = {1, -100};
    expect_loss(" loss cross_entropy(z, y, ignore = -100)", 2, logits, unknown, "class(3)", a);
    double mean_a = (logits[0] + logits[1] + logits[2]) / 3, lse = ce(logits, 1) + logits[1];
    expect_loss(" loss cross_entropy(z, y, label_smoothing = 0.1)", 1, logits, label, "class(3)",
                lse - 0.9 * logits[1] - 0.1 * mean_a);
    expect_loss(" loss nll(log_softmax(z), y)", 2, logits, label, "class(3)", (a + b) / 2);
    const double soft[3] = {0.2, 0.5, 0.3};
    expect_loss(" loss cross_entropy(z, y)", 1, logits, soft, "f32[3] in [0, 1]",
                lse - (0.2 * 1 + 0.5 * 2 + 0.3 * 0.5));
    expect_loss(" loss cross_entropy(z, 2)", 1, logits, label, "class(3)", ce(logits, 2));
}

static void elementwise(void **state)
{
    (void)state;
    const double y[6] = {0, 2, 1, 1, 0.25, 0};
    double squares = 1 + 0 + 0.25 + 4 + 0 + 9;
    expect_loss(" loss mse(z, y)", 2, logits, y, "f32[3]", squares / 6);
    expect_loss(" loss mse(z, y, reduction = sum)", 2, logits, y, "f32[3]", squares);
    expect_loss(" loss mse(z, y, weight = [1, 2, 4])", 2, logits, y, "f32[3]", (1 + 4 * 0.25 + 4 + 4 * 9) / 6);
    expect_loss(" loss mae(z, y)", 2, logits, y, "f32[3]", (1 + 0 + 0.5 + 2 + 0 + 3) / 6);
    expect_loss(" loss huber(z, y, delta = 0.5)", 1, logits, y, "f32[3]", (0.5 * (1 - 0.25) + 0 + 0.5 * 0.25) / 3);
    expect_loss(" loss mse(z, 1)", 1, logits, y, "f32[3]",
                (0 + 1 + 0.25) / 3); /* a literal stands for a whole target */
    expect_loss(" loss mean((z - y)^2)", 2, logits, y, "f32[3]", squares / 6);
    expect_loss(" loss mse(z, y) + 0.5 * mae(z, y)", 2, logits, y, "f32[3]", squares / 6 + 0.5 * 6.5 / 6);
    const double label[1] = {2};
    expect_loss(" loss mse(z, y)", 1, logits, label, "class(3)", (1 + 4 + 0.25) / 3); /* its one-hot vector */
    const double many[3] = {1, 0, 1};
    double bce = 0;
    for (int i = 0; i < 3; i++)
        bce += log1p(exp(-fabs(logits[i]))) + fmax(logits[i], 0) - logits[i] * many[i];
    expect_loss(" loss bce_with_logits(z, y)", 1, logits, many, "binary[3]", bce / 3);
    expect_loss(" loss bce(sigmoid(z), y)", 1, logits, many, "binary[3]", bce / 3);
}

static void whole_losses(void **state)
{
    (void)state;
    const double p[3] = {0.2, 0.5, 1}, y[3] = {0, 1, 1};
    char source[] = "loss dice(p, y) = 1 - 2 * sum(p * y) / (sum(p) + sum(y))\n"
                    "model m {\n input z : f32[3]\n target y : f32[3]\n loss dice(z, y)\n}\n";
    Run *run = run_text(source);
    const double *data[2] = {p, y};
    assert_true(fabs(loss_value(run, 0, 1, data, 2) - (1 - 2 * 1.5 / (1.7 + 2))) < 1e-12);
    run_end(run);
}

static void weights_by_sample(void **state)
{
    (void)state;
    Run *run =
        run_text("model m {\n input z : f32[3]\n input w : f32\n target y : f32[3]\n loss mse(z, y, weight = w)\n}\n");
    const double w[2] = {2, 5}, y[6] = {0, 2, 1, 1, 0.25, 0};
    const double *data[3] = {logits, w, y};
    assert_true(fabs(loss_value(run, 0, 2, data, 3) - (2 * 1.25 + 5 * 13) / 6) < 1e-12);
    run_end(run);
}

static const LossCall *facts(Run *run)
{
    const Model *m = run_model(run);
    assert_int_equal(m->losses.n, 1);
    return &m->losses.at[0];
}

/* Read off the formula, whatever its name. */
static void what_losses_want(void **state)
{
    (void)state;
    static const struct Case {
        const char *definition, *call, *target;
        bool logits, probabilities, log_probabilities, classes;
    } cases[] = {
        {"", "cross_entropy(z, y)", "class(3)", true, false, false, true},
        {"", "nll(z, y)", "class(3)", false, false, true, true},
        {"", "bce_with_logits(z, y)", "binary[3]", true, false, false, false},
        {"", "bce(z, y)", "binary[3]", false, true, false, false},
        {"", "kl(z, y)", "f32[3]", false, false, true, false},
        {"", "mse(z, y)", "f32[3]", false, false, false, false},
        {"", "huber(z, y)", "f32[3]", false, false, false, false},
        {"loss own(a, b) = log(1 + exp(a)) - a * b\n", "own(z, y)", "binary[3]", true, false, false, false},
        {"loss own(a, b) = -b * log(a) - (1 - b) * log(1 - a)\n", "own(z, y)", "binary[3]", false, true, false, false},
        {"loss own(a, b) = -log(pick(a, b))\n", "own(z, y)", "class(3)", false, true, false, true},
        {"loss own(a, b) = max(0, 1 - pick(a, b))\n", "own(z, y)", "class(3)", false, false, false, true},
        {"loss own(a, b) = -a * b\n", "own(z, y)", "f32[3]", false, false, false, false},
        {"loss own(a, b) = log(cosh2(a - b))\nfunction cosh2(x) = (exp(x) + exp(-x)) / 2\n", "own(z, y)", "f32[3]",
         false, false, false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char source[512];
        snprintf(source, sizeof source, "%smodel m {\n input z : f32[3]\n target y : %s\n loss %s\n}\n",
                 cases[i].definition, cases[i].target, cases[i].call);
        Run *run = run_text(source);
        const LossCall *call = facts(run);
        if (call->wants_logits != cases[i].logits || call->wants_probabilities != cases[i].probabilities ||
            call->wants_log_probabilities != cases[i].log_probabilities || call->classes != cases[i].classes)
            fprintf(stderr, "%s%s: logits %d probabilities %d log %d classes %d\n", cases[i].definition, cases[i].call,
                    call->wants_logits, call->wants_probabilities, call->wants_log_probabilities, call->classes);
        assert_true(call->wants_logits == cases[i].logits && call->wants_probabilities == cases[i].probabilities);
        assert_true(call->wants_log_probabilities == cases[i].log_probabilities && call->classes == cases[i].classes);
        assert_int_equal(call->target_tensor, 2);
        run_end(run);
    }
}

static void statements_and_groups(void **state)
{
    (void)state;
    Run *run = run_text("model m {\n input x : f32[3]\n target y : f32[2]\n share g = linear(2)\n z = x |> g\n"
                        " loss fit = mse(z, y)\n loss for g : mae(z, y) + huber(z, 0)\n loss sum(g.weight^2)\n}\n");
    const Model *m = run_model(run);
    assert_int_equal(m->loss_uses.n, 3);
    assert_true(str_is(m->loss_uses.at[0].name, "fit") && str_is(m->loss_uses.at[1].name, "g"));
    assert_true(str_is(m->loss_uses.at[2].name, "loss"));
    assert_true(m->loss_uses.at[0].group.n == 0 && str_is(m->loss_uses.at[1].group.at[0], "g"));
    assert_int_equal(m->losses.n, 3);
    assert_true(m->losses.at[1].loss == 1 && m->losses.at[2].loss == 1 && m->losses.at[2].target_tensor == 0);
    assert_true(str_is(m->outputs.at[0].name, "z")); /* the first loss's prediction */
    run_end(run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cross_entropies),  cmocka_unit_test(elementwise),
        cmocka_unit_test(whole_losses),     cmocka_unit_test(weights_by_sample),
        cmocka_unit_test(what_losses_want), cmocka_unit_test(statements_and_groups),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
