/* Every field of the emitted descriptor, read through the C declarations of abi.h. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "llvm/tiny_unit.h"

#include <string.h>

static Arena *arena_of_all; /* the tests only read: one model serves all */
static BackendRun *run_of_all;

static void nothing(void) {}

static int setup(void **state)
{
    static const char *const name[] = {"act_cpu_has", "act_fill", "act_parallel", "act_barrier", "act_pool_share"};
    BackendSymbol symbol[5];
    for (int i = 0; i < 5; i++)
        symbol[i] = (BackendSymbol){name[i], nothing};
    Arena *arena = arena_new();
    Str why = {0}, help = {0};
    const Machine *machine = machine_select(arena, (Str){0}, (Str){0}, &why, &help);
    BackendOptions options = {.machine = machine, .level = 1, .source = STR("dir/tiny.act")};
    const ActModel *model = NULL;
    BackendRun *run = backend_run_jit(arena, tiny_unit(arena, machine->target), &options, symbol, 5, &model, &why);
    if (!run)
        fail_msg(STR_FMT, STR_ARG(why));
    arena_of_all = arena;
    run_of_all = run;
    *state = (void *)model;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    backend_run_end(run_of_all);
    arena_free(arena_of_all);
    return 0;
}

static void test_model(void **state)
{
    const ActModel *m = *state;
    assert_int_equal(m->abi, ACT_ABI_VERSION);
    assert_int_equal(m->batch, TINY_BATCH);
    assert_string_equal(m->name, "tiny");
    assert_string_equal(m->source, "dir/tiny.act");
    assert_string_equal(m->hash, "0123abcd");
    assert_non_null(strstr(m->target, "-linux"));
    assert_non_null(m->features);
    assert_int_equal(m->param_bytes, 128);
    assert_int_equal(m->state_bytes, 64);
    assert_int_equal(m->work_bytes, 64);
    assert_int_equal(m->n_input, 1);
    assert_int_equal(m->n_target, 1);
    assert_int_equal(m->n_output, 1);
    assert_int_equal(m->n_param, 2);
    assert_int_equal(m->n_state, 1);
    assert_int_equal(m->n_loss, 1);
    assert_int_equal(m->n_metric, 1);
    assert_int_equal(m->flops_forward, 2);
    assert_int_equal(m->flops_step, 5);
    assert_true(m->entry.bind && m->entry.init && m->entry.forward && m->entry.evaluate && m->entry.train_step &&
                m->entry.schedule);
}

static void test_ports(void **state)
{
    const ActModel *m = *state;
    const ActTensor *image = &m->input[0], *label = &m->target_value[0], *y = &m->output[0];
    assert_string_equal(image->name, "image");
    assert_string_equal(image->label, "f32[3] in [0, 255]");
    assert_int_equal(image->role, ACT_INPUT);
    assert_int_equal(image->type, ACT_F32);
    assert_int_equal(image->rank, 1);
    assert_int_equal(image->dim[0], 3);
    assert_int_equal(image->dim[1], 0);
    assert_int_equal(image->bytes, 12);
    assert_true(image->low == 0 && image->high == 255);
    assert_int_equal(label->role, ACT_TARGET);
    assert_int_equal(label->type, ACT_I32);
    assert_int_equal(label->rank, 0);
    assert_int_equal(label->classes, 2);
    assert_int_equal(label->bytes, 4);
    assert_string_equal(y->name, "y");
    assert_string_equal(y->label, "f32[2]");
    assert_int_equal(y->role, ACT_OUTPUT);
    assert_int_equal(y->line, 2);
    assert_true(y->low > y->high);
}

static void test_blocks(void **state)
{
    const ActModel *m = *state;
    const ActTensor *weight = &m->param[0], *mean = &m->param[1], *state_m = &m->state[0];
    assert_string_equal(weight->name, "fc.weight");
    assert_int_equal(weight->role, ACT_PARAM);
    assert_int_equal(weight->layout, ACT_PANELS);
    assert_int_equal(weight->panel, TINY_PANEL);
    assert_int_equal(weight->rank, 2);
    assert_int_equal(weight->dim[0], 3);
    assert_int_equal(weight->dim[1], 2);
    assert_int_equal(weight->file_axis[0], 1);
    assert_int_equal(weight->file_axis[1], 0);
    assert_int_equal(weight->flat_rank, 3);
    assert_int_equal(weight->flat[0], 3);
    assert_int_equal(weight->flat[2], 1);
    assert_int_equal(weight->bytes, 48);
    assert_true(weight->low > weight->high);
    assert_string_equal(mean->name, "image.mean");
    assert_int_equal(mean->role, ACT_CONSTANT);
    assert_int_equal(mean->offset, 64);
    assert_int_equal(mean->layout, ACT_ROWS);
    assert_string_equal(state_m->name, "fc.weight.m");
    assert_int_equal(state_m->role, ACT_STATE);
}

static void test_loss_and_metric(void **state)
{
    const ActModel *m = *state;
    assert_string_equal(m->loss[0].name, "fit");
    assert_true(m->loss[0].weight == 1);
    assert_int_equal(m->loss[0].mean, 1);
    assert_int_equal(m->loss[0].line, 2);
    assert_string_equal(m->metric[0].name, "top");
    assert_string_equal(m->metric[0].kind, "top_k");
    assert_int_equal(m->metric[0].target, 0);
    assert_true(m->metric[0].option == 5);
    assert_int_equal(m->metric[0].prediction.rank, 1);
    assert_int_equal(m->metric[0].prediction.dim[0], 2);
    assert_int_equal(m->metric[0].prediction.bytes, 8);
}

static void test_train(void **state)
{
    const ActTrain *t = ((const ActModel *)*state)->train;
    assert_non_null(t);
    assert_int_equal(t->epochs, 9);
    assert_int_equal(t->seed, 11);
    assert_int_equal(t->batch, TINY_BATCH);
    assert_string_equal(t->optimizer, "sgd(lr = 0.125)");
    assert_true(t->lr == 0.125);
    assert_int_equal(t->patience, 3);
    assert_int_equal(t->checkpoint_every, 2);
    assert_string_equal(t->start_from, "w.safetensors");
    assert_int_equal(t->checkpoint_steps, 0);
    assert_null(t->schedule);
    assert_string_equal(t->settings, "sgd(lr = 0.125)");
    assert_string_equal(t->recipe, "4567");
    const ActData *d = t->data;
    assert_string_equal(d->name, "numbers");
    assert_string_equal(d->base, "data/");
    assert_true(d->validation_split == 0.25);
    assert_int_equal(d->split_seed, 11);
    assert_int_equal(d->n_part, 1);
    assert_string_equal(d->part[0].name, "train");
    assert_int_equal(d->part[0].n_field, 1);
    const ActField *f = &d->part[0].field[0];
    assert_string_equal(f->name, "image");
    assert_string_equal(f->reader, "csv");
    assert_string_equal(f->path, "n.csv");
    assert_string_equal(f->columns, "1..3");
    assert_int_equal(f->n_transform, 1);
    assert_int_equal(f->transform[0].kind, ACT_T_AFFINE);
    assert_true(f->transform[0].a == 0.5 && f->transform[0].b == -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_model),           cmocka_unit_test(test_ports), cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_loss_and_metric), cmocka_unit_test(test_train),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
