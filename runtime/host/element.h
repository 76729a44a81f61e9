/* Numbers as data files hold them. */
#ifndef ACT_HOST_ELEMENT_H
#define ACT_HOST_ELEMENT_H

#include <stddef.h>
#include <stdint.h>

typedef enum ActElement {     /* _BIG: the most significant byte first; the others as this machine has them */
    ACT_ELEMENT_F32, ACT_ELEMENT_F64, ACT_ELEMENT_U8, ACT_ELEMENT_I8, ACT_ELEMENT_U16, ACT_ELEMENT_I32, ACT_ELEMENT_U32,
    ACT_ELEMENT_I64, ACT_ELEMENT_I16_BIG, ACT_ELEMENT_I32_BIG, ACT_ELEMENT_F32_BIG, ACT_ELEMENT_F64_BIG,
    ACT_ELEMENTS
} ActElement;

size_t act_element_size(ActElement kind);
/* May one be NaN or infinite? */
int act_element_is_real(ActElement kind);
/* n numbers, which may lie anywhere, as floats. */
void act_element_floats(ActElement kind, const unsigned char *at, size_t n, float *out);

#endif
