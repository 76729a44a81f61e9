/* Optimizer updates against numbers computed by hand, step by step, and what becomes of their states and groups. */
#include "sema/harness.h"

#include <math.h>

#define MODEL "model m {\n input x : f32[3]\n target y : f32[2]\n loss mse(x |> linear(2), y)\n}\n"

static TrainUse *train(Run *run) { return run_model(run)->train; }

/* One step: updates in order, each over the values as they are. value[0] is w, value[1 + i] state i. */
static void step(const Program *program, const OptimizerUse *use, double *value, double g, double number, double scale)
{
    for (uint32_t i = 0; i < use->update.n; i++) {
        double args[64] = {value[0], g};
        uint32_t n = use->state.n;
        for (uint32_t k = 0; k < n; k++)
            args[2 + k] = value[1 + k];
        args[2 + n] = number;
        args[3 + n] = scale;
        value[use->update.at[i].target] = sx_eval(program->sx, use->update.at[i].value, args);
    }
}

static const double gradients[4] = {0.5, -1.25, 2, 0.125};

static void sgd_with_everything(void **state)
{
    (void)state;
    Run *run =
        run_text(MODEL "train m { optimizer sgd(lr = 0.1, momentum = 0.9, nesterov = true, weight_decay = 0.01) }\n");
    const OptimizerUse *use = train(run)->optimizers.at[0];
    assert_int_equal(use->state.n, 1);
    assert_true(str_is(use->state.at[0], "velocity"));
    assert_true(use->lr == 0.1 && use->weight_decay == 0.01);
    double value[2] = {1.5, 0}, w = 1.5, v = 0;
    for (int t = 1; t <= 4; t++) {
        double g = gradients[t - 1], scale = 1.0 / t, slope = g + 0.01 * w;
        v = 0.9 * v + slope;
        w = w - 0.1 * scale * (slope + 0.9 * v);
        step(run->program, use, value, g, t, scale);
        assert_true(fabs(value[0] - w) < 1e-14 && fabs(value[1] - v) < 1e-14);
    }
    run_end(run);
}

static void plain_sgd_has_no_state(void **state)
{
    (void)state;
    Run *run = run_text(MODEL "train m { optimizer sgd(0.5) }\n");
    const OptimizerUse *use = train(run)->optimizers.at[0];
    assert_int_equal(use->state.n, 0);
    assert_int_equal(use->update.n, 1);
    double value[1] = {1};
    step(run->program, use, value, 0.25, 1, 1);
    assert_true(value[0] == 0.875);
    run_end(run);
}

static void adam_and_adamw(void **state)
{
    (void)state;
    for (int decoupled = 0; decoupled < 2; decoupled++) {
        Run *run = run_text(decoupled ? MODEL "train m { optimizer adamw(lr = 0.01, weight_decay = 0.1) }\n"
                                      : MODEL "train m { optimizer adam(lr = 0.01, weight_decay = 0.1) }\n");
        const OptimizerUse *use = train(run)->optimizers.at[0];
        assert_int_equal(use->state.n, 2);
        double value[3] = {0.75, 0, 0}, w = 0.75, m = 0, v = 0;
        for (int t = 1; t <= 4; t++) {
            double g = gradients[t - 1], slope = decoupled ? g : g + 0.1 * w;
            m = 0.9 * m + 0.1 * slope;
            v = 0.999 * v + 0.001 * slope * slope;
            if (decoupled)
                w = (1 - 0.01 * 0.1) * w;
            w = w - 0.01 * (m / (1 - pow(0.9, t))) / (sqrt(v / (1 - pow(0.999, t))) + 1e-8);
            step(run->program, use, value, g, t, 1);
            assert_true(fabs(value[0] - w) < 1e-12 && fabs(value[1] - m) < 1e-12 && fabs(value[2] - v) < 1e-12);
        }
        run_end(run);
    }
}

/* A local made of a state's old value and used after the state has moved is kept beside it. */
static void old_values_are_kept(void **state)
{
    (void)state;
    Run *run = run_text("optimizer own(w, g, lr = 0.1) {\n state m = 2\n before = w\n old = m\n m = m / 2 + g\n"
                        " w = w - lr * (old + m)\n m = m + before\n}\n" MODEL "train m { optimizer own }\n");
    const OptimizerUse *use = train(run)->optimizers.at[0];
    double value[5] = {1, 0}, w = 1, m = 2;
    assert_true(use->state.n >= 1 && use->state.n <= 3);
    for (uint32_t i = 0; i < use->state.n; i++)
        value[1 + i] = use->state_init.at[i];
    assert_true(str_is(use->state.at[0], "m"));
    for (int t = 1; t <= 4; t++) {
        double g = gradients[t - 1], before = w, old = m;
        m = m / 2 + g;
        w = w - 0.1 * (old + m);
        m = m + before;
        step(run->program, use, value, g, t, 1);
        assert_true(fabs(value[0] - w) < 1e-14 && fabs(value[1] - m) < 1e-14);
    }
    run_end(run);
}

