/* `data NAME { … }`: where each value is read from and what is done to it on the way. The readers are those the runtime
 * has. */
#include "base/file.h"
#include "sema/sema.h"

#include "act/abi.h"

#include <math.h>

#define READER(name) {#name, sizeof(#name) - 1},
static const Str readers[] = {
#include "sema/readers.inc"
    {NULL, 0}};
#undef READER
enum { N_READER = sizeof readers / sizeof readers[0] - 1 };

static const Str stages[] = {{"normalize", 9}, {"one_hot", 7}, {"shift", 5}};
enum { N_STAGE = sizeof stages / sizeof stages[0] };

const char *data_reader(unsigned i) { return i < N_READER ? readers[i].p : NULL; }
const char *data_stage(unsigned i) { return i < N_STAGE ? stages[i].p : NULL; }

/* ── sources ── */
typedef struct Columns {
    uint64_t count; /* 0: unknown */
    Span span;
} Columns;

/* Columns count from 1. False after saying why a number is none. */
static bool column_number(Sema *s, double x, Span span)
{
    if (x >= 1 && x <= INT32_MAX && x == floor(x))
        return true;
    Diag *diag = sema_error(s, CODE_wrong_argument, span, "columns are counted from 1, and there is none of number %.15g", x);
    diag_help(diag, x == 0 ? "the first one is 1: `1..4` are the first four" : "`1..4` are the first four");
    return false;
}

/* What the reader is told, and how many columns these are (0: a name that may be any, or a mistake). */
static Str columns_text(Sema *s, Value v, Span span, uint64_t *count)
{
    Text text = {.arena = s->arena};
    *count = 0;
    if (v.kind == V_WORD)
        return v.word;
    if (v.kind == V_RANGE) {
        if (!column_number(s, v.range[0], span) || !column_number(s, v.range[1], span))
            return (Str){0};
        if (v.range[0] > v.range[1])
            sema_error(s, CODE_wrong_argument, span, "this range of columns is empty: it ends before it begins");
        else
            *count = (uint64_t)(v.range[1] - v.range[0]) + 1;
        text_number(&text, v.range[0]);
        text_add(&text, STR(".."));
        text_number(&text, v.range[1]);
    } else if (v.kind == V_NUMBER) {
        *count = column_number(s, v.number, span);
        text_number(&text, v.number);
    } else if (v.kind == V_LIST) {
        for (uint32_t i = 0; i < v.list->item.n; i++) {
            const Value *one = &v.list->item.at[i];
            uint64_t more;
            if (i)
                text_add(&text, STR(","));
            text_add(&text, columns_text(s, *one, one->span.source ? one->span : span, &more));
            *count += one->kind == V_WORD ? 1 : more;
        }
    } else if (v.kind != V_NONE) {
        sema_error(s, CODE_wrong_argument, span, "columns are numbers, a range or names, and this is " STR_FMT,
                   STR_ARG(value_describe(s, v)));
    }
    return text_str(&text);
}

/* A value of the model has as many numbers as its columns give. */
static bool columns_fit(Sema *s, const FieldUse *field, const Columns *columns, const Tensor *t)
{
    uint64_t numbers = columns->count, wanted = type_elements(&t->type);
    for (uint32_t i = 0; i < field->transforms.n; i++)
        if (field->transforms.at[i].kind == ACT_T_ONE_HOT)
            numbers *= (uint64_t)field->transforms.at[i].a;
    if (!columns->count || numbers == wanted)
        return true;
    Diag *diag = sema_error(s, CODE_shape_mismatch, columns->span,
                            "`" STR_FMT "` has %llu number%s, and these columns give %llu", STR_ARG(t->name),
                            (unsigned long long)wanted, wanted == 1 ? "" : "s", (unsigned long long)numbers);
    diag_label(diag, t->span, "declared as " STR_FMT, STR_ARG(t->label));
    if (t->type.rank == 1)
        diag_help(diag, "choose %llu columns, or declare it as `f32[%llu]`", (unsigned long long)wanted, (unsigned long long)numbers);
    else
        diag_help(diag, "choose as many columns as it has numbers, in the order of its rows");
    return false;
}

