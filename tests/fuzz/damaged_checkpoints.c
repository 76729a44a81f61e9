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
#include <sys/time.h>
#define assert_non_null(x) assert(x)
#define assert_int_equal(a, b) assert((a) == (b))
#define assert_true(x) assert(x)
#include "../unit/runtime/toy_model.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LARGEST = 1 << 16, MUTATIONS = 4, SECONDS = 5 };

static unsigned long round_now;
static volatile sig_atomic_t stop;

typedef struct Bytes { unsigned char at[LARGEST]; size_t n; } Bytes;

static uint64_t random_state;
static uint64_t below(uint64_t n)
{
    uint64_t z = random_state += 0x9e3779b97f4a7c15u; /* splitmix64 */
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return n ? (z ^ z >> 31) % n : 0;
}

static void fatal(int number)
{
    char line[80];
    int n = snprintf(line, sizeof line, "round %lu: signal %d\n", round_now, number);
    if (write(STDERR_FILENO, line, (size_t)n) < 0) _exit(3);
    _exit(2);
}

static void die(const char *what, const char *text)
{
    fprintf(stderr, "round %lu: %s: %s\n", round_now, what, text);
    exit(1);
}

static uint64_t header_length(const Bytes *b)
{
    uint64_t n = 0;
    memcpy(&n, b->at, 8);
    return n < b->n - 8 ? n : b->n - 8;
}

/* Bytes [from, from + old) become n others; the header's length follows when it is in there. */
static void replace(Bytes *b, size_t from, size_t old, const void *with, size_t n, int follow)
{
    if (from + old > b->n || b->n - old + n > LARGEST) return;
    memmove(b->at + from + n, b->at + from + old, b->n - from - old);
    memcpy(b->at + from, with, n);
    b->n += n - old;
    uint64_t length;
    memcpy(&length, b->at, 8);
    length += n - old;
    if (follow) memcpy(b->at, &length, 8);
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
    replace(b, begin, end - begin, word, strlen(word), below(8) != 0);
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
    case 2: replace(b, at, 0, piece, below(sizeof piece), below(2) != 0); break;
    case 3: replace(b, at, below(32) < b->n - at ? below(32) : 0, zeros, 0, below(2) != 0); break;
    case 4: b->at[below(8)] = (unsigned char)below(256); break;
    case 5: replace(b, b->n, 0, zeros, below(64), 0); break;
    default: change_word(b);
    }
}

static Bytes *read_file(const char *path)
{
    Bytes *b = calloc(1, sizeof *b);
    FILE *file = fopen(path, "rb");
    if (!b || !file) die("can't be read", path);
    b->n = fread(b->at, 1, LARGEST, file);
    fclose(file);
    return b;
}

static ToyModel t;
static ActError error;
static char folder[64], mutant[96], out[96];

static void judge(const Bytes *good, const float wanted[32])
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
    FILE *file = fopen(mutant, "wb");
    if (!file || fwrite(b->at, 1, b->n, file) != b->n || fclose(file) != 0) die("can't be written", mutant);
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
    unsigned long count = 1000, seed = 1, only = 0;
    const char *data = NULL;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--count") == 0 && i + 1 < argc) count = strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc) seed = strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc) only = strtoul(argv[++i], NULL, 10);
        else data = argv[i];
    }
    snprintf(folder, sizeof folder, "%s/act-fuzz-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"); /* syncing takes long */
    if (!data || !mkdtemp(folder)) die("usage", "damaged_checkpoints [--count N] [--seed N] FOLDER");
    toy_make(&t, data, 0);
    t.field[0].path = t.field[1].path = "iris-train.csv";
    t.field[2].path = t.field[3].path = "iris-test.csv";
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
    float wanted[32];
    memcpy(wanted, m->param, sizeof wanted);
    act_instance_free(m);
    char path[128];
    snprintf(path, sizeof path, "%s/toy.step-00000008.safetensors", out);
    Bytes *good = read_file(path);

    const int fatals[] = { SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGVTALRM };
    for (size_t i = 0; i < sizeof fatals / sizeof *fatals; i++) signal(fatals[i], fatal);
    for (round_now = only ? only : 1; round_now <= (only ? only : count); round_now++) {
        const struct itimerval limit = { { 0, 0 }, { SECONDS, 0 } };
        setitimer(ITIMER_VIRTUAL, &limit, NULL);
        random_state = seed * 0x9e3779b97f4a7c15u ^ round_now;
        judge(good, wanted);
        if (only) printf("%s\n", error.text);
    }
    if (!only) printf("%lu damaged checkpoints\n", count);
    free(good);
    snprintf(path, sizeof path, "rm -rf '%s'", folder);
    return only ? 0 : system(path);
}
