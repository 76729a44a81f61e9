/* `train NAME { … }`: every setting is known by its key; an unknown one is an error. */
#include "sema/sema.h"
#include "syntax/parse.h"

typedef struct Settings {
    Sema *s;
    Frame *f;
    Model *model;
    TrainUse *use;
    const Ast *optimizer_default; /* the setting without a group, for duplicates */
} Settings;

typedef struct Key {
    const char *name;
    bool repeats;
    void (*read)(Settings *t, const Ast *setting);
    const char *looks_like;
} Key;

/* ── one value ── */
static const Ast *only_value(Settings *t, const Ast *st, uint32_t want, const char *example)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < st->n_kid; i++)
        n += st->kid[i] && st->kid[i]->kind != AST_FOR;
    if (n == want)
        return st->kid[0];
    Diag *diag =
        sema_error(t->s, n < want ? CODE_missing_argument : CODE_wrong_argument, st->span,
                   "the setting `" STR_FMT "` takes %s", STR_ARG(st->text), want == 1 ? "one value" : "other words");
    diag_help(diag, "write `%s`", example);
    return NULL;
}

static bool whole(Settings *t, const Ast *e, const char *what, int64_t low, int64_t high, int64_t *out)
{
    return value_whole(t->s, eval(t->s, t->f, e), e->span, what, low, high, out);
}

/* The one value, a whole number; after a mistake what it was before. */
static uint64_t only_whole(Settings *t, const Ast *st, const char *example, const char *what, int64_t low, int64_t high,
                           uint64_t before)
{
    const Ast *e = only_value(t, st, 1, example);
    int64_t n;
    return e && whole(t, e, what, low, high, &n) ? (uint64_t)n : before;
}

static void read_epochs(Settings *t, const Ast *st)
{
    t->use->epochs = only_whole(t, st, "epochs 10", "the number of epochs", 1, INT32_MAX, t->use->epochs);
}

static void read_batch(Settings *t, const Ast *st)
{
    t->use->batch = (uint32_t)only_whole(t, st, "batch 128", "the batch", 1, 1 << 20, t->use->batch);
}

static void read_seed(Settings *t, const Ast *st)
{
    t->use->seed = only_whole(t, st, "seed 1", "the seed", 0, INT64_C(1) << 53, t->use->seed);
}

static void read_accumulate(Settings *t, const Ast *st)
{
    t->use->accumulate =
        (uint32_t)only_whole(t, st, "accumulate 4", "`accumulate`", 1, 1 << 20, t->use->accumulate);
}

static void read_data(Settings *t, const Ast *st)
{
    const Ast *e = only_value(t, st, 1, "data fashion_mnist");
    if (!e || ast_ungroup(e)->kind == AST_ERROR)
        return;
    const Ast *name = ast_ungroup(e);
    Item *item = name->kind == AST_NAME ? item_find(t->s, DEF_DATA, name->text) : NULL;
    if (!item) {
        VEC(Str) names = {0};
        for (uint32_t i = 0; i < t->s->by_kind[DEF_DATA].n; i++)
            *vec_push(t->s->arena, &names) = t->s->by_kind[DEF_DATA].item[i].key;
        sema_unknown(t->s, e->span, "data block", name->text, names.at, names.n);
        return;
    }
    t->use->data = data_build(t->s, item->def.ast, t->model);
}

/* ── settings with words ── */
static Str word_at(const Ast *st, uint32_t i)
{
    return i < st->n_kid && st->kid[i] && st->kid[i]->kind == AST_NAME ? st->kid[i]->text : (Str){0};
}

/* `word(argument = number)` or `word(number)`: the number. */
static bool call_number(Settings *t, const Ast *e, const char *word, const char *argument, Value *out)
{
    e = ast_ungroup(e);
    if (!e || e->kind != AST_CALL || !str_is(ast_ungroup(e->kid[0])->text, word))
        return false;
    Args pos = {0}, named = {0};
    args_read(t->s, t->f, e, &pos, &named);
    Str name = str_of(argument);
    for (uint32_t i = 0; i < named.n; i++)
        if (!str_eq(named.at[i].name, name)) {
            sema_unknown(t->s, named.at[i].name_span,
                         str_c(t->s->arena, str_printf(t->s->arena, "argument of `%s`", word)), named.at[i].name, &name,
                         1);
            *out = value_none();
            return true;
        }
    if (pos.n + named.n != 1) {
        sema_error(t->s, CODE_missing_argument, e->span, "`%s` takes one number", word);
        *out = value_none();
        return true;
    }
    *out = arg_value(t->s, pos.n ? &pos.at[0] : &named.at[0]);
    return true;
}

