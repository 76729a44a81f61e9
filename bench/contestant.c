/* One model of the benchmark as a program that measures on demand, linked to its object and the runtime:
 *
 *     contestant WEIGHTS BATCHES THREADS N ROWS      -DMODEL=b3_model
 *     contestant WEIGHTS                             writes weights to begin with, by the model's own initializers
 *
 * BATCHES holds N batches of ROWS rows, one after the other, each the inputs and then the targets, dense. A model with several losses
 * tells their sum. It trains 50 steps from WEIGHTS
 * and prints their losses in one line; then every line "SECONDS" on standard input is answered by one line: the time of a step in
 * microseconds and the largest memory so far in KiB. All contestants measure alike (bench/peers/contestant.py): a fifth of that
 * time first goes by untimed, to bring the caches and the clock rate back that another contestant had; a sample is the mean over as many
 * steps as last two milliseconds; the answer is the median of the samples that fill the time. The timed steps take a thousandth of
 * the learning rate, so that the same batches again and again do not run away; the work is the same. */
#include "act/act.h"

#include "probe.h"

#include <string.h>
#include <sys/resource.h>

enum { CHECKED_STEPS = 50, MOST_SAMPLES = 100000, MOST_VALUES = 8 };
static const double sample_seconds = 2e-3, warm_share = 0.2;

extern const ActModel MODEL;

static size_t row_bytes(const ActTensor *tensor)
{
    size_t n = 4;
    for (uint32_t d = 0; d < tensor->rank; d++) n *= tensor->dim[d];
    return n;
}

/* The inputs, then the targets. */
static const ActTensor *tensor_at(const ActModel *model, uint32_t i)
{
    return i < model->n_input ? &model->input[i] : &model->target_value[i - model->n_input];
}

typedef struct Contest {
    ActInstance *m;
    char *data;
    size_t batches, rows, batch_bytes;
    uint64_t step;
} Contest;

static ActStatus train(Contest *c, double scale, float *loss)
{
    const ActModel *model = c->m->model;
    const char *at = c->data + c->step % c->batches * c->batch_bytes;
    const void *value[MOST_VALUES + 1];
    float losses[MOST_VALUES];
    for (uint32_t i = 0; i < model->n_input + model->n_target; i++) {
        value[i] = at;
        at += c->rows * row_bytes(tensor_at(model, i));
    }
    const ActStep step = { ++c->step, scale, 1 };
    ActStatus status = model->entry.train_step(c->m, &step, value, value + model->n_input, c->rows, losses);
    *loss = 0;
    for (uint32_t i = 0; i < model->n_loss; i++) *loss += losses[i];
    return status;
}

static int read_batches(Contest *c, const char *path)
{
    const ActModel *model = c->m->model;
    for (uint32_t i = 0; i < model->n_input + model->n_target; i++) c->batch_bytes += c->rows * row_bytes(tensor_at(model, i));
    c->data = malloc(c->batches * c->batch_bytes);
    FILE *in = fopen(path, "rb");
    size_t got = in && c->data ? fread(c->data, c->batch_bytes, c->batches, in) : 0;
    if (in) fclose(in);
    return got == c->batches;
}

/* Seconds of each of n steps, on average; 0 when one failed. */
static double sample(Contest *c, size_t n)
{
    float loss = 0;
    double begin = probe_now();
    for (size_t i = 0; i < n; i++)
        if (train(c, 1e-3, &loss) != ACT_OK) return 0;
    return (probe_now() - begin) / (double)n;
}

static int answer(Contest *c, double seconds, double *time)
{
    size_t steps = 0, n = 0;
    struct rusage usage;
    double begin = probe_now(), at = begin;
    for (; steps == 0 || at - begin < warm_share * seconds; steps++, at = probe_now())
        if (!(sample(c, 1) > 0)) return 0;
    double wanted = sample_seconds * (double)steps / (at - begin);
    for (begin = at; n == 0 || (at - begin < seconds && n < MOST_SAMPLES); at = probe_now())
        if (!((time[n++] = sample(c, wanted > 1 ? (size_t)(wanted + 0.5) : 1)) > 0)) return 0;
    getrusage(RUSAGE_SELF, &usage);
    printf("%.4f %ld\n", probe_median(time, n) * 1e6, usage.ru_maxrss);
    fflush(stdout);
    return 1;
}

static int write_weights(const char *path)
{
    ActError error;
    ActInstance *m = act_instance_new(&MODEL, 1, &error);
    int good = m && m->model->entry.init(m, 1) == ACT_OK && act_save_weights(m, path, &error) == ACT_OK;
    if (!good) fprintf(stderr, "contestant: %s\n", error.text);
    act_instance_free(m);
    return !good;
}

int main(int argc, char **argv)
{
    ActError error;
    Contest c = { 0 };
    if (argc == 2) return write_weights(argv[1]);
    if (argc != 6 || MODEL.n_input + MODEL.n_target > MOST_VALUES || MODEL.n_loss > MOST_VALUES) return 2;
    c.batches = strtoull(argv[4], NULL, 10);
    c.rows = strtoull(argv[5], NULL, 10);
    c.m = act_instance_new(&MODEL, (uint32_t)strtoul(argv[3], NULL, 10), &error);
    if (!c.m || c.m->model->entry.init(c.m, 1) != ACT_OK || act_load_weights(c.m, argv[1], &error) != ACT_OK) {
        fprintf(stderr, "contestant: %s\n", error.text);
        return 1;
    }
    if (!read_batches(&c, argv[2])) {
        fprintf(stderr, "contestant: `%s` does not hold the batches\n", argv[2]);
        return 1;
    }
    for (int s = 0; s < CHECKED_STEPS; s++) {
        float loss = 0;
        if (train(&c, 1, &loss) != ACT_OK) return 1;
        printf("%.9g%c", (double)loss, s + 1 < CHECKED_STEPS ? ' ' : '\n');
    }
    fflush(stdout);
    double *time = malloc(sizeof *time * MOST_SAMPLES);
    char line[64];
    int good = time != NULL;
    while (good && fgets(line, sizeof line, stdin)) good = answer(&c, atof(line), time);
    free(time);
    free(c.data);
    act_instance_free(c.m);
    return !good;
}
