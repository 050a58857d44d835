/*
 * bump.h: an arena whose blocks are freed all at once.
 *
 * A block costs a pointer increment and bears no header; nothing is freed singly. Memory comes in
 * blocks of pages, linked newest first; the newest is the one that is being filled:
 *
 *     current                    previous ...               oldest
 *     [head|live live|..unused]  [head|live live live|tail] [head|hy_bump|live live|tail]
 *                    ^next   ^end
 *
 *     a request of 64 KiB or more that does not fit:   [ pages of its own ]   (off the chain)
 *
 * Waste is bounded. A block that a request does not fit is left with a tail smaller than the
 * request, and the block that takes its place is at least 16 times the request: the tails are less
 * than 1/16 of what is mapped. A large request never takes the current block's place at all.
 *
 * The ancestor is CPython's arena of the compiler (Python/pyarena.c, 1994 to today): 8 KiB blocks,
 * larger requests get a block that becomes the current one, objects registered to be released with
 * the arena. Alignment per request, realloc, marks, reset and growth are additions.
 *
 * Sizes are in bytes. A request for 0 bytes is served as one for 1: a distinct address. Running out
 * of memory returns NULL, changes nothing, counts a failure and never aborts.
 *
 * Threads: a bump arena belongs to one thread at a time. Nothing is shared between two arenas but
 * what their page sources share.
 *
 * AddressSanitizer and valgrind's memcheck see each block: where one of them watches, 16 bytes that
 * nobody may touch follow each block, and unused memory may not be touched either.
 */
#ifndef HEAPYARD_BUMP_H
#define HEAPYARD_BUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <heapyard/block.h>
#include <heapyard/export.h>
#include <heapyard/pages.h>

HY_BEGIN_DECLS

/* Every block's least alignment. */
#define HY_BUMP_ALIGNMENT ((size_t)16)

/* The largest alignment that can be asked for. */
#define HY_BUMP_MAX_ALIGNMENT ((size_t)1 << 20)

/* A request of this size or more (alignment padding included) that the current block of pages has
 * no room for gets pages of its own. */
#define HY_BUMP_BIG ((size_t)64 << 10)

/* The size of a block of pages where the configuration says nothing. */
#define HY_BUMP_BLOCK_SIZE ((size_t)64 << 10)

/* Whether hy_bump_alloc counts: must be as the library was built (its CMake package and its
 * pkg-config file say so), else `allocs` and `bytes` miss what the inline path served. */
#ifndef HEAPYARD_COUNTERS
#    define HEAPYARD_COUNTERS 1
#endif

/*
 * What the inline path below needs to see; the rest of the arena is hidden. Read and write these
 * through the functions only. The layout does not depend on any option.
 */
typedef struct hy_bump {
    char *next;        /* the first unused byte of the current block, 16-aligned */
    char *limit;       /* the end of what the inline path may hand out */
    uint64_t allocs;   /* requests served */
    uint64_t failures; /* requests refused. It stands between the other two so that compilers do not
                        * add to both with one vector instruction: that is three times slower */
    uint64_t bytes;    /* the sizes served, as asked */
} hy_bump;

/* How an arena is made. Zero in a field means its default; `size` is sizeof(hy_bump_config). */
typedef struct hy_bump_config {
    size_t size;
    const hy_page_source *source; /* NULL: hy_pages_mmap(). Must outlive the arena */
    size_t block_size;            /* 0: HY_BUMP_BLOCK_SIZE. Rounded up to whole pages */
    size_t max_block_size;        /* above block_size: each block is twice the one before, up to
                                   * this; 0 or block_size: all are equal */
} hy_bump_config;

/*
 * A new, empty arena; it maps its first block. `config` may be NULL: all defaults. Returns NULL if
 * and only if the page source has no memory. A `config` with another `size`, or with a
 * max_block_size other than 0 below block_size, is misuse (bad argument). O(1).
 */
HY_API HY_NODISCARD hy_bump *hy_bump_new(const hy_bump_config *config);

/* Run the cleanups, newest first, then give all pages back. NULL is allowed. O(blocks of pages +
 * cleanups), whatever the number of requests served. */
HY_API void hy_bump_delete(hy_bump *bump);

/* What hy_bump_alloc calls where the inline path can't serve: same contract. */
HY_API HY_NODISCARD void *hy_bump_alloc_slow(hy_bump *bump, size_t size);

/*
 * `size` bytes at a multiple of 16, contents unspecified. Returns NULL if and only if there is no
 * memory, which includes every size above PTRDIFF_MAX. O(1). The block lives until the arena is
 * deleted, reset, or rewound to a mark set before.
 *
 * `limit - next` is a multiple of 16, so that a size that fits still fits when rounded up: one
 * comparison bounds it and no sum can wrap. Size 0 wraps to the largest one and goes the slow way.
 */
