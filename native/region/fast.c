/*
 * fast.c: the fast engine. Boundaries in a bit map (map.h), free blocks in bins (bins.h).
 *
 * Every free block that an operation changes is first held against its neighbours in its bin
 * (hy__bins_is_sound): a free block that was written over is reported, and nothing is changed.
 */
#include "region/bins.h"
#include "region/poison.h"

static hy__fast *fast_of(hy__segment *segment)
{
    return (hy__fast *)(void *)segment;
}

static uint32_t corrupted(hy_region *region, const hy__fast *fast, uint32_t number)
{
    return hy__region_misuse(region, HY_MISUSE_CORRUPTED, hy__fast_address(fast, number),
                             "(free block)");
}

/* The bits of a new free block whose start is set already, and its place in a bin. */
HY__HOT void set_free_block(hy_region *region, hy__fast *fast, hy__map *map, uint32_t number,
                            uint32_t size)
{
    hy__set_free(map, number);
    hy__set_free(map, number + size - 1);
    hy__bins_insert(region, fast, number, size);
}

/* Clears the pairs of the map that a new `top` comes near, so that windows may be read there. */
static void clear_map(hy__fast *fast, uint32_t top)
{
    hy__map *map = hy__map_of(fast);
    while (fast->map_words < (top >> 6) + 2) {
        map[fast->map_words++] = (hy__map){0, 0};
    }
}

static void move_top(hy__fast *fast, uint32_t top)
{
    clear_map(fast, top);
    hy__set_start(hy__map_of(fast), top);
    fast->segment.top = top;
    fast->segment.high = fast->segment.high > top ? fast->segment.high : top;
}

/* ---- taking --------------------------------------------------------------------------------- */

/* Whether what is handed out of a free block, and what new words go to, is unwritten. */
static bool is_unwritten(hy_region *region, const hy__fast *fast, uint32_t number, uint32_t size,
                         uint32_t pad, uint32_t n)
{
    const size_t header = size < HY__SMALL_BINS ? HY__SMALL_HEADER : HY__TREE_HEADER;
    const char *const block = hy__fast_address(fast, number);
    const size_t bytes = ((size_t)size << 4) - 4;
    const size_t before_pad = ((size_t)pad << 4) - (pad != 0 ? 4 : 0);
    const size_t behind = ((size_t)pad + n) * 16 + HY__TREE_HEADER;
    const size_t from = before_pad > header ? before_pad : header;
    const size_t to = behind < bytes ? behind : bytes;
    const char *broken = from < to ? hy__poison_broken(block + from, to - from) : NULL;
    return broken == NULL ||
           hy__region_misuse(region, HY_MISUSE_WRITE_AFTER_FREE, broken, NULL) != 0;
}

/*
 *     [ ------------ block ------------ ]  =>  [ pad, free ][ n, live ][ rest, free ]
 */
static uint32_t carve(hy_region *region, hy__fast *fast, uint32_t block, uint32_t pad, uint32_t n)
{
    hy__map *map = hy__map_of(fast);
    const bool is_block = hy__is_number(fast, block) && hy__is_free(map, block);
    const uint32_t size = is_block ? hy__free_size(fast, block) : 0;
    const uint32_t number = block + pad, rest = size - pad - n;
    if (size < n + pad) {
        return corrupted(region, fast, block);
    }
    if (hy__poisons(region) && !is_unwritten(region, fast, block, size, pad, n)) {
        return 0;
    }
    if (!hy__bins_remove(region, fast, block, size)) {
        return corrupted(region, fast, block);
    }
    hy__clear_free(map, block);
    if (pad != 0) {
        hy__set_start(map, number);
        set_free_block(region, fast, map, block, pad);
    }
    if (rest != 0) {
        hy__set_start(map, number + n);
        hy__set_free(map, number + n);
        hy__bins_insert(region, fast, number + n, rest);
    } else {
        hy__clear_free(map, block + size - 1);
    }
    return number;
}

