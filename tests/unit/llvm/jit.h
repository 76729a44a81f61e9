/* Compiles what code generation emits into this process, for each vector width the machine has. */
#ifndef ACT_TEST_JIT_H
#define ACT_TEST_JIT_H

#include "llvm/cg.h"

#include <llvm-c/Error.h>
#include <llvm-c/LLJIT.h>
#include <llvm-c/Orc.h>
#include <llvm-c/Target.h>
#include <llvm-c/TargetMachine.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct JitLevel {
    const char *name, *cpu;
    Target target;
} JitLevel;

/* Widths with a fused multiply-add, then the one without. */
static const JitLevel jit_level[] = {
#if defined(__x86_64__)
    {"16 lanes", "x86-64-v4", {"x86-64-v4", 16, 32, 12, 2, 32 << 10, 1024 << 10, true, 32}},
    {"8 lanes", "x86-64-v3", {"x86-64-v3", 8, 16, 6, 2, 32 << 10, 512 << 10, true, 32}},
    {"4 lanes", "x86-64-v3", {"x86-64-v3", 4, 16, 6, 2, 32 << 10, 512 << 10, true, 32}},
    {"4 lanes without fma", "x86-64", {"x86-64", 4, 16, 4, 2, 32 << 10, 512 << 10, false, 16}},
#else
    {"4 lanes", "generic", {"aarch64", 4, 32, 8, 3, 32 << 10, 512 << 10, true, 16}},
#endif
};
enum { JIT_LEVELS = sizeof jit_level / sizeof *jit_level };

/* Generated code is not instrumented, and what generates it runs for all targets in the tests of kernels: under a sanitizer one width
 * will do. */
static inline bool jit_can_run(const JitLevel *level)
{
#if defined(__x86_64__)
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    if (level->target.lanes != 8)
        return false;
#endif
    if (level->target.lanes == 16)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
    if (level->target.fma)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
    (void)level;
    return true;
}

/* For many networks: the widest vectors for each of them and, one after the other, one of the other levels. */
static inline bool jit_in_turn(unsigned level, unsigned network)
{
    return level == 0 || level == 1 + network % (JIT_LEVELS > 1 ? JIT_LEVELS - 1 : 1);
}

typedef struct Jit {
    Arena *arena;
    LLVMContextRef ctx;
    LLVMModuleRef mod;
    LLVMTargetMachineRef machine;
    LLVMOrcLLJITRef jit;
    Cg cg;
} Jit;

static inline _Noreturn void jit_die(const char *what)
{
    fprintf(stderr, "jit: %s\n", what);
    abort();
}

static inline void jit_check(LLVMErrorRef error)
{
    if (error)
        jit_die(LLVMGetErrorMessage(error));
}

static inline void jit_start(Jit *j, const JitLevel *level)
{
    memset(j, 0, sizeof *j);
    LLVMInitializeNativeTarget();
    LLVMInitializeNativeAsmPrinter();
    LLVMInitializeNativeAsmParser();
    j->arena = arena_new();
    j->ctx = LLVMContextCreate();
    j->mod = LLVMModuleCreateWithNameInContext("test", j->ctx);
    char *triple = LLVMGetDefaultTargetTriple(), *message = NULL;
    LLVMTargetRef target;
    if (LLVMGetTargetFromTriple(triple, &target, &message))
        jit_die(message);
    LLVMTargetMachineOptionsRef options = LLVMCreateTargetMachineOptions();
    LLVMTargetMachineOptionsSetCPU(options, level->cpu);
    LLVMTargetMachineOptionsSetCodeGenOptLevel(options, LLVMCodeGenLevelAggressive);
    LLVMTargetMachineOptionsSetRelocMode(options, LLVMRelocPIC);
    j->machine = LLVMCreateTargetMachineWithOptions(target, triple, options);
    LLVMDisposeTargetMachineOptions(options);
    LLVMSetTarget(j->mod, triple);
    LLVMTargetDataRef layout = LLVMCreateTargetDataLayout(j->machine);
    LLVMSetModuleDataLayout(j->mod, layout);
    LLVMDisposeTargetData(layout);
    LLVMDisposeMessage(triple);
    cg_init(&j->cg, j->arena, j->ctx, j->mod, &level->target);
}

/* ── the pool that generated code sees: real threads, one a call ── */
typedef struct JitPool {
    uint32_t threads;
    pthread_barrier_t barrier;
} JitPool;
typedef struct JitThread {
    void (*work)(void *, uint32_t, uint32_t);
    void *context;
    uint32_t index, threads;
} JitThread;

