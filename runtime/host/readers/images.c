/* Pictures in folders: `images("flowers/train")`. Every folder in it is a class, called as the folder is, in the order of the names' bytes;
 * in each the files go by their names' bytes, too. What a value gets depends on what it is: a `class(n)` the class of each picture, any
 * other the pixels, 0 to 255, grey where it has one channel. A folder of pictures alone has no classes: their labels come from elsewhere,
 * say a CSV file, in the order of the files' names. */
#include "host/convert.h"
#include "host/names.h"
#include "host/picture.h"
#include "host/stream.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef struct Listing {
    ActNames classes;
    char **file; uint32_t *class_of;
    size_t n, room;
} Listing;

static void release(Listing *list)
{
    for (size_t i = 0; i < list->n; i++) free(list->file[i]);
    free(list->file);
    free(list->class_of);
    act_names_free(&list->classes);
}

static int is_picture(const char *name)
{
    static const char *const endings[] = { ".png", ".jpg", ".jpeg" };
    const char *ending = strrchr(name, '.');
    for (size_t i = 0; ending && i < 3; i++)
        if (strcasecmp(ending, endings[i]) == 0) return 1;
    return 0;
}

static char *join(const char *folder, const char *name)
{
    size_t n = strlen(folder);
    while (n > 1 && folder[n - 1] == '/') n--;
    char *out = malloc(n + strlen(name) + 2);
    if (out) sprintf(out, "%.*s/%s", (int)n, folder, name);
    return out;
}

/* Names of a folder's pictures and folders, sorted. What is neither is nobody's business here. */
static ActStatus look_into(const char *path, ActNames *pictures, ActNames *folders, ActError *error)
{
    DIR *dir = opendir(path);
    if (!dir) return act_error(error, ACT_E_IO, "`%s` can't be read: %s", path, strerror(errno));
    ActStatus status = ACT_OK;
    const struct dirent *entry;
    while (status == ACT_OK && (entry = readdir(dir))) {
        const char *name = entry->d_name;
        if (name[0] == '.') continue;
        char *whole = join(path, name);
        if (!whole) status = act_error_memory(error);
        ActNames *to = whole && act_file_is_directory(whole) ? folders : whole && is_picture(name) ? pictures : NULL;
        if (to && act_names_add(to, name) == SIZE_MAX) status = act_error_memory(error);
        free(whole);
    }
    closedir(dir);
    if (status == ACT_OK && (!act_names_sort(pictures) || !act_names_sort(folders))) status = act_error_memory(error);
    return status;
}

static ActStatus add_files(Listing *list, const char *folder, const ActNames *pictures, size_t class, ActError *error)
{
    for (size_t i = 0; i < pictures->n; i++) {
        if (list->n == list->room) {
            size_t room = list->room * 2 + 64;
            char **file = realloc(list->file, room * sizeof *file);
            if (file) list->file = file;
            uint32_t *class_of = realloc(list->class_of, room * sizeof *class_of);
            if (class_of) list->class_of = class_of;
            if (!file || !class_of) return act_error_memory(error);
            list->room = room;
        }
        list->file[list->n] = join(folder, pictures->name[i]);
        list->class_of[list->n] = (uint32_t)class;
        if (!list->file[list->n]) return act_error_memory(error);
        list->n++;
    }
    return ACT_OK;
}

static ActStatus list_class(Listing *list, const char *path, size_t class, ActError *error)
{
    ActNames pictures = { 0 }, folders = { 0 };
    char *folder = join(path, list->classes.name[class]);
    ActStatus status = folder ? look_into(folder, &pictures, &folders, error) : act_error_memory(error);
    if (status == ACT_OK && folders.n)
        status = act_error(error, ACT_E_DATA, "`%s/%s` is a folder in the folder of a class; the pictures of a class lie in one folder",
                           folder, folders.name[0]);
    if (status == ACT_OK && pictures.n == 0)
        status = act_error(error, ACT_E_DATA, "`%s` holds no picture (.png, .jpg, .jpeg); every folder is a class", folder);
    if (status == ACT_OK) status = add_files(list, folder, &pictures, class, error);
    act_names_free(&pictures);
    act_names_free(&folders);
    free(folder);
    return status;
}

