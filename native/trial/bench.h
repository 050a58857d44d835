/*
 * bench.h: one benchmark from end to end: tape, replay, clock, memory, JSON.
 *
 *     read memory -> open -> [ part | clock stands: read memory | part | ... ] x n -> free the rest
 *                 -> read memory -> trim -> read memory -> close
 */
#ifndef HEAPYARD_TRIAL_BENCH_H
#define HEAPYARD_TRIAL_BENCH_H

#include <stdbool.h>

#include <heapyard/trial.h>

#include "trial/json.h"
#include "trial/subject.h"

typedef struct hy_bench_input {
    const hy_trial_bench *request;
    const void *plan; /* NULL but for HY_BENCH_PLAN */
    size_t plan_size;
    bool unmaps_plan; /* it is a mapping, which goes once it is read: memory is then read faster */
} hy_bench_input;

/* Runs it and writes the result. */
void hy__bench(const hy_bench_input *input, const hy_subject *subject, hy_json *json);

/* The result of one that could not begin. */
void hy__bench_refused(const hy_reason *reason, hy_json *json);

#endif /* HEAPYARD_TRIAL_BENCH_H */
