/*
 * outcome.h: what a run found: it held, the first violation, or why it was refused.
 */
#ifndef HEAPYARD_TRIAL_OUTCOME_H
#define HEAPYARD_TRIAL_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trial/reason.h"

typedef enum hy_status { HY_STATUS_HELD, HY_STATUS_VIOLATION, HY_STATUS_REFUSED } hy_status;

typedef struct hy_violation {
    uint32_t kind; /* one bit of HY_CHECK_... */
    uint32_t slot; /* HY_PLAN_NO_SLOT: none */
    uint64_t size; /* of the block, as asked for */
    uint64_t address;
    char expected[192]; /* a short sentence with values */
    char seen[192];
} hy_violation;

/* One answer of a `measure`. */
typedef struct hy_figure {
    uint64_t measure;
    uint64_t value;
    uint64_t op;
    uint64_t round;
} hy_figure;

#define HY_OUTCOME_FIGURES 1024 /* more are counted, not kept */

typedef struct hy_outcome {
    hy_status status;
    bool has_threads_left; /* that may still use the engine's memory */
    bool is_placed;        /* `op` is where it happened; else that is the op that ran last */
    hy_violation violation;
    hy_reason reason;
    const char *op_name; /* of the op that ran last; "end" at the end of a round; NULL: none ran */
    uint64_t op;
    uint64_t round;
    uint64_t operations;  /* done, over all rounds */
    uint64_t nanoseconds; /* of the rounds, on the clock */
    uint64_t
        cpu_nanoseconds; /* and of processor time: this thread's, or of all threads that the plan has */
    hy_figure *figures; /* HY_OUTCOME_FIGURES of them */
    uint64_t figure_count;
} hy_outcome;

#endif /* HEAPYARD_TRIAL_OUTCOME_H */
