/*
 * door.c: the functions that callers use. What holds for every table, whoever made it, is here:
 * bounds, NULL, and the counting of calls.
 */
#include <heapyard/domain.h>

#include "base/bits.h"
#include "domain/start.h"
#include "domain/stats.h"
#include "domain/tables.h"

/* ---- before the first call: tables that choose the real ones, and pass on ------------------- */

static const hy_allocator *first_table(void *context)
{
    hy__domain_start();
    const hy__domain_stats *const stats = context;
    return hy__table_of((hy_domain)(stats - hy__domain_stats_of));
}

static void *first_malloc(void *context, size_t size)
{
    const hy_allocator *const table = first_table(context);
    return table->malloc(table->context, size);
}

static void *first_calloc(void *context, size_t count, size_t size)
{
    const hy_allocator *const table = first_table(context);
    return table->calloc(table->context, count, size);
}

static void *first_realloc(void *context, void *block, size_t size)
{
    const hy_allocator *const table = first_table(context);
    return table->realloc(table->context, block, size);
}

static void first_free(void *context, void *block)
{
    const hy_allocator *const table = first_table(context);
    table->free(table->context, block);
}

static const hy_allocator first_tables[HY_DOMAIN_COUNT] = {
#define HY_FIRST_TABLE(name, text, prefix)                                                         \
    [HY_DOMAIN_##name] = {.context = &hy__domain_stats_of[HY_DOMAIN_##name],                       \
                          .malloc = first_malloc,                                                  \
                          .calloc = first_calloc,                                                  \
                          .realloc = first_realloc,                                                \
                          .free = first_free},
    HY_DOMAINS(HY_FIRST_TABLE)
#undef HY_FIRST_TABLE
};

/* ---- the table in force --------------------------------------------------------------------- */

static const hy_allocator *_Atomic current[HY_DOMAIN_COUNT] = {
#define HY_CURRENT_TABLE(name, text, prefix) [HY_DOMAIN_##name] = &first_tables[HY_DOMAIN_##name],
    HY_DOMAINS(HY_CURRENT_TABLE)
#undef HY_CURRENT_TABLE
};

const hy_allocator *hy__table_of(hy_domain domain)
{
    return atomic_load_explicit(&current[domain], memory_order_acquire);
}

void hy__table_publish(hy_domain domain, const hy_allocator *table)
{
    atomic_store_explicit(&current[domain], table, memory_order_release);
}

/* ---- the calls ------------------------------------------------------------------------------ */

#define COUNT_CALL(domain, counter)                                                                \
    HY_COUNT(hy__stat_add(&hy__domain_stats_of[domain], &hy__domain_stats_of[domain].counter, 1))

static void *handed_out(hy_domain domain, void *block)
{
    if (block != NULL) {
        COUNT_CALL(domain, allocs);
    } else {
        COUNT_CALL(domain, failures);
    }
    (void)domain;
    return block;
}

static void *resized(hy_domain domain, void *block)
{
    if (block != NULL) {
        COUNT_CALL(domain, reallocs);
    } else {
        COUNT_CALL(domain, failures);
    }
    (void)domain;
    return block;
}

static void *ask_malloc(hy_domain domain, size_t size)
{
    if (size > PTRDIFF_MAX) {
        return handed_out(domain, NULL);
    }
    const hy_allocator *const table = hy__table_of(domain);
    return handed_out(domain, table->malloc(table->context, size));
}

static void *ask_calloc(hy_domain domain, size_t number, size_t size)
{
    size_t product;
    if (!hy__multiply(number, size, &product) || product > PTRDIFF_MAX) {
        return handed_out(domain, NULL);
    }
    const hy_allocator *const table = hy__table_of(domain);
    return handed_out(domain, table->calloc(table->context, number, size));
}

static void *ask_realloc(hy_domain domain, void *block, size_t size)
{
    if (block == NULL) {
        return ask_malloc(domain, size);
    }
    if (size > PTRDIFF_MAX) {
        return resized(domain, NULL);
    }
    const hy_allocator *const table = hy__table_of(domain);
    return resized(domain, table->realloc(table->context, block, size));
}

static void ask_free(hy_domain domain, void *block)
{
    if (block == NULL) {
        return;
    }
    const hy_allocator *const table = hy__table_of(domain);
    COUNT_CALL(domain, frees);
    table->free(table->context, block);
}

/* NOLINTBEGIN(bugprone-macro-parentheses): takes `void *name(` for an expression */
#define HY_DOMAIN_FUNCTIONS(name, text, prefix)                                                    \
    void *hy_##prefix##_malloc(size_t size)                                                        \
    {                                                                                              \
        return ask_malloc(HY_DOMAIN_##name, size);                                                 \
    }                                                                                              \
                                                                                                   \
    void *hy_##prefix##_calloc(size_t number, size_t size)                                         \
    {                                                                                              \
        return ask_calloc(HY_DOMAIN_##name, number, size);                                         \
    }                                                                                              \
                                                                                                   \
    void *hy_##prefix##_realloc(void *block, size_t size)                                          \
    {                                                                                              \
        return ask_realloc(HY_DOMAIN_##name, block, size);                                         \
    }                                                                                              \
                                                                                                   \
    void hy_##prefix##_free(void *block)                                                           \
    {                                                                                              \
        ask_free(HY_DOMAIN_##name, block);                                                         \
    }

/* NOLINTEND(bugprone-macro-parentheses) */

HY_DOMAINS(HY_DOMAIN_FUNCTIONS)

const char *hy_domain_name(hy_domain domain)
{
    static const char *const names[] = {
#define HY_DOMAIN_TEXT(name, text, prefix) [HY_DOMAIN_##name] = (text),
        HY_DOMAINS(HY_DOMAIN_TEXT)
#undef HY_DOMAIN_TEXT
    };
    return (unsigned)domain < (unsigned)HY_DOMAIN_COUNT ? names[domain] : "unknown";
}
