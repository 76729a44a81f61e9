/* Several runs on one page. */
#ifndef ACT_HOST_COMPARE_H
#define ACT_HOST_COMPARE_H

#include "page/page.h"
#include "runlog.h"

typedef struct ActRunNamed {
    char *path, *name;           /* of the log; for people: what tells the paths apart */
    ActRunLog log;
} ActRunNamed;

typedef struct ActRunNameds { ActRunNamed *at; size_t n, room; } ActRunNameds;

/* The logs that are named, and those in and below the folders that are. After a failure the list is empty. */
ActStatus act_runs_find(ActRunNameds *runs, const char *const *path, size_t n, ActError *error);
void act_runs_free(ActRunNameds *runs);

void act_compare_draw(ActPage *page, const ActRunNameds *runs);

#endif
