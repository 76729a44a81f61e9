/* Pages of losses. What a loss takes, costs at the start and at best, and its gradient are computed by running it. */
#include "check/explain.h"

#include <math.h>

enum { MOST_CLASSES = 1000 };

/* ── what it takes, and what goes with it ── */
static bool counts_distance(const LossProbe *probe)
{
    static const double shift[] = {-3, 0.25, 7};
    double args[2] = {0.3, 0.8}, base = sx_eval(probe->model->graph->sx, probe->fn, args);
    for (unsigned i = 0; i < 3; i++) {
        double moved[2] = {0.3 + shift[i], 0.8 + shift[i]};
        if (!(fabs(sx_eval(probe->model->graph->sx, probe->fn, moved) - base) < 1e-9))
            return false;
    }
    return true;
}

static void fit(Page *page, const LossProbe *probe)
{
    const LossCall *call = probe->call;
    const char *takes = "one number per element", *output = "none, or one whose range is the target's",
               *target = "the prediction's shape", *task = NULL;
    if (call->wants_logits && call->classes) {
        takes = "logits: any real numbers, K for K classes",
        output = "none in front of it; `output softmax(z)` reports";
        target = "`class(K)`", task = "one of many classes";
    } else if (call->wants_log_probabilities && call->classes) {
        takes = "log-probabilities, K for K classes", output = "`log_softmax`";
        target = "`class(K)`", task = "one of many classes";
    } else if (call->wants_logits) {
        takes = "logits: any real numbers", output = "none in front of it; `output sigmoid(z)` reports";
        target = "`binary`, `binary[K]`, or numbers in [0, 1]", task = "yes or no; many labels, each its own";
    } else if (call->wants_log_probabilities) {
        takes = "log-probabilities", output = "`log_softmax`";
        target = "probabilities that add up to 1", task = "soft labels, distillation";
    } else if (call->wants_probabilities) {
        takes = "probabilities, between 0 and 1", output = call->classes ? "`softmax`" : "`sigmoid`";
        target = call->classes ? "`class(K)`" : "`binary`, `binary[K]`, or numbers in [0, 1]";
        task = call->classes ? "one of many classes" : "yes or no; many labels, each its own";
    } else if (call->classes) {
        takes = "K numbers for K classes", target = "`class(K)`", task = "one of many classes";
    } else if (probe->fn && counts_distance(probe)) {
        takes = "any real numbers, one per element of the target", output = "none; a bounded one only if the target is";
        target = "`f32[n]`", task = "regression";
    }
    page_heading(page, "What goes with it");
    page_row(page, "takes", "%s", takes);
    page_row(page, "output", "%s", output);
    page_row(page, "target", "%s", target);
    if (task)
        page_row(page, "task", "%s", task);
    text_putc(page->out, '\n');
    page_text(page, "`output_and_loss` has the table for all tasks. Nothing is broadcast between prediction and target "
                    "(ACT106).");
}

/* ── per element ── */
static void formula_row(Page *page, const LossProbe *probe, const char *label, Sx fn)
{
    static const char *const names[] = {"p", "t"};
    page_row(page, label, STR_FMT, STR_ARG(page_formula(probe->model->graph->sx, fn, names, page->out->arena)));
}

/* The target a curve is drawn for: 1 where the loss is about probabilities, else 0. */
static double drawn_target(const LossProbe *probe)
{
    const LossCall *call = probe->call;
    return call->wants_logits || call->wants_probabilities || call->wants_log_probabilities ? 1 : 0;
}

static void element(Page *page, const LossProbe *probe)
{
    SxPool *sx = probe->model->graph->sx;
    Sx slope[2];
    sx_gradient(sx, probe->fn, 2, slope);
    double args[8] = {0, drawn_target(probe)};
    Page inner = *page; /* the plot evaluates with the probe's expressions */
    inner.program = arena_new_of(page->out->arena, Program);
    *inner.program = *page->program;
    inner.program->sx = sx;
    text_putc(page->out, '\n');
    double low = probe->call->wants_probabilities ? 0 : -5;
    double high = probe->call->wants_probabilities ? 1 : probe->call->wants_log_probabilities ? 0 : 5;
    page_plot(&inner, probe->fn, args, low, high,
              str_c(page->out->arena, str_printf(page->out->arena, "by prediction, target %g", args[1])), "gradient");
    page_heading(page, "For a prediction p and a target t");
    formula_row(page, probe, "loss", probe->fn);
    formula_row(page, probe, "gradient", sx_simplify(sx, slope[0]));
}

static double at(const LossProbe *probe, double p, double t)
{
    return sx_eval(probe->model->graph->sx, probe->fn, (double[]){p, t});
}

