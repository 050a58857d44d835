/*
 * heap.h: size classes, pools and arenas: a general allocator behind an explicit handle.
 *
 *     heap ---> arena 4 MiB  [ header | pool | pool |    | pool ......| block over 64 KiB |     ]
 *          ---> arena        each pool: 1 to 16 pages of blocks of one size class
 *          ---> large blocks, mapped one by one
 *
 * Size classes are multiples of 16 bytes up to 512, then eight to each doubling up to 64 KiB: a
 * block is at most 12.5 % larger than what was asked for (or 15 bytes, where that is more). A
 * pool's pages are touched only as its blocks are handed out. What describes a pool lies in its
 * arena's header, never beside the blocks. A larger request gets a run of pages in an arena, and
 * one above an eighth of an arena a mapping of its own; both are blocks like any other.
 *
 * In front of the pools stands a cache for each class: a bounded list of freed blocks, last in,
 * first out. malloc and free_sized are a pop and a push on it, and blocks that it has no room for go
 * straight to their pools. The bound grows where such blocks were wanted again. While a class is freed
 * and not asked for, its cache is emptied and takes nothing; so are all when nearly all is freed, and before the heap grows beyond its highest, those
 * of idle classes are emptied.
 *
 * A pool without live blocks gives its pages back to its arena, and an arena without pools goes
 * back to the page source, but for the few that are kept (`arenas_kept`). New pools come from the
 * fullest arena that has room, so that the others can drain. Pages that hold nothing but were
 * touched are purged as the policy says; until then they serve first, before a page is touched that
 * never was. A heap that would become larger than ever empties idle caches before, and purges what
 * no request can use. With nothing live, a heap of the default policy holds at most 8 MiB; pages that
 * were freed lazily (hy_pages_free_lazily) are not held.
 *
 * The ancestor is Vladimir Marangozov's obmalloc (CPython, 2000 to today): pools of one class,
 * arenas, fullest arena first. Dense metadata, pools as large as the demand, caches, larger blocks,
 * purging and many heaps are additions. That a pointer is ours is told without reading the memory
 * it points to, as CPython does since 3.10 (Tim Peters, Neil Schemenauer): by a radix tree over
 * addresses, here shared by all heaps. Lists in free memory that are sealed, so that a double free
 * and a stray write are told, follow glibc's and mimalloc's encoded lists in aim.
 *
 * Sizes are in bytes. Blocks are aligned to 16; any power of two up to 1 MiB on request. A request
 * for 0 bytes is served as one for 1: a distinct block. Running out of memory returns NULL,
 * changes nothing, counts a failure and never aborts. Misuse goes to the handler of
 * <heapyard/misuse.h>; where it returns, the call has had no effect.
 *
 * Threads: a heap belongs to one thread at a time. Different heaps may be used by different threads
 * at once; the radix tree that they share needs no lock.
 *
 * AddressSanitizer and valgrind's memcheck see each block: where one of them watches, the bytes
 * after each block (at least 16) and all free memory may not be touched, and no cache is used.
 */
#ifndef HEAPYARD_HEAP_H
#define HEAPYARD_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <heapyard/block.h>
#include <heapyard/export.h>
#include <heapyard/pages.h>

HY_BEGIN_DECLS

/* Every block's least alignment. */
#define HY_HEAP_ALIGNMENT ((size_t)16)

/* The largest alignment that can be asked for. */
#define HY_HEAP_MAX_ALIGNMENT ((size_t)1 << 20)

/* The largest block of a size class. */
#define HY_HEAP_MAX_SMALL ((size_t)64 << 10)

/* Size classes, and how many of them are the multiples of 16 up to 512. */
#define HY_HEAP_CLASSES      88
#define HY_HEAP_FINE_CLASSES 32

/* Arena sizes: a power of two between these; the default. Arenas are aligned to their size. */
#define HY_HEAP_MIN_ARENA_SIZE     ((size_t)256 << 10)
#define HY_HEAP_MAX_ARENA_SIZE     ((size_t)64 << 20)
#define HY_HEAP_DEFAULT_ARENA_SIZE ((size_t)4 << 20)

/* Bytes mapped from which on new arenas are of huge pages, where the kernel has them. */
#define HY_HEAP_HUGE_FROM ((size_t)64 << 20)

