/* Pages of initializers: the variance as a formula, found by trying it, and what it does in front of each activation.
 */
#include "check/explain.h"
#include "check/flow.h"

#include <math.h>
#include <string.h>

enum { MOST = 64 }; /* activations of a program */

/* x |> linear(out, weight = NAME) |> activation */
typedef struct Setting {
    unsigned in, out;
    const char *activation; /* "", "|> relu" */
} Setting;

/* The deviations of the weights in these places; false: the initializer can't be used so. */
static bool deviations_of(Page *page, const char *initializer, const Setting *setting, unsigned n, double *deviation)
{
    Text text = {.arena = page->out->arena};
    for (unsigned i = 0; i < n; i++)
        text_printf(&text,
                    "model explained%u {\n    input x : f32[%u]\n    y = x |> linear(%u, weight = %s) %s\n"
                    "    output y\n}\n",
                    i, setting[i].in, setting[i].out, initializer, setting[i].activation);
    Program *program = probe_program(page, STR_FMT, STR_ARG(text_str(&text)));
    if (!program || program->models.n < n)
        return false;
    for (unsigned i = 0; i < n; i++) {
        const Graph *g = program->models.at[program->models.n - n + i]->graph;
        deviation[i] = NAN;
        for (uint32_t k = 0; k < g->tensors.n; k++)
            if (g->tensors.at[k].role == ROLE_PARAM && g->tensors.at[k].weight)
                deviation[i] = g->tensors.at[k].deviation;
    }
    return true;
}

static double deviation(Page *page, const char *initializer, unsigned in, unsigned out)
{
    double value;
    return deviations_of(page, initializer, &(Setting){in, out, ""}, 1, &value) ? value : NAN;
}

/* Needs arguments (`constant(v)`)? Then an example of it. */
static const char *as_used(Page *page, const Def *def)
{
    const char *name = str_c(page->out->arena, def->name);
    if (isfinite(deviation(page, name, 64, 64)))
        return name;
    const char *with = str_c(page->out->arena, str_printf(page->out->arena, "%s(0.1)", name));
    return isfinite(deviation(page, with, 64, 64)) ? with : NULL;
}

static bool near(double a, double b) { return fabs(a - b) <= 1e-9 * (fabs(a) + fabs(b)); }

/* variance = c / d for one of these d, at three pairs of fans? */
static void variance(Page *page, const char *use, bool gains)
{
    static const Setting setting[3] = {{64, 256, ""}, {256, 64, ""}, {100, 100, ""}};
    static const char *const divisor[] = {"", " / fan_in", " / fan_out", " / (fan_in + fan_out)",
                                          " / max(fan_in, fan_out)"};
    double v[3];
    if (!deviations_of(page, use, setting, 3, v))
        return;
    for (unsigned k = 0; k < sizeof divisor / sizeof divisor[0]; k++) {
        double c[3];
        for (unsigned i = 0; i < 3; i++) {
            double in = setting[i].in, out = setting[i].out;
            double d[] = {1, in, out, in + out, fmax(in, out)};
            c[i] = v[i] * v[i] * d[k];
        }
        if (!near(c[0], c[1]) || !near(c[1], c[2]))
            continue;
        page_row(page, "variance", STR_FMT "%s%s", STR_ARG(page_number(page->out->arena, c[0])), gains ? " gain²" : "",
                 divisor[k]);
        return;
    }
}

/* Does the deviation follow the activation behind the layer? */
static bool follows(Page *page, const char *use)
{
    static const Setting setting[2] = {{64, 64, "|> relu"}, {64, 64, "|> tanh"}};
    double v[2];
    return deviations_of(page, use, setting, 2, v) && !near(v[0], v[1]);
}

