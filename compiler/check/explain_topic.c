#include "check/explain_topic.h"

static const Topic topics[] = {
    {"decision_guide", "Which activation, and which output", "guide choosing which_activation activations",
     topic_decision_guide},
    {"output_and_loss", "Which output goes with which loss", "outputs task task_table which_loss output_activation",
     topic_output_and_loss},
    {"multi_label", "Why many labels want a sigmoid each", "multilabel many_labels", topic_multi_label},
    {"initialization", "How activation and initializer are tied", "initialisation init initializers gain",
     topic_initialization},
    {"vanishing_gradient", "Why gradients vanish or explode, and what is predicted",
     "vanishing_gradients exploding_gradients gradients", topic_vanishing_gradient},
    {"saturation", "What a sigmoid at 0.99 does to the gradient", "saturating saturated", topic_saturation},
    {"dead_units", "When a unit is dead, and when it is only zero", "dead dead_relu dying_relu sparsity",
     topic_dead_units},
    {"gates", "Why tanh and sigmoid survive in the LSTM and in gates", "gate gating recurrent why_tanh", topic_gates},
    {"gelu_or_relu", "Why gelu in transformers and relu in convolutional networks",
     "relu_or_gelu transformers why_gelu why_relu", topic_gelu_or_relu},
    {"four_failures", "Four ways in which networks fail silently, in numbers", "failures", topic_four_failures},
    {"quick_checks", "What to look at before and while training", "checklist debugging", topic_quick_checks},
    {"prevented", "Mistakes that cannot be written here", "impossible", topic_prevented},
};

enum { TOPICS = sizeof topics / sizeof topics[0] };

unsigned explain_topic_count(void) { return TOPICS; }
const char *explain_topic_name(unsigned i) { return topics[i].name; }

unsigned explain_topic_names(Str *name, unsigned cap)
{
    unsigned n = 0;
    for (; n < TOPICS && n < cap; n++)
        name[n] = str_of(topics[n].name);
    for (unsigned i = 0; i < prevented_count() && n < cap; i++)
        name[n++] = str_of(prevented_name(i));
    return n;
}

static bool among(const char *words, Str name)
{
    while (*words) {
        uint32_t n = 0;
        while (words[n] && words[n] != ' ')
            n++;
        if (str_eq((Str){words, n}, name))
            return true;
        words += n + (words[n] == ' ');
    }
    return false;
}

bool explain_topic(Page *page, Str name)
{
    for (unsigned i = 0; i < TOPICS; i++)
        if (str_is(name, topics[i].name) || among(topics[i].aliases, name)) {
            text_printf(page->out, "%s (topic)\n%s\n\n", topics[i].name, topics[i].title);
            topics[i].write(page);
            return true;
        }
    return explain_prevented(page, name);
}

void explain_list_topics(Text *out, bool json)
{
    for (unsigned i = 0; i < TOPICS; i++)
        text_printf(out, json ? "{\"name\":\"%s\",\"doc\":\"%s\"}\n" : "%-20s  %s\n", topics[i].name, topics[i].title);
}
