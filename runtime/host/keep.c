#include "keep.h"

#include "checkpoint.h"
#include "command.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char step_word[] = ".step-", ending[] = ".safetensors";

void act_keep_state(ActKeep *keep, ActState *state)
{
    act_state_numbers(state, "train.kept_best", &keep->best, 1);
    act_state_counts(state, "train.kept_step", &keep->best_step, 1);
}

static char *in_folder(const char *directory, const char *name)
{
    const char *base = directory && *directory ? directory : ".";
    int plain = strcmp(base, ".") == 0;
    size_t length = strlen(base) + strlen(name) + 2;
    char *path = malloc(length);
    if (path) snprintf(path, length, "%s%s%s", plain ? "" : base, plain || base[strlen(base) - 1] == '/' ? "" : "/", name);
    return path;
}

static char *named(const ActModel *model, const char *directory, const char *middle)
{
    size_t length = strlen(model->name) + strlen(middle) + sizeof ending;
    char *name = malloc(length), *path = NULL;
    if (name) {
        snprintf(name, length, "%s%s%s", model->name, middle, ending);
        path = in_folder(directory, name);
    }
    free(name);
    return path;
}

char *act_keep_path(const ActModel *model, const char *directory, uint64_t step)
{
    char middle[40];
    snprintf(middle, sizeof middle, "%s%08llu", step_word, (unsigned long long)step);
    return named(model, directory, middle);
}

char *act_keep_previous(const ActModel *model, const char *directory)
{
    return named(model, directory, ".previous");
}

/* The step a file's name tells; 0 when it is no checkpoint of the model. */
static uint64_t step_of(const ActModel *model, const char *name)
{
    size_t n = strlen(model->name);
    if (strncmp(name, model->name, n) != 0 || strncmp(name + n, step_word, sizeof step_word - 1) != 0) return 0;
    const char *digits = name + n + sizeof step_word - 1;
    size_t count = strspn(digits, "0123456789");
    if (count < 8 || count > 18 || strcmp(digits + count, ending) != 0) return 0;
    return strtoull(digits, NULL, 10);
}

static int latest_first(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? 1 : x > y ? -1 : 0;
}

uint64_t *act_keep_steps(const ActModel *model, const char *directory, size_t *n)
{
    DIR *folder = opendir(directory && *directory ? directory : ".");
    const struct dirent *entry;
    uint64_t *steps = NULL;
    size_t room = 0;
    *n = 0;
    while (folder && (entry = readdir(folder))) {
        uint64_t step = step_of(model, entry->d_name);
        if (!step) continue;
        if (*n == room) {
            uint64_t *larger = realloc(steps, (room = 2 * room + 16) * sizeof *larger);
            if (!larger) break;
            steps = larger;
        }
        steps[(*n)++] = step;
    }
    if (folder) closedir(folder);
    if (*n) qsort(steps, *n, sizeof *steps, latest_first);
    return steps;
}

static void drop(const ActKeep *keep, uint64_t step)
{
    char *path = act_keep_path(keep->model, keep->directory, step);
    if (path && act_file_replaceable(path, NULL) == ACT_OK) unlink(path);
    free(path);
}

/* Takes the checkpoint out of the way of this run when something would be lost with it. 1: it could be read. */
static int put_aside(const ActKeep *keep, uint64_t step, FILE *log)
{
    char *path = act_keep_path(keep->model, keep->directory, step), *previous = act_keep_previous(keep->model,
            keep->directory);
    ActCheckpoint checkpoint = { 0 };
    int good = path && previous && act_checkpoint_open(&checkpoint, path, NULL) == ACT_OK;
    int finished = good && act_checkpoint_count(&checkpoint, "train.finished", 0) != 0;
    act_checkpoint_close(&checkpoint);
    char *word = previous ? act_command_word(previous) : NULL;
    if (good && !finished && act_file_replaceable(path, NULL) == ACT_OK && rename(path, previous) == 0 && log)
        fprintf(log, "note: an earlier run stands at step %llu here; it is kept as `%s`, and `--resume %s` goes on with it\n",
                (unsigned long long)step, previous, word ? word : previous);
    free(word);
    free(path);
    free(previous);
    return good;
}

void act_keep_begin(const ActKeep *keep, uint64_t step, FILE *log)
{
    size_t n, length = strlen(keep->model->name) + 2;
    char *prefix = malloc(length);
    if (prefix) {
        snprintf(prefix, length, "%s.", keep->model->name);
        act_file_tidy(keep->directory, prefix);
    }
    free(prefix);
    uint64_t *steps = act_keep_steps(keep->model, keep->directory, &n);
    int found = 0;
    for (size_t i = 0; i < n && steps[i] > step; i++)
        if (found) drop(keep, steps[i]);
        else found = put_aside(keep, steps[i], log);
    free(steps);
}

void act_keep_prune(const ActKeep *keep, uint64_t step)
{
    size_t n, kept = 0;
    uint64_t *steps = act_keep_steps(keep->model, keep->directory, &n);
    for (size_t i = 0; i < n; i++)
        if (steps[i] > step || (kept++ >= keep->last && steps[i] != keep->best_step)) drop(keep, steps[i]);
    free(steps);
}
