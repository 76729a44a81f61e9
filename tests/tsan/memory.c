/* What instrumented code calls for memset and memcpy; older runtimes of the sanitizer know these by their plain names only. */
#include <string.h>

void *__tsan_memset(void *to, int value, size_t n);
void *__tsan_memcpy(void *to, const void *from, size_t n);

void *__tsan_memset(void *to, int value, size_t n) { return memset(to, value, n); }
void *__tsan_memcpy(void *to, const void *from, size_t n) { return memcpy(to, from, n); }