HY_API inline void *hy_bump_alloc(hy_bump *bump, size_t size)
{
    char *const block = bump->next;
    if (__builtin_expect(size - 1 >= (size_t)(bump->limit - block), 0)) {
        return hy_bump_alloc_slow(bump, size);
    }
    bump->next = block + ((size + (HY_BUMP_ALIGNMENT - 1)) & ~(HY_BUMP_ALIGNMENT - 1));
#if HEAPYARD_COUNTERS
    bump->allocs++;
    bump->bytes += size;
#endif
    return block;
}

/* As hy_bump_alloc, at a multiple of `alignment` (and of 16). Returns NULL also if `alignment` is
 * not a power of two or is above HY_BUMP_MAX_ALIGNMENT. O(1). */
HY_API HY_NODISCARD void *hy_bump_alloc_aligned(hy_bump *bump, size_t size, size_t alignment);

/* `count` times `size` bytes that read as zero. Returns NULL also if the product overflows. O(1)
 * plus the clearing: pages that nobody has touched yet are not cleared again. */
HY_API HY_NODISCARD void *hy_bump_alloc_zeroed(hy_bump *bump, size_t count, size_t size);

/*
 * The block of `old_size` bytes, as it was last asked for, now of `new_size`: the first
 * min(old_size, new_size) bytes are kept. Returns NULL if and only if there is no memory: then the
 * old block is unchanged. A NULL block is a plain request; `new_size` 0 is not a free. The
 * alignment is kept where the block stays in place, and is 16 where it moves.
 *
 * In place: always when it shrinks; when it grows, if it is the last block of the current block of
 * pages and there is room (O(1)), or if it has pages of its own and these suffice. The last block
 * gives back what it no longer needs. Pages of its own that are
 * more than twice what is needed are given back; one that has outgrown its pages gets an eighth more
 * than it asks for, if they can be had. A block that moves leaves its old bytes behind,
 * unless it had pages of its own. O(1) plus the copy; O(large blocks) for a page-aligned block.
 *
 * Misuse is told where it costs no search: a block that isn't 16-aligned (misaligned pointer), lies
 * outside all pages of the arena (foreign pointer) or in the current block above what was handed
 * out (pointer into unused memory), an old size that runs past it or is not that of a large block
 * (wrong size). With HEAPYARD_ASSERT=internal or full the owner is searched for, and every foreign
 * pointer is told.
 */
HY_API HY_NODISCARD void *hy_bump_realloc(hy_bump *bump, void *block, size_t old_size,
                                          size_t new_size);

/*
 * A position to rewind to. It lives until the arena is deleted, reset, or rewound to a mark set
 * before it. Treat the fields as opaque; `record` is NULL where no mark could be set.
 */
typedef struct hy_bump_mark {
    const void *record;
    uint64_t serial;
} hy_bump_mark;

/* Mark the position that the arena is in. The mark takes less than 100 bytes of the arena; its
 * `record` is NULL if and only if there is no memory for that. O(1). */
HY_API HY_NODISCARD hy_bump_mark hy_bump_set_mark(hy_bump *bump);

/*
 * Free all blocks made since `mark`, and run, newest first, the cleanups registered since. Blocks
 * of pages are kept for reuse; those of large blocks go back to the page source. A block that
 * realloc moved since the mark is gone too. The mark stays; those set after it are gone.
 * O(marks, cleanups and blocks of pages since the mark).
 *
 * Returns false, with no effect, after misuse (bad argument): a mark of another arena, one that is
 * gone, or a call from within a cleanup. Where the memory of a mark that is gone was handed out
 * again and bears the same bytes, it can't be told.
 */
HY_API bool hy_bump_rewind(hy_bump *bump, hy_bump_mark mark);

/* Free all blocks and marks and run all cleanups, newest first. Blocks of pages are kept for reuse;
 * those of large blocks go back to the page source. Returns false after misuse: from within a
 * cleanup (bad argument), or where a record was overwritten (corrupted); what was not reached then
 * stays. O(blocks of pages + cleanups). */
HY_API bool hy_bump_reset(hy_bump *bump);

/* Give back the blocks of pages kept for reuse, and purge the unused pages of the current block
 * that have been touched. Returns the bytes given back. O(blocks given back). */
HY_API size_t hy_bump_trim(hy_bump *bump);

/* A cleanup: called once, with the argument that it was registered with. It may use the arena, even
 * register cleanups (these run too), but not rewind, reset or delete it. */
typedef void hy_bump_cleanup_fn(void *argument);

/* Have `cleanup(argument)` called when the arena is deleted, reset, or rewound past this point; all
 * blocks are still readable then. Returns false if and only if there is no memory. O(1). */
HY_API HY_NODISCARD bool hy_bump_add_cleanup(hy_bump *bump, hy_bump_cleanup_fn *cleanup,
                                             void *argument);

