/*
 * layers.c: making hooks. One set for each domain, table below and configuration, kept for good.
 */
#include "base/bits.h"
#include "base/misuse.h"
#include "domain/hooks.h"
#include "domain/start.h"
#include "domain/store.h"
#include "domain/tables.h"

static hy__hooks *first_hooks;

hy__hooks *hy__hooks_first(void)
{
    return first_hooks;
}

/* ---- the configuration ---------------------------------------------------------------------- */

static size_t or_default(size_t value, size_t standard)
{
    return value != 0 ? value : standard;
}

static bool is_allowed(const hy_debug_config *config)
{
    return config->size == sizeof *config && config->guard_bytes <= HY_DEBUG_MAX_GUARD &&
           config->guard_bytes % 16 == 0 &&
           (config->flags & ~(uint32_t)HY_DEBUG_NO_QUARANTINE) == 0 && config->reserved == 0;
}

/* The configuration without zeros that mean something else; false: misuse, reported. */
static bool resolve(const hy_debug_config *given, hy_debug_config *resolved)
{
    const hy_debug_config standard = {.size = sizeof standard};
    *resolved = given != NULL ? *given : standard;
    if (!is_allowed(resolved)) {
        hy__misuse(HY_MISUSE_BAD_ARGUMENT, "domain", given, "(configuration)");
        return false;
    }
    resolved->guard_bytes = or_default(resolved->guard_bytes, HY_DEBUG_DEFAULT_GUARD);
    resolved->quarantine_bytes =
        or_default(resolved->quarantine_bytes, HY_DEBUG_DEFAULT_QUARANTINE_BYTES);
    resolved->quarantine_blocks =
        or_default(resolved->quarantine_blocks, HY_DEBUG_DEFAULT_QUARANTINE_BLOCKS);
    if ((resolved->flags & HY_DEBUG_NO_QUARANTINE) != 0) {
        resolved->quarantine_bytes = 0;
        resolved->quarantine_blocks = 0;
    }
    return true;
}

/* ---- hooks; with the lock ------------------------------------------------------------------- */

static bool are_these(const hy__hooks *hooks, hy_domain domain, const hy_allocator *below,
                      const hy_debug_config *config)
{
    return hooks->domain == domain && hooks->guard == config->guard_bytes &&
           hooks->quarantine_bytes == config->quarantine_bytes &&
           hooks->quarantine_blocks == config->quarantine_blocks &&
           hy__tables_are_equal(&hooks->below, below);
}

static hy__hooks *find_or_make(hy_domain domain, const hy_allocator *below,
                               const hy_debug_config *config)
{
    for (hy__hooks *hooks = first_hooks; hooks != NULL; hooks = hooks->next) {
        if (are_these(hooks, domain, below, config)) {
            return hooks;
        }
    }
    hy__hooks *const hooks = hy__domain_keep(sizeof *hooks);
    if (hooks == NULL) {
        return NULL;
    }
    *hooks = (hy__hooks){.below = *below,
                         .domain = domain,
                         .guard = config->guard_bytes,
                         .quarantine_bytes = config->quarantine_bytes,
                         .quarantine_blocks = config->quarantine_blocks,
                         .next = first_hooks};
    first_hooks = hooks;
    return hooks;
}

static bool set_up_one(hy_domain domain, const hy_debug_config *config)
{
    const hy_allocator *const below = hy__table_of(domain);
    if (hy__is_hooks(below)) {
        return true;
    }
    hy__hooks *const hooks = find_or_make(domain, below, config);
    if (hooks == NULL) {
        return false;
    }
    const hy_allocator table = hy__hooks_table(hooks);
    const hy_allocator *const kept = hy__table_keep(&table);
    if (kept != NULL) {
        hy__table_publish(domain, kept);
    }
    return kept != NULL;
}

/* ---- the public functions ------------------------------------------------------------------- */

bool hy__hooks_set_up(uint32_t domains, const hy_debug_config *config)
{
    hy_debug_config resolved;
    bool done = resolve(config, &resolved);
    if (!done) {
        return false;
    }
    hy__domain_lock();
    for (unsigned i = 0; i < HY_DOMAIN_COUNT && done; i++) {
        if ((domains & HY_DOMAIN_BIT(i)) != 0) {
            done = set_up_one((hy_domain)i, &resolved);
        }
    }
    hy__domain_unlock();
    return done;
}

bool hy_domain_setup_debug_hooks(uint32_t domains, const hy_debug_config *config)
{
    hy__domain_start();
    return hy__hooks_set_up(domains, config);
}

bool hy_debug_wrap(hy_domain domain, const hy_allocator *below, const hy_debug_config *config,
                   hy_allocator *result)
{
    hy__domain_start();
    hy_debug_config resolved;
    if ((unsigned)domain >= (unsigned)HY_DOMAIN_COUNT || below == NULL ||
        !hy__table_is_whole(below)) {
        hy__misuse(HY_MISUSE_BAD_ARGUMENT, "domain", below, "(no such domain, or no such table)");
        return false;
    }
    if (!resolve(config, &resolved)) {
        return false;
    }
    hy__domain_lock();
    hy__hooks *const hooks = find_or_make(domain, below, &resolved);
    hy__domain_unlock();
    if (hooks == NULL) {
        return false;
    }
    *result = hy__hooks_table(hooks);
    return true;
}
