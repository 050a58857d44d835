/*
 * region.h: an address-ordered, coalescing allocator over memory that the caller gives.
 *
 * A region never calls the operating system. It lives inside the caller's span: a small header at
 * the start, blocks after it, and (fast engine) a map of block boundaries at the end.
 *
 *     list   [ header | block | free | block | free | block | unused ................. ]
 *     fast   [ header | block | free | block | free | block | unused ........... | map ]
 *                                                           ^ bump pointer
 *
 * Memory above the bump pointer was never handed out, or was given back: the last block of a
 * region, when it is freed, goes back to the bump pointer together with a free block before it. No
 * two free blocks touch, and none touches the bump pointer: freeing everything, in any order,
 * leaves a region as it was when it was made.
 *
 * Two engines stand behind one interface; a region keeps the one it was made with.
 *
 *                        list                              fast (the default)
 *     for                the smallest code                 speed, and catching misuse
 *     a live block costs nothing                           nothing (its boundary: 2 bits per 16 B)
 *     alloc              address-ordered first fit,        best fit, O(1): at most about 60 steps
 *                        O(free blocks)                    (a tree over 31 bits of size, see below)
 *     free               needs the size; O(free blocks)    without a size; O(1)
 *     granule            4, 8 or 16 bytes                  16 bytes
 *     metadata           about 100 B + counters            about 500 B + counters + 1/65 of the
 * span double free        told                              told interior pointer   can't be told
 * told wrong size         told where it overlaps free or    told unused memory
 *
 * The list engine descends from the free list of K&R's malloc (address order, first fit) with the
 * size kept by the caller, as C++14's and C23's sized free allow. The fast engine's trees are the
 * bitwise tries of Doug Lea's malloc (2.8); boundaries live in a bit map, not in the blocks.
 *
 * Sizes. A block occupies its size rounded up to granules; size 0 is a distinct block of one
 * granule. Blocks are aligned to the granule; any power of two may be asked for on top.
 *
 * The map is cleared as far as blocks reach: where the fast engine's bump pointer goes higher than
 * ever before, alloc writes 16 bytes for each KiB of that, once.
 *
 * Large spans. Block positions are 31-bit granule numbers, the same on 32-bit and 64-bit targets:
 * so that one sequence of calls over one span gives the same blocks on both. A span longer than
 * 2^31 granules (32 GiB at 16 bytes) is cut into chained regions of equal length, and no block
 * crosses from one to the next: a single block is at most one region's length.
 *
 * Chains. More spans may be added at any time. A block is looked for in the region that served or
 * took back the last one, then in the others in the order they were added. Finding the region that
 * holds a pointer is O(log regions). Nothing recurses.
 *
 * Misuse goes to the handler of <heapyard/misuse.h>, which by default prints and aborts; where a
 * handler returns, the call has had no effect.
 *
 * Threads: none of these functions locks. One region may be used by one thread at a time.
 *
 * Sanitizers: under AddressSanitizer and valgrind, free and unused memory is unaddressable, and so
 * is the slack between a block's size and its last granule, until `hy_region_usable_size` is asked.
 */
#ifndef HEAPYARD_REGION_H
#define HEAPYARD_REGION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <heapyard/block.h>
#include <heapyard/export.h>

HY_BEGIN_DECLS

/* A chain of one or more regions. It lies at the start of the first span. */
typedef struct hy_region hy_region;

typedef enum hy_region_engine {
    HY_REGION_FAST = 0,
    HY_REGION_LIST = 1,
} hy_region_engine;

/* Flags of hy_region_options. */
typedef enum hy_region_flags {
    /* Fill memory that is freed with 0xDD, and hold it against that when it is next handed out, or
     * by hy_region_check. Makes alloc and free O(size). */
    HY_REGION_POISON = 1,
} hy_region_flags;

typedef struct hy_region_options {
    uint32_t engine;  /* a hy_region_engine */
    uint32_t flags;   /* hy_region_flags, or-ed */
    uint32_t granule; /* bytes; 0: 16. list: 4, 8 or 16; fast: 16 */
} hy_region_options;

