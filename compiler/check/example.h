/* The networks of which several rules show a wrong and a right form; what differs between them stands at the rule. */
#ifndef ACT_CHECK_EXAMPLE_H
#define ACT_CHECK_EXAMPLE_H

#define EXAMPLE_DIGITS(body)         \
    "model digits {\n"               \
    "    input  image : f32[64]\n"   \
    "    target label : class(10)\n" \
    body                             \
    "}\n"

#define EXAMPLE_HOUSE(body)    \
    "model house {\n"          \
    "    input  x : f32[12]\n" \
    "    target y : f32[1]\n"  \
    body                       \
    "}\n"
#define EXAMPLE_HOUSE_RUN(settings)                                          \
    EXAMPLE_HOUSE("    loss mse(x |> linear(32) |> relu |> linear(1), y)\n") \
    "train house {\n"                                                        \
    settings                                                                 \
    "}\n"

/* Small images through one convolution of 16 filters. */
#define EXAMPLE_CONV(arguments)                                    \
    "model digits {\n"                                             \
    "    input  image : f32[16, 16, 1]\n"                          \
    "    target label : class(10)\n"                               \
    "    h = image |> conv2d(16, " arguments ") |> relu\n"         \
    "    loss cross_entropy(h |> flatten |> linear(10), label)\n"  \
    "}\n"

/* Pictures, and the parts they are read from. */
#define EXAMPLE_PICTURES(parts)                                      \
    "model digits {\n"                                               \
    "    input  image : f32[28, 28, 1]\n"                            \
    "    target label : class(10)\n"                                 \
    "    z = image |> flatten |> linear(64) |> relu |> linear(10)\n" \
    "    loss cross_entropy(z, label)\n"                             \
    "}\n"                                                            \
    "data mnist {\n"                                                 \
    parts                                                            \
    "}\n"                                                            \
    "train digits {\n"                                               \
    "    data      mnist\n"                                          \
    "    optimizer adam\n"                                           \
    "}\n"

#endif
