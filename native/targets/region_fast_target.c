/*
 * region_fast_target.c: the fast engine of region, offered to the trial as it is.
 */
#include <stdint.h>

#include <heapyard/target.h>

#include "targets/family.h"
#include "targets/region_spans.h"

static void *fast_open(void)
{
    return hy__spans_open(&(hy_region_options){.engine = HY_REGION_FAST});
}

void *hy__shim_alloc(void *handle, size_t alignment, size_t size)
{
    void *const block = hy_region_alloc_aligned(hy__spans_region(handle), alignment, size);
    return block == NULL && hy__spans_grow(handle, alignment, size)
               ? hy_region_alloc_aligned(hy__spans_region(handle), alignment, size)
               : block;
}

void *hy__shim_zeroed(void *handle, size_t size)
{
    void *const block = hy_region_calloc(hy__spans_region(handle), 1, size);
    return block == NULL && hy__spans_grow(handle, 16, size)
               ? hy_region_calloc(hy__spans_region(handle), 1, size)
               : block;
}

void *hy__shim_resize(void *handle, void *block, size_t size)
{
    void *const moved = hy_region_realloc(hy__spans_region(handle), block, size);
    return moved == NULL && hy__spans_grow(handle, 16, size)
               ? hy_region_realloc(hy__spans_region(handle), block, size)
               : moved;
}

static void fast_free(void *handle, void *block)
{
    hy_region_free(hy__spans_region(handle), block);
}

static void fast_free_sized(void *handle, void *block, size_t size)
{
    hy_region_free_sized(hy__spans_region(handle), block, size);
}

static void fast_free_aligned_sized(void *handle, void *block, size_t alignment, size_t size)
{
    (void)alignment;
    hy_region_free_sized(hy__spans_region(handle), block, size);
}

static size_t fast_usable_size(void *handle, void *block)
{
    return hy_region_usable_size(hy__spans_region(handle), block);
}

HEAPYARD_EXPORT_TARGET = {
    HEAPYARD_TARGET_HEADER,
    .name = "region:fast",
    .flags = HEAPYARD_TARGET_SETS_ERRNO | HEAPYARD_TARGET_KEEPS_MEMORY |
             HEAPYARD_TARGET_TELLS_BAD_FREE | HEAPYARD_TARGET_TELLS_WRONG_SIZE,
    .open = fast_open,
    HY_SPANS_MEMBERS,
    HY_FAMILY_MEMBERS,
    .free = fast_free,
    .free_sized = fast_free_sized,
    .free_aligned_sized = fast_free_aligned_sized,
    .usable_size = fast_usable_size,
};
