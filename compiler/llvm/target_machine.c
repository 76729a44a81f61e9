/* Which instructions, and whose timings.
 *
 * A processor is reduced to a level: a set of features that code may use, all of which act_cpu_has can test when the
 * object is bound. What a processor has beyond its level is not used; whose pipeline it is only guides scheduling. So
 * an object made with
 * `--cpu native` on one machine is the same as one made by name on another. */
#include "llvm/target_machine.h"

#include <llvm-c/Core.h>
#include <llvm-c/Target.h>
#include <string.h>

typedef enum Arch { ARCH_X86, ARCH_ARM } Arch;

/* Best first within an architecture; the last row of each is its baseline. */
typedef struct MachineLevel {
    const char *name; /* LLVM's name for it as a processor */
    Arch arch;
    unsigned lanes, registers;
    const char *features; /* beyond the baseline */
} MachineLevel;

#define V2 "popcnt,sse3,sse4.1,sse4.2,ssse3"
#define V3 "avx,avx2,bmi,bmi2,f16c,fma,lzcnt,movbe," V2
#define V4 "avx512bw,avx512cd,avx512dq,avx512f,avx512vl," V3

// clang-format off
static const MachineLevel machine_level[] = {
    {"x86-64-v4", ARCH_X86, 16, 32, V4},
    {"x86-64-v3", ARCH_X86,  8, 16, V3},
    {"x86-64-v2", ARCH_X86,  4, 16, V2},
    {"x86-64",    ARCH_X86,  4, 16, ""},
    {"generic",   ARCH_ARM,  4, 32, ""},
};
enum { LEVEL_V4, LEVEL_V3, LEVEL_V2, LEVEL_X86, LEVEL_GENERIC, LEVEL_COUNT };

/* Processors by name. The levels themselves may be named too. */
static const struct { const char *name; int level; } machine_cpu[] = {
    {"nehalem",        LEVEL_V2}, {"westmere",       LEVEL_V2}, {"sandybridge",    LEVEL_V2}, {"ivybridge",   LEVEL_V2},
    {"silvermont",     LEVEL_V2}, {"haswell",        LEVEL_V3}, {"broadwell",      LEVEL_V3}, {"skylake",     LEVEL_V3},
    {"alderlake",      LEVEL_V3}, {"raptorlake",     LEVEL_V3}, {"meteorlake",     LEVEL_V3}, {"znver1",      LEVEL_V3},
    {"znver2",         LEVEL_V3}, {"znver3",         LEVEL_V3}, {"skylake-avx512", LEVEL_V4}, {"cascadelake", LEVEL_V4},
    {"icelake-client", LEVEL_V4}, {"icelake-server", LEVEL_V4}, {"tigerlake",      LEVEL_V4}, {"rocketlake",  LEVEL_V4},
    {"sapphirerapids", LEVEL_V4}, {"emeraldrapids",  LEVEL_V4}, {"graniterapids",  LEVEL_V4}, {"znver4",      LEVEL_V4},
    {"znver5",         LEVEL_V4},
    {"cortex-a53", LEVEL_GENERIC}, {"cortex-a55",  LEVEL_GENERIC}, {"cortex-a57",  LEVEL_GENERIC},
    {"cortex-a72", LEVEL_GENERIC}, {"cortex-a73",  LEVEL_GENERIC}, {"cortex-a76",  LEVEL_GENERIC},
    {"cortex-a78", LEVEL_GENERIC}, {"cortex-x1",   LEVEL_GENERIC}, {"neoverse-n1", LEVEL_GENERIC},
    {"neoverse-n2", LEVEL_GENERIC}, {"neoverse-v1", LEVEL_GENERIC}, {"neoverse-v2", LEVEL_GENERIC},
    {"apple-m1",   LEVEL_GENERIC}, {"a64fx",       LEVEL_GENERIC}, {"ampere1",     LEVEL_GENERIC},
};
// clang-format on
#define MACHINE_CPU_COUNT (sizeof machine_cpu / sizeof *machine_cpu)

static const char *const arch_name[] = {[ARCH_X86] = "x86_64", [ARCH_ARM] = "aarch64"};

/* The headers declare the initializers of every target LLVM has, but a library may be built without some: a weak
 * reference is NULL then. */
