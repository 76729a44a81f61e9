/* actc report --cost: what every kernel of a training step costs, and the time that predicts. Private to the driver. */
#ifndef ACT_DRIVER_COST_H
#define ACT_DRIVER_COST_H

#include "driver/session.h"
#include "kernel/unit.h"

/* Prints every model: the training step, or the way forward of a model that is not trained. EXIT_CLEAN, or EXIT_USAGE when standard
 * output takes no more. */
int cost_report(const Session *s, const Unit *unit);

#endif
