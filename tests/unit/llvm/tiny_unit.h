/* A unit written by hand, for tests of the object side: one model `tiny`, batch 4.
 *
 *     forward     y[n, 2] = image[n, 0..1] + weight[0, 0..1]
 *     evaluate    loss[0] = n, prediction 0 = y
 *     train_step  weight[0, 0..1] -= lr_scale * step, loss[0] = the old weight[0, 0]
 *     schedule    now / total */
#ifndef ACT_TEST_TINY_UNIT_H
#define ACT_TEST_TINY_UNIT_H

#include "graph/nest.h"
#include "ops/build.h"
#include "llvm/backend.h"

enum { TINY_BATCH = 4, TINY_PANEL = 4 };

static inline Tensor tiny_tensor(const char *name, Role role, Type type, uint64_t offset, uint64_t bytes)
{
    Tensor t = {.name = str_of(name),
                .role = role,
                .type = type,
                .low = 1,
                .high = -1,
                .offset = offset,
                .bytes = bytes,
                .trainable = true};
    for (uint32_t i = 0; i < type.rank; i++)
        t.file_axis[i] = i;
    return t;
}

static inline Graph *tiny_graph(Arena *arena, SxPool *sx)
{
    Graph *g = graph_new(arena, sx, STR("tiny"), TINY_BATCH);
    Tensor image = tiny_tensor("image", ROLE_INPUT, type_make(DT_F32, true, 1, (uint32_t[]){3}), 0, 0);
    image.label = STR("f32[3] in [0, 255]");
    image.low = 0;
    image.high = 255;
    Tensor label = tiny_tensor("label", ROLE_TARGET, type_make(DT_I32, true, 0, NULL), 0, 0);
    label.label = STR("class(2)");
    label.classes = 2;
    Tensor weight = tiny_tensor("fc.weight", ROLE_PARAM, type_make(DT_F32, false, 2, (uint32_t[]){3, 2}), 0, 48);
    weight.layout = LAYOUT_PANELS;
    weight.panel = TINY_PANEL;
    weight.file_axis[0] = 1;
    weight.file_axis[1] = 0;
    weight.flat_rank = 3;
    weight.flat[0] = 3, weight.flat[1] = 1, weight.flat[2] = 1;
    weight.fill = (Fill){FILL_UNIFORM, -0.5, 0.25};
    Tensor mean = tiny_tensor("image.mean", ROLE_CONSTANT, type_make(DT_F32, false, 1, (uint32_t[]){3}), 64, 12);
    mean.fill = (Fill){FILL_CONSTANT, 7, 0};
    Tensor m = tiny_tensor("fc.weight.m", ROLE_STATE, type_make(DT_F32, false, 2, (uint32_t[]){3, 2}), 0, 48);
    m.layout = LAYOUT_PANELS;
    m.panel = TINY_PANEL;
    m.of = 3;
    m.fill = (Fill){FILL_CONSTANT, 1.5, 0};
    graph_tensor_add(g, &image);
    graph_tensor_add(g, &label);
    graph_tensor_add(g, &weight);
    graph_tensor_add(g, &mean);
    graph_tensor_add(g, &m);
    return g;
}

/* for rows: for 2 lanes: to[row, lane] = image[row, lane] + weight[lane] */
static inline void tiny_sum(Nest *b, uint32_t to)
{
    uint32_t image = nest_buf(b, "image", BUF_INPUT, 0, TINY_BATCH * 3),
             weight = nest_buf(b, "fc.weight", BUF_PARAM, 0, 12);
    Sx sum = sx_add(b->program.sx, nest_load(b, image, at3(0, 3, 1, 0)), nest_load(b, weight, at3(0, 0, 1, 0)));
    LoopStmt *lane = nest_for(b, FIXED(2), LOOP_VECTOR, nest_store(b, to, at3(0, 2, 1, 0), sum));
    nest_split(nest_kernel(b, "sum", nest_for(b, ROWS, LOOP_SERIAL, lane)), ROWS, true);
}

static inline Nest *tiny_program(Arena *arena, SxPool *sx, const char *name)
{
    Nest *b = arena_new_of(arena, Nest);
    nest_start(b, arena);
    b->program.sx = sx;
    b->program.name = str_of(name);
    return b;
}

static inline LoopProgram *tiny_forward(Arena *arena, SxPool *sx)
{
    Nest *b = tiny_program(arena, sx, "forward");
    tiny_sum(b, nest_buf(b, "y", BUF_OUTPUT, 0, TINY_BATCH * 2));
    return &b->program;
}

static inline LoopProgram *tiny_evaluate(Arena *arena, SxPool *sx)
{
    Nest *b = tiny_program(arena, sx, "evaluate");
    tiny_sum(b, nest_buf(b, "prediction", BUF_PREDICTION, 0, TINY_BATCH * 2));
    uint32_t loss = nest_buf(b, "loss", BUF_LOSS, 0, 1);
    *vec_push(arena, &b->program.uniforms) = sx_arg(sx, 2);
    Sx rows = nest_arg(b, (LoopArg){.kind = LARG_UNIFORM, .index = 0});
    nest_kernel(b, "loss", nest_for(b, FIXED(1), LOOP_SERIAL, nest_store(b, loss, at3(0, 0, 0, 0), rows)));
    return &b->program;
}

