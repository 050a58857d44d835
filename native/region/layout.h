/*
 * layout.h: what a region looks like in the caller's memory, and how its words are reached.
 *
 *     first span    [ before | hy_region | hy__segment | granule 1 | granule 2 | ... | (map) | rest ]
 *     other spans   [ before |             hy__segment | granule 1 | ...                            ]
 *                                                      ^ base + 1 granule
 *
 * Granules are numbered from 1; 0 means 'none' in every link. A granule's address is base + (number
 * << shift), so granule 0 is the header's last bytes and never a block. `top` is the bump pointer,
 * `limit` is one past the last granule, `high` the highest `top` ever (above it nothing was ever
 * written).
 *
 * Every field has the same width and place on 32-bit and 64-bit targets, so that both hand out the
 * same granules for the same calls.
 *
 * Links of free blocks lie in free memory, which sanitizers hold unaddressable: they are read
 * and written by hy__load and hy__store only.
 */
#ifndef HEAPYARD_REGION_LAYOUT_H
#define HEAPYARD_REGION_LAYOUT_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <heapyard/region.h>

#include "base/annotate.h"

#ifndef HEAPYARD_COUNTERS
#    define HEAPYARD_COUNTERS 0
#endif

/* The caller's memory has whatever type the caller gave it. */
#define HY__MAY_ALIAS __attribute__((may_alias))
typedef uint32_t HY__MAY_ALIAS hy__word;

#if HY_HAS_ASAN
#    define HY__UNSANITIZED __attribute__((no_sanitize("address")))
#else
#    define HY__UNSANITIZED
#endif

/* Functions of a header, or used in several places of one file, that are worth their room where speed
 * is wanted, and are not where size is. */
#ifdef __OPTIMIZE_SIZE__
#    define HY__HOT static __attribute__((noinline, unused))
#else
#    define HY__HOT static inline
#endif

/* Numbers of granules are below this: they leave one bit of a word for the list engine's flag. */
#define HY__GRANULES_MAX UINT32_C(0x7fffffff)

/* `old_size` of a block whose size the caller does not give. */
#define HY__SIZE_UNKNOWN SIZE_MAX

/* The highest alignment that a header needs, and the start of every span is rounded up to. */
#define HY__SPAN_ALIGNMENT ((size_t)16)

typedef struct hy__segment hy__segment;

/* A pointer in eight bytes on every target. */
typedef union hy__link {
    hy__segment *to;
    uint64_t wide;
} hy__link;

struct HY__MAY_ALIAS hy__segment {
    _Alignas(16) hy__link next; /* in the order they were added; NULL at the end */
    hy__link left, right;       /* the index by address: see chain.c */
    uint64_t span_size;         /* as given, ... */
    uint32_t before;            /* ... from this many bytes before the segment */
    uint32_t ordinal;           /* place in the chain, from 0 */
    uint32_t top, limit, high;
    uint32_t seal; /* of all the fields above but top and high: see chain.h */
    uint32_t free; /* list engine: the first free block */
    uint32_t spare;
};
static_assert(sizeof(hy__segment) == 64, "the layout is the same on every target");

/* Sizes below this many granules have a bin each; larger ones a tree for each power of two. */
#define HY__SMALL_BINS 64u
#define HY__TREES      25u
static_assert((UINT64_C(1) << (6 + HY__TREES)) > HY__GRANULES_MAX, "a tree for every size");
static_assert(HY__SMALL_BINS == 1u << 6, "the first tree holds sizes from 2^6");

typedef struct HY__MAY_ALIAS hy__fast {
    hy__segment segment;
    uint64_t small_map;   /* bit n: bins[n] is not empty */
    uint32_t tree_map;    /* bit k: trees[k] is not empty */
    uint32_t live_blocks; /* kept in every build: check needs it */
    uint32_t map_words;   /* how many pairs of the map were cleared so far */
    uint32_t bins[HY__SMALL_BINS];
    uint32_t trees[HY__TREES];
    uint32_t spare[2];
    uint32_t nowhere[4]; /* granule 0, which a link of 0 leads to: may be written, is not read */
} hy__fast;
static_assert(sizeof(hy__fast) == 464 && offsetof(hy__fast, nowhere) == 464 - 16,
              "the layout is the same on every target");

struct HY__MAY_ALIAS hy_region {
    _Alignas(16) uint32_t seal; /* of all the fields below but current: see chain.h */
    uint8_t engine, flags, shift;
    uint8_t watched; /* by valgrind or AddressSanitizer */
    uint32_t segments;
    uint32_t header; /* size of a segment's header, by engine */
    hy__link first, last, root;
    hy__link current; /* served, or took back, the last block */
#if HEAPYARD_COUNTERS
    hy_region_counters counters; /* those that are sums over spans are filled in when read */
#endif
};
static_assert(sizeof(hy_region) % 16 == 0, "segments follow at a multiple of 16");

#if HEAPYARD_COUNTERS
#    define HY__COUNT(statement) (void)(statement)
#else
#    define HY__COUNT(statement) (void)0
#endif
/* One free block looked at. */
#define HY__STEP(region) HY__COUNT((region)->counters.steps++)

static inline size_t hy__granule(const hy_region *region)
{
    return (size_t)1 << region->shift;
}

static inline bool hy__is_list(const hy_region *region)
{
    return region->engine == HY_REGION_LIST;
}

static inline bool hy__poisons(const hy_region *region)
{
    return (region->flags & HY_REGION_POISON) != 0;
}

static inline char *hy__base(const hy_region *region, const hy__segment *segment)
{
    return (char *)(uintptr_t)segment + region->header - hy__granule(region);
}

HY__HOT char *hy__address(const hy_region *region, const hy__segment *segment, uint32_t number)
{
    return hy__base(region, segment) + ((size_t)number << region->shift);
}

/* A request in granules: at least one, and HY__GRANULES_MAX + 1 for any that can't be served. */
HY__HOT uint32_t hy__granules(const hy_region *region, size_t size)
{
    const size_t rest = size & (hy__granule(region) - 1);
    const size_t count = (size >> region->shift) + (rest != 0) + (size == 0);
    return count > HY__GRANULES_MAX ? HY__GRANULES_MAX + 1 : (uint32_t)count;
}

/* How many granules lie between `number` and the next one that has this alignment (a power of two).
 * An alignment below the granule is the granule. */
HY__HOT uint64_t hy__pad(const hy_region *region, const hy__segment *segment, uint32_t number,
                         size_t alignment)
{
    const uintptr_t address = (uintptr_t)hy__address(region, segment, number);
    return ((0 - address) & (alignment - 1)) >> region->shift;
}

HY__UNSANITIZED static inline uint32_t hy__load(const char *address)
{
    return *(const hy__word *)(const void *)address;
}

HY__UNSANITIZED static inline void hy__store(char *address, uint32_t value)
{
    *(hy__word *)(void *)address = value;
}

#endif /* HEAPYARD_REGION_LAYOUT_H */
