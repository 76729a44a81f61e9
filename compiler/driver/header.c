/* What a C or C++ program needs to know of a compiled model: sizes, shapes, units, functions and their errors. */
#include "driver/header.h"

#include "act/abi.h"
#include "llvm/interface.h"

#include <ctype.h>
#include <string.h>

/* Words that cannot name a type or a parameter in C or C++, and `main`: a model called so is `NAME_instance`. */
// clang-format off
static const char *const reserved[] = {
    "alignas", "alignof", "and", "and_eq", "asm", "auto", "bitand", "bitor", "bool", "break", "case", "catch",
    "char", "char16_t", "char32_t", "char8_t", "class", "co_await", "co_return", "co_yield", "compl",
    "concept", "const", "const_cast", "consteval", "constexpr", "constinit", "continue", "decltype",
    "default", "delete", "do", "double", "dynamic_cast", "else", "enum", "explicit", "export", "extern",
    "false", "float", "for", "friend", "goto", "if", "inline", "int", "int32_t", "long", "main", "mutable",
    "namespace", "new", "noexcept", "not", "not_eq", "nullptr", "operator", "or", "or_eq", "private",
    "protected", "public", "register", "reinterpret_cast", "requires", "restrict", "return", "short",
    "signed", "size_t", "sizeof", "static", "static_assert", "static_cast", "struct", "switch", "template",
    "this", "thread_local", "throw", "true", "try", "typedef", "typeid", "typename", "typeof", "uint64_t",
    "union", "unsigned", "using", "virtual", "void", "volatile", "wchar_t", "while", "xor", "xor_eq",
};
// clang-format on

static bool is_reserved(Str name)
{
    for (unsigned i = 0; i < sizeof reserved / sizeof *reserved; i++)
        if (str_is(name, reserved[i]))
            return true;
    return false;
}

typedef struct Header {
    Arena *arena;
    Text *out;
    const Unit *unit;
    Interface port;
    Str name, upper;
    Str type; /* of the struct: the name, or NAME_instance where C or C++ keeps the name for itself */
} Header;

static void aligned_doc(Header *h, const char *what, Str name, Str text)
{
    text_printf(h->out, " *   %-8s %-14.*s " STR_FMT "\n", what, STR_ARG(name), STR_ARG(text));
}

/* "float[n][28][28][1]" */
static Str array_type(Arena *arena, const Type *type)
{
    Text text = {.arena = arena};
    text_add(&text, type->dtype == DT_I32 ? STR("int32_t[n]") : STR("float[n]"));
    for (uint32_t i = 0; i < type->rank; i++)
        text_printf(&text, "[%u]", type->dim[i]);
    return text_str(&text);
}

/* ── what a value means ── */

/* "x * 0.5 - 1", "(x - 33) / 78" */
static void add_scaling(Text *text, const TransformUse *t)
{
    bool affine = t->kind == ACT_T_AFFINE;
    double shift = affine ? t->b : -t->a, scale = affine ? t->a : t->b;
    text_add(text, affine || shift == 0 ? STR("x") : STR("(x"));
    if (affine && scale != 1) {
        text_add(text, STR(" * "));
        text_number(text, scale);
    }
    if (shift != 0) {
        text_add(text, shift < 0 ? STR(" - ") : STR(" + "));
        text_number(text, shift < 0 ? -shift : shift);
    }
    if (!affine) {
        text_add(text, shift == 0 ? STR(" / ") : STR(") / "));
        text_number(text, scale);
    }
}

/* How the training data was scaled on its way into input `tensor`: the caller does the same. */
static Str scaling_note(Header *h, const Tensor *tensor)
{
    const Model *model = h->port.unit->model;
    Text text = {.arena = h->arena};
    const DataUse *data = model->train ? model->train->data : NULL;
    for (uint32_t p = 0; data && p < data->parts.n && !text.n; p++)
        for (uint32_t f = 0; f < data->parts.at[p].fields.n; f++) {
            const FieldUse *field = &data->parts.at[p].fields.at[f];
            if (!str_eq(field->name, tensor->name))
                continue;
            for (uint32_t i = 0; i < field->transforms.n; i++) {
                const TransformUse *t = &field->transforms.at[i];
                if (t->kind != ACT_T_AFFINE && t->kind != ACT_T_STANDARD)
                    continue; /* a measured normalize is part of the model */
                text_add(&text, text.n ? STR(", then ") : STR(""));
                add_scaling(&text, t);
            }
        }
    return text_str(&text);
}