/*
 *     ... live ][ unused ............. ]  =>  ... live ][ pad, free ][ n, live ][ unused .. ]
 */
static uint32_t bump(hy_region *region, hy__fast *fast, uint64_t pad, uint32_t n)
{
    const uint32_t top = fast->segment.top;
    if (pad + n > fast->segment.limit - top) {
        return 0;
    }
    const uint32_t number = top + (uint32_t)pad;
    const char *broken = hy__poison_broken_unused(region, &fast->segment, number + n - top);
    if (broken != NULL) {
        return hy__region_misuse(region, HY_MISUSE_WRITE_AFTER_FREE, broken, NULL);
    }
    move_top(fast, number + n);
    if (pad != 0) {
        hy__map *map = hy__map_of(fast);
        hy__set_start(map, number);
        hy__poison(region, &fast->segment, top, (uint32_t)pad);
        set_free_block(region, fast, map, top, (uint32_t)pad);
    }
    return number;
}

static uint32_t take_plain(hy_region *region, hy__fast *fast, uint32_t n)
{
    const uint32_t block = hy__bins_find(region, fast, n);
    return block != 0 ? carve(region, fast, block, 0, n) : bump(region, fast, 0, n);
}

/* The last resort of an aligned request: every block in turn, by address. */
static uint32_t take_searching(hy_region *region, hy__fast *fast, uint32_t n, size_t alignment)
{
    const hy__map *map = hy__map_of(fast);
    uint32_t size;
    for (uint32_t at = 1; at < fast->segment.top; at += size) {
        const bool is_free = hy__is_free(map, at);
        size = is_free ? hy__get(fast, at, HY__SIZE) : hy__live_size(map, at);
        if (size - 1 >= fast->segment.top - at) {
            return corrupted(region, fast, at);
        }
        const uint64_t pad = hy__pad(region, &fast->segment, at, alignment);
        if (is_free && pad + n <= size) {
            return carve(region, fast, at, (uint32_t)pad, n);
        }
    }
    return 0;
}

/* Any block that fits may hold an aligned range; one larger by the alignment must. */
static uint32_t take_aligned(hy_region *region, hy__fast *fast, uint32_t n, size_t alignment)
{
    const uint64_t more[2] = {n, n + (uint64_t)(alignment >> 4) - 1};
    for (unsigned i = 0; i < 2; i++) {
        const uint32_t wanted = more[i] <= HY__GRANULES_MAX ? (uint32_t)more[i] : UINT32_MAX;
        const uint32_t block = hy__bins_find(region, fast, wanted);
        const uint64_t pad = hy__pad(region, &fast->segment, block, alignment);
        if (block != 0 && pad + n <= hy__get(fast, block, HY__SIZE)) {
            return carve(region, fast, block, (uint32_t)pad, n);
        }
    }
    const uint64_t pad = hy__pad(region, &fast->segment, fast->segment.top, alignment);
    const uint32_t number = bump(region, fast, pad, n);
    return number != 0 ? number : take_searching(region, fast, n, alignment);
}

uint32_t hy__fast_take(hy_region *region, hy__segment *segment, uint32_t n, size_t alignment)
{
    hy__fast *fast = fast_of(segment);
    const uint32_t number =
        alignment <= 16 ? take_plain(region, fast, n) : take_aligned(region, fast, n, alignment);
    if (number != 0) {
        hy__mark_size(hy__map_of(fast), number, n);
        fast->live_blocks++;
    }
    return number;
}

/* ---- measuring ------------------------------------------------------------------------------ */

/* A granule where no live block begins: in free memory, or inside a live block? */
static uint32_t report_no_block(hy_region *region, const hy__fast *fast, uint32_t number)
{
    const hy__map *map = hy__map_of(fast);
    uint32_t start = number;
    while (start > 1 && !hy__is_start(map, start)) {
        start--;
    }
    const hy_misuse_kind kind =
        hy__is_free(map, start) ? HY_MISUSE_DOUBLE_FREE : HY_MISUSE_INTERIOR_POINTER;
    return hy__region_misuse(region, kind, hy__fast_address(fast, number), NULL);
}

