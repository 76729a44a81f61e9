/* The text form: what is printed reads back as the same graph, and what can't be read is refused with its line. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "graph/tiny.h"
#include "graph/fresh.h"

#include <math.h>
#include <stdlib.h>

static const char *printed(const Graph *g)
{
    Text text = {.arena = arena};
    graph_print(g, &text);
    return text_str(&text).p;
}

static Graph *reads(const char *text)
{
    Str why = {0};
    Graph *g = graph_read(arena, sx, str_of(text), tiny_find, &why);
    if (!g)
        fail_msg(STR_FMT, STR_ARG(why));
    return g;
}

/* Every fact of the text form, once. */
static const char everything[] =
    "graph classifier batch 128\n"
    "tensor \"image\" input f32[B, 28, 28, 1] label \"f32[28, 28, 1] in [0, 1]\" range 0 1\n"
    "tensor \"label\" target i32[B] label \"class(10)\" classes 10\n"
    "tensor \"flag\" target i32[B, 20] classes 2 binary\n"
    "tensor \"linear1.weight\" param f32[784, 10] fill normal 0 0.05 init \"kaiming_normal\" fan 784 10 gain 1.4142 "
    "deviation 0.05 weight file [1, 0] flat [28, 28, 1] panels 64 at 1024 bytes 200704\n"
    "tensor \"linear1.bias\" param f32[10] fill constant 0.5 rows_only\n"
    "tensor \"scale\" param f32[10] fill orthogonal 1 frozen\n"
    "tensor \"mean\" constant f32[1] fill uniform -1 1e-05\n"
    "tensor \"t\" constant f32[] fill truncated_normal 0 0.02\n"
    "tensor \"linear1.weight.m\" state f32[784, 10] of 3\n"
    "%1 = leaf {tensor = 0} : f32[B, 28, 28, 1]  # \"image\"\n"
    "%2 = leaf {tensor = 4} : f32[10] layer 3  # \"linear1.bias\"\n"
    "%3 = map %1, %2 {fn = (max (add a0 a1) 0)} : f32[B, 28, 28, 10] name \"h \\\"1\\\"\" fn \"relu\"\n"
    "%4 = mixed {count = -7, scale = 0.1, word = \"a \\\\ b\\n\\x01\", shape = [3, 4], fn = (exp a0)} : f32[B, 3, 4]\n"
    "%5 = mixed {count = 0, scale = -inf, word = \"\", shape = [], fn = none} : f32[B]\n"
    "%6 = total %3 : f32[]\n"
    "output 0 \"logits\" %3\n"
    "output 1 %4\n"
    "prediction 0 \"accuracy\" %5\n"
    "loss 0 \"loss\" %6\n";

static void test_round_trip(void **state)
{
    (void)state;
    Graph *g = reads(everything);
    assert_string_equal(printed(g), everything);
    assert_string_equal(printed(reads(printed(g))), everything);
    assert_null(graph_verify(g, arena));
}

static void test_fields(void **state)
{
    (void)state;
    Graph *g = reads(everything);
    assert_true(str_is(g->name, "classifier"));
    assert_int_equal(g->batch, 128);
    const Tensor *t = &g->tensors.at[3];
    assert_int_equal(t->role, ROLE_PARAM);
    assert_true(t->trainable && t->weight && !t->binary);
    assert_true(t->fill.kind == FILL_NORMAL && t->fill.a == 0 && t->fill.b == 0.05);
    assert_true(t->fan_in == 784 && t->fan_out == 10 && t->gain == 1.4142 && t->deviation == 0.05);
    assert_true(str_is(t->init, "kaiming_normal"));
    assert_int_equal(t->file_axis[0], 1);
    assert_int_equal(t->file_axis[1], 0);
    assert_int_equal(t->flat_rank, 3);
    assert_int_equal(t->flat[1], 28);
    assert_int_equal(t->layout, LAYOUT_PANELS);
    assert_int_equal(t->panel, 64);
    assert_int_equal(t->offset, 1024);
    assert_int_equal(t->bytes, 200704);
    assert_true(t->low > t->high);
    assert_false(g->tensors.at[5].trainable);
    assert_int_equal(g->tensors.at[8].of, 4);
    assert_true(g->tensors.at[0].low == 0 && g->tensors.at[0].high == 1);
    assert_true(str_is(graph_node(g, 3)->name, "h \"1\""));
    assert_true(str_is(node_attr(graph_node(g, 4), 2)->s, "a \\ b\n\x01"));
    assert_int_equal(node_attr(graph_node(g, 4), 0)->i, -7);
    assert_true(node_attr(graph_node(g, 5), 1)->f == -INFINITY);
    assert_int_equal(node_attr(graph_node(g, 5), 4)->sx, 0);
    assert_int_equal(g->roots.at[1].index, 1);
}

