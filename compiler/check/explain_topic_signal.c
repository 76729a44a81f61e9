/* Topics about signal and gradient. */
#include "check/explain_topic.h"

#include <math.h>

/* Fixed variances: what many frameworks start with, Xavier's for equal widths, and Kaiming's for relu. */
static const char common[] = "initializer third(fan_in) = uniform(-1 / sqrt(fan_in), 1 / sqrt(fan_in))\n"
                             "initializer one(fan_in) = normal(0, sqrt(1 / fan_in))\n"
                             "initializer two(fan_in) = normal(0, sqrt(2 / fan_in))\n";

static double stack_gradient(Page *page, const char *activation, const char *initializer)
{
    Stack stack;
    return probe_stack(page, activation, initializer, common, &stack) ? stack.gradient[0] : NAN;
}

static double stack_signal(Page *page, const char *activation, const char *initializer)
{
    Stack stack;
    return probe_stack(page, activation, initializer, common, &stack) ? stack.signal[STACK_LAYERS - 1] : NAN;
}

static SxTraits traits_of(Page *page, const char *name)
{
    Sx fn;
    SxTraits traits = {0};
    page_traits(page, name, &fn, &traits);
    return traits;
}

void topic_initialization(Page *page)
{
    static const char *const names[] = {"relu", "leaky_relu", "elu", "selu", "gelu", "silu", "tanh", "sigmoid"};
    SxTraits relu = traits_of(page, "relu");
    double crossed = sqrt(relu.unit.second), third = sqrt(relu.unit.second / 3);
    page_text(
        page,
        "A linear layer with n inputs and weights of variance v makes pre-activations of variance n v E x². The "
        "activation f hands on E f². For the signal to keep its size from layer to layer the weights need variance "
        "gain² / n with gain = 1 / sqrt(E f(Z)²), Z standard normal.\n\n"
        "A relu passes E f² = %.4g of it, so its gain is %.4f, sqrt(2): Kaiming, variance 2 / fan_in "
        "(`kaiming_normal`). `tanh` and `sigmoid` are steepest at zero and are started with Xavier, variance "
        "1 / fan_in or 2 / (fan_in + fan_out) (`xavier_normal`). `selu` is scaled so that its gain is %.3f: LeCun "
        "(`lecun_normal`).",
        relu.unit.second, relu.gain, traits_of(page, "selu").gain);
    text_printf(page->out, "\n  %-12s %8s %10s\n", "activation", "gain", "variance");
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        SxTraits t = traits_of(page, names[i]);
        text_printf(page->out, "  %-12s %8.4f %10.4f / fan_in\n", names[i], t.gain, t.gain * t.gain);
    }
    text_putc(page->out, '\n');
    page_text(
        page,
        "Crossed, every layer multiplies the signal by a factor, and depth makes it a power. Xavier in front of relu "
        "is %.3f per layer, %.2g over %d (ACT402). The default of a common framework, variance 1 / (3 fan_in), is "
        "%.3f per relu layer: after %d layers a signal of %.2g is left, and %.2g of the gradient reaches the first.\n\n"
        "`auto`, the default here, follows the value through linear operations to the next non-linearity and takes "
        "its computed gain, for activations of your own too; where none follows (logits, gates, projections into a "
        "sum) it takes 1. `actc explain NAME` prints the gain of any activation.",
        crossed, pow(crossed, STACK_LAYERS), STACK_LAYERS, third, STACK_LAYERS, stack_signal(page, "relu", "third"),
        stack_gradient(page, "relu", "third"));
}

