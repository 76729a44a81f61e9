/* The entry points of an object, run in place, and the files that hold it. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "llvm/tiny_unit.h"

#include <string.h>

/* ── a runtime of our own, that writes down what it is asked ── */

static int cpu_ok = 1;
static char cpu_asked[512];
static int cpu_has(const char *features)
{
    strncpy(cpu_asked, features, sizeof cpu_asked - 1);
    return cpu_ok;
}

static struct {
    const ActTensor *tensor;
    void *block;
    ActFill fill;
    uint64_t seed;
} filled[8];
static int n_filled, fill_fails_at;
static ActStatus fill(const ActTensor *tensor, void *block, const ActFill *how, uint64_t seed)
{
    if (n_filled == fill_fails_at)
        return ACT_E_MEMORY;
    filled[n_filled].tensor = tensor;
    filled[n_filled].block = block;
    filled[n_filled].fill = *how;
    filled[n_filled++].seed = seed;
    return ACT_OK;
}

static int parallel_calls;
static void parallel(ActPool *pool, ActWork work, void *context)
{
    (void)pool;
    parallel_calls++;
    for (uint32_t t = 0; t < 2; t++)
        work(context, t, 2);
}
static void barrier(ActPool *pool) { (void)pool; }
static uint64_t asked; /* nanoseconds */
static uint32_t pool_threads = 2;
static uint32_t threads(const ActPool *pool, uint64_t nanoseconds)
{
    (void)pool;
    asked = nanoseconds;
    return pool_threads;
}

static const BackendSymbol symbols[] = {
    {"act_cpu_has", (void (*)(void))cpu_has},      {"act_fill", (void (*)(void))fill},
    {"act_parallel", (void (*)(void))parallel},    {"act_barrier", (void (*)(void))barrier},
    {"act_pool_share", (void (*)(void))threads},
};

/* ── one model, bound ── */

typedef struct Bound {
    Arena *arena;
    BackendRun *run;
    const ActModel *model;
    ActInstance instance;
    ActMemory memory;
} Bound;

static Unit *unit_for(Arena *arena, const char *triple, const char *cpu, BackendOptions *options)
{
    Str why = {0}, help = {0};
    const Machine *machine = machine_select(arena, str_of(triple), str_of(cpu), &why, &help);
    if (!machine)
        fail_msg(STR_FMT, STR_ARG(why));
    *options = (BackendOptions){.machine = machine, .level = 2, .source = STR("tiny.act")};
    return tiny_unit(arena, machine->target);
}

static int setup(void **state)
{
    Arena *arena = arena_new();
    Bound *b = arena_new_of(arena, Bound);
    b->arena = arena;
    BackendOptions options;
    Unit *unit = unit_for(arena, NULL, NULL, &options);
    Str why = {0};
    b->run = backend_run_jit(arena, unit, &options, symbols, sizeof symbols / sizeof *symbols, &b->model, &why);
    if (!b->run)
        fail_msg(STR_FMT, STR_ARG(why));
    b->memory = (ActMemory){arena_alloc_aligned(arena, 128, 64), 128, arena_alloc_aligned(arena, 64, 64), 64,
                            arena_alloc_aligned(arena, 64, 64),  64};
    cpu_ok = 1;
    n_filled = parallel_calls = 0;
    fill_fails_at = -1;
    assert_int_equal(b->model->entry.bind(&b->instance, &b->memory), ACT_OK);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    Bound *b = *state;
    backend_run_end(b->run);
    arena_free(b->arena);
    return 0;
}

static void test_bind(void **state)
{
    Bound *b = *state;
    assert_ptr_equal(b->instance.model, b->model);
    assert_ptr_equal(b->instance.param, b->memory.param);
    assert_ptr_equal(b->instance.state, b->memory.state);
    assert_ptr_equal(b->instance.work, b->memory.work);
    assert_null(b->instance.pool);
    assert_string_equal(cpu_asked, b->model->features);
    memset(b->memory.work, 0x55, 64);
    memset(b->memory.param, 0x55, 64);
    assert_int_equal(b->model->entry.bind(&b->instance, &b->memory), ACT_OK);
    assert_int_equal(((char *)b->memory.work)[63], 0);
    assert_int_equal(((char *)b->memory.param)[0], 0x55); /* loaded weights stay */
}

