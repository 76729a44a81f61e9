/* Names of layers and parameters, shares, params and --set, what names mean where. */
#include "sema/harness.h"

static void expect_tensors(const char *source, const char *names)
{
    Run *run = run_text(source);
    const Model *m = run_model(run);
    Text found = {.arena = run->arena};
    for (uint32_t i = 0; i < m->graph->tensors.n; i++)
        if (m->graph->tensors.at[i].role == ROLE_PARAM || m->graph->tensors.at[i].role == ROLE_CONSTANT)
            text_printf(&found, "%s" STR_FMT, found.n ? " " : "", STR_ARG(m->graph->tensors.at[i].name));
    if (!str_is(text_str(&found), names))
        fprintf(stderr, "found  %.*s\nwanted %s\n", (int)found.n, found.p, names);
    assert_true(str_is(text_str(&found), names));
    run_end(run);
}

#define BLOCK       "block b(x, n = 4) { x |> linear(n, bias = false) |> relu |> linear(n, bias = false) }\n"
#define MODEL(body) "model m {\n input x : f32[4]\n" body "\n}\n"

static void counters_and_labels(void **state)
{
    (void)state;
    expect_tensors(MODEL(" output x |> linear(4) |> linear(4, bias = false)"),
                   "linear1.weight linear1.bias linear2.weight");
    expect_tensors(MODEL(" output x |> linear(4, bias = false) as fc |> linear(4, bias = false)"),
                   "fc.weight linear1.weight");
    expect_tensors(BLOCK MODEL(" output x |> b |> b as top"),
                   "b1.linear1.weight b1.linear2.weight top.linear1.weight top.linear2.weight");
    expect_tensors(BLOCK MODEL(" output x |> repeat(2, b)"),
                   "b1.0.linear1.weight b1.0.linear2.weight b1.1.linear1.weight b1.1.linear2.weight");
    expect_tensors(BLOCK MODEL(" output x |> repeat(1, b(n = 4)) as stack"),
                   "stack.0.linear1.weight stack.0.linear2.weight");
    expect_tensors(MODEL(" output x |> repeat(2, repeat(2, linear(4, bias = false)))"),
                   "linear1.0.0.weight linear1.0.1.weight linear1.1.0.weight linear1.1.1.weight");
    expect_tensors(MODEL(" output x |> repeat(0, linear(4)) |> linear(4, bias = false)"), "linear2.weight");
    expect_tensors(MODEL(" output x |> repeat(2, linear(4, bias = false) |> relu)"),
                   "repeat1.0.linear1.weight repeat1.1.linear1.weight");
    expect_tensors(MODEL(" f = linear(4, bias = false) |> relu\n output x |> f |> f"), "linear1.weight linear2.weight");
    expect_tensors(MODEL(" share f = linear(4, bias = false) |> relu |> linear(4, bias = false)\n output x |> f |> f"),
                   "f.linear1.weight f.linear2.weight");
    expect_tensors(MODEL(" output x |> (linear(4, bias = false) |> relu) as fc"), "fc.linear1.weight");
    /* a label that looks like a counted name is skipped by the counter */
    expect_tensors(MODEL(" a = x |> linear(4, bias = false) as linear1\n output a |> linear(4, bias = false)"),
                   "linear1.weight linear2.weight");
}

static void shares(void **state)
{
    (void)state;
    expect_tensors(MODEL(" share p = linear(4, bias = false)\n output x |> p |> relu |> p"), "p.weight");
    expect_tensors(BLOCK MODEL(" share s = b\n output x |> s |> repeat(2, s)"), "s.linear1.weight s.linear2.weight");
    expect_tensors("block b(x) {\n share p = linear(4, bias = false)\n x |> p |> p\n}\n" MODEL(" output x |> b |> b"),
                   "b1.p.weight b2.p.weight");
    expect_tensors(MODEL(" output x |> prelu |> prelu"), "prelu1.slope prelu2.slope");
    expect_tensors(MODEL(" share t = parameter([1, 4], ones)\n output x + t"), "t");
    expect_tensors(MODEL(" output x + parameter(4, ones) * parameter(4, zeros)"), "parameter1 parameter2");
    expect_tensors(
        MODEL(" a = x |> linear(4, bias = false) as one\n output a |> linear(4, weight = one.weight, bias = false)"),
        "one.weight");
}

