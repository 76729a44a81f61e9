/* The contract between generated objects, the runtime and the compiler: plain structures, nothing else.
 *
 * A generated object holds, for each model M of the file, the functions the header M.h declares and one `const ActModel
 * M_model` that describes it. It owns no memory and calls nothing but the functions at the end of this file (and memcpy,
 * memset), and those only when a pool with more than one thread, or an initializer, is in play.
 *
 * Sizes are in bytes, offsets in bytes from the start of the block they belong to, shapes without the batch. */
#ifndef ACT_ABI_H
#define ACT_ABI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ACT_ABI_VERSION 3
#define ACT_MAX_RANK 6
#define ACT_ALIGN 64

typedef enum ActStatus {
    ACT_OK = 0,
    ACT_E_ARGUMENT,  /* a NULL that must not be, n of 0, n above the batch in a training step */
    ACT_E_MEMORY,    /* a block too small or not aligned to ACT_ALIGN; no memory left */
    ACT_E_CPU,       /* the object was built for a processor feature this machine lacks */
    ACT_E_VERSION,   /* object and runtime disagree about ACT_ABI_VERSION */
    ACT_E_IO,        /* a file can't be read or written */
    ACT_E_FORMAT,    /* a file is not what it should be */
    ACT_E_DATA,      /* data that does not fit the model: shape, label out of range, not a number */
    ACT_E_NONFINITE, /* training produced NaN or infinity */
    ACT_E_STOPPED    /* the user stopped it */
} ActStatus;

typedef enum ActType { ACT_F32, ACT_I32 } ActType;

typedef enum ActRole {
    ACT_INPUT, ACT_TARGET, ACT_OUTPUT,
    ACT_PARAM,     /* trained */
    ACT_CONSTANT,  /* in the parameter block, not trained (a measured normalize, a frozen weight) */
    ACT_STATE      /* of the optimizer */
} ActRole;

/* How a tensor's elements lie in its block.
 * ROWS: dense, last axis fastest. PANELS: a matrix [rows][cols] as ceil(cols / panel) panels, each [rows][panel], zero beyond
 * `cols`: element (r, c) stands at ((c / panel) * rows + r) * panel + c % panel. */
typedef enum ActLayout { ACT_ROWS, ACT_PANELS } ActLayout;

/* One tensor. `dim` is the shape inside actc: a linear layer's weight is [in][out]. Files hold the canonical shape,
 * PyTorch's: dim permuted by `file_axis` (file axis i is inside axis file_axis[i]), for a linear weight {1, 0}. Behind a flattened
 * image, the inside `in` axis runs over (height, width, channels) and PyTorch's over (channels, height, width):
 * flat_rank = 3 and flat = {h, w, c} say so, and element ((y * w + x) * c + k) of the inside axis 0 is ((k * h + y) * w + x) in the file. */
typedef struct ActTensor {
    const char *name;        /* "linear1.weight"; optimizer state: "linear1.weight.m" */
    const char *label;       /* for people: "class(10)", "f32[28, 28, 1] in [0, 1]" */
    ActRole role;
    ActType type;
    ActLayout layout;
    uint32_t rank;
    uint32_t dim[ACT_MAX_RANK];
    uint32_t file_axis[ACT_MAX_RANK];
    uint32_t flat_rank;
    uint32_t flat[ACT_MAX_RANK];
    uint32_t panel;          /* PANELS: width of a panel, in elements */
    uint64_t offset;         /* in the parameter or state block */
    uint64_t bytes;          /* in the block, padding included */
    uint32_t classes;        /* class and token tensors: values are below this; binary: 2; else 0 */
    float low, high;         /* the declared or known range; low > high when none is known */
    uint32_t line;           /* of the source, 0 unknown */
    uint32_t unread;         /* an input: 1 when no output needs it; forward takes NULL for it */
    int32_t ignored;         /* a class target: where ignores is 1, this value counts neither for the loss nor for metrics; it may */
    uint32_t ignores;        /* lie outside the classes */
} ActTensor;

