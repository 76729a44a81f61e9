/* Faults that other checkers look for and that cannot be written in this language: what takes their place. */
#include "check/explain_topic.h"

static const struct {
    const char *name, *text;
} faults[] = {
    {"missing_zero_grad",
     "Gradients that are not cleared between steps add up, and every step goes where all earlier ones went too. Here a "
     "gradient is a value of the step: it is computed anew, and nothing keeps it. Adding up over several batches is "
     "said "
     "in the `train` block, `accumulate 4`, and takes their mean."},
    {"missing_train_mode",
     "Dropout that goes on while the network is used, or is off while it is trained. Here the training step and the "
     "forward function are two functions, made from one description: `dropout` and `gaussian_noise` act in the first "
     "alone."},
    {"no_initialization",
     "Weights that are never filled. Here every parameter has an initializer, `auto` where none is written, and `init` "
     "fills them all (`initialization`)."},
    {"double_initialization",
     "Weights that are filled twice, of which the second undoes what was meant by the first. Here a parameter has one "
     "initializer, an argument of its layer."},
    {"no_training_loop", "A program that builds a network and never trains it, or forgets a part of the loop. Here the "
                         "loop is the compiler's: "
                         "the `train` block says how long and how, not what to do in which order."},
    {"scheduler_before_optimizer", "A schedule that moves before the optimizer has made its step, so that the first "
                                   "rate is never used. Here the rate of "
                                   "a step is a function of its number: `schedule` has no state (`cosine`, `step`)."},
    {"view_after_transpose",
     "Reading the numbers of a transposed matrix in their old order. Here `permute` and `reshape` are about values, "
     "not "
     "about memory: a reshape behind a permutation reads the permuted order, whatever lies where."},
    {"device_mismatch", "A weight on one device and its input on another. Here all of a model's memory is one block "
                        "that its functions are "
                        "given."},
    {"softmax_without_axis", "A softmax along the axis a library guesses. Here the axis is the last one unless `axis` "
                             "says otherwise, the batch has "
                             "no number, and so a softmax over the batch cannot be written (`softmax`)."},
    {"silent_broadcast",
     "A prediction of shape [n, 1] against a target of shape [n] becomes a table of n x n differences in many "
     "libraries, "
     "and trains to the mean. Here nothing is broadcast inside a loss: the shapes agree or it is an error (ACT106)."},
    {"wrong_metric_mode",
     "A metric that is measured on a batch with dropout, or averaged over batches of different sizes. Here metrics are "
     "measured over a whole part of the data by the forward function."},
    {"ignored_setting", "A setting that is misspelt and silently does nothing. Here a key or an argument nobody knows "
                        "is an error, with the "
                        "nearest one that exists (ACT1206)."},
};

enum { FAULTS = sizeof faults / sizeof faults[0] };

unsigned prevented_count(void) { return FAULTS; }
const char *prevented_name(unsigned i) { return faults[i].name; }

bool explain_prevented(Page *page, Str name)
{
    for (unsigned i = 0; i < FAULTS; i++)
        if (str_is(name, faults[i].name)) {
            text_printf(page->out, "%s (cannot be written here)\n\n", faults[i].name);
            page_text(page, "%s", faults[i].text);
            text_putc(page->out, '\n');
            page_text(page, "So there is no rule for it. `prevented` lists what else is ruled out by the language.");
            return true;
        }
    return false;
}

void topic_prevented(Page *page)
{
    page_text(page,
              "Rules of other checkers that have none here, because the language leaves no room for the mistake. Each "
              "has a page.");
    text_putc(page->out, '\n');
    for (unsigned i = 0; i < FAULTS; i++) {
        uint32_t end = 0;
        while (faults[i].text[end] && !(faults[i].text[end] == '.' && faults[i].text[end + 1] == ' '))
            end++;
        text_printf(page->out, "  %s\n", faults[i].name);
        page_paragraphs(page, (Str){faults[i].text, end + 1}, 6);
    }
}
