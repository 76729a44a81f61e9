/* The LLVM floor as the rest of the compiler sees it: choose a machine, turn a unit into bytes, or run it in place.
 *
 * Nothing in here needs <llvm-c/…>; everything that does stays in this folder. */
#ifndef ACT_LLVM_BACKEND_H
#define ACT_LLVM_BACKEND_H

#include "act/abi.h"
#include "kernel/unit.h"

/* ── the machine code is made for ── */
typedef struct Machine {
    Str triple;   /* normalised: "x86_64-unknown-linux-gnu" */
    Str cpu;      /* which instructions may be used, in LLVM's name: "x86-64-v4", "generic" */
    Str tune;     /* whose timings they are scheduled by: "znver4" */
    Str features; /* what the code needs, as act_cpu_has reads it; empty: what every machine of the triple has */
    const Target *target; /* lanes, registers, tiles */
    bool native;          /* this machine can run it */
} Machine;

/* An empty `triple` is this machine's; an empty `cpu` or "native" is the processor of this machine, or, with an
 * explicit triple, the baseline of that triple. NULL with a sentence in *why (and how to go on in *help) when LLVM or
 * actc knows neither. */
const Machine *machine_select(Arena *arena, Str triple, Str cpu, Str *why, Str *help);
/* Triples, processors and what each implies, one a line (`actc list targets`). */
void machine_list(Text *out);

/* ── code ── */
typedef enum BackendKind { BACKEND_OBJECT, BACKEND_ASM, BACKEND_IR, BACKEND_BITCODE } BackendKind;

typedef struct BackendOptions {
    const Machine *machine;
    int level;    /* -O0 … -O3 */
    bool debug;   /* -g: line numbers of the kernels */
    bool program; /* with a `main` that calls act_program_main (executables) */
    Str source;   /* the .act file, as the user wrote it */
} BackendOptions;

typedef struct BackendCode {
    Str bytes;        /* the object, or the text */
    VEC(Str) symbols; /* what it defines for others, in order: the index of an archive */
} BackendCode;

/* Same unit and options, same bytes. False with a sentence in *why when the machine refuses. */
bool backend_emit(Arena *arena, const Unit *unit, const BackendOptions *options, BackendKind kind, BackendCode *code,
                  Str *why);
/* A static library holding one object, with a symbol index; no clock and no owner in it. */
Str backend_archive(Arena *arena, Str member, const BackendCode *code);

/* ── running ── */
typedef struct BackendSymbol {
    const char *name;
    void (*address)(void);
} BackendSymbol;

typedef struct BackendRun BackendRun;
/* Emits the very object `backend_emit` does and links it into this process; `symbols` are what it may call
 * (runtime/core). The descriptors are in models[0..n), n as in the unit, and live until backend_run_end. NULL with a
 * sentence in *why. */
BackendRun *backend_run_jit(Arena *arena, const Unit *unit, const BackendOptions *options, const BackendSymbol *symbols,
                            unsigned n_symbol, const ActModel **models, Str *why);
void backend_run_end(BackendRun *run);

#endif
