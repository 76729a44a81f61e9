/* Code generation: loop programs and scalar expressions become LLVM IR here, and only this floor includes <llvm-c/…>.
 *
 * One Cg serves one module. The object side (module, descriptor, entry points, files, JIT) creates the context, the
 * module and the target machine, sets triple and data layout, then calls cg_init(); cg_program() once for each loop
 * program; cg_optimize() on the finished module. Nothing here sets fast-math flags: the order of arithmetic is the
 * program's. */
#ifndef ACT_LLVM_CG_H
#define ACT_LLVM_CG_H

#include "base/target.h"
#include "graph/loop.h"

#include <llvm-c/Core.h>
#include <llvm-c/TargetMachine.h>

/* ── a call ──
 * What `prefix.run` takes: one structure on the caller's stack, laid out as in C (Cg.call_type). Entry points fill every
 * field but `uniform`, which run() fills. Pointers a program has no buffer for may be NULL. Rows are n; forward goes
 * through more rows than the batch in chunks of at most `batch`. */
typedef struct CgCall {
    void *param, *state, *work; /* blocks of ActInstance, aligned to ACT_ALIGN */
    void *pool;                 /* ActPool *; NULL: one thread */
    const void *const *input;
    const void *const *target;
    void *const *output;
    void *const *prediction;
    float *loss;
    uint64_t n;    /* 1 ≤ n ≤ batch */
    uint64_t step; /* of ActStep; 0, 1.0 and 0 where there is no step */
    double lr_scale;
    uint64_t seed;
    uint64_t first; /* sample number of row 0, for what is drawn */
    float *uniform; /* scratch of run() */
} CgCall;

typedef enum CgCallField {
    CALL_PARAM,
    CALL_STATE,
    CALL_WORK,
    CALL_POOL,
    CALL_INPUT,
    CALL_TARGET,
    CALL_OUTPUT,
    CALL_PREDICTION,
    CALL_LOSS,
    CALL_N,
    CALL_STEP,
    CALL_LR_SCALE,
    CALL_SEED,
    CALL_FIRST,
    CALL_UNIFORM,
    CALL_FIELDS
} CgCallField;

typedef struct CgMicro CgMicro; /* a micro-kernel already in the module */

typedef struct Cg {
    Arena *arena;
    const Target *target;
    unsigned lanes; /* floats in a vector register */
    bool fma;
    LLVMContextRef ctx;
    LLVMModuleRef mod;
    LLVMBuilderRef b;
    LLVMTypeRef void_t, i1, i8, i32, i64, f32, f64, ptr;
    LLVMTypeRef call_type; /* struct of CgCall's fields */
    unsigned md_alias_scope, md_noalias, md_loop;
    VEC(CgMicro *) micro;
    bool by_line; /* -g: a function serves kernels or products of one place in the source, so that samples name a line */
} Cg;

/* ── for the object side ── */

/* `c` is zeroed and filled; module and context stay the caller's. cg_done() disposes of the builder. */
void cg_init(Cg *c, Arena *arena, LLVMContextRef ctx, LLVMModuleRef mod, const Target *target);
void cg_done(Cg *c);

/* Emits all kernels of `p` (internal functions "prefix.kernelname"), the worker
 *     internal void prefix.work(ptr call, i32 thread, i32 threads)
 * and the driver
 *     internal void prefix.run(ptr call)
 * which computes the uniforms and calls work(call, 0, 1) directly when the pool is NULL or act_pool_share says so of the time that the
 * n rows are predicted to take, and act_parallel(pool, work, call) otherwise. Returns run. `p` has passed loop_verify(p, batch). */
LLVMValueRef cg_program(Cg *c, const LoopProgram *p, uint32_t batch, const char *symbol_prefix);

/* internal double name(double a0, …, double a[n_args - 1]): the expression in double, without any call to a library.
 * exp, log, sin, cos and what is built on them are good to about 1e-15 relative (sin and cos for |x| < 2^30). */
LLVMValueRef cg_scalar_function(Cg *c, SxPool *pool, Sx x, unsigned n_args, const char *name);

/* The functions of runtime/core that generated code calls, declared on first use. */
LLVMValueRef cg_runtime(Cg *c, const char *name); /* "act_parallel", "act_barrier", "act_pool_share" */
/* Calls a function by its own type. */
LLVMValueRef cg_call(Cg *c, LLVMValueRef function, LLVMValueRef *args, unsigned n);
/* A new function with the attributes every function of ours has (nounwind, vector width); the builder stands in its
 * entry block. */
LLVMValueRef cg_function(Cg *c, const char *name, LLVMTypeRef result, const LLVMTypeRef *params, unsigned n,
                         bool internal);
/* Address of / value of a field of CgCall behind `call`. */
LLVMValueRef cg_call_field(Cg *c, LLVMValueRef call, CgCallField field);
LLVMValueRef cg_call_load(Cg *c, LLVMValueRef call, CgCallField field);

/* The explicit light pipeline (no vectoriser, no unroller, no inliner). false and a sentence in *why (free() it).
 * Verifies first. */
bool cg_optimize(LLVMModuleRef mod, LLVMTargetMachineRef machine, char **why);

#endif
