/* ACT214: a metric that measures nothing for this prediction and target. */
#include "check/context.h"
#include "check/example.h"

typedef struct Asked {
    const MetricUse *use;
    const Tensor *target;
    uint64_t prediction, wanted; /* numbers in a row of each */
    uint64_t scores;             /* size of the prediction's last axis */
} Asked;

static bool is_kind(const Asked *a, const char *kind) { return str_is(a->use->kind, kind); }

/* Soft labels: a distribution over the classes as the target. */
static bool is_soft(const CheckContext *cx, const Asked *a)
{
    if (a->target->low <= a->target->high && a->target->low >= 0 && a->target->high <= 1)
        return true;
    for (uint32_t i = 0; i < cx->model->losses.n; i++) {
        const LossCall *loss = &cx->model->losses.at[i];
        if (loss->target_tensor == a->use->target_tensor &&
            (loss->wants_logits || loss->wants_probabilities || loss->wants_log_probabilities))
            return true;
    }
    return false;
}

static Diag *report(CheckContext *cx, const Asked *a, Level level, const char *text)
{
    Diag *diag = check_report(cx, level, a->use->span, "metric `" STR_FMT "` %s", STR_ARG(a->use->kind), text);
    for (uint32_t i = 0; i < cx->model->losses.n; i++)
        if (facts_skip(cx->facts, cx->model->losses.at[i].prediction) == facts_skip(cx->facts, a->use->prediction))
            check_spot_loss(cx, &cx->model->losses.at[i]);
    diag_label(diag, a->target->span, "declared as " STR_FMT, STR_ARG(a->target->label));
    return diag;
}

static void check_decisions(CheckContext *cx, const Asked *a)
{
    bool one = a->prediction == a->wanted, many = a->prediction == a->wanted * a->scores;
    bool real = !a->target->binary && a->target->classes == 0;
    if (!one && !(many && a->target->classes <= a->scores)) {
        Diag *diag = report(cx, a, LEVEL_DENY, "has no score for each class");
        diag_primary(diag, "%llu number%s in a row of the prediction", (unsigned long long)a->prediction,
                     a->prediction == 1 ? "" : "s");
        diag_help(diag, "give it the value that the loss judges: one score for each class");
    } else if (real && !is_soft(cx, a)) {
        Diag *diag = report(cx, a, LEVEL_WARN, "counts right answers, and the target is a quantity");
        diag_primary(diag, a->scores == 1 ? "compares the prediction's sign with whether the target is above 0.5"
                                          : "compares which of the numbers is the largest");
        diag_help(diag, "for a quantity use `mae`, `mse` or `r2`");
    } else if (one && a->scores == 1 && a->target->classes > 2) {
        Diag *diag = report(cx, a, LEVEL_WARN, "has a single score for several classes");
        diag_primary(diag, "of one number only the sign is looked at: every class above 0 counts as 1");
        diag_help(diag, "predict one score for each of the %u classes", a->target->classes);
    }
}

static bool has_scores(CheckContext *cx, const Asked *a)
{
    if (a->prediction == a->wanted * a->scores && a->target->classes <= a->scores)
        return true;
    Diag *diag = report(cx, a, LEVEL_DENY, "has no score for each class");
    diag_primary(diag, "%llu number%s in a row of the prediction", (unsigned long long)a->prediction, a->prediction == 1 ? "" : "s");
    diag_help(diag, "give it one score for each class");
    return false;
}

static void check_perplexity(CheckContext *cx, const Asked *a)
{
    if (a->target->classes == 0 || a->target->binary || a->scores == 1) {
        Diag *diag = report(cx, a, LEVEL_DENY, "wants one class of several");
        diag_primary(diag, "the exponential of the cross-entropy");
        diag_help(diag, "for several yes-or-no answers use `accuracy`, for a quantity `mae`, `mse` or `r2`");
    } else {
        has_scores(cx, a);
    }
}

static void check_auc(CheckContext *cx, const Asked *a)
{
    bool answers = a->target->binary || a->target->classes == 2, two = a->scores == 2 && a->prediction == 2 * a->wanted;
    if (answers ? a->prediction == a->wanted || two : a->prediction == a->wanted && a->target->classes == 0 && is_soft(cx, a))
        return;
    Diag *diag = report(cx, a, LEVEL_DENY, "wants one score for each zero or one");
    diag_primary(diag, "%llu number%s in a row of the prediction", (unsigned long long)a->prediction,
                 a->prediction == 1 ? "" : "s");
    diag_help(diag, a->target->classes > 2 ? "for several classes use `f1` or `accuracy`" : "for a quantity use `mae`, `mse` or `r2`");
}

