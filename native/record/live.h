/*
 * live.h: the blocks that are live at one moment of a recording, by address, and the slot of each.
 *
 * A hash table with linear probing; removal moves later entries back, so there are no tombstones
 * and a lookup costs a few steps on average however long the recording is. Slots are reused, the
 * last one freed first, so that their numbers stay dense.
 */
#ifndef HEAPYARD_RECORD_LIVE_H
#define HEAPYARD_RECORD_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct hy_live_block {
    uint64_t address; /* 0: an empty entry */
    uint64_t size;    /* bytes asked for */
    uint32_t slot;
} hy_live_block;

typedef struct hy_live {
    hy_live_block *entries;
    size_t capacity; /* a power of two */
    size_t count;
    uint32_t *vacant; /* slots to use again, the last one first */
    size_t vacant_count;
    size_t vacant_capacity;
    uint32_t slots; /* numbers given out so far are below this */
} hy_live;

/* False where there is no memory; also of hy__live_add and hy__live_vacate. */
bool hy__live_open(hy_live *live);
void hy__live_close(hy_live *live);

/* A slot that no block has. */
uint32_t hy__live_claim(hy_live *live);
bool hy__live_vacate(hy_live *live, uint32_t slot);

/* The address must not be there yet. */
bool hy__live_add(hy_live *live, hy_live_block block);

/* Takes the block at an address out; its slot stays claimed. False where there is none. */
bool hy__live_remove(hy_live *live, uint64_t address, hy_live_block *block);

#endif /* HEAPYARD_RECORD_LIVE_H */
