/* Texts that try to make the compiler recurse, multiply or overflow: each ends in a diagnostic, soon. */
#include "sema/harness.h"

#include <stdlib.h>
#include <unistd.h>

#define MODEL(body) "model m {\n input x : f32[4]\n" body "\n}\n"

static void expect_code(const char *source, const char *code)
{
    Run *run = run_text(source);
    bool found = false;
    for (uint32_t i = 0; i < run->diags.list.n; i++)
        found = found || strcmp(run->diags.list.at[i]->code, code) == 0;
    if (!found) {
        fprintf(stderr, "wanted %s\n", code);
        run_show(run);
    }
    assert_true(found);
    for (uint32_t i = 0; i < run->program->models.n; i++)
        assert_true(run->program->models.at[i]->poisoned);
    run_end(run);
}

static void recursion(void **state)
{
    (void)state;
    expect_code("block f(x) { x |> f }\n" MODEL(" output x |> f"), "ACT1204");
    expect_code("block f(x) { x |> g }\nblock g(x) { x |> h }\nblock h(x) { x |> f }\n" MODEL(" output x |> f"),
                "ACT1204");
    expect_code("block f(x, g) { x |> g(g) }\n" MODEL(" output x |> f(f)"), "ACT1216");
    expect_code("activation f = g\nactivation g = f\n" MODEL(" output x |> f"), "ACT1204");
    expect_code("initializer f(fan_in) = f(fan_in)\n" MODEL(" output x |> linear(3, weight = f)"), "ACT1204");
    expect_code("function f(x) = g(x)\nfunction g(x) = f(x)\n" MODEL(" output x |> f"), "ACT1204");
    expect_code("param a = a\n" MODEL(" output x |> linear(a)"), "ACT1204");
    expect_code(MODEL(" a = a + 1\n output a"), "ACT1204");
    expect_code(MODEL(" a = x |> linear(4, weight = b.weight) as b\n output a"), "ACT1206");
}

/* Every level uses the one below it several times. */
static void multiplication(void **state)
{
    (void)state;
    Arena *arena = arena_new();
    Text blocks = {.arena = arena}, functions = {.arena = arena};
    text_printf(&blocks, "block b0(x) { x |> linear(4) }\n");
    text_printf(&functions, "function f0(x) = x + 1\n");
    for (int i = 1; i < 40; i++) {
        text_printf(&blocks, "block b%d(x) { x |> b%d |> b%d |> b%d }\n", i, i - 1, i - 1, i - 1);
        text_printf(&functions, "function f%d(x) = f%d(x) + f%d(x)\n", i, i - 1, i - 1);
    }
    text_printf(&blocks, MODEL(" output x |> b39"));
    text_printf(&functions, MODEL(" output x |> f39"));
    expect_code(text_str(&blocks).p, "ACT1216");
    Run *run = run_text(text_str(&functions).p); /* a function is one expression, however often it is used */
    assert_int_equal(run_errors(run), 0);
    run_end(run);
    expect_code(MODEL(" output x |> repeat(10000, repeat(10000, linear(4)))"), "ACT1216");
    arena_free(arena);
}

static void sizes(void **state)
{
    (void)state;
    expect_code(MODEL(" output x |> repeat(1000000, relu)"), "ACT1216");
    expect_code(MODEL(" output x |> linear(2147483647)"), "ACT1216");
    expect_code(MODEL(" output x |> linear(1e300)"), "ACT1216");
    expect_code(MODEL(" output x |> linear(-3)"), "ACT1209");
    expect_code(MODEL(" output x |> linear(1 / 0)"), "ACT1215");
    expect_code(MODEL(" output x |> linear(0 / 0)"), "ACT1215");
    expect_code("model m {\n input x : f32[1, 1, 1, 1, 1, 1, 1]\n output x\n}\n", "ACT1216");
    expect_code("model m {\n input x : f32[60000, 30000]\n output concat(x, x, axis = 0) |> flatten\n}\n", "ACT1216");
    expect_code("model m {\n input x : f32[60000, 1]\n input y : f32[60000]\n output x + y\n}\n", "ACT1216");
    expect_code("model m {\n input t : token(2000000000)[4]\n output t |> one_hot(2000000000)\n}\n", "ACT1216");
    expect_code(MODEL(" output x |> reshape(1, 1, 1, 1, 1, 1, 1, 4)"), "ACT1209");
    expect_code(MODEL(" output x |> reshape(2147483647, 2147483647)"), "ACT103");
    expect_code(MODEL(" output x |> slice(3, 1)"), "ACT1209");
    expect_code(MODEL(" output x |> pad(2147483647, 2147483647)"), "ACT1209");
    expect_code("model m {\n input x : f32[0]\n output x\n}\n", "ACT1209");
    expect_code("model m {\n input x : class(0)\n output x\n}\n", "ACT1209");
}