static void describe_ports(Header *h, const char *what, const Port *port, uint32_t n)
{
    bool drawn = str_is(str_of(what), "drawn");
    for (uint32_t i = 0; i < n; i++) {
        Text text = {.arena = h->arena};
        if (drawn) { /* by the model: the caller has no array of it */
            aligned_doc(h, what, port[i].name, port[i].label);
            continue;
        }
        text_add(&text, array_type(h->arena, &port[i].type));
        text_printf(&text, ", " STR_FMT, STR_ARG(port[i].label));
        const Tensor *tensor = port[i].tensor;
        if (tensor && tensor->binary)
            text_add(&text, STR(": 0 or 1"));
        else if (tensor && tensor->classes)
            text_printf(&text, ": 0 to %u", tensor->classes - 1);
        aligned_doc(h, what, port[i].name, text_str(&text));
        Str scaling = tensor && tensor->role == ROLE_INPUT ? scaling_note(h, tensor) : (Str){0};
        if (scaling.n)
            text_printf(h->out, " *   %-8s %-14s as in training, where a value x of the data enters as " STR_FMT "\n",
                        "", "", STR_ARG(scaling));
    }
}

static void describe_losses(Header *h)
{
    const Model *model = h->port.unit->model;
    for (uint32_t i = 0; i < h->port.loss.n; i++) {
        const char *how = "the mean over the rows";
        for (uint32_t k = 0; k < model->losses.n; k++)
            if (model->losses.at[k].loss == i && !model->losses.at[k].mean)
                how = "the sum over the rows";
        Str text = str_printf(h->arena, "loss[%u], %s", i, how);
        aligned_doc(h, "loss", h->port.loss.at[i], text);
    }
}

/* ── parameters of prototypes ── */

/* The names a prototype already has; a new one gets underscores until it is free. */
typedef struct Names {
    Str used[64];
    uint32_t n;
} Names;

static Str parameter_name(Header *h, Names *names, Str wanted)
{
    static const char *const own[] = {"m", "n", "step", "loss", "memory", "seed"};
    Str name = wanted;
    for (bool taken = true; taken;) {
        taken = is_reserved(name) || str_eq(name, h->type);
        for (unsigned i = 0; i < sizeof own / sizeof *own && !taken; i++)
            taken = str_is(name, own[i]);
        for (uint32_t i = 0; i < names->n && !taken; i++)
            taken = str_eq(name, names->used[i]);
        if (taken)
            name = str_printf(h->arena, STR_FMT "_", STR_ARG(name));
    }
    if (names->n < sizeof names->used / sizeof *names->used)
        names->used[names->n++] = name;
    return name;
}

static void add_ports(Header *h, Names *names, const Port *port, uint32_t n, bool constant, bool forward)
{
    for (uint32_t i = 0; i < n; i++) {
        if (forward && port[i].unread)
            continue;
        Str name = parameter_name(h, names, port[i].name);
        text_printf(h->out, ", %s%s *" STR_FMT, constant ? "const " : "",
                    port[i].type.dtype == DT_I32 ? "int32_t" : "float", STR_ARG(name));
    }
}

/* ── one model ── */

static void define(Header *h, const char *suffix, uint64_t value)
{
    Str name = str_printf(h->arena, STR_FMT "_%s", STR_ARG(h->upper), suffix);
    text_printf(h->out, "#define %-32.*s %llu\n", STR_ARG(name), (unsigned long long)value);
}

static void define_sizes(Header *h)
{
    const UnitModel *unit = h->port.unit;
    define(h, "BATCH", unit->batch);
    define(h, "PARAM_BYTES", unit->param_bytes);
    define(h, "STATE_BYTES", unit->state_bytes);
    define(h, "WORK_BYTES", unit->work_bytes);
    define(h, "ALIGN", ACT_ALIGN);
    text_add(h->out, STR("/* elements in one row */\n"));
    const Port *port[] = {h->port.input.at, h->port.target.at, h->port.output.at};
    uint32_t count[] = {h->port.input.n, h->port.target.n, h->port.output.n};
    for (unsigned k = 0; k < 3; k++)
        for (uint32_t i = 0; i < count[k]; i++) {
            bool repeated = false; /* an output may be called as an input is */
            for (unsigned q = 0; q <= k; q++)
                for (uint32_t j = 0; j < (q < k ? count[q] : i); j++)
                    repeated = repeated || str_eq(port[q][j].name, port[k][i].name);
            Str suffix = str_printf(h->arena, STR_FMT "_SIZE", STR_ARG(interface_upper(h->arena, port[k][i].name)));
            if (!repeated)
                define(h, suffix.p, type_elements(&port[k][i].type));
        }
}

