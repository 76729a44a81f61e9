/* ACT390: thirteen units. */
#include "check/context.h"

static void unlucky_width(CheckContext *cx)
{
    for (uint32_t i = 0; i < cx->g->tensors.n; i++) {
        const Tensor *tensor = &cx->g->tensors.at[i];
        if (!tensor->weight || tensor->type.rank != 2 || tensor->fan_out != 13)
            continue;
        Diag *diag = check_report(cx, LEVEL_WARN, tensor->span, "a layer of thirteen units");
        check_spot_tensor(cx, i);
        diag_help(diag, "take twelve, or fourteen");
    }
}

ACT_CHECK(unlucky_width) = {
    .code = "ACT390",
    .name = "unlucky_width",
    .group = "hidden",
    .level = LEVEL_WARN,
    .summary = "a layer of thirteen units",
    .doc = "Thirteen is one more than twelve.",
    .wrong = "model m {\n    input  x : f32[4]\n    target y : f32[1]\n    z = x |> linear(13) |> relu |> linear(1)\n    loss mse(z, y)\n}\n",
    .right = "model m {\n    input  x : f32[4]\n    target y : f32[1]\n    z = x |> linear(12) |> relu |> linear(1)\n    loss mse(z, y)\n}\n",
    .run = unlucky_width,
};
