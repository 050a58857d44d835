/*
 * growth.c: before a heap touches more memory than ever, what it keeps for reuse is used.
 *
 *     resident              ___/        the highest so far
 *                ___.-'.__.'            below it nothing is done
 *              /
 *
 * At its highest, before a page is touched for the first time: caches that hold much of their class are
 * emptied, so that pools without a block go, and their pages serve. What is dirty then, and did not
 * serve, is purged for as much as is about to be touched: the heap stays as high as it is. Where little
 * is dirty, it grows in fact, and is left alone for the next 64th part.
 */
#include "heap/internal.h"

/* The heap grows by this part and so many bytes before it is looked at again. */
#define GROWTH_PART  64
#define GROWTH_LEAST ((size_t)16 << 10)

/* A cache that holds less than this part of its class's blocks, or not even a page of them, is left alone: they
 * lie on pages that are in use anyway. */
#define IDLE_PART 8

/* Caches are filled so often before they are emptied again: a heap whose size classes take turns would
 * do nothing else at its highest. */
#define REFILLS_BETWEEN 64

/* What the heap has touched and not given back, headers not counted. */
static size_t resident_bytes(const hy__heap *heap)
{
    return (heap->resident_pages << HY__PAGE_SHIFT) + heap->large_bytes + heap->spare_bytes -
           heap->lazy_spare_bytes;
}

static bool is_idle(const hy__heap *heap, unsigned size_class)
{
    const hy__class *const class = &heap->classes[size_class];
    const uint64_t cached = hy__cache_count(heap, size_class);
    return cached * class->block_size > HY_PAGE_SIZE &&
           cached * IDLE_PART > hy__class_out(heap, size_class);
}

static size_t step_of(const hy__heap *heap)
{
    return resident_bytes(heap) / GROWTH_PART + GROWTH_LEAST;
}

static bool is_highest(const hy__heap *heap, size_t bytes)
{
    return resident_bytes(heap) + bytes > heap->grows_at;
}

/* So many bytes are about to be touched for the first time. True: the heap is at its highest; then what
 * caches and kept pools held may serve now. Gives blocks back: no pool without a block that is out is
 * safe. */
bool hy__growth_gathers(hy__heap *heap, size_t bytes)
{
    if (!is_highest(heap, bytes) || heap->refills - heap->gathered_at < REFILLS_BETWEEN) {
        return false;
    }
    heap->gathered_at = heap->refills;
    bool idle[HY_HEAP_CLASSES];
    hy__late_end(heap);
    for (unsigned size_class = 0; size_class < HY_HEAP_CLASSES; size_class++) {
        idle[size_class] = is_idle(heap, size_class);
    }
    hy__flush(heap, idle, false);
    for (unsigned size_class = 0; size_class < HY_HEAP_CLASSES; size_class++) {
        hy__pool_drop_empty(heap, size_class);
    }
    return true;
}

/* So many bytes will be touched for the first time. At the heap's highest dirty pages go for them. */
void hy__growth_makes_room(hy__heap *heap, size_t bytes)
{
    if (!is_highest(heap, bytes)) {
        return;
    }
    const size_t step = step_of(heap);
    const size_t dirty = hy__purge_dirty_bytes(heap);
    if (heap->purge == HY_HEAP_PURGE_THRESHOLD && hy__purge_held_bytes(heap) > step / 2) {
        const size_t over = resident_bytes(heap) + bytes + step / 2 - heap->grows_at;
        const size_t left = dirty > over ? dirty - over : 0;
        hy__purge_note_given_back(heap, hy__purge_down_to(heap, left, false));
    }
    if (is_highest(heap, bytes)) {
        heap->grows_at = resident_bytes(heap) + bytes + step;
    }
}