/* What a training step needs beside the data. */
typedef struct ActStep {
    uint64_t step;     /* from 1 */
    double lr_scale;   /* multiplies every optimizer's lr: the schedule's value, 1 without one */
    uint64_t seed;     /* of the random numbers drawn in the step */
} ActStep;

typedef struct ActPool ActPool;

/* The caller's memory, each block aligned to ACT_ALIGN. */
typedef struct ActMemory {
    void *param; size_t param_bytes;
    void *state; size_t state_bytes;
    void *work;  size_t work_bytes;
} ActMemory;

/* A bound model. The header's `struct M` is exactly this. */
typedef struct ActInstance {
    const struct ActModel *model;
    void *param, *state, *work;
    ActPool *pool;     /* NULL: one thread */
    /* What forward and evaluate draw, where a model draws (`input noise : f32[64] = normal(0, 1)`): row r of a call gets the numbers of
     * row first + r of this seed, whatever n, batch or threads are. bind sets both to 0; add n to `first` to go on. */
    uint64_t seed, first;
} ActInstance;

/* Pointers in the order of ActModel.input / .target / .output / .metric. Inputs and targets are dense [n][shape]. */
typedef struct ActEntries {
    ActStatus (*bind)(ActInstance *m, const ActMemory *memory);
    ActStatus (*init)(ActInstance *m, uint64_t seed);
    ActStatus (*forward)(const ActInstance *m, const void *const *input, size_t n, void *const *output);
    /* The model in inference mode on n <= batch rows, with its loss: loss[i] is the value of loss i over these rows (reduced as
     * declared), prediction[i] receives metric i's prediction, dense [n][shape]. */
    ActStatus (*evaluate)(const ActInstance *m, const void *const *input, const void *const *target, size_t n,
                          float *loss, void *const *prediction);
    /* One training step on n <= batch rows; loss[i] as it was before the update. */
    ActStatus (*train_step)(const ActInstance *m, const ActStep *step, const void *const *input,
                            const void *const *target, size_t n, float *loss);
    double (*schedule)(double step, double total); /* the lr scale; NULL: 1 */
} ActEntries;

typedef struct ActLoss { const char *name; float weight; uint32_t mean; /* 1: a mean over rows; 0: a sum */ uint32_t line; } ActLoss;

typedef struct ActMetric {
    const char *name;      /* as shown: "accuracy", or the name given */
    const char *kind;      /* "accuracy", "mse", "mae", "r2" … */
    ActTensor prediction;
    uint32_t target;       /* index into ActModel.target */
    double option;         /* top_k's k; 0 otherwise */
} ActMetric;

/* A data pipeline, as a list of steps per value: source, then arithmetic in order. */
typedef enum ActSourceKind { ACT_SOURCE_READER, ACT_SOURCE_SAME /* as in train, from the same file */ } ActSourceKind;
typedef enum ActTransformKind {
    ACT_T_AFFINE,     /* x * a + b */
    ACT_T_NORMALIZE,  /* measured on the training part: (x - mean) / std per feature (last axis) */
    ACT_T_STANDARD,   /* (x - a) / b, given numbers */
    ACT_T_ONE_HOT,    /* class index to a vector of a values */
    ACT_T_SHIFT       /* the value a positions later along axis 0 */
} ActTransformKind;
typedef struct ActTransform { uint32_t kind; double a, b; uint32_t line; } ActTransform;
typedef struct ActField { /* one value of a part: image = idx("…") / 255 */
    const char *name;      /* of the input or target */
    const char *reader;    /* "idx", "csv", "npy" … : a file in runtime/host/readers/ */
    const char *path;      /* relative to ActData.base, then to --data */
    const char *columns;   /* csv: "1..4" or a header name; "" for all */
    const ActTransform *transform; uint32_t n_transform;
    uint32_t line;
} ActField;
typedef struct ActPart { const char *name; /* train, validation, test */ const ActField *field; uint32_t n_field; } ActPart;
typedef struct ActData {
    const char *name, *base; /* base: the directory of the .act file */
    const ActPart *part; uint32_t n_part;
    double validation_split; /* validation = split(0.1); 0 when there is none */
    uint64_t split_seed;
    uint32_t flip, crop;     /* augment flip, crop(4): images of the training part only; crop 0: none */
} ActData;

