#include "host/monitor.h"

#include <math.h>

enum { WINDOW = 50, WINDOWS = 5 };

typedef struct Own {
    ActLossWindow window;
    double first, least;
    uint32_t windows;
} Own;

static void stepped(ActMonitor *m, void *room, double loss)
{
    Own *own = room;
    double mean;
    if (!act_loss_window(&own->window, WINDOW, loss, &mean)) return;
    if (own->windows++ == 0) own->first = own->least = mean;
    uint32_t line = act_loss_line(m);
    if (mean > 2 * own->least && own->least > 0)
        act_found(m, ACT_LEVEL_ERROR, line, "take a lower learning rate, or clip the gradient",
                  "the loss rises: %.4g over the last %d steps, after %.4g", mean, WINDOW, own->least);
    else if (own->windows == WINDOWS && fmin(mean, own->least) > 0.95 * own->first)
        act_found(m, ACT_LEVEL_WARNING, line, "try ten times the learning rate, and a tenth; see whether gradients arrive (RT03)",
                  "%d steps lowered the loss by less than 5 %%: from %.4g to %.4g", WINDOW * WINDOWS, own->first, mean);
    own->least = fmin(own->least, mean);
}

ACT_WATCH(stuck) = {
    .code = "RT07",
    .name = "loss_not_decreasing",
    .summary = "the loss fell by less than 5 % in 250 steps; it rose to twice its least",
    .doc = "Means of the loss over 50 steps. A warning when the fifth of them is not 5 % below the first: training has not begun. An error when "
           "one is twice the least so far: training comes apart.",
    .meets = { "ACT901", "ACT1104", "ACT401" },
    .room = sizeof(Own),
    .stepped = stepped,
};
