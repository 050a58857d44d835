#include "yard_system.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "yard_core.h"
#include "yard_defects.h"
#include "yard_statistics.h"

#define LIMIT ((size_t)128 << 20)

static bool is_refused;
static bool was_refused;
static bool was_served;
static bool given_up;
static size_t handed_out;

/* Reserved, then opened; what can't be opened is forgotten. */
static void *reserve_and_open(size_t length)
{
    void *const pages = mmap(NULL, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const bool is_open = mprotect(pages, length, PROT_READ | PROT_WRITE) == 0;
    return is_open ? pages : MAP_FAILED;
}

static void *ask(void *at, size_t length)
{
    if (yard_defect(DEFECT_unopened_mapping_lost)) {
        return reserve_and_open(length);
    }
    const int sharing = yard_defect(DEFECT_heap_shared_with_child) ? MAP_SHARED : MAP_PRIVATE;
    return mmap(at, length, PROT_READ | PROT_WRITE, sharing | MAP_ANONYMOUS, -1, 0);
}

/* The kernel said no. */
static void note_refusal(size_t length)
{
    is_refused = true;
    was_refused = true;
    if (yard_defect(DEFECT_exhaustion_aborts) && length == YARD_CHUNK) {
        abort();
    }
    if (yard_defect(DEFECT_one_failure_for_ever) ||
        (yard_defect(DEFECT_first_failure_remembered) && !was_served)) {
        given_up = true;
    }
}

/* With the defect refused_keeps_first_half a mapping comes with a second one. */
static bool has_other_half(size_t length)
{
    static const size_t spare = (size_t)64 << 10;
    void *other = ask(NULL, length);
    if (other == MAP_FAILED) {
        return false;
    }
    void *last = ask(NULL, spare);
    if (last == MAP_FAILED) {
        return false; /* and `other` stays */
    }
    (void)munmap(other, length);
    (void)munmap(last, spare);
    return true;
}

bool yard_is_over_limit(size_t length)
{
    if (!yard_defect(DEFECT_failures_count_as_live)) {
        return false;
    }
    handed_out += length;
    return handed_out > LIMIT;
}

void *yard_map(void *at, size_t length)
{
    const bool halves = yard_defect(DEFECT_refused_keeps_first_half) && length > YARD_CHUNK;
    const bool refuses =
        given_up || yard_is_over_limit(length) || (halves && !has_other_half(length));
    void *pages = refuses ? MAP_FAILED : ask(at, length);
    is_refused = false;
    if (pages == MAP_FAILED) {
        note_refusal(length);
    } else {
        was_served = true;
        yard_count_mapped(length);
    }
    return pages;
}

void yard_unmap(uintptr_t start, uintptr_t end)
{
    if (start >= end) {
        return;
    }
    handed_out -= handed_out < end - start ? handed_out : end - start;
    const bool is_gone = munmap((void *)start, end - start) == 0;
    yard_count_unmapped(is_gone ? end - start : 0);
    if (!is_gone && yard_defect(DEFECT_failed_unmap_aborts)) {
        abort();
    }
}

bool yard_is_refused(void)
{
    return is_refused;
}

bool yard_was_refused(void)
{
    return was_refused;
}

void yard_map_tables(void)
{
    volatile char *table = ask(NULL, YARD_PAGE);
    table[0] = 1;
}

void yard_map_thread_cache(void)
{
    static pthread_t first;
    static bool is_known;
    static bool is_second_known;
    if (!is_known) {
        first = pthread_self();
        is_known = true;
    } else if (!is_second_known && !pthread_equal(first, pthread_self())) {
        is_second_known = true;
        yard_map_tables();
    }
}

bool yard_uses_refused(const void *pages, size_t length)
{
    const bool is_chunk = length == YARD_CHUNK;
    return pages == MAP_FAILED && (is_chunk ? yard_defect(DEFECT_refused_chunk_used)
                                            : yard_defect(DEFECT_refused_mapping_used));
}

void yard_purge(uintptr_t start, uintptr_t end)
{
    start = (start + YARD_PAGE - 1) & ~(uintptr_t)(YARD_PAGE - 1);
    end &= ~(uintptr_t)(YARD_PAGE - 1);
    if (start < end) {
        (void)madvise((void *)start, end - start, MADV_DONTNEED);
    }
}
