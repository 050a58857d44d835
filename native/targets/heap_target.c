/*
 * heap_target.c: the heap, offered to the trial: as it comes, and (built with HEAP_TARGET_STRICT)
 * without caches.
 *
 * malloc and the frees are the heap's inline paths and nothing else: what is measured through this
 * table is the heap. A heap leaves errno alone where it succeeds without a page source that fails.
 */
#include <errno.h>

#include <heapyard/heap.h>
#include <heapyard/target.h>

#include "targets/family.h"

#ifndef HEAP_TARGET_STRICT
#    define HEAP_TARGET_STRICT 0
#endif

static void *heap_open(void)
{
    const hy_heap_config config = {
        .size = sizeof config,
        .flags = HEAP_TARGET_STRICT ? HY_HEAP_STRICT : 0,
    };
    return hy_heap_new(&config);
}

static void heap_close(void *handle)
{
    hy_heap_delete(handle);
}

void *hy__shim_alloc(void *handle, size_t alignment, size_t size)
{
    return alignment <= HY_HEAP_MAX_ALIGNMENT ? hy_heap_aligned_alloc(handle, alignment, size)
                                              : NULL;
}

void *hy__shim_zeroed(void *handle, size_t size)
{
    return hy_heap_calloc(handle, 1, size);
}

void *hy__shim_resize(void *handle, void *block, size_t size)
{
    return hy_heap_realloc(handle, block, size);
}

/* Out of line, so that the short way needs no frame. */
static __attribute__((noinline)) void *refuse(void)
{
    errno = ENOMEM;
    return NULL;
}

static void *heap_malloc(void *handle, size_t size)
{
    void *const block = hy_heap_malloc(handle, size);
    return __builtin_expect(block != NULL, 1) ? block : refuse();
}

static void heap_free(void *handle, void *block)
{
    hy_heap_free(handle, block);
}

static void heap_free_sized(void *handle, void *block, size_t size)
{
    hy_heap_free_sized(handle, block, size);
}

static void heap_free_aligned_sized(void *handle, void *block, size_t alignment, size_t size)
{
    hy_heap_free_aligned_sized(handle, block, alignment, size);
}

static size_t heap_usable_size(void *handle, void *block)
{
    return hy_heap_usable_size(handle, block);
}

static int heap_trim(void *handle, size_t pad)
{
    (void)pad;
    return hy_heap_trim(handle) > 0;
}

static const char *heap_check(void *handle)
{
    const hy_check_result result = hy_heap_check(handle);
    return result.code == HY_HEAP_CHECK_SOUND ? NULL : hy_heap_check_text(result.code);
}

HEAPYARD_EXPORT_TARGET = {
    HEAPYARD_TARGET_HEADER,
    .name = HEAP_TARGET_STRICT ? "heap:strict" : "heap",
    .flags = HEAPYARD_TARGET_SETS_ERRNO | HEAPYARD_TARGET_TELLS_BAD_FREE |
             HEAPYARD_TARGET_TELLS_WRONG_SIZE,
    .min_alignment = HY_HEAP_ALIGNMENT,
    .max_size = PTRDIFF_MAX,
    .open = heap_open,
    .close = heap_close,
    .malloc = heap_malloc,
    .calloc = hy__family_calloc,
    .realloc = hy__family_realloc,
    .reallocarray = hy__family_reallocarray,
    .free = heap_free,
    .free_sized = heap_free_sized,
    .free_aligned_sized = heap_free_aligned_sized,
    .aligned_alloc = hy__family_aligned_alloc,
    .posix_memalign = hy__family_posix_memalign,
    .memalign = hy__family_aligned_alloc,
    .valloc = hy__family_valloc,
    .pvalloc = hy__family_pvalloc,
    .usable_size = heap_usable_size,
    .trim = heap_trim,
    .check = heap_check,
};
