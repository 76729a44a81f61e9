/* Convolutions larger than a cache: in three directions against the double interpreter, and what their micro-kernels ask for ahead. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "llvm/compiled.h"

/* With 128 rows, several times what the second-level cache holds. */
static const char *const two_layers =
    "graph a batch 128\n"
    "tensor \"x\" input f32[B, 6, 19, 8]\n"
    "tensor \"v\" param f32[3, 3, 8, 9] fill normal 0 0.1\n"
    "tensor \"w\" param f32[3, 3, 9, 5] fill normal 0 0.1\n"
    "%1 = tensor {tensor = 0} : f32[B, 6, 19, 8]\n"
    "%2 = tensor {tensor = 1} : f32[3, 3, 8, 9]\n"
    "%3 = tensor {tensor = 2} : f32[3, 3, 9, 5]\n"
    "%4 = pad %1 {axis = 0, before = 1, after = 1}\n"
    "%5 = pad %4 {axis = 1, before = 1, after = 1}\n"
    "%6 = window %5 {kernel = [3, 3], stride = [1, 1], dilation = [1, 1]}\n"
    "%7 = contract %6, %2 {form = 0, depth = 3}\n"
    "%8 = map %7 {fn = (max a0 0)}\n"
    "%9 = pad %8 {axis = 0, before = 1, after = 1}\n"
    "%10 = pad %9 {axis = 1, before = 1, after = 1}\n"
    "%11 = window %10 {kernel = [3, 3], stride = [1, 1], dilation = [1, 1]}\n"
    "%12 = contract %11, %3 {form = 0, depth = 3}\n"
    "%13 = map %12 {fn = (mul a0 a0)}\n"
    "%14 = reduce %13 {op = 0, axes = 7, batch = 1, keep = 0} : f32[]\n"
    "output 0 \"y\" %12\nloss 0 \"l\" %14\n";

/* Steps, gaps between taps, a border that is wider on one side; then one so wide that places see nothing else. */
static const char *const steps =
    "graph a batch 128\n"
    "tensor \"x\" input f32[B, 7, 5, 6]\n"
    "tensor \"v\" param f32[4, 4, 6, 8] fill normal 0 0.1\n"
    "tensor \"w\" param f32[3, 2, 8, 5] fill normal 0 0.1\n"
    "tensor \"u\" param f32[2, 2, 5, 3] fill normal 0 0.1\n"
    "%1 = tensor {tensor = 0} : f32[B, 7, 5, 6]\n"
    "%2 = tensor {tensor = 1} : f32[4, 4, 6, 8]\n"
    "%3 = tensor {tensor = 2} : f32[3, 2, 8, 5]\n"
    "%4 = tensor {tensor = 3} : f32[2, 2, 5, 3]\n"
    "%5 = pad %1 {axis = 0, before = 2, after = 1}\n"
    "%6 = pad %5 {axis = 1, before = 1, after = 2}\n"
    "%7 = window %6 {kernel = [4, 4], stride = [2, 2], dilation = [1, 1]}\n"
    "%8 = contract %7, %2 {form = 0, depth = 3}\n"
    "%9 = pad %8 {axis = 1, before = 1, after = 1}\n"
    "%10 = pad %9 {axis = 0, before = 2, after = 2}\n"
    "%11 = window %10 {kernel = [3, 2], stride = [1, 1], dilation = [2, 1]}\n"
    "%12 = contract %11, %3 {form = 0, depth = 3}\n"
    "%13 = pad %12 {axis = 0, before = 2, after = 2}\n"
    "%14 = pad %13 {axis = 1, before = 1, after = 1}\n"
    "%15 = window %14 {kernel = [2, 2], stride = [1, 1], dilation = [1, 1]}\n"
    "%16 = contract %15, %4 {form = 0, depth = 3}\n"
    "%17 = map %16 {fn = (mul a0 a0)}\n"
    "%18 = reduce %17 {op = 0, axes = 7, batch = 1, keep = 0} : f32[]\n"
    "output 0 \"y\" %16\nloss 0 \"l\" %18\n";

static void test_layers(void **unused)
{
    (void)unused;
    for (unsigned l = 0; l < JIT_LEVELS; l++) {
        if (!jit_can_run(&jit_level[l]))
            continue;
        Arena *arena = arena_new();
        compiled_check(arena, NULL, programs_read(arena, two_layers), &jit_level[l], jit_level[l].name);
        compiled_check(arena, NULL, programs_read(arena, steps), &jit_level[l], jit_level[l].name);
        arena_free(arena);
    }
}

static unsigned bordered(const char *text, bool train)
{
    Arena *arena = arena_new();
    Compiled made;
    unsigned n = 0;
    compiled_plan(arena, NULL, programs_read(arena, text), train, &jit_level[0].target, &made);
    for (uint32_t i = 0; i < made.program->kernels.n; i++) {
        const LoopStmt *s = made.program->kernels.at[i].body;
        n += s->kind == LOOP_TILE && s->tile.border.end > 0;
    }
    arena_free(arena);
    return n;
}

/* Both layers forward, the second's input gradient, both weight gradients; not a layer some of whose places see zeros alone. */
static void test_borders(void **unused)
{
    (void)unused;
    assert_int_equal(bordered(two_layers, false), 2);
    assert_int_equal(bordered(two_layers, true), 5);
    assert_int_equal(bordered(steps, false), 2);
}

/* Micro-kernels that ask for something, and all of them. */
typedef struct Asking {
    unsigned some, all;
} Asking;

static bool asks(LLVMValueRef fn)
{
    for (LLVMBasicBlockRef block = LLVMGetFirstBasicBlock(fn); block; block = LLVMGetNextBasicBlock(block))
        for (LLVMValueRef i = LLVMGetFirstInstruction(block); i; i = LLVMGetNextInstruction(i)) {
            size_t length;
            const char *name = LLVMIsACallInst(i) ? LLVMGetValueName2(LLVMGetCalledValue(i), &length) : "";
            if (!strncmp(name, "llvm.prefetch", 13))
                return true;
        }
    return false;
}

static Asking asking(uint32_t batch, bool train)
{
    Arena *arena = arena_new();
    Graph *g = programs_read(arena, two_layers);
    g->batch = batch;
    Compiled made;
    compiled_plan(arena, NULL, g, train, &jit_level[0].target, &made);
    Jit jit;
    jit_start(&jit, &jit_level[0]);
    cg_program(&jit.cg, made.program, batch, "test");
    Asking n = {0, 0};
    for (LLVMValueRef fn = LLVMGetFirstFunction(jit.cg.mod); fn; fn = LLVMGetNextFunction(fn)) {
        size_t length;
        if (strncmp(LLVMGetValueName2(fn, &length), "act.tile", 8))
            continue;
        n.all++;
        n.some += asks(fn);
    }
    jit_end(&jit);
    arena_free(arena);
    return n;
}

/* Forward: the two layers' full tiles ask for images that no cache holds, and for none that one does. In a training step so does the input
 * gradient, and weight gradients ask for the columns of the next tile whatever the size. */
static void test_ahead(void **unused)
{
    (void)unused;
    assert_int_equal(asking(1, false).some, 0);
    assert_int_equal(asking(128, false).some, 2);
    Asking few = asking(1, true), many = asking(128, true);
    assert_int_equal(few.all, many.all);
    assert_int_equal(many.some - few.some, 3);
    assert_true(few.some > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_layers), cmocka_unit_test(test_borders), cmocka_unit_test(test_ahead)};
    return cmocka_run_group_tests_name("llvm.convolution", tests, NULL, NULL);
}
