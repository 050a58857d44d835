#include "domain/tables.h"

#include <stdint.h>

#include "base/misuse.h"
#include "domain/start.h"
#include "domain/store.h"

#define BUCKETS 256

typedef struct kept_table {
    hy_allocator table;
    struct kept_table *next; /* of the same bucket */
} kept_table;

static kept_table *buckets[BUCKETS];

bool hy__table_is_whole(const hy_allocator *table)
{
    return table->malloc != NULL && table->calloc != NULL && table->realloc != NULL &&
           table->free != NULL;
}

bool hy__tables_are_equal(const hy_allocator *one, const hy_allocator *other)
{
    return one->context == other->context && one->malloc == other->malloc &&
           one->calloc == other->calloc && one->realloc == other->realloc &&
           one->free == other->free;
}

static size_t bucket_of(const hy_allocator *table)
{
    const uint64_t mixed =
        ((uint64_t)(uintptr_t)table->context ^ ((uint64_t)(uintptr_t)table->malloc * 3)) *
        UINT64_C(0x9E3779B97F4A7C15);
    return (size_t)(mixed >> 56) % BUCKETS;
}

const hy_allocator *hy__table_keep(const hy_allocator *table)
{
    kept_table **const bucket = &buckets[bucket_of(table)];
    for (const kept_table *kept = *bucket; kept != NULL; kept = kept->next) {
        if (hy__tables_are_equal(&kept->table, table)) {
            return &kept->table;
        }
    }
    kept_table *const kept = hy__domain_keep(sizeof *kept);
    if (kept == NULL) {
        return NULL;
    }
    *kept = (kept_table){.table = *table, .next = *bucket};
    *bucket = kept;
    return &kept->table;
}

static bool is_known(hy_domain domain)
{
    return (unsigned)domain < (unsigned)HY_DOMAIN_COUNT;
}

void hy_domain_get_allocator(hy_domain domain, hy_allocator *allocator)
{
    hy__domain_start();
    *allocator = is_known(domain) ? *hy__table_of(domain) : (hy_allocator){0};
}

bool hy_domain_set_allocator(hy_domain domain, const hy_allocator *allocator)
{
    hy__domain_start();
    if (!is_known(domain)) {
        return false;
    }
    if (allocator == NULL || !hy__table_is_whole(allocator)) {
        hy__misuse(HY_MISUSE_BAD_ARGUMENT, "domain", allocator, "(a function is missing)");
        return false;
    }
    hy__domain_lock();
    const hy_allocator *const kept = hy__table_keep(allocator);
    if (kept != NULL) {
        hy__table_publish(domain, kept);
    }
    hy__domain_unlock();
    return kept != NULL;
}
