/*
 * layout.h: what a heap is made of.
 *
 *     hy__heap     the handle's window, the classes, lists of arenas, totals: 12 KiB of its own
 *     hy__span     an arena or a large block: an entry in the heap's list and in the radix tree
 *     hy__arena    [ hy__arena | page map | bits | hy__pool ... ][ page ][ page ] ... [ page ]
 *     hy__pool     a run of pages: blocks of one class, or one block over 64 KiB
 *
 * Arenas are aligned to their size: the arena, and in its header the class and the pool of a page, are
 * found from an address by arithmetic. The page map holds the number of the pool that a page belongs
 * to; pools are numbered as they are made, from 1, so that their descriptions lie side by side. Number 0 is no pool: a free page, or
 * one of the header.
 *
 * A block of a class is in one of five states:
 *
 *     not carved --> handed out <--> in the cache <--> in its pool's free list <--> on a purged page
 *
 * "Out" blocks are those handed out or in the cache: what pools count.
 */
#ifndef HEAPYARD_HEAP_LAYOUT_H
#define HEAPYARD_HEAP_LAYOUT_H

#include <assert.h>

#include <heapyard/heap.h>

#include "base/annotate.h"
#include "base/bits.h"

#define HY__PAGE_SHIFT     12
#define HY__GRANULE_SHIFT  18 /* of the radix tree: the smallest arena */
#define HY__MAX_POOL_PAGES ((unsigned)(HY_HEAP_MAX_POOL_SIZE >> HY__PAGE_SHIFT))
#define HY__RUN_CLASS      HY_HEAP_CLASSES       /* of a pool that is one block */
#define HY__NO_CLASS       (HY_HEAP_CLASSES + 1) /* of pool number 0 */
#define HY__REDZONE        ((size_t)16)
#define HY__ARENA_BUCKETS  64

/*
 * Headers at equal places in aligned arenas would share a few sets of the processor's caches. So the
 * header of an arena of 4 MiB or more starts at one of 16 places, 8 KiB apart: as bits 22 to 25 of its
 * address say.
 */
#define HY__COLOUR_SHIFT 9
#define HY__COLOUR_BITS  ((uintptr_t)15 << 13)

static_assert(HY_PAGE_SIZE == (size_t)1 << HY__PAGE_SHIFT, "pages are 4 KiB");
static_assert(HY_HEAP_MIN_ARENA_SIZE == (size_t)1 << HY__GRANULE_SHIFT, "one entry for the least");
static_assert(HY__MAX_POOL_PAGES == 16, "a bit for each page in hy__pool.purged");
static_assert(HY_HEAP_MAX_ARENA_SIZE >> HY__PAGE_SHIFT <= 1 << 16, "pool numbers have 16 bits");

typedef struct hy__heap hy__heap;
typedef struct hy__arena hy__arena;

/* An arena or a large block. `heap` is NULL in a large block: that alone tells the two apart on the
 * way of a free. */
typedef struct hy__span {
    hy__heap *heap;
    hy__heap *owner;
    struct hy__span *next; /* all spans of the heap */
    struct hy__span *previous;
    char *address;
    size_t size;
} hy__span;

typedef struct hy__large {
    hy__span span;
    size_t requested; /* of a spare: HY__LAZY_SPARE once it was lazily freed */
    size_t alignment; /* of the mapping */
} hy__large;

#define HY__LAZY_SPARE SIZE_MAX

typedef struct hy__pool {
    hy_heap_link *free;    /* blocks given back */
    struct hy__pool *next; /* in the class's list: pools with a block to hand out */
    struct hy__pool *previous;
    uint32_t offset; /* of the first page, from the arena */
    uint16_t pages;
    uint16_t capacity;     /* blocks */
    uint16_t carved;       /* of these, handed out at least once: the first ones */
    uint16_t out;          /* blocks out: handed out or in the cache */
    uint16_t turn;         /* capacity - 2: see give.h */
    uint16_t purged_count; /* free, and on a purged page: not in `free` */
    uint16_t purged;       /* a bit for each page that was purged since it was carved */
    uint16_t stale;        /* a bit for each page that was dirty when the pool took it */
    uint16_t number;
    uint8_t size_class;
    uint8_t listed; /* in the class's list */
} hy__pool;