#define TARGET(NAME)                                                                                                   \
    extern void LLVMInitialize##NAME##TargetInfo(void) __attribute__((weak));                                          \
    extern void LLVMInitialize##NAME##Target(void) __attribute__((weak));                                              \
    extern void LLVMInitialize##NAME##TargetMC(void) __attribute__((weak));                                            \
    extern void LLVMInitialize##NAME##AsmPrinter(void) __attribute__((weak));                                          \
    static void init_##NAME(void)                                                                                      \
    {                                                                                                                  \
        if (!LLVMInitialize##NAME##TargetInfo || !LLVMInitialize##NAME##AsmPrinter)                                    \
            return;                                                                                                    \
        LLVMInitialize##NAME##TargetInfo();                                                                            \
        LLVMInitialize##NAME##Target();                                                                                \
        LLVMInitialize##NAME##TargetMC();                                                                              \
        LLVMInitialize##NAME##AsmPrinter();                                                                            \
    }
TARGET(X86)
TARGET(AArch64)
#undef TARGET

void target_machine_init(void)
{
    static bool done;
    if (done)
        return;
    done = true;
    init_X86();
    init_AArch64();
}

static Str take(Arena *arena, char *message)
{
    Str text = str_copy(arena, str_of(message));
    LLVMDisposeMessage(message);
    return text;
}

/* Is "+name" in LLVM's list "+sse2,-avx,…"? */
static bool host_has(Str list, Str name)
{
    for (uint32_t at = 0; at < list.n;) {
        uint32_t end = at;
        while (end < list.n && list.p[end] != ',')
            end++;
        if (list.p[at] == '+' && str_eq((Str){list.p + at + 1, end - at - 1}, name))
            return true;
        at = end + 1;
    }
    return false;
}

static bool host_has_all(Str list, const char *features)
{
    for (const char *at = features; *at;) {
        size_t n = strcspn(at, ",");
        if (!host_has(list, (Str){at, (uint32_t)n}))
            return false;
        at += n + (at[n] == ',');
    }
    return true;
}

/* The best level of the architecture that this machine has every feature of. */
static int host_level(Arena *arena, Arch arch)
{
    Str list = take(arena, LLVMGetHostCPUFeatures());
    int found = -1;
    for (int i = 0; i < LEVEL_COUNT && found < 0; i++)
        if (machine_level[i].arch == arch && host_has_all(list, machine_level[i].features))
            found = i;
    return found;
}

static bool triple_arch(Str triple, Arch *arch)
{
    uint32_t n = 0;
    while (n < triple.n && triple.p[n] != '-')
        n++;
    Str name = {triple.p, n};
    *arch = str_is(name, "x86_64") || str_is(name, "amd64") ? ARCH_X86 : ARCH_ARM;
    return *arch == ARCH_X86 || str_is(name, "aarch64") || str_is(name, "arm64");
}

static int baseline(Arch arch) { return arch == ARCH_X86 ? LEVEL_X86 : LEVEL_GENERIC; }

const char *target_machine_baseline(const Machine *machine)
{
    Arch arch;
    triple_arch(machine->triple, &arch);
    return machine_level[baseline(arch)].name;
}

/* The level of a processor by name; -1 with a sentence. */
static int named_level(Arena *arena, Arch arch, Str cpu, Str *why, Str *help)
{
    Str name[MACHINE_CPU_COUNT + LEVEL_COUNT];
    int level[MACHINE_CPU_COUNT + LEVEL_COUNT];
    unsigned n = 0;
    for (int i = 0; i < LEVEL_COUNT; i++)
        if (machine_level[i].arch == arch)
            name[n] = str_of(machine_level[i].name), level[n++] = i;
    for (unsigned i = 0; i < MACHINE_CPU_COUNT; i++)
        if (machine_level[machine_cpu[i].level].arch == arch)
            name[n] = str_of(machine_cpu[i].name), level[n++] = machine_cpu[i].level;
    for (unsigned i = 0; i < n; i++)
        if (str_eq(name[i], cpu))
            return level[i];
    *why = str_printf(arena, "unknown %s processor `" STR_FMT "`", arch_name[arch], STR_ARG(cpu));
    int near = str_nearest(cpu, name, n);
    *help = near >= 0 ? str_printf(arena, "did you mean `" STR_FMT "`?", STR_ARG(name[near]))
                      : STR("`actc list targets` lists the processors");
    return -1;
}

/* Objects of ours are ELF with 8-byte pointers: what abi.h and the archive are written for. */
static const char *triple_refused(const char *triple)
{
    static const char *const foreign[] = {"windows", "darwin", "macos", "ios", "uefi", "wasm", "gnux32", "ilp32"};
    for (unsigned i = 0; i < sizeof foreign / sizeof *foreign; i++)
        if (strstr(triple, foreign[i]))
            return foreign[i];
    return NULL;
}

const Machine *machine_select(Arena *arena, Str triple, Str cpu, Str *why, Str *help)
{
    target_machine_init();
    Str host = take(arena, LLVMGetDefaultTargetTriple());
    Str wanted = triple.n ? triple : host;
    Str full = take(arena, LLVMNormalizeTargetTriple(str_c(arena, wanted)));
    Arch arch, host_arch;
    *help = STR("`actc list targets` lists the targets");
    if (!triple_arch(full, &arch)) {
        *why = str_printf(arena, "no code generator for target `" STR_FMT "`", STR_ARG(wanted));
        return NULL;
    }
    const char *refused = triple_refused(full.p);
    if (refused) {
        *why =
            str_printf(arena, "target `" STR_FMT "` is not supported: actc writes 64-bit ELF objects", STR_ARG(wanted));
        return NULL;
    }
    LLVMTargetRef llvm_target;
    char *message = NULL;
    if (LLVMGetTargetFromTriple(full.p, &llvm_target, &message)) {
        LLVMDisposeMessage(message);
        *why = str_printf(arena, "this build of LLVM has no code generator for target `" STR_FMT "`", STR_ARG(wanted));
        return NULL;
    }
    bool same_arch = triple_arch(host, &host_arch) && host_arch == arch;
    int host_best = same_arch ? host_level(arena, arch) : -1;
    int level;
    Str tune = {0};
    if (str_is(cpu, "native") || (!cpu.n && !triple.n)) {
        if (host_best < 0) {
            *why = str_printf(arena, "`--cpu native` means this machine, which is no " STR_FMT, STR_ARG(full));
            return NULL;
        }
        level = host_best;
        tune = take(arena, LLVMGetHostCPUName());
    } else if (cpu.n) {
        level = named_level(arena, arch, cpu, why, help);
        if (level < 0)
            return NULL;
        tune = str_copy(arena, cpu);
    } else {
        level = baseline(arch);
        tune = STR("generic");
    }
    const MachineLevel *row = &machine_level[level];
    /* A level names instructions, not a pipeline. */
    bool is_level = str_is(tune, row->name);
    Machine *machine = arena_new_of(arena, Machine);
    *machine = (Machine){.triple = full,
                         .cpu = str_of(row->name),
                         .tune = is_level ? STR("generic") : tune,
                         .features = str_of(row->features),
                         .target = target_find(row->lanes, row->registers),
                         /* Levels of an architecture stand best first. */
                         .native = host_best >= 0 && host_best <= level};
    ACT_ASSERT(machine->target != NULL);
    *help = (Str){0};
    return machine;
}

LLVMTargetMachineRef target_machine_new(Arena *arena, const Machine *machine, int level, Str *why)
{
    target_machine_init();
    LLVMTargetRef target;
    char *message = NULL;
    if (LLVMGetTargetFromTriple(machine->triple.p, &target, &message)) {
        *why = take(arena, message);
        return NULL;
    }
    static const LLVMCodeGenOptLevel effort[] = {LLVMCodeGenLevelNone, LLVMCodeGenLevelLess, LLVMCodeGenLevelDefault,
                                                 LLVMCodeGenLevelAggressive};
    LLVMTargetMachineOptionsRef options = LLVMCreateTargetMachineOptions();
    LLVMTargetMachineOptionsSetCPU(options, machine->cpu.p);
    LLVMTargetMachineOptionsSetFeatures(options, "");
    LLVMTargetMachineOptionsSetCodeGenOptLevel(options, effort[level < 0 ? 0 : level > 3 ? 3 : level]);
    LLVMTargetMachineOptionsSetRelocMode(options, LLVMRelocPIC);
    LLVMTargetMachineRef made = LLVMCreateTargetMachineWithOptions(target, machine->triple.p, options);
    LLVMDisposeTargetMachineOptions(options);
    if (!made)
        *why = str_printf(arena, "LLVM makes no code for `" STR_FMT "`", STR_ARG(machine->triple));
    return made;
}

void machine_list(Text *out)
{
    target_machine_init();
    for (unsigned arch = ARCH_X86; arch <= ARCH_ARM; arch++) {
        Str triple = str_printf(out->arena, "%s-linux-gnu", arch_name[arch]);
        LLVMTargetRef target;
        char *message = NULL;
        if (LLVMGetTargetFromTriple(triple.p, &target, &message)) {
            LLVMDisposeMessage(message);
            continue;
        }
        text_printf(out, "%s--target " STR_FMT "\n", arch ? "\n" : "", STR_ARG(triple));
        for (int i = 0; i < LEVEL_COUNT; i++) {
            const MachineLevel *row = &machine_level[i];
            if (row->arch != (Arch)arch)
                continue;
            text_printf(out, "  --cpu %-16s %2u lanes, %u registers%s\n", row->name, row->lanes, row->registers,
                        i == baseline((Arch)arch) ? " (baseline)" : "");
            for (unsigned k = 0, column = 0; k < MACHINE_CPU_COUNT; k++) {
                if (machine_cpu[k].level != i)
                    continue;
                text_printf(out, column % 6 ? ", %s" : column ? ",\n        %s" : "        %s", machine_cpu[k].name);
                column++;
                bool more = false;
                for (unsigned j = k + 1; j < MACHINE_CPU_COUNT; j++)
                    more = more || machine_cpu[j].level == i;
                if (!more)
                    text_putc(out, '\n');
            }
        }
    }
}
