#include "record/live.h"

#include <stdlib.h>

#define FIRST_CAPACITY ((size_t)1 << 12)
#define GOLDEN         UINT64_C(0x9e3779b97f4a7c15)

static size_t home_of(const hy_live *live, uint64_t address)
{
    return (size_t)((address * GOLDEN) >> 20) & (live->capacity - 1);
}

bool hy__live_open(hy_live *live)
{
    *live = (hy_live){.capacity = FIRST_CAPACITY, .vacant_capacity = FIRST_CAPACITY};
    live->entries = calloc(live->capacity, sizeof *live->entries);
    live->vacant = calloc(live->vacant_capacity, sizeof *live->vacant);
    return live->entries != NULL && live->vacant != NULL;
}

void hy__live_close(hy_live *live)
{
    free(live->entries);
    free(live->vacant);
    *live = (hy_live){0};
}

uint32_t hy__live_claim(hy_live *live)
{
    return live->vacant_count > 0 ? live->vacant[--live->vacant_count] : live->slots++;
}

bool hy__live_vacate(hy_live *live, uint32_t slot)
{
    if (live->vacant_count == live->vacant_capacity) {
        const size_t capacity = live->vacant_capacity * 2;
        uint32_t *const larger = reallocarray(live->vacant, capacity, sizeof *larger);
        if (larger == NULL) {
            return false;
        }
        live->vacant = larger;
        live->vacant_capacity = capacity;
    }
    live->vacant[live->vacant_count++] = slot;
    return true;
}

static void insert(hy_live *live, hy_live_block block)
{
    size_t at = home_of(live, block.address);
    while (live->entries[at].address != 0) {
        at = (at + 1) & (live->capacity - 1);
    }
    live->entries[at] = block;
}

static bool grow(hy_live *live)
{
    const hy_live old = *live;
    live->capacity = old.capacity * 2;
    live->entries = calloc(live->capacity, sizeof *live->entries);
    if (live->entries == NULL) {
        *live = old;
        return false;
    }
    for (size_t i = 0; i < old.capacity; i++) {
        if (old.entries[i].address != 0) {
            insert(live, old.entries[i]);
        }
    }
    free(old.entries);
    return true;
}

bool hy__live_add(hy_live *live, hy_live_block block)
{
    if (live->count * 2 >= live->capacity && !grow(live)) {
        return false;
    }
    insert(live, block);
    live->count++;
    return true;
}

/* The entries behind a gap that may not stay behind it move up:
 *     [ home of c .. ][ gap ][ c ]  =>  [ home of c .. ][ c ][ gap ] */
static void close_gap(hy_live *live, size_t gap)
{
    const size_t mask = live->capacity - 1;
    for (size_t at = (gap + 1) & mask; live->entries[at].address != 0; at = (at + 1) & mask) {
        const size_t home = home_of(live, live->entries[at].address);
        if (((at - home) & mask) >= ((at - gap) & mask)) {
            live->entries[gap] = live->entries[at];
            gap = at;
        }
    }
    live->entries[gap] = (hy_live_block){0};
}

bool hy__live_remove(hy_live *live, uint64_t address, hy_live_block *block)
{
    size_t at = home_of(live, address);
    while (live->entries[at].address != address) {
        if (live->entries[at].address == 0) {
            return false;
        }
        at = (at + 1) & (live->capacity - 1);
    }
    *block = live->entries[at];
    close_gap(live, at);
    live->count--;
    return true;
}