static void test_bind_refuses(void **state)
{
    Bound *b = *state;
    ActStatus (*bind)(ActInstance *, const ActMemory *) = b->model->entry.bind;
    ActInstance m = {0};
    ActMemory bad = b->memory;
    assert_int_equal(bind(NULL, &b->memory), ACT_E_ARGUMENT);
    assert_int_equal(bind(&m, NULL), ACT_E_ARGUMENT);
    bad.param_bytes = 127;
    assert_int_equal(bind(&m, &bad), ACT_E_MEMORY);
    bad = b->memory;
    bad.state = (char *)bad.state + 32;
    assert_int_equal(bind(&m, &bad), ACT_E_MEMORY);
    bad = b->memory;
    bad.work = NULL;
    assert_int_equal(bind(&m, &bad), ACT_E_MEMORY);
    cpu_ok = 0;
    assert_int_equal(bind(&m, &b->memory), b->model->features[0] ? ACT_E_CPU : ACT_OK);
    cpu_ok = 1;
    m.model = b->model; /* a failed bind unbinds */
    assert_int_equal(bind(&m, &bad), ACT_E_MEMORY);
    assert_null(m.model);
    assert_int_equal(b->model->entry.init(&m, 1), ACT_E_ARGUMENT);
}

static void test_init(void **state)
{
    Bound *b = *state;
    memset(b->memory.param, 0x55, 128);
    memset(b->memory.state, 0x55, 64);
    assert_int_equal(b->model->entry.init(&b->instance, 42), ACT_OK);
    assert_int_equal(n_filled, 3);
    for (int i = 0; i < 2; i++) {
        assert_ptr_equal(filled[i].tensor, &b->model->param[i]);
        assert_ptr_equal(filled[i].block, b->memory.param);
        assert_int_equal(filled[i].fill.stream, i);
        assert_int_equal(filled[i].seed, 42);
    }
    assert_int_equal(filled[0].fill.kind, ACT_FILL_UNIFORM);
    assert_true(filled[0].fill.a == -0.5 && filled[0].fill.b == 0.25);
    assert_true(filled[1].fill.kind == ACT_FILL_CONSTANT && filled[1].fill.a == 7);
    assert_ptr_equal(filled[2].tensor, &b->model->state[0]);
    assert_ptr_equal(filled[2].block, b->memory.state);
    assert_true(filled[2].fill.a == 1.5);
    for (int i = 0; i < 128; i++)
        assert_int_equal(((char *)b->memory.param)[i], 0);
    n_filled = 0;
    fill_fails_at = 1;
    assert_int_equal(b->model->entry.init(&b->instance, 42), ACT_E_MEMORY);
    assert_int_equal(b->model->entry.init(NULL, 42), ACT_E_ARGUMENT);
}

static void set_weight(Bound *b, float first, float second)
{
    float *weight = b->memory.param;
    weight[0] = first;
    weight[1] = second;
}

static void test_forward_in_chunks(void **state)
{
    Bound *b = *state;
    enum { MOST = 11 };
    float image[MOST * 3], y[MOST * 2 + 1];
    set_weight(b, 0.5f, -2);
    for (int i = 0; i < MOST * 3; i++)
        image[i] = (float)i;
    for (size_t n = 1; n <= MOST; n++) {
        for (int i = 0; i < MOST * 2 + 1; i++)
            y[i] = 1e9f;
        assert_int_equal(b->model->entry.forward(&b->instance, (const void *[]){image}, n, (void *[]){y}), ACT_OK);
        for (size_t r = 0; r < n; r++) {
            assert_true(y[2 * r] == (float)(3 * r) + 0.5f);
            assert_true(y[2 * r + 1] == (float)(3 * r + 1) - 2);
        }
        assert_true(y[2 * n] == 1e9f);
    }
    assert_int_equal(parallel_calls, 0);
}

static void test_forward_refuses(void **state)
{
    Bound *b = *state;
    float image[3] = {0}, y[2];
    const void *in[] = {image}, *no_in[] = {NULL};
    void *out[] = {y}, *no_out[] = {NULL};
    ActInstance unbound = {0};
    assert_int_equal(b->model->entry.forward(&b->instance, in, 0, out), ACT_E_ARGUMENT);
    assert_int_equal(b->model->entry.forward(NULL, in, 1, out), ACT_E_ARGUMENT);
    assert_int_equal(b->model->entry.forward(&unbound, in, 1, out), ACT_E_ARGUMENT);
    assert_int_equal(b->model->entry.forward(&b->instance, NULL, 1, out), ACT_E_ARGUMENT);
    assert_int_equal(b->model->entry.forward(&b->instance, no_in, 1, out), ACT_E_ARGUMENT);
    assert_int_equal(b->model->entry.forward(&b->instance, in, 1, no_out), ACT_E_ARGUMENT);
}