static ActStatus list_files(const char *path, Listing *list, ActError *error)
{
    ActNames pictures = { 0 };
    ActStatus status = ACT_OK;
    *list = (Listing){ 0 };
    if (!act_file_is_directory(path)) { /* one picture */
        size_t slash = strlen(path);
        while (slash > 0 && path[slash - 1] != '/') slash--;
        char *folder = slash ? act_text_copy(path, slash) : act_text_copy(".", SIZE_MAX);
        if (!folder || act_names_add(&pictures, path + slash) == SIZE_MAX) status = act_error_memory(error);
        else status = add_files(list, folder, &pictures, 0, error);
        act_names_free(&pictures);
        free(folder);
        return status;
    }
    status = look_into(path, &pictures, &list->classes, error);
    if (status == ACT_OK && pictures.n && list->classes.n)
        status = act_error(error, ACT_E_DATA, "`%s` holds folders, which are classes, and beside them pictures such as `%s`, which are of none",
                           path, pictures.name[0]);
    if (status == ACT_OK && pictures.n == 0 && list->classes.n == 0)
        status = act_error(error, ACT_E_DATA, "`%s` holds no picture (.png, .jpg, .jpeg), and no folder of them", path);
    if (status == ACT_OK) status = add_files(list, path, &pictures, 0, error);
    for (size_t i = 0; status == ACT_OK && i < list->classes.n; i++) status = list_class(list, path, i, error);
    act_names_free(&pictures);
    return status;
}

/* The classes' numbers in the training part, by their numbers here. */
static ActStatus known_classes(const ActRequest *request, const Listing *list, uint32_t *known, ActError *error)
{
    for (size_t i = 0; i < list->classes.n; i++) {
        const char *name = list->classes.name[i];
        size_t k = 0;
        while (k < request->n_class && strcmp(request->class_name[k], name) != 0) k++;
        known[i] = (uint32_t)(request->n_class ? k : i);
        if (!request->n_class || k < request->n_class) continue;
        const char *near = act_text_nearest(name, (const char *const *)request->class_name, request->n_class, sizeof *request->class_name);
        act_error(error, ACT_E_DATA, "`%s/%s`: the class `%s` is not among those of the training part", request->path, name, name);
        if (near) act_error_more(error, "; there is `%s`", near);
        return ACT_E_DATA;
    }
    return ACT_OK;
}

static ActStatus read_classes(const ActRequest *request, Listing *list, ActTable *table, ActError *error)
{
    if (list->classes.n == 0)
        return act_error(error, ACT_E_DATA, "`%s` holds pictures, and no folders, which would be their classes; read `%s` from elsewhere",
                         request->path, request->tensor->name);
    uint64_t rows = list->n;
    uint32_t *known = malloc(list->classes.n * sizeof *known);
    ActStatus status = known ? known_classes(request, list, known, error) : act_error_memory(error);
    if (status == ACT_OK) status = act_table_shape(table, request->path, &rows, 1, error);
    for (size_t i = 0; status == ACT_OK && i < list->n; i++) table->values[i] = (float)known[list->class_of[i]];
    free(known);
    if (status != ACT_OK || request->n_class) return status;
    table->class_name = list->classes.name;
    table->n_class = list->classes.n;
    list->classes.name = NULL;
    list->classes.n = 0;
    return ACT_OK;
}

ActStatus act_picture_fits(const ActPicture *picture, const char *path, uint64_t height, uint64_t width, ActError *error)
{
    if (height == picture->height && width == picture->width) return ACT_OK;
    return act_error(error, ACT_E_DATA, "`%s` is %llu pixels high and %llu wide, and %u x %u are wanted; scale the pictures first, say with "
                     "`mogrify -resize %ux%u!`", path, (unsigned long long)height, (unsigned long long)width, picture->height,
                     picture->width, picture->width, picture->height);
}

