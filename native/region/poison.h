/*
 * poison.h: memory that is free holds 0xDD where HY_REGION_POISON is set, but for the words
 * that the engine keeps in it. Whoever hands memory out holds it against that first.
 *
 * Unused memory below `high` was handed out before, so it is poisoned too.
 */
#ifndef HEAPYARD_REGION_POISON_H
#define HEAPYARD_REGION_POISON_H

#include "region/layout.h"

#define HY__POISON_WORD UINT32_C(0xdddddddd)

HY__UNSANITIZED HY__HOT void hy__poison_bytes(char *address, size_t size)
{
    for (size_t at = 0; at < size; at += sizeof(hy__word)) {
        *(hy__word *)(void *)(address + at) = HY__POISON_WORD;
    }
}

/* The first word that is not poison; NULL where all are. */
HY__UNSANITIZED HY__HOT const char *hy__poison_broken(const char *address, size_t size)
{
    for (size_t at = 0; at < size; at += sizeof(hy__word)) {
        if (*(const hy__word *)(const void *)(address + at) != HY__POISON_WORD) {
            return address + at;
        }
    }
    return NULL;
}

HY__HOT void hy__poison(const hy_region *region, const hy__segment *segment, uint32_t number,
                        uint32_t n)
{
    if (hy__poisons(region)) {
        hy__poison_bytes(hy__address(region, segment, number), (size_t)n << region->shift);
    }
}

/* The unused memory that a bump by n granules would hand out, as far as it was in use before. */
HY__HOT const char *hy__poison_broken_unused(const hy_region *region, const hy__segment *segment,
                                             uint32_t n)
{
    const uint32_t used = segment->high - segment->top;
    const uint32_t count = n < used ? n : used;
    if (!hy__poisons(region)) {
        return NULL;
    }
    return hy__poison_broken(hy__address(region, segment, segment->top),
                             (size_t)count << region->shift);
}

#endif /* HEAPYARD_REGION_POISON_H */
