/* The engine of the programs that throw damaged files at a part of the compiler:
 *
 *     NAME --count 200000 --seed 1 [--first N] FILES…     rounds first … first + count - 1
 *     NAME --only N --seed 1 FILES…                       one round again, its text on standard output
 *     NAME --as-is FILES…                                 the files themselves, undamaged
 *
 * Each round takes a file, damages it (bytes, words, pieces of another file, deep nesting) and hands the text to
 * `judge`, which gives NULL or what is wrong. A round depends only on the seed, its number and the files. One that
 * crashes, or takes longer than SECONDS, says which it was. */
#ifndef ACT_FUZZ_MUTATE_H
#define ACT_FUZZ_MUTATE_H

#include "base/file.h"
#include "base/vec.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum {
    LARGEST = 16 << 10, /* bytes of a text */
    MUTATIONS = 6,
    SECONDS = 5 /* of the processor; a sanitizer makes one second long */
};

typedef struct Random {
    uint64_t state;
} Random;

static inline uint32_t random_below(Random *r, uint32_t n)
{
    uint64_t z = r->state += 0x9e3779b97f4a7c15u; /* splitmix64 */
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return n ? (uint32_t)((z ^ z >> 31) % n) : 0;
}

typedef struct Piece {
    uint32_t begin, end;
} Piece;

static inline bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Some word or mark of the text. */
static inline Piece pick_word(Random *r, Str text)
{
    Piece piece = {0, 0};
    if (!text.n)
        return piece;
    piece.begin = random_below(r, text.n);
    while (piece.begin > 0 && is_word(text.p[piece.begin]) && is_word(text.p[piece.begin - 1]))
        piece.begin--;
    piece.end = piece.begin + 1;
    while (piece.end < text.n && is_word(text.p[piece.begin]) && is_word(text.p[piece.end]))
        piece.end++;
    return piece;
}

static inline Piece pick_piece(Random *r, Str text, uint32_t most)
{
    uint32_t begin = random_below(r, text.n + 1), n = random_below(r, most);
    return (Piece){begin, begin + n < text.n ? begin + n : text.n};
}

/* text with [piece) replaced. */
static inline Str replace(Arena *arena, Str text, Piece piece, Str by)
{
    Text out = {.arena = arena};
    text_add(&out, (Str){text.p, piece.begin});
    text_add(&out, by);
    text_add(&out, (Str){text.p + piece.end, text.n - piece.end});
    return text_str(&out);
}

static inline Str repeated(Arena *arena, const char *what, uint32_t n)
{
    Text out = {.arena = arena};
    for (uint32_t i = 0; i < n; i++)
        text_add(&out, str_of(what));
    return text_str(&out);
}

static inline Str mutate_once(Arena *arena, Random *r, Str text, Str other)
{
    static const char *const tokens[] = {
        "(", ")", "[", "]", "{", "}", ",", ";", ":", "=", "+", "-", "*", "/", "^", ".", "..", "|>", "<", "<=", ">",
        ">=", "==", "!=", "@allow(a, reason = \"b\") ", "@", "\"", "\"abc", "'x'", "#", "##", "\n", "\r\n", "\t", " ",
        "0", "1e9", "1e999", "1_0", ".5", "3.", "0x1", "if ", " then ", " else ", " as x", " in [0, 1]", " for g",
        " when training", "input ", "loss ", "model ", "train ", "data ", "block ", "param ", "import ", "activation ",
        "optimizer ", "share ", "state ", "target ", "output ", "metric ", "schedule ", "initializer ", "function ",
        "\xc3\xa9", "\xe2\x88\x92", "\xff", "\xe2\x82", "\xc2\xa0", "\xef\xbb\xbf", "\\", "`", "$", "&&", "->", "**",
        "//", "x = 1\n", "a, b = f(x)\n", "}\n", "\n}\n\n",
    };
    static const char *const nests[] = {
        "(", "[", "{", "- ", "f(", "if a then ", "2^", "a |> ", "a.", "block b(x) {\n", "((x), ", "a + ",
    };
    Piece a = pick_word(r, text), b = pick_word(r, text);
    Str word = {text.p + b.begin, b.end - b.begin};
    Str token = str_of(tokens[random_below(r, sizeof tokens / sizeof *tokens)]);
    switch (random_below(r, 11)) {
    case 0: { /* another byte */
        char byte = (char)random_below(r, 256);
        Piece at = pick_piece(r, text, 2);
        return replace(arena, text, at, (Str){&byte, 1});
    }
    case 1: /* a bit less */
        return replace(arena, text, pick_piece(r, text, 4), STR(""));
    case 2: /* much less */
        return replace(arena, text, pick_piece(r, text, 200), STR(""));
    case 3: /* a word less */
        return replace(arena, text, a, STR(""));
    case 4: /* a word twice, somewhere else */
        return replace(arena, text, (Piece){a.begin, a.begin}, word);
    case 5: /* a word instead of another */
        return replace(arena, text, a, word);
    case 6: { /* a piece of another file */
        Piece from = pick_piece(r, other, 300);
        return replace(arena, text, pick_piece(r, text, 20), (Str){other.p + from.begin, from.end - from.begin});
    }
    case 7:
    case 8: /* a token too many */
        return replace(arena, text, (Piece){a.begin, a.begin}, token);
    case 9: /* a token instead of a word */
        return replace(arena, text, a, token);
    default: /* deep nesting, seldom very deep */
        return replace(arena, text, (Piece){a.begin, a.begin},
                       repeated(arena, nests[random_below(r, sizeof nests / sizeof *nests)],
                                random_below(r, random_below(r, 8) ? 6 : 400)));
    }
}

