/* Layers against PyTorch: every case of the fixture files given is compiled, gets PyTorch's parameters through the conversion that
 * files of weights go through, and must give PyTorch's outputs and gradients; so must the interpreter. README.md tells what is in
 * the files.
 *
 * The gradients are those that an optimizer is handed: the cases' own one keeps them in its state. Every input and output has a
 * parameter of zeros beside it (its probe), which the one sample sees whose `turn` is 1; so as many training steps as there are
 * samples show the gradient of every input, and with it every output as it is in training. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "units.h"

#include "act/act.h"
#include "core/layout.h"
#include "host/safetensors.h"
#include "host/tensor.h"
#include "llvm/backend.h"
#include "syntax/parse.h"

static const double tolerance = 1e-5;

typedef struct Case {
    Arena *arena;
    const ActSafetensors *file;
    const char *name;
    const char *runner; /* "compiled", "interpreted" */
    uint32_t rows, compared;
} Case;

/* ── the file ── */
static const ActStored *stored(const Case *c, const char *what, const char *name)
{
    for (size_t i = 0; i < c->file->n; i++) {
        Str key = str_printf(c->arena, "%s/%s.%s", c->name, what, name);
        if (str_is(key, c->file->tensor[i].name))
            return &c->file->tensor[i];
    }
    return NULL;
}

/* Its elements, four bytes each, in a block as wide as vectors read it. */
static void *stored_values(const Case *c, const ActStored *s)
{
    void *values = programs_block(c->arena, 4 * s->elements);
    if (!act_stored_convert(s, strcmp(s->dtype, "I32") == 0, values))
        fail_msg("%s: %s has a type of its own", c->name, s->name);
    return values;
}

/* Norm-wise; what is zero may be off by a rounding of numbers around one. */
static void compare(Case *c, const ActStored *want, const float *got)
{
    const float *expected = stored_values(c, want);
    double difference = 0, norm = 0;
    for (size_t i = 0; i < want->elements; i++) {
        difference += pow((double)got[i] - expected[i], 2);
        norm += pow(expected[i], 2);
    }
    c->compared++;
    if (!(sqrt(difference) <= tolerance * (sqrt(norm) + 0.05 * sqrt((double)want->elements))))
        fail_msg("%s: `%s` is off by %g of its norm %g (%s; the first is %g for %g)\n%s", c->name, want->name,
                 sqrt(difference / (norm > 0 ? norm : 1)), sqrt(norm), c->runner, got[0], expected[0],
                 act_safetensors_note(c->file, c->name));
}

static bool probe_of(const char *name, const char **of)
{
    *of = name + strlen("probe_");
    return strncmp(name, "probe_", strlen("probe_")) == 0;
}

static void turn_set(const Case *c, float *turn, uint32_t sample)
{
    for (uint32_t row = 0; row < c->rows; row++)
        turn[row] = row == sample;
}

/* What one step said about parameter `name`: a probe's gradient is one sample of an input's gradient or of an output. Gathered are
 * those of all samples. */
static void take_gradient(Case *c, const char *name, uint32_t sample, const float *seen, size_t count, float **gathered)
{
    const char *of;
    const ActStored *want;
    if (!probe_of(name, &of)) {
        want = stored(c, "grad", name);
        if (want != NULL)
            compare(c, want, seen);
        return;
    }
    want = stored(c, "grad", of);
    want = want == NULL ? stored(c, "output", of) : want;
    if (want == NULL || want->elements != count * c->rows)
        fail_msg("%s: `%s` is not in the file, or has another size", c->name, of);
    if (*gathered == NULL)
        *gathered = programs_block(c->arena, 4 * want->elements);
    memcpy(*gathered + sample * count, seen, 4 * count);
    if (sample + 1 == c->rows)
        compare(c, want, *gathered);
}

/* All that PyTorch computed must have been looked at, and the outputs of inference. */
static void compared_all(const Case *c, uint32_t outputs)
{
    uint32_t expected = outputs;
    for (size_t i = 0; i < c->file->n; i++) {
        const char *key = c->file->tensor[i].name;
        size_t n = strlen(c->name);
        if (strncmp(key, c->name, n) == 0)
            expected += strncmp(key + n, "/grad.", 6) == 0 || strncmp(key + n, "/output.", 8) == 0 ||
                        strncmp(key + n, "/after.", 7) == 0;
    }
    if (c->compared < expected)
        fail_msg("%s: %u things compared where the file has %u (%s)", c->name, c->compared, expected, c->runner);
}

