/* Throws damaged checkpoints at a training that goes on: damaged_checkpoints --count 10000 --seed 1 FOLDER-OF-DATA
 *                                                         damaged_checkpoints --only N --seed 1 FOLDER-OF-DATA
 *
 * Whatever comes out is held against what must always be true: a file that is refused is named in the message; one whose checksum is
 * still in it is taken only when it is the file that was written, bit for bit in its effect. In half of the rounds the checksum's
 * key is gone, so that what lies behind it sees the damage, too. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "act/act.h"

#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#define assert_non_null(x) assert(x)
#define assert_int_equal(a, b) assert((a) == (b))
#define assert_true(x) assert(x)
#include "../unit/runtime/toy_model.h"

#include "damage.h"

enum { SECONDS = 5 };

static volatile sig_atomic_t stop;

static uint64_t header_length(const Bytes *b)
{
    uint64_t n = 0;
    memcpy(&n, b->at, 8);
    return n < b->n - 8 ? n : b->n - 8;
}

/* The header's length follows when that is in there. */
static void replace_some(Bytes *b, size_t from, size_t old, const void *with, size_t n, int follow)
{
    uint64_t length;
    if (!replace(b, from, old, with, n) || !follow) return;
    memcpy(&length, b->at, 8);
    length += n - old;
    memcpy(b->at, &length, 8);
}

static int is_word(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-' || c == '_';
}

/* A word of the header, a number, a name or a type, gives way to another. */
static void change_word(Bytes *b)
{
    static const char *const words[] = {
        "0", "1", "7", "-1", "4294967296", "18446744073709551616", "1e308", "nan", "inf", "-inf", "0x10", "", "F64", "F16", "I32", "BOOL",
        "null", "{}", "[]", "true", "\\u0000", "\\ud800", "train.step", "train.rows", "linear1.weight", "linear1.weight.v", "best:linear1.bias",
        "99999999999999999999999999999999999999", "0.30000000000000004", "1 2 3", " 5", "5 ", "__metadata__", "\"", "\\", "[[[[[[[[[[[[[[[[",
    };
    uint64_t length = header_length(b);
    if (length == 0) return;
    size_t begin = 8 + below(length), end = begin;
    while (begin > 8 && is_word(b->at[begin - 1])) begin--;
    while (end < 8 + length && is_word(b->at[end])) end++;
    const char *word = words[below(sizeof words / sizeof *words)];
    replace_some(b, begin, end - begin, word, strlen(word), below(8) != 0);
}

static void damage(Bytes *b)
{
    static const unsigned char zeros[64];
    unsigned char piece[32];
    if (b->n < 64) return;
    memcpy(piece, b->at + below(b->n - sizeof piece), sizeof piece);
    size_t at = below(b->n);
    switch (below(9)) {
    case 0: b->at[at] ^= (unsigned char)(1 << below(8)); break;
    case 1: b->n = below(b->n); break;
    case 2: replace_some(b, at, 0, piece, below(sizeof piece), below(2) != 0); break;
    case 3: replace_some(b, at, below(32) < b->n - at ? below(32) : 0, zeros, 0, below(2) != 0); break;
    case 4: b->at[below(8)] = (unsigned char)below(256); break;
    case 5: replace_some(b, b->n, 0, zeros, below(64), 0); break;
    default: change_word(b);
    }
}

static ToyModel t;
static ActError error;
static char mutant[96], out[96];
static Bytes *good;
static float wanted[32];

static void judge(void)
{
    Bytes *b = malloc(sizeof *b);
    if (!b) die("memory", "none");
    *b = *good;
    int summed = (int)below(2);
    if (!summed)
        for (size_t i = 8; i + 12 < b->n; i++)
            if (memcmp(b->at + i, "train.crc32", 11) == 0) b->at[i] = 'x';
    for (uint64_t n = 1 + below(MUTATIONS); n > 0; n--) damage(b);
    int unchanged = b->n == good->n && memcmp(b->at, good->at, b->n) == 0;
    write_file(mutant, b);
    ActInstance *m = act_instance_new(&t.model, 1, &error);
    if (!m) die("instance", error.text);
    const ActRun run = { .out = out, .resume = mutant, .epochs = 3, .checkpoint_never = 1 };
    ActStatus status = act_train(m, &run, NULL, &error);
    int lost = memmem(b->at, b->n, "train.crc32", 11) == NULL;
    if (status == ACT_OK && !lost && memcmp(m->param, wanted, 128) != 0) die("taken, and not the same", "");
    if (status != ACT_OK && unchanged) die("refused though good", error.text);
    if (status != ACT_OK && status != ACT_E_NONFINITE && !strstr(error.text, "mutant")) die("a message without the file", error.text);
    if (status == ACT_E_STOPPED) die("an unexpected status", error.text);
    act_instance_free(m);
    free(b);
}

int main(int argc, char **argv)
{
    const Rounds rounds = rounds_begin(argc, argv);
    if (!rounds.rest) die("usage", "damaged_checkpoints [--count N] [--seed N] FOLDER-OF-DATA");
    toy_iris(&t, rounds.rest, 0);
    t.data.validation_split = 0.25;
    snprintf(out, sizeof out, "%s/out", folder);
    snprintf(mutant, sizeof mutant, "%s/mutant", folder);

    /* behind step 8 of 18: in the second epoch, the best of the first beside it */
    ActInstance *m = act_instance_new(&t.model, 1, &error);
    toy.stop = &stop;
    toy.stop_at = 8;
    const ActRun begin = { .out = out, .epochs = 3, .checkpoint_never = 1, .stop = &stop };
    if (act_train(m, &begin, NULL, &error) != ACT_E_STOPPED) die("no checkpoint", error.text);
    toy.stop = NULL;
    const ActRun whole = { .out = out, .epochs = 3, .checkpoint_never = 1, .resume = "" };
    if (act_train(m, &whole, NULL, &error) != ACT_OK) die("no training", error.text);
    memcpy(wanted, m->param, sizeof wanted);
    act_instance_free(m);
    char path[128];
    snprintf(path, sizeof path, "%s/toy.step-00000008.safetensors", out);
    good = read_file(path);

    rounds_run(&rounds, SECONDS, judge, error.text);
    if (!rounds.only) printf("%lu damaged checkpoints\n", rounds.count);
    free(good);
    rounds_end();
    return 0;
}
