/* The page of an activation: everything on it but the definition's own text is computed from the definition. */
#include "check/explain.h"
#include "check/flow.h"

#include <math.h>

enum { LAYERS = 20 };

static const char *yes(bool is) { return is ? "yes" : "no"; }

static void bound(Text *out, double value)
{
    if (fabs(value) < 5e-7)
        value = 0;
    if (isinf(value))
        text_printf(out, value > 0 ? "inf" : "-inf");
    else
        text_printf(out, "%.4g", value);
}

static void interval(Text *out, SxInterval range)
{
    text_putc(out, isinf(range.low) ? '(' : '[');
    bound(out, range.low);
    text_printf(out, ", ");
    bound(out, range.high);
    text_putc(out, isinf(range.high) ? ')' : ']');
}

static void formulas(Program *program, Sx fn, Text *out)
{
    static const char *const names[] = {"x"};
    Sx slope;
    sx_gradient(program->sx, fn, 1, &slope);
    text_printf(out, "  formula       ");
    sx_print_formula(program->sx, fn, names, out);
    text_printf(out, "\n  derivative    ");
    sx_print_formula(program->sx, sx_simplify(program->sx, slope), names, out);
    text_putc(out, '\n');
}

static void properties(Program *program, Sx fn, const SxTraits *t, Text *out)
{
    double kink[4];
    unsigned kinks = t->smooth ? 0 : sx_kinks(program->sx, fn, 0, -100, 100, kink, 4);
    text_printf(out, "  range         ");
    interval(out, t->range);
    text_printf(out, "\n  slope         ");
    interval(out, t->slope_range);
    text_printf(out, "\n  zero-centred  %s (mean %.4f)\n", yes(t->zero_centred), t->unit.mean);
    text_printf(out, "  smooth        %s", yes(t->smooth));
    for (unsigned i = 0; i < kinks && i < 4; i++)
        text_printf(out, i ? ", %.4g" : " (kink at %.4g", fabs(kink[i]) < 5e-7 ? 0 : kink[i]);
    text_printf(out, kinks ? ")\n" : "\n");
    text_printf(out, "  monotone      %s\n", yes(t->monotone));
    text_printf(out, "  dies          %s%s\n", yes(t->dies),
                t->dies ? " (flat on a half line: a unit there gets no gradient)" : "");
    text_printf(out, "  saturates     %s%s\n", yes(t->saturates), t->saturates ? " (flat at both ends)" : "");
    text_printf(out, "  cost          %u addition%s\n", t->cost, t->cost == 1 ? "" : "s");
}

/* What the initializer has to do with it. */
static void propagation(const SxTraits *t, Text *out)
{
    const char *fitting = flow_fitting(t, false);
    double chi = t->gain * t->gain * t->unit.slope2;
    text_printf(out, "  E f(Z)        %.4f\n  E f(Z)^2      %.4f\n  E f'(Z)^2     %.4f\n", t->unit.mean, t->unit.second,
                t->unit.slope2);
    text_printf(
        out, "  gain          %.4f   = 1 / sqrt(E f^2): weights of variance gain^2 / fan_in keep the signal's size\n",
        t->gain);
    text_printf(out, "  initializer   %s\n", fitting);
    text_printf(out, "  gradient      a factor of %.3f per layer with that gain, %.2g over %d layers\n", sqrt(chi),
                pow(chi, LAYERS / 2.0), LAYERS);
}

/* Where a saturating function gives 99 % of its way up, and the slope left there. */
static double slope_at_99(SxPool *sx, Sx fn, const SxTraits *t)
{
    double goal = t->range.low + 0.99 * (t->range.high - t->range.low), low = -50, high = 50;
    for (int i = 0; i < 200; i++) {
        double middle = (low + high) / 2;
        *(sx_eval(sx, fn, &middle) < goal ? &low : &high) = middle;
    }
    Sx slope;
    sx_gradient(sx, fn, 1, &slope);
    return sx_eval(sx, slope, &low);
}

