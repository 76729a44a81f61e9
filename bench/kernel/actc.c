#include "kernel.h"

#include "act/act.h"
#include "kernel/lower.h"
#include "llvm/backend.h"
#include "ops/build.h"
#include "ops/layer.h"
#include "ops/registry.h"
#include "pass/pass.h"

#include <string.h>

/* What a generated object may call: act/abi.h's last section. */
static const BackendSymbol symbols[] = {
    {"act_parallel", (void (*)(void))act_parallel},
    {"act_barrier", (void (*)(void))act_barrier},
    {"act_pool_share", (void (*)(void))act_pool_share},
    {"act_cpu_has", (void (*)(void))act_cpu_has},
    {"act_fill", (void (*)(void))act_fill},
};

typedef struct Own {
    ActInstance all, instance;
    const ActModel *model[2]; /* the graph; its last kernel, which is timed */
    const void *input[2];
    void *output[1];
    size_t rows, cols;
} Own;

/* ── from the text of a graph to a bound model ── */

static uint64_t place(Graph *g)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < g->tensors.n; i++) {
        Tensor *t = &g->tensors.at[i];
        if (t->role == ROLE_INPUT) continue;
        uint64_t cols = type_last(&t->type), rows = type_elements(&t->type) / cols;
        if (t->layout == LAYOUT_PANELS) cols = (cols + t->panel - 1) / t->panel * t->panel;
        t->offset = bytes;
        t->bytes = 4 * rows * cols;
        bytes += (t->bytes + ACT_ALIGN - 1) / ACT_ALIGN * ACT_ALIGN;
    }
    return bytes;
}

static LoopProgram *nothing(Arena *arena, SxPool *sx, const char *name)
{
    LoopProgram *p = arena_new_of(arena, LoopProgram);
    p->sx = sx;
    p->name = str_of(name);
    return p;
}

/* A model has an output; one whose graph changes a parameter instead says that it is its first input, in the graph that describes it;
 * nothing is written there. */
static Model *model_of(Arena *arena, Str name, Graph *source)
{
    Model *model = arena_new_of(arena, Model);
    *model = (Model){.arena = arena, .name = name, .graph = source};
    if (source->roots.at[0].kind != ROOT_OUTPUT) graph_root_add(source, ROOT_OUTPUT, 1, 0, STR("c"));
    NodeId value = source->roots.at[source->roots.n - 1].node;
    *vec_push(arena, &model->outputs) = (OutputUse){.name = STR("c"), .value = value};
    return model;
}

/* Two models over the same memory, whose forward functions are all of the graph, and its last kernel alone. */
static Unit *unit_of(Arena *arena, Graph *all, Graph *last, Graph *given, const Target *target)
{
    Model *model[] = {model_of(arena, STR("all"), all), model_of(arena, STR("last"), last)};
    PassState state = {.arena = arena, .model = model[0], .target = target, .g = given};
    pass_run(&state, pipeline_inference, &(PassOptions){.verify = true});
    uint64_t param = place(state.g);
    Program *program = arena_new_of(arena, Program);
    *program = (Program){.arena = arena, .sx = given->sx};
    program->sources = arena_new_of(arena, Sources);
    program->sources->arena = arena;
    Unit *unit = arena_new_of(arena, Unit);
    *unit = (Unit){.arena = arena, .program = program, .target = target};
    for (unsigned i = 0; i < 2; i++) {
        LoopProgram *forward = lower_plan(arena, state.plan, target, model[i]->name), *none = nothing(arena, given->sx, "none");
        forward->kernels.at += i * (forward->kernels.n - 1);
        forward->kernels.n = i ? 1 : forward->kernels.n;
        if (i) forward->kernels.at->strip = forward->kernels.at->strip_back = 0; /* the kernels it took turns with are not there */
        *vec_push(arena, &program->models) = model[i];
        *vec_push(arena, &unit->models) = (UnitModel){.model = model[i], .graph = state.g, .forward = forward, .evaluate = none,
            .train_step = none, .batch = given->batch, .param_bytes = param, .work_bytes = forward->work_bytes, .hash = STR("0")};
    }
    return unit;
}

/* The arena and the code live as long as the process. */
static Own *own_of(const char *text, size_t rows, size_t cols, const char **why)
{
    Arena *arena = arena_new();
    Str reason = {0}, help = {0};
    const Machine *machine = machine_select(arena, (Str){0}, (Str){0}, &reason, &help);
    SxPool *sx = sx_pool_new(arena);
    Graph *graph[3] = {0};
    for (unsigned i = 0; i < 3 && machine; i++) {
        graph[i] = graph_read(arena, sx, str_of(text), op_find, &reason);
        if (!graph[i]) machine = NULL;
    }
    BackendRun *run = NULL;
    Own *own = arena_new_of(arena, Own);
    *own = (Own){.rows = rows, .cols = cols, .output = {kernel_memory(4 * rows * cols)}};
    if (machine) {
        BackendOptions options = {.machine = machine, .level = 2, .source = STR("kernel.act")};
        run = backend_run_jit(arena, unit_of(arena, graph[0], graph[1], graph[2], machine->target), &options, symbols,
                              sizeof symbols / sizeof *symbols, own->model, &reason);
    }
    *why = str_c(arena, reason);
    if (!run) return NULL;
    const ActModel *model = own->model[0];
    ActMemory memory = {kernel_memory(model->param_bytes), model->param_bytes, kernel_memory(model->state_bytes), model->state_bytes,
                        kernel_memory(model->work_bytes), model->work_bytes};
    *why = "its models cannot be bound";
    bool bound = model->entry.bind(&own->all, &memory) == ACT_OK && own->model[1]->entry.bind(&own->instance, &memory) == ACT_OK;
    return bound ? own : NULL;
}

