/*
 * subject.h: the allocator that a run is about: its table, checked and completed.
 */
#ifndef HEAPYARD_TRIAL_SUBJECT_H
#define HEAPYARD_TRIAL_SUBJECT_H

#include <stdbool.h>
#include <stdint.h>

#include <heapyard/trial.h>

#include "trial/functions.h"
#include "trial/reason.h"

typedef struct hy_subject {
    struct heapyard_target table;           /* min_alignment and max_size never 0 */
    void *handle;                           /* passed where the table has no `open` */
    const struct hy_trial_functions *plain; /* what the table adapts; NULL: it adapts nothing */
    uint32_t functions;                     /* 1 << HY_FUNCTION_... */
} hy_subject;

/* Copies a table, of this or a longer version. False, with the reason, if it is not one: wrong
 * version, unknown flags, min_alignment no power of two, no malloc, half of open and close. */
bool hy__subject_from_table(const struct heapyard_target *table, hy_subject *subject,
                            hy_reason *reason);

/* From entry points without a handle; `functions` must outlive the subject, which passes it as
 * the handle. */
bool hy__subject_from_functions(const struct hy_trial_functions *functions, hy_subject *subject,
                                hy_reason *reason);

#endif /* HEAPYARD_TRIAL_SUBJECT_H */
