/* How many rows a part of the data has, where its files say so cheaply. */
#ifndef ACT_CHECK_DATA_ROWS_H
#define ACT_CHECK_DATA_ROWS_H

#include "check/context.h"

/* Rows of the training part, less what a split takes. From the head of an `idx` or `npy` file, or the lines of a `csv`
 * of at most 16 MiB; 0 where the file is not there, is packed, or is read with a shift. */
uint64_t data_rows_train(const CheckContext *cx);

/* Steps of the whole run; 0: not known. */
uint64_t data_rows_steps(const CheckContext *cx);

#endif
