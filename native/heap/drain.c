/*
 * drain.c: when nearly all is freed, caches are emptied and take nothing: the last frees go straight to the
 * pools, so that these, and their arenas, can go.
 *
 *     live  ---.__                    a look at each \"
 *                 '--.__ "
 *                       '"."          little is live: draining
 *     caches  [][][][][]   .____      none
 *
 * A free that goes to its cache counts nothing. So that no look comes too late, a cache takes blocks by
 * slices; a slice counts when it was taken, and where as many blocks went past the cache. Slices, and what may be
 * freed in all from one look to the next, are parts of what was live at the last look, and little where that was
 * little: less than LITTLE then, with a slice of each class that was not counted. So what stays when nothing is
 * live is at most MUCH of pools, and what purge.c leaves dirty.
 */
#include "heap/drain.h"

/* Drained is a heap of more than MUCH in whose pools less than LITTLE or less than this part is live. */
#define PART   16
#define LITTLE ((size_t)3 << 19)
#define MUCH   ((size_t)6 << 20)

/* Blocks of HY__BIG_CLASS have no slices: each counts, and so does each that is handed out. Bytes in a slice, and from one look to the next: parts of what is live, and the least. */
#define SLICE_PART  256
#define LEAST_SLICE ((size_t)8 << 10)
#define SMALL_SLICE ((size_t)1 << 20) /* of a heap that has no more than MUCH: it does not drain */
#define LOOK_PART   2
#define LEAST_LOOK  ((size_t)256 << 10)
#define NEVER       (INT64_MAX / 2)

static size_t live_bytes(const hy__heap *heap)
{
    size_t bytes = 0;
    for (unsigned size_class = 0; size_class < HY_HEAP_CLASSES; size_class++) {
        const hy__class *const class = &heap->classes[size_class];
        const uint64_t out = hy__class_out(heap, size_class);
        bytes += (out - hy__cache_count(heap, size_class)) * class->block_size;
    }
    return bytes;
}

/* With less live a heap of more than MUCH is drained. */
static size_t drained_below(const hy__heap *heap)
{
    const size_t part = heap->pool_bytes / PART;
    return part > LITTLE ? part : LITTLE;
}

/* So many bytes may be freed before the next look: half of what is live beyond that. */
static int64_t look_after(const hy__heap *heap, size_t live)
{
    const size_t least = drained_below(heap);
    const size_t half = live > least ? (live - least) / LOOK_PART : 0;
    return heap->pool_bytes <= MUCH ? NEVER : (int64_t)(half > LEAST_LOOK ? half : LEAST_LOOK);
}

/* The caches take such slices from now on; what they may take already, or may go past them, is cut to one. */
static void set_slices(hy__heap *heap, size_t live)
{
    const size_t slice = live / SLICE_PART;
    heap->slice = heap->pool_bytes <= MUCH ? SMALL_SLICE
                  : slice > LEAST_SLICE    ? slice
                                           : LEAST_SLICE;
    for (unsigned size_class = 0; size_class < HY_HEAP_CLASSES; size_class++) {
        hy__class *const class = &heap->classes[size_class];
        hy_heap_bin *const bin = &heap->window.bins[size_class];
        const int64_t most = hy__drain_slice(heap, class);
        if (bin->quota > most) {
            class->balance -= bin->quota - most;
            bin->quota = most;
        } else if (bin->quota < 0 && bin->quota - HY__CLOSED > most) {
            class->passes -= (uint32_t)(bin->quota - HY__CLOSED - most);
            bin->quota = HY__CLOSED + most;
        }
    }
}

/* Look at what is live: whether caches are of use still. Gives blocks back: no pool without a block that is out is
 * safe. */
static __attribute__((noinline)) void look(hy__heap *heap)
{
    const size_t live = live_bytes(heap);
    const bool drained = heap->draining;
    set_slices(heap, live);
    heap->look_in = look_after(heap, live);
    heap->draining = heap->pool_bytes > MUCH && live < drained_below(heap);
    if (!heap->draining || drained) {
        return;
    }
    hy__flush(heap, NULL, true);
    for (unsigned size_class = 0; size_class < HY_HEAP_CLASSES; size_class++) {
        hy__pool_drop_empty(heap, size_class);
    }
}

/* So many bytes count. */
void hy__drain_note(hy__heap *heap, size_t bytes)
{
    heap->look_in -= (int64_t)bytes;
    if (heap->look_in < 0) {
        look(heap);
    }
}

/* A cache was filled with so many blocks: a heap that drains may be over it. */
void hy__drain_note_refill(hy__heap *heap, const hy__class *class, uint32_t blocks)
{
    if (heap->pool_bytes > MUCH && heap->slice == SMALL_SLICE) {
        look(heap);
    }
    if (heap->draining) {
        heap->draining = heap->pool_bytes > MUCH;
        hy__drain_note(heap, (size_t)blocks * class->block_size);
    }
}

void hy__drain_set_up(hy__heap *heap)
{
    heap->slice = SMALL_SLICE;
    heap->look_in = NEVER;
}
