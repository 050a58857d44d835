/*
 * lock.c: whether a thread may call mem and obj.
 */
#include <stdatomic.h>

#include "domain/hooks.h"
#include "domain/report.h"
#include "domain/store.h"

/* Function and context together, immutable and kept for good, as tables are. */
typedef struct lock_check {
    hy_debug_lock_fn *holds;
    void *context;
    struct lock_check *next;
} lock_check;

static const lock_check *_Atomic current;
static lock_check *kept_checks; /* with the lock of the domains */
static _Thread_local bool declared_without;

void hy_debug_declare_lock(bool held)
{
    declared_without = !held;
}

static const lock_check *keep(hy_debug_lock_fn *holds, void *context)
{
    for (const lock_check *kept = kept_checks; kept != NULL; kept = kept->next) {
        if (kept->holds == holds && kept->context == context) {
            return kept;
        }
    }
    lock_check *const kept = hy__domain_keep(sizeof *kept);
    if (kept != NULL) {
        *kept = (lock_check){.holds = holds, .context = context, .next = kept_checks};
        kept_checks = kept;
    }
    return kept;
}

bool hy_debug_set_lock_check(hy_debug_lock_fn *holds, void *context)
{
    if (holds == NULL) {
        atomic_store_explicit(&current, NULL, memory_order_release);
        return true;
    }
    hy__domain_lock();
    const lock_check *const kept = keep(holds, context);
    if (kept != NULL) {
        atomic_store_explicit(&current, kept, memory_order_release);
    }
    hy__domain_unlock();
    return kept != NULL;
}

static bool thread_holds_lock(void)
{
    const lock_check *const check = atomic_load_explicit(&current, memory_order_acquire);
    return !declared_without && (check == NULL || check->holds(check->context));
}

bool hy__lock_is_held(const hy__hooks *hooks, const char *call, const void *block)
{
    if (hooks->domain == HY_DOMAIN_RAW || thread_holds_lock()) {
        return true;
    }
    hy__report_no_lock(hooks, call, block);
    return false;
}