static ActStatus read_picture(const char *path, ActPicture *picture, ActError *error)
{
    ActBytes bytes;
    ActStatus status = act_file_read(path, &bytes, error);
    if (status != ACT_OK) return status;
    if (bytes.size >= 8 && memcmp(bytes.data, "\x89PNG\r\n\x1A\n", 8) == 0) status = act_pictures.png(&bytes, path, picture, error);
    else if (bytes.size >= 3 && memcmp(bytes.data, "\xFF\xD8\xFF", 3) == 0) status = act_pictures.jpeg(&bytes, path, picture, error);
    else status = act_error(error, ACT_E_FORMAT, "`%s` is neither a PNG nor a JPEG file", path);
    free(bytes.data);
    return status;
}

static ActStatus convert(const ActRequest *request, const Listing *list, ActPicture *picture, ActTable *table, ActConversion *to,
                         ActError *error)
{
    size_t bytes = (size_t)picture->height * picture->width * picture->channels;
    picture->pixel = malloc(bytes);
    if (!picture->pixel) return act_error_memory(error);
    ActBar bar = act_bar(request->log, "reading the pictures of", request->path);
    ActStatus status = ACT_OK;
    for (size_t i = 0; status == ACT_OK && i < list->n; i++) {
        status = read_picture(list->file[i], picture, error);
        if (status == ACT_OK) act_convert_put(to, picture->pixel, bytes);
        if (status == ACT_OK) status = to->status;
        act_bar_show(&bar, (double)i / (double)list->n);
    }
    act_bar_end(&bar);
    free(picture->pixel);
    if (status != ACT_OK) return status;
    table->element = ACT_ELEMENT_U8;
    table->rows = list->n;
    table->width = bytes;
    table->rank = 3;
    table->dim[0] = picture->height, table->dim[1] = picture->width, table->dim[2] = picture->channels;
    table->shaped = 1;
    return act_convert_finish(to, table);
}

static ActStatus read_pixels(const ActRequest *request, const Listing *list, ActTable *table, ActError *error)
{
    const ActTensor *tensor = request->tensor;
    ActPicture picture = { .channels = 1 };
    if (tensor && (tensor->rank == 2 || tensor->rank == 3)) {
        picture.height = tensor->dim[0];
        picture.width = tensor->dim[1];
        if (tensor->rank == 3) picture.channels = tensor->dim[2];
    }
    if (picture.height == 0 || (picture.channels != 1 && picture.channels != 3))
        return act_error(error, ACT_E_DATA, "pictures have the shape [height, width], [height, width, 1] or [height, width, 3], and `%s` "
                         "has another", tensor ? tensor->name : "");
    if (!&act_pictures)
        return act_error(error, ACT_E_DATA, "`%s`: this program was linked without the decoders of pictures; link libactimages.a in front of "
                         "libactrt.a, with -Wl,-u,act_pictures, -lpng and -ljpeg", request->path);
    ActConversion to;
    char what[64];
    snprintf(what, sizeof what, "images %u %u %u", picture.height, picture.width, picture.channels);
    act_convert_begin(&to, request, what, (const char *const *)list->file, list->n, error);
    ActStatus status = act_convert_found(&to, table) ? ACT_OK : convert(request, list, &picture, table, &to, error);
    act_convert_end(&to);
    return status;
}

static ActStatus read_images(const ActRequest *request, ActTable *table, ActError *error)
{
    Listing list;
    ActStatus status = list_files(request->path, &list, error);
    if (status == ACT_OK)
        status = request->tensor && request->tensor->classes ? read_classes(request, &list, table, error)
                                                             : read_pixels(request, &list, table, error);
    release(&list);
    return status;
}

static char *place_image(const ActRequest *request, uint64_t row, uint64_t element)
{
    Listing list;
    char *out = NULL;
    (void)element;
    if (list_files(request->path, &list, NULL) == ACT_OK && row < list.n) out = act_text_copy(list.file[row], SIZE_MAX);
    release(&list);
    return out;
}

ACT_READER(images) = {
    .name = "images",
    .doc = "PNG and JPEG files of one size in a folder, by name: pixels from 0 to 255, grey or red, green and blue as the value has "
           "channels. A `class(n)` gets the number of the folder in it that each picture lies in.",
    .endings = ".png .jpg .jpeg",
    .folder = 1,
    .read = read_images,
    .place = place_image,
};
