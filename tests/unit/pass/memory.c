/* The memory plan against threads: in the time between two barriers one thread may be at the first group and another at the last, so
 * no byte that one of them writes may belong to another value that the other one touches. Every cut of the rows is tried. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "pass/place.h"
#include "random_graph.h"

/* One group's use of one value. */
typedef struct Use {
    const WorkValue *value;
    uint32_t group;
    bool write;
} Use;

typedef struct Uses {
    VEC(Use) list;
} Uses;

static const WorkValue *work_value(const Plan *plan, NodeId id)
{
    for (uint32_t i = 0; i < plan->work.n; i++)
        if (plan->work.at[i].id == id)
            return &plan->work.at[i];
    return NULL;
}

static Uses uses_of(Arena *arena, const Plan *plan)
{
    Uses uses = {0};
    for (uint32_t k = 0; k < plan->groups.n; k++)
        for (uint32_t m = 0; m < plan->groups.at[k].nodes.n; m++) {
            NodeId id = plan->groups.at[k].nodes.at[m];
            const Node *node = graph_node(plan->g, id);
            const WorkValue *value = work_value(plan, plan->home[id]);
            if (value != NULL)
                *vec_push(arena, &uses.list) = (Use){value, k, true};
            for (uint32_t i = 0; i < node->n_in; i++) {
                const WorkValue *in = work_value(plan, plan->home[plan->storage[node->in[i]]]);
                if (in != NULL)
                    *vec_push(arena, &uses.list) = (Use){in, k, false};
            }
        }
    return uses;
}

typedef struct Bytes {
    uint64_t from, to;
} Bytes;

/* What the thread with rows [lo, hi) may touch. */
static Bytes bytes_of(const Plan *plan, const Use *use, uint64_t lo, uint64_t hi)
{
    const WorkValue *v = use->value;
    if (plan->groups.at[use->group].by_rows && v->row_bytes != 0)
        return (Bytes){v->offset + lo * v->row_bytes, v->offset + hi * v->row_bytes};
    return (Bytes){v->offset, v->offset + v->bytes};
}

static void no_race(const Plan *plan, const Uses *uses, const char *what)
{
    for (uint32_t i = 0; i < uses->list.n; i++)
        for (uint32_t j = 0; j < uses->list.n; j++) {
            const Use *a = &uses->list.at[i], *b = &uses->list.at[j];
            if (a->value == b->value || (!a->write && !b->write) || plan->epoch[a->group] != plan->epoch[b->group])
                continue;
            for (uint64_t cut = 0; cut <= plan->g->batch; cut++) {
                Bytes x = bytes_of(plan, a, 0, cut), y = bytes_of(plan, b, cut, plan->g->batch);
                if (x.from < y.to && y.from < x.to && x.from < x.to && y.from < y.to) {
                    Text text = {.arena = arena_new()};
                    plan_print(plan, &text);
                    fail_msg("%s: %%%u in group %u meets %%%u in group %u, rows cut at %d\n%s", what, a->value->id, a->group,
                             b->value->id, b->group, (int)cut, text_str(&text).p);
                }
            }
        }
}

/* Values that lie in the same bytes without a barrier between their lives. */
static unsigned taken_over(const Plan *plan)
{
    unsigned n = 0;
    for (uint32_t i = 0; i < plan->work.n; i++)
        for (uint32_t k = 0; k < i; k++) {
            const WorkValue *a = &plan->work.at[k], *b = &plan->work.at[i];
            n += a->offset == b->offset && (plan->epoch[a->last] == plan->epoch[b->first] ||
                                            plan->epoch[b->last] == plan->epoch[a->first]);
        }
    return n;
}

static void threads_never_meet(void **unused)
{
    (void)unused;
    unsigned shared = 0;
    for (uint64_t seed = 1; seed <= 150; seed++) {
        Arena *arena = arena_new();
        const Target *target = seed % 2 == 0 ? target_find(16, 32) : target_find(4, 16);
        char what[32];
        snprintf(what, sizeof what, "seed %d", (int)seed);
        Graph *g = random_graph(arena, seed);
        for (int train = 0; train < 2; train++) {
            Plan *plan = programs_plan(arena, NULL, g, train, target).plan;
            Uses uses = uses_of(arena, plan);
            no_race(plan, &uses, what);
            shared += taken_over(plan);
        }
        arena_free(arena);
    }
    assert_in_range(shared, 100, UINT32_MAX); /* else this has tested nothing */
}

