/* Throws damaged programs at the parser: parse_mutate --count 200000 --seed 1 FILES…
 *
 * Each round takes a file, damages it (bytes, words, pieces of another file, deep nesting) and parses it. Whatever comes out is
 * held against what must always be true: a mistake gives a diagnostic, no diagnostic means a tree without ERROR, such a
 * tree survives its own printing, and every diagnostic can be written in every format. Run it under the asan preset.
 * A round depends only on the seed and its number: --only N repeats one, and prints its text. */
#include "base/file.h"
#include "syntax/parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST = 16 << 10, MUTATIONS = 6 };

typedef struct Random {
    uint64_t state;
} Random;

static uint32_t random_below(Random *r, uint32_t n)
{
    uint64_t z = r->state += 0x9e3779b97f4a7c15u; /* splitmix64 */
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return n ? (uint32_t)((z ^ z >> 31) % n) : 0;
}

typedef struct Piece {
    uint32_t begin, end;
} Piece;

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Some word or mark of the text. */
static Piece pick_word(Random *r, Str text)
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

static Piece pick_piece(Random *r, Str text, uint32_t most)
{
    uint32_t begin = random_below(r, text.n + 1), n = random_below(r, most);
    return (Piece){begin, begin + n < text.n ? begin + n : text.n};
}

/* text with [piece) replaced. */
static Str replace(Arena *arena, Str text, Piece piece, Str by)
{
    Text out = {.arena = arena};
    text_add(&out, (Str){text.p, piece.begin});
    text_add(&out, by);
    text_add(&out, (Str){text.p + piece.end, text.n - piece.end});
    return text_str(&out);
}

static Str repeated(Arena *arena, const char *what, uint32_t n)
{
    Text out = {.arena = arena};
    for (uint32_t i = 0; i < n; i++)
        text_add(&out, str_of(what));
    return text_str(&out);
}

static Str mutate_once(Arena *arena, Random *r, Str text, Str other)
{
    static const char *const tokens[] = {
        "(", ")", "[", "]", "{", "}", ",", ";", ":", "=", "+", "-", "*", "/", "^", ".", "..", "|>", "<", "<=", ">", ">=", "==",
        "!=", "@allow(a, reason = \"b\") ", "@", "\"", "\"abc", "'x'", "#", "##", "\n", "\r\n", "\t", " ", "0", "1e9", "1e999",
        "1_0", ".5", "3.", "0x1", "if ", " then ", " else ", " as x", " in [0, 1]", " for g", " when training", "input ", "loss ",
        "model ", "train ", "data ", "block ", "param ", "import ", "activation ", "optimizer ", "share ", "state ", "target ",
        "output ", "metric ", "\xc3\xa9", "\xe2\x88\x92", "\xff", "\xe2\x82", "\xc2\xa0", "\xef\xbb\xbf", "\\", "`", "$", "&&", "->",
        "**", "//", "x = 1\n", "a, b = f(x)\n", "}\n", "\n}\n\n", "schedule ", "initializer ", "function "};
    static const char *const nests[] = {"(", "[", "{", "- ", "f(", "if a then ", "2^", "a |> ", "a.", "block b(x) {\n", "((x), ", "a + "};
    Piece a = pick_word(r, text), b = pick_word(r, text);
    Str word = {text.p + b.begin, b.end - b.begin};
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
    case 6: /* a piece of another file */
    {
        Piece from = pick_piece(r, other, 300);
        return replace(arena, text, pick_piece(r, text, 20), (Str){other.p + from.begin, from.end - from.begin});
    }
    case 7:
    case 8: /* a token too many */
        return replace(arena, text, (Piece){a.begin, a.begin}, str_of(tokens[random_below(r, sizeof tokens / sizeof *tokens)]));
    case 9: /* a token instead of a word */
        return replace(arena, text, a, str_of(tokens[random_below(r, sizeof tokens / sizeof *tokens)]));
    default: /* deep nesting, seldom very deep */
        return replace(arena, text, (Piece){a.begin, a.begin},
                       repeated(arena, nests[random_below(r, sizeof nests / sizeof *nests)],
                                random_below(r, random_below(r, 8) ? 6 : 400)));
    }
}

