/* The decoders of pictures. They are a library of their own, libactimages.a, which wants libpng and libjpeg: a program whose models read
 * no images is linked without it. */
#ifndef ACT_HOST_PICTURE_H
#define ACT_HOST_PICTURE_H

#include "file.h"

typedef struct ActPicture {
    uint32_t height, width, channels; /* what is wanted; 1 channel: grey, 3: red, green, blue */
    unsigned char *pixel;             /* [height][width][channels], to be filled */
} ActPicture;

typedef struct ActPictures {
    /* The bytes of the file `path`. Colours become grey, and grey colours, as the picture has channels; opacity is left away. A file of
     * another size is refused. */
    ActStatus (*png)(const ActBytes *file, const char *path, ActPicture *picture, ActError *error);
    ActStatus (*jpeg)(const ActBytes *file, const char *path, ActPicture *picture, ActError *error);
} ActPictures;

/* Its address is NULL in a program without that library. */
extern const ActPictures act_pictures __attribute__((weak));

/* Is a file of this size what is wanted? */
ActStatus act_picture_fits(const ActPicture *picture, const char *path, uint64_t height, uint64_t width, ActError *error);

#endif
