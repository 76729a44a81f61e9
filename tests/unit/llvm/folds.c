/* Folds of any axes, with what they take in and what is made of them, and overlapping sums with theirs: compiled against the interpreter,
 * and that the maps before them are indeed computed inside. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "llvm/compiled.h"

typedef struct Case {
    const char *name, *text;
    unsigned kernels; /* of the forward program; 0: not looked at */
    unsigned sums;    /* of the kernel that has most; 0: not looked at */
} Case;

static const Case cases[] = {
    {"depthwise convolution",
     "graph a batch 128\n"
     "tensor \"x\" input f32[B, 6, 7, 21]\n"
     "tensor \"w\" param f32[3, 2, 21] fill normal 0 1\n"
     "tensor \"b\" param f32[21] fill normal 0 1\n"
     "%1 = tensor {tensor = 0} : f32[B, 6, 7, 21]\n"
     "%2 = tensor {tensor = 1} : f32[3, 2, 21]\n"
     "%3 = tensor {tensor = 2} : f32[21]\n"
     "%4 = map %1, %3 {fn = (mul a0 a1)}\n"
     "%5 = window %4 {kernel = [3, 2], stride = [1, 2], dilation = [2, 1]}\n"
     "%6 = map %5, %2 {fn = (mul a0 a1)}\n"
     "%7 = reduce %6 {op = 0, axes = 12, batch = 0, keep = 0} : f32[B, 2, 3, 21]\n"
     "%8 = map %7, %3 {fn = (max (add a0 a1) 0)} : f32[B, 2, 3, 21]\n"
     "%9 = reduce %8 {op = 0, axes = 7, batch = 1, keep = 0} : f32[]\n"
     "output 0 \"y\" %8\nloss 0 \"l\" %9\n", 4, 0},
    {"two sums over places and samples",
     "graph a batch 128\n"
     "tensor \"x\" input f32[B, 5, 7, 21]\n"
     "tensor \"g\" param f32[21] fill normal 0 1\n"
     "%1 = tensor {tensor = 0} : f32[B, 5, 7, 21]\n"
     "%2 = tensor {tensor = 1} : f32[21]\n"
     "%3 = reduce %1 {op = 0, axes = 3, batch = 1, keep = 0} : f32[21]\n"
     "%4 = map %1 {fn = (mul a0 a0)}\n"
     "%5 = reduce %4 {op = 0, axes = 3, batch = 1, keep = 0} : f32[21]\n"
     "%6 = map %3, %5 {fn = (add a0 (mul 0.001 a1))} : f32[21]\n"
     "%7 = map %1, %6, %2 {fn = (mul a2 (sub a0 (mul 0.0001 a1)))} : f32[B, 5, 7, 21]\n"
     "%8 = map %7 {fn = (mul a0 a0)}\n"
     "%9 = reduce %8 {op = 0, axes = 7, batch = 1, keep = 0} : f32[]\n"
     "output 0 \"y\" %7\nloss 0 \"l\" %9\n", 0, 0},
    {"long folds go by several sums",
     "graph a batch 128\n"
     "tensor \"x\" input f32[B, 3, 39, 18]\n"
     "tensor \"s\" input f32[B, 1, 39, 1]\n"
     "tensor \"g\" param f32[39, 1] fill normal 0 1\n"
     "%1 = tensor {tensor = 0} : f32[B, 3, 39, 18]\n"
     "%2 = tensor {tensor = 1} : f32[B, 1, 39, 1]\n"
     "%3 = tensor {tensor = 2} : f32[39, 1]\n"
     "%4 = map %1, %2, %3 {fn = (mul a0 (add a1 a2))} : f32[B, 3, 39, 18]\n"
     "%5 = reduce %4 {op = 0, axes = 2, batch = 0, keep = 0} : f32[B, 3, 18]\n"
     "%6 = reduce %4 {op = 1, axes = 2, batch = 0, keep = 1} : f32[B, 3, 1, 18]\n"
     "%7 = reduce %1 {op = 1, axes = 2, batch = 0, keep = 0} : f32[B, 3, 18]\n"
     "%8 = reduce %5 {op = 0, axes = 3, batch = 1, keep = 0} : f32[]\n"
     "output 0 \"a\" %5\noutput 1 \"b\" %6\noutput 2 \"c\" %7\nloss 0 \"l\" %8\n", 0, 0},
    {"scattered axes",
     "graph a batch 128\n"
     "tensor \"x\" input f32[B, 3, 4, 5, 6]\n"
     "tensor \"y\" input f32[B, 4, 1, 6]\n"
     "%1 = tensor {tensor = 0} : f32[B, 3, 4, 5, 6]\n"
     "%2 = tensor {tensor = 1} : f32[B, 4, 1, 6]\n"
     "%3 = map %1, %2 {fn = (mul a0 a1)}\n"
     "%4 = reduce %3 {op = 0, axes = 5, batch = 1, keep = 1} : f32[1, 4, 1, 6]\n"
     "%5 = reduce %1 {op = 1, axes = 10, batch = 0, keep = 1} : f32[B, 3, 1, 5, 1]\n"
     "%6 = reduce %1 {op = 0, axes = 6, batch = 1, keep = 1} : f32[3, 1, 1, 6]\n"
     "%7 = reduce %1 {op = 0, axes = 7, batch = 0, keep = 0} : f32[B, 6]\n"
     "%8 = map %7, %2 {fn = (add a0 a1)} : f32[B, 4, 1, 6]\n"
     "%9 = map %4, %2 {fn = (add a0 a1)}\n"
     "%10 = map %6, %2 {fn = (add a0 a1)}\n"
     "output 0 \"a\" %9\noutput 1 \"b\" %5\noutput 2 \"c\" %10\noutput 3 \"d\" %8\n", 0, 0},
    {"the first maximum",
     "graph a batch 128\n"
     "tensor \"x\" input f32[B, 9, 9, 18]\n"
     "tensor \"w\" param f32[18] fill normal 0 1\n"
     "%1 = tensor {tensor = 0} : f32[B, 9, 9, 18]\n"
     "%2 = tensor {tensor = 1} : f32[18]\n"
     "%3 = map %1, %2 {fn = (mul a0 a1)}\n"
     "%4 = window %3 {kernel = [3, 3], stride = [2, 2], dilation = [1, 1]}\n"
     "%5 = reduce %4 {op = 1, axes = 12, batch = 0, keep = 1} : f32[B, 4, 4, 1, 1, 18]\n"
     "%6 = map %4, %5 {fn = (select (eq a0 a1) a0 0)}\n"
     "%7 = overlap_add %6 {kernel = [3, 3], stride = [2, 2], dilation = [1, 1], size = [9, 9]}\n"
     "%8 = map %7 {fn = (mul a0 a0)}\n"
     "%9 = reduce %8 {op = 0, axes = 7, batch = 1, keep = 0} : f32[]\n"
     "output 0 \"y\" %7\nloss 0 \"l\" %9\n", 0, 0},
    {"taps side by side",
     "graph a batch 128\n"
     "tensor \"x\" input f32[B, 6, 9, 21]\n"
     "tensor \"dy\" input f32[B, 2, 4, 1, 1, 21]\n"
     "tensor \"w\" param f32[3, 2, 21] fill normal 0 1\n"
     "%1 = tensor {tensor = 0} : f32[B, 6, 9, 21]\n"
     "%2 = tensor {tensor = 1} : f32[B, 2, 4, 1, 1, 21]\n"
     "%3 = tensor {tensor = 2} : f32[3, 2, 21]\n"
     "%4 = window %1 {kernel = [3, 2], stride = [1, 2], dilation = [2, 1]}\n"
     "%5 = map %4, %2 {fn = (mul a0 a1)}\n"
     "%6 = reduce %5 {op = 0, axes = 3, batch = 1, keep = 0} : f32[3, 2, 21]\n"
     "%7 = map %4, %2 {fn = (max a0 a1)}\n"
     "%8 = reduce %7 {op = 0, axes = 3, batch = 1, keep = 0} : f32[3, 2, 21]\n"
     "%9 = map %3, %6, %8 {fn = (sub a0 (mul 0.1 (add a1 a2)))} : f32[3, 2, 21]\n"
     "%10 = map %4, %9 {fn = (mul a0 a1)}\n"
     "output 0 \"y\" %10\n", 0, 12},
    {"a padding along two axes is written in place",
     "graph a batch 128\n"
     "tensor \"x\" input f32[B, 4, 5, 21]\n"
     "tensor \"w\" param f32[3, 3, 21] fill normal 0 1\n"
     "%1 = tensor {tensor = 0} : f32[B, 4, 5, 21]\n"
     "%2 = tensor {tensor = 1} : f32[3, 3, 21]\n"
     "%3 = map %1 {fn = (max a0 0)} : f32[B, 4, 5, 21]\n"
     "%4 = pad %3 {axis = 0, before = 1, after = 1} : f32[B, 6, 5, 21]\n"
     "%5 = pad %4 {axis = 1, before = 1, after = 1} : f32[B, 6, 7, 21]\n"
     "%6 = window %5 {kernel = [3, 3], stride = [1, 1], dilation = [1, 1]}\n"
     "%7 = map %6, %2 {fn = (mul a0 a1)}\n"
     "%8 = reduce %7 {op = 0, axes = 12, batch = 0, keep = 0} : f32[B, 4, 5, 21]\n"
     "output 0 \"y\" %8\n", 6, 0},
};