/* The largest size of a pool: 4 KiB times a power of two up to 64 KiB; the default. A class whose
 * blocks are larger has pools of one block. */
#define HY_HEAP_MAX_POOL_SIZE ((size_t)64 << 10)

/* What happens to pages that hold nothing any more but have been touched. */
typedef enum hy_heap_purge {
    /* Purged when they are more than `purge_threshold` bytes. With that, `arenas_kept` and `source`
     * at their defaults, pages that were soon wanted again before stay, and are freed lazily while at
     * most 6 MiB are in use. hy_heap_trim gives back these too. */
    HY_HEAP_PURGE_THRESHOLD = 0,
    HY_HEAP_PURGE_AT_ONCE = 1, /* purged when their pool empties */
    HY_HEAP_PURGE_ON_TRIM = 2, /* purged by hy_heap_trim only */
} hy_heap_purge;

/* Flags of a configuration. */
typedef enum hy_heap_flags {
    /* No caches: each free is checked and done at once. A wrong size is told by free_sized itself,
     * not when the cache is emptied. Always so in builds with HEAPYARD_ASSERT=internal or full, and
     * under AddressSanitizer and memcheck. */
    HY_HEAP_STRICT = 1,
    /* Ask the kernel for huge pages (MADV_HUGEPAGE) in each arena: faster first touches and giving
     * back, up to 4 MiB more memory. Only with the default page source and arenas of 2 MiB or more.
     * Without this flag they are asked for in arenas that are mapped when HY_HEAP_HUGE_FROM bytes
     * are. */
    HY_HEAP_HUGE_PAGES = 2,
    /* Never ask for huge pages. */
    HY_HEAP_SMALL_PAGES = 4,
} hy_heap_flags;

/* How a heap is made. Zero in a field means its default; `size` is sizeof(hy_heap_config). */
typedef struct hy_heap_config {
    size_t size;
    const hy_page_source *source; /* NULL: hy_pages_mmap(). Must outlive the heap */
    size_t arena_size;            /* 0: HY_HEAP_DEFAULT_ARENA_SIZE */
    size_t pool_size;             /* the largest; 0: HY_HEAP_MAX_POOL_SIZE */
    size_t purge_threshold;       /* 0: 1 MiB and an eighth of what is in use, or what is missing to
                                   * 6 MiB in use, if that is more; it grows while what was purged
                                   * is touched again soon, to at most the most that was mapped.
                                   * Else fixed */
    uint32_t arenas_kept;         /* one more than the empty arenas kept. 0: the default, as many as
                                   * make 6 MiB; with a threshold of yours or another policy, one */
    uint32_t purge;               /* a hy_heap_purge */
    uint32_t flags;               /* hy_heap_flags, or-ed */
    uint32_t reserved;            /* 0 */
} hy_heap_config;

/* ---- what the inline paths need to see; the rest is hidden ---------------------------------- */

/*
 * A free block. The two words fit: that is what tells a double free or a stray write. Addresses have
 * 48 bits, so the seal's lowest 16 are the key's: free looks at these only, and not at the first
 * word, which was perhaps written just before, and in parts.
 */
typedef struct hy_heap_link {
    struct hy_heap_link *next;
    uintptr_t seal; /* HY_HEAP_SEAL of `next`; 0 once the block is handed out */
} hy_heap_link;

/* The second word of a free block that leads to `next`: its bits rotated by 16, and the key. */
#define HY_HEAP_SEAL(heap, next)                                                                   \
    (((uintptr_t)(next) << 16 | (uintptr_t)(next) >> (8 * sizeof(uintptr_t) - 16)) ^ (heap)->key)

/* One class's cache. Read and write it through the functions only. */
typedef struct hy_heap_bin {
    hy_heap_link *head; /* newest first */
    int64_t
        quota; /* frees that it takes before it is looked at whether it is full; negative: it is */
    uint64_t allocs;  /* blocks handed out */
    uint64_t divisor; /* internal: tells a multiple of the block size */
} hy_heap_bin;

typedef struct hy_heap {
    uintptr_t key;
    uintptr_t mask;    /* internal: the bits of an address inside its arena */
    uintptr_t colours; /* internal: the bits of an arena's header's place in it */
    uintptr_t reserved;
    hy_heap_bin bins[HY_HEAP_CLASSES + 2]; /* the last two are of what is no block of a class */
} hy_heap;

