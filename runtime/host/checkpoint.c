#include "checkpoint.h"

#include "command.h"
#include "core/layout.h"
#include "fit.h"
#include "tensor.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char sum_key[] = "train.crc32", format_key[] = "train.format", format[] = "1", own[] = "train.";

/* ── writing ── */

/* "12 40 0", "0.25 inf": in new memory */
static char *slot_text(const ActStateSlot *slot)
{
    if (slot->text) return act_text_copy(slot->text, SIZE_MAX);
    char *text = malloc(slot->n * 26 + 1);
    size_t at = 0;
    if (text) text[0] = 0;
    for (size_t i = 0; text && i < slot->n; i++) {
        const char *gap = i ? " " : "";
        if (slot->kind == ACT_STATE_NUMBERS) at += (size_t)sprintf(text + at, "%s%.17g", gap, ((const double *)slot->at)[i]);
        else {
            uint64_t value = slot->kind == ACT_STATE_AGREE ? slot->value : ((const uint64_t *)slot->at)[i];
            at += (size_t)sprintf(text + at, "%s%llu", gap, (unsigned long long)value);
        }
    }
    return text;
}

static size_t entry_count(const ActModel *model, const ActState *state)
{
    size_t n = (size_t)model->n_param + model->n_state;
    for (size_t i = 0; i < state->n; i++)
        if (state->slot[i].kind == ACT_STATE_TENSORS) n += state->slot[i].n;
    return n;
}

/* Parameters, optimizer state, then the tensors of `state` for which present(slot) is not 0. */
static size_t list_entries(const ActInstance *m, const ActState *state, const int *present, ActStoreEntry *entry)
{
    const ActModel *model = m->model;
    size_t n = 0;
    for (uint32_t i = 0; i < model->n_param; i++) entry[n++] = (ActStoreEntry){ &model->param[i], m->param, NULL };
    for (uint32_t i = 0; i < model->n_state; i++) entry[n++] = (ActStoreEntry){ &model->state[i], m->state, NULL };
    for (size_t s = 0; s < state->n; s++) {
        const ActStateSlot *slot = &state->slot[s];
        if (slot->kind != ACT_STATE_TENSORS || !present[s]) continue;
        for (size_t i = 0; i < slot->n; i++) entry[n++] = (ActStoreEntry){ &slot->tensor[i], slot->at, slot->key };
    }
    return n;
}

ActStatus act_checkpoint_write(const char *path, const ActInstance *instance, const ActFacts *facts,
                               const ActState *state,
                               const ActStand *stand, ActError *error)
{
    const ActModel *model = instance->model;
    size_t facts_most = facts ? 2 * facts->n : 0, n_note = 0, measured = 0;
    ActStoreEntry *entry = calloc(entry_count(model, state) + 1, sizeof *entry);
    ActNote *note = calloc(facts_most + state->n + 8, sizeof *note);
    int *present = calloc(state->n + 1, sizeof *present);
    char **text = calloc(state->n + 1, sizeof *text), number[3][24];
    ActStatus status = entry && note && present && text && !state->failed ? ACT_OK : act_error_memory(error);
    if (status == ACT_OK && facts) {
        status = act_facts_write(facts, note, &n_note, error);
        measured = n_note;
    }
    for (size_t s = 0; status == ACT_OK && s < state->n; s++) {
        const ActStateSlot *slot = &state->slot[s];
        present[s] = !slot->present || *slot->present != 0;
        if (slot->kind == ACT_STATE_TENSORS) continue;
        text[s] = slot_text(slot);
        if (!text[s]) status = act_error_memory(error);
        note[n_note++] = (ActNote){ slot->key, text[s] };
    }
    if (status == ACT_OK) {
        const uint64_t standing[3] = { stand->epoch, stand->step, stand->seed };
        for (int i = 0; i < 3; i++) snprintf(number[i], sizeof number[i], "%llu", (unsigned long long)standing[i]);
        note[n_note++] = (ActNote){ "model", model->name };
        if (model->hash) note[n_note++] = (ActNote){ "hash", model->hash };
        note[n_note++] = (ActNote){ "epoch", number[0] };
        note[n_note++] = (ActNote){ "step", number[1] };
        note[n_note++] = (ActNote){ "seed", number[2] };
        note[n_note++] = (ActNote){ format_key, format };
        note[n_note++] = (ActNote){ sum_key, NULL };
        size_t n = list_entries(instance, state, present, entry);
        status = act_safetensors_write(path, entry, n, note, n_note, error);
    }
    act_facts_notes_free(note, measured);
    for (size_t s = 0; text && s < state->n; s++) free(text[s]);
    free(text);
    free(present);
    free(note);
    free(entry);
    return status;
}

