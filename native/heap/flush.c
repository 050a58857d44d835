/*
 * flush.c: caches are emptied: each block goes to its pool.
 *
 *     class 1   [ ]-->[ ]-->[ ]           1, 2, 3, 1, 2, 3, ...: while a block of one cache comes from
 *           2   [ ]-->[ ]                 memory, to lead to the next, those of others are given back
 *           3   [ ]-->[ ]-->[ ]-->[ ]
 */
#include "heap/give.h"
#include "heap/internal.h"

/* Give back a block of a pool that has purged pages, or of another class: one that was shrunk in place,
 * and freed by its new size. Tells what is wrong with it otherwise. */
static void give_other(hy__heap *heap, unsigned size_class, hy_heap_link *block)
{
    hy__found found;
    if (!hy__find(heap, block, &found)) {
        return;
    }
    if (!hy__found_fits_class(heap, &found, size_class)) {
        hy__misuse(HY_MISUSE_WRONG_SIZE, "heap", block, "(by a sized free)");
        return;
    }
    if (hy__pool_has_purged(heap, found.pool, block)) {
        hy__misuse(HY_MISUSE_DOUBLE_FREE, "heap", block, NULL);
        return;
    }
    hy__pool_give(heap, found.pool, block);
}

/* The pool of a cached block of a page or more: it was looked at when it came. */
static hy__pool *big_pool(const hy__heap *heap, const hy_heap_link *block)
{
    return &hy__arena_at(heap, block)->pools[HY__PAGE_NUMBER(*hy__page_map_at(heap, block))];
}

static inline void give(hy__heap *heap, unsigned size_class, hy_heap_link *block)
{
    hy__pool *const pool = size_class < HY__BIG_CLASS ? hy__pool_of_plain(heap, size_class, block)
                                                      : big_pool(heap, block);
    if (__builtin_expect(pool != NULL, 1)) {
        hy__pool_give(heap, pool, block);
    } else {
        give_other(heap, size_class, block);
    }
}

/* A cache that is emptied. */
typedef struct emptied {
    hy_heap_link *block; /* the next one */
    uint32_t left;
    unsigned size_class;
} emptied;

/* The blocks of a cache, which has none and takes `cap` from now on. */
static emptied take_all(hy__heap *heap, unsigned size_class, uint32_t cap)
{
    const emptied list = {
        .block = heap->window.bins[size_class].head,
        .left = hy__cache_count(heap, size_class),
        .size_class = size_class,
    };
    hy__cache_set(heap, size_class, NULL, 0, cap);
    return list;
}

/* A block goes to its pool, and the next is asked for. At a link that was overwritten, with misuse, the rest is
 * lost. */
static void give_next(hy__heap *heap, emptied *list)
{
    hy_heap_link *const block = list->block;
    if (!hy__link_is_sound(heap, block)) {
        list->left = 0;
        return;
    }
    list->block = block->next;
    list->left--;
    __builtin_prefetch(list->block);
    give(heap, list->size_class, block);
}

static void give_all(hy__heap *heap, emptied *lists, unsigned count)
{
    while (count != 0) {
        unsigned left = 0;
        for (unsigned i = 0; i < count; i++) {
            give_next(heap, &lists[i]);
            lists[left] = lists[i];
            left += lists[left].left != 0;
        }
        count = left;
    }
}

/* Empty the caches of the classes in `which`; NULL: of all. `closes`: they take nothing from now on. */
void hy__flush(hy__heap *heap, const bool *which, bool closes)
{
    emptied lists[HY_HEAP_CLASSES];
    unsigned count = 0;
    for (unsigned size_class = 0; size_class < HY_HEAP_CLASSES; size_class++) {
        if (which == NULL || which[size_class]) {
            lists[count] = take_all(heap, size_class, closes ? 0 : heap->classes[size_class].cap);
            count += lists[count].left != 0;
        }
    }
    give_all(heap, lists, count);
}

/* Empty the cache of a class, which takes nothing from now on. */
void hy__flush_class(hy__heap *heap, unsigned size_class)
{
    emptied list = take_all(heap, size_class, 0);
    give_all(heap, &list, list.left != 0);
}

/* Empty all caches, and finish what is late. */
void hy__flush_all(hy__heap *heap)
{
    hy__late_end(heap);
    hy__flush(heap, NULL, false);
}
