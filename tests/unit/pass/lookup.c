/* Products of rows of a table: computed on the table where that is less, the same numbers, the same gradients. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "ops/build.h"
#include "rewritten.h"

#define TENSORS                                                                                                                            \
    "graph a batch 4\n"                                                                                                                    \
    "tensor \"x\" input i32[B, 7] classes 5\n"                                                                                             \
    "tensor \"t\" param f32[5, 9]\n"                                                                                                       \
    "tensor \"w\" param f32[9, 19]\n"                                                                                                      \
    "tensor \"b\" param f32[19]\n"                                                                                                         \
    "%1 = tensor {tensor = 0}\n"                                                                                                           \
    "%2 = tensor {tensor = 1}\n"                                                                                                           \
    "%3 = tensor {tensor = 2}\n"                                                                                                           \
    "%4 = tensor {tensor = 3}\n"                                                                                                           \
    "%5 = gather %2, %1\n"

#define BY_TABLE TENSORS "%6 = contract %5, %3 {form = 0}\n%7 = map %6, %4 {fn = (add a0 a1)}\noutput 0 \"y\" %7\n"

static Graph *looked_up(Arena *arena, Graph *g, bool train)
{
    PassState state = {.arena = arena, .g = g, .target = target_find(16, 32), .train = train};
    pass_lookup.run(&state);
    pass_prune.run(&state);
    assert_null(graph_verify(state.g, arena));
    return state.g;
}

/* How many products have a row for each sample. */
static uint32_t products(const Graph *g)
{
    uint32_t n = 0;
    for (NodeId id = 1; id < g->nodes.n; id++)
        n += graph_node(g, id)->op->kind == OP_CONTRACT && graph_node(g, id)->type.batch;
    return n;
}

typedef struct Case {
    const char *text;
    uint32_t products;
} Case;