/* ── what is run ── */

static void run_forward(void *context)
{
    Own *own = context;
    own->model[1]->entry.forward(&own->instance, own->input, own->model[1]->batch, own->output);
}

/* Everything before the last kernel, once. */
static void prepare(Own *own) { own->model[0]->entry.forward(&own->all, own->input, own->model[0]->batch, own->output); }

static float from_output(const void *context, size_t row, size_t col)
{
    const Own *own = context;
    return ((const float *)own->output[0])[row * own->cols + col];
}

static size_t tensor_rows(const ActTensor *t)
{
    size_t n = 1;
    for (uint32_t i = 0; i + 1 < t->rank; i++) n *= t->dim[i];
    return n;
}

static size_t index_in(const ActTensor *t, size_t row, size_t col)
{
    if (t->layout != ACT_PANELS) return row * t->dim[t->rank - 1] + col;
    return (col / t->panel * tensor_rows(t) + row) * t->panel + col % t->panel;
}

static float from_param(const void *context, size_t row, size_t col)
{
    const Own *own = context;
    const ActTensor *t = own->model[1]->param;
    return ((const float *)(const void *)((const char *)own->instance.param + t->offset))[index_in(t, row, col)];
}

/* The weights of a layer with few outputs lie the other way round, as in compiler/ops/layer_linear.c. */
static bool narrow(const Product *p) { return p->out < LAYER_NARROW && p->out < p->in; }

static float from_turned(const void *context, size_t row, size_t col) { return from_param(context, col, row); }

static void set_weight(Own *own, const Product *p)
{
    const ActTensor *t = own->model[1]->param;
    float *to = (float *)(void *)((char *)own->instance.param + t->offset);
    bool turned = p->direction == INPUT_GRADIENT || narrow(p);
    for (size_t r = 0; r < t->dim[0]; r++)
        for (size_t c = 0; c < t->dim[1]; c++)
            to[index_in(t, r, c)] = turned ? p->b[c * p->out + r] : p->b[r * p->out + c];
}

static float *negated(const float *x, size_t n)
{
    float *y = kernel_memory(4 * n);
    for (size_t i = 0; y && i < n; i++) y[i] = -x[i];
    return y;
}

/* What is no weight is the negative of an input: a value of an earlier kernel, as between two layers, with its rows laid out as for any
 * such value. */
bool actc_product(const Product *p, Kernel *out, const char **why)
{
    Arena *arena = arena_new();
    size_t rows = product_rows(p), cols = product_cols(p), depth = product_depth(p);
    bool weight = p->direction == WEIGHT_GRADIENT, turned = narrow(p) && p->direction != INPUT_GRADIENT;
    Str text = weight ? str_printf(arena, "graph k batch %zu\n"
                                          "tensor \"a\" input f32[B, %zu]\n"
                                          "tensor \"b\" input f32[B, %zu]\n"
                                          "tensor \"c\" param f32[%zu, %zu]\n"
                                          "%%1 = tensor {tensor = \"a\"}\n"
                                          "%%2 = tensor {tensor = \"b\"}\n"
                                          "%%3 = map %%1 {fn = (neg a0)}\n"
                                          "%%4 = map %%2 {fn = (neg a0)}\n"
                                          "%%5 = contract %%%c, %%%c {form = %d}\n"
                                          "update 2 \"c\" %%5\n", p->batch, p->in, p->out, turned ? cols : rows,
                                          turned ? rows : cols, turned ? '4' : '3', turned ? '3' : '4', CONTRACT_TN)
                      : str_printf(arena, "graph k batch %zu\n"
                                          "tensor \"a\" input f32[B, %zu]\n"
                                          "tensor \"b\" param f32[%zu, %zu]\n"
                                          "%%1 = tensor {tensor = \"a\"}\n"
                                          "%%2 = tensor {tensor = \"b\"}\n"
                                          "%%3 = map %%1 {fn = (neg a0)}\n"
                                          "%%4 = contract %%3, %%2 {form = %d}\n"
                                          "output 0 \"c\" %%4\n", p->batch, depth, turned ? cols : depth,
                                          turned ? depth : cols, turned ? CONTRACT_NT : CONTRACT_NN);
    Own *own = own_of(text.p, rows, cols, why);
    if (!own) return false;
    own->input[0] = negated(p->a, p->batch * (p->direction == INPUT_GRADIENT ? p->out : p->in));
    own->input[1] = weight ? negated(p->b, p->batch * p->out) : NULL;
    if (!weight) set_weight(own, p);
    prepare(own);
    *out = (Kernel){own, run_forward, !weight ? from_output : turned ? from_turned : from_param};
    return true;
}

