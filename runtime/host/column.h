/* One value of one part on its way from a file into the model's shape. */
#ifndef ACT_HOST_COLUMN_H
#define ACT_HOST_COLUMN_H

#include "facts.h"
#include "survey.h"

typedef struct ActColumn {
    const ActField *field;
    const ActTensor *tensor;    /* the input or target */
    const char *part;           /* "train" */
    const ActReader *reader;
    char *path;                 /* the file it came from */
    ActTable table;             /* as it was read, until act_column_transform */
    ActView view;               /* behind it */
    void *finished;             /* all rows, where they are few enough to be kept in memory; to be freed */
    int cut;                    /* from a long sequence: `shift` is done */
    int64_t shift;              /* row i of the part is row i + shift of the table */
} ActColumn;

/* Finds and reads the file, checks that every number is one. */
ActStatus act_column_read(ActColumn *column, const char *base, const ActRun *run, ActFact *fact, ActError *error);
/* What a `normalize` may measure on these rows: nothing; constants that are not known yet; also those the model holds
 * itself in "<name>.mean" and "<name>.std" (which a weights file brings along). */
typedef enum ActMeasure { ACT_MEASURE_NOTHING, ACT_MEASURE_MISSING, ACT_MEASURE_ALL } ActMeasure;
/* Applies the field's transforms. `index` (n rows, NULL: all) are the rows to measure on. Where the model holds the
 * constants, the data stays as it is and they are written to the parameter block. */
ActStatus act_column_transform(ActColumn *column, ActInstance *instance, const uint32_t *index, size_t n,
                               ActMeasure measure, FILE *log, ActFact *fact, ActError *error);
/* Checks shape and range against the tensor; indices become int32. `survey` sees every row; NULL: none does. */
ActStatus act_column_fit(ActColumn *column, ActSurvey *survey, FILE *log, ActError *error);
void act_column_free(ActColumn *column);

#endif
