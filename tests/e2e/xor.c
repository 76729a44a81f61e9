/* Trains and uses a compiled model with nothing but its header, its object and the runtime's core. */
#include "xor.h"

#include <stdio.h>

static _Alignas(XOR_ALIGN) unsigned char param[XOR_PARAM_BYTES], state[XOR_STATE_BYTES], work[XOR_WORK_BYTES];

int main(void)
{
    static const float x[4][2] = {{0, 0}, {0, 1}, {1, 0}, {1, 1}};
    static const float y[4] = {0, 1, 1, 0};
    xor_instance m; /* `xor` is an operator in C++ */
    const xor_memory memory = {param, sizeof param, state, sizeof state, work, sizeof work};
    float loss = 0, p[4];
    if (xor_bind(&m, &memory) || xor_init(&m, 1))
        return 1;
    for (ActStep step = {1, 1.0, 1}; step.step <= 500; step.step++)
        if (xor_train_step(&m, &step, x[0], y, 4, &loss))
            return 2;
    if (xor_forward(&m, x[0], 4, p))
        return 3;
    printf("loss %.4f: %.2f %.2f %.2f %.2f\n", (double)loss, (double)p[0], (double)p[1], (double)p[2], (double)p[3]);
    return !(loss < 0.05f && p[0] < 0.1f && p[1] > 0.9f && p[2] > 0.9f && p[3] < 0.1f);
}
