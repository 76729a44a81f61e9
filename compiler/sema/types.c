/* Types as they are written: f32[28, 28, 1], token(65)[128], class(10), binary[20], f32[10] in [0, 1]. */
#include "sema/sema.h"

static const Str names[] = {{"f32", 3}, {"class", 5}, {"token", 5}, {"binary", 6}};
enum { T_F32, T_CLASS, T_TOKEN, T_BINARY, T_COUNT };

const char *type_word(unsigned i) { return i < T_COUNT ? names[i].p : NULL; }

static bool read_shape(Sema *s, Frame *f, const Ast *shape, TypeInfo *out)
{
    bool ok = true;
    for (uint32_t i = 0; i < shape->n_kid; i++) {
        Value v = eval(s, f, shape->kid[i]);
        int64_t dim;
        if (!value_whole(s, v, shape->kid[i]->span, "a size", 1, INT32_MAX, &dim)) {
            ok = false;
        } else if (out->type.rank == TYPE_MAX_RANK - 1) {
            sema_error(s, CODE_too_large, shape->span, "a type has at most %d axes", TYPE_MAX_RANK - 1);
            return false;
        } else {
            out->type.dim[out->type.rank++] = (uint32_t)dim;
        }
    }
    double elements = 1;
    for (uint32_t i = 0; i < out->type.rank; i++)
        elements *= out->type.dim[i];
    if (ok && elements > 2147483648.0) {
        sema_error(s, CODE_too_large, shape->span, "this has %.0f elements; the most is 2147483648", elements);
        ok = false;
    }
    return ok;
}

static bool read_count(Sema *s, Frame *f, const Ast *type, int kind, const Ast *count, TypeInfo *out)
{
    if (!count) {
        Diag *diag =
            sema_error(s, CODE_missing_argument, type->span, "`" STR_FMT "` needs its count", STR_ARG(type->text));
        diag_help(diag, "write how many there are: `" STR_FMT "(10)`", STR_ARG(type->text));
        return false;
    }
    int64_t n;
    if (!value_whole(s, eval(s, f, count->kid[0]), count->kid[0]->span,
                     kind == T_CLASS ? "the number of classes" : "the number of tokens", 1, INT32_MAX, &n))
        return false;
    out->classes = (uint32_t)n;
    return true;
}

static bool read_range(Sema *s, Frame *f, const Ast *range, TypeInfo *out)
{
    double low, high;
    if (!value_real(s, eval(s, f, range->kid[0]), range->kid[0]->span, "the low end", &low) ||
        !value_real(s, eval(s, f, range->kid[1]), range->kid[1]->span, "the high end", &high))
        return false;
    if (!(low < high)) {
        sema_error(s, CODE_wrong_argument, range->span, "this range is empty: its low end comes first");
        return false;
    }
    out->low = low;
    out->high = high;
    return true;
}

/* For people, with its numbers: "f32[28, 28, 1] in [0, 1]", "class(10)[128]". */
static Str label_of(Sema *s, Str name, const Ast *count, const Ast *shape, const TypeInfo *info)
{
    Text text = {.arena = s->arena};
    text_add(&text, name);
    if (count)
        text_printf(&text, "(%u)", info->classes);
    if (shape)
        type_print_shape(&info->type, &text);
    if (info->low < info->high) {
        text_add(&text, STR(" in ["));
        text_number(&text, info->low);
        text_add(&text, STR(", "));
        text_number(&text, info->high);
        text_putc(&text, ']');
    }
    return text_str(&text);
}

bool type_eval(Sema *s, Frame *f, const Ast *type, bool batch, TypeInfo *out)
{
    *out = (TypeInfo){.low = 1, .high = 0};
    out->type = (Type){.dtype = DT_F32, .batch = batch};
    if (!type || type->kind != AST_TYPE)
        return false;
    const Ast *count = NULL, *shape = NULL, *range = NULL;
    for (uint32_t i = 0; i < type->n_kid; i++) {
        const Ast *kid = type->kid[i];
        if (kid && kid->kind == AST_COUNT)
            count = kid;
        if (kid && kid->kind == AST_SHAPE)
            shape = kid;
        if (kid && kid->kind == AST_RANGE)
            range = kid;
    }
    int kind = 0;
    while (kind < T_COUNT && !str_eq(type->text, names[kind]))
        kind++;
    if (kind == T_COUNT) {
        sema_unknown(s, type->name_span, "type", type->text, names, T_COUNT);
        return false;
    }
    bool ok = true;
    if (kind == T_CLASS || kind == T_TOKEN) {
        out->type.dtype = DT_I32;
        ok = read_count(s, f, type, kind, count, out);
    } else if (count) {
        Diag *diag = sema_error(s, CODE_wrong_argument, count->span, "`" STR_FMT "` takes a shape, not a count",
                                STR_ARG(type->text));
        diag_help(diag, "write `" STR_FMT "[...]`", STR_ARG(type->text));
        ok = false;
    }
    if (shape)
        ok = read_shape(s, f, shape, out) && ok;
    if (kind == T_BINARY) {
        out->binary = true;
        out->classes = 2;
        if (!shape)
            out->type.dim[out->type.rank++] = 1; /* `binary` is `binary[1]` */
    }
    if (range)
        ok = read_range(s, f, range, out) && ok;
    out->label = label_of(s, type->text, count, shape, out);
    return ok;
}
