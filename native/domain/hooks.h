/*
 * hooks.h: one set of debug hooks: the context of the table that <heapyard/debug.h> makes.
 */
#ifndef HEAPYARD_DOMAIN_HOOKS_H
#define HEAPYARD_DOMAIN_HOOKS_H

#include <stdbool.h>

#include <heapyard/debug.h>

#include "domain/records.h"

struct hy__hooks {
    hy_allocator below;
    hy_domain domain;
    size_t guard;            /* bytes on each side */
    size_t quarantine_bytes; /* the limits; both 0: none */
    size_t quarantine_blocks;
    hy__list quarantine;      /* with the lock: oldest first */
    size_t quarantined_bytes; /* with the lock: whole frames */
    struct hy__hooks *next;   /* of all hooks; with the lock */
};

/* The first of all hooks. With the lock. */
hy__hooks *hy__hooks_first(void);

/* The table of these hooks. */
hy_allocator hy__hooks_table(hy__hooks *hooks);

/* Whether a table is one of hooks. */
bool hy__is_hooks(const hy_allocator *table);

/* hy_domain_setup_debug_hooks for when the first tables are in force. */
bool hy__hooks_set_up(uint32_t domains, const hy_debug_config *config);

/* Whether the calling thread may call mem or obj; where not, `call` ("malloc") of `block` is
 * reported. */
bool hy__lock_is_held(const hy__hooks *hooks, const char *call, const void *block);

#endif /* HEAPYARD_DOMAIN_HOOKS_H */
