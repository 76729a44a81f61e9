/* The batches of an epoch, one behind the other, augmented. Where it pays, a thread of its own makes them ready while the step before them
 * runs, so that the step never waits; they are the same bytes either way.
 *
 * It pays when making one takes longer than handing one over, and when there is a processor that no thread of the model wants, or when the
 * rows come from a disk, because who waits for one needs no processor. Where all processors compute, they make a batch together, between
 * two steps. */
#ifndef ACT_HOST_FEED_H
#define ACT_HOST_FEED_H

#include "dataset.h"

typedef struct ActFeed ActFeed;

typedef enum ActFeedMode { ACT_FEED_BY_RULE, ACT_FEED_IN_LINE, ACT_FEED_TOGETHER, ACT_FEED_BESIDE } ActFeedMode;

/* Of the training part of `set`, at most `batch` rows each. `pool`: the one the model computes with; it must be idle when act_feed_next is
 * called. NULL: no memory. */
ActFeed *act_feed_new(const ActDataset *set, size_t batch, ActPool *pool, uint64_t seed, ActFeedMode mode, ActError *error);
/* From row `row` of `order` on, the next step being `step`. The order must not change until act_feed_end. */
void act_feed_begin(ActFeed *feed, const uint32_t *order, uint64_t row, uint64_t step);
/* The next batch: `value` as act_dataset_batch has it, valid until the next call; *n rows, 0 behind the last. */
ActStatus act_feed_next(ActFeed *feed, const void *const **value, size_t *n, ActError *error);
/* Nothing is made any more. May be called at any time, and twice. */
void act_feed_end(ActFeed *feed);
void act_feed_free(ActFeed *feed);
int act_feed_is_beside(const ActFeed *feed);

#endif
