#include "base/target.h"

// clang-format off
/* Widest first among rows that a machine could run. Without a fused multiply-add the product needs a register of its
 * own, so the plain x86-64 tile is smaller. */
static const Target target_row[] = {
    /* name        lanes regs rows vectors  l1         l2           fma    flops a cycle */
    {"x86-64-v4",  16,   32,  12,  2,       32 << 10,  1024 << 10,  true,  32},
    {"x86-64-v3",   8,   16,   6,  2,       32 << 10,   512 << 10,  true,  32},
    {"aarch64",     4,   32,   8,  3,       32 << 10,   512 << 10,  true,  16},
    {"x86-64",      4,   16,   4,  2,       32 << 10,   512 << 10,  false, 16},
};
// clang-format on

const Target *target_find(unsigned lanes, unsigned registers)
{
    for (unsigned i = 0; i < target_count(); i++)
        if (target_row[i].lanes <= lanes && target_row[i].registers <= registers)
            return &target_row[i];
    return NULL;
}

unsigned target_count(void)
{
    return sizeof target_row / sizeof *target_row;
}

const Target *target_at(unsigned i)
{
    return i < target_count() ? &target_row[i] : NULL;
}
