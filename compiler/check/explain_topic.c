/* Topics: what one asks about activations, losses and initializers beyond a single name. */
#include "check/explain.h"

typedef struct Topic {
    const char *name, *title, *text;
} Topic;

static const Topic topics[] = {
    {"output_and_loss", "Which output goes with which loss",
     "The type of the target states the task.\n\n"
     "A quantity (`f32[n]`): no activation, under `mse`, `mae` or `huber`. Yes or no (`binary`): one logit under "
     "`bce_with_logits`, or a sigmoid under `bce`. One class of many (`class(K)`): K logits under `cross_entropy`, "
     "or log_softmax under `nll`. Many labels (`binary[K]`): K logits under `bce_with_logits`, or a sigmoid for each "
     "under `bce`.\n\n"
     "The losses that take logits apply the activation themselves and are the numerically safe form: they compute "
     "log(softmax) and log(sigmoid) without ever forming a probability that rounds to 0. An activation in front of "
     "them is applied twice (ACT201, ACT202); a "
     "loss over probabilities on raw logits takes the logarithm of negative numbers (ACT210)."},
    {"multi_label", "Why many labels want a sigmoid each",
     "Softmax makes its outputs share a sum of 1: a rise of one is a fall of the others. That is right when exactly "
     "one class is true. When several labels can be present at once, each is a question of its own, and the answer "
     "to one says nothing against another. A sigmoid per "
     "label asks them separately; under a softmax two labels that are both present could get at most 0.5 each "
     "(ACT205)."},
    {"initialization", "How activation and initializer are tied",
     "A linear layer with n inputs and weights of variance v makes pre-activations of variance n v E x². The "
     "activation f hands on E f². For the signal to keep its size from layer to layer the weights need variance "
     "gain² / n with gain = 1 / sqrt(E f(Z)²), Z standard normal. A relu passes half of the second moment, so its "
     "gain is sqrt(2): Kaiming, variance 2 / fan_in. tanh and sigmoid are steepest at zero and are started with "
     "Xavier, variance 1 / fan_in or 2 / (fan_in + fan_out). selu is scaled so that its gain is 1: LeCun.\n\n"
     "Crossed, every layer multiplies the signal by a factor, and depth makes it a power: Xavier in front of relu is "
     "0.707 per layer, 0.00098 over twenty (ACT402). The default of a common framework, variance 1 / (3 fan_in), is "
     "0.408 per relu layer. `auto` computes the gain of "
     "whatever activation follows; `actc explain NAME` prints it."},
    {"vanishing_gradient", "Why gradients vanish, and what is predicted",
     "On its way back the gradient is multiplied at every layer by the weights and by the slope of the activation. "
     "In a layer of constant width with weights of variance g² / n its second moment changes by g² E f'(Z)². Below "
     "1 the gradient vanishes with depth, above 1 it explodes. For a sigmoid behind Xavier weights that is about 0.055 "
     "per layer: after twenty, 2.6e-13 of the gradient is left. At an output of 0.99 a sigmoid's slope is 0.0099.\n\n"
     "`actc check` and `actc report` carry these moments through the whole network before a step is run: widths, "
     "skips, dropout and "
     "initializers included. The ratio printed compares the norms of the gradient at the outputs of the first and "
     "the last weight layer."},
    {"dead_units", "When a unit is dead",
     "A relu gives zero for half of its inputs in a healthy network; that is sparsity, not death. A unit is dead "
     "when it is zero for every sample: then its gradient is zero on every sample, and nothing can bring it back. "
     "Large steps are the usual cause: one step moves the bias so far down that no input reaches over it.\n\n"
     "At 10 % in a convolutional network change to an activation that leaks; 20 % is a red flag; at 30 % a good part "
     "of the network's capacity is "
     "gone. Remedies, in order: a smaller learning rate, `kaiming_normal`, `leaky_relu`, `elu` or `gelu`."},
    {"gates", "Why sigmoid and tanh survive in gates",
     "A gate multiplies: a value near 0 holds back what it is multiplied with, a value near 1 lets it pass. That "
     "wants a function from 0 to 1, and its saturation is the point: a gate that is fully open passes the other "
     "factor's gradient unchanged. In an LSTM the state is carried by such a product, not through the slopes of the "
     "gates, and tanh keeps what is written into it centred at zero and bounded, so that it cannot "
     "grow over hundreds of steps. The rule against saturating hidden activations (ACT302) therefore leaves gates "
     "alone."},
    {"gelu_or_relu", "Why gelu in transformers and relu in convolutional networks",
     "Transformers are smooth, normalised and wide: layer norm hands every activation inputs of size 1, right where "
     "gelu and relu differ, and an attention layer profits from a gradient that does not switch on and off. The cost "
     "of gelu disappears beside the matrix products. In convolutional networks the activation is applied to large "
     "maps, where memory and time count, batch norm keeps units alive, and the zeros of relu make the maps sparse; "
     "measured differences are small. Start with relu there, with leaky_relu when more than 10 % of the units die, "
     "and with gelu in transformers; elu or gelu in deep dense networks and on tabular data."},
};

enum { TOPICS = sizeof topics / sizeof topics[0] };

unsigned explain_topic_names(Str *name, unsigned cap)
{
    unsigned n = 0;
    for (; n < TOPICS && n < cap; n++)
        name[n] = str_of(topics[n].name);
    return n;
}

bool explain_topic(Str name, Text *out)
{
    for (unsigned i = 0; i < TOPICS; i++)
        if (str_is(name, topics[i].name)) {
            text_printf(out, "%s (topic)\n%s\n\n", topics[i].name, topics[i].title);
            explain_paragraphs(out, str_of(topics[i].text), 0);
            return true;
        }
    return false;
}
