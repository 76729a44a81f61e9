#include "classes.h"

enum { WINDOW = 50, BEFORE = 200 /* steps in which a network may still be finding its way */ };

static int near(double x, double y)
{
    return fabs(x - y) < 0.01 * y;
}

static void stepped(ActMonitor *m, void *room, double loss)
{
    double guess = act_guess_loss(m), k = act_classes(m), floor = log(exp(1) + k - 1) - 1;
    double mean;
    if (!act_loss_window(room, WINDOW, loss, &mean)) return;
    if (isnan(guess) || m->step < BEFORE) return;
    uint32_t line = act_loss_line(m);
    if (near(mean, guess))
        act_found(m, ACT_LEVEL_WARNING, line, "see whether gradients arrive (RT03), units are dead (RT01), inputs are scaled",
                  "the loss stays at ln %g = %.4f: the network guesses", k, guess);
    else if (near(mean, floor))
        act_found(m, ACT_LEVEL_WARNING, line, "give the loss logits: it applies softmax itself",
                  "the loss stays at %.4f, the least that a softmax in front of a cross-entropy over %g classes lets it reach", floor, k);
}

ACT_WATCH(floor) = {
    .code = "RT09",
    .name = "loss_floor",
    .summary = "the loss stays within 1 % of ln K, or of what two softmaxes leave",
    .doc = "After 200 steps the mean of the loss over 50 of them is held against two numbers: ln K, a guess among K classes; and "
           "ln(e + K - 1) - 1, which a cross-entropy can't go below when its logits are probabilities already: 0.744 for 4 classes, 1.461 for 10.",
    .meets = { "ACT201", "ACT202", "ACT303", "ACT209" },
    .room = sizeof(ActLossWindow),
    .stepped = stepped,
};
