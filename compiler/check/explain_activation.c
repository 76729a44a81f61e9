/* The page of an activation: everything on it but the definition's own text is computed from the definition. */
#include "check/explain.h"
#include "check/explain_plot.h"
#include "check/flow.h"

#include <math.h>

static const char *yes(bool is) { return is ? "yes" : "no"; }

/* ── the plot ── */
enum { MAX_ARGS = 8 };

typedef struct Curve {
    SxPool *sx;
    Sx fn;
    double args[MAX_ARGS]; /* argument 0 is x */
} Curve;

static double curve_at(const void *context, double x)
{
    Curve curve = *(const Curve *)context;
    curve.args[0] = x;
    return sx_eval(curve.sx, curve.fn, curve.args);
}

/* How often a curve turns on [-half, half]. */
static unsigned turns(const Curve *slope, double half)
{
    unsigned n = 0;
    double last = 0;
    for (int i = 0; i <= 1000; i++) {
        double y = curve_at(slope, half * (i / 500.0 - 1));
        if (y != 0 && last != 0 && (y > 0) != (last > 0))
            n++;
        last = y != 0 && isfinite(y) ? y : last;
    }
    return n;
}

/* Five to each side, more where a kink would be left out, less where the curve swings too fast to be seen. */
static double half_width(SxPool *sx, Sx fn, const Curve *slope)
{
    double half = 5, kink[16];
    unsigned n = sx_kinks(sx, fn, 0, -12, 12, kink, 16);
    for (unsigned i = 0; i < n && n <= 6; i++) /* a function with more of them has them everywhere */
        half = fmax(half, 1.3 * fabs(kink[i]));
    for (int i = 0; i < 12 && turns(slope, half) > 8; i++)
        half /= 2;
    return half;
}

void page_plot(Page *page, Sx fn, const double *args, double low, double high, const char *title,
               const char *slope_title)
{
    SxPool *sx = page->program->sx;
    Sx derivative;
    sx_gradient(sx, fn, 1, &derivative);
    Curve curve = {.sx = sx, .fn = fn}, slope = {.sx = sx, .fn = derivative};
    for (unsigned i = 0; args && i < sx_arg_limit(sx, fn) && i < MAX_ARGS; i++)
        curve.args[i] = slope.args[i] = args[i];
    if (!args) {
        high = half_width(sx, fn, &slope);
        low = -high;
    }
    PlotCurve both[] = {{title, curve_at, &curve}, {slope_title, curve_at, &slope}};
    plot_curves(page->out, both, 2, low, high, page->width, page->unicode);
}

/* ── what is computed ── */
static void formulas(Page *page, Sx fn)
{
    SxPool *sx = page->program->sx;
    Arena *arena = page->out->arena;
    static const char *const names[] = {"x"};
    Sx slope;
    sx_gradient(sx, fn, 1, &slope);
    page_row(page, "formula", STR_FMT, STR_ARG(page_formula(sx, fn, names, arena)));
    page_row(page, "derivative", STR_FMT, STR_ARG(page_formula(sx, sx_simplify(sx, slope), names, arena)));
}

static Str kinks_of(Page *page, Sx fn, const SxTraits *t)
{
    Text text = {.arena = page->out->arena};
    double kink[4];
    unsigned n = t->smooth ? 0 : sx_kinks(page->program->sx, fn, 0, -100, 100, kink, 4);
    for (unsigned i = 0; i < n && i < 4; i++)
        text_printf(&text, i ? ", %.4g" : " (kink at %.4g", fabs(kink[i]) < 5e-7 ? 0 : kink[i]);
    text_printf(&text, n > 4 ? ", …)" : n ? ")" : "");
    return text_str(&text);
}

/* Where a saturating function has gone 99 % of its way up, the slope left there. */
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

static void properties(Page *page, Sx fn, const SxTraits *t)
{
    Arena *arena = page->out->arena;
    page_row(page, "range", STR_FMT, STR_ARG(page_interval(arena, t->range)));
    page_row(page, "slope", STR_FMT, STR_ARG(page_interval(arena, t->slope_range)));
    Str mean = isfinite(t->unit.mean) ? str_printf(arena, "%.4f", fabs(t->unit.mean) < 5e-5 ? 0 : t->unit.mean)
                                      : page_number(arena, t->unit.mean);
    page_row(page, "zero-centred", "%s (mean " STR_FMT ")", yes(t->zero_centred && isfinite(t->unit.mean)),
             STR_ARG(mean));
    page_row(page, "smooth", "%s" STR_FMT, yes(t->smooth), STR_ARG(kinks_of(page, fn, t)));
    page_row(page, "monotone", "%s", yes(t->monotone));
    page_row(page, "dies", "%s%s", yes(t->dies),
             t->dies ? " (flat on a half line: a unit whose inputs all lie there gets no gradient)" : "");
    if (t->saturates && t->range.low < t->range.high && isfinite(t->range.low) && isfinite(t->range.high) &&
        t->monotone && t->max_slope > 0)
        page_row(page, "saturates",
                 "yes (flat at both ends: 99 %% of the way up the slope is %.4f, at most it is %.4g)",
                 slope_at_99(page->program->sx, fn, t), t->max_slope);
    else
        page_row(page, "saturates", "%s", yes(t->saturates));
    page_row(page, "cost", "%u addition%s", t->cost, t->cost == 1 ? "" : "s");
}