static void same_numbers(void **unused)
{
    (void)unused;
    static const Case cases[] = {
        {BY_TABLE, 0},
        /* what is scaled, and added up from one row, is a function of that row; so are both sides of a sum behind two products */
        {TENSORS "%6 = map %5 {fn = (mul a0 3)}\n%7 = map %6, %5 {fn = (add a0 a1)}\n"
                 "%8 = contract %7, %3 {form = 0}\noutput 0 \"y\" %8\n", 0},
        {TENSORS "%6 = contract %5, %3 {form = 0}\n%7 = map %5 {fn = (mul a0 3)}\n%8 = contract %7, %3 {form = 0}\n"
                 "%9 = map %6, %8, %4 {fn = (add a0 (add a1 a2))}\noutput 0 \"y\" %9\n", 0},
        /* the rows are read by others, too */
        {TENSORS "%6 = contract %5, %3 {form = 0}\n%7 = contract %6, %3 {form = 1}\n"
                 "%8 = map %7, %5 {fn = (add a0 a1)}\noutput 0 \"y\" %8\n", 1},
        /* a matrix that is computed, turned */
        {TENSORS "%6 = map %3 {fn = (mul a0 a0)}\n%7 = permute %6 {axes = [1, 0]}\n"
                 "%8 = contract %5, %7 {form = 1}\noutput 0 \"y\" %8\n", 0},
        /* the table with itself */
        {TENSORS "%6 = contract %5, %2 {form = 1}\noutput 0 \"y\" %6\n", 0},
        /* an activation has a slope that depends on its value, which may be looked at */
        {TENSORS "%6 = map %5 {fn = (tanh a0)}\n%7 = contract %6, %3 {form = 0}\noutput 0 \"y\" %7\n", 1},
        {TENSORS "%6 = contract %5, %3 {form = 0}\n%7 = map %6 {fn = (tanh a0)}\noutput 0 \"y\" %7\n", 0},
        {TENSORS "%6 = map %5, %5 {fn = (mul a0 a1)}\n%7 = contract %6, %3 {form = 0}\noutput 0 \"y\" %7\n", 1},
        /* each number dropped on its own; places that differ */
        {TENSORS "%6 = dropout %5 {p = 0.3, stream = 1}\n%7 = contract %6, %3 {form = 0}\noutput 0 \"y\" %7\n", 1},
        {"graph a batch 4\ntensor \"x\" input i32[B, 7] classes 5\ntensor \"t\" param f32[5, 9]\ntensor \"p\" param f32[7, 9]\n"
         "tensor \"w\" param f32[9, 19]\n%1 = tensor {tensor = 0}\n%2 = tensor {tensor = 1}\n"
                 "%3 = tensor {tensor = 2}\n%4 = tensor {tensor = 3}\n"
         "%5 = gather %2, %1\n%6 = map %5, %3 {fn = (add a0 a1)}\n%7 = contract %6, %4 {form = 0}\noutput 0 \"y\" %7\n", 1},
        /* two kinds of tokens */
        {"graph a batch 4\ntensor \"x\" input i32[B, 7] classes 5\ntensor \"z\" input i32[B, 7] classes 5\ntensor \"t\" param f32[5, 9]\n"
         "tensor \"w\" param f32[9, 19]\n%1 = tensor {tensor = 0}\n%2 = tensor {tensor = 1}\n"
                 "%3 = tensor {tensor = 2}\n%4 = tensor {tensor = 3}\n"
         "%5 = gather %3, %1\n%6 = gather %3, %2\n%7 = map %5, %6 {fn = (add a0 a1)}\n"
                 "%8 = contract %7, %4 {form = 0}\noutput 0 \"y\" %8\n", 1},
        /* a matrix for each sample */
        {"graph a batch 4\ntensor \"x\" input i32[B, 7] classes 5\ntensor \"t\" param f32[5, 9]\ntensor \"w\" input f32[B, 9, 19]\n"
         "%1 = tensor {tensor = 0}\n%2 = tensor {tensor = 1}\n%3 = tensor {tensor = 2}\n%4 = gather %2, %1\n"
         "%5 = contract %4, %3 {form = 0, each = 1}\noutput 0 \"y\" %5\n", 1},
        /* windows of several places */
        {"graph a batch 4\ntensor \"x\" input i32[B, 7] classes 5\ntensor \"t\" param f32[5, 9]\ntensor \"w\" param f32[7, 9, 19]\n"
         "%1 = tensor {tensor = 0}\n%2 = tensor {tensor = 1}\n%3 = tensor {tensor = 2}\n%4 = gather %2, %1\n"
         "%5 = contract %4, %3 {form = 0, depth = 2}\noutput 0 \"y\" %5\n", 1},
        /* as many rows as places; few terms for many columns, and for few */
        {"graph a batch 4\ntensor \"x\" input i32[B, 7] classes 15\ntensor \"t\" param f32[15, 9]\ntensor \"w\" param f32[9, 19]\n"
         "%1 = tensor {tensor = 0}\n%2 = tensor {tensor = 1}\n%3 = tensor {tensor = 2}\n%4 = gather %2, %1\n"
         "%5 = contract %4, %3 {form = 0}\noutput 0 \"y\" %5\n", 1},
        {"graph a batch 4\ntensor \"x\" input i32[B, 7] classes 5\ntensor \"t\" param f32[5, 3]\ntensor \"w\" param f32[3, 19]\n"
         "%1 = tensor {tensor = 0}\n%2 = tensor {tensor = 1}\n%3 = tensor {tensor = 2}\n%4 = gather %2, %1\n"
         "%5 = contract %4, %3 {form = 0}\noutput 0 \"y\" %5\n", 1},
        {"graph a batch 4\ntensor \"x\" input i32[B, 7] classes 5\ntensor \"t\" param f32[5, 3]\ntensor \"w\" param f32[3, 2]\n"
         "%1 = tensor {tensor = 0}\n%2 = tensor {tensor = 1}\n%3 = tensor {tensor = 2}\n%4 = gather %2, %1\n"
         "%5 = contract %4, %3 {form = 0}\noutput 0 \"y\" %5\n", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Arena *arena = arena_new();
        Graph *g = programs_read(arena, cases[i].text), *after = looked_up(arena, g, true);
        if (products(after) != cases[i].products)
            fail_msg("case %zu: %u products by samples, not %u", i, products(after), cases[i].products);
        rewritten_check(arena, g, after, 0, i);
        arena_free(arena);
    }
}

/* A call of `forward` may have one sample: there a table of many rows would be most of the work. One with losses has the batch. */
static void calls_of_one_sample(void **unused)
{
    (void)unused;
    static const char many[] = "graph a batch 40\ntensor \"x\" input i32[B, 7] classes 15\ntensor \"t\" param f32[15, 9]\n"
                               "tensor \"w\" param f32[9, 19]\n%1 = tensor {tensor = 0}\n%2 = tensor {tensor = 1}\n"
                 "%3 = tensor {tensor = 2}\n"
                               "%4 = gather %2, %1\n%5 = contract %4, %3 {form = 0}\noutput 0 \"y\" %5\n";
    Arena *arena = arena_new();
    assert_int_equal(products(looked_up(arena, programs_read(arena, BY_TABLE), false)), 0);
    assert_int_equal(products(looked_up(arena, programs_read(arena, many), false)), 1);
    Graph *g = programs_read(arena, many);
    graph_root_add(g, ROOT_LOSS, build_sum_all(g, g->roots.at[0].node), 0, STR("loss"));
    assert_int_equal(products(looked_up(arena, g, false)), 0);
    assert_int_equal(products(looked_up(arena, g, true)), 0);
    arena_free(arena);
}

/* The monitor's roots decide nothing, and get the value they name. */
static void watched_values(void **unused)
{
    (void)unused;
    Arena *arena = arena_new();
    Graph *g = programs_read(arena, BY_TABLE);
    NodeId y = g->roots.at[0].node, e = graph_node(g, graph_node(g, y)->in[0])->in[0];
    graph_root_add(g, ROOT_WATCH, e, 0, (Str){0});
    graph_root_add(g, ROOT_WATCH, y, 1, (Str){0});
    Graph *after = looked_up(arena, g, true);
    assert_int_equal(products(after), 0);
    for (uint32_t i = 0; i < g->roots.n; i++)
        assert_true(type_equal(graph_type(g, g->roots.at[i].node), graph_type(after, after->roots.at[i].node)));
    assert_int_equal(after->roots.at[0].node, after->roots.at[2].node);
    arena_free(arena);
}

/* Updates behind `gradient`, from the graph as it is or as the pass leaves it. */
static const Graph *with_gradients(Arena *arena, const char *text, bool lookup, double ***value)
{
    PassState state = {.arena = arena, .g = programs_read(arena, text), .target = target_find(16, 32), .train = true};
    for (uint32_t t = 0; t < state.g->tensors.n; t++)
        state.g->tensors.at[t].trainable = state.g->tensors.at[t].role == ROLE_PARAM;
    if (lookup)
        pass_lookup.run(&state);
    pass_gradient.run(&state);
    pass_prune.run(&state);
    assert_null(graph_verify(state.g, arena));
    EvalEnv env = programs_env(programs_values(arena, state.g, 4, 3), 4);
    *value = graph_eval(arena, state.g, &env);
    return state.g;
}

static void same_gradients(void **unused)
{
    (void)unused;
    static const char *const texts[] = {
        TENSORS "%6 = map %5 {fn = (mul a0 3)}\n%7 = contract %6, %3 {form = 0}\n"
                 "%8 = map %7, %4 {fn = (add a0 a1)}\n%9 = map %8 {fn = (mul a0 a0)}\n"
                "%10 = reduce %9 {op = 0, axes = 3, batch = 1, keep = 0}\nloss 0 \"loss\" %10\n",
        TENSORS "%6 = contract %5, %2 {form = 1}\n%7 = contract %5, %3 {form = 0}\n%8 = map %6 {fn = (exp a0)}\n"
                 "%9 = map %7, %4 {fn = (tanh (add a0 a1))}\n"
                "%10 = reduce %8 {op = 0, axes = 3, batch = 1, keep = 0}\n"
                 "%11 = reduce %9 {op = 0, axes = 3, batch = 1, keep = 0}\n"
                "%12 = map %10, %11 {fn = (add a0 a1)}\nloss 0 \"loss\" %12\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        Arena *arena = arena_new();
        double **want, **have;
        const Graph *plain = with_gradients(arena, texts[i], false, &want), *looked = with_gradients(arena, texts[i], true, &have);
        assert_int_equal(plain->roots.n, looked->roots.n);
        assert_true(products(looked) < products(plain));
        for (uint32_t r = 0; r < plain->roots.n; r++) {
            NodeId a = plain->roots.at[r].node, b = looked->roots.at[r].node;
            for (size_t k = 0; k < graph_value_count(plain, a, 4); k++)
                if (fabs(want[a][k] - have[b][k]) > 1e-11 * (1 + fabs(want[a][k])))
                    fail_msg("text %zu, root %u, element %zu: %g, not %g", i, r, k, have[b][k], want[a][k]);
        }
        arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(same_numbers), cmocka_unit_test(calls_of_one_sample),
                                       cmocka_unit_test(watched_values),
                                       cmocka_unit_test(same_gradients)};
    return cmocka_run_group_tests_name("pass.lookup", tests, NULL, NULL);
}
