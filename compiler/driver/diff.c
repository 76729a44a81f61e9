#include "driver/diff.h"

#include "base/vec.h"

enum { DIFF_CONTEXT = 3, DIFF_LIMIT = 4 << 20 /* cells of the table */ };

typedef struct Lines {
    Str *at; /* each with its line end */
    uint32_t n;
} Lines;

static Lines split_lines(Arena *arena, Str text)
{
    VEC(Str) lines = {0};
    for (uint32_t begin = 0; begin < text.n;) {
        uint32_t end = begin;
        while (end < text.n && text.p[end] != '\n')
            end++;
        end += end < text.n;
        *vec_push(arena, &lines) = (Str){text.p + begin, end - begin};
        begin = end;
    }
    return (Lines){lines.at, lines.n};
}

/* One line of the result: of both texts, or of one. */
typedef struct Step {
    char mark; /* ' ', '-', '+' */
    Str line;
    uint32_t old, now; /* how many lines of either stand before it */
} Step;

typedef VEC(Step) Steps;

/* The longest common subsequence of the parts that differ, by the plain table; parts too large for it count as
 * replaced. */
static void diff_middle(Arena *arena, Steps *steps, Lines a, uint32_t a0, uint32_t a1, Lines b, uint32_t b0,
                        uint32_t b1)
{
    uint32_t n = a1 - a0, m = b1 - b0, wide = m + 1;
    bool table = (uint64_t)(n + 1) * wide <= DIFF_LIMIT;
    uint32_t *common = table ? arena_array(arena, uint32_t, (size_t)(n + 1) * wide) : NULL;
    for (uint32_t i = n; table && i-- > 0;)
        for (uint32_t k = m; k-- > 0;) {
            uint32_t down = common[(i + 1) * wide + k], right = common[i * wide + k + 1];
            common[i * wide + k] = str_eq(a.at[a0 + i], b.at[b0 + k]) ? common[(i + 1) * wide + k + 1] + 1
                                   : down > right                     ? down
                                                                      : right;
        }
    uint32_t i = 0, k = 0;
    while (i < n || k < m) {
        bool same = table && i < n && k < m && str_eq(a.at[a0 + i], b.at[b0 + k]);
        bool remove = !same && i < n && (k == m || !table || common[(i + 1) * wide + k] >= common[i * wide + k + 1]);
        Step step = {same ? ' ' : remove ? '-' : '+', same || remove ? a.at[a0 + i] : b.at[b0 + k], a0 + i, b0 + k};
        *vec_push(arena, steps) = step;
        i += same || remove;
        k += same || !remove;
    }
}

static void print_step(Text *out, const Step *step, bool colour)
{
    const char *paint = !colour || step->mark == ' ' ? "" : step->mark == '-' ? "\033[31m" : "\033[32m";
    bool ended = step->line.n && step->line.p[step->line.n - 1] == '\n';
    text_printf(out, "%s%c" STR_FMT "%s\n", paint, step->mark, (int)(step->line.n - ended), step->line.p,
                *paint ? "\033[0m" : "");
    if (!ended)
        text_add(out, STR("\\ No newline at end of file\n"));
}

static void print_range(Text *out, char mark, uint32_t begin, uint32_t count)
{
    text_printf(out, "%c%u", mark, count ? begin + 1 : begin);
    if (count != 1)
        text_printf(out, ",%u", count);
}

/* Changes closer than two contexts make one hunk. */
static void print_hunks(Text *out, const Steps *steps, bool colour)
{
    for (uint32_t at = 0; at < steps->n;) {
        while (at < steps->n && steps->at[at].mark == ' ')
            at++;
        if (at == steps->n)
            break;
        uint32_t begin = at > DIFF_CONTEXT ? at - DIFF_CONTEXT : 0, end = at, quiet = 0;
        for (uint32_t i = at; i < steps->n && quiet <= 2 * DIFF_CONTEXT; i++) {
            quiet = steps->at[i].mark == ' ' ? quiet + 1 : 0;
            end = quiet ? end : i + 1;
        }
        at = end;
        end = end + DIFF_CONTEXT < steps->n ? end + DIFF_CONTEXT : steps->n;
        uint32_t old = 0, now = 0;
        for (uint32_t i = begin; i < end; i++) {
            old += steps->at[i].mark != '+';
            now += steps->at[i].mark != '-';
        }
        text_printf(out, "%s@@ ", colour ? "\033[36m" : "");
        print_range(out, '-', steps->at[begin].old, old);
        text_putc(out, ' ');
        print_range(out, '+', steps->at[begin].now, now);
        text_printf(out, " @@%s\n", colour ? "\033[0m" : "");
        for (uint32_t i = begin; i < end; i++)
            print_step(out, &steps->at[i], colour);
    }
}

void diff_unified(Text *out, Str path, Str before, Str after, bool colour)
{
    if (str_eq(before, after))
        return;
    Arena *arena = arena_new();
    Lines a = split_lines(arena, before), b = split_lines(arena, after);
    uint32_t least = a.n < b.n ? a.n : b.n, head = 0, tail = 0;
    while (head < least && str_eq(a.at[head], b.at[head]))
        head++;
    while (tail < least - head && str_eq(a.at[a.n - 1 - tail], b.at[b.n - 1 - tail]))
        tail++;
    Steps steps = {0};
    for (uint32_t i = 0; i < head; i++)
        *vec_push(arena, &steps) = (Step){' ', a.at[i], i, i};
    diff_middle(arena, &steps, a, head, a.n - tail, b, head, b.n - tail);
    for (uint32_t i = tail; i > 0; i--)
        *vec_push(arena, &steps) = (Step){' ', a.at[a.n - i], a.n - i, b.n - i};
    text_printf(out, "--- " STR_FMT "\n+++ " STR_FMT "\n", STR_ARG(path), STR_ARG(path));
    print_hunks(out, &steps, colour);
    arena_free(arena);
}
