/* sorted.h: records in the order of the address that each of them begins with. */
#ifndef HEAPYARD_GC_SORTED_H
#define HEAPYARD_GC_SORTED_H

#include <stddef.h>
#include <stdint.h>

/* The last of `count` records of `size` bytes whose address is `address` or below it; NULL: none.
 * O(log count). */
static inline const void *hy__sorted_find(const void *records, size_t count, size_t size,
                                          uintptr_t address)
{
    const char *const first = records;
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (*(const uintptr_t *)(const void *)(first + middle * size) <= address) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low != 0 ? first + (low - 1) * size : NULL;
}

#endif
