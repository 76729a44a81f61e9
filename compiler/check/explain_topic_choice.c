/* Topics about what to choose. */
#include "check/explain_topic.h"

#include <math.h>

void topic_output_and_loss(Page *page)
{
    static const char *const table[][4] = {
        {"task", "target", "output activation", "loss"},
        {"a quantity", "f32[n]", "none", "mse, mae, huber"},
        {"yes or no", "binary", "none: one logit", "bce_with_logits"},
        {"", "", "sigmoid", "bce"},
        {"one of K classes", "class(K)", "none: K logits", "cross_entropy"},
        {"", "", "log_softmax", "nll"},
        {"many labels", "binary[K]", "none: K logits", "bce_with_logits"},
        {"", "", "a sigmoid each", "bce"},
        {"soft labels", "f32[K]", "log_softmax", "kl"},
    };
    page_text(page, "The type of the target states the task.");
    text_putc(page->out, '\n');
    for (unsigned i = 0; i < sizeof table / sizeof table[0]; i++)
        text_printf(page->out, "  %-18s%-12s%-19s%s\n", table[i][0], table[i][1], table[i][2], table[i][3]);
    text_putc(page->out, '\n');
    page_text(
        page,
        "Of two lines the first is the numerically safe one: `cross_entropy` and `bce_with_logits` take logits and "
        "apply the activation themselves, without ever forming a probability that rounds to 0. An activation in "
        "front of them is applied twice (ACT201, ACT202); a loss over probabilities on raw logits, `bce` without "
        "`sigmoid`, takes the logarithm of negative numbers (ACT210). `output softmax(z)` or `output sigmoid(z)` "
        "still reports probabilities.\n\n"
        "A bounded activation at the end of a regression cannot reach targets beyond its bounds (ACT208); a squared "
        "error on classes learns slowly where it is wrong and certain (ACT206); as many units as classes (ACT211). "
        "`mse` minds outliers most, `mae` learns the median, `huber` lies between.");
}

void topic_multi_label(Page *page)
{
    static const double two[] = {5, 5, -5};
    double sum = 0;
    for (unsigned i = 0; i < 3; i++)
        sum += exp(two[i]);
    page_text(
        page,
        "Softmax makes its outputs share a sum of 1: a rise of one is a fall of the others. That is right when "
        "exactly one class is true. When several labels can be present at once, each is a question of its own, and "
        "the answer to one says nothing against another.\n\n"
        "Two labels that are both present, with logits 5, 5 and -5: `softmax` gives them %.2f each and can never give "
        "more than %.2f to both; `sigmoid` gives %.3f, %.3f and %.3f. A sigmoid per label asks the questions "
        "separately (ACT205).\n\n"
        "Write the target as `binary[K]`, K logits, and `bce_with_logits`; `output sigmoid(z)` reports the "
        "probabilities. `output_and_loss` has the other tasks.",
        exp(5) / sum, 1.0 / 2, 1 / (1 + exp(-5)), 1 / (1 + exp(-5)), 1 / (1 + exp(5)));
}

void topic_gates(Page *page)
{
    static const double bias[] = {0, 1, 2, 3, 5};
    page_text(
        page,
        "A gate multiplies: a value near 0 holds back what it is multiplied with, a value near 1 lets it pass. That "
        "wants a function from 0 to 1, and its saturation is the point: a gate that is fully open passes the other "
        "factor's gradient unchanged.\n\n"
        "In an LSTM the state is carried by such a product, c = f c + i g, not through the slopes of the gates: from "
        "step to step its gradient is multiplied by the forget gate f itself. `tanh` keeps what is written into the "
        "state centred at zero and bounded, so that it cannot grow over hundreds of steps, where `relu` could.");
    page_heading(page, "How long the state lasts, by the bias of the forget gate");
    text_printf(page->out, "  %6s  %12s  %22s\n", "bias", "kept a step", "half is left after");
    for (unsigned i = 0; i < sizeof bias / sizeof bias[0]; i++) {
        double keep = 1 / (1 + exp(-bias[i]));
        text_printf(page->out, "  %6.0f  %12.3f  %16.1f steps\n", bias[i], keep, log(0.5) / log(keep));
    }
    text_putc(page->out, '\n');
    page_text(page,
              "Hence a bias that starts at 1 or above. Gated units, `glu`, `reglu`, `geglu` and `swiglu`, use the same product "
              "within a layer, and so do highway networks and attention, where `softmax` is the gate. The rules "
              "against `sigmoid` and `softmax` in hidden layers (ACT302, ACT303) leave gates alone.");
}

