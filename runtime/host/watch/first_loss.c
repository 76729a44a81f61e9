#include "classes.h"

typedef struct Own { int seen; } Own;

static void stepped(ActMonitor *m, void *room, double loss)
{
    Own *own = room;
    double guess = act_guess_loss(m);
    if (own->seen++ || m->step != 1 || isnan(guess)) return;
    act_found(m, act_level_above(loss / guess, 1.5, 2, INFINITY), act_loss_line(m),
              "smaller weights in the output layer: `weight = kaiming_normal(gain = 0.1)`, or scale its input",
              "the first loss is %.3g, %.1f times that of a guess (ln %u = %.3g)", loss, loss / guess, act_classes(m), guess);
}

ACT_WATCH(first_loss) = {
    .code = "RT08",
    .name = "initial_loss",
    .summary = "the first loss of a classifier: above 1.5, 2 times that of a guess",
    .doc = "A fresh classifier of K classes knows nothing, and its cross-entropy should be near ln K. One far above is sure of wrong answers: its "
           "logits are too large, and the first epochs only unlearn that. Above 1.5 times is a note, above 2 times a warning.",
    .meets = { "ACT407", "ACT403", "ACT1101" },
    .room = sizeof(Own),
    .stepped = stepped,
};
