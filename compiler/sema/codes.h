/* The hard errors of names, shapes, types and arguments: code, name, and the paragraph `actc explain` prints.
 *
 * They are certainties: no flag allows them, and a model that has one is neither checked further nor compiled. */
#ifndef ACT_SEMA_CODES_H
#define ACT_SEMA_CODES_H

#include "base/str.h"

// clang-format off
#define SEMA_CODES(X)                                                                                                  \
  X(101, shape_mismatch,                                                                                               \
    "Two shapes meet that do not fit: an operand of `+`, the width a layer was built for, the shape a name "           \
    "declares. Shapes are static here, so the mismatch would happen on every run. Axes are counted without the "       \
    "batch; arithmetic broadcasts as NumPy does: from the last axis, sizes must be equal or one of them 1.")           \
  X(102, missing_flatten,                                                                                              \
    "A linear layer works on the last axis and leaves the others alone. Applied to an image it runs once per "         \
    "pixel, and the image's height and width reach the loss, which wants one row of logits. `flatten` in front of "    \
    "the layer makes one row of all pixels.")                                                                          \
  X(103, reshape_count,                                                                                                \
    "`reshape` keeps every element: the product of the new sizes must be the number of elements of one row. One "      \
    "size may be -1: it is what the others leave.")                                                                    \
  X(104, residual_shape,                                                                                               \
    "A residual sum adds to a value what a branch made of it, number by number, so the branch has to come back with "  \
    "the shape it started from: end it in `linear(x.features)`. Where the width is meant to change, the skip changes " \
    "with it, by a projection: `(x |> linear(128)) + (x |> ... |> linear(128))`.")                                     \
  X(105, concat_axis,                                                                                                  \
    "`concat` joins values along one axis; along all others they must agree, and all must have the same number of "    \
    "axes.")                                                                                                           \
  X(106, target_shape,                                                                                                 \
    "Inside a loss nothing is ever broadcast. A prediction of shape [1] against a target of shape [] would "           \
    "silently become a table of every prediction against every target in many libraries, and train to the mean. "      \
    "Declare the target with the prediction's shape.")                                                                 \
  X(505, group_divisibility,                                                                                           \
    "A group norm takes a mean for each group of channels, a grouped convolution has filters of its own for each, and " \
    "all groups are equally large, so their number divides that of the channels and of the filters. For group norms, " \
    "32 groups, or 16 channels in each, are the original paper's choices.")                      \
  X(701, kernel_exceeds_input,                                                                                         \
    "A window that is larger than the image has no place in it, so nothing would come out. It happens at the end of "  \
    "a chain of strides and pools: each makes the image smaller, 32, 15, 7, 3, 1. `padding = same` keeps the size "    \
    "over the stride; or the network is too deep for its input.")                                                      \
  X(803, head_divisibility,                                                                                            \
    "The heads of attention share the features out among them in equal parts, and query heads share key-value heads "  \
    "in equal groups, so both divisions must come out exactly.")                                                       \
  X(808, embedding_range,                                                                                              \
    "An index says which row of a table is meant, so the table has a row for every index that the input's type allows, " \
    "and a padding is one of them. Left out, `classes` is what the type says: `token(65)` has 65.")                     \
  X(1204, cycle,                                                                                                       \
    "A definition needs its own result: a value, a parameter, a function or a block that leads back to itself. "       \
    "Order in the file does not matter, but there must be an order in which everything can be computed.")              \
  X(1205, duplicate_name,                                                                                              \
    "A name is defined once. A second definition would make it depend on the place which one is meant.")               \
  X(1206, unknown_name,                                                                                                \
    "Nothing is called so here: no value, definition, layer, argument or setting. Unknown keys are errors, never "     \
    "ignored: a misspelt setting that does nothing costs a training run.")                                             \
  X(1209, wrong_argument,                                                                                              \
    "An argument is of the wrong kind or outside its range: a list where a number is due, a probability of 2, one "    \
    "argument too many.")                                                                                              \
  X(1210, missing_argument,                                                                                            \
    "Something without a default was not given: the width of `linear`, the target of a loss, the data of an "          \
    "input.")                                                                                                          \
  X(1211, not_a_value,                                                                                                 \
    "A function, a word or a list stands where a value is due, or the other way round. `relu` alone is a "             \
    "function; `x |> relu` is a value.")                                                                               \
  X(1212, ambiguous_name,                                                                                              \
    "The place where a name stands decides what it means: `mean` is a layer behind `|>` and may be a value "           \
    "elsewhere. Here both readings fit, so one of the two needs another name.")                                        \
  X(1213, result_count,                                                                                                \
    "The number of names on the left is not the number of values on the right: `q, k, v = qkv |> split(3)`.")          \
  X(1214, unreadable_import,                                                                                           \
    "The file of an `import` can't be read. Paths are relative to the file that imports.")                             \
  X(1215, not_whole,                                                                                                   \
    "Sizes and counts are whole numbers: a division there must come out exactly, and the result must be finite. "      \
    "Rounding silently would build another network than the one written.")                                             \
  X(1216, too_large,                                                                                                   \
    "The network is larger than can be built: a tensor above 2^31 elements, a repetition above 10000, or "             \
    "definitions that multiply into millions of operations.")                                                          \
  X(1217, empty_model,                                                                                                 \
    "A model computes nothing: it has neither a loss nor an output.")                                                  \
  X(1218, not_supported,                                                                                               \
    "This is part of the language, but can't be compiled yet.")                                                        \
  X(1219, range_contradiction,                                                                                         \
    "The declared range of an input or target contradicts what the data pipeline delivers, or what is drawn. An 8-bit " \
    "file holds 0 to 255; `/ 255` makes it 0 to 1. Normal numbers can be of any size.")                                                                                \
  X(1220, not_a_loss,                                                                                                  \
    "A loss is one number over the whole batch. A value per row or per element has to be reduced: `mean(...)`, or "    \
    "a loss function.")
// clang-format on

typedef enum SemaCodeId {
#define X(number, name, doc) CODE_##name,
    SEMA_CODES(X)
#undef X
        SEMA_CODE_COUNT
} SemaCodeId;

typedef struct SemaCode {
    const char *code; /* "ACT101" */
    const char *name; /* "shape_mismatch" */
    const char *doc;
} SemaCode;

const SemaCode *sema_code_at(unsigned i);   /* i < SEMA_CODE_COUNT, ordered by code */
const SemaCode *sema_code_find(Str name);   /* by code or name; NULL: none */

#endif