/* Advice follows from the properties, so a function of one's own gets it too. */
static void use(Program *program, Sx fn, const SxTraits *t, Text *out)
{
    Text text = {.arena = program->arena};
    if (t->saturates && t->range.low > -1e-6 && t->range.high < 1 + 1e-6) {
        text_printf(
            &text,
            "Outputs that are probabilities: one for a yes or no, one per label when several labels can be present, "
            "under `bce`; with `bce_with_logits` leave it out, the loss applies its own. Labels that are present "
            "together want a sigmoid each, since a softmax would make them compete. And gates: a value in [0, 1] "
            "that multiplies another, as in an LSTM.\n\n"
            "Not in hidden layers of a deep network: its slope is at most %.4g, so over %d layers at most %.1g of "
            "the gradient is left, and its mean of %.2g pushes the next layer off centre. Where it has gone 99 %% of "
            "its way the slope is %.4f (ACT302).",
            t->max_slope, LAYERS, pow(t->max_slope, LAYERS), t->unit.mean, slope_at_99(program->sx, fn, t));
    } else if (t->saturates) {
        text_printf(
            &text,
            "Recurrent cells, where the bound keeps a state from growing over many steps and the centre at zero "
            "keeps it from drifting, and outputs that lie in ");
        interval(&text, t->range);
        text_printf(
            &text,
            ". In a feed-forward network of a few layers it is fine; in a deep one the gradient shrinks wherever it "
            "saturates: where it has gone 99 %% of its way the slope is %.4f (ACT302).",
            slope_at_99(program->sx, fn, t));
    } else if (t->dies && isfinite(t->range.high)) {
        text_printf(
            &text,
            "Hidden layers of networks that are quantised later: the bound keeps the range small. Units can die at "
            "both ends.");
    } else if (t->dies) {
        text_printf(
            &text,
            "The default of hidden layers, convolutional ones above all: cheap, and the gradient of an active unit "
            "passes unchanged. A unit whose input is negative for every sample gets no gradient and is dead. About "
            "half of all values are zero in a healthy layer; dead means zero on every sample. Up to 10 %% dead units "
            "are common; from 20 %% on, lower the learning rate or take an activation that leaks, `leaky_relu`, "
            "`elu` or `gelu`.");
    } else if (!isfinite(t->range.low) && !t->smooth) {
        text_printf(
            &text,
            "Hidden layers where units would die: the slope never vanishes. With a slope of 0.2 it is the usual "
            "choice in the discriminator of a GAN.");
    } else if (fabs(t->gain - 1) < 0.02 && t->zero_centred) {
        text_printf(
            &text,
            "Deep dense networks without normalisation: mean 0 and variance 1 are a fixed point, so the signal keeps "
            "its size by itself. It needs `lecun_normal` weights; ordinary dropout and batch normalisation break "
            "what it promises.");
    } else if (!t->monotone && isfinite(t->range.low)) {
        text_printf(
            &text,
            "Hidden layers of transformers and of modern vision networks: smooth, so the gradient changes gradually "
            "and no unit is cut off, and slightly below zero for slightly negative inputs. Networks of these kinds "
            "have normalisation and skips; in a plain deep stack its variance has no stable fixed point. In "
            "convolutional networks the gain over relu is small and the cost is %u additions against relu's 1.",
            t->cost);
    } else if (isfinite(t->range.low) && t->range.low < -0.1) {
        text_printf(
            &text,
            "Deep dense networks, tabular data and regression: negative values bring the mean near zero and the "
            "slope fades out instead of breaking off.");
    } else if (isfinite(t->range.low) && isinf(t->range.high)) {
        text_printf(
            &text,
            "Outputs that must be positive, such as a variance or a rate. In hidden layers its mean of %.2g pushes "
            "the next layer off centre.",
            t->unit.mean);
    } else {
        text_printf(&text, "Hidden layers, with the gain above.");
    }
    explain_paragraphs(out, text_str(&text), 2);
}

void explain_activation(Program *program, const Def *def, Text *out)
{
    text_printf(out, STR_FMT " (activation%s)\n", STR_ARG(def->name), def->library ? "" : ", defined here");
    if (def->doc.n)
        explain_paragraphs(out, def->doc, 0);
    if (def->ast) {
        text_putc(out, '\n');
        explain_code(out, source_slice(program->sources, def->ast->span));
    }
    Sx fn = sema_activation(program, def);
    if (fn == 0)
        return;
    SxTraits traits = sx_traits(program->sx, fn);
    text_printf(out, "\nComputed from the definition (parameters at their defaults):\n");
    formulas(program, fn, out);
    properties(program, fn, &traits, out);
    text_printf(out, "\nUnder a standard normal input Z:\n");
    propagation(&traits, out);
    text_printf(out, "\nWhere it is used:\n");
    use(program, fn, &traits, out);
}
