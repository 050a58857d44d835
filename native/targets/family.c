#include "targets/family.h"

#include <errno.h>
#include <stdint.h>

#include <heapyard/pages.h>

#include "base/bits.h"

#define LEAST_ALIGNMENT ((size_t)16)

/* errno after a call: as before where there is a block, else ENOMEM. */
static void *conclude(void *block, int errno_before)
{
    errno = block != NULL ? errno_before : ENOMEM;
    return block;
}

static void *fail(int error)
{
    errno = error;
    return NULL;
}

static void *alloc(void *handle, size_t alignment, size_t size)
{
    const int before = errno;
    const size_t least = alignment < LEAST_ALIGNMENT ? LEAST_ALIGNMENT : alignment;
    return size > PTRDIFF_MAX ? fail(ENOMEM)
                              : conclude(hy__shim_alloc(handle, least, size), before);
}

void *hy__family_malloc(void *handle, size_t size)
{
    return alloc(handle, LEAST_ALIGNMENT, size);
}

void *hy__family_calloc(void *handle, size_t count, size_t size)
{
    const int before = errno;
    size_t total;
    if (!hy__multiply(count, size, &total) || total > PTRDIFF_MAX) {
        return fail(ENOMEM);
    }
    return conclude(hy__shim_zeroed(handle, total), before);
}

void *hy__family_realloc(void *handle, void *block, size_t size)
{
    const int before = errno;
    if (block == NULL) {
        return alloc(handle, LEAST_ALIGNMENT, size);
    }
    return size > PTRDIFF_MAX ? fail(ENOMEM)
                              : conclude(hy__shim_resize(handle, block, size), before);
}

void *hy__family_reallocarray(void *handle, void *block, size_t count, size_t size)
{
    size_t total;
    return hy__multiply(count, size, &total) ? hy__family_realloc(handle, block, total)
                                             : fail(ENOMEM);
}

void *hy__family_aligned_alloc(void *handle, size_t alignment, size_t size)
{
    return hy__is_power_of_two(alignment) ? alloc(handle, alignment, size) : fail(EINVAL);
}

int hy__family_posix_memalign(void *handle, void **block, size_t alignment, size_t size)
{
    const int before = errno;
    if (!hy__is_power_of_two(alignment) || alignment % sizeof(void *) != 0) {
        return EINVAL;
    }
    void *const result = alloc(handle, alignment, size);
    errno = before;
    if (result == NULL) {
        return ENOMEM;
    }
    *block = result;
    return 0;
}

void *hy__family_valloc(void *handle, size_t size)
{
    return alloc(handle, HY_PAGE_SIZE, size);
}

void *hy__family_pvalloc(void *handle, size_t size)
{
    size_t rounded;
    return hy__align_up(size, HY_PAGE_SIZE, &rounded) ? alloc(handle, HY_PAGE_SIZE, rounded)
                                                      : fail(ENOMEM);
}
