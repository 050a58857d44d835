/*
 * calls.h: the functions that libheapyard_record stands in for, as libc declares them.
 */
#ifndef HEAPYARD_RECORD_CALLS_H
#define HEAPYARD_RECORD_CALLS_H

#include <stddef.h>

#define HY_STANDS_IN __attribute__((visibility("default")))

HY_STANDS_IN void *malloc(size_t size);
HY_STANDS_IN void *calloc(size_t count, size_t size);
HY_STANDS_IN void *realloc(void *block, size_t size);
HY_STANDS_IN void *reallocarray(void *block, size_t count, size_t size);
HY_STANDS_IN void free(void *block);
HY_STANDS_IN void *aligned_alloc(size_t alignment, size_t size);
HY_STANDS_IN int posix_memalign(void **block, size_t alignment, size_t size);
HY_STANDS_IN void *memalign(size_t alignment, size_t size);
HY_STANDS_IN void *valloc(size_t size);
HY_STANDS_IN void *pvalloc(size_t size);

#endif /* HEAPYARD_RECORD_CALLS_H */