static void test_evaluate(void **state)
{
    Bound *b = *state;
    float image[TINY_BATCH * 3] = {1, 2, 3, 4, 5, 6}, loss[1], y[TINY_BATCH * 2];
    int32_t label[TINY_BATCH] = {0};
    set_weight(b, 10, 20);
    const void *in[] = {image}, *target[] = {label};
    void *out[] = {y};
    assert_int_equal(b->model->entry.evaluate(&b->instance, in, target, 3, loss, out), ACT_OK);
    assert_true(loss[0] == 3 && y[0] == 11 && y[3] == 25);
    assert_int_equal(b->model->entry.evaluate(&b->instance, in, target, TINY_BATCH + 1, loss, out), ACT_E_ARGUMENT);
    assert_int_equal(b->model->entry.evaluate(&b->instance, in, NULL, 1, loss, out), ACT_E_ARGUMENT);
}

static void test_train_step(void **state)
{
    Bound *b = *state;
    float image[TINY_BATCH * 3] = {0}, loss[1];
    int32_t label[TINY_BATCH] = {0};
    const void *in[] = {image}, *target[] = {label};
    ActStep step = {3, 0.25, 7};
    set_weight(b, 10, 20);
    ActStatus (*train)(const ActInstance *, const ActStep *, const void *const *, const void *const *, size_t,
                       float *) = b->model->entry.train_step;
    assert_int_equal(train(&b->instance, &step, in, target, TINY_BATCH, loss), ACT_OK);
    assert_true(loss[0] == 10);
    assert_true(((float *)b->memory.param)[0] == 9.25f && ((float *)b->memory.param)[1] == 19.25f);
    assert_int_equal(train(&b->instance, &step, in, target, TINY_BATCH + 1, loss), ACT_E_ARGUMENT);
    assert_int_equal(train(&b->instance, &step, in, target, 0, loss), ACT_E_ARGUMENT);
    assert_int_equal(train(&b->instance, NULL, in, target, 1, loss), ACT_E_ARGUMENT);
    assert_int_equal(train(&b->instance, &step, in, target, 1, NULL), ACT_E_ARGUMENT);
    step.step = 0;
    assert_int_equal(train(&b->instance, &step, in, target, 1, loss), ACT_E_ARGUMENT);
}

static void test_threads(void **state)
{
    Bound *b = *state;
    float image[9 * 3] = {1, 2, 3, 4, 5, 6}, y[9 * 2];
    b->instance.pool = (ActPool *)(void *)&parallel_calls; /* any pointer: our own pool never looks */
    set_weight(b, 1, 1);
    assert_int_equal(b->model->entry.forward(&b->instance, (const void *[]){image}, 9, (void *[]){y}), ACT_OK);
    assert_int_equal(parallel_calls, 3);
    assert_true(y[0] == 2 && y[3] == 6 && y[17] == 1);
    uint64_t one = asked; /* the last chunk is one row */
    assert_true(one > 10 && one < 1000);
    pool_threads = 1; /* says the pool: too little */
    assert_int_equal(b->model->entry.forward(&b->instance, (const void *[]){image}, 4, (void *[]){y}), ACT_OK);
    assert_int_equal(parallel_calls, 3);
    assert_true(y[0] == 2 && y[3] == 6 && asked >= one && asked < 1000);
}

static void test_schedule(void **state)
{
    Bound *b = *state;
    assert_true(b->model->entry.schedule(3, 4) == 0.75);
}

/* ── files ── */

static Str emit(Arena *arena, const char *triple, const char *cpu, BackendKind kind)
{
    BackendOptions options;
    Unit *unit = unit_for(arena, triple, cpu, &options);
    BackendCode code;
    Str why = {0};
    if (!backend_emit(arena, unit, &options, kind, &code, &why))
        fail_msg(STR_FMT, STR_ARG(why));
    return code.bytes;
}

static void test_same_bytes(void **state)
{
    (void)state;
    Arena *arena = arena_new();
    for (BackendKind kind = BACKEND_OBJECT; kind <= BACKEND_BITCODE; kind++) {
        Str a = emit(arena, NULL, NULL, kind), b = emit(arena, NULL, NULL, kind);
        assert_true(a.n > 100);
        assert_true(str_eq(a, b));
    }
    arena_free(arena);
}

/* e_machine of an ELF header */
static int elf_machine(Str object)
{
    assert_memory_equal(object.p, "\177ELF\2\1", 6);
    return (unsigned char)object.p[18];
}