static inline LoopProgram *tiny_train_step(Arena *arena, SxPool *sx)
{
    Nest *b = tiny_program(arena, sx, "train_step");
    uint32_t weight = nest_buf(b, "fc.weight", BUF_PARAM, 0, 12), loss = nest_buf(b, "loss", BUF_LOSS, 0, 1);
    nest_kernel(b, "loss",
                nest_for(b, FIXED(1), LOOP_SERIAL,
                         nest_store(b, loss, at3(0, 0, 0, 0), nest_load(b, weight, at3(0, 0, 0, 0)))));
    *vec_push(arena, &b->program.uniforms) = sx_mul(sx, sx_arg(sx, 0), sx_arg(sx, 1));
    Sx step = nest_arg(b, (LoopArg){.kind = LARG_UNIFORM, .index = 0});
    Sx value = sx_sub(sx, nest_load(b, weight, at3(0, 1, 0, 0)), step);
    nest_kernel(b, "update", nest_for(b, FIXED(2), LOOP_VECTOR, nest_store(b, weight, at3(0, 1, 0, 0), value)));
    return &b->program;
}

static inline TrainUse *tiny_train(Arena *arena)
{
    DataUse *data = arena_new_of(arena, DataUse);
    *data = (DataUse){.name = STR("numbers"), .base = STR("data/"), .validation_split = 0.25};
    PartUse *part = vec_push(arena, &data->parts);
    part->name = STR("train");
    FieldUse *field = vec_push(arena, &part->fields);
    *field = (FieldUse){
        .name = STR("image"), .reader = STR("csv"), .path = STR("n.csv"), .columns = STR("1..3"), .tensor = 1};
    *vec_push(arena, &field->transforms) = (TransformUse){ACT_T_AFFINE, 0.5, -1, {0}};
    OptimizerUse *sgd = arena_new_of(arena, OptimizerUse);
    *sgd = (OptimizerUse){.name = STR("sgd"), .text = STR("sgd(lr = 0.125)"), .lr = 0.125};
    TrainUse *train = arena_new_of(arena, TrainUse);
    *train = (TrainUse){.data = data,
                        .epochs = 9,
                        .seed = 11,
                        .patience = 3,
                        .checkpoint_every = 2,
                        .batch = TINY_BATCH,
                        .start_from = STR("w.safetensors")};
    *vec_push(arena, &train->optimizers) = sgd;
    return train;
}

static inline Unit *tiny_unit(Arena *arena, const Target *target)
{
    SxPool *sx = sx_pool_new(arena);
    Sources *sources = arena_new_of(arena, Sources);
    sources->arena = arena;
    const Source *source = source_add(sources, STR("tiny.act"), STR("model tiny {\n  loss …\n}\n"), false);
    Span second = {source->id, 15, 19};

    Model *model = arena_new_of(arena, Model);
    *model = (Model){.arena = arena, .name = STR("tiny"), .graph = tiny_graph(arena, sx), .train = tiny_train(arena)};
    NodeId image = build_tensor(model->graph, 0), y = build_slice(model->graph, image, 0, 0, 2);
    graph_root_add(model->graph, ROOT_OUTPUT, y, 0, STR("y"));
    graph_root_add(model->graph, ROOT_LOSS, build_number(model->graph, 0), 0, STR("fit"));
    *vec_push(arena, &model->outputs) = (OutputUse){STR("y"), second, y};
    *vec_push(arena, &model->losses) = (LossCall){.fn = STR("mse"), .statement = second, .loss = 0, .mean = true};
    *vec_push(arena, &model->metrics) = (MetricUse){STR("top"), STR("top_k"), second, y, 2, 5};

    Program *program = arena_new_of(arena, Program);
    *program = (Program){.arena = arena, .sources = sources, .sx = sx};
    *vec_push(arena, &program->models) = model;

    Unit *unit = arena_new_of(arena, Unit);
    *unit = (Unit){.arena = arena, .program = program, .target = target};
    *vec_push(arena, &unit->models) = (UnitModel){.model = model,
                                                  .graph = model->graph,
                                                  .forward = tiny_forward(arena, sx),
                                                  .evaluate = tiny_evaluate(arena, sx),
                                                  .train_step = tiny_train_step(arena, sx),
                                                  .schedule = sx_div(sx, sx_arg(sx, 0), sx_arg(sx, 1)),
                                                  .batch = TINY_BATCH,
                                                  .param_bytes = 128,
                                                  .state_bytes = 64,
                                                  .work_bytes = 64,
                                                  .flops_forward = 2,
                                                  .flops_step = 5,
                                                  .hash = STR("0123abcd"),
                                                  .recipe = STR("4567")};
    return unit;
}

#endif