/* Hand-written: blanks, comments, numbers with holes, no types, tensors by name, a quoted name. */
static void test_by_hand(void **state)
{
    (void)state;
    Graph *g = reads("\n  # a comment\n graph \"two words\" batch 4  # here too\r\n"
                     "tensor \"x # 1\" input f32[B,3]\n\n"
                     "\t%10=leaf{tensor=\"x # 1\"}\n"
                     "%20 = map %10 { fn = (mul a0 2) } # no type\n"
                     "output 0 %20");
    assert_string_equal(printed(g), "graph \"two words\" batch 4\n"
                                    "tensor \"x # 1\" input f32[B, 3]\n"
                                    "%1 = leaf {tensor = 0} : f32[B, 3]  # \"x # 1\"\n"
                                    "%2 = map %1 {fn = (mul a0 2)} : f32[B, 3]\n"
                                    "output 0 %2\n");
}

static void test_numbers(void **state)
{
    (void)state;
    static const double numbers[] = {0.1, 1e-300, 5e-324, 1.7976931348623157e308, -3, 0, 1.0 / 3};
    for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        Graph *g = graph_new(arena, sx, STR("g"), 1);
        Sx number = sx_num(sx, numbers[i]);
        AttrValue attr[5] = {{.i = INT64_MIN}, {.f = numbers[i]}, {.s = STR("")}, {.dims = {1, {3}}}, {.sx = number}};
        graph_add(g, &tiny_mixed, NULL, 0, attr);
        Graph *back = reads(printed(g));
        assert_true(node_attr(graph_node(back, 1), 1)->f == numbers[i]);
        assert_true(node_attr(graph_node(back, 1), 4)->sx == attr[4].sx);
        assert_true(node_attr(graph_node(back, 1), 0)->i == INT64_MIN);
    }
}

/* ── mistakes ── */
#define HEAD "graph g batch 4\ntensor \"x\" input f32[B, 3]\n%1 = leaf {tensor = 0} : f32[B, 3]\n"