/* ---- making and deleting -------------------------------------------------------------------- */

/*
 * A new, empty heap. `config` may be NULL: all defaults. It maps 12 KiB for itself; the first
 * arena is mapped when it is needed. Returns NULL if and only if the page source has no memory. A
 * `config` with another `size`, or a value that is not allowed above, is misuse (bad argument).
 */
HY_API HY_NODISCARD hy_heap *hy_heap_new(const hy_heap_config *config);

/* Give all memory back, live blocks included. NULL is allowed. O(arenas + large blocks). */
HY_API void hy_heap_delete(hy_heap *heap);

/* ---- requests ------------------------------------------------------------------------------- */

/* What the inline functions call where their short path can't serve: same contracts. */
HY_API HY_NODISCARD void *hy_heap_malloc_slow(hy_heap *heap, size_t size);
HY_API void hy_heap_free_sized_slow(hy_heap *heap, void *block, size_t size);

/*
 * `size` bytes at a multiple of 16, contents unspecified. Returns NULL if and only if there is no
 * memory, which includes every size above PTRDIFF_MAX. O(1) but for mapping and purging.
 *
 * Size 0 wraps to the largest and goes the slow way, so that one comparison bounds the class.
 */
HY_API inline void *hy_heap_malloc(hy_heap *heap, size_t size)
{
    const size_t size_class = (size - 1) / HY_HEAP_ALIGNMENT;
    if (__builtin_expect(size_class < HY_HEAP_FINE_CLASSES, 1)) {
        hy_heap_bin *const bin = &heap->bins[size_class];
        hy_heap_link *const block = bin->head;
        if (__builtin_expect(block != NULL && HY_HEAP_SEAL(heap, block->next) == block->seal, 1)) {
            __builtin_prefetch(block->next, 1); /* the next request waits for it */
            bin->head = block->next;
            block->seal = 0;
            bin->allocs++;
            return block;
        }
    }
    return hy_heap_malloc_slow(heap, size);
}

/* `count` times `size` bytes that read as zero. NULL where the product overflows. Pages fresh from
 * the page source are not written again. */
HY_API HY_NODISCARD void *hy_heap_calloc(hy_heap *heap, size_t count, size_t size);

/*
 * `size` bytes at a multiple of `alignment`, a power of two up to HY_HEAP_MAX_ALIGNMENT; any other
 * is misuse (bad argument) and gives NULL. `size` need not be a multiple of it.
 */
HY_API HY_NODISCARD void *hy_heap_aligned_alloc(hy_heap *heap, size_t alignment, size_t size);

/*
 * The block, of another size: contents are kept up to the smaller one. Where it can't stay, it
 * moves to a new block, and the old one is freed. It stays where its class serves the new size and a
 * shrink saves less than a quarter; where the pages behind a block over 64 KiB are free; or where
 * the page source can grow the mapping (hy_page_source.resize), which may also move it without a
 * copy. block NULL: malloc. Size 0: a block for 1 byte, not a free. Returns NULL if and only if
 * there is no memory; the block is then as it was. The alignment asked for at first is not kept
 * where the block moves.
 */
HY_API HY_NODISCARD void *hy_heap_realloc(hy_heap *heap, void *block, size_t size);

/*
 * Free `block`; NULL is allowed. A double free, a foreign and an interior pointer are told; in a class
 * with more than 64 KiB out a double free is told at once where it follows the first, else perhaps
 * by one of the next 16 frees, or hy_heap_check. O(1) but for purging.
 */
HY_API void hy_heap_free(hy_heap *heap, void *block);

/*
 * The same for a block whose size, as last asked for, is known. It need not look up whose block it
 * is: the faster way. For blocks of hy_heap_malloc, calloc and realloc. A wrong size of another
 * class is told at once in a strict heap, else when the cache is emptied, at the latest by
 * hy_heap_check.
 */
HY_API inline void hy_heap_free_sized(hy_heap *heap, void *block, size_t size)
{
    const size_t size_class = (size - 1) / HY_HEAP_ALIGNMENT;
    if (__builtin_expect(size_class < HY_HEAP_FINE_CLASSES && block != NULL, 1)) {
        hy_heap_bin *const bin = &heap->bins[size_class];
        hy_heap_link *const link = (hy_heap_link *)block;
        if (__builtin_expect(--bin->quota >= 0 && (uint16_t)link->seal != (uint16_t)heap->key, 1)) {
            link->next = bin->head;
            link->seal = HY_HEAP_SEAL(heap, bin->head);
            bin->head = link;
            return;
        }
    }
    hy_heap_free_sized_slow(heap, block, size);
}

