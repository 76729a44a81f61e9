/* What freshly initialised, compiled networks do, as numbers for predictions.py: `measure ratio SEEDS`, `measure dead
 * SEEDS`, `measure time SEEDS`.
 *
 * ratio: for each seed, the gradient norm at the first weight layer's outputs over the last one's. A step of plain SGD
 * at rate 1 on one sample adds exactly minus that gradient to a bias that is zero. Root mean square over a few samples.
 * time: for each seed, the gradient norm at the second step of a sequence over that at the last one: the input has a number
 * added to each element that starts at zero.
 * dead: for each seed and each bias but the last, the units whose bias gradient over a whole batch is exactly zero. */
#include <act/act.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const ActModel stack_model;

enum { SAMPLES = 8 };

static uint64_t state;

static double uniform(void)
{
    state += 0x9E3779B97F4A7C15u;
    uint64_t z = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return ((double)((z ^ (z >> 31)) >> 11) + 0.5) * 0x1p-53;
}

static double normal(void)
{
    double u = uniform();
    return sqrt(-2 * log(u)) * cos(2 * M_PI * uniform());
}

/* In the input's range where it has one, else standard normal. */
static void draw(float *x, size_t n)
{
    const ActTensor *input = &stack_model.input[0];
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(input->low <= input->high ? input->low + (input->high - input->low) * uniform() : normal());
}

static int is_bias(const ActTensor *t) { return strstr(t->name, ".bias") != NULL; }

static double norm2(const ActInstance *m, const ActTensor *t)
{
    const float *value = (const float *)((const char *)m->param + t->offset);
    double sum = 0;
    for (uint32_t i = 0; i < t->dim[0]; i++)
        sum += (double)value[i] * value[i];
    return sum;
}

static size_t elements(const ActTensor *t)
{
    size_t n = 1;
    for (uint32_t i = 0; i < t->rank; i++)
        n *= t->dim[i];
    return n;
}

static void step(ActInstance *m, size_t rows, float *x, int32_t *y)
{
    draw(x, rows * elements(&stack_model.input[0]));
    for (size_t i = 0; i < rows; i++)
        y[i] = (int32_t)(uniform() * 10);
    float loss;
    ActStep one = {1, 1.0, 1};
    const void *input[] = {x}, *target[] = {y};
    if (m->model->entry.train_step(m, &one, input, target, rows, &loss)) {
        fprintf(stderr, "the step failed\n");
        exit(1);
    }
}

static void ratio(ActInstance *m, float *x, int32_t *y)
{
    double first2 = 0, last2 = 0;
    void *fresh = malloc(stack_model.param_bytes);
    memcpy(fresh, m->param, stack_model.param_bytes);
    for (int k = 0; k < SAMPLES; k++) {
        const ActTensor *first = NULL, *last = NULL;
        memcpy(m->param, fresh, stack_model.param_bytes);
        step(m, 1, x, y);
        for (uint32_t i = 0; i < stack_model.n_param; i++)
            if (is_bias(&stack_model.param[i])) {
                first = first ? first : &stack_model.param[i];
                last = &stack_model.param[i];
            }
        first2 += norm2(m, first);
        last2 += norm2(m, last);
    }
    free(fresh);
    printf("%.6g\n", sqrt(first2 / last2));
}

static void through_time(ActInstance *m, float *x, int32_t *y)
{
    double second2 = 0, last2 = 0;
    void *fresh = malloc(stack_model.param_bytes);
    memcpy(fresh, m->param, stack_model.param_bytes);
    for (int k = 0; k < SAMPLES; k++) {
        memcpy(m->param, fresh, stack_model.param_bytes);
        step(m, 1, x, y);
        for (uint32_t i = 0; i < stack_model.n_param; i++) {
            const ActTensor *t = &stack_model.param[i];
            const float *value = (const float *)((const char *)m->param + t->offset);
            for (uint32_t c = 0; strcmp(t->name, "added") == 0 && c < t->dim[1]; c++) {
                second2 += pow(value[t->dim[1] + c], 2);
                last2 += pow(value[(t->dim[0] - 1) * t->dim[1] + c], 2);
            }
        }
    }
    free(fresh);
    printf("%.6g\n", sqrt(second2 / last2));
}

static void dead(ActInstance *m, float *x, int32_t *y)
{
    step(m, stack_model.batch, x, y);
    for (uint32_t i = 0, last = stack_model.n_param; i < last; i++) {
        const ActTensor *t = &stack_model.param[i];
        if (!is_bias(t) || t->dim[0] == 10)
            continue;
        const float *value = (const float *)((const char *)m->param + t->offset);
        uint32_t zero = 0;
        for (uint32_t k = 0; k < t->dim[0]; k++)
            zero += value[k] == 0;
        printf("%.6g ", (double)zero / t->dim[0]);
    }
    printf("\n");
}

int main(int argc, char **argv)
{
    ActError error;
    ActInstance *m = act_instance_new(&stack_model, 1, &error);
    if (!m || argc != 3) {
        fprintf(stderr, "%s\n", m ? "usage: measure ratio|time|dead SEEDS" : error.text);
        return 1;
    }
    float *x = malloc(sizeof *x * stack_model.batch * elements(&stack_model.input[0]));
    int32_t *y = malloc(sizeof *y * stack_model.batch);
    for (int seed = 1; seed <= atoi(argv[2]); seed++) {
        state = (uint64_t)seed * 1000003;
        stack_model.entry.init(m, (uint64_t)seed);
        (strcmp(argv[1], "ratio") == 0 ? ratio : strcmp(argv[1], "time") == 0 ? through_time : dead)(m, x, y);
    }
    free(x);
    free(y);
    act_instance_free(m);
    return 0;
}