/* Whether `address` lies in memory that was handed out and not freed (rounding, padding and
 * records of marks and cleanups included). Reads no foreign memory. O(blocks of pages). */
HY_API bool hy_bump_contains(const hy_bump *bump, const void *address);

/*
 * Visit the runs of memory in address order: headers (metadata), what was handed out (live; one
 * run for each block of pages, since blocks bear no headers), what is unused, and blocks of pages
 * kept for reuse (free). `span` counts the mappings, from 0. Returns what ended the walk; 0: all
 * was visited. O(n log n) in blocks of pages, without memory of its own.
 */
HY_API int hy_bump_walk(hy_bump *bump, hy_walk_fn *visit, void *context);

/* What hy_bump_check finds: X(enumerator, text). */
#define HY_BUMP_CHECKS(X)                                                                          \
    X(SOUND, "sound")                                                                              \
    X(BLOCK_HEADER, "the header of a block of pages was overwritten")                              \
    X(BLOCK_TOP, "what a block of pages handed out does not end inside it")                        \
    X(POSITION, "the position is not inside the current block of pages, or not 16-aligned")        \
    X(BIG_RECORD, "the record of a large block was overwritten")                                   \
    X(CLEANUP_RECORD, "the record of a cleanup was overwritten")                                   \
    X(MARK_RECORD, "the record of a mark was overwritten")                                         \
    X(BOUNDS, "pages lie outside the bounds that the arena keeps")                                 \
    X(TOTAL, "the pages do not add up to what was mapped")

typedef enum hy_bump_check_code {
#define HY_BUMP_CHECK_ENUM(name, text) HY_BUMP_CHECK_##name,
    HY_BUMP_CHECKS(HY_BUMP_CHECK_ENUM)
#undef HY_BUMP_CHECK_ENUM
} hy_bump_check_code;

/* The first broken invariant (a hy_bump_check_code) and where it shows. O(blocks of pages, marks,
 * cleanups and large blocks). */
HY_API hy_check_result hy_bump_check(const hy_bump *bump);

/* The text of a code; "unknown" for any other value. */
HY_API const char *hy_bump_check_text(uint32_t code);

/*
 * The counters: X(type, name, meaning). Totals are since the arena was made, the rest is now.
 * live_bytes + free_bytes + metadata_bytes + unused_bytes == mapped_bytes.
 */
#define HY_BUMP_COUNTERS(X)                                                                        \
    X(uint32_t, size, "sizeof(hy_bump_counters)")                                                  \
    X(uint32_t, version, "of this list: 1")                                                        \
    X(uint64_t, allocs, "total: requests served")                                                  \
    X(uint64_t, bytes, "total: their sizes, as asked")                                             \
    X(uint64_t, reallocs, "total: blocks resized")                                                 \
    X(uint64_t, in_place, "total: of these, in place")                                             \
    X(uint64_t, failures, "total: requests refused")                                               \
    X(uint64_t, rewinds, "total: rewinds")                                                         \
    X(uint64_t, resets, "total: resets")                                                           \
    X(uint64_t, blocks, "blocks of pages in use")                                                  \
    X(uint64_t, block_bytes, "their size, headers included")                                       \
    X(uint64_t, spare_blocks, "blocks of pages kept for reuse")                                    \
    X(uint64_t, big_blocks, "large blocks, with pages of their own")                               \
    X(uint64_t, big_bytes, "their size in pages")                                                  \
    X(uint64_t, cleanups, "cleanups registered")                                                   \
    X(uint64_t, marks, "marks set")                                                                \
    X(uint64_t, wasted, "unused bytes that only a reset or rewind brings back into use")           \
    X(uint64_t, live_bytes, "handed out: rounding, padding and records included")                  \
    X(uint64_t, free_bytes, "in blocks of pages kept for reuse")                                   \
    X(uint64_t, metadata_bytes, "headers")                                                         \
    X(uint64_t, unused_bytes, "the rest of the current block of pages, and `wasted`")              \
    X(uint64_t, mapped_bytes, "mapped from the page source")                                       \
    X(uint64_t, peak_mapped_bytes, "the most that was mapped")

typedef struct hy_bump_counters {
#define HY_BUMP_COUNTER_FIELD(type, name, meaning) type name;
    HY_BUMP_COUNTERS(HY_BUMP_COUNTER_FIELD)
#undef HY_BUMP_COUNTER_FIELD
} hy_bump_counters;

/* Fill in `counters`. Returns false, with all but `size` and `version` zero, if and only if the
 * library was built without counters. O(blocks of pages + large blocks + marks + cleanups). */
HY_API bool hy_bump_get_counters(const hy_bump *bump, hy_bump_counters *counters);

HY_END_DECLS

#endif /* HEAPYARD_BUMP_H */