/* Pictures fill what has their shape; a class gets the number of their folder. */
static bool images_fit(Sema *s, const FieldUse *field, const Tensor *t)
{
    const Type *type = &t->type;
    bool real = type->dtype == DT_F32, grey = type->rank == 3 && type->dim[2] == 1, colours = type->rank == 3 && type->dim[2] == 3;
    if (!str_is(field->reader, "images") || (real ? type->rank == 2 || grey || colours : t->classes && type->rank == 0))
        return true;
    Diag *diag = sema_error(s, CODE_shape_mismatch, field->span, "`" STR_FMT "` has not the shape of a picture", STR_ARG(t->name));
    diag_label(diag, t->span, "declared as " STR_FMT, STR_ARG(t->label));
    diag_help(diag, "pictures are f32[height, width], f32[height, width, 1] or f32[height, width, 3]; a `class(n)` gets their folder");
    return false;
}

/* `unit = bytes`, `stride = 32`, as the reader is told them. */
static bool text_option(Sema *s, Arg *arg, FieldUse *out)
{
    static const Str units[] = {{"characters", 10}, {"bytes", 5}};
    Str option = {0};
    if (str_is(arg->name, "unit")) {
        option = arg->ast->kind == AST_NAME ? arg->ast->text : (Str){0};
        if (!str_eq(option, units[0]) && !str_eq(option, units[1])) {
            sema_unknown(s, arg->ast->span, "unit of a text", option, units, 2);
            return false;
        }
    } else {
        int64_t stride;
        if (!value_whole(s, arg_value(s, arg), arg->ast->span, "the stride", 1, INT32_MAX, &stride))
            return false;
        option = str_printf(s->arena, "stride=%lld", (long long)stride);
    }
    out->columns = out->columns.n ? str_printf(s->arena, STR_FMT " " STR_FMT, STR_ARG(out->columns), STR_ARG(option)) : option;
    return true;
}

static bool read_source(Sema *s, const Ast *call, const Ast *name, FieldUse *out, Columns *columns)
{
    bool table = str_is(name->text, "csv"), text = str_is(name->text, "text");
    static const Str names[] = {{"columns", 7}, {"column", 6}}, cuts[] = {{"unit", 4}, {"stride", 6}};
    Args pos = {0}, named = {0};
    args_read(s, s->global, call, &pos, &named);
    out->reader = name->text;
    bool ok = true;
    if (pos.n != 1) {
        sema_error(s, pos.n ? CODE_wrong_argument : CODE_missing_argument, call->span,
                   "`" STR_FMT "` takes the path of a %s", STR_ARG(name->text), str_is(name->text, "images") ? "folder" : "file");
        ok = false;
    } else {
        Value path = arg_value(s, &pos.at[0]);
        if (path.kind != V_WORD && path.kind != V_NONE)
            sema_error(s, CODE_wrong_argument, pos.at[0].ast->span, "a path is a text in quotes, and this is " STR_FMT,
                       STR_ARG(value_describe(s, path)));
        ok = path.kind == V_WORD;
        out->path = ok ? path.word : (Str){0};
    }
    for (uint32_t i = 0; i < named.n; i++) {
        Arg *arg = &named.at[i];
        if (text && (str_eq(arg->name, cuts[0]) || str_eq(arg->name, cuts[1]))) {
            ok = text_option(s, arg, out) && ok;
            continue;
        }
        if (!table || (!str_eq(arg->name, names[0]) && !str_eq(arg->name, names[1]))) {
            const char *what = str_c(s->arena, str_printf(s->arena, "argument of `" STR_FMT "`", STR_ARG(name->text)));
            sema_unknown(s, arg->name_span, what, arg->name, text ? cuts : names, table || text ? 2 : 0);
            ok = false;
            continue;
        }
        uint32_t errors = s->diags->list.n;
        columns->span = arg->ast->span;
        out->columns = columns_text(s, arg_value(s, arg), arg->ast->span, &columns->count);
        ok = ok && s->diags->list.n == errors;
    }
    return ok;
}

/* ── what is done to them ── */
static void add_transform(Sema *s, FieldUse *out, uint32_t kind, double a, double b, Span span)
{
    TransformUse *last = out->transforms.n ? &out->transforms.at[out->transforms.n - 1] : NULL;
    if (kind == ACT_T_AFFINE && last && last->kind == ACT_T_AFFINE) {
        last->b = last->b * a + b; /* (x a1 + b1) a + b */
        last->a *= a;
        last->span = span_join(last->span, span);
        return;
    }
    *vec_push(s->arena, &out->transforms) = (TransformUse){kind, a, b, span};
}