static void element_values(Page *page, const LossProbe *probe)
{
    SxPool *sx = probe->model->graph->sx;
    bool about_labels = probe->call->wants_logits || probe->call->wants_probabilities;
    if (!about_labels && !counts_distance(probe))
        return;
    page_heading(page, "Values");
    if (probe->call->wants_logits) {
        page_row(page, "at the start", "%.4f, from a logit of 0, whatever the label", at(probe, 0, 1));
        page_row(page, "at best", "%.2g, from a logit of 20 for a 1", at(probe, 20, 1));
        page_row(page, "after sigmoid",
                 "not below %.4f for a 1 and %.4f for a 0: the sigmoid is applied twice (ACT202)", at(probe, 1, 1),
                 at(probe, 0, 0));
    } else if (probe->call->wants_probabilities) {
        page_row(page, "at the start", "%.4f, from a probability of 0.5", at(probe, 0.5, 1));
        page_row(page, "at best", "%.2g, from the right label with certainty", at(probe, 1, 1));
        page_row(page, "certain, wrong", STR_FMT, STR_ARG(page_number(page->out->arena, at(probe, 0, 1))));
    } else {
        Sx of_target[2] = {sx_num(sx, 0), sx_arg(sx, 0)};
        SxMoments start = sx_gauss(sx, sx_substitute(sx, probe->fn, of_target, 2), 0, NULL, 0, 1);
        page_row(page, "at the start", "%.4f, from predictions of 0 and targets of mean 0 and variance 1", start.mean);
        page_row(page, "at best", "%.4g, where prediction and target agree", at(probe, 0.5, 0.5));
        page_row(page, "off by 10", "%.4g, gradient %.4g", at(probe, 10, 0),
                 (at(probe, 10 + 1e-6, 0) - at(probe, 10 - 1e-6, 0)) / 2e-6);
    }
}

/* ── per row ── */
static void gradient_row(Page *page, const LossProbe *probe, const double *p, const double *t)
{
    Text value = {.arena = page->out->arena}, slope = {.arena = page->out->arena};
    double moved[8];
    for (unsigned i = 0; i < probe->size; i++)
        moved[i] = p[i];
    for (unsigned i = 0; i < probe->size; i++) {
        moved[i] = p[i] + 1e-6;
        double up = probe_loss_value(probe, moved, t);
        moved[i] = p[i] - 1e-6;
        double down = probe_loss_value(probe, moved, t);
        moved[i] = p[i];
        text_printf(&value, "%s%.4g", i ? ", " : "", p[i]);
        text_printf(&slope, "%s%.3f", i ? ", " : "", (up - down) / 2e-6);
    }
    page_row(page, "prediction", STR_FMT, STR_ARG(text_str(&value)));
    page_row(page, "loss", "%.4f", probe_loss_value(probe, p, t));
    page_row(page, "gradient", STR_FMT, STR_ARG(text_str(&slope)));
}

/* Logits of the three classes, as the loss wants them. */
static void example_row(const LossProbe *probe, double *p)
{
    static const double logits[] = {3.2, 1.8, 0.5};
    double sum = 0;
    for (unsigned i = 0; i < 3; i++)
        sum += exp(logits[i]);
    for (unsigned i = 0; i < 3; i++)
        p[i] = probe->call->wants_probabilities       ? exp(logits[i]) / sum
               : probe->call->wants_log_probabilities ? logits[i] - log(sum)
                                                      : logits[i];
}

static void rows(Page *page, const LossProbe *probe)
{
    double p[3], t[3] = {0};
    example_row(probe, p);
    if (!probe->classes)
        t[0] = 1;
    page_heading(page, probe->classes ? "One row of three classes, the first being right"
                                      : "One row of three numbers, the target being 1, 0, 0");
    gradient_row(page, probe, p, t);
}

static void class_values(Page *page, const Def *def)
{
    static const uint32_t counts[] = {2, 4, 10, 100, MOST_CLASSES};
    static double p[MOST_CLASSES];
    const double first = 0;
    LossProbe probe;
    if (!probe_loss(page, def, 4, &probe) || !probe.classes || !probe.call->wants_logits)
        return;
    page_heading(page, "Values by the number of classes K");
    text_printf(page->out, "  %6s  %12s  %14s\n", "K", "at the start", "behind softmax");
    for (unsigned i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        if (!probe_loss(page, def, counts[i], &probe))
            return;
        for (uint32_t k = 0; k < counts[i]; k++)
            p[k] = 0;
        double start = probe_loss_value(&probe, p, &first);
        p[0] = 1; /* the best a softmax could hand on */
        text_printf(page->out, "  %6u  %12.4f  %14.4f\n", counts[i], start, probe_loss_value(&probe, p, &first));
    }
    page_paragraphs(
        page,
        STR("at the start: all logits equal, ln K. behind softmax: what it cannot fall below when a softmax "
            "stands in front of it by mistake, ln(e + K - 1) - 1 (ACT201). At best it is 0."),
        2);
}

void explain_loss(Page *page, const Def *def)
{
    page_definition(page, def, "loss");
    LossProbe probe;
    if (!probe_loss(page, def, 3, &probe)) {
        page_parameters(page, def->ast);
        return;
    }
    if (probe.fn)
        element(page, &probe);
    page_parameters(page, def->ast);
    fit(page, &probe);
    if (probe.fn)
        element_values(page, &probe);
    if (!probe.fn || probe.call->wants_log_probabilities)
        rows(page, &probe);
    if (probe.classes)
        class_values(page, def);
    text_putc(page->out, '\n');
    page_text(page,
              probe.fn || probe.classes
                  ? "The compiler reduces it: `reduction = mean` (the default, over batch and elements) or "
                    "`reduction = sum`, with `weight`: a number per class%s."
                  : "It reduces by itself, so it takes no `reduction` and no `weight`.%s",
              probe.fn        ? ", or a value per sample"
              : probe.classes ? " (`[1, 2, 5]`, or `weight = balanced`: measured on the training part, so that rare classes count as much as "
                                "others), or a value per sample; rows with the label `ignore` are left out, here and in metrics"
                              : "");
}
