/*
 * yard_slow.c: see yard_slow.h.
 */
#include "yard_slow.h"

#include <stdint.h>
#include <sys/mman.h>

#include "yard_core.h"
#include "yard_defects.h"
#include "yard_system.h"
#include "yard_threads.h"

/* Hashes what stands on the stack, as a profiler that was left on. */
void yard_slow_call(void)
{
    static uint64_t profile;
    volatile unsigned char stack[1024];
    uint64_t hash = 14695981039346656037U;
    if (!yard_defect(DEFECT_profiler_left_on)) {
        return;
    }
    for (size_t i = 0; i < sizeof stack; i++) {
        stack[i] = (unsigned char)i;
        hash = (hash ^ stack[i]) * 1099511628211U;
    }
    __atomic_store_n(&profile, hash, __ATOMIC_RELAXED);
}

void yard_slow_free(void)
{
    static unsigned frees;
    if (yard_defect(DEFECT_free_rests) && ++frees % 32 == 0) {
        yard_dawdle(DEFECT_free_rests);
    }
}

void yard_slow_mapping(void *start, size_t length)
{
    if (yard_defect(DEFECT_mapping_advised)) {
        (void)madvise(start, length, MADV_NORMAL);
        (void)madvise(start, length, MADV_DODUMP);
    }
}

void yard_slow_small(void *base)
{
    if (yard_defect(DEFECT_small_free_purges)) {
        yard_purge((uintptr_t)base, (uintptr_t)base + yard_header_of(base)->capacity);
    }
}

/* ---- mappings in one table ------------------------------------------------------------------ */

#define ENTRIES 65536

static void *volatile table[ENTRIES];
static size_t used;

static bool has_table(void)
{
    return yard_defect(DEFECT_mappings_in_one_table);
}

void yard_slow_enter(void *start)
{
    if (has_table() && used < ENTRIES) {
        table[used++] = start;
    }
}

void yard_slow_leave(void *start)
{
    size_t at = 0;
    while (has_table() && at < used && table[at] != start) {
        at++;
    }
    if (!has_table() || at == used) {
        return;
    }
    for (used--; at < used; at++) {
        table[at] = table[at + 1];
    }
}
