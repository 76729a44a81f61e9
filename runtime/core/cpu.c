/* Does this machine have what an object was compiled for? Names are LLVM's. */
#include "act/abi.h"

#include <string.h>

#if defined(__x86_64__) || defined(__i386__)
/* Features that change which instructions are legal. LLVM's lists also hold names that only tune (prefer-256-bit,
 * slow-…) or that no kernel of ours uses; those are not here and count as present. */
#define FEATURES(X) \
    X("sse") X("sse2") X("sse3") X("ssse3") X("sse4.1") X("sse4.2") X("popcnt") X("avx") X("avx2") X("fma") \
    X("bmi") X("bmi2") X("f16c") X("lzcnt") X("movbe") X("avx512f") X("avx512cd") X("avx512bw") X("avx512dq") \
    X("avx512vl") X("avx512ifma") X("avx512vbmi") X("avx512vbmi2") X("avx512vnni") X("avx512bitalg") \
    X("avx512vpopcntdq") X("avx512bf16") X("avxvnni")

static int lacks(const char *name, size_t length)
{
#define ROW(text) \
    if (length == sizeof text - 1 && memcmp(name, text, length) == 0) return !__builtin_cpu_supports(text);
    FEATURES(ROW)
#undef ROW
    return 0;
}

static void prepare(void) { __builtin_cpu_init(); }

#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>

static int lacks(const char *name, size_t length)
{
    static const struct { const char *name; unsigned long bit; } feature[] = {
        { "fp-armv8", 1ul << 0 }, { "neon", 1ul << 1 }, { "fullfp16", 1ul << 9 },
        { "dotprod", 1ul << 20 }, { "sve", 1ul << 22 },
    };
    for (size_t i = 0; i < sizeof feature / sizeof *feature; i++)
        if (strlen(feature[i].name) == length && memcmp(name, feature[i].name, length) == 0)
            return !(getauxval(AT_HWCAP) & feature[i].bit);
    return 0;
}

static void prepare(void) {}

#else
static int lacks(const char *name, size_t length)
{
    (void)name, (void)length;
    return 0;
}

static void prepare(void) {}
#endif

int act_cpu_has(const char *features)
{
    if (!features) return 1;
    prepare();
    for (const char *at = features; *at;) {
        size_t length = strcspn(at, ",");
        const char *name = at;
        size_t n = length;
        int unwanted = n > 0 && *name == '-';
        if (n > 0 && (*name == '+' || *name == '-')) name++, n--;
        if (n > 0 && !unwanted && lacks(name, n)) return 0;
        at += length + (at[length] == ',');
    }
    return 1;
}