/* With gelu a layer keeps what goes into it and what comes out; the gradient takes the place of the former. */
static const char *const deep =
    "graph deep batch 16\n"
    "tensor \"x\" input f32[B, %u]\n"
    "tensor \"a\" param f32[%u, %u] fill normal 0 0.1\n"
    "tensor \"b\" param f32[%u, %u] fill normal 0 0.1\n"
    "tensor \"c\" param f32[%u, %u] fill normal 0 0.1\n"
    "tensor \"y\" target f32[B, %u]\n"
    "%%1 = tensor {tensor = \"x\"}\n"
    "%%2 = tensor {tensor = \"a\"}\n"
    "%%3 = tensor {tensor = \"b\"}\n"
    "%%4 = tensor {tensor = \"c\"}\n"
    "%%5 = tensor {tensor = \"y\"}\n"
    "%%6 = contract %%1, %%2 {form = 0}\n"
    "%%7 = map %%6 {fn = (mul a0 (erf a0))}\n"
    "%%8 = contract %%7, %%3 {form = 0}\n"
    "%%9 = map %%8 {fn = (mul a0 (erf a0))}\n"
    "%%10 = contract %%9, %%4 {form = 0}\n"
    "%%11 = map %%10, %%5 {fn = (powi (sub a0 a1) 2)}\n"
    "%%12 = reduce %%11 {op = 0, axes = 1, batch = 1, keep = 0}\n"
    "loss 0 \"mse\" %%12\n";

/* Rows of 1024 elements have padding behind them (pass/memory.c). */
static void gradients_in_place(void **unused)
{
    (void)unused;
    static const uint32_t width[] = {40, 1024};
    for (unsigned i = 0; i < 2; i++) {
        Arena *arena = arena_new();
        uint32_t w = width[i];
        Graph *g = programs_read(arena, str_printf(arena, deep, w, w, w, w, w, w, w, w).p);
        Plan *plan = programs_plan(arena, NULL, g, true, target_find(16, 32)).plan;
        uint64_t row = (w + (w == 1024 ? 16 : 0)) * 4;
        Text text = {.arena = arena};
        plan_print(plan, &text);
        /* two values a hidden layer, the terms of the loss, the gradient at the end; sums of the rows of both */
        if (plan->work_bytes > 16 * 6 * row + 64)
            fail_msg("%u: %s", w, text_str(&text).p);
        arena_free(arena);
    }
}

/* A line behind each row where rows would begin in the same sets of a cache. */
static void rows_apart(void **unused)
{
    (void)unused;
    static const uint32_t width[] = {40, 256, 264, 320, 512, 768}, pad[] = {0, 16, 0, 0, 16, 16};
    for (unsigned i = 0; i < sizeof width / sizeof *width; i++) {
        Arena *arena = arena_new();
        uint32_t w = width[i], rows = 0;
        Graph *g = programs_read(arena, str_printf(arena, deep, w, w, w, w, w, w, w, w).p);
        const Plan *plan = programs_plan(arena, NULL, g, true, target_find(16, 32)).plan;
        for (uint32_t k = 0; k < plan->work.n; k++) {
            const Type *type = graph_type(plan->g, plan->work.at[k].id);
            if (!type->batch || type->rank != 1 || type->dim[0] != w)
                continue;
            assert_int_equal(plan->slot[plan->work.at[k].id].pad, pad[i]);
            rows++;
        }
        assert_true(rows >= 4);
        arena_free(arena);
    }
}

/* What the plan says about another batch is what that batch takes. */
static void other_batches(void **unused)
{
    (void)unused;
    static const uint32_t batch[] = {1, 7, 100};
    for (uint64_t seed = 1; seed <= 20; seed++)
        for (unsigned i = 0; i < 3; i++) {
            Arena *arena = arena_new();
            Graph *g = random_graph(arena, seed);
            uint64_t said = place_bytes(arena, programs_plan(arena, NULL, g, true, target_find(16, 32)).plan, batch[i]);
            g->batch = batch[i];
            assert_int_equal(said, programs_plan(arena, NULL, g, true, target_find(16, 32)).plan->work_bytes);
            arena_free(arena);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_never_meet),
        cmocka_unit_test(gradients_in_place),
        cmocka_unit_test(rows_apart),
        cmocka_unit_test(other_batches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