static bool read_stage(Sema *s, const Ast *stage, FieldUse *out)
{
    const Ast *e = ast_ungroup(stage);
    const Ast *name = e->kind == AST_CALL ? ast_ungroup(e->kid[0]) : e;
    Args pos = {0}, named = {0};
    if (e->kind == AST_CALL)
        args_read(s, s->global, e, &pos, &named);
    uint32_t at = 0;
    while (at < N_STAGE && !str_eq(name->text, stages[at]))
        at++;
    if (at == N_STAGE) {
        if (name->kind != AST_ERROR)
            sema_unknown(s, name->span, "step of a data pipeline", name->text, stages, N_STAGE);
        return false;
    }
    static const Str arguments[3][2] = {{{"mean", 4}, {"std", 3}}, {{"classes", 7}, {"", 0}}, {{"by", 2}, {"", 0}}};
    double value[2] = {0, 1};
    uint32_t given = 0, most = at == 0 ? 2 : 1;
    for (uint32_t i = 0; i < pos.n + named.n; i++) {
        Arg *arg = i < pos.n ? &pos.at[i] : &named.at[i - pos.n];
        uint32_t slot = i < pos.n ? i : str_eq(arg->name, arguments[at][1]) ? 1 : 0;
        bool known = i < pos.n ? i < most : str_eq(arg->name, arguments[at][slot]) && slot < most;
        if (!known && i < pos.n) {
            sema_error(s, CODE_wrong_argument, arg->ast->span, "`" STR_FMT "` does not take so many arguments",
                       STR_ARG(name->text));
            return false;
        }
        if (!known) {
            sema_unknown(s, arg->name_span,
                         str_c(s->arena, str_printf(s->arena, "argument of `" STR_FMT "`", STR_ARG(name->text))),
                         arg->name, arguments[at], most);
            return false;
        }
        int64_t whole;
        Value v = arg_value(s, arg);
        if (at == 0 ? !value_real(s, v, arg->ast->span, "this", &value[slot])
                    : !value_whole(s, v, arg->ast->span, "this", at == 1, INT32_MAX, &whole))
            return false;
        if (at)
            value[0] = (double)whole;
        given |= 1u << slot;
    }
    if ((at == 0 && given != 0 && given != 3) || (at && given != 1)) {
        sema_error(s, CODE_missing_argument, stage->span, "`" STR_FMT "` needs %s", STR_ARG(name->text),
                   at ? "a number" : "both mean and std, or neither: then they are measured");
        return false;
    }
    if (at == 0 && given && !(value[1] > 0)) {
        sema_error(s, CODE_wrong_argument, stage->span, "the standard deviation must be positive");
        return false;
    }
    uint32_t kind = at == 0 ? given ? ACT_T_STANDARD : ACT_T_NORMALIZE : at == 1 ? ACT_T_ONE_HOT : ACT_T_SHIFT;
    add_transform(s, out, kind, value[0], at ? 0 : value[1], stage->span);
    return true;
}

static bool is_number(Sema *s, const Ast *e, double *x)
{
    e = ast_ungroup(e);
    if (e->kind == AST_CALL || e->kind == AST_PIPE || e->kind == AST_STRING)
        return false;
    if (e->kind == AST_BINARY && (!is_number(s, e->kid[0], x) || !is_number(s, e->kid[1], x)))
        return false;
    Value v = eval(s, s->global, e);
    *x = v.kind == V_NUMBER ? v.number : NAN;
    return v.kind == V_NUMBER || v.kind == V_NONE;
}

static bool read_field(Sema *s, const Ast *e, FieldUse *out, Columns *columns);

static bool read_arithmetic(Sema *s, const Ast *e, FieldUse *out, Columns *columns)
{
    double x;
    bool right = is_number(s, e->kid[1], &x), left = !right && is_number(s, e->kid[0], &x);
    char op = e->text.p[0];
    if (!right && !left) {
        sema_error(s, CODE_wrong_argument, e->span, "a value of the data is computed from one source and numbers");
        return false;
    }
    if (!read_field(s, e->kid[right ? 0 : 1], out, columns))
        return false;
    if (isnan(x))
        return false;
    if (op == '+')
        add_transform(s, out, ACT_T_AFFINE, 1, x, e->span);
    else if (op == '*')
        add_transform(s, out, ACT_T_AFFINE, x, 0, e->span);
    else if (op == '-')
        add_transform(s, out, ACT_T_AFFINE, right ? 1 : -1, right ? -x : x, e->span);
    else if (op == '/' && right && x != 0)
        add_transform(s, out, ACT_T_AFFINE, 1 / x, 0, e->span);
    else {
        sema_error(s, CODE_wrong_argument, e->span,
                   op == '/' && right ? "a division by zero"
                                      : "only `+`, `-`, `*` and a division by a number can be applied to data");
        return false;
    }
    return true;
}

