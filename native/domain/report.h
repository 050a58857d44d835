/*
 * report.h: what the hooks found, as a line and a dump for the misuse handler.
 */
#ifndef HEAPYARD_DOMAIN_REPORT_H
#define HEAPYARD_DOMAIN_REPORT_H

#include <stddef.h>

#include <heapyard/misuse.h>

#include "domain/records.h"

/* All by value: it is reported after the lock was given back. */
typedef struct hy__finding {
    hy_misuse_kind kind;
    const void *address;      /* what was passed */
    hy__record record;        /* of the block it is about; `hooks` NULL: none */
    const hy__hooks *through; /* the hooks that were called */
    ptrdiff_t offset;         /* of the byte that it is about, from the block's start */
} hy__finding;

/* Calls the handler. Without the lock. */
void hy__report(const hy__finding *finding);

/* The same for a call of mem or obj by a thread that does not hold the lock. */
void hy__report_no_lock(const hy__hooks *hooks, const char *call, const void *block);

#endif /* HEAPYARD_DOMAIN_REPORT_H */
