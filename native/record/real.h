/*
 * real.h: the functions that the recorder stands in front of: the next malloc in the loader's order
 * (another preloaded one, that of the program's own library, or libc's).
 *
 * They are looked up at the first call. Calls that come from that look-up itself are served from a
 * small pool, whose blocks are never given back.
 */
#ifndef HEAPYARD_RECORD_REAL_H
#define HEAPYARD_RECORD_REAL_H

#include <stdbool.h>
#include <stddef.h>

typedef struct hy_real {
    void *(*malloc)(size_t size);
    void *(*calloc)(size_t count, size_t size);
    void *(*realloc)(void *block, size_t size);
    void (*free)(void *block);
    void *(*aligned_alloc)(size_t alignment, size_t size);
    int (*posix_memalign)(void **block, size_t alignment, size_t size);
    void *(*memalign)(size_t alignment, size_t size);
    void *(*valloc)(size_t size);
    void *(*pvalloc)(size_t size);
} hy_real;

extern hy_real hy__real __attribute__((visibility("hidden")));

/* Whether the block is one of the pool: the real functions do not know it. */
bool hy__is_early(const void *block);

/* The rest of the pool from that block on: the most bytes that may be copied out of it. */
size_t hy__early_rest(const void *block);

#endif /* HEAPYARD_RECORD_REAL_H */