static bool read_field(Sema *s, const Ast *e, FieldUse *out, Columns *columns)
{
    e = ast_ungroup(e);
    if (e->kind == AST_ERROR)
        return false;
    if (e->kind == AST_BINARY)
        return read_arithmetic(s, e, out, columns);
    if (e->kind == AST_UNARY) {
        bool ok = read_field(s, e->kid[0], out, columns);
        add_transform(s, out, ACT_T_AFFINE, -1, 0, e->span);
        return ok;
    }
    if (e->kind == AST_PIPE) {
        bool ok = read_field(s, e->kid[0], out, columns);
        return read_stage(s, e->kid[1], out) && ok;
    }
    const Ast *name = e->kind == AST_CALL ? ast_ungroup(e->kid[0]) : e;
    if (name->kind == AST_NAME) {
        for (uint32_t i = 0; i < N_READER; i++) {
            if (!str_eq(name->text, readers[i]))
                continue;
            if (e->kind == AST_CALL)
                return read_source(s, e, name, out, columns);
            sema_error(s, CODE_missing_argument, e->span, "`" STR_FMT "` needs the path of a file",
                       STR_ARG(name->text));
            return false;
        }
        sema_unknown(s, name->span, "data reader", name->text, readers, N_READER);
        return false;
    }
    Diag *diag = sema_error(s, CODE_wrong_argument, e->span, "data is read from a file, and this is no reader");
    diag_help(diag, "write `csv(\"file.csv\")` or another reader");
    return false;
}

/* ── the model's side ── */
static uint32_t tensor_named(const Model *model, Str name)
{
    for (uint32_t i = 0; i < model->graph->tensors.n; i++) {
        const Tensor *t = &model->graph->tensors.at[i];
        if ((t->role == ROLE_INPUT || t->role == ROLE_TARGET) && str_eq(t->name, name))
            return i + 1;
    }
    return 0;
}

static void unknown_field(Sema *s, const Model *model, const Ast *name)
{
    VEC(Str) names = {0};
    for (uint32_t i = 0; i < model->graph->tensors.n; i++)
        if (model->graph->tensors.at[i].role <= ROLE_TARGET)
            *vec_push(s->arena, &names) = model->graph->tensors.at[i].name;
    const char *what = str_c(s->arena, str_printf(s->arena, "input or target of `" STR_FMT "`", STR_ARG(model->name)));
    sema_unknown(s, name->span, what, name->text, names.at, names.n);
}

bool sema_field_range(const FieldUse *field, double *low, double *high)
{
    bool bytes = false;
    for (uint32_t i = 0; i + 5 <= field->path.n; i++)
        bytes = bytes || str_starts((Str){field->path.p + i, field->path.n - i}, STR("ubyte"));
    if ((!bytes || !str_is(field->reader, "idx")) && !str_is(field->reader, "images"))
        return false;
    *low = 0;
    *high = 255;
    for (uint32_t i = 0; i < field->transforms.n; i++) {
        const TransformUse *t = &field->transforms.at[i];
        if (t->kind != ACT_T_AFFINE && t->kind != ACT_T_STANDARD)
            return false;
        double a = t->kind == ACT_T_AFFINE ? t->a : 1 / t->b, b = t->kind == ACT_T_AFFINE ? t->b : -t->a / t->b;
        double x = *low * a + b, y = *high * a + b;
        *low = fmin(x, y);
        *high = fmax(x, y);
    }
    return true;
}

static void follow_range(Sema *s, Model *model, const FieldUse *field)
{
    double low, high;
    Tensor *t = &model->graph->tensors.at[field->tensor - 1];
    if (!sema_field_range(field, &low, &high) || t->type.dtype != DT_F32)
        return;
    double slack = 1e-6 * fmax(1, fmax(fabs(low), fabs(high)));
    if (t->low > t->high) {
        t->low = low;
        t->high = high;
    } else if (t->low > low + slack || t->high < high - slack) {
        Diag *diag = sema_error(s, CODE_range_contradiction, field->span,
                                "`" STR_FMT "` is declared in [%g, %g], and the data lies in [%g, %g]",
                                STR_ARG(t->name), t->low, t->high, low, high);
        diag_label(diag, t->span, "declared here");
        diag_note(diag, "an 8-bit file holds 0 to 255");
        if (low == 0 && high == 255 && t->high == 1)
            diag_help(diag, "divide by 255");
        else
            diag_help(diag, "declare what the model receives, `in [%g, %g]`, or scale the data", low, high);
    }
}

