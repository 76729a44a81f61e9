#include "element.h"

#include <string.h>

static const struct { unsigned char size, real; } table[ACT_ELEMENTS] = {
    [ACT_ELEMENT_F32] = { 4, 1 }, [ACT_ELEMENT_F64] = { 8, 1 }, [ACT_ELEMENT_U8] = { 1, 0 }, [ACT_ELEMENT_I8] = { 1, 0 },
    [ACT_ELEMENT_U16] = { 2, 0 }, [ACT_ELEMENT_I32] = { 4, 0 }, [ACT_ELEMENT_U32] = { 4, 0 }, [ACT_ELEMENT_I64] = { 8, 0 },
    [ACT_ELEMENT_I16_BIG] = { 2, 0 }, [ACT_ELEMENT_I32_BIG] = { 4, 0 }, [ACT_ELEMENT_F32_BIG] = { 4, 1 }, [ACT_ELEMENT_F64_BIG] = { 8, 1 },
};

size_t act_element_size(ActElement kind) { return table[kind].size; }
int act_element_is_real(ActElement kind) { return table[kind].real; }

static uint64_t big_endian(const unsigned char *at, uint32_t bytes)
{
    uint64_t x = 0;
    for (uint32_t i = 0; i < bytes; i++) x = x << 8 | at[i];
    return x;
}

#define AS(type)                                         \
    for (size_t i = 0; i < n; i++) {                     \
        type x;                                          \
        memcpy(&x, at + i * sizeof x, sizeof x);         \
        out[i] = (float)x;                               \
    }                                                    \
    break

/* the bits of a `type`, most significant byte first */
#define AS_BIG(type, bits)                                                     \
    for (size_t i = 0; i < n; i++) {                                           \
        bits word = (bits)big_endian(at + i * sizeof word, sizeof word);       \
        type x;                                                                \
        memcpy(&x, &word, sizeof x);                                           \
        out[i] = (float)x;                                                     \
    }                                                                          \
    break

void act_element_floats(ActElement kind, const unsigned char *at, size_t n, float *out)
{
    switch (kind) {
    case ACT_ELEMENT_F32: memcpy(out, at, n * 4); break;
    case ACT_ELEMENT_F64: AS(double);
    case ACT_ELEMENT_U8: AS(uint8_t);
    case ACT_ELEMENT_I8: AS(int8_t);
    case ACT_ELEMENT_U16: AS(uint16_t);
    case ACT_ELEMENT_I32: AS(int32_t);
    case ACT_ELEMENT_U32: AS(uint32_t);
    case ACT_ELEMENT_I64: AS(int64_t);
    case ACT_ELEMENT_I16_BIG: AS_BIG(int16_t, uint16_t);
    case ACT_ELEMENT_I32_BIG: AS_BIG(int32_t, uint32_t);
    case ACT_ELEMENT_F32_BIG: AS_BIG(float, uint32_t);
    case ACT_ELEMENT_F64_BIG: AS_BIG(double, uint64_t);
    case ACT_ELEMENTS: break;
    }
}
