/*
 * radix.c: changing the radix tree.
 */
#include "heap/radix.h"

#include <heapyard/pages.h>

_Atomic(hy__radix_entry *) hy__radix_root[HY__RADIX_SIZE];

/* The leaf for a granule, made where it is missing. Of two threads that make one, one gives its own
 * back. */
static hy__radix_entry *leaf_for(uintptr_t granule)
{
    _Atomic(hy__radix_entry *) *const place = &hy__radix_root[granule >> HY__RADIX_BITS];
    hy__radix_entry *leaf = atomic_load_explicit(place, memory_order_acquire);
    if (leaf != NULL) {
        return leaf;
    }
    const hy_page_source *const kernel = hy_pages_mmap();
    const size_t size = HY__RADIX_SIZE * sizeof *leaf;
    hy__radix_entry *const fresh = kernel->map(kernel->context, size, HY_PAGE_SIZE);
    if (fresh == NULL) {
        return NULL;
    }
    if (!atomic_compare_exchange_strong_explicit(place, &leaf, fresh, memory_order_acq_rel,
                                                 memory_order_acquire)) {
        kernel->unmap(kernel->context, fresh, size);
        return leaf;
    }
    return fresh;
}

static void set(uintptr_t first, uintptr_t count, hy__span *span)
{
    for (uintptr_t granule = first; granule < first + count; granule++) {
        hy__radix_entry *const leaf = leaf_for(granule);
        atomic_store_explicit(&leaf[granule & (HY__RADIX_SIZE - 1)], span, memory_order_release);
    }
}

static uintptr_t granules(const hy__span *span)
{
    return (span->size + HY_HEAP_MIN_ARENA_SIZE - 1) >> HY__GRANULE_SHIFT;
}

bool hy__radix_add(hy__span *span)
{
    const uintptr_t first = (uintptr_t)span->address >> HY__GRANULE_SHIFT;
    const uintptr_t count = granules(span);
    if ((first + count - 1) >> HY__RADIX_BITS >= HY__RADIX_SIZE) {
        return false;
    }
    for (uintptr_t high = first >> HY__RADIX_BITS; high <= (first + count - 1) >> HY__RADIX_BITS;
         high++) {
        if (leaf_for(high << HY__RADIX_BITS) == NULL) {
            return false;
        }
    }
    set(first, count, span);
    return true;
}

void hy__radix_remove(const hy__span *span)
{
    set((uintptr_t)span->address >> HY__GRANULE_SHIFT, granules(span), NULL);
}