/* ── opening ── */

ActStatus act_checkpoint_open(ActCheckpoint *checkpoint, const char *path, ActError *error)
{
    memset(checkpoint, 0, sizeof *checkpoint);
    checkpoint->path = act_text_copy(path, SIZE_MAX);
    if (!checkpoint->path) return act_error_memory(error);
    ActStatus status = act_safetensors_read(path, &checkpoint->file, error);
    if (status != ACT_OK) return status;
    const char *version = act_safetensors_note(&checkpoint->file, format_key);
    const char *sum = act_safetensors_note(&checkpoint->file, sum_key);
    if (!version)
        return act_error(error, ACT_E_FORMAT,
                         "`%s` holds weights, but not the state of a training; `--weights %s` begins a training from them",
                         path, path);
    if (strcmp(version, format) != 0)
        return act_error(error, ACT_E_FORMAT,
                         "`%s` is a checkpoint of version `%s`, and this program knows version %s", path, version, format);
    char found[16];
    snprintf(found, sizeof found, "%08lx", (unsigned long)act_safetensors_sum(&checkpoint->file, sum_key));
    if (sum && strcmp(sum, found) != 0)
        return act_error(error, ACT_E_FORMAT, "`%s` is damaged: its checksum is %s, its content has %s", path, sum, found);
    return ACT_OK;
}

void act_checkpoint_close(ActCheckpoint *checkpoint)
{
    act_safetensors_free(&checkpoint->file);
    free(checkpoint->path);
    checkpoint->path = NULL;
}

/* One number and the blank behind it; 0 when it is none. */
static int next_value(const char **text, ActStateKind kind, void *at, size_t i)
{
    char *end;
    errno = 0;
    if (kind == ACT_STATE_NUMBERS) {
        double x = strtod(*text, &end);
        if (end == *text || **text == ' ' || isnan(x)) return 0;
        ((double *)at)[i] = x;
    } else {
        if (**text < '0' || **text > '9') return 0;
        unsigned long long x = strtoull(*text, &end, 10);
        if (errno) return 0;
        ((uint64_t *)at)[i] = x;
    }
    *text = end + (*end == ' ');
    return *end == ' ' || *end == 0;
}

/* All n of them, and nothing behind. */
static int read_values(const char *text, ActStateKind kind, void *at, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!next_value(&text, kind, at, i)) return 0;
    return *text == 0 && (n == 0 || text[-1] != ' ');
}

uint64_t act_checkpoint_count(const ActCheckpoint *checkpoint, const char *key, uint64_t absent)
{
    const char *text = act_safetensors_note(&checkpoint->file, key);
    uint64_t value;
    return text && read_values(text, ACT_STATE_COUNTS, &value, 1) ? value : absent;
}

double act_checkpoint_number(const ActCheckpoint *checkpoint, const char *key, double absent)
{
    const char *text = act_safetensors_note(&checkpoint->file, key);
    double value;
    return text && read_values(text, ACT_STATE_NUMBERS, &value, 1) ? value : absent;
}

/* ── loading: everything is read and compared, then everything is taken over ── */