static_assert(sizeof(hy__pool) == 48, "four in three cache lines");

struct hy__arena {
    hy__span span;
    hy__arena *next; /* in the bucket of its number of free pages */
    hy__arena *previous;
    hy__arena *next_dirty; /* arenas that have dirty pages */
    hy__arena *previous_dirty;
    uint64_t *free_bits;  /* pages of no pool */
    uint64_t *dirty_bits; /* of these, touched since they were mapped or purged */
    uint64_t *lazy_bits;  /* of these, the kernel may take them when memory is short */
    hy__pool *pools;      /* by number */
    uint32_t pages;       /* all */
    uint32_t header_pages;
    uint32_t free_pages;
    uint32_t dirty_pages;
    uint32_t lazy_pages;
    uint32_t longest; /* no run of free pages is longer */
    uint32_t pool_count;
    uint16_t pool_high; /* numbers given out, those given back included */
    uint16_t pool_free; /* the last number given back; the next is in its `capacity`; 0: none */
    uint32_t bucket;    /* HY__ARENA_BUCKETS: in none (no free page) */
    uint64_t huge;      /* 0 or 1: the kernel was asked for huge pages */
    uintptr_t seal;
    uint32_t page_map[]; /* by page: HY__PAGE, which is all that a free reads */
};

/*
 * What a page is: the number of its pool, which of the pool's pages it is (0 in page runs), and the
 * class of the blocks that may be freed there without a further look: HY__NO_CLASS where a block that starts
 * there was not carved yet or lies on a purged page. A block of a page or more is the only one that starts on its
 * page: there it is HY__NO_CLASS unless the block is handed out, so that a free need not read the block.
 */
#define HY__PAGE(number, page, size_class)                                                         \
    ((uint32_t)(number) << 16 | (uint32_t)(page) << 8 | (uint32_t)(size_class))
#define HY__PAGE_CLASS(map)  ((unsigned)(map)&0xff)
#define HY__PAGE_NUMBER(map) ((map) >> 16)

/* The first class of a page or more. */
#define HY__BIG_CLASS 55U

/* How far into its pool an address lies, by its page and the page's map. */
static inline size_t hy__page_within(uint32_t map, uintptr_t address)
{
    return (map >> 8 & 0xff) << HY__PAGE_SHIFT | (address & (HY_PAGE_SIZE - 1));
}

typedef struct hy__class {
    hy__pool *pools;     /* those with a block to hand out */
    hy__pool *empty;     /* the one kept without a live block; not in `pools` */
    int64_t balance;     /* blocks in the cache + its quota, if that is not negative + its allocs */
    uint32_t cap;        /* blocks that the cache takes now */
    uint32_t limit;      /* blocks that a cache takes once it was filled */
    uint32_t block_size; /* bytes */
    uint32_t pool_count;
    uint32_t full_count; /* pools without a block to hand out */
    uint32_t
        passes; /* frees that may go past the cache since `out` was last counted: hy__class_out */
    uint32_t allocs_at_renewal; /* lowest bits of the allocs when the quota was last renewed */
    uint64_t out_at_fill;       /* blocks that were out when the cache was last filled */
    uint64_t out; /* blocks of its pools that are out, those that went past it counted in */
    uint64_t pool_bytes;
} hy__class;

/* An arena of the heap, in a table of those that a free found lately: arenas of the default size share
 * a place with those 256 MiB away. */
typedef struct hy__seen {
    uintptr_t base; /* the arena's address */
    hy__arena *arena;
} hy__seen;

#define HY__SEEN_SHIFT 22
#define HY__SEEN_SIZE  ((size_t)64)

static_assert(HY_HEAP_MAX_ARENA_SIZE <= HY__SEEN_SIZE / 2 << HY__SEEN_SHIFT,
              "the highest bit of a place is the same in all of an arena");

/* A block that was freed past a full cache, and is not in its pool yet (late.c). */
typedef struct hy__late {
    hy_heap_link *block; /* NULL: none */
    hy__pool *pool;
} hy__late;

#define HY__LATE 16U

/* A page of records of large blocks. */
typedef struct hy__record_page {
    struct hy__record_page *next;
} hy__record_page;

