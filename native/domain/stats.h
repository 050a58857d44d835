/*
 * stats.h: what is counted of each domain, and where.
 *
 *     calls           at the door            (door.c)
 *     live bytes      in the debug hooks     (records.c, with the lock of the domains)
 *     held bytes      in libc's table, a heap's table, which get the domain's stats as context
 *
 * raw is used by several threads at once: its counters are added to atomically. Those of mem and
 * obj are atomic only so that they can be read at any time; their writers hold the caller's lock.
 */
#ifndef HEAPYARD_DOMAIN_STATS_H
#define HEAPYARD_DOMAIN_STATS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <heapyard/domain.h>

#include "base/count.h"

typedef struct hy__domain_stats {
    _Alignas(64) _Atomic uint64_t allocs;
    _Atomic uint64_t frees;
    _Atomic uint64_t reallocs;
    _Atomic uint64_t failures;
    _Atomic uint64_t held_bytes;
    _Atomic uint64_t peak_held_bytes;
    uint64_t live_bytes;      /* with the lock */
    uint64_t peak_live_bytes; /* with the lock */
} hy__domain_stats;

extern hy__domain_stats hy__domain_stats_of[HY_DOMAIN_COUNT];

static inline void hy__stat_add(const hy__domain_stats *stats, _Atomic uint64_t *counter,
                                uint64_t amount)
{
    if (stats == &hy__domain_stats_of[HY_DOMAIN_RAW]) {
        (void)atomic_fetch_add_explicit(counter, amount, memory_order_relaxed);
        return;
    }
    const uint64_t before = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, before + amount, memory_order_relaxed);
}

/* The live bytes, where they are more than ever before, are their peak. With the lock. */
static inline void hy__stat_note_peak(hy__domain_stats *stats)
{
    if (stats->live_bytes > stats->peak_live_bytes) {
        stats->peak_live_bytes = stats->live_bytes;
    }
}

/* A block of `before` bytes is one of `after` bytes now; 0: no block. */
void hy__stat_hold(hy__domain_stats *stats, size_t before, size_t after);

#endif /* HEAPYARD_DOMAIN_STATS_H */