/* The text of a round. */
static inline Str mutant(Arena *arena, uint64_t seed, uint64_t round, const Str *text, uint32_t n)
{
    Random r = {seed * 0x2545f4914f6cdd1du + round * 0x9e3779b97f4a7c15u};
    Str result = text[random_below(&r, n)];
    for (uint32_t left = 1 + random_below(&r, MUTATIONS); left > 0; left--)
        result = mutate_once(arena, &r, result, text[random_below(&r, n)]);
    if (result.n > LARGEST)
        result.n = LARGEST;
    return result;
}

/* ── the program ── */

typedef const char *(*Judge)(Arena *arena, Str text);

static bool fuzz_values; /* --values: a judge that can compares values, too */
static const char *fuzz_name;
static char fuzz_round[64]; /* written before the round, so that a signal handler can print it */

static void fuzz_died(int signal_number)
{
    const char *why = signal_number == SIGPROF ? ": takes too long\n" : ": crashes\n";
    if (write(2, fuzz_name, strlen(fuzz_name)) < 0 || write(2, fuzz_round, strlen(fuzz_round)) < 0 ||
        write(2, why, strlen(why)) < 0)
        _exit(3);
    signal(signal_number == SIGPROF ? SIGABRT : signal_number, SIG_DFL);
    abort();
}

/* With the address sanitizer a finding ends in abort(), so that the handler can name the round. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "abort_on_error=1:detect_leaks=0"; }

static inline bool fuzz_one(Judge judge, Str text)
{
    Arena *arena = arena_new();
    setitimer(ITIMER_PROF, &(struct itimerval){.it_value.tv_sec = SECONDS}, NULL);
    const char *wrong = judge(arena, text);
    setitimer(ITIMER_PROF, &(struct itimerval){.it_value.tv_sec = 0}, NULL);
    if (wrong)
        fprintf(stderr, "%s%s: %s\n", fuzz_name, fuzz_round, wrong);
    arena_free(arena);
    return wrong == NULL;
}

static inline int fuzz_main(int argc, char **argv, const char *name, Judge judge)
{
    uint64_t count = 10000, seed = 1, first = 0;
    bool only = false, as_is = false, bad = false;
    Arena *files = arena_new();
    VEC(Str) text = {0};
    fuzz_name = name;
    for (int i = 1; i < argc; i++) {
        Str why;
        bool value = i + 1 < argc;
        if (!strcmp(argv[i], "--count") && value)
            count = strtoull(argv[++i], NULL, 10);
        else if (!strcmp(argv[i], "--seed") && value)
            seed = strtoull(argv[++i], NULL, 10);
        else if ((!strcmp(argv[i], "--only") || !strcmp(argv[i], "--first")) && value) {
            only = argv[i][2] == 'o';
            first = strtoull(argv[++i], NULL, 10);
        } else if (!strcmp(argv[i], "--as-is"))
            as_is = true;
        else if (!strcmp(argv[i], "--values"))
            fuzz_values = true;
        else if (!file_read(files, str_of(argv[i]), vec_push(files, &text), &why)) {
            fprintf(stderr, "%s: " STR_FMT "\n", name, STR_ARG(why));
            return 2;
        }
    }
    if (!text.n) {
        fprintf(stderr, "usage: %s [--count N] [--seed S] [--first ROUND] [--only ROUND] [--as-is] [--values] FILES…\n",
                name);
        return 2;
    }
    signal(SIGABRT, fuzz_died);
    signal(SIGPROF, fuzz_died);
    signal(SIGSEGV, fuzz_died);
    signal(SIGFPE, fuzz_died);
    if (as_is || only)
        count = as_is ? text.n : 1;
    for (uint64_t round = first; round < first + count && !bad; round++) {
        Arena *arena = arena_new();
        Str damaged = as_is ? text.at[round] : mutant(arena, seed, round, text.at, text.n);
        if (only)
            fwrite(damaged.p, 1, damaged.n, stdout);
        fflush(stdout);
        snprintf(fuzz_round, sizeof fuzz_round, ": seed %llu round %llu", (unsigned long long)seed,
                 (unsigned long long)round);
        bad = !fuzz_one(judge, damaged);
        arena_free(arena);
    }
    if (!bad)
        printf("%llu rounds, nothing found\n", (unsigned long long)count);
    arena_free(files);
    return bad;
}

#endif
