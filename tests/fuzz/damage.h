/* What programs that throw damaged files at the runtime share: bytes, random numbers of a round's own, and the rounds.
 *
 *     damaged_… --count 10000 --seed 1      so many rounds
 *     damaged_… --only N --seed 1           one of them again
 *
 * A round that dies, hangs or finds something says its number. */
#ifndef ACT_TEST_DAMAGE_H
#define ACT_TEST_DAMAGE_H

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum { LARGEST = 1 << 16, MUTATIONS = 4 };

typedef struct Bytes { unsigned char at[LARGEST]; size_t n; } Bytes;

typedef struct Rounds {
    unsigned long count, seed, only; /* only 0: all */
    const char *rest;                /* the argument that is no option; NULL: none */
} Rounds;

static unsigned long round_now;
static uint64_t random_state;
static char folder[64];              /* of the files */

static uint64_t below(uint64_t n)
{
    uint64_t z = random_state += 0x9e3779b97f4a7c15u; /* splitmix64 */
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return n ? (z ^ z >> 31) % n : 0;
}

static void die(const char *what, const char *text)
{
    fprintf(stderr, "round %lu: %s: %s\n", round_now, what, text);
    exit(1);
}

static void fatal(int number)
{
    char line[80];
    int n = snprintf(line, sizeof line, "round %lu: signal %d\n", round_now, number);
    if (write(STDERR_FILENO, line, (size_t)n) < 0) _exit(3);
    _exit(2);
}

/* Bytes [from, from + old) become n others; 0: there is no room for them. */
static int replace(Bytes *b, size_t from, size_t old, const void *with, size_t n)
{
    if (from + old > b->n || b->n - old + n > LARGEST) return 0;
    memmove(b->at + from + n, b->at + from + old, b->n - from - old);
    memcpy(b->at + from, with, n);
    b->n += n - old;
    return 1;
}

static void write_file(const char *path, const Bytes *b)
{
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(b->at, 1, b->n, file) != b->n || fclose(file) != 0) die("can't be written", path);
}

/* To be freed. */
static inline Bytes *read_file(const char *path)
{
    Bytes *b = calloc(1, sizeof *b);
    FILE *file = fopen(path, "rb");
    if (!b || !file) die("can't be read", path);
    b->n = fread(b->at, 1, LARGEST, file);
    fclose(file);
    return b;
}

/* Reads the options, and makes the folder. */
static Rounds rounds_begin(int argc, char **argv)
{
    Rounds r = { .count = 1000, .seed = 1 };
    for (int i = 1; i < argc; i++) {
        unsigned long *to = strcmp(argv[i], "--count") == 0 ? &r.count : strcmp(argv[i], "--seed") == 0 ? &r.seed : NULL;
        if (strcmp(argv[i], "--only") == 0) to = &r.only;
        if (to && i + 1 < argc) *to = strtoul(argv[++i], NULL, 10);
        else if (to || argv[i][0] == '-' || r.rest) die("usage", "damaged_… [--count N] [--seed N] [--only N] [FOLDER]");
        else r.rest = argv[i];
    }
    snprintf(folder, sizeof folder, "%s/act-fuzz-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"); /* syncing takes long */
    if (!mkdtemp(folder)) die("no folder", folder);
    return r;
}

/* `judge` in every round, for at most so many seconds; what it leaves in `told` is printed where there is only one. */
static void rounds_run(const Rounds *r, int seconds, void (*judge)(void), const char *told)
{
    const int fatals[] = { SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGVTALRM };
    for (size_t i = 0; i < sizeof fatals / sizeof *fatals; i++) signal(fatals[i], fatal);
    for (round_now = r->only ? r->only : 1; round_now <= (r->only ? r->only : r->count); round_now++) {
        const struct itimerval limit = { { 0, 0 }, { seconds, 0 } };
        setitimer(ITIMER_VIRTUAL, &limit, NULL);
        random_state = r->seed * 0x9e3779b97f4a7c15u ^ round_now;
        judge();
        if (r->only) printf("%s\n", told);
    }
}

/* The folder goes, with what is in it. */
static void rounds_end(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    if (system(command) != 0) die("can't be removed", folder);
}

#endif
