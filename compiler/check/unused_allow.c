/* ACT0001: an @allow that silences nothing. Reported by check_run itself, which knows what was used. */
#include "check/check.h"

ACT_CHECK(unused_allow) = {
    .code = "ACT0001",
    .name = "unused_allow",
    .group = "meta",
    .level = LEVEL_WARN,
    .summary = "an @allow that silences nothing",
    .doc =
        "An `@allow` is a promise that a known finding is intended. When the network changes and the finding goes "
        "away, the promise stays behind and would hide the next, unintended one. So an `@allow` that no longer "
        "covers a finding of its rule is reported, and so is one that names no rule, or a hard error, which cannot "
        "be allowed.",
    .wrong = "model small {\n"
             "    input  x : f32[4]\n"
             "    target y : f32[1]\n"
             "    @allow(softmax_hidden, reason = \"an experiment that ended\")\n"
             "    h = x |> linear(8) |> relu\n"
             "    loss mse(h |> linear(1), y)\n"
             "}\n",
    .right = "model small {\n"
             "    input  x : f32[4]\n"
             "    target y : f32[1]\n"
             "    h = x |> linear(8) |> relu\n"
             "    loss mse(h |> linear(1), y)\n"
             "}\n",
};
