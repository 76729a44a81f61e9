#include "directory.h"

#include "dataset.h"
#include "reader.h"

#include <stdlib.h>
#include <string.h>

enum { LONGEST = 1024 };

typedef struct Found {
    ActData data;
    ActPart part[ACT_PARTS];
    ActField field[];          /* ACT_PARTS times the values; behind them, the paths */
} Found;

static int try_file(const char *directory, const char *part, const char *value, const char *ending, size_t n,
                    char *path)
{
    static const char *const packed[] = { "", ".gz" };
    for (size_t i = 0; i < 2; i++)
        if (snprintf(path, LONGEST, "%s/%s-%s%.*s%s", directory, part, value, (int)n, ending, packed[i]) < LONGEST &&
            act_file_exists(path))
            return 1;
    return 0;
}

static const ActReader *find_file(const ActRun *run, const char *part, const char *value, char *path)
{
    const ActReader *reader;
    for (size_t d = 0; d < run->n_data; d++)
        for (size_t r = 0; (reader = act_reader_at(r)); r++)
            for (const char *at = reader->endings; *at;) {
                size_t n = strcspn(at, " ");
                if (n > 0 && try_file(run->data[d], part, value, at, n, path)) return reader;
                at += n + (at[n] == ' ');
            }
    return NULL;
}

ActData *act_directory_data(const ActModel *model, const ActRun *run, ActError *error)
{
    size_t values = model->n_input + model->n_target, fields = ACT_PARTS * values;
    if (run->n_data == 0) {
        act_error(
            error, ACT_E_ARGUMENT,
            "model `%s` has no data of its own; say where it is with `--data DIR`, a directory with files such as "
            "train-%s.npy",
            model->name, model->n_input ? model->input[0].name : "x");
        return NULL;
    }
    Found *found = calloc(1, sizeof *found + fields * sizeof(ActField) + fields * LONGEST);
    if (!found) {
        act_error_memory(error);
        return NULL;
    }
    char *path = (char *)(found->field + fields);
    ActField *field = found->field;
    for (int p = 0; p < ACT_PARTS; p++) {
        ActPart *part = &found->part[found->data.n_part];
        *part = (ActPart){ act_part_name[p], field, 0 };
        for (size_t v = 0; v < values; v++, path += LONGEST) {
            const char *name = v < model->n_input ? model->input[v].name : model->target_value[v - model->n_input].name;
            const ActReader *reader = find_file(run, act_part_name[p], name, path);
            if (!reader) continue;
            *field++ = (ActField){ .name = name, .reader = reader->name, .path = path, .columns = "" };
            part->n_field++;
        }
        found->data.n_part += part->n_field > 0;
    }
    found->data.name = "data";
    found->data.part = found->part;
    found->data.base = ".";
    if (found->data.n_part > 0) return &found->data;
    act_error(error, ACT_E_IO, "no data for model `%s`: `%s` holds no file such as train-%s.npy", model->name,
              run->data[0], model->n_input ? model->input[0].name : "x");
    free(found);
    return NULL;
}
