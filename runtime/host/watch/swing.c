#include "host/monitor.h"

#include <math.h>

enum { WINDOW = 10, WINDOWS = 50 };

typedef struct Own {
    ActLossWindow window;
    double last, change, mean;
    uint32_t windows, turns;
    int rising;
} Own;

static void stepped(ActMonitor *m, void *room, double loss)
{
    Own *own = room;
    double mean;
    if (!act_loss_window(&own->window, WINDOW, loss, &mean)) return;
    if (own->windows) {
        int rising = mean > own->last;
        own->turns += own->windows > 1 && rising != own->rising;
        own->rising = rising;
        own->change += fabs(mean - own->last);
    }
    own->mean += fabs(mean);
    own->last = mean;
    if (++own->windows < WINDOWS) return;
    if (own->turns > WINDOWS / 2 && own->change > 0.2 * own->mean)
        act_found(m, ACT_LEVEL_WARNING, act_loss_line(m), "a lower learning rate, or larger batches",
                  "the loss swings: it turned %u times in %d windows of %d steps, by %.0f %% on average", own->turns, WINDOWS, WINDOW,
                  100 * own->change / own->mean);
    *own = (Own){ 0 };
}

ACT_WATCH(swing) = {
    .code = "RT11",
    .name = "oscillation",
    .summary = "the loss goes up and down by more than a fifth, turning in more than half of 50 windows",
    .doc = "Means of the loss over 10 steps, 50 of them. A warning when more than half of them turn round and neighbours differ by more than a "
           "fifth of the mean: steps jump across the valley. Noise of single batches is smaller, and is not told.",
    .meets = { "ACT901" },
    .room = sizeof(Own),
    .stepped = stepped,
};