typedef struct Load {
    const ActCheckpoint *checkpoint;
    ActInstance *m;
    ActState *state;
    void **value;         /* per slot: what the file says */
    int *present;         /* per slot of tensors: does the file hold them? */
    int other_optimizer;  /* its state needs no lines of its own */
    ActMisfit misfit;
    ActError *error;
} Load;

static ActStatus read_slot(Load *load, size_t s)
{
    const ActStateSlot *slot = &load->state->slot[s];
    const char *text = act_safetensors_note(&load->checkpoint->file,
                                            slot->key), *what = slot->what ? slot->what : slot->key;
    if (!text) {
        act_misfit_add(&load->misfit, "missing: the state `%s`", slot->key);
        return ACT_OK;
    }
    if (slot->text) {
        if (strcmp(text, slot->text) == 0) return ACT_OK;
        if (slot->kind == ACT_STATE_AGREE_HASH) {
            if (load->misfit.lines == 0) act_misfit_add(&load->misfit, "%s", what);
            return ACT_OK;
        }
        act_misfit_add(&load->misfit, "%s: `%s` here, `%s` in the file", what, slot->text, text);
        load->other_optimizer |= strcmp(what, "optimizer") == 0;
        return ACT_OK;
    }
    load->value[s] = malloc(slot->n * 8 + 8);
    if (!load->value[s]) return act_error_memory(load->error);
    if (!read_values(text, slot->kind, load->value[s], slot->n))
        return act_error(load->error, ACT_E_FORMAT, "`%s`: the metadata `%s` is `%.60s`, where %s stand",
                         load->checkpoint->path, slot->key, text,
                         slot->kind == ACT_STATE_NUMBERS ? slot->n == 1 ? "a number should" : "numbers should"
                         : slot->n == 1 ? "a count should" : "counts should");
    if (slot->kind == ACT_STATE_AGREE && *(uint64_t *)load->value[s] != slot->value)
        act_misfit_add(&load->misfit, "%s: %llu here, %llu in the file", what, (unsigned long long)slot->value,
                       *(unsigned long long *)load->value[s]);
    return ACT_OK;
}

/* What the file says at the place `present` points to. */
static int is_present(const Load *load, const uint64_t *present)
{
    for (size_t s = 0; present && s < load->state->n; s++) {
        const ActStateSlot *slot = &load->state->slot[s];
        const uint64_t *at = slot->at;
        if (slot->kind != ACT_STATE_COUNTS || !load->value[s]) continue;
        for (size_t i = 0; i < slot->n; i++)
            if (at + i == present) return ((const uint64_t *)load->value[s])[i] != 0;
    }
    return !present;
}

/* Keys of a training that nobody here asked for. */
static void refuse_unknown(Load *load)
{
    const cJSON *notes = cJSON_GetObjectItemCaseSensitive(load->checkpoint->file.header, "__metadata__");
    for (const cJSON *note = notes ? notes->child : NULL; note; note = note->next) {
        int known = strncmp(note->string, own, sizeof own - 1) != 0 || !strcmp(note->string, sum_key) ||
            !strcmp(note->string, format_key);
        for (size_t s = 0; !known && s < load->state->n; s++) known = strcmp(note->string,
                load->state->slot[s].key) == 0;
        if (!known) act_misfit_add(&load->misfit, "unknown: the state `%s`, which this training does not have", note->string);
    }
}