static const char draws_doc[] =
    " * What is drawn for row r is what m->seed gives row m->first + r, whatever n is. bind sets both to 0; for other\n"
    " * numbers take another seed, or add n to m->first after a call.\n";

/* " * `image` is not asked for: no output needs it.\n", or nothing */
static Str unread_doc(Header *h)
{
    Text text = {.arena = h->arena};
    uint32_t n = 0;
    for (uint32_t i = 0; i < h->port.input.n; i++)
        if (h->port.input.at[i].unread)
            text_printf(&text, "%s`" STR_FMT "`", n++ ? ", " : " * ", STR_ARG(h->port.input.at[i].name));
    if (n)
        text_printf(&text, " %s not asked for: no output needs %s.\n", n == 1 ? "is" : "are", n == 1 ? "it" : "them");
    return text.n ? str_copy(h->arena, text_str(&text)) : STR("");
}

static void declare_functions(Header *h)
{
    Text *out = h->out;
    const char *name = h->name.p, *type = h->type.p;
    text_printf(out,
                "/* Hands the model its memory. Every block is at least as large as its _BYTES and aligned to "
                "%s_ALIGN; it stays\n"
                " * the caller's, and must outlive the model. The parameters are left as they are. One thread; for "
                "more, set m->pool\n"
                " * afterwards (act/pool.h).\n"
                " * ACT_E_ARGUMENT: a NULL; ACT_E_MEMORY: a block too small, not aligned or missing; ACT_E_CPU: this "
                "machine lacks a\n"
                " * processor feature the model was compiled for (%s_model.features). */\n"
                "ActStatus %s_bind(%s *m, const %s_memory *memory);\n\n",
                h->upper.p, name, name, type, name);
    text_printf(out,
                "/* Fresh parameters and optimizer state. The same seed gives the same values on every machine.\n"
                " * ACT_E_ARGUMENT: not bound; ACT_E_MEMORY: no scratch memory (orthogonal initializers only). */\n"
                "ActStatus %s_init(%s *m, uint64_t seed);\n\n",
                name, type);
    if (h->port.forward) {
        text_printf(out,
                    "/* The outputs for n rows, any n from 1 on. Rows are independent: the same row gives the same "
                    "bits for every n.\n"
                    "%s%s"
                    " * ACT_E_ARGUMENT: not bound, a NULL, or n = 0. */\n"
                    "ActStatus %s_forward(const %s *m",
                    unread_doc(h).p, h->port.draws ? draws_doc : "", name, type);
        Names names = {0};
        add_ports(h, &names, h->port.input.at, h->port.input.n, true, true);
        text_add(out, STR(", size_t n"));
        add_ports(h, &names, h->port.output.at, h->port.output.n, false, false);
        text_add(out, STR(");\n\n"));
    }
    if (h->port.unit->evaluate && (h->port.loss.n || h->port.prediction.n)) {
        text_printf(out,
                    "/* The losses of n rows, n from 1 to %s_BATCH, in inference mode, and what the metrics look at. "
                    "Changes nothing.\n"
                    " * ACT_E_ARGUMENT: not bound, a NULL, or n out of range. */\n"
                    "ActStatus %s_evaluate(const %s *m",
                    h->upper.p, name, type);
        Names names = {0};
        add_ports(h, &names, h->port.input.at, h->port.input.n, true, false);
        add_ports(h, &names, h->port.target.at, h->port.target.n, true, false);
        text_add(out, STR(", size_t n, float *loss"));
        add_ports(h, &names, h->port.prediction.at, h->port.prediction.n, false, false);
        text_add(out, STR(");\n\n"));
    }
    if (h->port.trains) {
        text_printf(out,
                    "/* One step: forward, backward and optimizer on n rows, n from 1 to %s_BATCH; the loss is as it "
                    "was before the\n"
                    " * update. step->step counts from 1, step->lr_scale multiplies the learning rate (1 without a "
                    "schedule), step->seed\n"
                    " * is that of the random numbers drawn.\n"
                    " * ACT_E_ARGUMENT: not bound, a NULL, step 0, or n out of range. Labels are not checked against "
                    "their classes. */\n"
                    "ActStatus %s_train_step(const %s *m, const ActStep *step",
                    h->upper.p, name, type);
        Names names = {0};
        add_ports(h, &names, h->port.input.at, h->port.input.n, true, false);
        add_ports(h, &names, h->port.target.at, h->port.target.n, true, false);
        text_add(out, STR(", size_t n, float *loss);\n\n"));
    }
    text_printf(out,
                "/* Names, shapes, offsets and layouts of everything in the blocks, and the entry points: what "
                "act/act.h trains, saves\n"
                " * and loads by. */\n"
                "extern const ActModel %s_model;\n",
                name);
}