static void compiled(void **unused)
{
    (void)unused;
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (unsigned l = 0; l < JIT_LEVELS; l++) {
            if (!jit_can_run(&jit_level[l]))
                continue;
            char what[96];
            snprintf(what, sizeof what, "%s, %s", cases[i].name, jit_level[l].name);
            Arena *arena = arena_new();
            compiled_check(arena, NULL, programs_read(arena, cases[i].text), &jit_level[l], what);
            arena_free(arena);
        }
}

static void taken_in(void **unused)
{
    (void)unused;
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Arena *arena = arena_new();
        Compiled forward;
        compiled_plan(arena, NULL, programs_read(arena, cases[i].text), false, &jit_level[0].target, &forward);
        unsigned sums = 0, kernels = forward.program->kernels.n;
        for (unsigned k = 0; k < kernels; k++)
            sums = forward.program->kernels.at[k].n_acc > sums ? forward.program->kernels.at[k].n_acc : sums;
        if ((cases[i].kernels != 0 && kernels != cases[i].kernels) || (cases[i].sums != 0 && sums != cases[i].sums)) {
            Text text = {.arena = arena};
            loop_print(forward.program, &text);
            fail_msg("%s: %u kernels, %u sums\n%s", cases[i].name, kernels, sums, text_str(&text).p);
        }
        arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(taken_in), cmocka_unit_test(compiled)};
    return cmocka_run_group_tests_name("llvm.folds", tests, NULL, NULL);
}