static bool has_error(const Ast *node)
{
    if (!node)
        return false;
    bool found = node->kind == AST_ERROR;
    for (uint32_t i = 0; i < node->n_kid && !found; i++)
        found = has_error(node->kid[i]);
    return found;
}

/* NULL, or what is wrong with what the parser made of the text. */
static const char *judge(Arena *arena, Str text)
{
    Sources sources = {.arena = arena};
    Diags diags = {.arena = arena, .sources = &sources};
    const Source *source = source_add(&sources, STR("mutant.act"), text, false);
    const Ast *root = parse_source(arena, &diags, source);
    if (root->kind != AST_FILE)
        return "the root is no FILE";
    diag_sort(&diags);
    for (uint32_t i = 0; i < diags.list.n && i < 50; i++) {
        diag_render(arena, diags.list.at[i], &(DiagStyle){.format = DIAG_HUMAN, .columns = i % 2 ? 60 : 0, .colour = i % 3});
        diag_render(arena, diags.list.at[i], &(DiagStyle){.format = DIAG_JSON});
    }
    ast_dump(arena, root);
    format_source(arena, source, root); /* must not crash on a broken file, whatever it gives */
    if (diags.list.n)
        return NULL;
    if (has_error(root))
        return "an ERROR without a diagnostic";
    Str canonical = format_source(arena, source, root);
    const Source *again = source_add(&sources, STR("canonical.act"), canonical, false);
    const Ast *second = parse_source(arena, &diags, again);
    if (diags.list.n || !ast_equal(root, second))
        return "the canonical form means something else";
    if (!str_eq(canonical, format_source(arena, again, second)))
        return "the canonical form is not stable";
    const Source *line = source_add(&sources, STR("line.act"), format_expr(arena, root), false);
    const Ast *third = parse_source(arena, &diags, line);
    if (diags.list.n || !ast_equal(root, third))
        return "the tree as text means something else";
    return NULL;
}

int main(int argc, char **argv)
{
    uint64_t count = 10000, seed = 1, only = UINT64_MAX, clean = 0;
    Arena *files = arena_new();
    VEC(Str) text = {0};
    for (int i = 1; i < argc; i++) {
        Str why;
        if (!strcmp(argv[i], "--count") && i + 1 < argc)
            count = strtoull(argv[++i], NULL, 10);
        else if (!strcmp(argv[i], "--seed") && i + 1 < argc)
            seed = strtoull(argv[++i], NULL, 10);
        else if (!strcmp(argv[i], "--only") && i + 1 < argc)
            only = strtoull(argv[++i], NULL, 10);
        else if (!file_read(files, str_of(argv[i]), vec_push(files, &text), &why)) {
            fprintf(stderr, "parse_mutate: " STR_FMT "\n", STR_ARG(why));
            return 2;
        }
    }
    if (!text.n) {
        fprintf(stderr, "usage: parse_mutate [--count N] [--seed S] [--only ROUND] FILES…\n");
        return 2;
    }
    for (uint64_t round = only == UINT64_MAX ? 0 : only; round < count || only != UINT64_MAX; round++) {
        Arena *arena = arena_new();
        Random r = {seed * 0x2545f4914f6cdd1du + round * 0x9e3779b97f4a7c15u};
        Str mutant = text.at[random_below(&r, text.n)];
        for (uint32_t n = 1 + random_below(&r, MUTATIONS); n > 0; n--)
            mutant = mutate_once(arena, &r, mutant, text.at[random_below(&r, text.n)]);
        if (mutant.n > LARGEST)
            mutant.n = LARGEST;
        if (only != UINT64_MAX)
            fwrite(mutant.p, 1, mutant.n, stdout);
        fflush(stdout);
        const char *wrong = judge(arena, mutant);
        clean += wrong == NULL;
        if (wrong) {
            fprintf(stderr, "parse_mutate: seed %llu round %llu: %s\n", (unsigned long long)seed, (unsigned long long)round, wrong);
            arena_free(arena);
            arena_free(files);
            return 1;
        }
        arena_free(arena);
        if (only != UINT64_MAX)
            break;
    }
    printf("%llu rounds, nothing found\n", (unsigned long long)clean);
    arena_free(files);
    return 0;
}