/* The position decides: a value may be called like a layer. */
static void positions(void **state)
{
    (void)state;
    expect_tensors(MODEL(" mean = x |> mean\n linear = x |> linear(3, bias = false)\n output linear + mean"),
                   "linear1.weight");
    expect_tensors("block b(x, norm) { x |> norm }\n" MODEL(" output x |> b(linear(4, bias = false))"),
                   "b1.linear1.weight");
    expect_tensors("block b(x, linear) { x |> linear }\n" MODEL(" output x |> b(relu)"), "");
    expect_tensors("param relu = 3\n" MODEL(" output x |> relu |> linear(relu, bias = false)"), "linear1.weight");
}

static void order_does_not_matter(void **state)
{
    (void)state;
    expect_tensors(
        "model m {\n output c\n c = b |> linear(n, bias = false) as second\n b = x |> first(n)\n input x : f32[4]\n}\n"
        "param n = half(2 * 3)\nfunction half(x) = x / 2\nblock first(x, n) { x |> linear(n, bias = false) }\n",
        "first1.linear1.weight second.weight");
}

static void params_from_outside(void **state)
{
    (void)state;
    SemaOptions options = {0};
    Arena *arena = arena_new();
    *vec_push(arena, &options.set) = STR("act=leaky_relu(0.3)");
    *vec_push(arena, &options.set) = STR("n=2 * 8");
    const char *source = "param act = relu\nparam n = 4\n" MODEL(" output x |> linear(n) |> act");
    Run *run = run_with(source, &options);
    const Model *m = run_model(run);
    assert_int_equal(model_tensor(m, "linear1.weight")->type.dim[1], 16);
    assert_true(str_is(m->layers.at[1].kind, "leaky_relu") && m->layers.at[1].activation);
    run_end(run);
    *vec_push(arena, &options.set) = STR("atc=relu");
    run = run_with(source, &options);
    assert_int_equal(run_errors(run), 1);
    assert_string_equal(run->diags.list.at[0]->code, "ACT1206");
    run_end(run);
    arena_free(arena);
}

static void uses_are_recorded(void **state)
{
    (void)state;
    Run *run = run_text(BLOCK MODEL(" output x |> linear(4) |> repeat(2, b) |> sigmoid"));
    const Model *m = run_model(run);
    static const struct Want {
        const char *name, *kind;
        uint32_t tensors, repeat;
        bool activation;
    } want[] = {
        {"linear1", "linear", 2, 0, false},      {"b1.0.linear1", "linear", 1, 1, false},
        {"b1.0.relu1", "relu", 0, 1, true},      {"b1.0.linear2", "linear", 1, 1, false},
        {"b1.1.linear1", "linear", 1, 2, false}, {"b1.1.relu1", "relu", 0, 2, true},
        {"b1.1.linear2", "linear", 1, 2, false}, {"sigmoid1", "sigmoid", 0, 0, true},
    };
    assert_int_equal(m->layers.n, sizeof want / sizeof want[0]);
    for (uint32_t i = 0; i < m->layers.n; i++) {
        const LayerUse *use = &m->layers.at[i];
        assert_true(str_is(use->name, want[i].name) && str_is(use->kind, want[i].kind));
        assert_int_equal(use->n_tensor, want[i].tensors);
        assert_int_equal(use->repeat, want[i].repeat);
        assert_int_equal(use->activation, want[i].activation);
        assert_true(graph_node(m->graph, use->out)->layer == i + 1);
        Str outer = source_slice(&run->sources, use->outer);
        assert_true(str_is(outer, i == 0 ? "linear(4)" : i == 7 ? "sigmoid" : "b"));
    }
    assert_true(str_is(source_slice(&run->sources, m->layers.at[1].span), "linear(n, bias = false)"));
    run_end(run);
}

static void allows_are_collected(void **state)
{
    (void)state;
    Run *run =
        run_text(MODEL(" @allow(saturating_hidden, ACT301, reason = \"as published\")\n h = x |> tanh\n output h"));
    assert_int_equal(run->program->allows.n, 2);
    const Allow *allow = &run->program->allows.at[0];
    assert_true(str_is(allow->rule, "saturating_hidden") && str_is(allow->reason, "as published"));
    assert_true(allow->scope.end > allow->span.end); /* what it precedes */
    run_end(run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counters_and_labels),
        cmocka_unit_test(shares),
        cmocka_unit_test(positions),
        cmocka_unit_test(order_does_not_matter),
        cmocka_unit_test(params_from_outside),
        cmocka_unit_test(uses_are_recorded),
        cmocka_unit_test(allows_are_collected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
