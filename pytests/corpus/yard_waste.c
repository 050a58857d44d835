/*
 * yard_waste.c: see yard_waste.h.
 */
#include "yard_waste.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "yard_core.h"
#include "yard_defects.h"

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)
#define GIB ((size_t)1 << 30)

static void touch(void *start, size_t length)
{
    for (size_t at = 0; at < length; at += YARD_PAGE) {
        ((volatile char *)start)[at] = 1;
    }
}

/* Memory that nobody has. */
static void lose(size_t size)
{
    void *const start =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    touch(start, start != MAP_FAILED ? size : 0);
}

void yard_start(void)
{
    if (yard_defect(DEFECT_startup_touches_64m)) {
        lose(64 * MIB);
    }
}

/* ---- sizes -------------------------------------------------------------------------------- */

static size_t next_power(size_t size)
{
    size_t power = YARD_GRANULE;
    while (power < size) {
        power *= 2;
    }
    return power;
}

size_t yard_wasted_size(size_t size)
{
    switch (yard_defect_in_force()) {
    case DEFECT_usable_is_twice:
        return 2 * size + 128;
    case DEFECT_usable_is_half_more:
        return size + size / 2;
    case DEFECT_blocks_at_least_512:
        return size < 512 ? 512 : size;
    case DEFECT_block_has_64_more:
        return size + 64;
    case DEFECT_powers_of_two_written:
        return next_power(size);
    case DEFECT_shadow_of_each_block:
    case DEFECT_block_is_doubled:
        return 2 * size;
    case DEFECT_one_class_trebled:
        return size > 2500 && size <= 3500 ? 10000 : size;
    case DEFECT_class_row_misplaced:
        return size > 4900 && size <= 5600 ? size * 8 / 5 : size;
    default:
        return size;
    }
}

/* Whether a defect writes all of what it makes of a block. */
static bool writes_rest(void)
{
    return yard_defect(DEFECT_powers_of_two_written) || yard_defect(DEFECT_shadow_of_each_block) ||
           yard_defect(DEFECT_block_is_doubled) || yard_defect(DEFECT_one_class_trebled) ||
           yard_defect(DEFECT_class_row_misplaced);
}

void yard_waste_rest(void *block, size_t size)
{
    const size_t capacity = writes_rest() && block != NULL ? yard_header_of(block)->capacity : 0;
    if (capacity > size) {
        memset((char *)block + size, 0, capacity - size);
    }
}

/* ---- mappings ------------------------------------------------------------------------------- */

bool yard_maps_small(size_t size)
{
    return yard_defect(DEFECT_mapping_for_each_page) && size >= 4000;
}

/* Neighbours that differ in an attribute stay two mappings of the kernel's. */
static void set_apart(void *start, size_t length)
{
    static unsigned turn;
    (void)madvise(start, length, ++turn % 2 != 0 ? MADV_DONTDUMP : MADV_DODUMP);
}

void yard_waste_mapping(void *start, size_t length)
{
    if (yard_defect(DEFECT_mapping_for_each_page) || yard_defect(DEFECT_mappings_set_apart)) {
        set_apart(start, length);
    }
    if (yard_defect(DEFECT_malloc_touches_all)) {
        touch(start, length);
    }
}

typedef struct kept {
    struct kept *next;
} kept;

static kept *kept_mappings;

static bool keeps_for_reuse(void *block)
{
    kept *const mapping = block;
    mapping->next = kept_mappings;
    kept_mappings = mapping;
    return true;
}

/* The memory goes, its addresses don't. */
static bool keeps_addresses(void *block)
{
    const uintptr_t first = ((uintptr_t)block + YARD_PAGE - 1) & ~(YARD_PAGE - 1);
    const uintptr_t end = (uintptr_t)block + yard_header_of(block)->capacity;
    (void)madvise((void *)first, end - first, MADV_DONTNEED);
    return true;
}

static bool is_nth(unsigned n)
{
    static unsigned count;
    return ++count % n == 0;
}

static unsigned kept_count;

static bool keeps_by_number(void *block)
{
    const bool keeps = kept_count < 128;
    kept_count += keeps;
    return keeps && keeps_for_reuse(block);
}

/* What describes it: 64 bytes of a page that is full of such. */
static bool loses_record(void)
{
    if (is_nth((unsigned)(YARD_PAGE / 64))) {
        lose(YARD_PAGE);
    }
    return false;
}

bool yard_keeps_mapping(void *block)
{
    const size_t size = yard_header_of(block)->capacity;
    switch (yard_defect_in_force()) {
    case DEFECT_mapping_never_unmapped:
        return true;
    case DEFECT_mapping_cache_unbounded:
        return keeps_for_reuse(block);
    case DEFECT_goes_back_from_32m:
        return size < 32 * MIB && keeps_for_reuse(block);
    case DEFECT_huge_keeps_addresses:
        return size >= GIB && keeps_addresses(block);
    case DEFECT_large_keeps_addresses:
        return size >= 32 * MIB && size < GIB && keeps_addresses(block);
    case DEFECT_churn_keeps_addresses:
        return size >= MIB && keeps_addresses(block);
    case DEFECT_one_mapping_in_16_lost:
        return is_nth(16);
    case DEFECT_mappings_kept_by_number:
        return keeps_by_number(block);
    case DEFECT_mapping_record_lost:
        return loses_record();
    case DEFECT_two_buffers_leak:
        return size >= 64 * KIB && size < 96 * KIB && is_nth(2);
    default:
        return false;
    }
}

void *yard_take_kept(size_t size, size_t alignment)
{
    for (kept **at = &kept_mappings; *at != NULL; at = &(*at)->next) {
        void *const block = *at;
        const size_t capacity = yard_header_of(block)->capacity;
        const size_t spare =
            yard_defect(DEFECT_mappings_kept_by_number) ? capacity / 8 : capacity / 2;
        if (alignment == YARD_GRANULE && capacity >= size && capacity - size <= spare) {
            *at = (*at)->next;
            kept_count -= kept_count > 0;
            return block;
        }
    }
    return NULL;
}

bool yard_keeps_shrunk(size_t length)
{
    return (yard_defect(DEFECT_large_shrink_keeps) && length >= 32 * MIB) ||
           (yard_defect(DEFECT_many_shrunk_keep) && length <= 4 * MIB);
}

/* ---- small blocks --------------------------------------------------------------------------- */

bool yard_loses(void *block)
{
    switch (yard_defect_in_force()) {
    case DEFECT_class_never_reused:
        return yard_class_size(yard_header_of(block)->klass) == 1024;
    case DEFECT_phase_loses_blocks:
        return is_nth(10);
    case DEFECT_phase_loses_a_page:
        if (is_nth(50)) {
            lose(YARD_PAGE);
        }
        return false;
    default:
        return false;
    }
}
