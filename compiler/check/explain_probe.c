/* Small networks around a definition: what they compute is what the page prints. */
#include "check/explain.h"

#include "graph/eval.h"
#include "syntax/parse.h"

#include <math.h>
#include <stdarg.h>

/* The file whose definitions a probe needs, and the folder that its own imports start from. */
static const Source *user_file(const Program *program)
{
    return program->files.n ? source_get(program->sources, program->files.at[program->files.n - 1]->span.source) : NULL;
}

/* The file may not be on disk, or not so: standard input, an editor's buffer. */
static bool read_again(void *owner, Str path, Str *text)
{
    const Sources *sources = ((const Program *)owner)->sources;
    for (uint32_t i = 0; i < sources->list.n; i++)
        if (!sources->list.at[i]->library && str_eq(sources->list.at[i]->path, path)) {
            *text = sources->list.at[i]->text;
            return true;
        }
    return false;
}

static Str folder_of(Str path)
{
    uint32_t n = path.n;
    while (n && path.p[n - 1] != '/')
        n--;
    return (Str){path.p, n};
}

Program *probe_program(Page *page, const char *format, ...)
{
    Arena *arena = page->out->arena;
    Text text = {.arena = arena};
    const Source *file = user_file(page->program);
    Str folder = {0};
    if (file) {
        folder = folder_of(file->path);
        text_printf(&text, "import \"" STR_FMT "\"\n", (int)(file->path.n - folder.n), file->path.p + folder.n);
    }
    va_list args;
    va_start(args, format);
    text_add(&text, str_vprintf(arena, format, args));
    va_end(args);
    Sources *sources = arena_new_of(arena, Sources);
    sources->arena = arena;
    Diags *diags = arena_new_of(arena, Diags);
    *diags = (Diags){.arena = arena, .sources = sources};
    Str path = str_printf(arena, STR_FMT "explained.act", STR_ARG(folder));
    const Source *source = source_add(sources, path, text_str(&text), false);
    Program *program = sema_run(arena, sources, diags, parse_source(arena, diags, source),
                                &(SemaOptions){.open = read_again, .open_context = page->program});
    return diag_count(diags, LEVEL_ERROR) ? NULL : program;
}

static Model *model_called(const Program *program, const char *name)
{
    for (uint32_t i = 0; program && i < program->models.n; i++)
        if (str_is(program->models.at[i]->name, name) && !program->models.at[i]->poisoned)
            return program->models.at[i];
    return NULL;
}

/* ── losses ── */
/* The term per element as a function of prediction and target: the map that reads both. */
static Sx term_of(const Graph *g, NodeId prediction, NodeId target)
{
    for (NodeId id = 1; id < g->nodes.n; id++) {
        const Node *node = graph_node(g, id);
        if (node->op->kind != OP_MAP || node->n_in > 2)
            continue;
        Sx to[2] = {0, 0};
        bool reads = false, other = false;
        for (uint32_t i = 0; i < node->n_in; i++) {
            reads = reads || node->in[i] == prediction;
            other = other || (node->in[i] != prediction && node->in[i] != target);
            to[i] = sx_arg(g->sx, node->in[i] == prediction ? 0 : 1);
        }
        if (reads && !other)
            return sx_substitute(g->sx, node_attr(node, 0)->sx, to, node->n_in);
    }
    return 0;
}

/* A body that reduces by itself has no term: its maps are only parts of it. */
static bool is_term(const LossProbe *probe, Sx fn)
{
    static const double point[][2] = {{0.3, 0.8}, {0.6, 0.25}, {0.9, 1}, {0.45, 0}};
    Arena *arena = arena_new();
    double *p = arena_array(arena, double, probe->size), *t = arena_array(arena, double, probe->size);
    bool same = true;
    for (unsigned i = 0; i < sizeof point / sizeof point[0]; i++) {
        for (uint32_t k = 0; k < probe->size; k++)
            p[k] = point[i][0], t[k] = point[i][1];
        double whole = probe_loss_value(probe, p, t), term = sx_eval(probe->model->graph->sx, fn, point[i]);
        same = same && (fabs(whole - term) <= 1e-9 * (1 + fabs(term)) || (isnan(whole) && isnan(term)));
    }
    arena_free(arena);
    return same;
}