void topic_vanishing_gradient(Page *page)
{
    static const char *const names[] = {"sigmoid", "tanh", "softsign", "relu", "elu", "selu", "gelu", "silu"};
    static const char *const variances[] = {"third", "one", "two", "auto"};
    page_text(page,
              "On its way back the gradient is multiplied at every layer by the weights and by the slope of the "
              "activation. In a layer of constant width with weights of variance g² / n its second moment changes by "
              "g² E f'(Z)². Below 1 the gradient vanishes with depth, above 1 it explodes.");
    page_heading(page, "The gradient that reaches the first of %d layers, predicted, by the variance of the weights",
                 STACK_LAYERS);
    text_printf(page->out, "  %-10s%14s%14s%14s%14s\n", "activation", "1 / 3 fan_in", "1 / fan_in", "2 / fan_in",
                "auto");
    enum { NAMES = sizeof names / sizeof names[0], VARIANCES = sizeof variances / sizeof variances[0] };
    StackCase cases[NAMES * VARIANCES];
    Stack *stack = arena_array(page->out->arena, Stack, NAMES * VARIANCES);
    for (unsigned i = 0; i < NAMES * VARIANCES; i++)
        cases[i] = (StackCase){names[i / VARIANCES], variances[i % VARIANCES]};
    bool known = probe_stacks(page, cases, NAMES * VARIANCES, common, stack);
    for (unsigned i = 0; known && i < NAMES * VARIANCES; i++) {
        if (i % VARIANCES == 0)
            text_printf(page->out, "  %-10s", names[i / VARIANCES]);
        text_printf(page->out, "%14.2g%s", stack[i].gradient[0], i % VARIANCES == VARIANCES - 1 ? "\n" : "");
    }
    page_paragraphs(page,
                    STR("1 / (3 fan_in) is what many frameworks start with, 1 / fan_in is Xavier's for equal widths, "
                        "2 / fan_in Kaiming's for relu; auto takes the gain computed for each."),
                    2);
    text_putc(page->out, '\n');
    page_text(
        page,
        "The slope of a `sigmoid` alone is at most %.4g, so %d of them pass at most %.2g: that is a bound, the table "
        "has what is expected. Remedies: an activation whose slope stays near 1 (`relu`, `gelu`), the initializer "
        "that fits it (`initialization`), skips, normalisation.\n\n"
        "`actc check` and `actc report` carry these moments through the whole network before a step is run: widths, "
        "skips, dropout and initializers included. The ratio printed compares the norms of the gradient at the "
        "outputs of the first and the last weight layer (ACT302, ACT402).",
        traits_of(page, "sigmoid").max_slope, STACK_LAYERS, pow(traits_of(page, "sigmoid").max_slope, STACK_LAYERS));
}

void topic_saturation(Page *page)
{
    static const double outputs[] = {0.5, 0.73, 0.9, 0.99, 0.999};
    Sx fn, slope;
    SxTraits traits;
    if (!page_traits(page, "sigmoid", &fn, &traits))
        return;
    sx_gradient(page->program->sx, fn, 1, &slope);
    page_text(page,
              "Where a function has become flat, whatever error arrives from above is multiplied by its small slope. "
              "The slope of a `sigmoid` at the output s is s (1 - s):");
    text_printf(page->out, "\n  %10s %10s %10s\n", "input", "output", "slope");
    for (unsigned i = 0; i < sizeof outputs / sizeof outputs[0]; i++) {
        double x = log(outputs[i] / (1 - outputs[i]));
        text_printf(page->out, "  %10.3f %10.3f %10.4f\n", x, sx_eval(page->program->sx, fn, &x),
                    sx_eval(page->program->sx, slope, &x));
    }
    double x = log(0.99 / 0.01), left = sx_eval(page->program->sx, slope, &x);
    text_putc(page->out, '\n');
    page_text(
        page,
        "A unit at 0.99 thus passes %.4f of the gradient, a hundredth. Two such layers in a row pass %.1g. At an "
        "output that is right this is what one wants: under `bce` the factor cancels against the loss's own, and "
        "nothing is learnt from what is already known. In a hidden layer (ACT302) nothing cancels it, and under "
        "`mse` a unit that is certain and wrong hardly learns (ACT206).\n\n"
        "Units come to lie there by large weights or inputs that are not scaled. `tanh` saturates as well, but is "
        "centred at zero and four times as steep.",
        left, left * left);
}

