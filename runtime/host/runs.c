/* From what a user names to logs. */
#include "compare.h"

#include "file.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH = 4 /* folders below the one named */, MOST = 256 /* runs */ };

void act_runs_free(ActRunNameds *runs)
{
    for (size_t i = 0; i < runs->n; i++) {
        act_runlog_free(&runs->at[i].log);
        free(runs->at[i].path);
        free(runs->at[i].name);
    }
    free(runs->at);
    *runs = (ActRunNameds){ 0 };
}

static ActStatus add_run(ActRunNameds *runs, const char *path, ActRunLog *log, ActError *error)
{
    ActStatus status = ACT_OK;
    if (runs->n == MOST) status = act_error(error, ACT_E_ARGUMENT, "more than %d runs are not drawn on one page", MOST);
    if (status == ACT_OK && runs->n == runs->room) {
        size_t room = runs->room ? 2 * runs->room : 8;
        ActRunNamed *longer = realloc(runs->at, room * sizeof *longer);
        if (longer) {
            runs->at = longer;
            runs->room = room;
        } else {
            status = act_error_memory(error);
        }
    }
    char *copy = status == ACT_OK ? act_text_copy(path, strlen(path)) : NULL;
    if (status == ACT_OK && !copy) status = act_error_memory(error);
    if (status != ACT_OK) act_runlog_free(log);
    else runs->at[runs->n++] = (ActRunNamed){ .path = copy, .log = *log };
    return status;
}

static ActStatus add_file(ActRunNameds *runs, const char *path, ActError *error)
{
    ActRunLog log;
    ActStatus status = act_runlog_read(&log, path, error);
    return status == ACT_OK ? add_run(runs, path, &log, error) : status;
}

/* ── folders ── */

static int ends_with(const char *name, const char *ending)
{
    size_t n = strlen(name), m = strlen(ending);
    return n > m && strcmp(name + n - m, ending) == 0;
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* Paths of what the folder holds, sorted; NULL behind the last. */
static char **entries_of(const char *folder, ActError *error)
{
    size_t n = 0, room = 16;
    char **path = calloc(room, sizeof *path);
    DIR *dir = path ? opendir(folder) : NULL;
    if (!dir) {
        if (path) act_error(error, ACT_E_IO, "`%s` can't be read: %s", folder, strerror(errno));
        else act_error_memory(error);
        free(path);
        return NULL;
    }
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.') continue;
        size_t length = strlen(folder) + strlen(entry->d_name) + 2;
        if (n + 2 > room) {
            char **longer = realloc(path, 2 * room * sizeof *path);
            if (!longer) break;
            path = longer;
            room *= 2;
        }
        path[n] = malloc(length);
        if (!path[n]) break;
        snprintf(path[n++], length, "%s%s%s", folder, ends_with(folder, "/") ? "" : "/", entry->d_name);
    }
    closedir(dir);
    qsort(path, n, sizeof *path, by_name);
    path[n] = NULL;
    return path;
}

/* A run may be logged in several forms side by side: JSON lines say most; what is damaged among them is told. Pages and tables
 * are taken where there are none, and only if they are of a training: a folder may hold others. */
static ActStatus add_folder(ActRunNameds *runs, const char *folder, int depth, ActError *error)
{
    static const char *const endings[] = { ".jsonl", ".html", ".csv" };
    char **path = entries_of(folder, error);
    ActStatus status = path ? ACT_OK : ACT_E_IO;
    size_t before = runs->n;
    for (size_t e = 0; e < 3 && runs->n == before; e++)
        for (char **at = path; status == ACT_OK && at && *at; at++) {
            if (!ends_with(*at, endings[e]) || !act_file_exists(*at)) continue;
            ActRunLog log;
            ActStatus read = act_runlog_read(&log, *at, error);
            if (read == ACT_OK) status = add_run(runs, *at, &log, error);
            else if (e == 0 && read != ACT_E_DATA) status = read;
        }
    for (char **at = path; status == ACT_OK && depth > 0 && at && *at; at++)
        if (act_file_is_directory(*at)) status = add_folder(runs, *at, depth - 1, error);
    for (char **at = path; at && *at; at++) free(*at);
    free(path);
    return status;
}

/* ── names ── */

/* How many leading characters, up to a `/`, all paths have in common, and how many at the end, from a `/` or `.` on. */
static void name_runs(ActRunNameds *runs)
{
    const char *first = runs->at[0].path;
    size_t common = strlen(first), behind = common;
    for (size_t i = 1; i < runs->n; i++) {
        const char *path = runs->at[i].path;
        size_t n = strlen(path), k = 0;
        while (k < common && first[k] == path[k]) k++;
        common = k;
        for (k = 0; k < behind && k < n && first[strlen(first) - 1 - k] == path[n - 1 - k];) k++;
        behind = k;
    }
    while (common > 0 && first[common - 1] != '/') common--;
    size_t length = strlen(first);
    while (behind > 0 && first[length - behind] != '/' && first[length - behind] != '.') behind--;
    for (size_t i = 0; i < runs->n; i++) {
        const char *path = runs->at[i].path, *slash = strrchr(path, '/'), *dot;
        size_t n = strlen(path);
        if (runs->n > 1 && common + behind < n) {
            runs->at[i].name = act_text_copy(path + common, n - common - behind);
            char *name = runs->at[i].name;
            dot = name ? strrchr(name, '.') : NULL; /* endings that differ */
            if (dot && (strcmp(dot, ".jsonl") == 0 || strcmp(dot, ".csv") == 0 || strcmp(dot, ".html") == 0)) name[dot - name] = 0;
        } else {
            const char *last = slash ? slash + 1 : path;
            dot = strrchr(last, '.');
            runs->at[i].name = act_text_copy(last, dot && dot > last ? (size_t)(dot - last) : strlen(last));
        }
    }
    for (size_t i = 0; i < runs->n; i++) /* a.csv and a.jsonl */
        for (size_t k = 0; k < i; k++)
            if (runs->at[i].name && runs->at[k].name && strcmp(runs->at[i].name, runs->at[k].name) == 0) {
                free(runs->at[i].name);
                runs->at[i].name = act_text_copy(runs->at[i].path, strlen(runs->at[i].path));
            }
}

ActStatus act_runs_find(ActRunNameds *runs, const char *const *path, size_t n, ActError *error)
{
    ActStatus status = ACT_OK;
    *runs = (ActRunNameds){ 0 };
    for (size_t i = 0; i < n && status == ACT_OK; i++) {
        size_t before = runs->n;
        if (!act_file_is_directory(path[i])) {
            status = add_file(runs, path[i], error);
            continue;
        }
        status = add_folder(runs, path[i], DEPTH, error);
        if (status == ACT_OK && runs->n == before)
            status = act_error(error, ACT_E_DATA, "there is no log of a training in or below `%s`; `--log %s%srun.jsonl` writes one", path[i], path[i],
                               ends_with(path[i], "/") ? "" : "/");
    }
    if (status == ACT_OK && runs->n) name_runs(runs);
    for (size_t i = 0; i < runs->n && status == ACT_OK; i++)
        if (!runs->at[i].name) status = act_error_memory(error);
    if (status != ACT_OK) act_runs_free(runs);
    return status;
}