/* What hy_region_chain and hy_region_extend answer: X(enumerator, text). */
#define HY_REGION_STATUSES(X)                                                                      \
    X(OK, "ok")                                                                                    \
    X(TOO_SMALL, "the span holds less than a header and one block")                                \
    X(OVERLAPS, "the span overlaps a region of the chain")                                         \
    X(SHRINKS, "the new end lies before the old one")                                              \
    X(NO_SUCH_END, "no region of the chain ends there")                                            \
    X(TOO_LARGE, "the region would be longer than 2^31 granules: chain the rest")                  \
    X(WRAPS, "the span runs past the end of the address space")

typedef enum hy_region_status {
#define HY_REGION_STATUS_ENUM(name, text) HY_REGION_##name,
    HY_REGION_STATUSES(HY_REGION_STATUS_ENUM)
#undef HY_REGION_STATUS_ENUM
        HY_REGION_STATUS_COUNT
} hy_region_status;

/* The text of a status; "unknown status" for any other value. */
HY_API const char *hy_region_status_text(hy_region_status status);

/* ---- making, growing, ending ---------------------------------------------------------------- */

/*
 * Make a region of the `size` bytes at `memory`, which need not be aligned: its start is rounded up
 * and its end rounded down to 16 bytes. The memory belongs to the region until
 * hy_region_destroy; its contents may be anything. `options` may be NULL: the fast engine.
 *
 * Returns NULL if and only if `memory` is NULL, an option has no such value, the span runs past the
 * end of the address space, or the span is smaller than hy_region_minimum. O(1), but for spans
 * that are cut (see above): one step each. Touches the header, and nothing else of the span.
 */
HY_API HY_NODISCARD hy_region *hy_region_create(void *memory, size_t size,
                                                const hy_region_options *options);

/* The smallest span, starting at a multiple of 16, of which hy_region_create with these options
 * makes a region (which then has room for one block of one granule). 0 for bad options. */
HY_API size_t hy_region_minimum(const hy_region_options *options);

/*
 * Add another span to the chain. Answers HY_REGION_OK, or TOO_SMALL, OVERLAPS, WRAPS with nothing
 * changed. Spans that touch are not merged: use hy_region_extend for that. O(log regions).
 */
HY_API hy_region_status hy_region_chain(hy_region *region, void *memory, size_t size);

/*
 * The region of the chain whose span ended at `old_end` ends at `new_end` from now on. Blocks stay
 * where they are, and what is added joins the unused memory at the end. `old_end` is one past
 * the last byte of a span as it was given (not rounded).
 *
 * Answers OK (also where both ends are equal), or SHRINKS, NO_SUCH_END, OVERLAPS, TOO_LARGE with
 * nothing changed. list: O(log regions); fast: the map is moved, O(bytes in use / 64).
 */
HY_API hy_region_status hy_region_extend(hy_region *region, void *old_end, void *new_end);

/* Free every block at once. Chained spans stay. O(regions). */
HY_API void hy_region_reset(hy_region *region);

/* End the region: all its spans are the caller's again. Reads and writes nothing afterwards. Only
 * sanitizers see a difference to letting the memory go, which is allowed too. NULL: no effect. */
HY_API void hy_region_destroy(hy_region *region);

/* ---- blocks --------------------------------------------------------------------------------- */

/*
 * A block of `size` bytes, aligned to the granule, contents unspecified.
 * Returns NULL if and only if no region of the chain has room for it (which includes any size above
 * the longest region), or the free list is found corrupt and the misuse handler returned; nothing
 * is changed then. list: O(free blocks); fast: O(1); both times the regions that are full.
 */
HY_API HY_MALLOC_LIKE void *hy_region_alloc(hy_region *region, size_t size);