struct hy__heap {
    hy_heap window; /* the handle */
    const hy_page_source *source;
    size_t arena_size;
    uint32_t max_pool_pages;
    uint32_t arenas_kept;
    uint32_t purge;
    uint32_t flags;
    bool strict;
    bool annotating;
    bool draining; /* nearly all is freed: no caches, no kept pools, until more is handed out */
    bool fixed_threshold;
    bool may_be_lazy; /* the page source and the policy allow it (purge.c) */
    int64_t look_in;  /* bytes of slices until drain.c looks at what is live */
    size_t slice;     /* bytes of a class that are freed before they count */
    size_t run_limit; /* larger blocks get a mapping of their own */

    hy__seen seen[HY__SEEN_SIZE];
    hy__class classes[HY_HEAP_CLASSES];
    hy__late late[HY__LATE];
    const void *late_last; /* the block that became late last */
    uint32_t late_next;    /* counts up; 0: none is late */
    hy__span *spans;
    hy__arena *buckets[HY__ARENA_BUCKETS]; /* by free pages: 0 is the fullest; the last, empty */
    uint64_t bucket_bits;                  /* those that are not empty */
    hy__arena *dirty_arenas;               /* the one that has been for longest first */
    hy__arena *last_dirty_arena;
    hy__large *spare_large; /* freed mappings kept for reuse, through span.next */
    hy__large *free_records;
    hy__record_page *record_pages;

    size_t dirty_pages;      /* in arenas: of no pool, touched */
    size_t lazy_pages;       /* of these, lazily freed: they do not count as resident */
    size_t spare_bytes;      /* of spare_large */
    size_t lazy_spare_bytes; /* of these, lazily freed */
    size_t threshold;        /* bytes of both that may stay */
    size_t given_back;       /* bytes purged or unmapped lately, and not asked for again */
    int64_t given_back_at;   /* when the last of them were: seconds of the monotonic clock */
    size_t returned;         /* total: bytes that went back to the page source, touched ones */
    size_t least_dirty;      /* bytes: the lowest since the last look */
    int64_t looked_at;       /* when that was, as given_back_at */
    uint32_t looks;          /* page runs given back since the clock was read */
    uint32_t empty_arenas;
    size_t pool_bytes; /* of pools, page runs not included */

    size_t resident_pages; /* of pools and free pages of arenas: touched, and not purged since */
    uint32_t refills;      /* of caches: counts up, and wraps */
    uint32_t gathered_at;  /* the same when growth.c emptied the caches */
    size_t grows_at;       /* bytes resident at which growth.c looks next for what can be reused */
    size_t mapped_bytes;
    size_t peak_mapped_bytes;
    size_t arena_count;
    size_t header_bytes; /* of all arenas */
    size_t run_count;
    size_t run_bytes;
    size_t large_count;
    size_t large_bytes;    /* of live ones, in pages */
    uint64_t other_allocs; /* runs and large blocks */
    uint64_t reallocs;
    uint64_t in_place;
    uint64_t failures;
    uint64_t maps;
    uint64_t unmaps;
    uint64_t purges;
    uint64_t purged_bytes;
};

static_assert(sizeof(hy__heap) <= 3 * HY_PAGE_SIZE, "what hy_heap_new says that it maps");

static inline hy__heap *hy__heap_of(hy_heap *heap)
{
    return (hy__heap *)(void *)heap;
}

static inline const hy__heap *hy__heap_of_const(const hy_heap *heap)
{
    return (const hy__heap *)(const void *)heap;
}

static inline hy__arena *hy__arena_of(hy__span *span)
{
    return (hy__arena *)(void *)span;
}

static inline hy__large *hy__large_of(hy__span *span)
{
    return (hy__large *)(void *)span;
}

/* The pool that holds the byte at `offset` of the arena; its class is HY__NO_CLASS where none
 * does. */
static inline hy__pool *hy__pool_at(const hy__arena *arena, size_t offset)
{
    return &arena->pools[HY__PAGE_NUMBER(arena->page_map[offset >> HY__PAGE_SHIFT])];
}