static void wrong_form(Settings *t, const Ast *st, const char *example)
{
    for (uint32_t i = 0; i < st->n_kid; i++)
        if (!st->kid[i] || st->kid[i]->kind == AST_ERROR)
            return;
    Diag *diag =
        sema_error(t->s, CODE_wrong_argument, st->span, "`" STR_FMT "` is not written like this", STR_ARG(st->text));
    diag_help(diag, "write `%s`", example);
}

static void read_clip(Settings *t, const Ast *st)
{
    Value v;
    double bound;
    const Ast *e = st->n_kid ? st->kid[0] : NULL;
    bool norm = e && call_number(t, e, "norm", "max", &v);
    if (!norm && (!e || !call_number(t, e, "value", "max", &v))) {
        wrong_form(t, st, "clip norm(1.0)");
        return;
    }
    if (!value_real(t->s, v, e->span, norm ? "the norm" : "the bound", &bound))
        return;
    if (!(bound > 0))
        sema_error(t->s, CODE_wrong_argument, e->span, "the %s must be positive", norm ? "norm" : "bound");
    *(norm ? &t->use->clip_norm : &t->use->clip_value) = bound;
}

static void read_average(Settings *t, const Ast *st)
{
    Value v;
    int64_t n;
    const Ast *e = st->n_kid ? st->kid[0] : NULL;
    if (e && call_number(t, e, "ema", "decay", &v)) {
        if (value_real(t->s, v, e->span, "the decay", &t->use->average_decay) &&
            !(t->use->average_decay > 0 && t->use->average_decay < 1))
            sema_error(t->s, CODE_wrong_argument, e->span, "the decay lies between 0 and 1");
    } else if (e && call_number(t, e, "last", "epochs", &v)) {
        if (value_whole(t->s, v, e->span, "the number of epochs", 2, 64, &n))
            t->use->average_last = (uint32_t)n;
    } else {
        wrong_form(t, st, "average ema(0.999)");
    }
}

/* The average is kept beside the states of the optimizers: none of those may have its name. */
static void check_average(Settings *t)
{
    for (uint32_t i = 0; t->use->average_decay > 0 && i < t->use->optimizers.n; i++)
        for (uint32_t k = 0; k < t->use->optimizers.at[i]->state.n; k++)
            if (str_is(t->use->optimizers.at[i]->state.at[k], "average"))
                sema_error(t->s, CODE_duplicate_name, t->use->optimizers.at[i]->span,
                           "this optimizer has a state `average`, which is what `average ema` calls its own");
}

static void read_stop(Settings *t, const Ast *st)
{
    Value v;
    int64_t n;
    if (st->n_kid < 1 || !call_number(t, st->kid[0], "early", "patience", &v)) {
        wrong_form(t, st, "stop early(patience = 3)");
        return;
    }
    if (value_whole(t->s, v, st->kid[0]->span, "the patience", 1, INT32_MAX, &n))
        t->use->patience = (uint64_t)n;
}

static void read_checkpoint(Settings *t, const Ast *st)
{
    int64_t n;
    bool epochs = st->n_kid == 3 && (str_is(word_at(st, 2), "epoch") || str_is(word_at(st, 2), "epochs"));
    bool steps = st->n_kid == 3 && (str_is(word_at(st, 2), "step") || str_is(word_at(st, 2), "steps"));
    if (st->n_kid == 3 && str_is(word_at(st, 0), "every") && word_at(st, 2).n && !epochs && !steps) {
        static const Str units[] = {{"epoch", 5}, {"epochs", 6}, {"step", 4}, {"steps", 5}};
        sema_unknown(t->s, st->kid[2]->span, "unit of `checkpoint`", word_at(st, 2), units, 4);
        return;
    }
    if ((!epochs && !steps) || !str_is(word_at(st, 0), "every")) {
        wrong_form(t, st, "checkpoint every 1 epoch");
        return;
    }
    if (whole(t, st->kid[1], epochs ? "the number of epochs" : "the number of steps", 1, INT32_MAX, &n))
        *(epochs ? &t->use->checkpoint_every : &t->use->checkpoint_steps) = (uint64_t)n;
}