/* The same for a block of hy_heap_aligned_alloc, with both values that it was asked for with. */
HY_API void hy_heap_free_aligned_sized(hy_heap *heap, void *block, size_t alignment, size_t size);

/* ---- asking --------------------------------------------------------------------------------- */

/* How many bytes of `block` may be used: at least what was asked for. 0 for NULL. O(1). */
HY_API size_t hy_heap_usable_size(hy_heap *heap, const void *block);

/* What hy_heap_malloc(heap, size) would give: the usable size of such a block. 0 where there is
 * none (above PTRDIFF_MAX). */
HY_API size_t hy_heap_good_size(size_t size);

/* Whether `address` lies in an arena or large block of this heap. Reads no foreign memory. O(1). */
HY_API bool hy_heap_contains(const hy_heap *heap, const void *address);

/*
 * Visit all memory in address order: headers (metadata), blocks (live or free), and what holds no
 * block (unused). `span` counts arenas and large blocks in that order, from 0. Empties the caches
 * first. Returns what ended the walk; 0: all was visited. O(n) in blocks.
 */
HY_API int hy_heap_walk(hy_heap *heap, hy_walk_fn *visit, void *context);

typedef enum hy_heap_pool_state {
    HY_HEAP_POOL_USED = 0,  /* some blocks live, some free or not yet carved */
    HY_HEAP_POOL_FULL = 1,  /* all blocks live */
    HY_HEAP_POOL_EMPTY = 2, /* no block live: kept for the next request */
    HY_HEAP_POOL_BLOCK = 3, /* one block over HY_HEAP_MAX_SMALL */
} hy_heap_pool_state;

/* One pool, as hy_heap_walk_pools shows it. */
typedef struct hy_heap_pool {
    const void *address;
    const void *arena;   /* NULL for a large block with a mapping of its own */
    size_t size;         /* bytes, whole pages */
    size_t block_size;   /* bytes */
    uint32_t size_class; /* HY_HEAP_CLASSES for a HY_HEAP_POOL_BLOCK */
    uint32_t state;      /* a hy_heap_pool_state */
    uint32_t capacity;   /* blocks that it has room for */
    uint32_t carved;     /* of these, handed out at least once */
    uint32_t live;       /* blocks live */
    uint32_t purged;     /* pages without a live block that were given back */
} hy_heap_pool;

/* Visitor of pools: 0 to go on. It must not use the heap. */
typedef int hy_heap_pool_fn(void *context, const hy_heap_pool *pool);

/* Visit the pools and large blocks in address order. Empties the caches first. */
HY_API int hy_heap_walk_pools(hy_heap *heap, hy_heap_pool_fn *visit, void *context);

/* What hy_heap_check finds: X(enumerator, text). */
#define HY_HEAP_CHECKS(X)                                                                          \
    X(SOUND, "sound")                                                                              \
    X(ARENA_HEADER, "the header of an arena was overwritten")                                      \
    X(PAGE_MAP, "a page belongs to no pool or to two")                                             \
    X(POOL_BOUNDS, "a pool does not fit its pages or its class")                                   \
    X(POOL_COUNT, "the blocks of a pool do not add up")                                            \
    X(POOL_LIST, "a pool is not in the list that its state asks for")                              \
    X(FREE_LIST, "a free block was overwritten, or is in a list twice")                            \
    X(CACHE, "a cached block is not one of its class")                                             \
    X(ARENA_ORDER, "an arena is not in the list that its free pages ask for")                      \
    X(LARGE_BLOCK, "the record of a large block does not fit its mapping")                         \
    X(RADIX, "the radix tree does not lead to an arena or large block")                            \
    X(TOTAL, "live, free, metadata and unused bytes do not add up to what was mapped")

typedef enum hy_heap_check_code {
#define HY_HEAP_CHECK_ENUM(name, text) HY_HEAP_CHECK_##name,
    HY_HEAP_CHECKS(HY_HEAP_CHECK_ENUM)
#undef HY_HEAP_CHECK_ENUM
} hy_heap_check_code;

