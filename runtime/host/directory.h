/* Data for a model whose `train` block names none: files called <part>-<value>.<ending> in the directories of --data,
 * such as train-image.npy, train-label.npy, test-image.npy. */
#ifndef ACT_HOST_DIRECTORY_H
#define ACT_HOST_DIRECTORY_H

#include "text.h"

/* One block of memory to free(); NULL and a message when no directory was given or none holds training files. */
ActData *act_directory_data(const ActModel *model, const ActRun *run, ActError *error);

#endif