static inline void *jit_thread(void *context)
{
    JitThread *t = context;
    t->work(t->context, t->index, t->threads);
    return NULL;
}

static inline void jit_parallel(void *pool, void (*work)(void *, uint32_t, uint32_t), void *context)
{
    JitPool *p = pool;
    pthread_t id[16];
    JitThread t[16];
    for (uint32_t i = 0; i < p->threads; i++) {
        t[i] = (JitThread){work, context, i, p->threads};
        if (i && pthread_create(&id[i], NULL, jit_thread, &t[i]))
            jit_die("no thread");
    }
    jit_thread(&t[0]);
    for (uint32_t i = 1; i < p->threads; i++)
        pthread_join(id[i], NULL);
}

static inline void jit_barrier(void *pool) { pthread_barrier_wait(&((JitPool *)pool)->barrier); }

static inline uint32_t jit_threads(const void *pool, uint64_t nanoseconds)
{
    (void)nanoseconds;
    return ((const JitPool *)pool)->threads;
}

static inline void jit_optimize(Jit *j)
{
    char *why = NULL;
    if (!cg_optimize(j->mod, j->machine, &why))
        jit_die(why);
}

/* Optimises and links; the module is spent. Functions to be found must have external linkage. */
static inline void jit_link(Jit *j)
{
    jit_optimize(j);
    char *message = NULL;
    LLVMMemoryBufferRef object;
    if (LLVMTargetMachineEmitToMemoryBuffer(j->machine, j->mod, LLVMObjectFile, &message, &object))
        jit_die(message);
    jit_check(LLVMOrcCreateLLJIT(&j->jit, NULL));
    LLVMOrcJITDylibRef main_lib = LLVMOrcLLJITGetMainJITDylib(j->jit);
    const struct {
        const char *name;
        uintptr_t at;
    } known[] = {{"act_parallel", (uintptr_t)jit_parallel},
                 {"act_barrier", (uintptr_t)jit_barrier},
                 {"act_pool_share", (uintptr_t)jit_threads},
                 {"memcpy", (uintptr_t)memcpy},
                 {"memset", (uintptr_t)memset}};
    enum { N = sizeof known / sizeof *known };
    LLVMOrcCSymbolMapPair pair[N];
    for (int i = 0; i < N; i++)
        pair[i] = (LLVMOrcCSymbolMapPair){LLVMOrcLLJITMangleAndIntern(j->jit, known[i].name),
                                          {known[i].at, {LLVMJITSymbolGenericFlagsExported, 0}}};
    jit_check(LLVMOrcJITDylibDefine(main_lib, LLVMOrcAbsoluteSymbols(pair, N)));
    jit_check(LLVMOrcLLJITAddObjectFile(j->jit, main_lib, object));
}

static inline void *jit_find(Jit *j, const char *name)
{
    LLVMOrcExecutorAddress address = 0;
    jit_check(LLVMOrcLLJITLookup(j->jit, &address, name));
    return (void *)(uintptr_t)address;
}

/* Assembly of the optimised module, in the arena. */
static inline const char *jit_assembly(Jit *j)
{
    char *message = NULL;
    LLVMMemoryBufferRef text;
    if (LLVMTargetMachineEmitToMemoryBuffer(j->machine, j->mod, LLVMAssemblyFile, &message, &text))
        jit_die(message);
    Str copy = str_copy(j->arena, (Str){LLVMGetBufferStart(text), (uint32_t)LLVMGetBufferSize(text)});
    LLVMDisposeMemoryBuffer(text);
    return copy.p;
}

static inline void jit_end(Jit *j)
{
    cg_done(&j->cg);
    if (j->jit)
        jit_check(LLVMOrcDisposeLLJIT(j->jit));
    LLVMDisposeModule(j->mod);
    LLVMDisposeTargetMachine(j->machine);
    LLVMContextDispose(j->ctx);
    arena_free(j->arena);
}

typedef void (*JitRun)(CgCall *call);

/* The program's driver, ready to be called. */
static inline JitRun jit_program(Jit *j, const LoopProgram *p, uint32_t batch)
{
    LLVMSetLinkage(cg_program(&j->cg, p, batch, "test"), LLVMExternalLinkage);
    jit_link(j);
    return (JitRun)jit_find(j, "test.run");
}

#endif
