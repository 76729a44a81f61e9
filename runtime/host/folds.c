/* K-fold cross-validation: K trainings on the same rows, each judged by another part of them. */
#include "act/act.h"

#include "file.h"
#include "keep.h"
#include "output.h"

#include <cjson/cJSON.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct Folds {
    ActInstance *m;
    const ActRun *run;
    ActError *error;
    const char *directory;
    uint64_t n;
    ActScore *score;          /* of each fold's own part */
} Folds;

static char *folder_of_fold(const char *directory, uint64_t fold)
{
    size_t length = strlen(directory) + 32;
    char *path = malloc(length);
    if (path) snprintf(path, length, "%s/fold%llu", directory, (unsigned long long)fold);
    return path;
}

/* "run.csv" is run.fold2.csv, "runs/a/" runs/a/fold2/ */
static char *log_of_fold(const char *log, uint64_t fold)
{
    size_t n = strlen(log), length = n + 40;
    char *path = malloc(length);
    const char *slash = strrchr(log, '/'), *dot = strrchr(slash ? slash : log, '.');
    if (!path) return NULL;
    if (!dot) snprintf(path, length, "%s%sfold%llu/", log, n && log[n - 1] == '/' ? "" : "/", (unsigned long long)fold);
    else snprintf(path, length, "%.*s.fold%llu%s", (int)(dot - log), log, (unsigned long long)fold, dot);
    return path;
}

static int has_checkpoint(const ActModel *model, const char *directory)
{
    size_t n;
    uint64_t *steps = act_keep_steps(model, directory, &n);
    free(steps);
    return n > 0;
}

static ActStatus train_fold(Folds *folds, uint64_t fold)
{
    ActRun run = *folds->run;
    ActResult result = { 0 };
    char *out = folder_of_fold(folds->directory, fold), **log = calloc(run.n_logs + 1, sizeof *log);
    int ok = out && log;
    for (size_t i = 0; ok && i < run.n_logs; i++) ok = (log[i] = log_of_fold(run.logs[i], fold)) != NULL;
    ActStatus status = ok ? ACT_OK : act_error_memory(folds->error);
    if (ok) {
        run.fold = fold;
        run.out = out;
        run.logs = (const char *const *)log;
        if (run.resume) run.resume = has_checkpoint(folds->m->model, out) ? "" : NULL;
        if (run.log)
            fprintf(run.log, "%sfold %llu of %llu\n", fold > 1 ? "\n" : "", (unsigned long long)fold, (unsigned long long)folds->n);
        status = act_train(folds->m, &run, &result, folds->error);
        folds->score[fold - 1] = result.validation;
    }
    for (size_t i = 0; log && i < run.n_logs; i++) free(log[i]);
    free(log);
    free(out);
    return status;
}

/* ── what comes of it ── */

static double value_of(const ActScore *score, uint32_t i) { return i == 0 ? score->loss : score->metric[i - 1].value; }

static void mean_and_deviation(const Folds *folds, uint32_t i, double *mean, double *deviation)
{
    double sum = 0, squares = 0;
    for (uint64_t f = 0; f < folds->n; f++) sum += value_of(&folds->score[f], i);
    *mean = sum / (double)folds->n;
    for (uint64_t f = 0; f < folds->n; f++) squares += pow(value_of(&folds->score[f], i) - *mean, 2);
    *deviation = sqrt(squares / (double)(folds->n - 1)); /* of the folds, as a sample of what another division would give */
}

static void print_row(const Folds *folds, const char *name, const double *value)
{
    const ActScore *like = &folds->score[0];
    fprintf(folds->run->log, "  %-10s", name);
    for (uint32_t i = 0; i <= like->n_metric; i++)
        fprintf(folds->run->log, "  %12s", act_text_metric(value[i], i > 0 && like->metric[i - 1].percent).text);
    fputc('\n', folds->run->log);
}