/* Both sides have the same parameters. */
static void names_agree(const Case *c, const Graph *g)
{
    Str prefix = str_printf(c->arena, "%s/param.", c->name);
    for (size_t i = 0; i < c->file->n; i++) {
        Str key = str_of(c->file->tensor[i].name);
        if (str_starts(key, prefix) && graph_tensor_find(g, str_of(key.p + prefix.n)) < 0)
            fail_msg("%s: actc has no parameter `%s`", c->name, key.p + prefix.n);
    }
    for (uint32_t t = 0; t < g->tensors.n; t++) {
        const Tensor *tensor = &g->tensors.at[t];
        const char *name = str_c(c->arena, tensor->name), *of;
        bool parameter = tensor->role == ROLE_PARAM || tensor->role == ROLE_CONSTANT;
        if (parameter && !probe_of(name, &of) && stored(c, "param", name) == NULL)
            fail_msg("%s: PyTorch has no parameter `%s`", c->name, name);
    }
}

/* ── compiled ── */
static const BackendSymbol runtime_symbol[] = {
    {"act_parallel", (void (*)(void))act_parallel}, {"act_barrier", (void (*)(void))act_barrier},
    {"act_pool_share", (void (*)(void))act_pool_share}, {"act_cpu_has", (void (*)(void))act_cpu_has},
    {"act_fill", (void (*)(void))act_fill},
};

static void load(const Case *c, const ActInstance *m)
{
    for (uint32_t i = 0; i < m->model->n_param; i++) {
        const ActTensor *tensor = &m->model->param[i];
        const ActStored *from = stored(c, "param", tensor->name);
        uint32_t shape[ACT_MAX_RANK];
        act_layout_file_shape(tensor, shape);
        if (from != NULL && (from->rank != tensor->rank || memcmp(from->dim, shape, tensor->rank * sizeof *shape) != 0))
            fail_msg("%s: `%s` has another shape in PyTorch", c->name, tensor->name);
        size_t bytes = 4 * act_layout_elements(tensor);
        void *zero = programs_block(c->arena, bytes);
        memset(zero, 0, bytes);
        float *values = zero;
        if (from != NULL && !act_stored_convert(from, tensor->type == ACT_I32, values)) { /* a count, kept as a float here */
            const int32_t *whole = stored_values(c, from);
            for (size_t e = 0; e < from->elements; e++)
                values[e] = (float)whole[e];
        }
        act_tensor_from_file(tensor, values, m->param);
    }
}

static const float *in_file_order(const Case *c, const ActTensor *tensor, const void *block)
{
    const float *from = (const float *)(const void *)((const char *)block + tensor->offset);
    float *to = programs_block(c->arena, 4 * act_layout_elements(tensor));
    ActWalk walk;
    act_layout_walk(&walk, tensor);
    for (size_t e = 0; e < act_layout_elements(tensor); e++)
        to[e] = from[act_layout_next(&walk)];
    return to;
}

static void run_compiled(Case *c, const ActModel *model)
{
    ActError error;
    ActInstance *m = act_instance_new(model, 1, &error);
    if (m == NULL)
        fail_msg("%s: %s", c->name, error.text);
    const void *input[16];
    float *turn = NULL;
    for (uint32_t i = 0; i < model->n_input; i++) {
        const char *name = model->input[i].name;
        const ActStored *from = stored(c, strncmp(name, "weight_", 7) == 0 ? "weight" : "input",
                                       strncmp(name, "weight_", 7) == 0 ? name + 7 : name);
        if (strcmp(name, "turn") == 0)
            input[i] = turn = programs_block(c->arena, 4 * c->rows);
        else if (from != NULL)
            input[i] = stored_values(c, from);
        else
            fail_msg("%s: input `%s` is not in the file", c->name, name);
    }
    turn_set(c, turn, c->rows);
    load(c, m);
    void *output[16];
    for (uint32_t i = 0; i < model->n_output; i++)
        output[i] = programs_block(c->arena, 4 * c->rows * act_tensor_width(&model->output[i]));
    assert_int_equal(model->entry.forward(m, input, c->rows, output), ACT_OK);
    for (uint32_t i = 0; i < model->n_output; i++) {
        const char *name = model->output[i].name + strlen("result_");
        const ActStored *want = stored(c, "infer", name);
        compare(c, want ? want : stored(c, "output", name), output[i]);
    }
    float **gathered = arena_array(c->arena, float *, model->n_state);
    for (uint32_t sample = 0; sample < c->rows; sample++) {
        float loss[16];
        load(c, m);
        turn_set(c, turn, sample);
        assert_int_equal(model->entry.train_step(m, &(ActStep){1, 1, 1}, input, NULL, c->rows, loss), ACT_OK);
        for (uint32_t i = 0; i < model->n_state; i++) {
            const ActTensor *seen = &model->state[i];
            char name[256];
            snprintf(name, sizeof name, "%.*s", (int)(strlen(seen->name) - strlen(".seen")), seen->name);
            take_gradient(c, name, sample, in_file_order(c, seen, m->state), act_layout_elements(seen), &gathered[i]);
        }
    }
    for (uint32_t i = 0; i < model->n_param; i++) {
        const ActStored *want = stored(c, "after", model->param[i].name);
        if (want != NULL && strcmp(want->dtype, "F32") == 0)
            compare(c, want, in_file_order(c, &model->param[i], m->param));
        else if (want != NULL)
            assert_int_equal(*(const int32_t *)stored_values(c, want), *in_file_order(c, &model->param[i], m->param)), c->compared++;
    }
    compared_all(c, model->n_output);
    act_instance_free(m);
}

