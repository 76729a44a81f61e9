/* A data reader: one file in host/readers/, found by the build through its line `ACT_READER(name) = {…};`. */
#ifndef ACT_HOST_READER_H
#define ACT_HOST_READER_H

#include "file.h"

typedef struct ActRequest {
    const char *path;                 /* a file that exists */
    const char *columns;              /* readers with `columns`: which, "" for all */
    char *const *class_name; size_t n_class; /* names that text stands for, by their indices; 0: the file's own */
} ActRequest;

/* Rows of numbers. Whoever asked frees it with act_table_free, also after a failure. */
typedef struct ActTable {
    float *values;                    /* [rows][width] */
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
    ActStatus (*read)(const ActRequest *request, ActTable *table, ActError *error);
} ActReader;

#define ACT_READER(name) const ActReader act_reader_##name

/* NULL and a message with the nearest name when there is none. */
const ActReader *act_reader_find(const char *name, ActError *error);
/* By the ending of a file's name, .gz apart; NULL when none fits. */
const ActReader *act_reader_of_file(const char *path);
/* The i-th, NULL behind the last. */
const ActReader *act_reader_at(size_t i);

void act_table_free(ActTable *table);
/* Sets rank, dim and width from a file's shape [rows][…] and allocates values; the message names the file. */
ActStatus act_table_shape(ActTable *table, const char *path, const uint64_t *shape, uint32_t rank, ActError *error);

#endif
