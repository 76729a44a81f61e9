/* What programs of these tests end with when something does not hold: the place, and the condition. */
#ifndef TEST_E2E_CHECK_H
#define TEST_E2E_CHECK_H

#include <stdio.h>
#include <stdlib.h>

#define CHECK(what)                                                \
    do                                                             \
        if (!(what)) {                                             \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what); \
            exit(1);                                               \
        }                                                          \
    while (0)

#endif