static void compile_and_run(Case *c, const Program *program)
{
    Str why, help;
    const Machine *machine = machine_select(c->arena, (Str){0}, (Str){0}, &why, &help);
    UnitOptions options = {.target = machine->target, .level = 2, .verify = true};
    Unit *unit = unit_build(c->arena, program, &options);
    if (unit == NULL)
        fail_msg("%s: cannot be compiled\n%s", c->name, act_safetensors_note(c->file, c->name));
    const ActModel *model;
    BackendOptions backend = {.machine = machine, .level = 2, .source = STR("case.act")};
    BackendRun *run = backend_run_jit(c->arena, unit, &backend, runtime_symbol, sizeof runtime_symbol / sizeof *runtime_symbol,
                                      &model, &why);
    if (run == NULL)
        fail_msg("%s: %s", c->name, why.p);
    run_compiled(c, model);
    backend_run_end(run);
}

/* ── interpreted ── */
/* A tensor as the descriptor would have it, dense. */
static ActTensor described(const Tensor *t)
{
    ActTensor out = {.name = t->name.p, .rank = t->type.rank, .flat_rank = t->flat_rank, .bytes = 4 * type_elements(&t->type)};
    for (uint32_t i = 0; i < t->type.rank; i++) {
        out.dim[i] = t->type.dim[i];
        out.file_axis[i] = t->file_axis[i];
    }
    for (uint32_t i = 0; i < t->flat_rank; i++)
        out.flat[i] = t->flat[i];
    return out;
}

static double *interpreter_value(const Case *c, const Tensor *t)
{
    size_t count = (size_t)type_elements(&t->type) * (t->type.batch ? c->rows : 1);
    double *to = arena_array(c->arena, double, count + 1);
    const char *name = str_c(c->arena, t->name);
    bool weight = strncmp(name, "weight_", 7) == 0;
    const ActStored *from = stored(c, t->role == ROLE_INPUT ? weight ? "weight" : "input" : "param",
                                   t->role == ROLE_INPUT && weight ? name + 7 : name);
    if (from == NULL)
        return to;
    if (from->elements != count)
        fail_msg("%s: `%s` has another size in PyTorch", c->name, name);
    const void *values = stored_values(c, from);
    ActTensor tensor = described(t);
    ActWalk walk;
    act_layout_walk(&walk, &tensor);
    for (size_t e = 0; e < count; e++) {
        size_t place = t->role == ROLE_INPUT ? e : act_layout_next(&walk);
        to[place] = strcmp(from->dtype, "I32") == 0 ? ((const int32_t *)values)[e] : (double)((const float *)values)[e];
    }
    return to;
}

/* The values of a root in file order. */
static float *root_values(const Case *c, const Graph *g, const Root *root, const double *from)
{
    size_t count = graph_value_count(g, root->node, c->rows);
    float *to = arena_array(c->arena, float, count + 1);
    ActTensor tensor = root->kind == ROOT_UPDATE ? described(&g->tensors.at[root->index]) : (ActTensor){0};
    ActWalk walk;
    act_layout_walk(&walk, &tensor);
    for (size_t e = 0; e < count; e++)
        to[e] = (float)from[root->kind == ROOT_UPDATE ? act_layout_next(&walk) : e];
    return to;
}

