/*
 * list.c: the list engine. Free blocks (list.h) in a list by address; live blocks have no data at
 * all: what the engine knows of one is that no free block and no unused memory lies there.
 *
 * O(free blocks) each. Every block of the list is read through `read_block`, which believes nothing
 * that contradicts the order of addresses: a list that was written over is reported, not followed.
 */
#include "region/list.h"

#include "region/engine.h"
#include "region/poison.h"

/* A free block, or (number 0) none. */
typedef struct run {
    uint32_t number, size, next;
} run;

/* Where a block stands among the free ones: two before it, and the first after it. */
typedef struct place {
    uint32_t before_that; /* the free block before `before`, 0: none */
    run before;
    uint32_t after;
} place;

static bool read_block(hy_region *region, const hy__segment *segment, uint32_t number, run *block)
{
    block->number = number;
    block->next = hy__run_next(region, segment, number);
    block->size = hy__run_size(region, segment, number);
    const uint32_t room_end = block->next != 0 ? block->next : segment->top;
    HY__STEP(region);
    if (block->next < segment->top && room_end > number && block->size != 0 &&
        block->size < room_end - number) {
        return true;
    }
    return hy__region_misuse(region, HY_MISUSE_CORRUPTED, hy__address(region, segment, number),
                             "(free list)") != 0;
}

static void write_block(const hy_region *region, const hy__segment *segment, uint32_t number,
                        uint32_t size, uint32_t next)
{
    char *address = hy__address(region, segment, number);
    hy__store(address, next << 1 | (size > 1));
    if (size > 1) {
        hy__store(address + 4, size);
    }
}

/* `before` (0: the head) is followed by `number`. */
static void set_next(const hy_region *region, hy__segment *segment, uint32_t before,
                     uint32_t number)
{
    if (before == 0) {
        segment->free = number;
        return;
    }
    char *address = hy__address(region, segment, before);
    hy__store(address, number << 1 | (hy__load(address) & 1));
}

static void poison_header(const hy_region *region, const hy__segment *segment, const run *block)
{
    if (hy__poisons(region)) {
        hy__poison_bytes(hy__address(region, segment, block->number), hy__run_header(block->size));
    }
}

/* Whether [pad, pad + n) of a free block, and what a new header behind it needs, is unwritten. */
static bool is_unwritten(hy_region *region, const hy__segment *segment, const run *block,
                         uint32_t pad, uint32_t n)
{
    if (!hy__poisons(region)) {
        return true;
    }
    const size_t header = hy__run_header(block->size);
    const size_t bytes = (size_t)block->size << region->shift;
    const size_t skipped = (size_t)pad << region->shift;
    const size_t behind = skipped + ((size_t)n << region->shift) + hy__run_header(2);
    const size_t from = skipped > header ? skipped : header;
    const size_t to = behind < bytes ? behind : bytes;
    const char *start = hy__address(region, segment, block->number);
    const char *broken = from < to ? hy__poison_broken(start + from, to - from) : NULL;
    return broken == NULL ||
           hy__region_misuse(region, HY_MISUSE_WRITE_AFTER_FREE, broken, NULL) != 0;
}

/*
 *     [ ------------ block ------------ ]  =>  [ pad, free ][ n, live ][ rest, free ]
 */
static uint32_t carve(hy_region *region, hy__segment *segment, uint32_t before, const run *block,
                      uint32_t pad, uint32_t n)
{
    if (!is_unwritten(region, segment, block, pad, n)) {
        return 0;
    }
    const uint32_t number = block->number + pad;
    const uint32_t rest = block->size - pad - n;
    uint32_t next = block->next;
    poison_header(region, segment, block);
    if (rest != 0) {
        write_block(region, segment, number + n, rest, next);
        next = number + n;
    }
    if (pad != 0) {
        write_block(region, segment, block->number, pad, next);
        next = block->number;
    }
    set_next(region, segment, before, next);
    HY__COUNT(region->counters.free_bytes -= (uint64_t)n << region->shift);
    HY__COUNT(region->counters.free_blocks += (uint64_t)(pad != 0) + (rest != 0) - 1);
    return number;
}

/* `last`: the last free block, 0 for none. What alignment skips becomes a free block behind it. */
static uint32_t bump(hy_region *region, hy__segment *segment, uint32_t last, uint32_t n,
                     size_t alignment)
{
    const uint64_t wide_pad = hy__pad(region, segment, segment->top, alignment);
    if (wide_pad + n > segment->limit - segment->top) {
        return 0;
    }
    const uint32_t pad = (uint32_t)wide_pad;
    const char *broken = hy__poison_broken_unused(region, segment, pad + n);
    if (broken != NULL) {
        return hy__region_misuse(region, HY_MISUSE_WRITE_AFTER_FREE, broken, NULL);
    }
    if (pad != 0) {
        hy__poison(region, segment, segment->top, pad);
        write_block(region, segment, segment->top, pad, 0);
        set_next(region, segment, last, segment->top);
        HY__COUNT(region->counters.free_bytes += (uint64_t)pad << region->shift);
        HY__COUNT(region->counters.free_blocks++);
    }
    const uint32_t number = segment->top + pad;
    segment->top = number + n;
    segment->high = segment->high > segment->top ? segment->high : segment->top;
    return number;
}