void topic_gelu_or_relu(Page *page)
{
    Sx gelu, relu;
    SxTraits smooth, hard;
    if (!page_traits(page, "gelu", &gelu, &smooth) || !page_traits(page, "relu", &relu, &hard))
        return;
    SxPool *sx = page->program->sx;
    Sx apart = sx_un(sx, SX_ABS, sx_sub(sx, gelu, relu));
    SxInterval gap = sx_range(sx, apart, 0, -8, 8);
    double near = sx_gauss(sx, apart, 0, NULL, 0, 1).mean, far = sx_gauss(sx, apart, 0, NULL, 0, 10).mean;
    page_text(
        page,
        "Transformers are smooth, normalised and wide. Layer norm hands every activation inputs of size 1, right "
        "where `gelu` and `relu` differ: on average by %.3f there, by %.3f where inputs have size 10, at most by "
        "%.3f. A gradient that does not switch on and off suits attention, and no unit is cut off. gelu costs %u "
        "additions against relu's %u, which disappears beside the matrix products of a layer of some hundred "
        "inputs.\n\n"
        "In convolutional networks the activation is applied to large maps, where memory and time count; batch norm "
        "keeps units alive, and the zeros of relu make the maps sparse; measured differences are small. A deep plain "
        "stack has no stable variance under gelu: its gradient changes by %.3f per layer with the matching gain, "
        "relu's by %.3f.\n\n"
        "So: `relu` first in convolutional networks, `leaky_relu` when more than 10 %% of the units die, `gelu` in "
        "transformers; `elu` or `gelu` in deep dense networks and on tabular data; `silu` where a published vision "
        "network has it.",
        near, far, gap.high, smooth.cost, hard.cost, smooth.gain * sqrt(smooth.unit.slope2),
        hard.gain * sqrt(hard.unit.slope2));
}

void topic_decision_guide(Page *page)
{
    static const char *const guide[][2] = {
        {"hidden, convolutional", "relu; leaky_relu when more than 10 % of the units die; with batch norm"},
        {"hidden, transformer", "gelu; swiglu in the feed-forward layers of recent ones"},
        {"hidden, modern vision", "silu, or hard_swish where it has to be cheap"},
        {"hidden, deep dense, tables", "elu or gelu; selu with lecun_normal where there is no normalisation"},
        {"recurrent cell", "tanh for the state, sigmoid for the gates"},
        {"gate", "sigmoid"},
        {"generator, bounded output", "tanh, for targets in [-1, 1]"},
        {"discriminator", "leaky_relu(0.2)"},
        {"output, one of K classes", "none: logits, under cross_entropy"},
        {"output, yes or no; many labels", "none: logits, under bce_with_logits"},
        {"output, a quantity", "none, under mse, mae or huber"},
        {"output, a positive quantity", "softplus"},
        {"output, probabilities reported", "softmax for one class, sigmoid for each label"},
    };
    for (unsigned i = 0; i < sizeof guide / sizeof guide[0]; i++)
        text_printf(page->out, "  %-31s %s\n", guide[i][0], guide[i][1]);
    text_putc(page->out, '\n');
    page_text(
        page,
        "Where activations stand: between linear layers, since a stack of linear layers with nothing between is one "
        "linear layer (ACT301); at the output, matched to the loss (`output_and_loss`); in gates (`gates`); behind a "
        "convolution, in front of the pooling; at the end of a generator whose data is bounded. `softmax` in a "
        "hidden layer: no, except in attention and to weigh experts (ACT303).\n\n"
        "The initializer follows the activation by itself (`auto`, `initialization`). `actc list activations` has the "
        "computed properties of all, and a page like `relu`, `gelu`, `tanh` or `sigmoid` the reasons.");
}

void topic_quick_checks(Page *page)
{
    static const char *const checks[][2] = {
        {"Does the output fit the loss?", "actc check (`output_and_loss`)"},
        {"Are hidden activations of the ReLU family?", "actc check (ACT302)"},
        {"Does the initializer fit the activation?", "actc check (ACT402)"},
        {"Is the first loss that of a guess?", "ln K for K classes (`cross_entropy`)"},
        {"Are gradients comparable across layers?", "actc report predicts them (`vanishing_gradient`)"},
        {"Which share of units is dead?", "on some hundred samples, not on ten (`dead_units`)"},
        {"Do pre-activations keep their size?", "actc report predicts it (`initialization`)"},
        {"Can it learn sixteen rows by heart?", "train --sanity"},
        {"Which learning rates work?", "train --lr-range 1e-6:1 (`lr_range`)"},
    };
    for (unsigned i = 0; i < sizeof checks / sizeof checks[0]; i++)
        text_printf(page->out, "  %-44s %s\n", checks[i][0], checks[i][1]);
    text_putc(page->out, '\n');
    page_text(page,
              "The first three need no data and no step. A network that passes them and still does not learn is "
              "tried on sixteen rows, which it should learn by heart within a thousand steps: with `train --sanity` "
              "the training program does so, and says where to look when it can't. Whether a result is more than "
              "luck, `train --folds 5` tells: it trains five times, each time judged by other rows.");
}
