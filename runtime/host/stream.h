/* A file from its beginning to its end, unpacked when it is gzip, a piece at a time. */
#ifndef ACT_HOST_STREAM_H
#define ACT_HOST_STREAM_H

#include "text.h"

#include <zlib.h>

/* How far something long has come, where it can be seen: on a terminal, after a moment. */
typedef struct ActBar {
    FILE *out;                /* NULL: nowhere */
    const char *doing, *path; /* "converting" */
    double begin, shown;      /* seconds */
    int dirty;
} ActBar;

ActBar act_bar(FILE *out, const char *doing, const char *path);
void act_bar_show(ActBar *bar, double share);
void act_bar_end(ActBar *bar);

typedef struct ActStream {
    const char *path;
    gzFile file;
    unsigned char *buffer;
    size_t at, end;           /* what of it is not read yet */
    uint64_t size;            /* of the file as it lies there */
    ActStatus status;         /* of the last failure; then the stream seems to be at its end */
    ActBar bar;
} ActStream;

/* `path` must live as long as the stream. */
ActStatus act_stream_open(ActStream *stream, const char *path, FILE *log, const char *doing, ActError *error);
/* Reads on when everything is used up; 0: nothing is left, or a failure with its message. */
int act_stream_more(ActStream *stream, ActError *error);
/* Back to the beginning. */
void act_stream_rewind(ActStream *stream);
void act_stream_close(ActStream *stream);

int act_file_is_gzip(const char *path);

#endif
