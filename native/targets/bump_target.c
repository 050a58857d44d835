/*
 * bump_target.c: the bump arena, offered to the trial. Blocks bear a header (sized.h), because
 * realloc wants the old size; nothing is freed singly.
 */
#include <heapyard/bump.h>
#include <heapyard/target.h>

#include "targets/family.h"
#include "targets/sized.h"

static void *bump_open(void)
{
    return hy_bump_new(NULL);
}

static void bump_close(void *handle)
{
    hy_bump_delete(handle);
}

void *hy__shim_alloc(void *handle, size_t alignment, size_t size)
{
    size_t total;
    return hy__sized_total(size, alignment, &total)
               ? hy__sized_block(hy_bump_alloc_aligned(handle, total, alignment), size, alignment)
               : NULL;
}

void *hy__shim_zeroed(void *handle, size_t size)
{
    const size_t pad = sizeof(hy_sized_header);
    size_t total;
    return hy__sized_total(size, pad, &total)
               ? hy__sized_block(hy_bump_alloc_zeroed(handle, total, 1), size, pad)
               : NULL;
}

void *hy__shim_resize(void *handle, void *block, size_t size)
{
    const hy_sized_header old = hy__sized_header(block);
    size_t total;
    return hy__sized_total(size, old.pad, &total)
               ? hy__sized_block(
                     hy_bump_realloc(handle, hy__sized_raw(block), old.size + old.pad, total), size,
                     old.pad)
               : NULL;
}

static size_t bump_usable_size(void *handle, void *block)
{
    (void)handle;
    return block == NULL ? 0 : hy__sized_header(block).size;
}

static int bump_trim(void *handle, size_t pad)
{
    (void)pad;
    return hy_bump_trim(handle) > 0;
}

static const char *bump_check(void *handle)
{
    const hy_check_result result = hy_bump_check(handle);
    return result.code == HY_BUMP_CHECK_SOUND ? NULL : hy_bump_check_text(result.code);
}

HEAPYARD_EXPORT_TARGET = {
    HEAPYARD_TARGET_HEADER,
    .name = "bump",
    .flags = HEAPYARD_TARGET_SETS_ERRNO | HEAPYARD_TARGET_BULK_FREE_ONLY,
    .min_alignment = HY_BUMP_ALIGNMENT,
    .max_size = PTRDIFF_MAX,
    .open = bump_open,
    .close = bump_close,
    HY_FAMILY_MEMBERS,
    .usable_size = bump_usable_size,
    .trim = bump_trim,
    .check = bump_check,
};