/*
 * The same at a multiple of `alignment`, a power of two; less than the granule is the granule.
 * Returns NULL where hy_region_alloc does, or where `alignment` is not a power of two. It is served
 * whenever any free block, or the unused memory, contains a fitting aligned range. fast: O(1),
 * but O(blocks) where only a search of all of them can tell.
 */
HY_API HY_MALLOC_LIKE void *hy_region_alloc_aligned(hy_region *region, size_t alignment,
                                                    size_t size);

/* hy_region_alloc of `count` * `size` bytes, all zero; NULL also where the product overflows. */
HY_API HY_MALLOC_LIKE void *hy_region_calloc(hy_region *region, size_t count, size_t size);

/*
 * Give a block back. NULL: no effect. fast: O(1). The list engine does not know sizes: for it, this
 * is misuse (BAD_ARGUMENT); use hy_region_free_sized.
 *
 * Misuse, told apart: FOREIGN_POINTER (in no region of the chain, or in a region's own metadata),
 * MISALIGNED_POINTER (not at a granule), UNUSED_POINTER (above the bump pointer: also a second free
 * of what was the last block), DOUBLE_FREE (inside free memory), INTERIOR_POINTER (inside a live
 * block), CORRUPTED (a neighbour's or a list's data was overwritten).
 */
HY_API void hy_region_free(hy_region *region, void *block);

/*
 * Give a block back, with the size that was asked for. fast: WRONG_SIZE where the block does not
 * have as many granules. list: O(free blocks); WRONG_SIZE where the block would overlap free or
 * unused memory. Other wrong sizes and interior pointers can't be told by the list engine. It also
 * refuses size 0 (WRONG_SIZE), since it can't tell a block of no bytes from any other: give back
 * what hy_region_alloc(region, 0) gave with size 1.
 */
HY_API void hy_region_free_sized(hy_region *region, void *block, size_t size);

/*
 * Resize a block: in place where it shrinks, where the next block is free and large enough, or
 * where the block is the last and unused memory follows; else it moves. The contents are
 * kept up to the smaller size. NULL is hy_region_alloc; size 0 is a block of one granule, not a
 * free.
 *
 * Returns NULL, the block untouched, if and only if it has to move and there is no room, or
 * on misuse. fast: O(1) + the copy. The list engine does not know sizes: misuse (BAD_ARGUMENT).
 */
HY_API HY_NODISCARD void *hy_region_realloc(hy_region *region, void *block, size_t new_size);

/*
 * The same for both engines, with the size that was asked for (checked as in hy_region_free_sized)
 * and the alignment that the block must have afterwards: where it moves, and where it does
 * not because it happens to be aligned already. 0: the granule's.
 */
HY_API HY_NODISCARD void *hy_region_realloc_sized(hy_region *region, void *block, size_t old_size,
                                                  size_t alignment, size_t new_size);

/* How many bytes the block really has, at least what was asked for; all may be used. NULL: 0.
 * Checks the pointer as hy_region_free does (0 on misuse). O(1). The list engine answers 0. */
HY_API size_t hy_region_usable_size(hy_region *region, const void *block);

/* ---- looking at it -------------------------------------------------------------------------- */

/* Whether the pointer lies in memory that a region of the chain hands out (live, free or unused,
 * but not its metadata). O(log regions); any pointer may be asked about. */
HY_API bool hy_region_contains(const hy_region *region, const void *pointer);

/* The engine that the region was made with. */
HY_API hy_region_engine hy_region_engine_of(const hy_region *region);

/*
 * Visit every run of memory of every region, regions in the order they were added, each from
 * the first to the last byte of its span without a gap; `span` of hy_block counts regions. The list
 * engine does not know the bounds of live blocks: neighbours that are live are one run. Returns 0,
 * or what the visitor ended the walk with. O(blocks).
 */
HY_API int hy_region_walk(const hy_region *region, hy_walk_fn *visit, void *context);

