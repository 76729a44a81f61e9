#include "stream.h"

#include "progress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 1 << 18, CELLS = 24 };
static const double PATIENCE = 0.5, REFRESH = 0.1; /* seconds before a bar is shown, and between two looks of it */

ActBar act_bar(FILE *out, const char *doing, const char *path)
{
    const char *term = getenv("TERM");
    int seen = out && isatty(fileno(out)) && term && strcmp(term, "dumb") != 0;
    return (ActBar){ .out = seen ? out : NULL, .doing = doing, .path = path, .begin = act_progress_seconds() };
}

void act_bar_show(ActBar *bar, double share)
{
    if (!bar->out) return;
    double now = act_progress_seconds();
    if (now - bar->begin < PATIENCE || now - bar->shown < REFRESH) return;
    bar->shown = now;
    bar->dirty = 1;
    int full = share < 0 ? 0 : share > 1 ? CELLS : (int)(share * CELLS);
    fprintf(bar->out, "\r\x1b[K%s `%s` [%.*s%.*s] %d %%", bar->doing, bar->path, full, "########################", CELLS - full,
            "........................", (int)(share * 100));
    fflush(bar->out);
}

void act_bar_end(ActBar *bar)
{
    if (bar->dirty) fputs("\r\x1b[K", bar->out);
    bar->dirty = 0;
}

ActStatus act_stream_open(ActStream *stream, const char *path, FILE *log, const char *doing, ActError *error)
{
    struct stat info;
    *stream = (ActStream){ .path = path, .bar = act_bar(log, doing, path) };
    if (stat(path, &info) != 0) return act_error(error, ACT_E_IO, "`%s` can't be read: %s", path, strerror(errno));
    if (S_ISDIR(info.st_mode)) return act_error(error, ACT_E_IO, "`%s` is a directory; a file is wanted", path);
    stream->size = (uint64_t)info.st_size;
    stream->buffer = malloc(PIECE);
    if (!stream->buffer) return act_error_memory(error);
    stream->file = gzopen(path, "rb");
    if (stream->file) {
        gzbuffer(stream->file, PIECE);
        return ACT_OK;
    }
    act_error(error, ACT_E_IO, "`%s` can't be read: %s", path, strerror(errno));
    act_stream_close(stream);
    return ACT_E_IO;
}

int act_stream_more(ActStream *stream, ActError *error)
{
    if (stream->at < stream->end) return 1;
    if (stream->status != ACT_OK) return 0;
    stream->at = stream->end = 0;
    int got = gzread(stream->file, stream->buffer, PIECE), code = Z_OK;
    if (got > 0) stream->end = (size_t)got;
    const char *why = gzerror(stream->file, &code);
    if (got < 0 || code == Z_BUF_ERROR || code == Z_DATA_ERROR) {
        stream->end = 0;
        stream->status = code == Z_ERRNO
                             ? act_error(error, ACT_E_IO, "`%s` can't be read: %s", stream->path, strerror(errno))
                             : act_error(error, ACT_E_FORMAT,
                                         "`%s`: the compressed data is damaged or cut off (%s); fetch the file again", stream->path, why);
        return 0;
    }
    if (stream->size) act_bar_show(&stream->bar, (double)gzoffset(stream->file) / (double)stream->size);
    return got > 0;
}

void act_stream_rewind(ActStream *stream)
{
    gzrewind(stream->file);
    stream->at = stream->end = 0;
}

void act_stream_close(ActStream *stream)
{
    act_bar_end(&stream->bar);
    if (stream->file) gzclose(stream->file);
    free(stream->buffer);
    stream->file = NULL;
    stream->buffer = NULL;
}

int act_file_is_gzip(const char *path)
{
    FILE *file = fopen(path, "rb");
    int found = file && fgetc(file) == 0x1F && fgetc(file) == 0x8B;
    if (file) fclose(file);
    return found;
}