static void read_start(Settings *t, const Ast *st)
{
    if (st->n_kid == 2 && str_is(word_at(st, 0), "from") && st->kid[1]->kind == AST_STRING)
        t->use->start_from = st->kid[1]->text;
    else
        wrong_form(t, st, "start from \"weights.safetensors\"");
}

/* monitor · monitor every 50 steps · monitor all every 50 steps */
static void read_monitor(Settings *t, const Ast *st)
{
    enum { EVERY = 50 };
    int64_t n = EVERY;
    uint32_t at = str_is(word_at(st, 0), "all");
    bool every = st->n_kid == at + 3 && str_is(word_at(st, at), "every") &&
                 (str_is(word_at(st, at + 2), "steps") || str_is(word_at(st, at + 2), "step"));
    if (!every && st->n_kid != at)
        wrong_form(t, st, "monitor every 50 steps");
    else if (!every || whole(t, st->kid[at + 1], "the number of steps", 1, INT32_MAX, &n))
        t->use->monitor_every = (uint64_t)n;
}

/* ── optimizer and schedule ── */
static void read_group(Settings *t, const Ast *names, OptimizerUse *use)
{
    for (uint32_t i = 0; names && i < names->n_kid; i++) {
        Str name = names->kid[i]->text;
        VEC(Str) known = {0};
        bool found = false;
        for (uint32_t k = 0; k < t->model->graph->tensors.n; k++) {
            Str tensor = t->model->graph->tensors.at[k].name;
            Role role = t->model->graph->tensors.at[k].role;
            if (role != ROLE_PARAM && role != ROLE_CONSTANT)
                continue;
            uint32_t end = 0;
            while (end < tensor.n && tensor.p[end] != '.')
                end++;
            *vec_push(t->s->arena, &known) = (Str){tensor.p, end};
            found = found || str_eq(tensor, name) ||
                    (str_starts(tensor, name) && tensor.n > name.n && tensor.p[name.n] == '.');
        }
        if (!found && !t->model->poisoned)
            sema_unknown(t->s, names->kid[i]->span, "group of weights", name, known.at, known.n);
        *vec_push(t->s->arena, &use->group) = name;
    }
}

static void read_optimizer(Settings *t, const Ast *st)
{
    const Ast *group =
        st->n_kid && st->kid[st->n_kid - 1] && st->kid[st->n_kid - 1]->kind == AST_FOR ? st->kid[st->n_kid - 1] : NULL;
    const Ast *e = only_value(t, st, 1, "optimizer adamw(lr = 1e-3)");
    if (!e)
        return;
    if (!group && t->optimizer_default) {
        Diag *diag = sema_error(t->s, CODE_duplicate_name, st->name_span, "there are two optimizers for all weights");
        diag_label(diag, t->optimizer_default->name_span, "the first");
        diag_help(diag, "give one of them a group: `optimizer ... for g`");
        return;
    }
    if (!group)
        t->optimizer_default = st;
    OptimizerUse *use = optimizer_build(t->s, t->f, e);
    if (!use)
        return;
    read_group(t, group, use);
    *vec_push(t->s->arena, &t->use->optimizers) = use;
    if (!group) /* the one without a group first */
        for (uint32_t i = t->use->optimizers.n - 1; i > 0; i--) {
            t->use->optimizers.at[i] = t->use->optimizers.at[i - 1];
            t->use->optimizers.at[i - 1] = use;
        }
}

static void read_schedule(Settings *t, const Ast *st)
{
    const Ast *e = only_value(t, st, 1, "schedule cosine(warmup = 200)");
    if (e)
        t->use->schedule = schedule_build(t->s, t->f, e, &t->use->schedule_text);
}

