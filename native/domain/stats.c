#include "domain/stats.h"

#include "domain/records.h"
#include "domain/start.h"
#include "domain/store.h"

hy__domain_stats hy__domain_stats_of[HY_DOMAIN_COUNT];

static uint64_t load(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

void hy__stat_hold(hy__domain_stats *stats, size_t before, size_t after)
{
    hy__stat_add(stats, &stats->held_bytes, (uint64_t)after - (uint64_t)before);
    const uint64_t held = load(&stats->held_bytes);
    uint64_t peak = load(&stats->peak_held_bytes);
    /* After a race held may have "sunk below zero" for a moment: that is no peak. */
    while (held > peak && held <= PTRDIFF_MAX &&
           !atomic_compare_exchange_weak_explicit(&stats->peak_held_bytes, &peak, held,
                                                  memory_order_relaxed, memory_order_relaxed)) {
    }
}

#if HEAPYARD_COUNTERS
static void read_counters(hy_domain domain, hy_domain_counters *counters)
{
    hy__domain_stats *const stats = &hy__domain_stats_of[domain];
    counters->frees = load(&stats->frees);
    counters->allocs = load(&stats->allocs);
    counters->reallocs = load(&stats->reallocs);
    counters->failures = load(&stats->failures);
    counters->live_blocks = counters->allocs - counters->frees;
    counters->held_bytes = load(&stats->held_bytes);
    counters->peak_held_bytes = load(&stats->peak_held_bytes);
    hy__domain_lock();
    hy__stat_note_peak(stats);
    counters->live_bytes = stats->live_bytes;
    counters->peak_live_bytes = stats->peak_live_bytes;
    hy__records_quarantined(domain, &counters->quarantined_blocks, &counters->quarantined_bytes);
    hy__domain_unlock();
}
#endif

bool hy_domain_get_counters(hy_domain domain, hy_domain_counters *counters)
{
    *counters = (hy_domain_counters){.size = (uint32_t)sizeof *counters, .version = 1};
    hy__domain_start();
#if HEAPYARD_COUNTERS
    if ((unsigned)domain < (unsigned)HY_DOMAIN_COUNT) {
        read_counters(domain, counters);
        return true;
    }
#endif
    (void)domain;
    return false;
}
