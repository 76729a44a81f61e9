/* Pages of metrics: what they compare, and between which numbers they lie. */
#include "check/explain.h"

#include "sema/sema.h"

static const struct {
    const char *name, *formula, *takes, *range, *example;
} metrics[] = {
    {"accuracy", "right answers / answers; the answer is the greatest score, or for one logit its sign",
     "scores for `class(K)`, of any kind: logits do, softmax does not change which is greatest; one logit for `binary`",
     "0 to 1, more is better; guessing gives the share of the commonest class", "metric accuracy(logits, label)"},
    {"auc", "pairs of a one and a zero in which the one has the greater score, ties half / pairs",
     "one score for each `binary`, or two scores for `class(2)`; logits or probabilities",
     "0 to 1, more is better; guessing gives 0.5, however many ones there are", "metric auc(logit, label)"},
    {"f1", "2 right / (predicted + actual) = the harmonic mean of precision and recall; the mean over classes",
     "as `accuracy`; for `binary` the class is that of the ones", "0 to 1, more is better", "metric f1(logits, label)"},
    {"mae", "mean(|p - t|)", "numbers, as `mae` the loss", "0 and up, less is better, in the target's unit",
     "metric mae(y, price)"},
    {"mse", "mean((p - t)²)", "numbers, as `mse` the loss", "0 and up, less is better, in the target's unit squared",
     "metric mse(y, price)"},
    {"perplexity", "exp(mean(-log p of the right class))", "logits, or probabilities, for `class(K)`",
     "1 and up, less is better; K is a guess over K classes", "metric perplexity(logits, next)"},
    {"precision", "right / predicted, of the decisions for a class; the mean over classes",
     "as `accuracy`; for `binary` the class is that of the ones",
     "0 to 1, more is better; 0 for a class that was never predicted", "metric precision(logit, label)"},
    {"r2", "1 - sum((p - t)²) / sum((t - mean t)²), over the whole data set", "numbers, for a target of reals",
     "1 is perfect, 0 is as good as always saying the mean, below 0 is worse; a shift or scale of the target does not "
     "change it",
     "metric r2(y, price)"},
    {"recall", "right / actual, of the members of a class; the mean over classes",
     "as `accuracy`; for `binary` the class is that of the ones",
     "0 to 1, more is better; saying yes to everything gives 1", "metric recall(logit, label)"},
    {"top_k", "rows whose class is among the k greatest scores / rows", "scores for `class(K)`",
     "0 to 1, more is better; k = 1 is `accuracy`", "metric top_k(logits, label, k = 5)"},
};

void explain_metric(Page *page, const Def *def)
{
    text_printf(page->out, STR_FMT " (metric)\n", STR_ARG(def->name));
    for (unsigned i = 0; i < metric_count(); i++)
        if (str_is(def->name, metric_name(i)))
            page_paragraphs(page, str_of(metric_doc(i)), 0);
    for (unsigned i = 0; i < sizeof metrics / sizeof metrics[0]; i++) {
        if (!str_is(def->name, metrics[i].name))
            continue;
        page_code(page, str_printf(page->out->arena, "\n%s\n", metrics[i].example));
        text_putc(page->out, '\n');
        page_row(page, "formula", "%s", metrics[i].formula);
        page_row(page, "takes", "%s", metrics[i].takes);
        page_row(page, "range", "%s", metrics[i].range);
    }
    text_putc(page->out, '\n');
    page_text(page,
              "A metric is measured over a whole part of the data, in double, and never trained on: its gradient is "
              "not asked for. What is trained is the loss.");
}
