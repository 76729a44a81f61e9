/* Long sequences cut into the sequences a model takes. */
#ifndef ACT_HOST_SEQUENCE_H
#define ACT_HOST_SEQUENCE_H

#include "column.h"

/* Are the values of this part cut from streams (readers with `stream`)? */
int act_sequence_is(const ActColumn *columns, size_t values);
/* Row i of a value begins at element i * stride, moved by its `shift`, and is as long as the value. The stride is what a column's
 * `stride=N` says, else the length of the longest value: rows lie one behind the other. All values get equally many rows. */
ActStatus act_sequence_cut(ActColumn *columns, size_t values, ActError *error);

#endif