static inline uint32_t measure(hy_region *region, const hy__fast *fast, uint32_t number,
                               size_t size)
{
    const hy__map *map = hy__map_of(fast);
    if (!hy__is_start(map, number) || hy__is_free(map, number)) {
        return report_no_block(region, fast, number);
    }
    const uint32_t n = hy__live_size(map, number);
    if (n - 1 >= fast->segment.top - number || !hy__is_start(map, number + n)) {
        return hy__region_misuse(region, HY_MISUSE_CORRUPTED, hy__fast_address(fast, number),
                                 "(block boundaries)");
    }
    if (size != HY__SIZE_UNKNOWN && hy__granules(region, size) != n) {
        return hy__region_misuse(region, HY_MISUSE_WRONG_SIZE, hy__fast_address(fast, number),
                                 NULL);
    }
    return n;
}

uint32_t hy__fast_measure(hy_region *region, hy__segment *segment, uint32_t number, size_t size)
{
    return measure(region, fast_of(segment), number, size);
}

/* ---- giving back ---------------------------------------------------------------------------- */

/* The free blocks on both sides, out of their bins but still in the map; size 0: that side is not
 * free. */
typedef struct neighbours {
    uint32_t before, before_size, after, after_size;
} neighbours;

/* False, after reporting and with nothing changed, where one of them was written over. */
static inline bool take_neighbours(hy_region *region, hy__fast *fast, uint32_t number, uint32_t n,
                                   neighbours *taken)
{
    const hy__map *map = hy__map_of(fast);
    *taken = (neighbours){.before = number, .after = number + n};
    if (hy__is_free(map, number - 1)) {
        const uint32_t size = hy__size_before(fast, number);
        taken->before_size = size;
        taken->before = number - size;
        if (size >= number || !hy__is_start(map, number - size) ||
            hy__get(fast, number - size, HY__SIZE) != size ||
            !hy__bins_remove(region, fast, number - size, size)) {
            return corrupted(region, fast, number) != 0;
        }
    }
    if (hy__is_free(map, number + n)) {
        taken->after_size = hy__free_size(fast, number + n);
        if (taken->after_size == 0 ||
            !hy__bins_remove(region, fast, number + n, taken->after_size)) {
            if (taken->before_size != 0) {
                hy__bins_insert(region, fast, taken->before, taken->before_size);
            }
            return corrupted(region, fast, number + n) != 0;
        }
    }
    return true;
}

/*
 *     [ before ][ this ] live       =>  [ ---- before ---- ] live
 *       live  [ this ][ after ]     =>   live [ --- this --- ]
 *     [ before ][ this ][ after ]   =>  [ -------- before --------- ]
 *     [ before ][ this ] unused     =>    unused
 *
 * `this` is a start, and its size is not in the map any more. Bits that end up inside the block are
 * cleared first: where a neighbour is one granule long, they are its outer ones too.
 */
static inline void join(hy_region *region, hy__fast *fast, uint32_t number, uint32_t n,
                        const neighbours *around)
{
    hy__map *map = hy__map_of(fast);
    const uint32_t start = around->before, end = around->after + around->after_size;
    if (around->before_size != 0) {
        hy__clear_free(map, number - 1);
        hy__clear_start(map, number);
    }
    if (around->after_size != 0) {
        hy__clear_free(map, around->after);
        hy__clear_start(map, around->after);
    }
    hy__poison(region, &fast->segment, number, n);
    if (end == fast->segment.top) {
        hy__clear_free(map, start);
        hy__clear_start(map, end);
        fast->segment.top = start;
    } else {
        set_free_block(region, fast, map, start, end - start);
    }
}

