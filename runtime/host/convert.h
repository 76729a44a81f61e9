/* Files that have no rows of one size, such as CSV, text and images, are turned into some once. What comes of it stays in memory while it
 * is small (act_source_limit), else it goes to a file beside the data, or where that can't be written, in the folder of results, from
 * where it is mapped, in this run and in later ones:
 *
 *     <data>.<what was asked of it, 16 hexadecimal digits>.actdata
 *
 * a header of 4096 bytes, the rows, the names of the classes. It is written beside its place, synced and renamed; its checksums are looked
 * at before it is used, and the data it was made of must be as it was: of the same size and time, or else of the same content. */
#ifndef ACT_HOST_CONVERT_H
#define ACT_HOST_CONVERT_H

#include "output.h"
#include "reader.h"

typedef struct ActConversion {
    const ActRequest *request;
    const char *const *file; size_t n_file; /* what is read */
    ActError *error;
    ActStatus status;         /* of the first failure; later rows are passed over */
    unsigned char *memory;
    uint64_t used, room, limit;
    int begun;                /* the file `out` is */
    ActFileOut out;
    char *path;
    uint64_t key, size, stamp; /* what is asked; of what */
    uint64_t written;
    uint32_t crc;
} ActConversion;

/* `what`: the reader's name, and all else that decides what comes out besides the request's columns and class names. */
void act_convert_begin(ActConversion *conversion, const ActRequest *request, const char *what, const char *const *file, size_t n_file,
                       ActError *error);
/* 1: an earlier run did it, `table` is complete, and only act_convert_end is left to call. */
int act_convert_found(ActConversion *conversion, ActTable *table);
void act_convert_put(ActConversion *conversion, const void *data, size_t n);
/* The table's element, rows, width, shape and class names are set; it gets its source here. */
ActStatus act_convert_finish(ActConversion *conversion, ActTable *table);
/* Frees; what is not finished is gone. */
void act_convert_end(ActConversion *conversion);

#endif