static void deviations(Page *page, const char *use, bool gains)
{
    enum { FANS = 5, BEHIND = 3 };
    static const unsigned fans[FANS][2] = {{16, 16}, {64, 64}, {784, 128}, {1024, 1024}, {4096, 10}};
    static const char *const behind[BEHIND] = {"", "|> relu", "|> tanh"};
    Setting setting[FANS * BEHIND];
    double value[FANS * BEHIND];
    for (unsigned i = 0; i < FANS * BEHIND; i++)
        setting[i] = (Setting){fans[i / BEHIND][0], fans[i / BEHIND][1], behind[i % BEHIND]};
    if (!deviations_of(page, use, setting, FANS * BEHIND, value))
        return;
    page_heading(page, "Standard deviation of fresh weights%s", gains ? ", by what stands behind the layer" : "");
    text_printf(page->out, "  %8s %8s", "fan_in", "fan_out");
    text_printf(page->out, gains ? "%12s%12s%12s\n" : "\n", "nothing", "relu", "tanh");
    for (unsigned i = 0; i < FANS; i++) {
        text_printf(page->out, "  %8u %8u", fans[i][0], fans[i][1]);
        for (unsigned k = 0; k < (gains ? BEHIND : 1); k++)
            text_printf(page->out, "%12.4g", value[i * BEHIND + k]);
        text_putc(page->out, '\n');
    }
}

/* The activations of the program for which this initializer is the fitting one. */
static void fitting_activations(Page *page, Str name, const Def *const *def, const SxTraits *traits, unsigned n)
{
    Text list = {.arena = page->out->arena};
    bool uniform = name.n > 8 && memcmp(name.p + name.n - 8, "_uniform", 8) == 0;
    for (unsigned i = 0; i < n; i++)
        if (str_is(name, flow_fitting(&traits[i], uniform)))
            text_printf(&list, "%s`" STR_FMT "` (%.4f)", list.n ? ", " : "", STR_ARG(def[i]->name), traits[i].gain);
    if (list.n) {
        page_heading(page, "Fits, by the gain 1 / sqrt(E f(Z)^2) of the activation behind the layer");
        page_paragraphs(page, text_str(&list), 2);
    }
}

static void stacks(Page *page, const char *use, const Def *const *def, unsigned n)
{
    StackCase cases[MOST];
    Stack *stack = arena_array(page->out->arena, Stack, MOST);
    for (unsigned i = 0; i < n; i++)
        cases[i] = (StackCase){str_c(page->out->arena, def[i]->name), use};
    if (!probe_stacks(page, cases, n, "", stack))
        return;
    page_heading(page, "What %d layers of %d with it do, before training", STACK_LAYERS, STACK_WIDTH);
    text_printf(page->out, "  %-14s %12s %12s\n", "activation", "signal", "gradient");
    for (unsigned i = 0; i < n; i++) {
        double signal = stack[i].signal[STACK_LAYERS - 1], gradient = stack[i].gradient[0];
        bool fits = signal > 0.1 && signal < 10 && gradient > 0.1 && gradient < 10;
        text_printf(page->out, "  %-14.*s %12.2g %12.2g%s\n", STR_ARG(def[i]->name), signal, gradient,
                    fits ? "   keeps both" : "");
    }
    page_paragraphs(page,
                    STR("signal: root mean square behind the last activation, the data having 1. gradient: its norm at "
                        "the first layer, the loss's end having 1. Keeps both: within a factor of 10."),
                    2);
}

void explain_initializer(Page *page, const Def *def)
{
    page_definition(page, def, "initializer");
    page_parameters(page, def->ast);
    const char *use = as_used(page, def);
    if (!use)
        return;
    double spread = deviation(page, use, 64, 64);
    text_putc(page->out, '\n');
    if (!(spread > 0)) {
        page_text(page, "All values are equal: right for a bias, a scale, or the last layer of a branch; weights of a "
                        "hidden layer would make its units stay alike for ever (ACT401).");
        return;
    }
    bool gains = follows(page, use);
    variance(page, use, gains);
    deviations(page, use, gains);
    const Def *activation[MOST];
    SxTraits *traits = arena_array(page->out->arena, SxTraits, MOST);
    unsigned n = page_activations(page, activation, traits, MOST);
    fitting_activations(page, def->name, activation, traits, n);
    stacks(page, use, activation, n);
}
