/* The standard library through sema: it loads without a word, and everything in it can be used. */
#include "sema/harness.h"

#include "graph/eval.h"

#include <math.h>

static bool named(const Program *program, DefKind kind, const char *name)
{
    const Def *def = sema_find(program, kind, str_of(name));
    if (!def)
        fprintf(stderr, "no `%s`\n", name);
    return def != NULL && def->doc.n > 0;
}

static void everything_is_there(void **state)
{
    (void)state;
    static const struct {
        DefKind kind;
        const char *names[24];
    } wanted[] = {
        {DEF_ACTIVATION,
         {"relu", "leaky_relu", "elu", "gelu", "gelu_tanh", "sigmoid", "tanh", "silu", "swish", "softplus", "selu",
          "mish", "hard_sigmoid", "hard_swish", "hard_tanh", "relu6", "softsign", "log_sigmoid"}},
        {DEF_LOSS, {"mse", "mae", "huber", "bce", "bce_with_logits", "cross_entropy", "nll"}},
        {DEF_INITIALIZER,
         {"zeros", "ones", "constant", "normal", "uniform", "truncated_normal", "kaiming_normal", "kaiming_uniform",
          "xavier_normal", "xavier_uniform", "lecun_normal", "lecun_uniform", "orthogonal"}},
        {DEF_OPTIMIZER, {"sgd", "adam", "adamw", "rmsprop"}},
        {DEF_SCHEDULE, {"constant", "step", "linear", "cosine"}},
        {DEF_LAYER,
         {"linear",  "flatten", "reshape",        "permute",      "concat",  "split",       "slice",     "pad",
          "crop",    "sum",     "mean",           "max",          "softmax", "log_softmax", "logsumexp", "pick",
          "one_hot", "dropout", "gaussian_noise", "stop_gradient"}},
        {DEF_METRIC, {"accuracy", "mse", "mae", "r2", "top_k", "perplexity"}},
        {DEF_BLOCK, {"prelu", "glu"}},
    };
    Arena *arena = arena_new();
    Sources sources = {.arena = arena};
    Diags diags = {.arena = arena, .sources = &sources};
    Program *program = sema_library(arena, &sources, &diags);
    assert_int_equal(diags.list.n, 0);
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        for (size_t k = 0; wanted[i].names[k]; k++)
            assert_true(named(program, wanted[i].kind, wanted[i].names[k]));
    assert_null(sema_find(program, DEF_LAYER, STR("relu")));
    for (uint32_t i = 0; i < program->defs.n; i++) /* an activation is one expression of its value */
        if (program->defs.at[i].kind == DEF_ACTIVATION)
            assert_true(sema_activation(program, &program->defs.at[i]) != 0);
    arena_free(arena);
}

/* Every definition of a kind, put into a network. */
static void use_all(DefKind kind, const char *before, const char *after)
{
    Arena *arena = arena_new();
    Sources sources = {.arena = arena};
    Diags diags = {.arena = arena, .sources = &sources};
    Program *program = sema_library(arena, &sources, &diags);
    for (uint32_t i = 0; i < program->defs.n; i++) {
        if (program->defs.at[i].kind != kind)
            continue;
        Str name = program->defs.at[i].name;
        bool argument = kind == DEF_INITIALIZER && str_is(name, "constant"); /* the one that needs a number */
        char source[512], call[64];
        snprintf(call, sizeof call, "%.*s%s", (int)name.n, name.p, argument ? "(1)" : "");
        snprintf(source, sizeof source, "%s%s%s", before, call, after);
        Run *run = run_text(source);
        run_model(run);
        run_end(run);
    }
    arena_free(arena);
}

static void everything_can_be_used(void **state)
{
    (void)state;
    use_all(DEF_ACTIVATION, "model m {\n input x : f32[8]\n output x |> linear(4) |> ", "\n}\n");
    use_all(DEF_INITIALIZER, "model m {\n input x : f32[8]\n output x |> linear(4, weight = ", ") |> relu\n}\n");
    use_all(DEF_OPTIMIZER, "model m {\n input x : f32[8]\n output x |> linear(4)\n}\ntrain m { optimizer ", " }\n");
    use_all(DEF_SCHEDULE, "model m {\n input x : f32[8]\n output x |> linear(4)\n}\ntrain m { schedule ", " }\n");
    use_all(DEF_BLOCK, "model m {\n input x : f32[8]\n output x |> linear(4) |> ", "\n}\n");
    use_all(DEF_METRIC, "model m {\n input x : f32[8]\n target y : f32[8]\n output x\n metric ", "(x, y)\n}\n");
}

/* A drawn input has the distribution it was written with. */
static void drawn_inputs(void **state)
{
    (void)state;
    Run *run = run_text("model m {\n input a : f32[500] = normal(2, 3)\n input b : f32[500] = uniform(-1, 3)\n"
                        " output first = a\n output second = b\n}\n");
    const Model *m = run_model(run);
    assert_int_equal(m->graph->tensors.n, 0); /* nothing is read */
    EvalEnv env = {.rows = 16, .step = 1, .lr_scale = 1, .seed = 7};
    double **value = graph_eval(run->arena, m->graph, &env);
    static const double mean[2] = {2, 1}, deviation[2] = {3, 1.1547005383792515};
    for (int k = 0; k < 2; k++) {
        const double *x = value[m->outputs.at[k].value];
        double sum = 0, squares = 0;
        for (int i = 0; i < 8000; i++) {
            sum += x[i];
            squares += (x[i] - mean[k]) * (x[i] - mean[k]);
        }
        assert_true(fabs(sum / 8000 - mean[k]) < 5 * deviation[k] / sqrt(8000));
        assert_true(fabs(sqrt(squares / 8000) - deviation[k]) < 0.03 * deviation[k]);
    }
    run_end(run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_there),
        cmocka_unit_test(everything_can_be_used),
        cmocka_unit_test(drawn_inputs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
