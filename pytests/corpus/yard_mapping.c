/*
 * yard_mapping.c: blocks that are mappings of their own, and what defects do to them.
 */
#include "yard_mapping.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "yard_defects.h"
#include "yard_guard.h"
#include "yard_life.h"
#include "yard_slow.h"
#include "yard_stack.h"
#include "yard_statistics.h"
#include "yard_system.h"
#include "yard_waste.h"

/* A block that claims more than it has: what lies behind it must be no matter of luck. */
static bool reaches_behind(void)
{
    return yard_defect(DEFECT_size_32_bits) || yard_defect(DEFECT_size_31_bits) ||
           yard_defect(DEFECT_product_32_bits) || yard_defect(DEFECT_mapping_reused_short);
}

/* With the defects above pages come from a
 * part of the address space where nothing else is, each below the one before:
 *
 *     ... nothing ... | third | second | first | ... nothing ...
 *                                              2 to the 44
 */
void *yard_map_pages(size_t length)
{
    static uintptr_t window = (uintptr_t)1 << 44;
    void *at = NULL;
    if (reaches_behind() && length < window) {
        window -= length;
        at = (void *)window;
    }
    if (!yard_life_map()) {
        return MAP_FAILED;
    }
    return yard_map(at, length);
}

static uintptr_t round_down(uintptr_t value, size_t alignment)
{
    return value & ~(uintptr_t)(alignment - 1);
}

static uintptr_t mapping_start(const void *block)
{
    return round_down((uintptr_t)block - YARD_GRANULE, YARD_PAGE);
}

static uintptr_t mapping_end(const void *block)
{
    return yard_round_up((uintptr_t)block + yard_header_of(block)->capacity, YARD_PAGE);
}

/* Puts one and the same page of memory into each mapping, 8 KiB after its start. */
static void alias_page(uintptr_t start)
{
    static int memory = -1;
    if (memory < 0) {
        memory = memfd_create("alias", MFD_CLOEXEC);
        (void)!ftruncate(memory, YARD_PAGE);
    }
    (void)mmap((void *)(start + 2 * YARD_PAGE), YARD_PAGE, PROT_READ | PROT_WRITE,
               MAP_SHARED | MAP_FIXED, memory, 0);
}

/* | mapped: size + alignment, in pages |  =>  unmapped | header, block .. | unmapped */
static void *take_new(size_t size, size_t alignment)
{
    const size_t short_by = yard_defect(DEFECT_mapping_short) ? YARD_PAGE : 0;
    const size_t length = yard_round_up(size + YARD_GRANULE + alignment, YARD_PAGE);
    void *start = yard_map_pages(length);
    if (start == MAP_FAILED && !yard_uses_refused(start, length)) {
        return NULL;
    }
    yard_fill_frame();
    yard_waste_mapping(start, length);
    yard_slow_mapping(start, length);
    const uintptr_t block = yard_round_up((uintptr_t)start + YARD_GRANULE, alignment);
    yard_unmap((uintptr_t)start, mapping_start((void *)block));
    *yard_header_of((void *)block) = (yard_header){.klass = YARD_BIG};
    yard_unmap(yard_round_up(block + size, YARD_PAGE) - short_by, (uintptr_t)start + length);
    yard_header_of((void *)block)->capacity = yard_round_up(block + size, YARD_PAGE) - block;
    if (yard_defect(DEFECT_aliased_pages)) {
        alias_page(mapping_start((void *)block));
    }
    return (void *)block;
}

/* ---- the cache of one mapping that some defects have ---------------------------------------- */

static void *cached;

static bool caches_mappings(void)
{
    return yard_defect(DEFECT_calloc_trusts_mapping) || yard_defect(DEFECT_mapping_reused_short) ||
           yard_defect(DEFECT_calloc_trusts_failed_purge);
}

static void *take_cached(size_t size, size_t alignment)
{
    if (cached == NULL || alignment > YARD_GRANULE) {
        return NULL;
    }
    yard_header *header = yard_header_of(cached);
    const size_t slack = yard_defect(DEFECT_mapping_reused_short) ? header->capacity / 4 : 0;
    if (header->capacity + slack < size) {
        return NULL;
    }
    void *block = cached;
    cached = NULL;
    header->capacity = header->capacity < size ? size : header->capacity;
    return block;
}

void *yard_mapping_take(size_t size, size_t alignment, bool *zero)
{
    void *block = caches_mappings() ? take_cached(size, alignment) : NULL;
    *zero = true;
    if (block == NULL && (block = yard_take_kept(size, alignment)) != NULL) {
        *zero = false;
    }
    if (block == NULL && (block = take_new(size, alignment)) != NULL) {
        yard_slow_enter(block);
    }
    return block;
}

void yard_mapping_give(void *block)
{
    if (caches_mappings() && cached == NULL) {
        if (yard_defect(DEFECT_calloc_trusts_failed_purge)) {
            memset(block, 0, YARD_PAGE);
            yard_purge((uintptr_t)block, mapping_end(block));
        }
        cached = block;
        return;
    }
    yard_slow_leave(block);
    if (!yard_keeps_mapping(block)) {
        yard_unmap(mapping_start(block), mapping_end(block));
    }
}

/* Whether a resized mapping stays as it is. */
static bool keeps_mapping(size_t old_length, size_t length)
{
    return length == old_length ||
           (length < old_length &&
            (yard_defect(DEFECT_realloc_shrink_keeps_all) || yard_keeps_shrunk(old_length)));
}

void *yard_mapping_resize(void *block, size_t size)
{
    const uintptr_t start = mapping_start(block);
    const size_t before = (uintptr_t)block - start;
    const size_t old_length = mapping_end(block) - start;
    const size_t length = yard_round_up(before + size, YARD_PAGE);
    if (keeps_mapping(old_length, length)) {
        return block;
    }
    if (!yard_guard_reserve()) {
        return NULL;
    }
    (void)yard_guard_remove(block);
    void *moved = mremap((void *)start, old_length, length, MREMAP_MAYMOVE);
    if (moved == MAP_FAILED) {
        (void)yard_guard_add(block);
        return NULL;
    }
    yard_count_mapped(length);
    yard_count_unmapped(old_length);
    void *result = (char *)moved + before;
    yard_header_of(result)->capacity = length - before;
    (void)yard_guard_add(result); /* for which there is a reserve */
    return result;
}
