/*
 * radix.h: from an address to the arena or large block that holds it, for all heaps of the process.
 *
 *     address   [ 0 | 15 bits | 15 bits | 18 bits ]
 *                      root      leaf     granule of 256 KiB
 *
 * The root lies in the library's zero pages and a leaf of 256 KiB is mapped when its 8 GiB of
 * addresses are first used: of both, only pages with an entry are touched. Leaves stay. An entry
 * is NULL or a span; every granule belongs to one span at most, since spans start on granules.
 *
 * Threads: entries are set and read without a lock. A thread may ask about any address; what it
 * learns of another heap's span is out of date by the time that it looks.
 */
#ifndef HEAPYARD_HEAP_RADIX_H
#define HEAPYARD_HEAP_RADIX_H

#include <stdatomic.h>

#include "heap/layout.h"

#define HY__RADIX_BITS 15
#define HY__RADIX_SIZE ((size_t)1 << HY__RADIX_BITS)

typedef _Atomic(hy__span *) hy__radix_entry;

extern _Atomic(hy__radix_entry *) hy__radix_root[HY__RADIX_SIZE];

/* The span that holds the address, or NULL. O(1). */
static inline hy__span *hy__radix_get(const void *address)
{
    const uintptr_t granule = (uintptr_t)address >> HY__GRANULE_SHIFT;
    const uintptr_t high = granule >> HY__RADIX_BITS;
    if (__builtin_expect(high >= HY__RADIX_SIZE, 0)) {
        return NULL;
    }
    hy__radix_entry *const leaf = atomic_load_explicit(&hy__radix_root[high], memory_order_acquire);
    if (__builtin_expect(leaf == NULL, 0)) {
        return NULL;
    }
    return atomic_load_explicit(&leaf[granule & (HY__RADIX_SIZE - 1)], memory_order_acquire);
}

/* Have all granules of the span lead to it. False, with no effect, where there is no memory for a
 * leaf, or the span lies above 2^48. O(granules). */
bool hy__radix_add(hy__span *span);

/* The reverse. */
void hy__radix_remove(const hy__span *span);

#endif /* HEAPYARD_HEAP_RADIX_H */
