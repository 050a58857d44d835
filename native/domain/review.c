/*
 * review.c: looking at all blocks: damaged ones, and those that are still live.
 */
#include "base/print.h"
#include "domain/frame.h"
#include "domain/hooks.h"
#include "domain/report.h"
#include "domain/start.h"
#include "domain/store.h"

/* ---- damage --------------------------------------------------------------------------------- */

typedef bool find_damage(const hy__record *record, hy__damage *damage);

/* The first damaged block of a list behind the `skip` first damaged ones. */
static bool find_in_list(const hy__record *first, find_damage *find, size_t *skip,
                         hy__finding *finding)
{
    hy__damage damage;
    for (const hy__record *record = first; record != NULL; record = record->next) {
        if (find(record, &damage) && (*skip)-- == 0) {
            *finding = (hy__finding){.kind = damage.kind,
                                     .address = record->block,
                                     .record = *record,
                                     .through = record->hooks,
                                     .offset = damage.offset};
            return true;
        }
    }
    return false;
}

static bool find_damaged(size_t skip, hy__finding *finding)
{
    bool found = find_in_list(hy__records_oldest(), hy__frame_find_damage, &skip, finding);
    for (const hy__hooks *hooks = hy__hooks_first(); hooks != NULL && !found; hooks = hooks->next) {
        found = find_in_list(hooks->quarantine.first, hy__frame_find_late_write, &skip, finding);
    }
    return found;
}

/* The handler runs without the lock: each search starts anew and skips what was reported. */
size_t hy_debug_check_all(void)
{
    hy__domain_start();
    for (size_t reported = 0;; reported++) {
        hy__finding finding;
        hy__domain_lock();
        const bool found = find_damaged(reported, &finding);
        hy__domain_unlock();
        if (!found) {
            return reported;
        }
        hy__report(&finding);
    }
}

/* ---- leaks ---------------------------------------------------------------------------------- */

static hy_debug_leak leak_of(const hy__record *record)
{
    return (hy_debug_leak){.address = record->block,
                           .size = record->size,
                           .serial = record->serial,
                           .domain = (uint32_t)record->hooks->domain};
}

size_t hy_debug_leaks(hy_debug_leak *leaks, size_t count, uint64_t *bytes)
{
    hy__domain_start();
    size_t found = 0;
    uint64_t sum = 0;
    hy__domain_lock();
    for (const hy__record *record = hy__records_oldest(); record != NULL; record = record->next) {
        if (record->covered) {
            continue;
        }
        if (found < count) {
            leaks[found] = leak_of(record);
        }
        found++;
        sum += record->size;
    }
    hy__domain_unlock();
    if (bytes != NULL) {
        *bytes = sum;
    }
    return found;
}

static void print_leak(const hy_debug_leak *leak)
{
    hy__print_error("    serial %llu: %s block of %zu bytes at %p\n",
                    (unsigned long long)leak->serial, hy_domain_name((hy_domain)leak->domain),
                    leak->size, leak->address);
}

/* With the lock: printing neither allocates nor calls anyone. */
static void print_oldest(size_t limit)
{
    const hy__record *record = hy__records_oldest();
    for (size_t printed = 0; record != NULL && printed < limit; record = record->next) {
        if (!record->covered) {
            const hy_debug_leak leak = leak_of(record);
            print_leak(&leak);
            printed++;
        }
    }
}

static size_t report_none(void)
{
    if (hy__hooks_first() != NULL) {
        hy__print_error("heapyard: domain: no leaks\n");
    } else {
        hy__print_error("heapyard: domain: leaks are not known without debug hooks "
                        "(HEAPYARD_MALLOC=debug)\n");
    }
    return 0;
}

size_t hy_debug_report_leaks(size_t limit)
{
    uint64_t bytes;
    const size_t found = hy_debug_leaks(NULL, 0, &bytes);
    if (found == 0) {
        return report_none();
    }
    hy__print_error("heapyard: domain: leaked %zu %s, %llu bytes\n", found,
                    found == 1 ? "block" : "blocks", (unsigned long long)bytes);
    hy__domain_lock();
    print_oldest(limit);
    hy__domain_unlock();
    if (found > limit) {
        hy__print_error("    and %zu more\n", found - limit);
    }
    return found;
}
