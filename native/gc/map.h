/*
 * map.h: from a container's address to its slot, without reading the container.
 *
 *     address ---> arena (a table of hashes) ---> page ---> pool ---> slot
 *
 * What is in no arena of the container heap is an atom, or a block with a mapping of its own: those are
 * few, and are looked for by halves.
 */
#ifndef HEAPYARD_GC_MAP_H
#define HEAPYARD_GC_MAP_H

#include "gc/internal.h"

#define HY__ARENA_SHIFT 22
#define HY__PAGES       (((size_t)1 << HY__ARENA_SHIFT) / HY_PAGE_SIZE)
#define HY__NO_SLOT     UINT32_MAX

_Static_assert((size_t)1 << HY__ARENA_SHIFT == HY_HEAP_DEFAULT_ARENA_SIZE, "of the container heap");

/* One place of the table: an arena's number (its address without the low bits); 0: nobody's. */
typedef struct hy__gc_arena {
    uintptr_t number;
    const uint32_t *pages;
} hy__gc_arena;

static inline size_t hy__arena_hash(uintptr_t number)
{
    return (size_t)(number * UINT64_C(0x9e3779b97f4a7c15) >> 40);
}

uint32_t hy__map_slot_alone(const hy__gc_map *map, uintptr_t address);

static inline uint32_t hy__map_slot(const hy__gc_map *map, const hy_object *object)
{
    const uintptr_t address = (uintptr_t)object;
    const uintptr_t number = address >> HY__ARENA_SHIFT;
    const hy__gc_arena *const arenas = map->arenas.data;
    size_t place = hy__arena_hash(number) & map->arena_mask;
    while (arenas[place].number != number) {
        if (arenas[place].number == 0) {
            return hy__map_slot_alone(map, address);
        }
        place = (place + 1) & map->arena_mask;
    }
    const uint32_t pool_number = arenas[place].pages[address / HY_PAGE_SIZE % HY__PAGES];
    if (__builtin_expect(pool_number == 0, 0)) {
        return HY__NO_SLOT;
    }
    const hy__gc_pool *const pool = (const hy__gc_pool *)map->pools.data + (pool_number - 1);
    const uint64_t within = address - pool->first;
    return pool->slot + (uint32_t)(within * pool->reciprocal >> 32);
}

#endif /* HEAPYARD_GC_MAP_H */
