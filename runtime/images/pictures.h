#ifndef ACT_IMAGES_PICTURES_H
#define ACT_IMAGES_PICTURES_H

#include "host/picture.h"

ActStatus act_picture_png(const ActBytes *file, const char *path, ActPicture *picture, ActError *error);
ActStatus act_picture_jpeg(const ActBytes *file, const char *path, ActPicture *picture, ActError *error);

#endif