/* Out of a normal pre-activation with the mean at -k deviations, how many inputs reach over zero. */
static double reach(double k) { return 0.5 * erfc(k / sqrt(2)); }

void topic_dead_units(Page *page)
{
    SxTraits relu = traits_of(page, "relu");
    page_text(
        page,
        "A `relu` gives zero for %.0f %% of its inputs in a healthy layer; that is sparsity, not death. A unit is "
        "dead when it is zero for every sample: then its gradient is zero on every sample, and no step can bring it "
        "back. To tell the two apart one has to look at some hundred samples: ten zeros prove little.",
        100 * (1 - relu.unit.slope2));
    page_heading(page, "A unit whose bias lies k deviations of its input below zero");
    text_printf(page->out, "  %4s  %16s  %34s\n", "k", "samples active", "chance that 256 samples are all zero");
    for (double k = 0; k <= 4; k++)
        text_printf(page->out, "  %4.0f  %14.4f %%  %34.2g\n", k, 100 * reach(k), pow(1 - reach(k), 256));
    text_putc(page->out, '\n');
    page_text(
        page,
        "Large steps are the usual cause: one step moves the bias so far down that no input reaches over it. "
        "Up to 10 %% dead units are common; at 10 %% in a convolutional network change to an activation that leaks; "
        "20 %% is a red flag; at 30 %% a good part of the network's capacity is gone.\n\n"
        "Remedies, in order: a smaller learning rate, `kaiming_normal` weights, centred inputs, then `leaky_relu`, "
        "`elu` or `gelu`, whose slope does not stay at 0. `actc list activations` shows which can die.");
}

static double loss_at(Page *page, const char *name, uint32_t classes, double best)
{
    const Def *def = sema_find(page->program, DEF_LOSS, str_of(name));
    LossProbe probe;
    double p[16] = {best}, first = 0;
    return def && probe_loss(page, def, classes, &probe) ? probe_loss_value(&probe, p, &first) : NAN;
}

void topic_four_failures(Page *page)
{
    SxTraits sigmoid = traits_of(page, "sigmoid"), relu = traits_of(page, "relu");
    double crossed = sqrt(relu.unit.second);
    page_text(
        page,
        "None of these stops a program. The loss falls a little, and stays.\n\n"
        "1. Softmax twice (ACT201, ACT202). `softmax` in front of `cross_entropy`, which applies its own: with 10 "
        "classes the loss starts at %.3f and cannot fall below %.3f. An error here, with that floor in the message.\n\n"
        "2. `sigmoid` or `tanh` in deep hidden layers (ACT302, `vanishing_gradient`). %d sigmoids pass at most "
        "%.4g^%d = %.2g of the gradient; behind Xavier weights %.2g is expected. A warning with the factor "
        "predicted for the network at hand.\n\n"
        "3. Dead units (`dead_units`). Half the capacity silently off. `relu` is zero for %.0f %% of its inputs in "
        "health; a unit that is zero for all of them does not come back. Advice at 10, 20 and 30 %%.\n\n"
        "4. An initializer that does not match the activation (ACT402, `initialization`). `xavier_normal` in front of "
        "`relu` is %.3f per layer, %.2g over %d. A warning with the factor per layer and for the whole network.",
        loss_at(page, "cross_entropy", 10, 0), loss_at(page, "cross_entropy", 10, 1), STACK_LAYERS, sigmoid.max_slope,
        STACK_LAYERS, pow(sigmoid.max_slope, STACK_LAYERS), stack_gradient(page, "sigmoid", "xavier_normal"),
        100 * (1 - relu.unit.slope2), crossed, pow(crossed, STACK_LAYERS), STACK_LAYERS);
}
