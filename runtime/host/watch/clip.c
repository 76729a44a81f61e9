#include "host/monitor.h"

#include <math.h>

enum { LEAST = 10 /* measurements */ };

typedef struct Own { uint32_t clipped, seen; } Own;

static void measured(ActMonitor *m, void *room)
{
    Own *own = room;
    if (m->watch->clip == ACT_WATCH_NONE || !(m->watch->clip_norm > 0)) return;
    double norm = sqrt(*(const float *)m->array[m->watch->clip]);
    own->clipped += norm > m->watch->clip_norm;
    if (++own->seen < LEAST || 2 * own->clipped <= own->seen) return;
    double share = (double)own->clipped / own->seen;
    act_found(m, act_level_above(share, 0.5, 0.8, INFINITY), act_loss_line(m),
              "a lower learning rate does the same without throwing the size of gradients away; or a larger norm to clip at",
              "the gradient was clipped in %u of %u measured steps, the last time from a norm of %.3g to %g", own->clipped, own->seen, norm,
              m->watch->clip_norm);
}

ACT_WATCH(clip) = {
    .code = "RT15",
    .name = "clip_active",
    .summary = "the gradient is clipped in more than half, in more than four fifths of the steps measured",
    .doc = "`clip norm` is for single batches that would throw the weights far off. Where it acts in most steps, every step has the same length "
           "whatever the gradient says: that is another optimizer, with a rate nobody chose. Above half of the steps is a note, above four fifths a "
           "warning, after ten measurements.",
    .room = sizeof(Own),
    .measured = measured,
};