static const Key keys[] = {
    {"data", false, read_data, "data fashion_mnist"},
    {"epochs", false, read_epochs, "epochs 10"},
    {"batch", false, read_batch, "batch 128"},
    {"optimizer", true, read_optimizer, "optimizer adamw(lr = 1e-3)"},
    {"schedule", false, read_schedule, "schedule cosine(warmup = 200)"},
    {"clip", false, read_clip, "clip norm(1.0)"},
    {"average", false, read_average, "average ema(0.999)"},
    {"accumulate", false, read_accumulate, "accumulate 4"},
    {"seed", false, read_seed, "seed 1"},
    {"stop", false, read_stop, "stop early(patience = 3)"},
    {"checkpoint", false, read_checkpoint, "checkpoint every 1 epoch"},
    {"monitor", false, read_monitor, "monitor every 50 steps"},
    {"start", false, read_start, "start from \"weights.safetensors\""},
};
enum { N_KEY = sizeof keys / sizeof keys[0], DEFAULT_EPOCHS = 10, DEFAULT_BATCH = 32 };

const char *train_setting(unsigned i, const char **looks_like)
{
    *looks_like = i < N_KEY ? keys[i].looks_like : NULL;
    return i < N_KEY ? keys[i].name : NULL;
}

static void read_setting(Settings *t, const Ast *st, const Ast **seen)
{
    Str names[N_KEY];
    for (uint32_t i = 0; i < N_KEY; i++) {
        names[i] = str_of(keys[i].name);
        if (!str_eq(st->text, names[i]))
            continue;
        if (seen[i] && !keys[i].repeats) {
            Diag *diag =
                sema_error(t->s, CODE_duplicate_name, st->name_span, "`" STR_FMT "` is set twice", STR_ARG(st->text));
            diag_label(diag, seen[i]->name_span, "first set here");
            return;
        }
        seen[i] = st;
        keys[i].read(t, st);
        return;
    }
    sema_unknown(t->s, st->name_span, "setting", st->text, names, N_KEY);
}

static Model *find_model(Sema *s, const Ast *ast)
{
    VEC(Str) names = {0};
    for (uint32_t i = 0; i < s->program->models.n; i++) {
        if (str_eq(s->program->models.at[i]->name, ast->text))
            return s->program->models.at[i];
        *vec_push(s->arena, &names) = s->program->models.at[i]->name;
    }
    sema_unknown(s, ast->name_span, "model", ast->text, names.at, names.n);
    return NULL;
}

/* The library's plain gradient descent, where no optimizer is named. */
static void default_optimizer(Settings *t)
{
    Source *source = source_add(t->s->program->sources, STR("<default>"), STR("train x { optimizer sgd }\n"), true);
    const Ast *file = parse_source(t->s->arena, t->s->diags, source);
    OptimizerUse *use = optimizer_build(t->s, t->f, file->kid[0]->kid[0]->kid[0]);
    if (use)
        *vec_push(t->s->arena, &t->use->optimizers) = use;
}

void train_build(Sema *s, const Ast *ast)
{
    Model *model = find_model(s, ast);
    Model nobody = {.graph = graph_new(s->arena, s->sx, STR(""), 1), .poisoned = true};
    if (model && model->train) {
        Diag *diag =
            sema_error(s, CODE_duplicate_name, ast->name_span, "`" STR_FMT "` is trained twice", STR_ARG(ast->text));
        diag_label(diag, model->train->span, "first here");
        model = NULL;
    }
    TrainUse *use = arena_new_of(s->arena, TrainUse);
    *use = (TrainUse){
        .span = ast->name_span, .epochs = DEFAULT_EPOCHS, .batch = DEFAULT_BATCH, .accumulate = 1, .seed = 1, .ast = ast};
    Settings t = {.s = s, .f = s->global, .model = model ? model : &nobody, .use = use};
    const Ast *seen[N_KEY] = {NULL};
    s->model = model;
    for (uint32_t i = 0; i < ast->n_kid; i++)
        if (ast->kid[i] && ast->kid[i]->kind == AST_SETTING)
            read_setting(&t, ast->kid[i], seen);
        else if (ast->kid[i] && model)
            model->poisoned = true; /* the parser has said why */
    check_average(&t);
    if (!t.optimizer_default && (!model || !model->poisoned))
        default_optimizer(&t);
    s->model = NULL;
    if (!model)
        return;
    if (s->options && s->options->batch)
        use->batch = s->options->batch;
    model->graph->batch = use->batch;
    model->train = use;
}