/* The arena that an address lies in, where it lies in one of the heap. */
static inline hy__arena *hy__arena_at(const hy__heap *heap, const void *address)
{
    const uintptr_t base = (uintptr_t)address & ~heap->window.mask;
    const size_t offset = (uintptr_t)address - base;
    const size_t colour = base >> HY__COLOUR_SHIFT & heap->window.colours;
    return (hy__arena *)(uintptr_t)((const char *)address - offset + colour);
}

/* The map of the page that a block of an arena starts on. */
static inline uint32_t *hy__page_map_at(const hy__heap *heap, const void *block)
{
    const size_t page = ((uintptr_t)block & heap->window.mask) >> HY__PAGE_SHIFT;
    return &hy__arena_at(heap, block)->page_map[page];
}

/* A block of HY__BIG_CLASS or above is handed out, or comes back. */
static inline void hy__big_note(const hy__heap *heap, const void *block, unsigned size_class)
{
    uint32_t *const map = hy__page_map_at(heap, block);
    *map = (*map & ~(uint32_t)0xff) | size_class;
}

/* The place in the table of arenas for the one that an address may lie in. */
static inline hy__seen *hy__seen_for(hy__heap *heap, const void *address)
{
    return &heap->seen[(uintptr_t)address >> HY__SEEN_SHIFT & (HY__SEEN_SIZE - 1)];
}

/* Pool number 0 leads back to its arena: by `free`, which it has no other use for. */
static inline hy__arena *hy__pool_arena(const hy__pool *pool)
{
    return (hy__arena *)(void *)(pool - pool->number)->free;
}

/* How many blocks are in the pool's free list. */
static inline uint32_t hy__pool_listed_blocks(const hy__pool *pool)
{
    return (uint32_t)pool->carved - pool->out - pool->purged_count;
}

/* The highest bit of each seal of a free block: it is in every key, and in no address. The collector
 * tells by it what is no object. */
#define HY__SEAL_SIGN ((uintptr_t)1 << (8 * sizeof(uintptr_t) - 1))

static inline bool hy__link_fits(const hy__heap *heap, const hy_heap_link *link)
{
    return HY_HEAP_SEAL(&heap->window, link->next) == link->seal;
}

static inline void hy__link_set(const hy__heap *heap, hy_heap_link *link, hy_heap_link *next)
{
    link->next = next;
    link->seal = HY_HEAP_SEAL(&heap->window, next);
}

/*
 * The quota of a bin whose cache takes no more: this, and how many more frees may go past it before that is
 * looked at. So each free counts by taking one off, wherever it goes.
 */
#define HY__CLOSED (INT64_MIN / 2)

/* A free took one off the quota, and may go past the cache. */
static inline bool hy__bin_is_closed(const hy_heap_bin *bin)
{
    return bin->quota >= HY__CLOSED && bin->quota < HY__CLOSED / 2;
}

/* Blocks of the class's pools that are handed out or in its cache. Those that are late are not. */
static inline uint64_t hy__class_out(const hy__heap *heap, unsigned size_class)
{
    const hy__class *const class = &heap->classes[size_class];
    const int64_t quota = heap->window.bins[size_class].quota;
    return quota < 0 ? class->out - (uint64_t)(class->passes - (quota - HY__CLOSED)) : class->out;
}

/* Whether the block bears what free blocks bear in their second word: as good as surely, it is free. */
static inline bool hy__looks_free(const hy__heap *heap, const hy_heap_link *block)
{
    return (uint16_t)block->seal == (uint16_t)heap->window.key;
}

/* What a watching tool is told (base/annotate.h); one test where none watches. */
static inline void hy__hide(const hy__heap *heap, const void *address, size_t size)
{
    if (__builtin_expect(heap->annotating, 0)) {
        hy__mark_unaddressable(address, size);
    }
}

static inline void hy__show(const hy__heap *heap, const void *address, size_t size)
{
    if (__builtin_expect(heap->annotating, 0)) {
        hy__mark_undefined(address, size);
    }
}

static inline void hy__show_defined(const hy__heap *heap, const void *address, size_t size)
{
    if (__builtin_expect(heap->annotating, 0)) {
        hy__mark_defined(address, size);
    }
}

#endif /* HEAPYARD_HEAP_LAYOUT_H */