static bool loss_model(Page *page, const Def *def, uint32_t size, bool classes, LossProbe *out)
{
    Program *program = classes ? probe_program(page,
                                               "model explained {\n    input p : f32[%u]\n    target t : class(%u)\n"
                                               "    loss " STR_FMT "(p, t)\n}\n",
                                               size, size, STR_ARG(def->name))
                               : probe_program(page,
                                               "model explained {\n    input p : f32[%u]\n    target t : f32[%u]\n"
                                               "    loss " STR_FMT "(p, t)\n}\n",
                                               size, size, STR_ARG(def->name));
    Model *model = model_called(program, "explained");
    if (!model || !model->losses.n)
        return false;
    const LossCall *call = &model->losses.at[0];
    *out = (LossProbe){.model = model, .call = call, .classes = classes, .size = size};
    int p = graph_tensor_find(model->graph, STR("p")), t = graph_tensor_find(model->graph, STR("t"));
    if (p < 0 || t < 0)
        return false;
    out->prediction = (uint32_t)p;
    out->target = (uint32_t)t;
    Sx fn = classes ? 0 : term_of(model->graph, call->prediction, call->target);
    out->fn = fn && is_term(out, fn) ? fn : 0;
    return true;
}

bool probe_loss(Page *page, const Def *def, uint32_t size, LossProbe *out)
{
    LossProbe classes;
    bool real = loss_model(page, def, size, false, out);
    if (real && !out->call->classes)
        return true;
    if (!loss_model(page, def, size, true, &classes))
        return real;
    *out = classes;
    return true;
}

static double *evaluate(const Model *model, const double *const *tensor, NodeId root, Arena *arena)
{
    EvalEnv env = {.rows = 1, .tensor = tensor, .step = 1, .lr_scale = 1};
    return graph_eval(arena, model->graph, &env)[root];
}

double probe_loss_value(const LossProbe *probe, const double *prediction, const double *target)
{
    Arena *arena = arena_new();
    const Graph *g = probe->model->graph;
    const double **tensor = arena_array(arena, const double *, g->tensors.n);
    tensor[probe->prediction] = prediction;
    tensor[probe->target] = target;
    double value = NAN;
    for (uint32_t i = 0; i < g->roots.n; i++)
        if (g->roots.at[i].kind == ROOT_LOSS)
            value = evaluate(probe->model, tensor, g->roots.at[i].node, arena)[0];
    arena_free(arena);
    return value;
}

bool probe_output(const Model *model, const double *x, double *out, uint32_t n)
{
    const Graph *g = model->graph;
    for (uint32_t i = 0; i < g->roots.n; i++) {
        if (g->roots.at[i].kind != ROOT_OUTPUT || graph_value_count(g, g->roots.at[i].node, 1) != n)
            continue;
        Arena *arena = arena_new();
        const double **tensor = arena_array(arena, const double *, g->tensors.n + 1u);
        tensor[0] = x;
        const double *value = evaluate(model, tensor, g->roots.at[i].node, arena);
        for (uint32_t k = 0; k < n; k++)
            out[k] = value[k];
        arena_free(arena);
        return true;
    }
    return false;
}

/* ── stacks ── */
/* Has a parameter `gain` that the compiler fills in? */
static bool takes_gain(const Program *program, const char *initializer)
{
    const Def *def = sema_find(program, DEF_INITIALIZER, str_of(initializer));
    for (uint32_t i = 0; def && def->ast && i < def->ast->n_kid; i++) {
        const Ast *list = def->ast->kid[i];
        for (uint32_t k = 0; list && list->kind == AST_PARAMETERS && k < list->n_kid; k++)
            if (str_is(list->kid[k]->text, "gain") && !(list->kid[k]->n_kid && list->kid[k]->kid[0]))
                return true;
    }
    return false;
}