/* The `train` block. */
typedef struct ActTrain {
    const ActData *data;      /* NULL: the caller brings it */
    uint64_t epochs, seed;
    uint32_t batch;
    const char *optimizer;    /* for people: "adamw(lr = 0.001)", "adam() for g, sgd() for d" */
    double lr;                /* base rate of the first group, for the log */
    uint64_t patience;        /* stop early(patience); 0: never */
    uint64_t checkpoint_every;/* epochs; 0: not by epochs */
    const char *start_from;   /* a safetensors file, NULL when none */
    uint64_t checkpoint_steps;/* checkpoint every N steps; 0: not by steps */
    const char *schedule;     /* for people: "cosine(warmup = 200)"; NULL when none */
    const char *settings;     /* every number a step goes by: "sgd(lr = 0.1, momentum = 0.9) for g; clip norm(1); accumulate 4" */
    const char *recipe;       /* hex: hash of the formulas of optimizers and schedule with these numbers in them */
    uint32_t average_ema;     /* 1: a step keeps "linear1.weight.average" of every parameter in the optimizer's state, to be used instead */
    uint32_t average_last;    /* the mean of the weights at the ends of so many epochs is to be used; 0: no such mean */
    uint32_t accumulate;      /* weights change in steps whose number is a multiple of this; 0 and 1: in all */
} ActTrain;

/* ── the monitor (actc --monitor, or `monitor` in the train block): a second program of the training step, with the same results to the
 * last bit, that measures on the way ── */

/* What it measures of a point: z is the value in front of an activation a (or of a layer without one). */
typedef enum ActWatchStat {
    /* one number for every row of the batch */
    ACT_WATCH_SUM,                /* of z */
    ACT_WATCH_SQUARES,
    ACT_WATCH_GREATEST,           /* max |z| */
    ACT_WATCH_ZEROS,              /* how many a are 0 */
    ACT_WATCH_SATURATED,          /* how many z lie where the slope is below a hundredth of the greatest */
    ACT_WATCH_GRADIENT,           /* sum of squares of the gradient of the loss with respect to z */
    ACT_WATCH_GRADIENT_GREATEST,
    /* one number for every unit: an element of the last axis */
    ACT_WATCH_ACTIVE,             /* for how many rows (and places) the slope is not 0 */
    ACT_WATCH_STATS
} ActWatchStat;

#define ACT_WATCH_BINS 32
#define ACT_WATCH_NONE 0xffffffffu

typedef struct ActWatchPoint {
    const char *layer, *kind;     /* "linear1", "linear" */
    const char *function;         /* "relu"; "" where no activation follows */
    uint32_t line, function_line; /* of the source */
    uint32_t weight;              /* 1 + index into ActModel.param of its weights; 0: none */
    uint32_t units;               /* length of the last axis */
    uint64_t values;              /* of one row */
    uint32_t stat[ACT_WATCH_STATS]; /* which array gets it; ACT_WATCH_NONE: it is not measured */
    uint32_t bins;                /* BINS - 1 arrays from here on, one number a row: how many z lie below the end of bin i */
    double low, high;             /* of the histogram; what lies outside is in its first and last bin */
    /* what the checker predicts for the first steps; NaN: nothing */
    double deviation;             /* of z */
    double gradient;              /* norm with respect to z, against that of the output layer */
    double dead, saturated;       /* fractions of units */
    double update;                /* first change of the weights, against their size */
} ActWatchPoint;

typedef struct ActWarning {       /* of the checker, for the end of the run to say whether it came true */
    const char *code, *name, *message; /* "ACT304", "vanishing_gradient" */
    uint32_t line;
} ActWarning;

