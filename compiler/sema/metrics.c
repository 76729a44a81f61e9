/* `metric accuracy(logits, label)`: which value is measured against which target. The kinds are those the runtime has.
 */
#include "sema/sema.h"

typedef struct Kind {
    const char *name, *doc;
} Kind;

#define METRIC(name, doc) {#name, doc},
static const Kind kinds[] = {
#include "sema/metrics.inc"
    {NULL, NULL}};
#undef METRIC

unsigned metric_count(void) { return (unsigned)(sizeof kinds / sizeof kinds[0]) - 1; }
const char *metric_name(unsigned i) { return kinds[i].name; }
const char *metric_doc(unsigned i) { return kinds[i].doc; }

static const Ast *metric_call(Sema *s, const Ast *st)
{
    const Ast *call = ast_ungroup(st->kid[0]);
    if (call->kind == AST_CALL && ast_ungroup(call->kid[0])->kind == AST_NAME)
        return call;
    if (call->kind != AST_ERROR) {
        Diag *diag = sema_error(s, CODE_not_a_value, st->kid[0]->span, "a metric is written as a call");
        diag_help(diag, "write `metric accuracy(prediction, target)`");
    }
    s->model->poisoned = true;
    return NULL;
}

static bool known_kind(Sema *s, const Ast *name)
{
    VEC(Str) names = {0};
    for (unsigned i = 0; i < metric_count(); i++) {
        if (str_is(name->text, kinds[i].name))
            return true;
        *vec_push(s->arena, &names) = str_of(kinds[i].name);
    }
    sema_unknown(s, name->span, "metric", name->text, names.at, names.n);
    return false;
}

static bool read_option(Sema *s, Args *pos, Args *named, const char *kind, double *option)
{
    static const Str names[] = {{"k", 1}};
    bool ok = true;
    Arg *given = pos->n > 2 ? &pos->at[2] : NULL;
    for (uint32_t i = 0; i < named->n; i++) {
        if (str_is(named->at[i].name, "k")) {
            given = &named->at[i];
            continue;
        }
        sema_unknown(s, named->at[i].name_span, str_c(s->arena, str_printf(s->arena, "argument of `%s`", kind)),
                     named->at[i].name, names, 1);
        ok = false;
    }
    int64_t k;
    if (!given)
        return ok;
    if (!value_whole(s, arg_value(s, given), given->ast->span, "`k`", 1, INT32_MAX, &k))
        return false;
    *option = (double)k;
    return ok;
}

static Str shown_name(Sema *s, Str name)
{
    uint32_t same = 0;
    for (uint32_t i = 0; i < s->model->metrics.n; i++)
        same += str_eq(s->model->metrics.at[i].kind, name);
    return same ? str_printf(s->arena, STR_FMT "%u", STR_ARG(name), same + 1) : name;
}

void metric_run(Sema *s, Frame *f, const Ast *st)
{
    const Ast *call = metric_call(s, st);
    if (!call)
        return;
    const Ast *name = ast_ungroup(call->kid[0]);
    Args pos = {0}, named = {0};
    args_read(s, f, call, &pos, &named);
    bool ok = known_kind(s, name);
    if (pos.n < 2 || pos.n > 3) {
        sema_error(s, pos.n < 2 ? CODE_missing_argument : CODE_wrong_argument, call->span,
                   "`" STR_FMT "` takes a prediction and a target", STR_ARG(name->text));
        return;
    }
    MetricUse use = {.kind = name->text, .span = st->span, .option = str_is(name->text, "top_k") ? 5 : 0};
    ok = read_option(s, &pos, &named, str_c(s->arena, name->text), &use.option) && ok;
    Value p = arg_value(s, &pos.at[0]), t = arg_value(s, &pos.at[1]);
    if (value_is_graph(p) && target_of(s, value_to_node(s, p)) && value_is_graph(t)) {
        Diag *diag = sema_error(s, CODE_wrong_argument, pos.at[0].ast->span,
                                "the prediction comes first, then the target");
        diag_help(diag, "swap the two");
        return;
    }
    use.prediction = value_want_rows(s, p, pos.at[0].ast->span, "a metric");
    if (t.kind == V_NONE || !use.prediction || !ok) {
        s->model->poisoned = true;
        return;
    }
    use.target_tensor = value_is_graph(t) ? target_of(s, value_to_node(s, t)) : 0;
    if (!use.target_tensor) {
        Diag *diag =
            sema_error(s, CODE_wrong_argument, pos.at[1].ast->span,
                       "a metric measures against a target, and this is " STR_FMT, STR_ARG(value_describe(s, t)));
        if (value_is_graph(p) && target_of(s, value_to_node(s, p)))
            diag_help(diag, "the prediction comes first: swap the two");
        return;
    }
    use.name = st->text.n ? st->text : shown_name(s, name->text);
    graph_root_add(s->g, ROOT_PREDICTION, use.prediction, s->model->metrics.n, use.name);
    *vec_push(s->arena, &s->model->metrics) = use;
}