static const struct {
    const char *text, *why;
} mistakes[] = {
    {"", "line 1: a graph starts with `graph NAME batch N`"},
    {"\n\n# nothing\n", "line 1: a graph starts with `graph NAME batch N`"},
    {"grph g batch 4", "line 1: a graph starts with `graph NAME batch N`"},
    {"graph g btch 4", "line 1: a graph starts with `graph NAME batch N`"},
    {"graph g batch", "line 1: expected a whole number, found ``"},
    {"graph g batch -1", "line 1: -1 is not between 0 and 4294967295"},
    {"graph g batch 4 5", "line 1: unexpected `5`"},
    {HEAD "nonsense", "line 4: expected a tensor, a node or a root"},
    {HEAD "tensor x input f32[]", "line 4: expected `\"`"},
    {HEAD "tensor \"x input f32[]", "line 4: the string has no end"},
    {HEAD "tensor \"\\q\" input f32[]", "line 4: no character is written like this; \\\" \\\\ \\n \\t and \\x1f are"},
    {HEAD "tensor \"\\x1\" input f32[]", "line 4: no character is written like this; \\\" \\\\ \\n \\t and \\x1f are"},
    {HEAD "tensor \"x\" input f32[]", "line 4: the tensor \"x\" is there already"},
    {HEAD "tensor \"y\" inpt f32[]", "line 4: `inpt` is no role of a tensor"},
    {HEAD "tensor \"y\" input f33[]", "line 4: expected a type like f32[B, 10]"},
    {HEAD "tensor \"y\" input f32[B] clases 3", "line 4: a tensor has no `clases`"},
    {HEAD "tensor \"y\" input f32[B] classes x", "line 4: expected a whole number, found `x`"},
    {HEAD "tensor \"y\" input f32[B] range 0", "line 4: expected a number, found ``"},
    {HEAD "tensor \"y\" input f32[B] =", "line 4: unexpected `=`"},
    {HEAD "tensor \"y\" param f32[2] fill nrmal 0 1", "line 4: `nrmal` is no fill"},
    {HEAD "tensor \"y\" param f32[2] fill normal 0", "line 4: expected a number, found ``"},
    {HEAD "tensor \"y\" param f32[2] file [0, 1]", "line 4: `file` names 2 axes of a tensor that has 1"},
    {HEAD "tensor \"y\" param f32[2] flat [1, 1, 1, 1, 1, 1, 2]", "line 4: a list of more than 6 numbers"},
    {HEAD "tensor \"y\" state f32[2] of 4294967295", "line 4: no tensor has this number"},
    {HEAD "tensor \"y\" param f32[2] bytes 9223372036854775808",
     "line 4: 9223372036854775808 is not between 0 and 9223372036854775807"},
    {HEAD "%1 = total %1", "line 4: %1: numbers must ascend from 1"},
    {HEAD "%0 = total %1", "line 4: %0: numbers must ascend from 1"},
    {HEAD "%2 total %1", "line 4: expected `=`"},
    {HEAD "%2 = totl %1", "line 4: there is no op `totl`"},
    {HEAD "%2 = total %2", "line 4: %2 is not defined above"},
    {HEAD "%2 = total %1,", "line 4: expected `%`"},
    {HEAD "%2 = total", "line 4: `total`: `total` takes 1 to 1 inputs, not 0"},
    {HEAD "%2 = total %1 {axis = 0}", "line 4: `total` has no attribute `axis`"},
    {HEAD "%2 = total %1 : f32[3]", "line 4: the value is of type f32[]"},
    {HEAD "%2 = total %1 : f32[] nam \"x\"", "line 4: a node has no `nam`"},
    {HEAD "%2 = total %1 : f32[] )", "line 4: unexpected `)`"},
    {HEAD "%2 = leaf", "line 4: `leaf` needs the attribute `tensor`"},
    {HEAD "%2 = leaf {tensor = 0, tensor = 0}", "line 4: `tensor` is given twice"},
    {HEAD "%2 = leaf {tensor = 1}", "line 4: there is no tensor 1"},
    {HEAD "%2 = leaf {tensor = \"y\"}", "line 4: there is no tensor \"y\""},
    {HEAD "%2 = leaf {tensor = 0", "line 4: expected `}`"},
    {HEAD "%2 = leaf {tensor : 0}", "line 4: expected `=`"},
    {HEAD "%2 = map %1 {fn = none}", "line 4: the map has no expression"},
    {HEAD "%2 = map %1 {fn = a1}", "line 4: the expression reads a1 of 1 inputs"},
    {HEAD "%2 = mixed {count = 0, scale = nan, word = \"\", shape = [], fn = 1}", "line 4: `scale` is not a number"},
    {HEAD "%2 = mixed {count = 1.5}", "line 4: expected a whole number, found `1.5`"},
    {HEAD "%2 = mixed {scale = 1x}", "line 4: expected a number, found `1x`"},
    {HEAD "%2 = mixed {shape = [1 2]}", "line 4: expected `]`"},
    {HEAD "%2 = mixed {count = 0, scale = 0, word = \"\", shape = [0], fn = 1}", "line 4: `mixed`: axis 0 of size 0"},
    {HEAD "output 0 \"y\" %2", "line 4: %2 is not defined above"},
    {HEAD "output \"y\" %1", "line 4: expected a whole number, found ``"},
    {HEAD "output 0 \"y\" %1 %1", "line 4: unexpected `%`"},
};

static void test_mistakes(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        Str why = {0};
        Graph *g = graph_read(arena, sx, str_of(mistakes[i].text), tiny_find, &why);
        if (g)
            fail_msg("read: %s", mistakes[i].text);
        assert_string_equal(str_c(arena, why), mistakes[i].why);
    }
}