/* The last layer, behind which nothing follows, starts as the others do: twenty layers give twenty factors. */
static const char *last_initializer(Page *page, const char *activation, const char *initializer)
{
    Sx fn;
    SxTraits traits;
    bool automatic = str_is(str_of(initializer), "auto");
    if ((!automatic && !takes_gain(page->program, initializer)) || !page_traits(page, activation, &fn, &traits))
        return initializer;
    return str_c(page->out->arena, str_printf(page->out->arena, "%s(gain = %.17g)",
                                              automatic ? "kaiming_normal" : initializer, traits.gain));
}

static void stack_text(Page *page, Text *text, unsigned i, const StackCase *c)
{
    text_printf(text,
                "block explained_layer%u(x) { x |> linear(%d, weight = %s) |> %s }\n"
                "model explained%u {\n    input x : f32[%d]\n"
                "    y = x |> repeat(%d, explained_layer%u) |> linear(%d, weight = %s)\n    output y\n}\n",
                i, STACK_WIDTH, c->initializer, c->activation, i, STACK_WIDTH, STACK_LAYERS, i, STACK_WIDTH,
                last_initializer(page, c->activation, c->initializer));
}

static bool measure_stack(Arena *arena, const Model *model, Stack *out)
{
    Facts *facts = facts_new(arena, model->graph);
    Signal *signal = signal_of_model(arena, facts, model, NULL);
    NodeId last = model->layers.at[model->layers.n - 1].out;
    uint32_t linear = 0, active = 0;
    for (uint32_t i = 0; i < model->layers.n; i++) {
        const LayerUse *use = &model->layers.at[i];
        if (use->n_tensor && linear < STACK_LAYERS)
            out->gradient[linear++] = signal_gradient_norm(signal, use->out) / signal_gradient_norm(signal, last);
        else if (!use->n_tensor && active < STACK_LAYERS)
            out->signal[active++] = signal_rms(signal, use->out);
    }
    return linear == STACK_LAYERS && active == STACK_LAYERS;
}

bool probe_stacks(Page *page, const StackCase *cases, unsigned n, const char *more, Stack *out)
{
    Arena *arena = page->out->arena;
    Text text = {.arena = arena};
    text_printf(&text, "%s", more);
    for (unsigned i = 0; i < n; i++)
        stack_text(page, &text, i, &cases[i]);
    Program *program = probe_program(page, STR_FMT, STR_ARG(text_str(&text)));
    bool all = program != NULL;
    for (unsigned i = 0; all && i < n; i++) {
        const Model *model = model_called(program, str_c(arena, str_printf(arena, "explained%u", i)));
        all = model && measure_stack(arena, model, &out[i]);
    }
    return all;
}

bool probe_stack(Page *page, const char *activation, const char *initializer, const char *more, Stack *out)
{
    return probe_stacks(page, &(StackCase){activation, initializer}, 1, more, out);
}

unsigned page_activations(Page *page, const Def **def, SxTraits *traits, unsigned cap)
{
    Program *program = page->program;
    unsigned n = 0;
    for (uint32_t i = 0; i < program->defs.n && n < cap; i++) {
        def[n] = &program->defs.at[i];
        Sx fn = def[n]->kind == DEF_ACTIVATION && sema_find(program, DEF_ACTIVATION, def[n]->name) == def[n]
                    ? sema_activation(program, def[n])
                    : 0;
        if (fn)
            traits[n++] = sx_traits(program->sx, fn);
    }
    return n;
}

bool page_traits(Page *page, const char *name, Sx *fn, SxTraits *traits)
{
    const Def *def = sema_find(page->program, DEF_ACTIVATION, str_of(name));
    *fn = def ? sema_activation(page->program, def) : 0;
    if (*fn)
        *traits = sx_traits(page->program->sx, *fn);
    return *fn != 0;
}