/* The first broken invariant (a hy_heap_check_code) and where it shows. O(blocks). */
HY_API hy_check_result hy_heap_check(hy_heap *heap);

/* The text of a code; "unknown" for any other value. */
HY_API const char *hy_heap_check_text(uint32_t code);

/*
 * Give back all that can be given back: the caches are emptied into the pools, empty pools and
 * arenas go (kept ones too), and each page that holds no live block is purged, also inside pools.
 * Returns the bytes given back to the system. O(blocks that are free).
 */
HY_API size_t hy_heap_trim(hy_heap *heap);

/* ---- counting ------------------------------------------------------------------------------- */

/*
 * The counters: X(type, name, meaning). Totals are since the heap was made, the rest is now.
 * live_bytes + free_bytes + metadata_bytes + unused_bytes == mapped_bytes.
 */
#define HY_HEAP_COUNTERS(X)                                                                        \
    X(uint32_t, size, "sizeof(hy_heap_counters)")                                                  \
    X(uint32_t, version, "of this list: 1")                                                        \
    X(uint64_t, allocs, "total: blocks handed out")                                                \
    X(uint64_t, frees, "total: blocks freed")                                                      \
    X(uint64_t, reallocs, "total: blocks resized")                                                 \
    X(uint64_t, in_place, "total: of these, in place")                                             \
    X(uint64_t, failures, "total: requests refused")                                               \
    X(uint64_t, maps, "total: mappings made")                                                      \
    X(uint64_t, unmaps, "total: mappings given back")                                              \
    X(uint64_t, purges, "total: runs of pages purged")                                             \
    X(uint64_t, purged_bytes, "total: their bytes")                                                \
    X(uint64_t, live_blocks, "blocks live")                                                        \
    X(uint64_t, cached_blocks, "free blocks in the caches")                                        \
    X(uint64_t, arenas, "arenas mapped")                                                           \
    X(uint64_t, empty_arenas, "of these, without a pool: kept")                                    \
    X(uint64_t, pools, "pools in arenas")                                                          \
    X(uint64_t, full_pools, "of these, without a free block")                                      \
    X(uint64_t, empty_pools, "of these, without a live block: kept")                               \
    X(uint64_t, page_runs, "blocks over 64 KiB inside arenas")                                     \
    X(uint64_t, large_blocks, "blocks with a mapping of their own")                                \
    X(uint64_t, live_bytes, "in live blocks, rounding included")                                   \
    X(uint64_t, free_bytes, "in free blocks, those in caches included")                            \
    X(uint64_t, metadata_bytes, "headers and records")                                             \
    X(uint64_t, unused_bytes, "in no block: not yet carved, pages of no pool, tails")              \
    X(uint64_t, dirty_bytes, "of these, pages of no pool that were touched and not purged")        \
    X(uint64_t, mapped_bytes, "mapped from the page source")                                       \
    X(uint64_t, peak_mapped_bytes, "the most that was mapped")

typedef struct hy_heap_counters {
#define HY_HEAP_COUNTER_FIELD(type, name, meaning) type name;
    HY_HEAP_COUNTERS(HY_HEAP_COUNTER_FIELD)
#undef HY_HEAP_COUNTER_FIELD
} hy_heap_counters;

/* Fill in `counters`. Returns false, with all but `size` and `version` zero, if and only if the
 * library was built without counters. O(pools). */
HY_API bool hy_heap_get_counters(const hy_heap *heap, hy_heap_counters *counters);

/* One size class, as hy_heap_stats shows it. */
typedef struct hy_heap_class_stats {
    uint64_t block_size;    /* bytes */
    uint64_t allocs;        /* total: blocks handed out (0 in a build without counters) */
    uint64_t live_blocks;   /* now */
    uint64_t cached_blocks; /* free blocks in the cache */
    uint64_t free_blocks;   /* other free blocks: in pools */
    uint64_t pools;         /* now */
    uint64_t pool_bytes;    /* their sizes */
    uint64_t cache_limit;   /* blocks that the cache takes at most */
} hy_heap_class_stats;

/* Fill in the first `count` size classes at `rows`. Returns HY_HEAP_CLASSES. O(pools). */
HY_API size_t hy_heap_stats(const hy_heap *heap, hy_heap_class_stats *rows, size_t count);

HY_END_DECLS

#endif /* HEAPYARD_HEAP_H */
