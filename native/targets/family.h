/*
 * family.h: the malloc family over four primitives, for the shims of this folder.
 *
 *     shim (region, bump)                        this file
 *     alloc, zeroed, resize, release    --->     malloc calloc realloc reallocarray free ...
 *
 * What the C and POSIX functions promise and the allocators leave to their callers is here, once:
 * products that overflow, alignments that are not valid, and errno, which a success leaves alone
 * and a failure sets to ENOMEM or EINVAL.
 */
#ifndef HEAPYARD_TARGETS_FAMILY_H
#define HEAPYARD_TARGETS_FAMILY_H

#include <stddef.h>

/* What each shim defines. All answer NULL for 'no room' and may leave errno as they like. */

/* `alignment` is a power of two, at least 16. */
void *hy__shim_alloc(void *handle, size_t alignment, size_t size);
void *hy__shim_zeroed(void *handle, size_t size);
/* `block` is not NULL. */
void *hy__shim_resize(void *handle, void *block, size_t size);

/* What they get. */
void *hy__family_malloc(void *handle, size_t size);
void *hy__family_calloc(void *handle, size_t count, size_t size);
void *hy__family_realloc(void *handle, void *block, size_t size);
void *hy__family_reallocarray(void *handle, void *block, size_t count, size_t size);
void *hy__family_aligned_alloc(void *handle, size_t alignment, size_t size);
int hy__family_posix_memalign(void *handle, void **block, size_t alignment, size_t size);
void *hy__family_valloc(void *handle, size_t size);
void *hy__family_pvalloc(void *handle, size_t size);

/* The members of the table that come from here. memalign is held to powers of two. */
#define HY_FAMILY_MEMBERS                                                                          \
    .malloc = hy__family_malloc, .calloc = hy__family_calloc, .realloc = hy__family_realloc,       \
    .reallocarray = hy__family_reallocarray, .aligned_alloc = hy__family_aligned_alloc,            \
    .posix_memalign = hy__family_posix_memalign, .memalign = hy__family_aligned_alloc,             \
    .valloc = hy__family_valloc, .pvalloc = hy__family_pvalloc

#endif /* HEAPYARD_TARGETS_FAMILY_H */
