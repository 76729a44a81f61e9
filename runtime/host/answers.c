#include "answers.h"

#include "decision.h"
#include "tensor.h"

#include <cjson/cJSON.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_CLASSES = 256, LEAST_SIDE = 4, MOST_SIDE = 256 };

static int fits(const ActTensor *prediction, const ActTensor *target)
{
    const ActMetricCall call = { .prediction = prediction, .target = target, .prediction_width = act_tensor_width(prediction),
                                 .target_width = act_tensor_width(target) };
    if (act_decides_by_sign(&call)) return call.target_width == 1 && call.prediction_width == 1;
    return target->type == ACT_I32 && target->classes > 1 && target->classes <= MOST_CLASSES && act_tensor_features(prediction) == target->classes &&
           call.prediction_width == call.target_width * target->classes;
}

static void find_picture(ActAnswers *answers, const ActModel *model)
{
    for (uint32_t i = 0; i < model->n_input && !answers->height; i++) {
        const ActTensor *input = &model->input[i];
        uint32_t channels = input->rank == 3 ? input->dim[2] : 1;
        if (input->type != ACT_F32 || (input->rank != 2 && input->rank != 3) || (channels != 1 && channels != 3)) continue;
        if (input->dim[0] < LEAST_SIDE || input->dim[0] > MOST_SIDE || input->dim[1] < LEAST_SIDE || input->dim[1] > MOST_SIDE) continue;
        answers->picture = i;
        answers->height = input->dim[0];
        answers->width = input->dim[1];
        answers->channels = channels;
    }
}

ActStatus act_answers_new(ActAnswers *answers, const ActModel *model, ActError *error)
{
    *answers = (ActAnswers){ 0 };
    uint32_t i = 0;
    while (i < model->n_metric && !fits(&model->metric[i].prediction, &model->target_value[model->metric[i].target])) i++;
    if (i == model->n_metric) return ACT_OK;
    const ActTensor *target = &model->target_value[model->metric[i].target];
    answers->metric = i;
    answers->classes = act_tensor_features(&model->metric[i].prediction) == 1 ? 2 : target->classes;
    answers->count = calloc(answers->classes * answers->classes, sizeof *answers->count);
    if (act_tensor_width(target) == 1) find_picture(answers, model);
    size_t pixels = answers->height * answers->width * answers->channels;
    int good = answers->count != NULL;
    for (size_t w = 0; pixels && w < ACT_ANSWERS_SHOWN; w++) good &= (answers->wrong[w].pixel = malloc(pixels)) != NULL;
    if (good) return ACT_OK;
    act_answers_free(answers);
    return act_error_memory(error);
}

void act_answers_free(ActAnswers *answers)
{
    for (size_t w = 0; w < ACT_ANSWERS_SHOWN; w++) free(answers->wrong[w].pixel);
    free(answers->count);
    *answers = (ActAnswers){ 0 };
}

void act_answers_clear(ActAnswers *answers)
{
    if (answers->count) memset(answers->count, 0, answers->classes * answers->classes * sizeof *answers->count);
    answers->n_wrong = 0;
}

/* In the declared range, or in the picture's own. */
static void copy_picture(unsigned char *out, const float *value, size_t n, const ActTensor *input)
{
    double low = (double)input->low, high = (double)input->high;
    if (!(low < high) || !isfinite(high - low)) {
        low = INFINITY;
        high = -INFINITY;
        for (size_t i = 0; i < n; i++) low = fmin(low, (double)value[i]), high = fmax(high, (double)value[i]);
    }
    for (size_t i = 0; i < n; i++) {
        double share = high > low ? ((double)value[i] - low) / (high - low) : 0;
        out[i] = (unsigned char)(isnan(share) ? 0 : 255 * fmin(fmax(share, 0), 1) + 0.5);
    }
}

/* Behind those of at least the same margin; the last one falls out when all places are taken. */
static void remember(ActAnswers *answers, const ActModel *model, const ActWrong *wrong, const float *picture)
{
    size_t at = answers->n_wrong, pixels = answers->height * answers->width * answers->channels;
    while (at > 0 && answers->wrong[at - 1].margin < wrong->margin) at--;
    if (at == ACT_ANSWERS_SHOWN) return;
    if (answers->n_wrong < ACT_ANSWERS_SHOWN) answers->n_wrong++;
    unsigned char *room = answers->wrong[answers->n_wrong - 1].pixel;
    for (size_t i = answers->n_wrong - 1; i > at; i--) answers->wrong[i] = answers->wrong[i - 1];
    answers->wrong[at] = *wrong;
    answers->wrong[at].pixel = room;
    copy_picture(room, picture, pixels, &model->input[answers->picture]);
}