/* As layers and gradients write it before the passes. */
static Str conv_text(Arena *arena, const Convolution *p)
{
    size_t n = p->size, c = p->channels;
    Str head = str_printf(arena, "graph k batch %zu\n"
                                 "tensor \"a\" input f32[B, %zu, %zu, %zu]\n", p->batch, n, n, c);
    Str window = str_of("%5 = pad %4 {axis = 0, before = 1, after = 1}\n"
                        "%6 = pad %5 {axis = 1, before = 1, after = 1}\n"
                        "%7 = window %6 {kernel = [3, 3], stride = [1, 1], dilation = [1, 1]}\n");
    Str first = str_of("%1 = tensor {tensor = \"a\"}\n"
                       "%2 = tensor {tensor = \"b\"}\n"
                       "%4 = map %1 {fn = (neg a0)}\n");
    if (p->direction == FORWARD)
        return str_printf(arena, STR_FMT "tensor \"b\" param f32[3, 3, %zu, %zu]\n" STR_FMT STR_FMT
                                 "%%8 = contract %%7, %%2 {form = %d, depth = 3}\n"
                                 "output 0 \"c\" %%8\n", STR_ARG(head), c, c, STR_ARG(first), STR_ARG(window), CONTRACT_NN);
    if (p->direction == INPUT_GRADIENT)
        return str_printf(arena, STR_FMT "tensor \"b\" param f32[3, 3, %zu, %zu]\n" STR_FMT
                                 "%%5 = contract %%4, %%2 {form = %d, depth = 3}\n"
                                 "%%6 = overlap_add %%5 {kernel = [3, 3], stride = [1, 1], dilation = [1, 1], size = [%zu, %zu]}\n"
                                 "%%7 = slice %%6 {axis = 1, start = 1, stop = %zu}\n"
                                 "%%8 = slice %%7 {axis = 0, start = 1, stop = %zu}\n"
                                 "output 0 \"c\" %%8\n", STR_ARG(head), c, c, STR_ARG(first), CONTRACT_NT, n + 2, n + 2, n + 1, n + 1);
    return str_printf(arena, STR_FMT "tensor \"b\" input f32[B, %zu, %zu, %zu]\n"
                             "tensor \"c\" param f32[3, 3, %zu, %zu]\n" STR_FMT STR_FMT
                             "%%8 = map %%2 {fn = (neg a0)}\n"
                             "%%9 = contract %%7, %%8 {form = %d, depth = 3}\n"
                             "update 2 \"c\" %%9\n", STR_ARG(head), n, n, c, c, c, STR_ARG(first), STR_ARG(window), CONTRACT_TN);
}

bool actc_convolution(const Convolution *p, Kernel *out, const char **why)
{
    bool weight = p->direction == WEIGHT_GRADIENT;
    size_t all = p->batch * p->size * p->size * p->channels;
    Own *own = own_of(conv_text(arena_new(), p).p, conv_rows(p), p->channels, why);
    if (!own) return false;
    own->input[0] = negated(p->a, all);
    own->input[1] = weight ? negated(p->b, all) : NULL;
    const ActTensor *t = own->model[1]->param;
    float *to = (float *)(void *)((char *)own->instance.param + t->offset);
    for (size_t r = 0; !weight && r < tensor_rows(t); r++)
        for (size_t c = 0; c < p->channels; c++) to[index_in(t, r, c)] = p->b[r * p->channels + c];
    prepare(own);
    *out = (Kernel){own, run_forward, weight ? from_param : from_output};
    return true;
}

bool actc_function(const char *f, const float *a, size_t n, Kernel *out, const char **why)
{
    Arena *arena = arena_new();
    Str text = str_printf(arena, "graph k batch 1\n"
                                 "tensor \"a\" input f32[B, %zu]\n"
                                 "%%1 = tensor {tensor = \"a\"}\n"
                                 "%%2 = map %%1 {fn = %s}\n"
                                 "output 0 \"c\" %%2\n", n, f);
    Own *own = own_of(text.p, 1, n, why);
    if (!own) return false;
    own->input[0] = a;
    *out = (Kernel){own, run_forward, from_output};
    return true;
}

const char *actc_name(void)
{
    Arena *arena = arena_new();
    Str reason = {0}, help = {0};
    const Machine *machine = machine_select(arena, (Str){0}, (Str){0}, &reason, &help);
    return machine ? str_c(arena, str_printf(arena, "actc for " STR_FMT, STR_ARG(machine->cpu))) : "actc";
}