/* `augment flip, crop(4)`, in the data block or in its training part. */
static void read_augment(Sema *s, const Ast *st, const Model *model, DataUse *data)
{
    static const Str known[] = {{"flip", 4}, {"crop", 4}};
    uint32_t least = UINT32_MAX;
    for (uint32_t i = 0; model && i < model->graph->tensors.n; i++) {
        const Tensor *t = &model->graph->tensors.at[i];
        if (t->role == ROLE_INPUT && t->type.rank == 3 && t->type.dtype == DT_F32)
            for (uint32_t axis = 0; axis < 2; axis++)
                least = t->type.dim[axis] < least ? t->type.dim[axis] : least;
    }
    if (model && !model->poisoned && least == UINT32_MAX) {
        Diag *diag = sema_error(s, CODE_wrong_argument, st->span, "`augment` moves images, and `" STR_FMT "` has none",
                                STR_ARG(model->name));
        diag_help(diag, "an image is an input of shape [height, width, channels]");
    }
    if (st->n_kid == 0)
        sema_error(s, CODE_missing_argument, st->span, "`augment` takes `flip`, `crop(4)`, or both");
    for (uint32_t i = 0; i < st->n_kid; i++) {
        const Ast *e = ast_ungroup(st->kid[i]), *name = e->kind == AST_CALL ? ast_ungroup(e->kid[0]) : e;
        bool crop = str_is(name->text, "crop");
        if (e->kind == AST_ERROR)
            continue;
        if (name->kind != AST_NAME || (!crop && !str_is(name->text, "flip"))) {
            sema_unknown(s, e->span, "way to augment", name->text, known, 2);
        } else if (crop != (e->kind == AST_CALL) || (crop && e->n_kid != 2)) {
            Diag *diag = sema_error(s, CODE_wrong_argument, e->span, "`" STR_FMT "` %s", STR_ARG(name->text),
                                    crop ? "takes the pixels that an image moves by at most" : "takes no argument");
            diag_help(diag, "write `augment flip, crop(4)`");
        } else if (crop) {
            int64_t pixels;
            const Ast *given = e->kid[1]->kid[0];
            int64_t most = least == UINT32_MAX ? INT32_MAX : least;
            if (value_whole(s, eval(s, s->global, given), given->span, "the pixels of `crop`", 1, most, &pixels))
                data->crop = (uint32_t)pixels;
        } else {
            data->flip = true;
        }
    }
}

