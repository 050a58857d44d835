/*
 * region_list_target.c: the list engine of region, offered to the trial. It frees with the size,
 * so each block bears a header that knows it (sized.h).
 */
#include <stdint.h>

#include <heapyard/target.h>

#include "targets/family.h"
#include "targets/region_spans.h"
#include "targets/sized.h"

static void *list_open(void)
{
    return hy__spans_open(&(hy_region_options){.engine = HY_REGION_LIST});
}

void *hy__shim_alloc(void *handle, size_t alignment, size_t size)
{
    size_t total;
    if (!hy__sized_total(size, alignment, &total)) {
        return NULL;
    }
    void *raw = hy_region_alloc_aligned(hy__spans_region(handle), alignment, total);
    if (raw == NULL && hy__spans_grow(handle, alignment, total)) {
        raw = hy_region_alloc_aligned(hy__spans_region(handle), alignment, total);
    }
    return hy__sized_block(raw, size, alignment);
}

void *hy__shim_zeroed(void *handle, size_t size)
{
    const size_t pad = sizeof(hy_sized_header);
    size_t total;
    if (!hy__sized_total(size, pad, &total)) {
        return NULL;
    }
    void *raw = hy_region_calloc(hy__spans_region(handle), 1, total);
    if (raw == NULL && hy__spans_grow(handle, pad, total)) {
        raw = hy_region_calloc(hy__spans_region(handle), 1, total);
    }
    return hy__sized_block(raw, size, pad);
}

void *hy__shim_resize(void *handle, void *block, size_t size)
{
    const hy_sized_header old = hy__sized_header(block);
    void *const raw = hy__sized_raw(block);
    const size_t old_total = old.size + old.pad;
    size_t total;
    if (!hy__sized_total(size, old.pad, &total)) {
        return NULL;
    }
    void *moved = hy_region_realloc_sized(hy__spans_region(handle), raw, old_total, 0, total);
    if (moved == NULL && hy__spans_grow(handle, sizeof(hy_sized_header), total)) {
        moved = hy_region_realloc_sized(hy__spans_region(handle), raw, old_total, 0, total);
    }
    return hy__sized_block(moved, size, old.pad);
}

static void list_free(void *handle, void *block)
{
    if (block != NULL) {
        const hy_sized_header header = hy__sized_header(block);
        hy_region_free_sized(hy__spans_region(handle), hy__sized_raw(block),
                             header.size + header.pad);
    }
}

static void list_free_sized(void *handle, void *block, size_t size)
{
    (void)size; /* the header knows it */
    list_free(handle, block);
}

static void list_free_aligned_sized(void *handle, void *block, size_t alignment, size_t size)
{
    (void)alignment;
    (void)size;
    list_free(handle, block);
}

static size_t list_usable_size(void *handle, void *block)
{
    (void)handle;
    return block == NULL ? 0 : hy__sized_header(block).size;
}

HEAPYARD_EXPORT_TARGET = {
    HEAPYARD_TARGET_HEADER,
    .name = "region:list",
    .flags = HEAPYARD_TARGET_SETS_ERRNO | HEAPYARD_TARGET_KEEPS_MEMORY,
    .open = list_open,
    HY_SPANS_MEMBERS,
    HY_FAMILY_MEMBERS,
    .free = list_free,
    .free_sized = list_free_sized,
    .free_aligned_sized = list_free_aligned_sized,
    .usable_size = list_usable_size,
};
