#include "pictures.h"

/* strong: who links this library has it */
extern const ActPictures act_pictures;
const ActPictures act_pictures = { act_picture_png, act_picture_jpeg };