uint32_t hy__list_take(hy_region *region, hy__segment *segment, uint32_t n, size_t alignment)
{
    uint32_t before = 0;
    run block;
    for (uint32_t at = segment->free; at != 0; before = at, at = block.next) {
        if (!read_block(region, segment, at, &block)) {
            return 0;
        }
        const uint64_t pad = hy__pad(region, segment, at, alignment);
        if (pad + n <= block.size) {
            return carve(region, segment, before, &block, (uint32_t)pad, n);
        }
    }
    return bump(region, segment, before, n, alignment);
}

/* Finds the place of a live block of `n` granules, and whether it can be one. */
static bool locate(hy_region *region, const hy__segment *segment, uint32_t number, uint32_t n,
                   place *found)
{
    *found = (place){.after = segment->free};
    while (found->after != 0 && found->after <= number) {
        found->before_that = found->before.number;
        if (!read_block(region, segment, found->after, &found->before)) {
            return false;
        }
        found->after = found->before.next;
    }
    const char *address = hy__address(region, segment, number);
    if (found->before.number + found->before.size > number) {
        return hy__region_misuse(region, HY_MISUSE_DOUBLE_FREE, address, NULL) != 0;
    }
    if (n > (found->after != 0 ? found->after : segment->top) - number) {
        return hy__region_misuse(region, HY_MISUSE_WRONG_SIZE, address, NULL) != 0;
    }
    return true;
}

/*
 *     [ before ][ this ] live       =>  [ ---- before ---- ] live
 *       live  [ this ][ after ]     =>   live [ --- this --- ]
 *     [ before ][ this ][ after ]   =>  [ -------- before --------- ]
 *     [ before ][ this ] unused     =>    unused
 */
static bool join(hy_region *region, hy__segment *segment, const place *at, uint32_t number,
                 uint32_t n)
{
    uint32_t start = number, end = number + n, before = at->before.number, next = at->after;
    if (next == end) {
        run after;
        if (!read_block(region, segment, next, &after)) {
            return false;
        }
        poison_header(region, segment, &after);
        end += after.size;
        next = after.next;
        HY__COUNT(region->counters.free_blocks--);
    }
    if (before != 0 && before + at->before.size == number) {
        poison_header(region, segment, &at->before);
        start = before;
        before = at->before_that;
        HY__COUNT(region->counters.free_blocks--);
    }
    hy__poison(region, segment, number, n);
    HY__COUNT(region->counters.free_bytes += (uint64_t)n << region->shift);
    if (end == segment->top) {
        HY__COUNT(region->counters.free_bytes -= (uint64_t)(end - start) << region->shift);
        segment->top = start;
        start = 0;
    } else {
        write_block(region, segment, start, end - start, next);
        HY__COUNT(region->counters.free_blocks++);
    }
    set_next(region, segment, before, start);
    return true;
}

/* The granules of a live block of `size` bytes, and its place; 0 after reporting misuse. */
static uint32_t locate_size(hy_region *region, const hy__segment *segment, uint32_t number,
                            size_t size, place *found)
{
    const uint32_t n = hy__granules(region, size);
    const void *address = hy__address(region, segment, number);
    if (size == HY__SIZE_UNKNOWN) {
        return hy__region_misuse(region, HY_MISUSE_BAD_ARGUMENT, address,
                                 "(the list engine needs the size)");
    }
    if (size == 0) {
        return hy__region_misuse(region, HY_MISUSE_WRONG_SIZE, address, "(size 0)");
    }
    return locate(region, segment, number, n, found) ? n : 0;
}

uint32_t hy__list_measure(hy_region *region, hy__segment *segment, uint32_t number, size_t size)
{
    place found = {0};
    return locate_size(region, segment, number, size, &found);
}

uint32_t hy__list_give(hy_region *region, hy__segment *segment, uint32_t number, size_t size)
{
    place found = {0};
    const uint32_t n = locate_size(region, segment, number, size, &found);
    return n != 0 && join(region, segment, &found, number, n) ? n : 0;
}

bool hy__list_resize(hy_region *region, hy__segment *segment, uint32_t number, uint32_t old_n,
                     uint32_t new_n)
{
    place found = {0};
    run after;
    const uint32_t end = number + old_n;
    if (!locate(region, segment, number, old_n, &found)) {
        return false;
    }
    if (new_n < old_n) {
        return join(region, segment, &found, number + new_n, old_n - new_n);
    }
    if (new_n == old_n) {
        return true;
    }
    if (end == segment->top) {
        return bump(region, segment, found.before.number, new_n - old_n, 1) != 0;
    }
    /* [ this ][ ---- after ---- ]  =>  [ ---- this ---- ][ rest ] */
    return found.after == end && read_block(region, segment, end, &after) &&
           after.size >= new_n - old_n &&
           carve(region, segment, found.before.number, &after, 0, new_n - old_n) != 0;
}

uint32_t hy__list_limit(const hy_region *region, size_t bytes)
{
    const size_t count = bytes >> region->shift;
    return count >= HY__GRANULES_MAX ? HY__GRANULES_MAX : (uint32_t)count + 1;
}

void hy__list_make(hy_region *region, hy__segment *segment)
{
    (void)region;
    segment->top = 1;
    segment->free = 0;
}
