#include "host/monitor.h"

#include <math.h>

enum { WINDOW = 10, WINDOWS = 50 };

typedef struct Own {
    double sum, last, change, mean;
    uint32_t steps, windows, turns;
    int rising;
} Own;

static void stepped(ActMonitor *m, void *room, double loss)
{
    Own *own = room;
    own->sum += loss;
    if (++own->steps < WINDOW) return;
    double mean = own->sum / WINDOW;
    if (own->windows) {
        int rising = mean > own->last;
        own->turns += own->windows > 1 && rising != own->rising;
        own->rising = rising;
        own->change += fabs(mean - own->last);
    }
    own->mean += fabs(mean);
    own->last = mean;
    own->sum = 0;
    own->steps = 0;
    if (++own->windows < WINDOWS) return;
    if (own->turns > WINDOWS / 2 && own->change > 0.2 * own->mean)
        act_found(m, ACT_LEVEL_WARNING, m->model->n_loss ? m->model->loss[0].line : 0, "a lower learning rate, or larger batches",
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
