/* A data reader: one file in host/readers/, found by the build through its line `ACT_READER(name) = {…};`. */
#ifndef ACT_HOST_READER_H
#define ACT_HOST_READER_H

#include "element.h"
#include "file.h"
#include "source.h"

typedef struct ActRequest {
    const char *path;                 /* a file that exists, or a folder */
    const char *columns;              /* readers with `columns`: which, "" for all */
    char *const *class_name; size_t n_class; /* names that text stands for, by their indices; 0: the file's own */
    const ActTensor *tensor;          /* the input or target that the rows are for; may be NULL */
    const char *out;                  /* where converted data may go when not beside its file (host/convert.h); NULL: "." */
    FILE *log;                        /* for what takes long; may be NULL */
} ActRequest;

/* Rows of numbers. Whoever asked frees it with act_table_free, also after a failure. */
typedef struct ActTable {
    float *values;                    /* [rows][width]; NULL: they stay in `source`, as `element`s, */
    ActSource source;
    uint64_t start;                   /* the first at this byte, */
    uint64_t stride;                  /* and each row so many elements behind the one before */
    ActElement element;
    uint64_t rows, width;
    uint32_t rank, dim[ACT_MAX_RANK]; /* shape of a row; `shaped` 0: a list, which fits any shape of its length */
    int shaped;
    char **class_name; size_t n_class; /* text became these indices: the distinct names, sorted by their bytes */
} ActTable;

typedef struct ActReader {
    const char *name, *doc;
    const char *endings;              /* ".csv .tsv": how its files are recognised when nothing else says so */
    int columns;                      /* takes `columns` */
    int stream;                       /* its rows are one long sequence, to be cut (host/sequence.h) */
    int folder;                       /* reads a folder of files, too */
    ActStatus (*read)(const ActRequest *request, ActTable *table, ActError *error);
    /* Where the number `element` of `row` stands, "flowers.csv:3:5", in new memory; NULL, also as a function: it can't be said. */
    char *(*place)(const ActRequest *request, uint64_t row, uint64_t element);
} ActReader;

#define ACT_READER(name) const ActReader act_reader_##name

/* NULL and a message with the nearest name when there is none. */
const ActReader *act_reader_find(const char *name, ActError *error);
/* By the ending of a file's name, .gz apart; NULL when none fits. */
const ActReader *act_reader_of_file(const char *path);
/* The i-th, NULL behind the last. */
const ActReader *act_reader_at(size_t i);

void act_table_free(ActTable *table);
/* Numbers that a reader left in `values` become the table's source. */
void act_table_settle(ActTable *table);
/* Sets rows, width, stride, rank and dim from a file's shape [rows][…]; the message names the file. */
ActStatus act_table_size(ActTable *table, const char *path, const uint64_t *shape, uint32_t rank, ActError *error);
/* The same, and allocates `values` to be filled. */
ActStatus act_table_shape(ActTable *table, const char *path, const uint64_t *shape, uint32_t rank, ActError *error);
/* Are there as many bytes behind `start` as the shape wants, and no more? */
ActStatus act_table_holds(const ActTable *table, const char *path, const char *who, ActError *error);
/* The bytes of the request's file, unpacked when it is gzip. */
ActStatus act_table_open(ActTable *table, const ActRequest *request, ActError *error);

#endif