uint32_t hy__fast_give(hy_region *region, hy__segment *segment, uint32_t number, size_t size)
{
    hy__fast *fast = fast_of(segment);
    neighbours around;
    const uint32_t n = measure(region, fast, number, size);
    if (n == 0 || !take_neighbours(region, fast, number, n, &around)) {
        return 0;
    }
    hy__unmark_size(hy__map_of(fast), number, n);
    join(region, fast, number, n, &around);
    fast->live_blocks--;
    return n;
}

/* ---- resizing ------------------------------------------------------------------------------- */

/* [ ---- this ---- ][ after ]  =>  [ this ][ ---- after ---- ] */
static bool shrink(hy_region *region, hy__fast *fast, uint32_t number, uint32_t old_n,
                   uint32_t new_n)
{
    hy__map *map = hy__map_of(fast);
    neighbours around;
    hy__unmark_size(map, number, old_n);
    if (!take_neighbours(region, fast, number + new_n, old_n - new_n, &around)) {
        hy__mark_size(map, number, old_n);
        return false;
    }
    hy__mark_size(map, number, new_n);
    hy__set_start(map, number + new_n);
    join(region, fast, number + new_n, old_n - new_n, &around);
    return true;
}

/* [ this ][ ---- after ---- ]  =>  [ ---- this ---- ][ rest ], where `after` is free or unused */
static bool grow(hy_region *region, hy__fast *fast, uint32_t number, uint32_t old_n, uint32_t new_n)
{
    hy__map *map = hy__map_of(fast);
    const uint32_t end = number + old_n, more = new_n - old_n;
    if (end == fast->segment.top) {
        if (bump(region, fast, 0, more) == 0) {
            return false;
        }
    } else if (!hy__is_free(map, end) || hy__get(fast, end, HY__SIZE) < more ||
               carve(region, fast, end, 0, more) == 0) {
        return false;
    }
    hy__clear_start(map, end);
    hy__mark_size(map, number, new_n);
    return true;
}

bool hy__fast_resize(hy_region *region, hy__segment *segment, uint32_t number, uint32_t old_n,
                     uint32_t new_n)
{
    hy__fast *fast = fast_of(segment);
    if (new_n == old_n) {
        return true;
    }
    return new_n < old_n ? shrink(region, fast, number, old_n, new_n)
                         : grow(region, fast, number, old_n, new_n);
}

/* ---- making --------------------------------------------------------------------------------- */

/* `count` granules hold the blocks, granule 0 (in the header), and the map of all these. */
uint32_t hy__fast_limit(const hy_region *region, size_t bytes)
{
    (void)region;
    const size_t count = bytes / 16;
    if (count < 3) {
        return 0;
    }
    const size_t rest = count + 1 - 2;
    const size_t limit = rest - (rest + 1) / 65;
    return limit > HY__GRANULES_MAX ? HY__GRANULES_MAX : (uint32_t)limit;
}

void hy__fast_make(hy_region *region, hy__segment *segment)
{
    (void)region;
    hy__fast *fast = fast_of(segment);
    fast->small_map = 0;
    fast->tree_map = 0;
    fast->live_blocks = 0;
    fast->map_words = 0;
    for (unsigned i = 0; i < HY__SMALL_BINS; i++) {
        fast->bins[i] = 0;
    }
    for (unsigned i = 0; i < HY__TREES; i++) {
        fast->trees[i] = 0;
    }
    move_top(fast, 1);
}

/* The map lies behind the last granule, so it moves; where it was is unused memory now. */
void hy__fast_extend(hy_region *region, hy__segment *segment, uint32_t limit)
{
    (void)region;
    const hy__fast *fast = fast_of(segment);
    __builtin_memmove(hy__map_at(segment, limit), hy__map_of(fast),
                      fast->map_words * sizeof(hy__map));
    segment->limit = limit;
}
