/* How an optimizer's body is cut behind roots and quotients: what is carried, what is read again, and what stays whole. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "llvm/stages.h"

enum { G, M, V, P, ARGS }; /* arguments: the sum, two states, the parameter; each but the sum a buffer of its number */

typedef struct Bench {
    Arena *arena;
    SxPool *sx;
    Sx arg[ARGS];
    LoopArg args[ARGS];
    LoopKernel loop;
    LoopProgram program;
    Kernel kernel;
} Bench;

static Bench *bench_new(void)
{
    Arena *arena = arena_new();
    Bench *b = arena_new_of(arena, Bench);
    b->arena = arena;
    b->sx = sx_pool_new(arena);
    for (unsigned i = 0; i < ARGS; i++) {
        b->arg[i] = sx_arg(b->sx, i);
        b->args[i] = (LoopArg){.kind = i == G ? LARG_TILE : LARG_LOAD, .index = i};
    }
    b->loop = (LoopKernel){.arg = b->args, .n_arg = ARGS};
    b->program = (LoopProgram){.sx = b->sx};
    b->kernel = (Kernel){.p = &b->program, .k = &b->loop};
    return b;
}

static LoopStmt *store(Bench *b, uint32_t buf, Sx value, LoopStmt *next)
{
    LoopStmt *s = arena_new_of(b->arena, LoopStmt);
    *s = (LoopStmt){.kind = LOOP_STORE, .next = next, .store = {.buf = buf, .value = value}};
    return s;
}

static Sx mixed(Bench *b, Sx a, double share, Sx c) /* share a + (1 - share) c */
{
    return sx_add(b->sx, sx_mul(b->sx, sx_num(b->sx, share), a), sx_mul(b->sx, sx_num(b->sx, 1 - share), c));
}

static void test_plain(void **unused)
{
    (void)unused;
    Bench *b = bench_new();
    Sx m = mixed(b, b->arg[M], 0.9, b->arg[G]);
    LoopStmt *body = store(b, M, m, store(b, P, sx_sub(b->sx, b->arg[P], m), NULL));
    assert_int_equal(stages_of(&b->kernel, body).n, 1);
    arena_free(b->arena);
}

/* Root, then quotient: three stages. The new m is carried to the quotient because its store has replaced what it was made from; the
 * parameter, stored last, is read where it is needed. */
static void test_adam(void **unused)
{
    (void)unused;
    Bench *b = bench_new();
    SxPool *p = b->sx;
    Sx m = mixed(b, b->arg[M], 0.9, b->arg[G]), v = mixed(b, b->arg[V], 0.99, sx_mul(p, b->arg[G], b->arg[G]));
    Sx root = sx_un(p, SX_SQRT, v), quotient = sx_div(p, m, sx_add(p, root, sx_num(p, 1e-8)));
    LoopStmt *update = store(b, P, sx_sub(p, b->arg[P], quotient), NULL);
    LoopStmt *body = store(b, M, m, store(b, V, v, update));
    Stages cut = stages_of(&b->kernel, body);
    assert_int_equal(cut.n, 3);
    assert_int_equal(cut.n_carried, 3);
    const StagesCarried want[] = {{quotient, 1, 2}, {m, 0, 1}, {root, 0, 1}};
    for (unsigned i = 0; i < 3; i++) {
        bool found = false;
        for (unsigned j = 0; j < 3; j++)
            found |= cut.carried[j].value == want[i].value && cut.carried[j].made == want[i].made &&
                     cut.carried[j].used == want[i].used;
        if (!found)
            fail_msg("value %u is not carried from stage %u to %u", i, want[i].made, want[i].used);
    }
    assert_int_equal(stages_store(&b->kernel, body), 0);
    assert_int_equal(stages_store(&b->kernel, update), 2);
    arena_free(b->arena);
}

/* What no store has replaced is read again instead of carried. */
static void test_read_again(void **unused)
{
    (void)unused;
    Bench *b = bench_new();
    SxPool *p = b->sx;
    Sx kept = sx_mul(p, b->arg[M], b->arg[G]), root = sx_un(p, SX_SQRT, b->arg[V]);
    Stages cut = stages_of(&b->kernel, store(b, P, sx_add(p, kept, root), NULL));
    assert_int_equal(cut.n, 2);
    assert_int_equal(cut.n_carried, 1);
    assert_int_equal(cut.carried[0].value, root);
    arena_free(b->arena);
}

/* A state that is replaced early and read late is carried as it was. */
static void test_replaced(void **unused)
{
    (void)unused;
    Bench *b = bench_new();
    SxPool *p = b->sx;
    Sx root = sx_un(p, SX_SQRT, b->arg[V]);
    Stages cut = stages_of(&b->kernel, store(b, M, b->arg[G], store(b, P, sx_add(p, b->arg[M], root), NULL)));
    assert_int_equal(cut.n, 2);
    assert_int_equal(cut.n_carried, 2);
    bool old = false;
    for (unsigned i = 0; i < 2; i++)
        old |= cut.carried[i].value == b->arg[M] && cut.carried[i].made == 0 && cut.carried[i].used == 1;
    assert_true(old);
    arena_free(b->arena);
}

/* Too many stages, or too much to carry: whole. */
static void test_whole(void **unused)
{
    (void)unused;
    Bench *b = bench_new();
    SxPool *p = b->sx;
    Sx x = b->arg[G];
    for (unsigned i = 0; i < STAGES_MOST; i++)
        x = sx_un(p, SX_SQRT, sx_add(p, x, sx_num(p, 1)));
    assert_int_equal(stages_of(&b->kernel, store(b, P, x, NULL)).n, 1);
    Sx sum = sx_num(p, 0);
    for (unsigned i = 0; i <= STAGES_CARRIED; i++)
        sum = sx_add(p, sum, sx_un(p, SX_SQRT, sx_add(p, b->arg[G], sx_num(p, 2 + i))));
    assert_int_equal(stages_of(&b->kernel, store(b, P, sum, NULL)).n, 1);
    arena_free(b->arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),    cmocka_unit_test(test_adam),  cmocka_unit_test(test_read_again),
        cmocka_unit_test(test_replaced), cmocka_unit_test(test_whole),
    };
    return cmocka_run_group_tests_name("llvm.stages", tests, NULL, NULL);
}
