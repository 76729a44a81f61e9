/* The text form, read back. The parser keeps its own stack: depth is limited by memory alone, and no text can
 * exhaust the C stack.
 *
 *     expression = number | "a" digits | "t" digits | "(" op expression… ")" | "(" "powi" expression integer ")"
 *                | "(" "let" ("t" digits expression)+ expression ")" */
#include "graph/sx_inner.h"

#include "base/vec.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LET SX_OP_COUNT /* beside the SxOps in Frame.op */

typedef struct Frame {
    int op;
    unsigned n; /* operands read */
    Sx in[3];
    bool naming;         /* LET: the next value gets `name` */
    uint32_t name, from; /* LET: its names stand in Reader.bound from here on */
    int32_t exponent;
} Frame;

typedef struct Reader {
    SxPool *pool;
    Str text, *why;
    Arena *scratch, *arena;
    VEC(Frame) frame;
    VEC(Sx) named;       /* by number of a name; 0 is free */
    VEC(uint32_t) bound; /* names in order of their binding */
} Reader;

#define NAME_LIMIT 10000000

static bool fail(Reader *r, const char *what, Str where)
{
    Str near = {where.p, where.n > 24 ? 24 : where.n};
    *r->why = where.n ? str_printf(r->arena, "%s at `" STR_FMT "`", what, STR_ARG(near))
                      : str_printf(r->arena, "%s at the end of the text", what);
    return false;
}

static void skip_space(Str *text)
{
    while (text->n && (*text->p == ' ' || *text->p == '\t' || *text->p == '\n' || *text->p == '\r'))
        text->p++, text->n--;
}

static bool word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
           c == '+' || c == '-';
}

static Str take_word(Str *text)
{
    skip_space(text);
    Str word = {text->p, 0};
    while (text->n && word_char(*text->p))
        word.n++, text->p++, text->n--;
    return word;
}

static bool take(Str *text, char c)
{
    skip_space(text);
    if (!text->n || *text->p != c)
        return false;
    text->p++, text->n--;
    return true;
}

static bool digits_after(Str word, char letter, uint32_t limit, uint32_t *number)
{
    if (word.n < 2 || word.p[0] != letter)
        return false;
    uint64_t value = 0;
    for (uint32_t i = 1; i < word.n; i++) {
        if (word.p[i] < '0' || word.p[i] > '9' || value > limit)
            return false;
        value = 10 * value + (uint64_t)(word.p[i] - '0');
    }
    *number = (uint32_t)value;
    return value < limit;
}

static bool read_integer(Reader *r, int32_t *value)
{
    Str at = r->text, word = take_word(&r->text);
    char copy[16] = "", *end;
    if (word.n && word.n < sizeof copy) {
        memcpy(copy, word.p, word.n);
        long number = strtol(copy, &end, 10);
        if (!*end && number > INT32_MIN && number <= INT32_MAX) {
            *value = (int32_t)number;
            return true;
        }
    }
    skip_space(&at);
    return fail(r, "expected a whole exponent", at);
}

/* A number, an argument or a name. */
static bool read_atom(Reader *r, Sx *x)
{
    skip_space(&r->text);
    Str at = r->text, word = take_word(&r->text);
    uint32_t number;
    char copy[64] = "", *end;
    if (digits_after(word, 'a', 64, &number)) {
        *x = sx_arg(r->pool, number);
        return true;
    }
    if (digits_after(word, 't', NAME_LIMIT, &number)) {
        *x = number < r->named.n ? r->named.at[number] : 0;
        return *x || fail(r, "a name that no `let` gives", at);
    }
    if (word.n && word.n < sizeof copy) {
        memcpy(copy, word.p, word.n);
        double value = strtod(copy, &end);
        if (!*end) {
            *x = sx_num(r->pool, value);
            return true;
        }
    }
    return fail(r, "expected a number, an argument, a name or `(`", at);
}

static bool read_name(Reader *r, uint32_t *name)
{
    skip_space(&r->text);
    Str at = r->text;
    return digits_after(take_word(&r->text), 't', NAME_LIMIT, name) || fail(r, "expected a name such as `t0`", at);
}

/* A let that has just been opened, or has just bound a name: another name, or the value of the whole. */
static bool let_goes_on(Reader *r, Frame *f)
{
    Str ahead = r->text;
    uint32_t name;
    Str word = take_word(&ahead);
    f->naming = false;
    if (!digits_after(word, 't', NAME_LIMIT, &name) || (take(&ahead, ')') && f->n))
        return true; /* "… t0)" is the value */
    if (!read_name(r, &f->name))
        return false;
    if (f->name < r->named.n && r->named.at[f->name])
        return fail(r, "a name is given twice", word);
    f->naming = true;
    return true;
}

static bool open_frame(Reader *r)
{
    skip_space(&r->text);
    Str at = r->text, word = take_word(&r->text);
    Frame *f = vec_push(r->scratch, &r->frame);
    *f = (Frame){.op = str_is(word, "let") ? LET : sx_op_find(word), .from = r->bound.n};
    if (f->op < 0)
        return fail(r, "expected an operation", at);
    if (f->op != LET)
        return true;
    if (!let_goes_on(r, f))
        return false;
    return f->naming || fail(r, "expected a name such as `t0`", r->text);
}

static void bind(Reader *r, uint32_t name, Sx x)
{
    while (r->named.n <= name)
        (void)vec_push(r->scratch, &r->named);
    r->named.at[name] = x;
    *vec_push(r->scratch, &r->bound) = name;
}

static bool close_frame(Reader *r, Frame *f, Sx *x)
{
    skip_space(&r->text);
    if (!take(&r->text, ')'))
        return fail(r, "expected `)`", r->text);
    if (f->op == LET) {
        for (; r->bound.n > f->from; r->bound.n--)
            r->named.at[r->bound.at[r->bound.n - 1]] = 0;
        *x = f->in[0];
    } else if (f->op == SX_POWI) {
        *x = sx_powi(r->pool, f->in[0], f->exponent);
    } else {
        *x = sx_make(r->pool, (SxOp)f->op, f->in[0], f->in[1], f->in[2]);
    }
    r->frame.n--;
    return true;
}

/* Gives x to the frame on top. *whole: the frame is complete. */
static bool accept(Reader *r, Sx x, bool *whole)
{
    Frame *f = &r->frame.at[r->frame.n - 1];
    *whole = false;
    if (f->op == LET && f->naming) {
        bind(r, f->name, x);
        f->n = 1;
        return let_goes_on(r, f);
    }
    f->in[f->op == LET ? 0 : f->n++] = x;
    *whole = f->op == LET || f->n == sx_op_arity((SxOp)f->op);
    return !*whole || f->op != SX_POWI || read_integer(r, &f->exponent);
}

static Sx read_all(Reader *r)
{
    for (;;) {
        Sx x;
        if (take(&r->text, '(')) {
            if (!open_frame(r))
                return 0;
            continue;
        }
        if (!read_atom(r, &x))
            return 0;
        for (bool whole = true; whole;) { /* x may complete one frame after another */
            if (!r->frame.n)
                return x;
            if (!accept(r, x, &whole))
                return 0;
            if (whole && !close_frame(r, &r->frame.at[r->frame.n - 1], &x))
                return 0;
        }
    }
}

Sx sx_read(SxPool *pool, Str *text, Str *why, Arena *arena)
{
    Arena *scratch = arena_new();
    Reader r = {.pool = pool, .text = *text, .why = why, .scratch = scratch, .arena = arena};
    Sx x = read_all(&r);
    if (x)
        *text = r.text;
    arena_free(scratch);
    return x;
}