static void check_top_k(CheckContext *cx, const Asked *a)
{
    double k = a->use->option;
    if (!has_scores(cx, a))
        return;
    if (k >= (double)a->scores) {
        Diag *diag = report(cx, a, k > (double)a->scores ? LEVEL_DENY : LEVEL_WARN,
                            k > (double)a->scores ? "wants more scores than there are" : "is always 1");
        diag_primary(diag, "the best %g of %llu", k, (unsigned long long)a->scores);
        diag_help(diag, "choose a k below the number of classes, such as `k = %llu`",
                  (unsigned long long)(a->scores > 6 ? 5 : a->scores > 3 ? 2 : 1));
    }
}

static void check_distance(CheckContext *cx, const Asked *a)
{
    if (a->prediction != a->wanted) {
        Diag *diag = report(cx, a, LEVEL_DENY, "compares number by number");
        diag_primary(diag, "%llu in a row of the prediction, %llu in the target", (unsigned long long)a->prediction,
                     (unsigned long long)a->wanted);
        diag_help(diag, a->target->classes > 2 ? "for classes use `accuracy`" : "declare both with the same shape");
    } else if (a->target->classes > 0 && !a->target->binary) {
        Diag *diag = report(cx, a, LEVEL_WARN, "takes differences between class numbers");
        diag_primary(diag, "class 3 is not farther from class 1 than class 2 is");
        diag_help(diag, "for classes use `accuracy`");
    }
}

static void metric_mismatch(CheckContext *cx)
{
    for (uint32_t i = 0; i < cx->model->metrics.n; i++) {
        const MetricUse *use = &cx->model->metrics.at[i];
        const Type *prediction = graph_type(cx->g, use->prediction);
        Asked a = {.use = use, .target = &cx->g->tensors.at[use->target_tensor - 1]};
        a.prediction = type_elements(prediction);
        a.wanted = type_elements(&a.target->type);
        a.scores = prediction->rank ? type_last(prediction) : 1;
        if (is_kind(&a, "accuracy") || is_kind(&a, "precision") || is_kind(&a, "recall") || is_kind(&a, "f1"))
            check_decisions(cx, &a);
        else if (is_kind(&a, "auc"))
            check_auc(cx, &a);
        else if (is_kind(&a, "top_k"))
            check_top_k(cx, &a);
        else if (is_kind(&a, "perplexity"))
            check_perplexity(cx, &a);
        else if (is_kind(&a, "mse") || is_kind(&a, "mae") || is_kind(&a, "r2"))
            check_distance(cx, &a);
    }
}

ACT_CHECK(metric_mismatch) = {
    .code = "ACT214",
    .name = "metric_mismatch",
    .group = "output",
    .level = LEVEL_WARN,
    .summary = "a metric that does not fit its target",
    .doc =
        "A metric answers one kind of question. `accuracy`, `precision`, `recall`, `f1` and `top_k` count right answers and want "
        "classes: one score for each, or a single logit whose sign decides between two; `auc` wants a score for each zero or "
        "one, `perplexity` the scores of all classes. `mse`, `mae` and `r2` measure "
        "distances between quantities, number by number.\n\n"
        "Accuracy of a regression compares the sign of the prediction with whether the target is above 0.5: a number "
        "appears in the log and means nothing. A distance between class numbers depends on how the classes were "
        "counted. The k best of k scores always hold the right one. Where the shapes do not fit at all, so that the "
        "run would stop, the finding is an error.\n\n"
        "Soft labels (`f32[10] in [0, 1]`, or a target under `cross_entropy`) have an accuracy: the largest score "
        "against the largest label.",
    .wrong = EXAMPLE_HOUSE("    p = x |> linear(32) |> relu |> linear(1)\n"
                           "    loss   mse(p, y)\n"
                           "    metric accuracy(p, y)\n"),
    .right = EXAMPLE_HOUSE("    p = x |> linear(32) |> relu |> linear(1)\n"
                           "    loss   mse(p, y)\n"
                           "    metric r2(p, y)\n"),
    .run = metric_mismatch,
};