/* Can a deep network be built with it at all? */
static bool carries(const SxTraits *t)
{
    enum { BEYOND = 1000000000 }; /* an integral of a pole that quadrature took for a number */
    return t->unit.second < BEYOND && t->unit.slope2 < BEYOND && t->unit.second > 0 && t->max_slope > 0;
}

static void moments(Page *page, const SxTraits *t)
{
    if (!(t->max_slope > 0)) {
        page_paragraphs(page,
                        STR("Its slope is 0 almost everywhere: no gradient passes, and nothing behind it learns."), 2);
        return;
    }
    if (!carries(t)) {
        page_paragraphs(
            page,
            STR("The moments of its value or of its slope are not finite, so no initializer keeps the signal "
                "and the gradient of a deep network."),
            2);
        return;
    }
    double chi = t->gain * t->gain * t->unit.slope2;
    page_row(page, "E f(Z)", "%.4f", fabs(t->unit.mean) < 5e-5 ? 0 : t->unit.mean);
    page_row(page, "E f(Z)^2", "%.4f", t->unit.second);
    page_row(page, "E f'(Z)^2", "%.4f", t->unit.slope2);
    page_row(page, "gain", "%.4f   = 1 / sqrt(E f^2): weights of variance gain^2 / fan_in keep the signal's size",
             t->gain);
    page_row(page, "initializer", "%s", flow_fitting(t, false));
    page_row(page, "gradient", "a factor of %.3f per layer with that gain, %.2g over %d layers", sqrt(chi),
             pow(chi, STACK_LAYERS / 2.0), STACK_LAYERS);
}

/* ── twenty layers ── */
static void stack_table(Page *page, const char *initializer, const Stack *stack)
{
    static const unsigned wide[] = {1, 2, 5, 10, 15, 20}, narrow[] = {1, 10, 20};
    const unsigned *shown = page->width < 70 ? narrow : wide;
    unsigned n = page->width < 70 ? 3 : 6;
    page_heading(page, "%d layers of %d with `%s` weights, before training", STACK_LAYERS, STACK_WIDTH, initializer);
    text_printf(page->out, "  %-11s", "layer");
    for (unsigned i = 0; i < n; i++)
        text_printf(page->out, "%9u", shown[i]);
    text_printf(page->out, "\n  %-11s", "signal");
    for (unsigned i = 0; i < n; i++)
        text_printf(page->out, "%9.2g", stack->signal[shown[i] - 1]);
    text_printf(page->out, "\n  %-11s", "gradient");
    for (unsigned i = 0; i < n; i++)
        text_printf(page->out, "%9.2g", stack->gradient[shown[i] - 1]);
    text_printf(page->out, "\n");
    page_paragraphs(page,
                    STR("signal: root mean square behind the activation, the data having 1. gradient: its norm at the "
                        "layer, the loss's end having 1."),
                    2);
}