static void print_table(const Folds *folds, const double *mean, const double *deviation)
{
    FILE *log = folds->run->log;
    const ActScore *like = &folds->score[0];
    double value[ACT_MAX_SCORES + 1];
    char name[32];
    if (!log) return;
    fprintf(log, "\n%-12s  %12s", "validation", "loss");
    for (uint32_t i = 0; i < like->n_metric; i++) fprintf(log, "  %12s", like->metric[i].name);
    fputc('\n', log);
    for (uint64_t f = 0; f < folds->n; f++) {
        for (uint32_t i = 0; i <= like->n_metric; i++) value[i] = value_of(&folds->score[f], i);
        snprintf(name, sizeof name, "fold %llu", (unsigned long long)f + 1);
        print_row(folds, name, value);
    }
    print_row(folds, "mean", mean);
    print_row(folds, "deviation", deviation);
}

static void put_values(ActFileOut *out, const Folds *folds, const char *event, uint64_t fold, uint64_t rows, const double *value)
{
    const ActScore *like = &folds->score[0];
    cJSON *object = cJSON_CreateObject();
    cJSON_AddStringToObject(object, "event", event);
    if (fold) cJSON_AddNumberToObject(object, "fold", (double)fold);
    if (rows) cJSON_AddNumberToObject(object, "rows", (double)rows);
    cJSON_AddNumberToObject(object, "loss", value[0]);
    for (uint32_t i = 0; i < like->n_metric; i++) cJSON_AddNumberToObject(object, like->metric[i].name, value[i + 1]);
    char *text = cJSON_PrintUnformatted(object);
    if (text) act_file_put(out, text, strlen(text)), act_file_put(out, "\n", 1);
    else out->why = out->why ? out->why : 12; /* ENOMEM */
    cJSON_free(text);
    cJSON_Delete(object);
}

static ActStatus write_lines(const Folds *folds, const double *mean, const double *deviation)
{
    const char *name = folds->m->model->name;
    size_t length = strlen(folds->directory) + strlen(name) + 24;
    char *path = malloc(length);
    double value[ACT_MAX_SCORES + 1];
    ActFileOut out;
    if (!path) return act_error_memory(folds->error);
    snprintf(path, length, "%s/%s.folds.jsonl", folds->directory, name);
    ActStatus status = act_file_begin(&out, path, folds->error);
    for (uint64_t f = 0; status == ACT_OK && f < folds->n; f++) {
        for (uint32_t i = 0; i <= folds->score[0].n_metric; i++) value[i] = value_of(&folds->score[f], i);
        put_values(&out, folds, "fold", f + 1, folds->score[f].rows, value);
    }
    if (status == ACT_OK) {
        put_values(&out, folds, "mean", 0, 0, mean);
        put_values(&out, folds, "deviation", 0, 0, deviation);
        status = act_file_finish(&out, folds->error);
    }
    free(path);
    return status;
}

ActStatus act_cross_validate(ActInstance *instance, const ActRun *run, ActError *error)
{
    act_error_clear(error);
    if (!instance || !run || run->folds < 2)
        return act_error(error, ACT_E_ARGUMENT, "cross-validation wants an instance and 2 folds or more");
    if (run->resume && *run->resume)
        return act_error(error, ACT_E_ARGUMENT, "with `--folds`, `--resume` takes no file: every fold has its own checkpoints in <out>");
    Folds folds = { .m = instance, .run = run, .error = error, .n = run->folds };
    folds.directory = run->out && *run->out ? run->out : ".";
    folds.score = calloc(folds.n, sizeof *folds.score);
    if (!folds.score) return act_error_memory(error);
    ActStatus status = act_file_make_directory(folds.directory, error);
    for (uint64_t f = 1; status == ACT_OK && f <= folds.n; f++) status = train_fold(&folds, f);
    if (status == ACT_OK) {
        double mean[ACT_MAX_SCORES + 1], deviation[ACT_MAX_SCORES + 1];
        for (uint32_t i = 0; i <= folds.score[0].n_metric; i++) mean_and_deviation(&folds, i, &mean[i], &deviation[i]);
        print_table(&folds, mean, deviation);
        status = write_lines(&folds, mean, deviation);
    }
    free(folds.score);
    return status;
}