static void declare_model(Header *h)
{
    const UnitModel *unit = h->port.unit;
    text_printf(h->out, "\n/* ---- %s ----\n *\n", h->name.p);
    describe_ports(h, "input", h->port.input.at, h->port.input.n);
    describe_ports(h, "drawn", h->port.drawn.at, h->port.drawn.n);
    describe_ports(h, "target", h->port.target.at, h->port.target.n);
    describe_ports(h, "output", h->port.output.at, h->port.output.n);
    describe_losses(h);
    describe_ports(h, "metric", h->port.prediction.at, h->port.prediction.n);
    uint64_t parameters = 0;
    for (uint32_t i = 0; i < h->port.param.n; i++)
        parameters += type_elements(&h->port.param.at[i]->type);
    text_printf(h->out,
                " *\n * Arrays are dense, the last axis fastest. %llu parameters; %llu operations a row forward, %llu "
                "in training. */\n",
                (unsigned long long)parameters, (unsigned long long)unit->flops_forward,
                (unsigned long long)unit->flops_step);
    define_sizes(h);
    text_printf(h->out, "\ntypedef ActInstance %s;\ntypedef ActMemory %s_memory;\n\n", h->type.p, h->name.p);
    declare_functions(h);
}

/* ── the file ── */

static Str guard_of(Arena *arena, Str file)
{
    Text text = {.arena = arena};
    text_add(&text, STR("ACT_MODEL_"));
    for (uint32_t i = 0; i < file.n; i++)
        text_putc(&text, isalnum((unsigned char)file.p[i]) ? (char)toupper((unsigned char)file.p[i]) : '_');
    return text_str(&text);
}

Str header_text(Arena *arena, const Unit *unit, Str file, Str source)
{
    Text text = {.arena = arena};
    Str guard = guard_of(arena, file);
    text_printf(&text, "/* " STR_FMT ": made by actc from " STR_FMT ". Compile that again instead of editing this.\n",
                STR_ARG(file), STR_ARG(source));
    text_add(&text,
             STR(" *\n * The object allocates nothing: the caller owns the memory, and the sizes are below. It calls "
                 "nothing but the few\n"
                 " * functions of libactrt named in act/abi.h, and with one thread only in bind and init. */\n"));
    text_printf(&text, "#ifndef " STR_FMT "\n#define " STR_FMT "\n\n#include <act/abi.h>\n\n", STR_ARG(guard),
                STR_ARG(guard));
    text_printf(&text,
                "#if ACT_ABI_VERSION != %d\n#error \"this header is for version %d of act/abi.h: compile the model "
                "with the actc "
                "that came with it\"\n#endif\n\n",
                ACT_ABI_VERSION, ACT_ABI_VERSION);
    text_add(&text, STR("#ifdef __cplusplus\nextern \"C\" {\n#endif\n"));
    for (uint32_t i = 0; i < unit->models.n; i++) {
        Header h = {.arena = arena, .out = &text, .unit = unit};
        interface_of(arena, &unit->models.at[i], &h.port);
        h.name = str_copy(arena, unit->models.at[i].model->name);
        h.upper = interface_upper(arena, h.name);
        h.type = is_reserved(h.name) ? str_printf(arena, STR_FMT "_instance", STR_ARG(h.name)) : h.name;
        declare_model(&h);
    }
    text_add(&text, STR("\n#ifdef __cplusplus\n}\n#endif\n#endif\n"));
    return text_str(&text);
}