/* ── for functions that bring no advice of their own: what the properties suggest ── */
static void suggest(Page *page, const SxTraits *t)
{
    Text text = {.arena = page->out->arena};
    Str range = page_interval(page->out->arena, t->range);
    if (t->saturates && t->range.low > -1e-6 && t->range.high < 1 + 1e-6)
        text_printf(&text,
                    "Probabilities and gates, as `sigmoid`. Not hidden layers of a deep network: the slope is at most "
                    "%.4g, so over %d layers at most %.1g of the gradient is left (ACT302).",
                    t->max_slope, STACK_LAYERS, pow(t->max_slope, STACK_LAYERS));
    else if (t->saturates && isfinite(t->range.low) && isfinite(t->range.high))
        text_printf(&text,
                    "Outputs that lie in " STR_FMT
                    ", recurrent cells and networks of a few layers, as `tanh`; in a deep "
                    "one the gradient shrinks wherever it saturates (ACT302).",
                    STR_ARG(range));
    else if (t->dies)
        text_printf(&text, "Hidden layers, as `relu`%s. Units can die (`dead_units`).",
                    isfinite(t->range.high) ? "; the bound keeps the range small where a network is quantised later"
                                            : "");
    else if (!isfinite(t->range.low) && !t->smooth)
        text_printf(&text, "Hidden layers where units would die, as `leaky_relu`.");
    else if (!t->monotone && isfinite(t->range.low) && isinf(t->range.high))
        text_printf(&text,
                    "Hidden layers of networks that have normalisation or skips, as `gelu` and `silu`; its cost is %u "
                    "additions, relu's 1.",
                    t->cost);
    else if (isfinite(t->range.low) && t->range.low < -0.1 && isinf(t->range.high))
        text_printf(&text, "Deep dense networks and tables, as `elu`.");
    else if (isfinite(t->range.low) && isinf(t->range.high))
        text_printf(&text,
                    "Outputs that must be positive, as `softplus`. In hidden layers its mean of %.2g pushes the next "
                    "layer off centre.",
                    t->unit.mean);
    else
        text_printf(&text, "Hidden layers, with the gain above; the gradient then changes by %.3g per layer, so %s.",
                    sqrt(t->gain * t->gain * t->unit.slope2),
                    fabs(log(t->gain * t->gain * t->unit.slope2)) < 0.2 ? "depth does it little harm"
                                                                        : "few layers, or normalisation between them");
    page_heading(page, "What its properties suggest");
    page_paragraphs(page, text_str(&text), 2);
}

void explain_activation(Page *page, const Def *def)
{
    page_definition(page, def, "activation");
    Sx fn = sema_activation(page->program, def);
    if (fn == 0)
        return;
    SxTraits traits = sx_traits(page->program->sx, fn);
    text_putc(page->out, '\n');
    page_plot(page, fn, NULL, 0, 0, str_c(page->out->arena, def->name), "derivative");
    page_heading(page, "Computed from the definition (parameters at their defaults)");
    formulas(page, fn);
    properties(page, fn, &traits);
    page_heading(page, "Under a standard normal input Z");
    moments(page, &traits);
    Stack stack;
    const char *initializer = flow_fitting(&traits, false);
    if (carries(&traits) && probe_stack(page, str_c(page->out->arena, def->name), initializer, "", &stack))
        stack_table(page, initializer, &stack);
    if (carries(&traits) && !doc_advice(def->doc).n)
        suggest(page, &traits);
}

/* ── actc list activations ── */
static void list_row(Program *program, const Def *def, const SxTraits *t, bool json, int name, int range, Text *out)
{
    Str interval = page_interval(program->arena, t->range);
    if (json)
        text_printf(out,
                    "{\"name\":\"" STR_FMT "\",\"range\":\"" STR_FMT
                    "\",\"dies\":%s,\"zero_centred\":%s,\"smooth\":%s,\"saturates\":%s,\"gain\":%.4f,\"cost\":%u}\n",
                    STR_ARG(def->name), STR_ARG(interval), t->dies ? "true" : "false",
                    t->zero_centred ? "true" : "false", t->smooth ? "true" : "false", t->saturates ? "true" : "false",
                    t->gain, t->cost);
    else
        text_printf(out, "%-*.*s  %-*.*s  %-4s  %-12s  %-6s  %-9s  %6.4f  %4u\n", name, STR_ARG(def->name), range,
                    STR_ARG(interval), yes(t->dies), yes(t->zero_centred), yes(t->smooth), yes(t->saturates), t->gain,
                    t->cost);
}

void explain_list_activations(Program *program, Text *out, bool json)
{
    int name = 4, range = 5;
    for (int pass = 0; pass < 2; pass++) {
        if (pass == 1 && !json)
            text_printf(out, "%-*s  %-*s  %-4s  %-12s  %-6s  %-9s  %-6s  %4s\n", name, "name", range, "range", "dies",
                        "zero-centred", "smooth", "saturates", "gain", "cost");
        for (uint32_t i = 0; i < program->defs.n; i++) {
            const Def *def = &program->defs.at[i];
            Sx fn = def->kind == DEF_ACTIVATION ? sema_activation(program, def) : 0;
            if (fn == 0)
                continue;
            SxTraits traits = sx_traits(program->sx, fn);
            if (pass == 1) {
                list_row(program, def, &traits, json, name, range, out);
                continue;
            }
            int wide = (int)page_interval(program->arena, traits.range).n;
            name = (int)def->name.n > name ? (int)def->name.n : name;
            range = wide > range ? wide : range;
        }
    }
}