static void read_part(Sema *s, const Ast *ast, Model *model, DataUse *data)
{
    PartUse *part = vec_push(s->arena, &data->parts);
    *part = (PartUse){.name = ast->text, .span = ast->span};
    bool complete = true;
    for (uint32_t i = 0; i < ast->n_kid; i++) {
        const Ast *st = ast->kid[i];
        if (st && st->kind == AST_SETTING && str_is(st->text, "augment") && str_is(ast->text, "train")) {
            read_augment(s, st, model, data);
            continue;
        }
        if (!st || st->kind != AST_ASSIGN || st->kid[0]->n_kid != 1) {
            if (st && st->kind == AST_SETTING && str_is(st->text, "augment"))
                sema_error(s, CODE_wrong_argument, st->span, "only the training part is augmented, and this is `" STR_FMT "`",
                           STR_ARG(ast->text));
            else if (st && st->kind == AST_SETTING)
                sema_error(s, CODE_not_supported, st->span, "`" STR_FMT "` can't be compiled yet", STR_ARG(st->text));
            else if (st && st->kind == AST_ASSIGN)
                sema_error(s, CODE_result_count, st->kid[0]->span, "a value of the data has one name");
            complete = false;
            continue;
        }
        const Ast *name = st->kid[0]->kid[0];
        FieldUse field = {.name = name->text, .span = st->span, .value = st->kid[2]};
        for (uint32_t k = 0; k < part->fields.n; k++)
            if (str_eq(part->fields.at[k].name, field.name)) {
                Diag *diag = sema_error(s, CODE_duplicate_name, name->span, "`" STR_FMT "` is defined twice",
                                        STR_ARG(name->text));
                diag_label(diag, part->fields.at[k].span, "first defined here");
                complete = false;
            }
        Columns columns = {0};
        bool ok = read_field(s, st->kid[2], &field, &columns);
        if (model && !(field.tensor = tensor_named(model, field.name))) {
            if (!model->poisoned)
                unknown_field(s, model, name);
            complete = false;
            continue;
        }
        if (ok && model) {
            ok = columns_fit(s, &field, &columns, &model->graph->tensors.at[field.tensor - 1]);
            ok = ok && images_fit(s, &field, &model->graph->tensors.at[field.tensor - 1]);
            follow_range(s, model, &field);
        }
        complete = complete && ok;
        *vec_push(s->arena, &part->fields) = field;
    }
    for (uint32_t i = 0; model && complete && !model->poisoned && i < model->graph->tensors.n; i++) {
        const Tensor *t = &model->graph->tensors.at[i];
        bool found = t->role != ROLE_INPUT && t->role != ROLE_TARGET;
        for (uint32_t k = 0; k < part->fields.n; k++)
            found = found || part->fields.at[k].tensor == i + 1;
        if (!found) {
            Diag *diag =
                sema_error(s, CODE_missing_argument, ast->name_span.source ? ast->name_span : ast->span,
                           "the part `" STR_FMT "` gives no `" STR_FMT "`", STR_ARG(ast->text), STR_ARG(t->name));
            diag_label(diag, t->span, "%s of `" STR_FMT "`", t->role == ROLE_INPUT ? "input" : "target",
                       STR_ARG(model->name));
        }
    }
}

static void read_split(Sema *s, const Ast *st, DataUse *data)
{
    const Ast *e = ast_ungroup(st->kid[2]), *name = st->kid[0]->kid[0];
    static const Str known[] = {{"validation", 10}};
    if (!str_is(name->text, "validation")) {
        sema_unknown(s, name->span, "part of the data", name->text, known, 1);
        return;
    }
    double share = NAN;
    if (e->kind == AST_CALL && str_is(ast_ungroup(e->kid[0])->text, "split") && e->n_kid == 2)
        value_real(s, eval(s, s->global, e->kid[1]->kid[0]), e->kid[1]->span, "the share of `split`", &share);
    else if (e->kind != AST_ERROR) {
        Diag *diag = sema_error(s, CODE_wrong_argument, e->span, "a validation part is given, or split off");
        diag_help(diag, "write `validation = split(0.1)`");
        return;
    }
    if (isnan(share))
        return;
    if (!(share > 0 && share < 1))
        sema_error(s, CODE_wrong_argument, e->span, "the share that is split off lies between 0 and 1");
    data->validation_split = share;
}

DataUse *data_build(Sema *s, const Ast *ast, Model *model)
{
    static const Str parts[] = {{"train", 5}, {"validation", 10}, {"test", 4}};
    DataUse *data = arena_new_of(s->arena, DataUse);
    const Source *source = source_get(s->program->sources, ast->span.source);
    *data = (DataUse){.name = ast->text, .base = path_dir(s->arena, source->path), .ast = ast, .span = ast->name_span};
    for (uint32_t i = 0; i < ast->n_kid; i++) {
        const Ast *kid = ast->kid[i];
        if (!kid)
            continue;
        if (kid->kind == AST_ASSIGN && kid->kid[0]->n_kid == 1) {
            read_split(s, kid, data);
        } else if (kid->kind == AST_SETTING && str_is(kid->text, "augment")) {
            read_augment(s, kid, model, data);
        } else if (kid->kind == AST_SETTING) {
            sema_error(s, CODE_not_supported, kid->span, "`" STR_FMT "` can't be compiled yet", STR_ARG(kid->text));
        } else if (kid->kind == AST_PART) {
            uint32_t at = 0;
            while (at < 3 && !str_eq(kid->text, parts[at]))
                at++;
            bool twice = false;
            for (uint32_t k = 0; k < data->parts.n; k++)
                twice = twice || str_eq(data->parts.at[k].name, kid->text);
            if (at == 3)
                sema_unknown(s, kid->name_span, "part of the data", kid->text, parts, 3);
            else if (twice)
                sema_error(s, CODE_duplicate_name, kid->name_span, "there are two parts `" STR_FMT "`",
                           STR_ARG(kid->text));
            else
                read_part(s, kid, model, data);
        }
    }
    return data;
}
