#include "host/monitor.h"

#include <string.h>

typedef struct Own {
    double last;
    uint32_t rising, seen;
} Own;

static void over(ActMonitor *m, void *room, const ActScore *trained, const ActScore *score, size_t n)
{
    Own *own = room;
    if (n == 0 || !score[0].part || strcmp(score[0].part, "validation") != 0) return;
    double loss = score[0].loss, gap = (loss - trained->loss) / trained->loss;
    own->rising = own->seen++ && loss > own->last ? own->rising + 1 : 0;
    own->last = loss;
    if (own->rising >= 3 && trained->loss > 0)
        act_found(m, act_level_above(gap, 0.1, 0.5, 1e300), act_loss_line(m),
                  "`stop early(patience = 3)` keeps the best weights; dropout, weight decay, `augment` or more data close the gap",
                  "the validation loss has risen for %u epochs, to %.4g; on the training part it is %.4g", own->rising, loss, trained->loss);
}

ACT_WATCH(overfit) = {
    .code = "RT12",
    .name = "overfit",
    .summary = "the validation loss rises three times and is above the training loss by 10 %, 50 %",
    .doc = "The training part is learnt by heart when the validation loss rises in three evaluations one after the other while it is already above "
           "the training loss: by more than 10 % a note, by more than 50 % a warning. It needs a validation part; the test part is never asked.",
    .room = sizeof(Own),
    .over = over,
};