/* What hy_region_check finds: X(enumerator, text). */
#define HY_REGION_VIOLATIONS(X)                                                                    \
    X(SOUND, "sound")                                                                              \
    X(BAD_HEADER, "a header field is out of its range")                                            \
    X(BAD_CHAIN, "the chain of regions is broken")                                                 \
    X(BAD_LINK, "a link of a free block leads nowhere, or back")                                   \
    X(BAD_SIZE, "the size of a free block does not fit its place")                                 \
    X(BAD_STATE, "a boundary or state bit contradicts the blocks around it")                       \
    X(BAD_BIN, "a free block is in no bin, or in a wrong one")                                     \
    X(TOUCHING, "two free blocks touch, or one touches the bump pointer")                          \
    X(BAD_COUNT, "a count differs from what the walk finds")                                       \
    X(WRITTEN_AFTER_FREE, "memory was written after it was freed")

typedef enum hy_region_violation {
#define HY_REGION_VIOLATION_ENUM(name, text) HY_REGION_##name,
    HY_REGION_VIOLATIONS(HY_REGION_VIOLATION_ENUM)
#undef HY_REGION_VIOLATION_ENUM
        HY_REGION_VIOLATION_COUNT
} hy_region_violation;

/* Walk the whole structure and verify every invariant. Changes nothing, and follows no link before
 * it is known to lead to a free block. Code 0, or the first hy_region_violation with the address of
 * the word that is wrong. O(blocks + map), with HY_REGION_POISON O(bytes). */
HY_API hy_check_result hy_region_check(const hy_region *region);

/* The text of a violation; "unknown violation" for any other value. */
HY_API const char *hy_region_check_text(uint32_t code);

/*
 * The counters: X(type, name, meaning). Totals are since the region was made, the rest is now.
 * After every call
 *
 *     live_bytes + free_bytes + metadata_bytes + unused_bytes == region_bytes
 *     allocs - frees == live_blocks
 *
 * A call that fails changes `failures` and the steps, misuse `misuses`, and neither anything else.
 */
#define HY_REGION_COUNTERS(X)                                                                      \
    X(uint32_t, size, "sizeof(hy_region_counters)")                                                \
    X(uint32_t, version, "of this list: 1")                                                        \
    X(uint64_t, regions, "regions in the chain")                                                   \
    X(uint64_t, region_bytes, "all spans, as they were given")                                     \
    X(uint64_t, live_bytes, "in blocks handed out, rounded up to granules")                        \
    X(uint64_t, free_bytes, "in free blocks")                                                      \
    X(uint64_t, metadata_bytes, "headers, maps, and what rounding cut off the spans' ends")        \
    X(uint64_t, unused_bytes, "above the bump pointers")                                           \
    X(uint64_t, live_blocks, "blocks handed out")                                                  \
    X(uint64_t, free_blocks, "free blocks")                                                        \
    X(uint64_t, peak_live_bytes, "the most that live_bytes has been")                              \
    X(uint64_t, allocs, "total: blocks handed out; a realloc that moves is one")                   \
    X(uint64_t, frees, "total: blocks given back; a realloc that moves is one")                    \
    X(uint64_t, in_place, "total: reallocs that did not move")                                     \
    X(uint64_t, moved, "total: reallocs that moved")                                               \
    X(uint64_t, failures, "total: requests refused for want of room or for a bad alignment")       \
    X(uint64_t, misuses, "total: calls refused as misuse")                                         \
    X(uint64_t, steps, "free blocks that the last call looked at")                                 \
    X(uint64_t, peak_steps, "the most that steps has been, aligned searches of all blocks aside")

typedef struct hy_region_counters {
#define HY_REGION_COUNTER_FIELD(type, name, meaning) type name;
    HY_REGION_COUNTERS(HY_REGION_COUNTER_FIELD)
#undef HY_REGION_COUNTER_FIELD
} hy_region_counters;

/* Fills in the counters. False, with nothing written, where the library was built without them
 * (HEAPYARD_COUNTERS=OFF). O(regions). */
HY_API bool hy_region_get_counters(const hy_region *region, hy_region_counters *counters);

HY_END_DECLS

#endif /* HEAPYARD_REGION_H */
