#include "graph/type.h"

#include <string.h>

static const char *const dtype_names[] = {[DT_F32] = "f32", [DT_I32] = "i32"};

Type type_make(DType dtype, bool batch, uint32_t rank, const uint32_t *dim)
{
    ACT_ASSERT(rank <= TYPE_MAX_RANK);
    Type type = {dtype, batch, rank, {0}};
    for (uint32_t i = 0; i < rank; i++)
        type.dim[i] = dim[i];
    return type;
}

/* Saturates: six 32-bit dimensions can exceed 64 bits, and a wrapped product would pass for a small tensor. */
uint64_t type_elements(const Type *type)
{
    uint64_t n = 1;
    for (uint32_t i = 0; i < type->rank; i++) {
        if (type->dim[i] != 0 && n > UINT64_MAX / type->dim[i])
            return UINT64_MAX;
        n *= type->dim[i];
    }
    return n;
}

uint64_t type_last(const Type *type)
{
    return type->rank ? type->dim[type->rank - 1] : 1;
}

bool type_same_shape(const Type *a, const Type *b)
{
    if (a->batch != b->batch || a->rank != b->rank)
        return false;
    for (uint32_t i = 0; i < a->rank; i++) {
        if (a->dim[i] != b->dim[i])
            return false;
    }
    return true;
}

bool type_equal(const Type *a, const Type *b)
{
    return a->dtype == b->dtype && type_same_shape(a, b);
}

bool type_broadcast(const Type *a, const Type *b, Type *out)
{
    Type type = {.dtype = a->dtype == b->dtype ? a->dtype : DT_F32, .batch = a->batch || b->batch};
    type.rank = a->rank > b->rank ? a->rank : b->rank;
    for (uint32_t i = 0; i < type.rank; i++) { /* i counts from the last axis */
        uint32_t da = i < a->rank ? a->dim[a->rank - 1 - i] : 1;
        uint32_t db = i < b->rank ? b->dim[b->rank - 1 - i] : 1;
        if (da != db && da != 1 && db != 1)
            return false;
        type.dim[type.rank - 1 - i] = da == 1 ? db : da;
    }
    *out = type;
    return true;
}

/* ── text ── */
static void print_dims(const Type *type, bool batch, Text *out)
{
    text_putc(out, '[');
    if (batch)
        text_add(out, STR("B"));
    for (uint32_t i = 0; i < type->rank; i++)
        text_printf(out, "%s%u", i || batch ? ", " : "", type->dim[i]);
    text_putc(out, ']');
}

void type_print(const Type *type, Text *out)
{
    text_add(out, str_of(dtype_names[type->dtype]));
    print_dims(type, type->batch, out);
}

void type_print_shape(const Type *type, Text *out)
{
    print_dims(type, false, out);
}

static void skip_blanks(Str *s)
{
    while (s->n && (*s->p == ' ' || *s->p == '\t')) {
        s->p++;
        s->n--;
    }
}

static bool take(Str *s, char c)
{
    skip_blanks(s);
    if (!s->n || *s->p != c)
        return false;
    s->p++;
    s->n--;
    return true;
}

static bool take_dim(Str *s, uint32_t *dim)
{
    skip_blanks(s);
    uint64_t value = 0;
    uint32_t digits = 0;
    while (s->n && *s->p >= '0' && *s->p <= '9' && value <= UINT32_MAX) {
        value = value * 10 + (uint64_t)(*s->p - '0');
        s->p++;
        s->n--;
        digits++;
    }
    *dim = (uint32_t)value;
    return digits > 0 && value > 0 && value <= UINT32_MAX;
}

bool type_read(Str *text, Type *out)
{
    Str s = *text;
    Type type = {0};
    skip_blanks(&s);
    if (str_starts(s, STR("i32")))
        type.dtype = DT_I32;
    else if (!str_starts(s, STR("f32")))
        return false;
    s.p += 3;
    s.n -= 3;
    if (!take(&s, '['))
        return false;
    bool more = !take(&s, ']');
    while (more) {
        if (!type.batch && type.rank == 0 && take(&s, 'B'))
            type.batch = true;
        else if (type.rank == TYPE_MAX_RANK || !take_dim(&s, &type.dim[type.rank++]))
            return false;
        if (take(&s, ']'))
            more = false;
        else if (!take(&s, ','))
            return false;
    }
    *out = type;
    *text = s;
    return true;
}