static void test_every_level(void **state)
{
    (void)state;
    Arena *arena = arena_new();
    static const char *const level[] = {"x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4", "haswell", "znver4"};
    for (unsigned i = 0; i < sizeof level / sizeof *level; i++)
        assert_int_equal(elf_machine(emit(arena, "x86_64-linux-gnu", level[i], BACKEND_OBJECT)), 62);
    Str why, help;
    if (machine_select(arena, STR("aarch64-linux-gnu"), (Str){0}, &why, &help))
        assert_int_equal(elf_machine(emit(arena, "aarch64-linux-gnu", "", BACKEND_OBJECT)), 183);
    arena_free(arena);
}

/* bind runs before the processor is known: nothing wider than the baseline is in it. */
static void test_bind_is_baseline(void **state)
{
    (void)state;
    Arena *arena = arena_new();
    Str text = emit(arena, "x86_64-linux-gnu", "x86-64-v4", BACKEND_ASM);
    const char *begin = strstr(text.p, "\ntiny_bind:"), *end = begin ? strstr(begin, ".Lfunc_end") : NULL;
    assert_non_null(end);
    for (const char *at = begin; at < end; at++) {
        assert_memory_not_equal(at, "ymm", 3);
        assert_memory_not_equal(at, "zmm", 3);
        assert_memory_not_equal(at, "\tv", 2);
    }
    arena_free(arena);
}

static void test_archive(void **state)
{
    (void)state;
    Arena *arena = arena_new();
    BackendCode code = {.bytes = STR("odd")};
    *vec_push(arena, &code.symbols) = STR("m_model");
    *vec_push(arena, &code.symbols) = STR("m_bind");
    static const char want[] = "!<arch>\n"
                               "/               0           0     0     0       27        `\n"
                               "\0\0\0\2\0\0\0`\0\0\0`m_model\0m_bind\0\0"
                               "m.o/            0           0     0     644     3         `\n"
                               "odd\n";
    Str got = backend_archive(arena, STR("m.o"), &code);
    assert_int_equal(got.n, sizeof want - 1);
    assert_memory_equal(got.p, want, got.n);
    got = backend_archive(arena, STR("a_rather_long_name.o"), &code);
    assert_memory_equal(got.p + 8 + 60 + 28,
                        "//                                              22        `\na_rather_long_name.o/\n/0 ", 85);
    arena_free(arena);
}

static void test_machines(void **state)
{
    (void)state;
    Arena *arena = arena_new();
    Str why, help;
    const Machine *m = machine_select(arena, STR("x86_64-linux-gnu"), (Str){0}, &why, &help);
    assert_true(m && str_is(m->cpu, "x86-64") && m->features.n == 0 && m->target->lanes == 4);
    m = machine_select(arena, STR("x86_64-linux-gnu"), STR("znver4"), &why, &help);
    assert_true(m && str_is(m->cpu, "x86-64-v4") && str_is(m->tune, "znver4") && m->target->lanes == 16);
    m = machine_select(arena, STR("x86_64-linux-gnu"), STR("haswell"), &why, &help);
    assert_true(m && m->target->lanes == 8 && m->target->registers == 16 && strstr(m->features.p, "fma"));
    assert_null(machine_select(arena, STR("x86_64-linux-gnu"), STR("haswel"), &why, &help));
    assert_true(str_is(help, "did you mean `haswell`?"));
    assert_null(machine_select(arena, STR("i686-linux-gnu"), (Str){0}, &why, &help));
    assert_null(machine_select(arena, STR("x86_64-apple-darwin"), (Str){0}, &why, &help));
    m = machine_select(arena, (Str){0}, (Str){0}, &why, &help);
    assert_true(m && m->native);
    arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_bind, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bind_refuses, setup, teardown),
        cmocka_unit_test_setup_teardown(test_init, setup, teardown),
        cmocka_unit_test_setup_teardown(test_forward_in_chunks, setup, teardown),
        cmocka_unit_test_setup_teardown(test_forward_refuses, setup, teardown),
        cmocka_unit_test_setup_teardown(test_evaluate, setup, teardown),
        cmocka_unit_test_setup_teardown(test_train_step, setup, teardown),
        cmocka_unit_test_setup_teardown(test_threads, setup, teardown),
        cmocka_unit_test_setup_teardown(test_schedule, setup, teardown),
        cmocka_unit_test(test_same_bytes),
        cmocka_unit_test(test_every_level),
        cmocka_unit_test(test_bind_is_baseline),
        cmocka_unit_test(test_archive),
        cmocka_unit_test(test_machines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
