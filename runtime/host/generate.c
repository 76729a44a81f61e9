#include "generate.h"

#include "core/random.h"
#include "evaluate.h"
#include "facts.h"
#include "tensor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct Writer {
    ActInstance *m;
    const ActRun *run;
    const ActTensor *text;      /* the input */
    const ActFact *names;       /* its characters; n_class 0: bytes */
    FILE *out;
    uint32_t time, words;
    int32_t *window;            /* the last `time` indices, `filled` of them */
    uint32_t filled;
    float *said;                /* [time][words] */
    double *weight;             /* [words] */
} Writer;

/* The one input that outputs need. */
static const ActTensor *text_input(const ActModel *model, uint32_t *at)
{
    const ActTensor *found = NULL;
    for (uint32_t i = 0; i < model->n_input; i++) {
        if (model->input[i].unread) continue;
        if (found) return NULL;
        found = &model->input[i];
        *at = i;
    }
    return found;
}

static ActStatus look(Writer *w, const ActFacts *facts, ActError *error)
{
    const ActModel *model = w->m->model;
    const ActTensor *says = model->n_output ? &model->output[0] : NULL;
    uint32_t at = 0;
    w->text = text_input(model, &at);
    int fits = w->text && says && w->text->type == ACT_I32 && w->text->classes && w->text->rank == 1 && says->type != ACT_I32 &&
               says->rank == 2 && says->dim[0] == w->text->dim[0] && says->dim[1] == w->text->classes;
    if (!fits)
        return act_error(error, ACT_E_ARGUMENT,
                         "`--generate` is for a model that reads one text, token(V)[T], and whose first output, [T, V], says at every "
                         "place which character follows; model `%s` is no such one", model->name);
    w->names = &facts->fact[at];
    w->time = w->text->dim[0];
    w->words = w->text->classes;
    if (w->names->n_class || w->words == 256) return ACT_OK;
    return act_error(error, ACT_E_ARGUMENT, "the weights of model `%s` do not name the characters of `%s`", model->name, w->text->name);
}

/* Reads index `c`: it becomes the last of the window. */
static void append(Writer *w, int32_t c)
{
    for (uint32_t i = 1; w->filled == w->time && i < w->time; i++) w->window[i - 1] = w->window[i];
    w->filled -= w->filled == w->time;
    w->window[w->filled++] = c;
}

static void put(const Writer *w, int32_t c)
{
    if (!w->names->n_class) fputc(c, w->out);
    else if ((size_t)c < w->names->n_class) fputs(w->names->class_name[c], w->out);
}

/* The character that `text` begins with; its length in bytes goes to *length. -1: none of the known ones. */
static int32_t character(const Writer *w, const char *text, size_t *length)
{
    *length = 1;
    if (!w->names->n_class) return (unsigned char)*text;
    for (size_t c = 0; c < w->names->n_class; c++) {
        size_t n = strlen(w->names->class_name[c]);
        if (n == 0 || strncmp(text, w->names->class_name[c], n) != 0) continue;
        *length = n;
        return (int32_t)c;
    }
    return -1;
}

/* Without a prompt a text begins behind the end of a line, where the training text has lines. */
static ActStatus begin(Writer *w, ActError *error)
{
    size_t length;
    if (!w->run->prompt || !*w->run->prompt) {
        int32_t line_end = character(w, "\n", &length);
        append(w, line_end < 0 ? 0 : line_end);
        return ACT_OK;
    }
    for (const char *at = w->run->prompt; *at; at += length) {
        int32_t c = character(w, at, &length);
        if (c < 0) {
            size_t n = 1;
            while ((at[n] & 0xC0) == 0x80) n++;
            return act_error(error, ACT_E_ARGUMENT, "the character `%.*s` of the prompt does not occur in the training text", (int)n, at);
        }
        append(w, c);
        put(w, c);
    }
    return ACT_OK;
}

/* Draws what follows the window: with temperature T, probabilities to the power of 1 / T. */
static int32_t draw(Writer *w, uint64_t place, double temperature)
{
    const float *row = w->said + (size_t)(w->filled - 1) * w->words;
    uint32_t n = w->names->n_class && w->names->n_class < w->words ? (uint32_t)w->names->n_class : w->words;
    double top = -INFINITY, sum = 0;
    int logits = !act_probabilities(row, w->words);
    for (uint32_t c = 0; c < n; c++) {
        w->weight[c] = (logits ? (double)row[c] : log((double)row[c])) / temperature;
        top = fmax(top, w->weight[c]);
    }
    for (uint32_t c = 0; c < n; c++) sum += w->weight[c] = exp(w->weight[c] - top);
    double left = act_random_open(act_random_word(w->m->seed, ACT_STREAM_TEXT, place, 0, 0)) * sum;
    uint32_t c = 0;
    while (c + 1 < n && left >= w->weight[c]) left -= w->weight[c++];
    return (int32_t)c;
}

static ActStatus write_text(Writer *w, ActError *error)
{
    const ActModel *model = w->m->model;
    double temperature = w->run->temperature > 0 ? w->run->temperature : 1;
    const void **value = calloc(model->n_input + 1, sizeof *value);
    void **output = calloc(model->n_output + 1, sizeof *output);
    int good = value && output;
    for (uint32_t o = 0; good && o < model->n_output; o++) {
        uint64_t width = 1;
        for (uint32_t a = 0; a < model->output[o].rank; a++) width *= model->output[o].dim[a];
        good = (output[o] = calloc(width + 1, 4)) != NULL;
    }
    w->window = calloc(w->time + 1, sizeof *w->window);
    w->weight = calloc(w->words + 1, sizeof *w->weight);
    ActStatus status = good && w->window && w->weight ? begin(w, error) : act_error_memory(error);
    for (uint32_t i = 0; status == ACT_OK && i < model->n_input; i++) value[i] = model->input[i].unread ? NULL : w->window;
    for (uint64_t place = 0; status == ACT_OK && place < w->run->generate; place++) {
        w->m->first = place; /* what the model draws itself is drawn anew */
        status = model->entry.forward(w->m, value, 1, output);
        w->said = output[0];
        if (status != ACT_OK) {
            act_error(error, status, "prediction of `%s` failed: %s", model->name, act_status_text(status));
            break;
        }
        int32_t c = draw(w, place + 1, temperature);
        put(w, c);
        append(w, c);
    }
    if (status == ACT_OK) {
        fputc('\n', w->out);
        if (fflush(w->out) != 0 || ferror(w->out)) status = act_error(error, ACT_E_IO, "the text can't be written");
    }
    for (uint32_t o = 0; output && o < model->n_output; o++) free(output[o]);
    free(output);
    free(value);
    free(w->window);
    free(w->weight);
    return status;
}

ActStatus act_generate(ActInstance *instance, const ActRun *run, ActError *error)
{
    Writer w = { .m = instance, .run = run, .out = run->output ? run->output : stdout };
    ActFacts facts = { 0 };
    ActStatus status = act_facts_new(&facts, instance->model, error);
    if (status == ACT_OK) status = act_run_load(instance, run, &facts, error);
    if (status == ACT_OK) act_run_note(instance, run, &facts);
    if (status == ACT_OK) status = look(&w, &facts, error);
    instance->seed = act_run_seed(instance->model, run);
    if (status == ACT_OK) status = write_text(&w, error);
    act_facts_free(&facts);
    return status;
}