static void strange_places(void **state)
{
    (void)state;
    expect_code(MODEL(" output relu"), "ACT1211");
    expect_code(MODEL(" output [x, x]"), "ACT1211");
    expect_code(MODEL(" output (x, x)"), "ACT1211");
    expect_code(MODEL(" output 1..3"), "ACT1211");
    expect_code(MODEL(" output \"text\""), "ACT1211");
    expect_code(MODEL(" output x |> x |> x"), "ACT1211");
    expect_code(MODEL(" output x |> 3"), "ACT0002");
    expect_code(MODEL(" output x |> repeat"), "ACT1206");
    expect_code(MODEL(" output x |> repeat(2)"), "ACT1210");
    expect_code(MODEL(" output x |> repeat(2, x)"), "ACT1211");
    expect_code(MODEL(" output x |> normal(0, 1)"), "ACT1211");
    expect_code(MODEL(" loss mse(relu, x)"), "ACT1211");
    expect_code(MODEL(" loss mse"), "ACT1211");
    expect_code(MODEL(" output x |> mse(x)\n loss 3 + relu"), "ACT1211");
    expect_code("param p = parameter([3], ones)\n" MODEL(" output x + p"), "ACT1211");
    expect_code("activation f(x) = x |> linear(3)\n" MODEL(" output x |> f"), "ACT1211");
    expect_code("optimizer o(w) { w = 1 }\n" MODEL(" output relu"), "ACT1210");
    expect_code("optimizer o(w, g) { w = relu }\n" MODEL(" output relu"), "ACT1209");
    expect_code("input x : f32\nloss\nmodel { }\nmodel n { } }\n" MODEL(" output y"), "ACT1206");
}

/* Files that import themselves, each other, and what is not there. */
static void imports(void **state)
{
    (void)state;
    char folder[] = "/tmp/act_sema_XXXXXX", path[64], other[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/self.act", folder);
    snprintf(other, sizeof other, "%s/other.act", folder);
    FILE *file = fopen(path, "w");
    fputs("import \"self.act\"\nimport \"other.act\"\nimport \"other.act\"\nimport \"gone.act\"\n" MODEL(
              " output x |> half"),
          file);
    fclose(file);
    file = fopen(other, "w");
    fputs("import \"self.act\"\nimport \"./other.act\"\nfunction half(x) = x / 2\n", file);
    fclose(file);
    Arena *arena = arena_new();
    Sources sources = {.arena = arena};
    Diags diags = {.arena = arena, .sources = &sources};
    Str why;
    const Source *source = source_read(&sources, str_of(path), &why);
    assert_non_null(source);
    Program *program = sema_run(arena, &sources, &diags, parse_source(arena, &diags, source), NULL);
    assert_int_equal(diags.list.n, 1);
    assert_string_equal(diags.list.at[0]->code, "ACT1214");
    assert_int_equal(program->models.n, 1);
    assert_false(program->models.at[0]->poisoned);
    arena_free(arena);
    unlink(path);
    unlink(other);
    rmdir(folder);
}

/* Pieces of a healthy text in every order and cut at every place: no crash, no endless loop. */
static void cut_anywhere(void **state)
{
    (void)state;
    static const char text[] =
        "param n = 2 * 4\nblock b(x, f = relu) { a, c = x |> linear(2 * n) |> split(2)\n a + (c |> f) }\n"
        "model m {\n input x : f32[4] in [0, 1]\n target y : class(3)\n"
        " z = x |> repeat(2, b) |> b(gelu) as top |> linear(3)\n loss cross_entropy(z, y, weight = [1, 2, 3])\n"
        " metric accuracy(z, y)\n output softmax(z)\n}\n"
        "train m { optimizer adam(lr = 1e-3) for top\n schedule cosine(warmup = 10) }\n";
    char cut[sizeof text];
    for (size_t i = 0; i + 1 < sizeof text; i++) {
        memcpy(cut, text, sizeof text);
        cut[i] = 0;
        run_end(run_text(cut));
        memcpy(cut, text, sizeof text);
        cut[i] = ' ';
        run_end(run_text(cut));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recursion),      cmocka_unit_test(multiplication), cmocka_unit_test(sizes),
        cmocka_unit_test(strange_places), cmocka_unit_test(imports),        cmocka_unit_test(cut_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