static void interpret(Case *c, const Model *model)
{
    Str why, help;
    const Machine *machine = machine_select(c->arena, (Str){0}, (Str){0}, &why, &help);
    const Graph *train = units_train_graph(c->arena, model, machine->target);
    double **value = arena_array(c->arena, double *, train->tensors.n + 1);
    for (uint32_t t = 0; t < train->tensors.n; t++)
        value[t] = interpreter_value(c, &train->tensors.at[t]);
    EvalEnv env = {.rows = c->rows, .tensor = (const double *const *)value, .step = 1, .lr_scale = 1, .seed = 1};
    double **result = graph_eval(c->arena, model->graph, &env);
    uint32_t outputs = 0;
    for (uint32_t i = 0; i < model->graph->roots.n; i++) {
        const Root *root = &model->graph->roots.at[i];
        if (root->kind != ROOT_OUTPUT)
            continue;
        const char *name = str_c(c->arena, root->name) + strlen("result_");
        const ActStored *want = stored(c, "infer", name);
        compare(c, want ? want : stored(c, "output", name), root_values(c, model->graph, root, result[root->node]));
        outputs++;
    }
    float **gathered = arena_array(c->arena, float *, train->tensors.n);
    double *turn = value[graph_tensor_find(train, STR("turn"))];
    for (uint32_t sample = 0; sample < c->rows; sample++) {
        for (uint32_t row = 0; row < c->rows; row++)
            turn[row] = row == sample;
        result = graph_eval(c->arena, train, &env);
        for (uint32_t i = 0; i < train->roots.n; i++) {
            const Root *root = &train->roots.at[i];
            if (root->kind != ROOT_UPDATE)
                continue;
            const Tensor *t = &train->tensors.at[root->index];
            const ActStored *after = stored(c, "after", str_c(c->arena, t->name));
            float *got = root_values(c, train, root, result[root->node]);
            if (t->of)
                take_gradient(c, str_c(c->arena, train->tensors.at[t->of - 1].name), sample, got, type_elements(&t->type),
                              &gathered[root->index]);
            else if (after != NULL && strcmp(after->dtype, "F32") == 0)
                compare(c, after, got);
            else if (after != NULL)
                assert_int_equal(*(const int32_t *)stored_values(c, after), *got), c->compared++;
        }
    }
    compared_all(c, outputs);
}

/* ── cases ── */
static void run_case(const ActSafetensors *file, const char *name)
{
    Arena *arena = arena_new();
    const char *text = act_safetensors_note(file, name);
    if (text == NULL)
        fail_msg("%s has no text", name);
    Sources sources = {.arena = arena};
    Diags diags = {.arena = arena, .sources = &sources};
    const Source *source = source_add(&sources, STR("case.act"), str_of(text), false);
    Program *program = sema_run(arena, &sources, &diags, parse_source(arena, &diags, source), NULL);
    if (diag_count(&diags, LEVEL_ERROR) != 0)
        fail_msg("%s: %s\n%s", name, diag_render(arena, diags.list.at[0], &(DiagStyle){.format = DIAG_SHORT}).p, text);
    const Model *model = program->models.at[0];
    Case c = {.arena = arena, .file = file, .name = name, .rows = model->train->batch, .runner = "interpreted"};
    names_agree(&c, model->graph);
    interpret(&c, model);
    c.compared = 0;
    c.runner = "compiled";
    if (strstr(text, "# interpreter only") == NULL)
        compile_and_run(&c, program);
    arena_free(arena);
}

static const char *path, *only;

static void family(void **unused)
{
    (void)unused;
    ActSafetensors file;
    ActError error;
    if (act_safetensors_read(path, &file, &error) != ACT_OK)
        fail_msg("%s", error.text);
    char seen[256] = "";
    unsigned cases = 0;
    for (size_t i = 0; i < file.n; i++) { /* the arrays of a case stand together */
        const char *key = file.tensor[i].name;
        char name[256];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(key, "/"), key);
        if (strcmp(name, seen) == 0 || (only != NULL && strcmp(name, only) != 0))
            continue;
        strcpy(seen, name);
        run_case(&file, name);
        cases++;
    }
    assert_true(cases > 0);
    act_safetensors_free(&file);
}

/* torch_layers FILE [CASE] */
int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    path = argv[1];
    only = argc > 2 ? argv[2] : NULL;
    const struct CMUnitTest tests[] = {cmocka_unit_test(family)};
    return cmocka_run_group_tests_name("torch.layers", tests, NULL, NULL);
}