typedef struct ActWatch {
    const ActWatchPoint *point; uint32_t n_point;
    uint32_t n_array;
    const ActWarning *warning; uint32_t n_warning;
    uint64_t every;               /* steps between two measurements, as the block says */
    uint32_t first, last;         /* 1 + points: the first layer with weights and the output layer; 0: not known */
    double ratio, ratio_low, ratio_high; /* of the gradients' norms at these two, as predicted; NaN */
    double loss;                  /* before training, as predicted; NaN */
    double clip_norm;             /* of the train block; 0: none */
    uint32_t clip;                /* the array of one number: the square of the gradient's norm before it is clipped; ACT_WATCH_NONE */
    uint32_t window;              /* a unit that is off for fewer rows is not called dead */
    /* ActEntries.train_step, with an array of n or of `units` floats for each of n_array numbers */
    ActStatus (*step)(const ActInstance *m, const ActStep *step, const void *const *input, const void *const *target, size_t n,
                      float *loss, void *const *array);
} ActWatch;

typedef struct ActModel {
    uint32_t abi;             /* ACT_ABI_VERSION */
    uint32_t batch;
    const char *name, *source, *hash; /* hash: hex, of the model's canonical text */
    const char *target, *features;    /* "x86_64-…", needed processor features "avx512f,fma,…" (act_cpu_has) */
    uint64_t param_bytes, state_bytes, work_bytes;
    const ActTensor *input, *target_value, *output, *param, *state;
    const ActTensor *drawn;   /* inputs that the model draws itself; no function asks for them */
    uint32_t n_input, n_target, n_output, n_param, n_state, n_drawn;
    const ActLoss *loss;      uint32_t n_loss;
    const ActMetric *metric;  uint32_t n_metric;
    const ActTrain *train;    /* NULL when the file has no train block for this model */
    ActEntries entry;
    uint64_t flops_forward, flops_step; /* of one row */
    const ActWatch *watch;    /* NULL: compiled without the monitor */
} ActModel;

/* ── runtime/core: all that generated code may call ── */

/* Runs work(context, thread, threads) on every thread of the pool at once and returns when all are done.
 * A NULL pool is one thread; generated code does not even make the call then. */
typedef void (*ActWork)(void *context, uint32_t thread, uint32_t threads);
void act_parallel(ActPool *pool, ActWork work, void *context);
/* Waits inside `work` until every thread of the pool has arrived. Memory written before is visible after. */
void act_barrier(ActPool *pool);
uint32_t act_pool_threads(const ActPool *pool);
/* On how many threads to run what takes one thread about so long between two places where all meet (the beginning, a barrier, the end):
 * all of the pool's, or 1 where meeting would take longer than sharing saves. */
uint32_t act_pool_share(const ActPool *pool, uint64_t nanoseconds);
/* Does this machine have every feature of the comma-separated list (LLVM's names)? */
int act_cpu_has(const char *features);

/* How an initializer fills a tensor. Element e (in file order, PyTorch's) of the tensor draws from Philox4x32-10 with counter
 * (stream, step 0, sample 0, element e), key = seed, so that values do not depend on layout, panel width or threads. */
typedef enum ActFillKind { ACT_FILL_CONSTANT, ACT_FILL_NORMAL, ACT_FILL_UNIFORM, ACT_FILL_TRUNCATED_NORMAL, ACT_FILL_ORTHOGONAL } ActFillKind;
typedef struct ActFill {
    uint32_t kind;
    uint32_t stream;  /* number of the parameter in the model */
    double a, b;      /* constant a (b = 1 … 4: in that quarter of the elements, in file order, and 0 elsewhere); normal mean a deviation b; uniform [a, b); truncated at two deviations; orthogonal gain a */
} ActFill;
/* Fills the tensor in its physical layout inside `block`; padding is zeroed. */
ActStatus act_fill(const ActTensor *tensor, void *block, const ActFill *fill, uint64_t seed);

#ifdef __cplusplus
}
#endif
#endif