static void decay_on_matrices(void **state)
{
    (void)state;
    Run *run = run_text(
        MODEL "train m { optimizer sgd(lr = 0.1, weight_decay = 0.5, momentum = 0.9, decay_on = matrices) }\n");
    const OptimizerUse *use = train(run)->optimizers.at[0];
    assert_true(use->decay_matrices_only);
    assert_int_equal(use->update_plain.n, use->update.n);
    double args[64] = {2, 1, 0, 1, 1};
    assert_true(fabs(sx_eval(run->program->sx, use->update.at[0].value, args) - 2) < 1e-14); /* 1 + 0.5 * 2 */
    assert_true(fabs(sx_eval(run->program->sx, use->update_plain.at[0].value, args) - 1) < 1e-14);
    run_end(run);
}

static void groups_come_last(void **state)
{
    (void)state;
    Run *run = run_text("model m {\n input x : f32[3]\n target y : f32[2]\n share g = linear(3)\n"
                        " loss mse(x |> g |> linear(2) as head, y)\n}\n"
                        "train m {\n optimizer adam for g\n optimizer sgd(0.5)\n optimizer rmsprop for head\n}\n");
    TrainUse *use = train(run);
    assert_int_equal(use->optimizers.n, 3);
    assert_true(str_is(use->optimizers.at[0]->name, "sgd") && use->optimizers.at[0]->group.n == 0);
    assert_true(str_is(use->optimizers.at[1]->name, "adam") && str_is(use->optimizers.at[1]->group.at[0], "g"));
    assert_true(str_is(use->optimizers.at[2]->name, "rmsprop"));
    run_end(run);
    expect_planted(
        "model m {\n input x : f32[3]\n output x |> linear(2)\n}\ntrain m { optimizer adam for «ACT1206|linaer1» }\n");
    expect_planted(MODEL "train m {\n optimizer adam\n «ACT1205|optimizer» sgd\n}\n");
}

static double schedule_at(const Run *run, const TrainUse *use, double now, double total)
{
    double args[2] = {now, total};
    return sx_eval(run->program->sx, use->schedule, args);
}

static void schedules(void **state)
{
    (void)state;
    Run *run = run_text(MODEL "train m { schedule cosine(warmup = 10) }\n");
    const TrainUse *use = train(run);
    assert_true(fabs(schedule_at(run, use, 5, 110) - 0.5) < 1e-12);
    assert_true(fabs(schedule_at(run, use, 11, 110) - 1) < 1e-12);
    assert_true(fabs(schedule_at(run, use, 61, 110) - 0.5) < 1e-12);
    assert_true(str_is(use->schedule_text, "cosine(warmup = 10)"));
    run_end(run);
    run = run_text(MODEL "train m { schedule step(100, 0.5) }\n");
    assert_true(schedule_at(run, train(run), 100, 1e3) == 1 && schedule_at(run, train(run), 101, 1e3) == 0.5);
    run_end(run);
    run = run_text(MODEL "train m { epochs 2 }\n");
    assert_int_equal(train(run)->schedule, 0);
    run_end(run);
}

static void settings(void **state)
{
    (void)state;
    Run *run =
        run_text(MODEL "train m {\n epochs 7\n batch 33\n seed 9\n accumulate 4\n clip norm(1.5)\n"
                       " stop early(patience = 3)\n checkpoint every 2 epochs\n start from \"w.safetensors\"\n}\n");
    const TrainUse *use = train(run);
    assert_int_equal(use->epochs, 7);
    assert_int_equal(use->batch, 33);
    assert_int_equal(run->program->models.at[0]->graph->batch, 33);
    assert_int_equal(use->seed, 9);
    assert_int_equal(use->accumulate, 4);
    assert_true(use->clip_norm == 1.5);
    assert_int_equal(use->patience, 3);
    assert_int_equal(use->checkpoint_every, 2);
    assert_true(str_is(use->start_from, "w.safetensors"));
    assert_null(use->data);
    assert_int_equal(use->optimizers.n, 1); /* plain gradient descent where none is named */
    run_end(run);
    SemaOptions options = {.batch = 5};
    run = run_with(MODEL "train m { batch 33 }\n", &options);
    assert_int_equal(train(run)->batch, 5);
    run_end(run);
    run = run_text(MODEL "train m { clip value(0.25); average ema(0.99) }\n");
    assert_true(train(run)->clip_value == 0.25 && train(run)->clip_norm == 0);
    assert_true(train(run)->average_decay == 0.99 && train(run)->average_last == 0);
    run_end(run);
    run = run_text(MODEL "train m { average last(5) }\n");
    assert_true(train(run)->average_decay == 0 && train(run)->average_last == 5);
    run_end(run);
    run = run_text(MODEL "train m { checkpoint every 500 steps }\n");
    assert_int_equal(train(run)->checkpoint_steps, 500);
    assert_int_equal(train(run)->checkpoint_every, 0);
    run_end(run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sgd_with_everything), cmocka_unit_test(plain_sgd_has_no_state),
        cmocka_unit_test(adam_and_adamw),      cmocka_unit_test(old_values_are_kept),
        cmocka_unit_test(decay_on_matrices),   cmocka_unit_test(groups_come_last),
        cmocka_unit_test(schedules),           cmocka_unit_test(settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