static ActStatus compare(Load *load, ActStoreEntry *entry)
{
    const ActModel *model = load->m->model;
    const ActSafetensors *file = &load->checkpoint->file;
    const char *name = act_safetensors_note(file, "model"), *hash = act_safetensors_note(file, "hash");
    char way_out[512];
    act_misfit_begin(&load->misfit, "`%s` is not a checkpoint of this training of model `%s`:", load->checkpoint->path, model->name);
    if (name && strcmp(name, model->name) != 0) act_misfit_add(&load->misfit, "model: `%s` here, `%s` in the file", model->name, name);
    for (size_t s = 0; s < load->state->n; s++) {
        ActStatus status = load->state->slot[s].kind == ACT_STATE_TENSORS ? ACT_OK : read_slot(load, s);
        if (status != ACT_OK) return status;
    }
    refuse_unknown(load);
    for (size_t s = 0; s < load->state->n; s++) load->present[s] = is_present(load, load->state->slot[s].present);
    size_t n = list_entries(load->m, load->state, load->present, entry), before = load->misfit.lines;
    if (load->other_optimizer || load->misfit.lines) act_fit_tensors(&load->misfit, entry, model->n_param, file,
                                                                     ACT_FIT_TRAINING);
    else act_fit_tensors(&load->misfit, entry, n, file, ACT_FIT_EXACT);
    int shapes = load->misfit.lines > before;
    if (!shapes && hash && model->hash && strcmp(hash, model->hash) != 0)
        act_misfit_add(&load->misfit, "the network: its parameters have the same shapes, but what it computes was changed since");
    char *path = act_command_word(load->checkpoint->path);
    if (shapes || !path) snprintf(way_out, sizeof way_out, "Without `--resume` the training begins anew");
    else snprintf(way_out, sizeof way_out, "`--weights %.400s` begins a new training from its weights", path);
    free(path);
    return act_misfit_end(&load->misfit, way_out, load->error);
}

static void take_over(Load *load, const ActStoreEntry *entry, size_t n, void *scratch)
{
    for (size_t s = 0; s < load->state->n; s++) {
        const ActStateSlot *slot = &load->state->slot[s];
        if (slot->kind == ACT_STATE_COUNTS || slot->kind == ACT_STATE_NUMBERS) memcpy(slot->at, load->value[s],
                slot->n * 8);
    }
    for (size_t i = 0; i < n; i++) {
        act_stored_convert(act_fit_find(&load->checkpoint->file, &entry[i]), entry[i].tensor->type == ACT_I32, scratch);
        act_tensor_from_file(entry[i].tensor, scratch, (void *)(uintptr_t)entry[i].block);
    }
}

/* Elements of the largest of n tensors, at least `largest`. NULL: none. */
static uint64_t largest_tensor(const ActTensor *tensor, size_t n, uint64_t largest)
{
    for (size_t i = 0; tensor && i < n; i++)
        if (act_layout_elements(&tensor[i]) > largest) largest = act_layout_elements(&tensor[i]);
    return largest;
}

ActStatus act_checkpoint_load(const ActCheckpoint *checkpoint, ActInstance *instance, ActFacts *facts, ActState *state,
                              ActError *error)
{
    const ActModel *model = instance->model;
    size_t most = entry_count(model, state);
    Load load = { .checkpoint = checkpoint, .m = instance, .state = state, .error = error };
    ActStoreEntry *entry = calloc(most + 1, sizeof *entry);
    ActFacts found = { 0 };
    load.value = calloc(state->n + 1, sizeof *load.value);
    load.present = calloc(state->n + 1, sizeof *load.present);
    uint64_t largest = 1;
    largest = largest_tensor(model->param, model->n_param, largest_tensor(model->state, model->n_state, largest));
    for (size_t s = 0; s < state->n; s++) largest = largest_tensor(state->slot[s].tensor, state->slot[s].n, largest);
    void *scratch = malloc(largest * 4);
    int room = entry && load.value && load.present && scratch && !state->failed;
    ActStatus status = room ? ACT_OK : act_error_memory(error);
    if (status == ACT_OK) status = compare(&load, entry);
    if (status == ACT_OK) status = act_facts_new(&found, model, error);
    if (status == ACT_OK) status = act_facts_read(&found, model, &checkpoint->file, checkpoint->path, error);
    if (status == ACT_OK) {
        act_facts_free(facts);
        *facts = found;
        found = (ActFacts){ 0 };
        take_over(&load, entry, list_entries(instance, state, load.present, entry), scratch);
    }
    act_facts_free(&found);
    for (size_t s = 0; load.value && s < state->n; s++) free(load.value[s]);
    free(load.value);
    free(load.present);
    free(scratch);
    free(entry);
    return status;
}