void act_answers_add(ActAnswers *answers, const ActMetricCall *call, const ActModel *model, const float *prediction, const void *target,
                     const void *const *input, size_t n, uint64_t first)
{
    size_t places = n * (size_t)call->target_width, scores = act_tensor_features(call->prediction);
    int sign = act_decides_by_sign(call);
    for (size_t i = 0; i < places; i++) {
        const float *score = prediction + i * scores;
        double truth = act_metric_target(call, target, i);
        if (!(truth >= 0 && truth < (double)answers->classes)) continue; /* ignored entries */
        size_t actual = sign ? truth > 0.5 : (size_t)truth;
        size_t answered = sign ? *score > act_decision_threshold(call) : act_decision_largest(score, scores);
        answers->count[actual * answers->classes + answered]++;
        if (actual == answered || !answers->height) continue;
        double margin = sign ? fabs((double)(*score - act_decision_threshold(call))) : (double)score[answered] - (double)score[actual];
        const ActWrong wrong = { first + i, actual, answered, isnan(margin) ? 0 : margin, NULL };
        remember(answers, model, &wrong, (const float *)input[answers->picture] + i * answers->height * answers->width * answers->channels);
    }
}

/* ── as events ── */

static char *to_base64(const unsigned char *s, size_t n)
{
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *text = malloc(4 * ((n + 2) / 3) + 1), *at = text;
    for (size_t i = 0; text && i < n; i += 3) {
        unsigned long three = (unsigned long)s[i] << 16 | (i + 1 < n ? (unsigned long)s[i + 1] << 8 : 0) | (i + 2 < n ? s[i + 2] : 0u);
        *at++ = digit[three >> 18 & 63];
        *at++ = digit[three >> 12 & 63];
        *at++ = i + 1 < n ? digit[three >> 6 & 63] : '=';
        *at++ = i + 2 < n ? digit[three & 63] : '=';
    }
    if (text) *at = 0;
    return text;
}

static const char *name_of(const ActFact *fact, size_t i, char room[24])
{
    if (fact && i < fact->n_class) return fact->class_name[i];
    snprintf(room, 24, "%zu", i);
    return room;
}

static void write_object(cJSON *object, uint64_t step, ActLogs *logs, FILE *problems)
{
    const ActLogEvent event = { .step = step, .object = object };
    act_logs_write(logs, &event, problems);
    cJSON_Delete(object);
}

static cJSON *new_event(const char *name, uint64_t step)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "event", name);
    cJSON_AddNumberToObject(object, "step", (double)step);
    return object;
}

ActStatus act_answers_log(const ActAnswers *answers, const ActModel *model, const ActFacts *facts, uint64_t step, const char *part, ActLogs *logs,
                          FILE *problems)
{
    char room[24];
    if (!answers->classes) return ACT_OK;
    uint32_t target = model->metric[answers->metric].target;
    const ActFact *fact = model->n_input + target < facts->n ? &facts->fact[model->n_input + target] : NULL;
    cJSON *object = new_event("confusion", step);
    cJSON_AddStringToObject(object, "part", part);
    cJSON_AddStringToObject(object, "value", model->target_value[target].name);
    cJSON *names = cJSON_AddArrayToObject(object, "names"), *counts = cJSON_AddArrayToObject(object, "counts");
    for (size_t i = 0; i < answers->classes; i++) cJSON_AddItemToArray(names, cJSON_CreateString(name_of(fact, i, room)));
    for (size_t i = 0; i < answers->classes * answers->classes; i++) cJSON_AddItemToArray(counts, cJSON_CreateNumber((double)answers->count[i]));
    write_object(object, step, logs, problems);
    for (size_t w = 0; w < answers->n_wrong; w++) {
        const ActWrong *wrong = &answers->wrong[w];
        char *pixels = to_base64(wrong->pixel, answers->height * answers->width * answers->channels);
        if (!pixels) return ACT_E_MEMORY;
        object = new_event("example", step);
        cJSON_AddStringToObject(object, "part", part);
        cJSON_AddNumberToObject(object, "row", (double)wrong->row);
        cJSON_AddStringToObject(object, "actual", name_of(fact, wrong->actual, room));
        cJSON_AddStringToObject(object, "answered", name_of(fact, wrong->answered, room));
        cJSON *shape = cJSON_AddArrayToObject(object, "shape");
        const size_t dim[] = { answers->height, answers->width, answers->channels };
        for (size_t d = 0; d < 3; d++) cJSON_AddItemToArray(shape, cJSON_CreateNumber((double)dim[d]));
        cJSON_AddStringToObject(object, "pixels", pixels);
        free(pixels);
        write_object(object, step, logs, problems);
    }
    return ACT_OK;
}
