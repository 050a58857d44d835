/*
 * reason.h: why a run was refused, before or while it ran: a cause for programs, a text for people.
 */
#ifndef HEAPYARD_TRIAL_REASON_H
#define HEAPYARD_TRIAL_REASON_H

#include <heapyard/export.h>

typedef enum hy_cause {
    HY_CAUSE_NONE,
    HY_CAUSE_LOAD,   /* the target can't be loaded, or its table is not one */
    HY_CAUSE_SYMBOL, /* the plan needs an entry point that the target does not have */
    HY_CAUSE_PLAN,   /* the plan can't be read, or makes no sense */
    HY_CAUSE_MEMORY, /* the engine, or the target's `open`, got no memory */
    HY_CAUSE_MACHINE /* this machine, kernel or build can't do what an op asks for */
} hy_cause;

typedef struct hy_reason {
    hy_cause cause;
    char text[512];
} hy_reason;

/* Sets both; longer text is cut. Does not allocate. */
void hy__reason(hy_reason *reason, hy_cause cause, const char *format, ...) HY_PRINTF(3, 4);

/* "load", "symbol", "plan", "memory", "machine". */
const char *hy__cause_name(hy_cause cause);

#endif /* HEAPYARD_TRIAL_REASON_H */