/* The sentence about an expression is sx_read's; the line and the lead are ours. */
static void test_bad_expression(void **state)
{
    (void)state;
    Str why = {0};
    assert_null(graph_read(arena, sx, STR(HEAD "%2 = map %1 {fn = (frob a0)}"), tiny_find, &why));
    assert_true(str_starts(why, STR("line 4: in the expression: ")));
    assert_true(why.n > 30);
}

/* Texts with random bytes changed, cut, doubled: refused with a line or read into a graph that prints and verifies or
 * not, but never anything worse (this test earns its keep under the address sanitizer). */
static uint32_t next(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static uint32_t mutate(char *to, uint32_t *seed)
{
    static const char bytes[] = "%{}[](),=:\"\\#B0129-.eixn \n\t\0\xff";
    uint32_t n = sizeof everything - 1;
    memcpy(to, everything, n);
    for (uint32_t changes = 1 + next(seed) % 3; changes > 0; changes--) {
        uint32_t at = next(seed) % n, length = 1 + next(seed) % 12;
        switch (next(seed) % 4) {
        case 0:
            to[at] = bytes[next(seed) % (sizeof bytes - 1)];
            break;
        case 1: /* cut */
            length = at + length > n ? n - at : length;
            memmove(to + at, to + at + length, n - at - length);
            n -= length;
            break;
        case 2: { /* copy a piece over another */
            uint32_t from = next(seed) % n;
            for (uint32_t i = 0; i < length && at + i < n && from + i < n; i++)
                to[at + i] = to[from + i];
            break;
        }
        default: /* one end of the file missing */
            n = next(seed) % 8 ? n : at + 1;
        }
    }
    return n;
}

static void test_mutations(void **state)
{
    (void)state;
    uint32_t seed = 1, read = 0, refused = 0;
    for (int i = 0; i < 5000; i++) {
        Arena *own = arena_new();
        char *text = malloc(sizeof everything), *exact = NULL;
        uint32_t n = mutate(text, &seed);
        exact = malloc(n ? n : 1); /* no byte behind the end may be looked at */
        memcpy(exact, text, n);
        Str why = {0};
        Graph *g = graph_read(own, sx_pool_new(own), (Str){exact, n}, tiny_find, &why);
        if (g) {
            Text out = {.arena = own};
            graph_print(g, &out);
            graph_print_dot(g, &out);
            graph_verify(g, own);
            read++;
        } else {
            assert_true(str_starts(why, STR("line ")));
            refused++;
        }
        free(exact);
        free(text);
        arena_free(own);
    }
    assert_true(read > 100 && refused > 1000); /* both happen, or the mutations miss their aim */
}

/* ── Graphviz ── */
static void test_dot(void **state)
{
    (void)state;
    Text text = {.arena = arena};
    graph_print_dot(reads("graph g batch 4\n"
                          "tensor \"x \\\"1\\\"\" input f32[B, 3]\n"
                          "%1 = leaf {tensor = 0}\n"
                          "%2 = map %1 {fn = (max a0 0)} : f32[B, 3] name \"h\" fn \"relu\"\n"
                          "output 0 \"y\" %2\n"),
                    &text);
    assert_string_equal(text_str(&text).p,
        "digraph \"g\" {\n"
        "  rankdir = TB;\n"
        "  node [fontname = \"monospace\", fontsize = 10];\n"
        "  n1 [shape = box, label = \"%1 x \\\"1\\\"\\nf32[B, 3]\", style = filled, fillcolor = lightgrey];\n"
        "  n2 [shape = box, label = \"%2 relu h\\nfn: (max a0 0)\\nf32[B, 3]\"];\n"
        "  n1 -> n2;\n"
        "  r0 [shape = ellipse, label = \"output 0 y\"];\n"
        "  n2 -> r0;\n"
                        "}\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_round_trip), TEST(test_fields),         TEST(test_by_hand), TEST(test_numbers),
        TEST(test_mistakes),   TEST(test_bad_expression), TEST(test_mutations), TEST(test_dot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
