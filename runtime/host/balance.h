/* `weight = balanced`: the weights of a target's classes, a constant of the model that is measured on the training part. */
#ifndef ACT_HOST_BALANCE_H
#define ACT_HOST_BALANCE_H

#include "dataset.h"

/* Is it such a constant? Predictions do not depend on it, so weights from elsewhere need not bring it; it is 1 for all classes then. */
int act_balance_is(const ActTensor *tensor);
/* That of a target; NULL: its classes are not weighed so. */
const ActTensor *act_balance_of(const ActModel *model, const ActTensor *target);
void act_balance_forget(const ActTensor *tensor, void *block);

/* Labels / (classes * labels of the class), as scikit-learn has it; 1 for a class that is not there. Labels that do not count for the loss
 * are passed over. Writes into the parameter block; `room` and `batch` hold `rows` rows of every value. */
ActStatus act_balance_measure(ActInstance *instance, const ActDataset *set, void *const *room, const void **batch, size_t rows,
                              ActError *error);

#endif
